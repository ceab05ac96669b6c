"""Break tests: equal to their peers and published quantiles, right in size, strong where they claim to be."""

from __future__ import annotations

import numpy as np
import pytest
from beta_samples import garch, sample

from etf_pipeline.risk.beta import BetaStabilityParameters, beta_stability
from etf_pipeline.risk.beta.break_tests import cusum, recursive_residuals, sup_wald
from etf_pipeline.risk.beta.null_laws import cusum_critical, cusum_p, sup_wald_critical, sup_wald_p


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(8)
    market = garch(rng, 1, 400)[0]
    return 0.8 * market + garch(rng, 1, 400)[0], market


def test_recursive_residuals_and_their_sum_equal_statsmodels(pair):
    import statsmodels.api as sm
    from statsmodels.stats.diagnostic import recursive_olsresiduals

    y, x = pair
    theirs = recursive_olsresiduals(sm.OLS(y, sm.add_constant(x)).fit())
    ours = recursive_residuals(y, x)
    np.testing.assert_allclose(ours, theirs[4][2:], rtol=1e-8, atol=1e-12)
    fit = sm.OLS(y, sm.add_constant(x)).fit()
    assert np.sum(ours**2) == pytest.approx(fit.ssr, rel=1e-10)  # nothing of the residual sum of squares is lost
    path = np.cumsum(ours) / np.sqrt(fit.mse_resid)
    m = len(ours)
    assert cusum(ours)[1] == pytest.approx(np.max(np.abs(path) / (np.sqrt(m) + 2 * np.arange(1, m + 1) / np.sqrt(m))), rel=1e-10)


def test_the_largest_wald_statistic_equals_a_search_with_robust_regressions(pair):
    import statsmodels.api as sm

    y, x = pair

    def side(part):
        fit = sm.OLS(y[part], sm.add_constant(x[part])).fit(cov_type="HC1")
        return fit.params[1], fit.bse[1] ** 2

    best = max(
        ((side(slice(k, None))[0] - side(slice(0, k))[0]) ** 2 / (side(slice(k, None))[1] + side(slice(0, k))[1]), k)
        for k in range(60, 341, 5)
    )
    at, statistic, before, after = sup_wald(y, x, 0.15)
    assert statistic >= best[0] * (1 - 1e-9)
    left, right = side(slice(0, at)), side(slice(at, None))
    assert statistic == pytest.approx((right[0] - left[0]) ** 2 / (right[1] + left[1]), rel=1e-8)
    assert (before, after) == pytest.approx((left[0], right[0]), rel=1e-9)


def test_quantiles_are_the_published_ones():
    # Brown, Durbin and Evans 1975; Andrews 1993, table I, one parameter, by simulation (its own error is about 0.1)
    assert [round(cusum_critical(size), 3) for size in (0.1, 0.05, 0.01)] == [0.850, 0.948, 1.143]
    published = {(0.10, 0.15): 7.17, (0.05, 0.15): 8.85, (0.01, 0.15): 12.35, (0.05, 0.05): 9.84}
    for (size, trim), value in published.items():
        assert sup_wald_critical(size, trim) == pytest.approx(value, abs=0.15)


def test_p_values_and_critical_values_are_inverse_and_fall():
    for size in (0.2, 0.05, 1e-3):
        assert sup_wald_p(np.array([sup_wald_critical(size, 0.15)]), 0.15)[0] == pytest.approx(size, rel=1e-6)
        assert cusum_p(np.array([cusum_critical(size)]))[0] == pytest.approx(size, rel=1e-6)
    for law in (cusum_p, lambda s: sup_wald_p(s, 0.15)):
        values = law(np.linspace(0, 60, 200))
        assert (np.diff(values) <= 0).all()
        assert values[0] == 1
        assert np.isnan(law(np.array([np.nan]))).all()


def rejections(n, draws, seed, *, slope=0.0, level=0.0):
    """Share of draws in which each test rejects at 5 %: clustered variances, fat tails, a break half-way."""
    rng = np.random.default_rng(seed)
    market, noise = garch(rng, draws, n) + 4e-4, garch(rng, draws, n)
    late = np.arange(n) >= n // 2
    fund = (1 + slope * late) * market + noise + level * late
    sums = np.array([cusum(recursive_residuals(y, x))[1] for y, x in zip(fund, market, strict=True)])
    breaks = np.array([sup_wald(y, x, 0.15)[:2] for y, x in zip(fund, market, strict=True)])
    return np.mean(cusum_p(sums) < 0.05), np.mean(sup_wald_p(breaks[:, 1], 0.15) < 0.05), breaks[:, 0]


def test_both_tests_keep_their_size_under_clustered_variance():
    # 600 draws at 5 %: 2 to 9 % allows 3.3 standard errors about 5 %, and the 7 % of the CUSUM that was measured over 1000
    sums, breaks, _ = rejections(1260, 600, 21)
    assert 0.02 <= breaks <= 0.085
    assert 0.02 <= sums <= 0.105


def test_the_break_test_sees_a_slope_that_moves_and_the_cusum_does_not():
    sums, breaks, at = rejections(1260, 200, 22, slope=0.4)
    assert breaks >= 0.95
    assert sums <= 0.15
    assert abs(np.median(at) - 630) <= 25


def test_the_cusum_sees_a_level_that_moves_and_the_break_test_does_not():
    sums, breaks, _ = rejections(1260, 200, 23, level=0.002)
    assert sums >= 0.3
    assert breaks <= 0.11


def test_the_table_dates_a_planted_break_and_spares_the_market_itself():
    market = sample(9)
    returns = market.returns.copy()
    spy = returns[returns["ticker"] == "SPY"].set_index("session")["total_return"]
    late = (returns["ticker"] == "AAA") & (returns["session"] >= "2018-01-02")
    returns.loc[late, "total_return"] += 0.8 * spy.reindex(returns.loc[late, "session"]).to_numpy()
    table = beta_stability(returns, market.funds, market.macro, market.calendar, BetaStabilityParameters())
    row = table[(table["session"] == "2019-12-31") & (table["ticker"] == "AAA") & (table["test"] == "sup_f")].iloc[0]
    assert row["verdict"] == "unstable"
    assert abs((row["break_session"] - np.datetime64("2018-01-02")).days) <= 90
    assert row["beta_before"] == pytest.approx(1.4, abs=0.2)
    assert row["beta_after"] == pytest.approx(2.2, abs=0.2)
    assert (table.loc[table["ticker"] == "SPY", "verdict"] == "insufficient").all()
    unbroken = table[(table["session"] == "2019-12-31") & ~table["ticker"].isin(["AAA", "SPY"])]
    assert (unbroken["verdict"] == "stable").mean() >= 0.75
