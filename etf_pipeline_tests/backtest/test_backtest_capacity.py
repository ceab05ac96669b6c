"""Capacity, break-even costs and results by market state: by hand, beside ledgers kept anew, and as properties."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etf_pipeline.backtest import (
    BacktestParameters,
    BacktestResult,
    CapacityParameters,
    RegimePerformanceParameters,
    capacity,
    performance_by_regime,
    run_backtest,
)
from etf_pipeline.backtest.by_regime import known_states
from etf_pipeline.backtest.capacity import break_even_multiple
from etf_pipeline.errors import DataError, SettingsError
from etf_pipeline.measures import measure, session_risk_free, sharpe_difference
from etf_pipeline.schemas import TABLES
from etf_pipeline_tests.backtest.backtest_world import SESSIONS, random_market

approx = pytest.approx
PARAMETERS = BacktestParameters(resamples=200, absence=8)


@pytest.fixture(scope="module")
def market() -> dict[str, pd.DataFrame]:
    return random_market(0)


@pytest.fixture(scope="module")
def result(market: dict[str, pd.DataFrame]) -> BacktestResult:
    return run_backtest(**market, parameters=PARAMETERS)


def study(result: BacktestResult, market: dict[str, pd.DataFrame], *values: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    tables = result.ledger, result.trades, market["liquidity"], result.performance, market["macro"]
    return capacity(*tables, CapacityParameters(values=values or CapacityParameters.values))


def regimes_of(sessions: pd.DatetimeIndex) -> pd.DataFrame:
    states = np.array(["bull", "bear", "sideways"])[(np.arange(len(sessions)) // 20) % 3]
    return pd.DataFrame({"session": sessions, "regime": states})


def test_the_tables_keep_their_contracts(result: BacktestResult, market: dict[str, pd.DataFrame]):
    sizes, even = study(result, market)
    states = performance_by_regime(
        result.ledger, result.performance, regimes_of(SESSIONS), market["macro"], RegimePerformanceParameters(resamples=50)
    )
    for name, frame in (("capacity", sizes), ("break_even", even), ("performance_by_regime", states)):
        TABLES[name].check(TABLES[name].to_arrow(frame))
        assert not frame.duplicated(list(TABLES[name].key)).any()
        assert len(frame) > 0


@pytest.mark.parametrize("value", [1e5, 1e7, 1e8])
def test_repricing_equals_a_ledger_kept_at_that_value(value: float, result: BacktestResult, market: dict[str, pd.DataFrame]):
    # the ledger starts at the value and grows, the study keeps it: over half a year that moves the cost by some percent
    kept = run_backtest(**market, parameters=replace(PARAMETERS, initial_value=value, resamples=0)).performance
    expected = kept[kept["cost_basis"] == "net"].set_index(["strategy", "measure"])["value"]
    free = kept[kept["cost_basis"] == "gross"].set_index(["strategy", "measure"])["value"]
    sizes = study(result, market, value)[0].set_index("strategy")
    for name in sizes.index:
        lost = free[name, "cagr"] - expected[name, "cagr"]
        assert sizes.loc[name, "free_cagr"] - sizes.loc[name, "cagr"] == approx(lost, rel=0.12, abs=2e-6)


def test_impact_grows_with_the_root_of_the_value_and_the_rest_does_not(result: BacktestResult, market: dict[str, pd.DataFrame]):
    one, hundred = (study(result, market, value)[0].set_index("strategy") for value in (1e6, 1e8))
    np.testing.assert_allclose(hundred["impact"], 10.0 * one["impact"], rtol=1e-12)
    np.testing.assert_allclose(hundred["cost"] - hundred["impact"], one["cost"] - one["impact"], rtol=1e-9)
    np.testing.assert_allclose(hundred["participation_95"], 100.0 * one["participation_95"], rtol=1e-12)
    assert (hundred["cagr"] < one["cagr"]).all()


def test_free_returns_are_those_of_the_ledger_without_costs(result: BacktestResult, market: dict[str, pd.DataFrame]):
    gross = result.performance.query("cost_basis == 'gross' and measure == 'cagr'").set_index("strategy")["value"]
    sizes = study(result, market, 1e6)[0].set_index("strategy")
    np.testing.assert_allclose(sizes["free_cagr"], gross[sizes.index], atol=2e-4)


def test_participation_is_the_order_over_the_traded_value_known_before_the_fill(
    result: BacktestResult, market: dict[str, pd.DataFrame]
):
    trades = result.trades.query("strategy == 's' and kind == 'rebalance'")
    before = SESSIONS[SESSIONS.get_indexer(pd.DatetimeIndex(trades["session"])) - 1]
    nav = result.ledger.query("strategy == 's' and cost_basis == 'net'").set_index("session")["nav"]
    daily = market["liquidity"].set_index(["session", "ticker"])["daily_value"]
    shares = [
        abs(value) / nav[day] / daily.get((day, ticker), np.nan) * 1e7
        for day, ticker, value in zip(before, trades["ticker"], trades["value"], strict=True)
    ]
    row = study(result, market, 1e7)[0].set_index("strategy").loc["s"]
    assert row["participation_max"] == approx(np.nanmax(shares), rel=1e-12)
    assert row["participation_50"] <= row["participation_95"] <= row["participation_max"]
    assert bool(row["is_extrapolated"]) == (row["participation_95"] > 0.1)


def test_costs_of_everything_leave_growth_unknown(result: BacktestResult, market: dict[str, pd.DataFrame]):
    row = study(result, market, 1e22)[0].set_index("strategy").loc["s"]
    assert np.isnan(row["cagr"])
    assert np.isnan(row["sharpe"])
    assert row["is_extrapolated"]


@settings(deadline=None)
@given(
    free=st.lists(st.floats(-0.05, 0.05), min_size=5, max_size=40),
    costs=st.lists(st.floats(0.0, 0.01), min_size=40, max_size=40),
    drag=st.floats(0.0, 0.001),
)
def test_at_the_break_even_multiple_growth_is_the_benchmark_s(free: list[float], costs: list[float], drag: float):
    own, charged = np.array(free), np.array(costs[: len(free)])
    benchmark = own - drag
    multiple = break_even_multiple(own, charged, benchmark)
    if charged.max() < 1e-6:
        return
    left = np.log1p(own).sum() + np.log1p(-multiple * charged).sum()
    assert left == approx(np.log1p(benchmark).sum(), abs=1e-9)


def test_who_is_behind_without_costs_has_no_break_even():
    assert np.isnan(break_even_multiple(np.array([0.01, 0.0]), np.array([0.001, 0.0]), np.array([0.02, 0.0])))
    assert np.isnan(break_even_multiple(np.array([0.01, 0.0]), np.zeros(2), np.array([0.0, 0.0])))


def test_break_even_rows_say_what_the_multiple_costs_per_trade(result: BacktestResult, market: dict[str, pd.DataFrame]):
    even = study(result, market)[1].set_index(["strategy", "benchmark"])
    assert {name for _, name in even.index} == {"SPY", "balanced_60_40", "equal_weight", "s", "CASH"}
    net = result.ledger.query("strategy == 's' and cost_basis == 'net'")
    charged = net["costs"].sum() / net["traded_value"].sum()
    assert even.loc[("s", "CASH"), "cost_charged"] == approx(charged, rel=0.02)
    known = even.dropna(subset=["multiple"])
    np.testing.assert_allclose(known["cost_break_even"], known["multiple"] * known["cost_charged"], rtol=1e-12)
    assert (known["free_excess"] >= 0).all()
    ahead = known["net_excess"] > 0
    assert (known.loc[ahead, "multiple"] > 1).all()
    assert (known.loc[~ahead, "multiple"] <= 1).all()


def test_a_bounded_impact_and_a_torn_ledger_are_refused(result: BacktestResult, market: dict[str, pd.DataFrame]):
    with pytest.raises(SettingsError, match="'plan_clipped' is bounded"):
        CapacityParameters(impact_model="plan_clipped")
    with pytest.raises(SettingsError, match="positive values"):
        CapacityParameters(values=(0.0,))
    torn = result.ledger[(result.ledger["strategy"] != "s") | (result.ledger["session"] > SESSIONS[60])]
    with pytest.raises(DataError, match="every strategy in all"):
        capacity(torn, result.trades, market["liquidity"], result.performance, market["macro"], CapacityParameters())


def test_a_state_counts_from_the_session_after_the_close_that_showed_it():
    days = SESSIONS[:4]
    regimes = pd.DataFrame({"session": days, "regime": ["bull", "bear", "bear", "sideways"]})
    assert known_states(days, regimes).tolist() == ["unknown", "bull", "bear", "bear"]
    assert known_states(days[1:2], regimes.iloc[2:]).tolist() == ["unknown"]


def test_measures_of_a_state_are_those_of_its_sessions(result: BacktestResult, market: dict[str, pd.DataFrame]):
    regimes = regimes_of(SESSIONS)
    parameters = RegimePerformanceParameters(resamples=200)
    made = performance_by_regime(result.ledger, result.performance, regimes, market["macro"], parameters)
    table = made.set_index(["strategy", "cost_basis", "regime", "measure"])
    ledger = result.ledger.query("strategy == 's' and cost_basis == 'net'").set_index("session")
    bill = pd.Series(session_risk_free(market["macro"], pd.DatetimeIndex(ledger.index)), ledger.index)
    inside = ledger.index[ledger.index >= result.performance["start"].min()]
    before = regimes.set_index("session")["regime"].shift(1).reindex(inside)
    days = inside[(before == "bear").to_numpy()]
    own = ledger.loc[days, "daily_return"].to_numpy()
    market_returns = (
        result.ledger.query("strategy == 'SPY' and cost_basis == 'net'").set_index("session").loc[days, "daily_return"]
    )
    rows = table.loc["s", "net", "bear"]
    assert rows["n_sessions"].eq(len(days)).all()
    assert rows.loc["sharpe", "value"] == approx(measure("sharpe", own, bill[days].to_numpy()), rel=1e-12)
    assert rows.loc["max_drawdown", "value"] == approx(measure("max_drawdown", own), rel=1e-12)
    assert rows.loc["mean_return", "value"] == approx(252 * own.mean(), rel=1e-12)
    assert rows.loc["active_return", "value"] == approx(252 * (own - market_returns.to_numpy()).mean(), rel=1e-9)
    shares = table["share"].groupby(level=["strategy", "cost_basis", "measure"]).sum()
    np.testing.assert_allclose(shares, 1.0, rtol=1e-12)
    known = made.dropna(subset=["ci_low"])
    assert (known["ci_low"] <= known["ci_high"]).all()


def test_few_sessions_in_a_state_have_no_interval(result: BacktestResult, market: dict[str, pd.DataFrame]):
    regimes = pd.DataFrame({"session": SESSIONS, "regime": "bull"})
    regimes.loc[50:60, "regime"] = "bear"
    made = performance_by_regime(
        result.ledger, result.performance, regimes, market["macro"], RegimePerformanceParameters(resamples=50)
    )
    assert made.loc[made["regime"] == "bear", ["ci_low", "ci_high"]].isna().all(axis=None)
    assert made.loc[(made["regime"] == "bull") & (made["measure"] == "volatility"), "ci_low"].notna().all()


def test_differences_of_sharpe_ratios_are_those_of_ledoit_and_wolf(result: BacktestResult, market: dict[str, pd.DataFrame]):
    table = result.performance.set_index(["strategy", "cost_basis", "measure"])
    net = result.ledger[result.ledger["cost_basis"] == "net"].pivot(index="session", columns="strategy", values="daily_return")
    bill = session_risk_free(market["macro"], pd.DatetimeIndex(net.index))[1:]
    own, other = (net[name].to_numpy()[1:] for name in ("balanced_60_40", "SPY"))
    expected = sharpe_difference(own, other, bill, seed=PARAMETERS.seed, resamples=200)
    row = table.loc["balanced_60_40", "net", "sharpe_minus_SPY"]
    assert row["value"] == approx(expected.difference, rel=1e-9)
    assert (row["ci_low"], row["ci_high"]) == approx((expected.low, expected.high), rel=1e-9)
    chance = table.loc["balanced_60_40", "net", "sharpe_minus_SPY_p"]
    assert chance["value"] == approx(expected.bootstrap_p_value, rel=1e-12)
    assert chance["unit"] == "probability"
    assert ("SPY", "net", "sharpe_minus_SPY") not in table.index
