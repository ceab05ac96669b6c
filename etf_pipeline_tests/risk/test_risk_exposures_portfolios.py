"""A portfolio's exposures are those of one regression of its own returns; what is unknown is never taken for nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from risk_exposure_samples import etf_table, factor_table, return_table, session_table, steady

from etf_pipeline.regression import ols
from etf_pipeline.risk.exposures import (
    FACTORS,
    ExposureParameters,
    PortfolioExposureParameters,
    factor_exposures,
    portfolio_exposures,
)

AT = pd.Timestamp("2018-06-29")
FAST = PortfolioExposureParameters(window=120, min_observations=60)
HELD = {"AAA": 0.5, "BBB": 0.3, "CASH": 0.2}


@pytest.fixture(scope="module")
def market() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    factors = factor_table()
    returns = return_table(
        {
            "AAA": steady(factors, [1.0, 0.5, 0.2, 0.0, 0.0, 0.0], seed=1),
            "BBB": steady(factors, [0.8, 0.0, -0.3, 0.2, 0.0, 0.1], seed=2),
            "SPY": steady(factors, [1.0, 0.0, 0.0, 0.0, 0.0, 0.0], seed=3),
            "YOUNG": steady(factors, [1.0, 0.0, 0.0, 0.0, 0.0, 0.0], seed=4).loc["2018-05-01":],
        }
    )
    return returns, factors, etf_table({"YOUNG": ("equity", "Large Blend")}), session_table()


def weight_table(**strategies: dict[str, float]) -> pd.DataFrame:
    rows = [(AT, name, ticker, weight) for name, held in strategies.items() for ticker, weight in held.items()]
    return pd.DataFrame(rows, columns=["session", "strategy", "ticker", "weight"])


def one(frame: pd.DataFrame, strategy: str, benchmark: str) -> pd.DataFrame:
    chosen = frame[(frame["strategy"] == strategy) & (frame["benchmark"] == benchmark)]
    return chosen.set_index("factor").loc[list(FACTORS)]


def regression_of(market, weights: dict[str, float]):
    """One plain regression of the weighted excess returns on the last 120 published sessions."""
    returns, factors, _, sessions = market
    now = sessions.set_index("session").loc[AT, "closes_at"]
    known = factors[factors["available_at"] <= now].pivot(index="session", columns="factor", values="value").iloc[-120:]
    wide = returns.pivot(index="session", columns="ticker", values="total_return").reindex(known.index)
    excess = sum(weight * (wide[ticker] - known["RF"]) for ticker, weight in weights.items() if ticker != "CASH")
    x = np.column_stack([np.ones(len(known)), known[list(FACTORS)].to_numpy()])
    return ols(excess.to_numpy(), x, correct=True)


def test_loading_error_and_active_error_are_those_of_one_regression(market):
    found = one(portfolio_exposures(weight_table(mine=HELD), *market, FAST), "mine", "SPY")
    own, base = regression_of(market, HELD), regression_of(market, {"SPY": 1.0})
    active = regression_of(market, {**HELD, "SPY": -1.0})
    np.testing.assert_allclose(found["loading"], own.coefficients[1:], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found["error"], own.errors[1:], rtol=1e-9)
    np.testing.assert_allclose(found["benchmark_loading"], base.coefficients[1:], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found["active"], active.coefficients[1:], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found["active_error"], active.errors[1:], rtol=1e-9)
    assert (found["coverage"] == 1.0).all()


def test_a_loading_is_the_weighted_sum_of_the_funds_loadings(market):
    table, _ = factor_exposures(*market, ExposureParameters(window=120, min_observations=60))
    funds = table[table["session"] == AT].pivot(index="ticker", columns="factor", values="loading")
    found = one(portfolio_exposures(weight_table(mine=HELD), *market, FAST), "mine", "SPY")
    expected = 0.5 * funds.loc["AAA"] + 0.3 * funds.loc["BBB"]
    np.testing.assert_allclose(found["loading"], expected[list(FACTORS)], rtol=1e-12, atol=1e-15)


def test_a_portfolio_beside_itself_has_no_active_loading_and_no_active_error(market):
    parameters = replace(FAST, benchmarks=("twin",))
    found = one(portfolio_exposures(weight_table(mine=HELD, twin=HELD), *market, parameters), "mine", "twin")
    assert (found["active"] == 0.0).all()
    assert (found["active_error"] == 0.0).all()
    assert (found["error"] > 0.0).all()


def test_a_fund_without_exposure_is_not_a_zero_but_less_coverage(market):
    found = portfolio_exposures(
        weight_table(mine={"AAA": 0.9, "YOUNG": 0.1}, other={"AAA": 0.5, "YOUNG": 0.5}, pure={"AAA": 1.0}), *market, FAST
    )
    mine, other, pure = (one(found, name, "SPY") for name in ("mine", "other", "pure"))
    assert (mine["coverage"] == 0.9).all()
    assert (other["coverage"] == 0.5).all()
    np.testing.assert_allclose(mine["loading"], pure["loading"], rtol=1e-12)
    np.testing.assert_allclose(mine["error"], pure["error"], rtol=1e-12)
    assert other[["loading", "error", "active", "active_error"]].isna().all(axis=None)
    assert other["benchmark_loading"].notna().all()


def test_a_benchmark_that_nobody_knows_leaves_the_active_loading_unknown(market):
    found = one(portfolio_exposures(weight_table(mine=HELD), *market, replace(FAST, benchmarks=("NONE",))), "mine", "NONE")
    assert (found["benchmark_coverage"] == 0.0).all()
    assert found["active"].isna().all()
    assert found["loading"].notna().all()


def test_strategies_are_benchmarks_of_the_others_and_never_of_themselves(market):
    found = portfolio_exposures(weight_table(mine=HELD, equal_weight={"AAA": 0.5, "BBB": 0.5}), *market, FAST)
    pairs = set(zip(found["strategy"], found["benchmark"], strict=True))
    assert pairs == {("mine", "SPY"), ("mine", "equal_weight"), ("equal_weight", "SPY")}


def test_weights_between_month_ends_have_no_row(market):
    mid = weight_table(mine=HELD).assign(session=pd.Timestamp("2018-06-14"))
    assert portfolio_exposures(mid, *market, FAST).empty
