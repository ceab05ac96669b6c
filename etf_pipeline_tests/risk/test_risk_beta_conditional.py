"""Does beta rise with fear? Size without, power with a planted interaction, and only what was known the close before."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from beta_samples import garch, sample

from etf_pipeline.regression import ols
from etf_pipeline.risk.beta import ConditionalBetaParameters, conditional_betas
from etf_pipeline.risk.beta.conditional import lagged_percentile
from etf_pipeline.risk.beta.least_squares import trailing_fits


def one_fit(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    n = len(y)
    return trailing_fits(y[None], x, np.ones((1, n), dtype=bool), np.array([n - 1]), n, 50)[0, 0]


def test_trailing_fits_equal_the_projects_regression():
    rng = np.random.default_rng(5)
    x = np.column_stack([np.ones(400), garch(rng, 3, 400).T])
    y = x @ [1e-4, 1.0, -0.5, 0.2] + garch(rng, 1, 400)[0]
    y[[7, 350]] = np.nan
    known = np.isfinite(y[-300:])
    fit = ols(y[-300:][known], x[-300:][known], correct=True)
    found = trailing_fits(y[None], x, np.ones((1, 400), dtype=bool), np.array([399]), 300, 50)[0, 0]
    np.testing.assert_allclose(found[:4], fit.coefficients, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(found[4:20].reshape(4, 4), fit.covariance, rtol=1e-9, atol=1e-18)
    assert found[-2] == pytest.approx(fit.r_squared, rel=1e-10)
    assert found[-1] == fit.n == 299


def test_collinear_regressors_give_no_numbers():
    rng = np.random.default_rng(6)
    m = rng.normal(size=200)
    assert np.isnan(one_fit(rng.normal(size=200), np.column_stack([np.ones(200), m, 2 * m]))[:3]).all()


def planted(seed: int, interaction: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    """A fund whose beta moves with a lagged percentile of market variance; its noise grows with it too."""
    rng = np.random.default_rng(seed)
    market, noise = garch(rng, 2, n)
    fear = pd.Series(market**2).ewm(halflife=15).mean().shift(1, fill_value=1e-4)
    q = fear.rank(pct=True).to_numpy() - 0.5
    return market + interaction * q * market + noise * (1 + q), np.column_stack([np.ones(n), market, q, q * market])


def rejections(interaction: float, draws: int, seed: int, n: int = 1260) -> float:
    found = np.array([one_fit(*planted(seed + i, interaction, n)) for i in range(draws)])
    return float(np.mean(np.abs(found[:, 3]) > 1.959964 * np.sqrt(found[:, 4 + 15])))


def test_the_hac_test_keeps_its_size_and_has_power():
    # 300 draws at 5 %: 1 to 9 % is within 3.2 standard errors (false alarm 0.2 %); power was 79 % (0.3) and 99 % (0.6)
    assert 0.01 <= rejections(0.0, 300, 100) <= 0.09
    assert rejections(0.6, 60, 900) >= 0.9


def test_the_percentile_counts_only_what_came_before():
    rng = np.random.default_rng(7)
    values = rng.integers(10, 40, 60).astype(float)
    days = pd.date_range("2020-01-01", periods=60)
    found = lagged_percentile(pd.DataFrame({"session": days, "series": "VIX", "value": values}), "VIX", 20)
    for t in range(60):
        past = values[: t + 1]
        expected = np.mean(past < past[-1]) + 0.5 * np.mean(past == past[-1])
        assert (np.isnan(found.iloc[t])) if t < 19 else found.iloc[t] == pytest.approx(expected, abs=1e-12)


def test_the_table_conditions_on_the_close_before_and_agrees_with_a_regression_by_hand():
    market = sample(4)
    parameters = ConditionalBetaParameters(window=600, min_sessions=300, bill_series="")
    table = conditional_betas(market.returns, market.funds, market.macro, market.calendar, parameters)
    row = table[(table["ticker"] == "AAA") & (table["session"] == "2019-09-30")].iloc[0]
    wide = market.returns.pivot(index="session", columns="ticker", values="total_return")
    p = lagged_percentile(market.macro, "VIX", 252).shift(1).reindex(wide.index)
    use = wide.loc[:"2019-09-30"].index[-600:]
    m, q = wide.loc[use, "SPY"], p[use] - 0.5
    fit = ols(wide.loc[use, "AAA"].to_numpy(), np.column_stack([np.ones(600), m, q, q * m]), correct=True)
    assert row["interaction"] == pytest.approx(fit.coefficients[3], rel=1e-9)
    assert row["hac_error"] == pytest.approx(fit.errors[3], rel=1e-9)
    assert row["beta_stressed"] == pytest.approx(fit.coefficients[1] + 0.4 * fit.coefficients[3], rel=1e-9)
    assert row["beta_calm"] == pytest.approx(fit.coefficients[1] - 0.4 * fit.coefficients[3], rel=1e-9)


def test_verdicts_stand_only_after_holm_and_the_market_itself_is_not_tested():
    market = sample(4)
    parameters = ConditionalBetaParameters(window=600, min_sessions=300)
    table = conditional_betas(market.returns, market.funds, market.macro, market.calendar, parameters)
    known = table.dropna(subset=["p"])
    assert (known["p_holm"] >= known["p"]).all()
    assert ((known["p_holm"] < 0.05) == known["verdict"].isin(["higher_in_stress", "lower_in_stress"])).all()
    assert (table.loc[table["ticker"] == "SPY", "verdict"] == "insufficient").all()
    assert (table.loc[table["n"] < 300, "verdict"] == "insufficient").all()
