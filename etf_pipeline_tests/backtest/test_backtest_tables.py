"""The tables keep their contracts, look at nothing ahead, and say what the ledgers say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from etf_pipeline import calendars
from etf_pipeline.backtest import BacktestParameters, BacktestResult, run_backtest
from etf_pipeline.backtest.drawdowns import drawdowns_table
from etf_pipeline.costs import CostParameters, TransactionCostModel
from etf_pipeline.errors import DataError, SettingsError
from etf_pipeline.measures import measure, session_risk_free
from etf_pipeline.schemas import TABLES
from etf_pipeline_tests.backtest.backtest_world import SESSIONS, random_market

PARAMETERS = BacktestParameters(resamples=50, absence=8)
NAMES = {
    "backtest_ledger": "ledger", "backtest_positions": "positions", "backtest_trades": "trades", "performance": "performance",
    "drawdowns": "drawdowns",
}  # fmt: skip


@pytest.fixture(scope="module")
def market() -> dict[str, pd.DataFrame]:
    return random_market(0)


@pytest.fixture(scope="module")
def result(market: dict[str, pd.DataFrame]) -> BacktestResult:
    return run_backtest(**market, parameters=PARAMETERS)


@pytest.mark.parametrize("name", NAMES)
def test_every_table_keeps_its_contract(name: str, result: BacktestResult):
    contract = TABLES[name]
    frame = getattr(result, NAMES[name])
    contract.check(contract.to_arrow(frame))
    assert not frame.duplicated(list(contract.key)).any()
    assert len(frame) > 0


def test_every_strategy_and_benchmark_has_both_cost_bases(result: BacktestResult):
    pairs = set(zip(result.ledger["strategy"], result.ledger["cost_basis"], strict=True))
    assert pairs == {(s, b) for s in ("SPY", "balanced_60_40", "equal_weight", "s") for b in ("gross", "net")}


def test_net_asset_value_rolled_forward_equals_the_sum_of_its_parts(result: BacktestResult):
    ledger = result.ledger
    parts = ledger["cash"] + ledger["receivables"] + ledger["holdings_value"]
    assert ledger["nav"].to_numpy() == pytest.approx(parts.to_numpy(), rel=1e-13)
    assert ledger["identity_error"].abs().max() < 1e-12
    assert {"rebalance", "delisting", "liquidation", "merger"} <= set(result.trades["kind"])


def known(result: BacktestResult, cut: pd.Timestamp) -> dict[str, pd.DataFrame]:
    tables = {
        name: frame[frame["session"] <= cut]
        for name, frame in vars(result).items()
        if isinstance(frame, pd.DataFrame) and "session" in frame
    }
    closed = result.drawdowns[~result.drawdowns["is_open"]]
    close = calendars.closes("XNYS", pd.DatetimeIndex([cut]))[0]
    return {
        name: frame.reset_index(drop=True)
        for name, frame in {**tables, "drawdowns": closed[closed["available_at"] <= close]}.items()
    }


@pytest.mark.parametrize("mode", ["truncate", "poison"])
@pytest.mark.parametrize("row", [30, 61, 75, 95])
def test_rows_known_at_a_cut_do_not_change_with_what_comes_later(
    mode: str, row: int, market: dict[str, pd.DataFrame], result: BacktestResult
):
    cut, rng = SESSIONS[row], np.random.default_rng(row)
    close = calendars.closes("XNYS", pd.DatetimeIndex([cut]))[0]
    changed = {}
    for name, frame in market.items():
        later = frame["available_at"] > close if name == "actions" else frame["session"] > cut
        if mode == "truncate":
            changed[name] = frame[~later]
        else:
            absurd = frame.copy()
            for column in frame.select_dtypes("number"):
                absurd.loc[later, column] *= np.exp(rng.normal(0, 2, int(later.sum())))
            changed[name] = absurd
    before, after = known(result, cut), known(run_backtest(**changed, parameters=replace(PARAMETERS, resamples=0)), cut)
    assert set(before) == {"ledger", "positions", "trades", "drawdowns"}
    for name, frame in before.items():
        pd.testing.assert_frame_equal(frame, after[name], rtol=1e-12, atol=0, obj=f"{name} at {cut.date()}", check_dtype=False)


def test_trades_cost_what_the_cost_model_estimates_from_the_decisions_liquidity(
    market: dict[str, pd.DataFrame], result: BacktestResult
):
    model = TransactionCostModel(CostParameters())
    fills = result.trades[(result.trades["kind"] == "rebalance") & (result.trades["strategy"] == "s")]
    position = SESSIONS.get_indexer(pd.DatetimeIndex(fills["session"]))
    wanted = fills.assign(session=SESSIONS[position - 1]).merge(market["liquidity"], on=["session", "ticker"], how="inner")
    assert len(wanted) > 10
    found = model.estimate(wanted["value"], wanted["half_spread"], wanted["daily_volatility"], wanted["daily_value"])
    for ours, theirs in (("spread_cost", "spread"), ("impact_cost", "impact"), ("commission", "commission")):
        assert wanted[ours].to_numpy() == pytest.approx(found[theirs].to_numpy(), rel=1e-12)


def test_performance_is_the_measures_of_the_ledger(market: dict[str, pd.DataFrame], result: BacktestResult):
    table = result.performance.set_index(["strategy", "cost_basis", "measure"])
    ledger = result.ledger[(result.ledger["strategy"] == "s") & (result.ledger["cost_basis"] == "net")]
    returns = ledger["daily_return"].to_numpy()[1:]
    bill = session_risk_free(market["macro"], pd.DatetimeIndex(ledger["session"]))[1:]
    row = table.loc["s", "net", "sharpe"]
    assert row["value"] == pytest.approx(measure("sharpe", returns, bill), rel=1e-12)
    assert row["ci_low"] < row["value"] < row["ci_high"]
    assert row["n_sessions"] == len(returns)
    total = ledger["nav"].iloc[-1] / ledger["nav"].iloc[0] - 1
    assert table.loc["s", "net", "total_return"]["value"] == pytest.approx(total, rel=1e-12)
    difference = table.loc["s", "net", "sharpe"]["value"] - table.loc["SPY", "net", "sharpe"]["value"]
    assert table.loc["s", "net", "sharpe_minus_SPY"]["value"] == pytest.approx(difference, rel=1e-12)
    gap = table.loc["s", "gross", "cagr"]["value"] - table.loc["s", "net", "cagr"]["value"]
    assert table.loc["s", "net", "cost_drag"]["value"] == pytest.approx(gap, rel=1e-9)
    assert table.loc["s", "net", "cost_drag"]["unit"] == "fraction per year"
    assert gap > 0


@pytest.mark.parametrize("basis", ["gross", "net"])
def test_turnover_is_annual_and_tracking_is_against_the_benchmark_on_the_same_cost_basis(result: BacktestResult, basis: str):
    table = result.performance.set_index(["strategy", "cost_basis", "measure"])["value"]
    ledger = result.ledger[result.ledger["cost_basis"] == basis].set_index(["strategy", "session"])
    mine, market = ledger.loc["s"].iloc[1:], ledger.loc["SPY"].iloc[1:]
    yearly = 252 * (0.5 * mine["traded_value"] / mine["nav"]).mean()
    assert table["s", basis, "turnover"] == pytest.approx(yearly, rel=1e-12)
    error = (mine["daily_return"] - market["daily_return"]).std() * np.sqrt(252)
    assert table["s", basis, "tracking_error"] == pytest.approx(error, rel=1e-10)


def test_a_benchmark_without_costs_follows_its_total_return_index(result: BacktestResult):
    table = result.performance.set_index(["strategy", "cost_basis", "measure"])
    # the gap is what uninvested dividends cost: at 5 % a year it is far below a percent
    assert abs(table.loc["SPY", "gross", "cagr_minus_index"]["value"]) < 0.02


def test_equal_strategies_have_a_difference_of_exactly_zero(result: BacktestResult):
    # `s` and `equal_weight` were given the same weights: common resamples leave no interval
    row = result.performance.set_index(["strategy", "cost_basis", "measure"]).loc["s", "net", "sharpe_minus_equal_weight"]
    assert row[["value", "ci_low", "ci_high"]].tolist() == [0, 0, 0]


def test_the_same_run_twice_is_bit_for_bit_the_same(market: dict[str, pd.DataFrame], result: BacktestResult):
    again = run_backtest(**market, parameters=PARAMETERS)
    for name in ("ledger", "positions", "trades", "performance", "drawdowns"):
        pd.testing.assert_frame_equal(getattr(result, name), getattr(again, name), check_exact=True)


def test_drawdowns_by_hand():
    days = SESSIONS[:10]
    nav = np.array([100, 110, 104.5, 99, 105, 110, 109, 111, 90, 95.0])
    found = drawdowns_table(nav, days, "s", threshold=0.02, exchange="XNYS")
    assert found["peak"].tolist() == [days[1], days[7]]  # the dip of one in 110 is below the threshold
    assert found["trough"].tolist() == [days[3], days[8]]
    assert found["recovery"].iloc[0] == days[5]
    assert pd.isna(found["recovery"].iloc[1])
    assert found["depth"].tolist() == pytest.approx([0.1, 21 / 111])
    assert found["sessions_down"].tolist() == [2, 1]
    assert found["sessions_under"].tolist() == [4, 2]
    assert found["is_open"].tolist() == [False, True]
    closes = calendars.closes("XNYS", days[[5, 9]])
    assert found["available_at"].tolist() == closes.tolist()


def test_no_drawdown_is_an_empty_table_that_keeps_the_contract():
    found = drawdowns_table(np.arange(1.0, 9.0), SESSIONS[:8], "s", threshold=0.02, exchange="XNYS")
    assert found.empty
    TABLES["drawdowns"].check(TABLES["drawdowns"].to_arrow(found))


def test_errors_say_what_is_missing(market: dict[str, pd.DataFrame]):
    with pytest.raises(DataError, match="benchmarks \\['VTI'\\] have no bar"):
        run_backtest(**market, parameters=BacktestParameters(benchmarks=("VTI",)))
    with pytest.raises(DataError, match="there are none"):
        run_backtest(**market, parameters=BacktestParameters(start="2030-01-01"))
    with pytest.raises(DataError, match="priced in another currency"):
        run_backtest(**{**market, "prices": market["prices"].assign(currency="AUD")})
    with pytest.raises(DataError, match="TBILL13W"):
        run_backtest(**{**market, "macro": market["macro"].iloc[:0]})
    with pytest.raises(SettingsError, match="found 'vwap'"):
        BacktestParameters(fill="vwap")
