"""Our regression beside statsmodels."""

from __future__ import annotations

import numpy as np
import pytest

from etf_pipeline.errors import DataError
from etf_pipeline.regression import newey_west_lags, ols


def sample(n: int, k: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(n), rng.standard_normal((n, k - 1)) * 0.01])
    noise = rng.standard_normal(n) * (1 + np.abs(x[:, 1]) * 50) * 0.01
    return x @ rng.standard_normal(k) + noise + 0.6 * np.roll(noise, 1), x


@pytest.mark.parametrize(("n", "k", "lags", "correct"), [(60, 2, 0, False), (250, 7, 5, True), (1000, 3, 12, False)])
def test_coefficients_and_hac_errors_equal_those_of_statsmodels(n: int, k: int, lags: int, correct: bool) -> None:
    import statsmodels.api as sm

    y, x = sample(n, k, seed=n)
    peer = sm.OLS(y, x).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": correct})
    ours = ols(y, x, lags=lags, correct=correct)
    np.testing.assert_allclose(ours.coefficients, peer.params, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(ours.covariance, peer.cov_params(), rtol=1e-9, atol=1e-18)
    np.testing.assert_allclose(ours.t, peer.tvalues, rtol=1e-10)
    assert ours.r_squared == pytest.approx(peer.rsquared, rel=1e-10)


def test_the_usual_bandwidth_is_taken_where_none_is_given() -> None:
    y, x = sample(500, 2, seed=1)
    assert ols(y, x).lags == newey_west_lags(500) == 5


@pytest.mark.parametrize("broken", ["unknown", "short", "collinear"])
def test_what_cannot_be_regressed_is_refused_by_reason(broken: str) -> None:
    y, x = sample(30, 3, seed=2)
    if broken == "unknown":
        y[3] = np.nan
    if broken == "short":
        y, x = y[:3], x[:3]
    if broken == "collinear":
        x = np.column_stack([x, x[:, 1]])
    with pytest.raises(DataError, match="independent" if broken == "collinear" else "known observations"):
        ols(y, x)


def test_units_of_a_regressor_do_not_make_it_collinear() -> None:
    rng = np.random.default_rng(8)
    a, b = rng.normal(size=(2, 100))
    y = 1.0 + 2.0 * a - b + rng.normal(size=100)
    plain = ols(y, np.column_stack([np.ones(100), a, b]))
    scaled = ols(y, np.column_stack([np.ones(100), 1e-9 * a, 1e9 * b]))  # a squared volatility beside a market's value
    np.testing.assert_allclose(scaled.t, plain.t, rtol=1e-9)
    with pytest.raises(DataError, match="independent regressors"):
        ols(y, np.column_stack([np.ones(100), 1e-9 * a, 1e-9 * a + 1e-9]))
