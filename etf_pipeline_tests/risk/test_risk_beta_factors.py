"""Betas to several factors at once: equal to statsmodels, and honest about which factors were there."""

from __future__ import annotations

import numpy as np
import pytest
from beta_samples import sample

from etf_pipeline.risk.beta import MultiFactorParameters, multi_factor_betas
from etf_pipeline.risk.beta.factors import inflations, named

FACTORS = ("equity=home_equity", "own=AAA", "spread=BBB-CCC", "late=FFF", "absent=XXX")


@pytest.fixture(scope="module")
def table():
    market = sample(2)
    parameters = MultiFactorParameters(factors=FACTORS, bill_series="")
    return market, multi_factor_betas(market.returns, market.funds, market.macro, market.calendar, parameters)


def test_betas_errors_and_inflation_equal_statsmodels(table):
    import statsmodels.api as sm
    from statsmodels.stats.outliers_influence import variance_inflation_factor

    market, made = table
    wide = market.returns.pivot(index="session", columns="ticker", values="total_return").loc[:"2018-05-31"].iloc[-252:]
    x = np.column_stack([wide["SPY"], wide["AAA"], wide["BBB"] - wide["CCC"], wide["FFF"]])
    fit = sm.OLS(wide["DDD"].to_numpy(), sm.add_constant(x)).fit(cov_type="HAC", cov_kwds={"maxlags": 4, "use_correction": True})
    rows = made[(made["ticker"] == "DDD") & (made["session"] == "2018-05-31")].set_index("factor")
    rows = rows.loc[["equity", "own", "spread", "late"]]
    np.testing.assert_allclose(rows["beta"], fit.params[1:], rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(rows["error"], fit.bse[1:], rtol=1e-8)
    expected = [variance_inflation_factor(sm.add_constant(x), j) for j in range(1, 5)]
    np.testing.assert_allclose(rows["vif"], expected, rtol=1e-8)
    assert rows["r_squared"].iloc[0] == pytest.approx(fit.rsquared, rel=1e-9)


def test_a_factor_without_history_has_no_place_and_the_model_says_so(table):
    _, made = table
    models = made.groupby("session")["model"].unique()
    assert all(len(names) == 1 for names in models)
    assert models["2015-06-30"][0] == "equity+own+spread"
    assert models["2019-12-31"][0] == "equity+own+spread+late"


def test_a_factors_own_fund_is_explained_without_error_and_untested(table):
    _, made = table
    rows = made[(made["ticker"] == "AAA") & (made["session"] == "2017-03-31")].set_index("factor")
    np.testing.assert_allclose(rows["beta"].reindex(["equity", "own", "spread"]), [0, 1, 0], atol=1e-9)
    assert rows["t"].isna().all()


def test_orthogonal_factors_do_not_inflate():
    rng = np.random.default_rng(1)
    q, _ = np.linalg.qr(rng.normal(size=(100, 4)) - 0.0)
    x = np.column_stack([np.ones(100), q - q.mean(axis=0)])
    assert (inflations(x, np.array([99]), 100) < 1.1).all()
    twin = np.column_stack([np.ones(100), q[:, 0], q[:, 0] + 0.01 * q[:, 1]])
    assert (inflations(twin, np.array([99]), 100) > 100).all()


def test_factors_are_read_as_long_or_long_and_short():
    assert named(("a=X", "b=Y-Z.AX")) == {"a": ("X", ""), "b": ("Y", "Z.AX")}
