"""What becomes of a holding whose fund ends: every way, to the cent, and never before anybody could know."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as arrow
import pytest

import etf_pipeline.definitions  # noqa: F401  registers every recipe
from etf_pipeline import calendars
from etf_pipeline.backtest import BacktestParameters, BacktestResult, run_backtest
from etf_pipeline.errors import SettingsError
from etf_pipeline.orchestration.ingestion import session_table
from etf_pipeline.recipes import RECIPES
from etf_pipeline.schemas import TABLES, from_arrow
from etf_pipeline_tests.backtest.backtest_world import PLAIN, SESSIONS, World, no_liquidity

EXACT = 1e-10
Tables = dict[str, arrow.Table]


def net(result: BacktestResult) -> pd.DataFrame:
    return result.ledger[result.ledger["cost_basis"] == "net"].reset_index(drop=True)


def trades(result: BacktestResult, kind: str) -> pd.DataFrame:
    return result.trades[result.trades["kind"] == kind].reset_index(drop=True)


def ending(kind: str, value: float, **when: object) -> World:
    """All money in AAA, whose last session is the fourth; BBB at 50 is there to become."""
    world = World(n=12, weights=[(0, "AAA", 1.0)]).flat("AAA", 100.0, last=3).flat("BBB", 50.0)
    return world.act(kind, "AAA", 3, value, successor="BBB" if kind in ("merger", "rename") else None, **when)  # type: ignore[arg-type]


def test_what_a_liquidation_pays_is_not_used_before_it_is_known():
    # the last session is the fourth, the amount is settled before the open of the seventh, the cash arrives in the ninth
    result = ending("liquidation", 98.0, known=6, pay=8).run(absence=2)
    ledger = net(result)
    assert ledger["nav"].tolist() == pytest.approx([1e6] * 6 + [0.98e6] * 6, rel=EXACT)
    assert ledger["holdings_value"].tolist() == pytest.approx([0] + [1e6] * 5 + [0] * 6)
    assert ledger["receivables"].tolist() == pytest.approx([0] * 6 + [0.98e6] * 2 + [0] * 4)
    assert ledger["cash"].tolist() == pytest.approx([1e6] + [0] * 7 + [0.98e6] * 4)
    # it waits longer than `absence` without being taken for delisted
    assert trades(result, "delisting").empty
    assert trades(result, "liquidation")[["session", "price"]].to_numpy().tolist() == [[ledger["session"][6], 98.0]]
    assert ledger["identity_error"].abs().max() < EXACT


def test_cash_that_came_before_the_amount_was_known_is_booked_when_it_is():
    ledger = net(ending("liquidation", 98.0, known=8, pay=6).run())
    assert ledger["cash"].tolist() == pytest.approx([1e6] + [0] * 7 + [0.98e6] * 4)
    assert ledger["receivables"].sum() == 0


def test_a_suspended_holding_is_neither_sold_nor_spent():
    world = ending("liquidation", 98.0, known=7, pay=8)
    world.weights.append((4, "BBB", 1.0))
    ledger = net(world.run())
    assert ledger.loc[5, ["cash", "holdings_value"]].tolist() == pytest.approx([0, 1e6])
    assert trades(world.run(), "rebalance")["ticker"].tolist() == ["AAA"]


def test_a_merger_whose_ratio_comes_late_converts_late():
    result = ending("merger", 1.9, known=6).run(absence=2)
    # 10,000 AAA at 100 stand at their last close, then become 19,000 BBB at 50
    assert net(result)["nav"].tolist() == pytest.approx([1e6] * 6 + [0.95e6] * 6, rel=EXACT)
    assert trades(result, "merger")["session"].unique().tolist() == [net(result)["session"][6]]
    assert trades(result, "delisting").empty


@pytest.mark.parametrize(
    ("kind", "value", "pay"),
    [("liquidation", 100.0, None), ("liquidation", 100.0, 8), ("merger", 2.0, None), ("rename", 2.0, None)],
)
@pytest.mark.parametrize("known", [None, 6])
def test_an_ending_at_the_last_close_conserves_net_asset_value(kind: str, value: float, pay: int | None, known: int | None):
    ledger = net(ending(kind, value, pay=pay, known=known).run())
    assert np.abs(ledger["nav"] / 1e6 - 1).max() < EXACT
    assert ledger["identity_error"].abs().max() < EXACT


def test_an_ending_nobody_told_is_sold_at_its_last_price_less_the_haircut():
    world = World(n=9, weights=[(0, "AAA", 1.0)]).flat("AAA", 100.0, last=3).flat("BBB", 10.0)
    result = world.run(absence=3, delisting_haircut=0.3)
    assert trades(result, "delisting")[["session", "price"]].to_numpy().tolist() == [[world.sessions[6], 70.0]]
    assert net(result)["nav"].tolist() == pytest.approx([1e6] * 6 + [0.7e6] * 3)
    assert result.ledger["identity_error"].abs().max() < EXACT


def test_a_known_ending_takes_no_haircut():
    assert net(ending("liquidation", 100.0).run(delisting_haircut=0.3))["nav"].tolist() == pytest.approx([1e6] * 12)


def test_an_ending_told_after_the_holding_was_sold_as_absent_changes_nothing():
    world = ending("liquidation", 98.0)
    world.actions[-1]["available_at"] = calendars.opens("XNYS", world.sessions[[9]])[0]
    result = world.run(absence=3)
    assert trades(result, "liquidation").empty
    assert net(result)["nav"].tolist() == pytest.approx([1e6] * 12)


@pytest.mark.parametrize("kind", ["liquidation", "merger"])
@pytest.mark.parametrize("cut", [3, 4, 5, 6])
def test_an_absurd_amount_that_is_not_known_yet_moves_nothing(kind: str, cut: int):
    world, absurd = ending(kind, 1.97, known=7), ending(kind, 1e9, known=7)
    before, after = (net(w.run()).loc[:cut] for w in (world, absurd))
    pd.testing.assert_frame_equal(before, after, check_exact=True)
    assert net(absurd.run())["nav"].iloc[7] > 1e9  # so that the absurd amount does arrive


def test_a_haircut_is_a_fraction():
    with pytest.raises(SettingsError, match="below 1"):
        BacktestParameters(delisting_haircut=1.5)


# -- from staging to the ledger ---------------------------------------------------------------------------------------------


def staged(world: World, history: list[tuple[str, str, int, int | None]] | None = None) -> Tables:
    """Staging tables of a world by the pipeline's own SQL; history rows are (fund, ticker, from, to)."""
    days = world.sessions
    actions = pd.DataFrame(world.actions).assign(source_row=range(len(world.actions)))
    prices = world.prices().drop(columns=["dividend", "split_ratio"])
    prices = prices.assign(high=prices["open"], low=prices["open"], volume=1e6, source="hand", source_row=range(len(prices)))
    names = pd.DataFrame(
        [(t, days[a], pd.NaT if b is None else days[b], f) for f, t, a, b in history or []],
        columns=["ticker", "valid_from", "valid_to", "fund"],
    ).assign(available_at=calendars.closes("XNYS", days[[0]])[0], source="hand")
    made: Tables = {
        "raw_actions": TABLES["raw_actions"].to_arrow(actions),
        "raw_prices": TABLES["raw_prices"].to_arrow(prices),
        "raw_ticker_history": TABLES["raw_ticker_history"].to_arrow(
            names.astype(dict.fromkeys(("valid_from", "valid_to"), "datetime64[ns]"))
        ),
        "quarantine": TABLES["quarantine"].arrow_schema.empty_table(),
    }
    made["raw_sessions"] = TABLES["raw_sessions"].to_arrow(session_table(made["raw_prices"], "XNYS"))
    for name in ("stg_ticker_history", "stg_actions", "stg_prices"):
        made |= RECIPES[name].run(made, None, None)
    return made


def marts(made: Tables, refused: int | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`fct_prices` and `fct_actions`, with one action refused if it is named."""
    if refused is not None:
        row = {"dataset": "stg_actions", "source": "hand", "source_row": refused, "ticker": "AAA", "session": SESSIONS[3]}
        row |= {"rule": "by hand", "found": "an absurd amount", "remedy": "none"}
        made = {**made, "quarantine": TABLES["quarantine"].to_arrow(pd.DataFrame([row]))}
    for name in ("fct_actions", "fct_prices"):
        made = made | RECIPES[name].run(made, None, None)
    return from_arrow(made["fct_prices"]), from_arrow(made["fct_actions"])


def ledger_of(prices: pd.DataFrame, actions: pd.DataFrame, held: str, days: pd.DatetimeIndex) -> BacktestResult:
    weights = pd.DataFrame({"session": days[:1], "strategy": "s", "ticker": held, "weight": 1.0})
    macro = pd.DataFrame({"session": days[:0], "series": [], "value": []})
    empty = pd.DataFrame({"session": days[:0], "ticker": [], "index_close": [], "index_open": []})
    return run_backtest(weights, prices, empty, actions, no_liquidity(), macro, BacktestParameters(**PLAIN))


def test_a_rename_within_one_fund_happens_to_nobody():
    world = World(n=8, bars={"NEW": [None] * 4 + [(100, 101)] * 4}).flat("OLD", 100.0, last=3)
    world.act("rename", "OLD", 3, 1.0, successor="NEW")
    prices, actions = marts(staged(world, [("OLD", "OLD", 0, 3), ("OLD", "NEW", 4, None)]))
    assert actions.empty
    result = ledger_of(prices, actions, "OLD", world.sessions)
    assert result.trades["kind"].tolist() == ["rebalance"]
    assert net(result)["nav"].tolist() == pytest.approx([1e6] * 4 + [1.01e6] * 4, rel=EXACT)


def test_a_rename_into_another_fund_keeps_the_position():
    world = World(n=8, bars={"NEW": [None] * 4 + [(100, 101)] * 4}).flat("OLD", 100.0, last=3)
    world.act("rename", "OLD", 3, 1.0, successor="NEW")
    prices, actions = marts(staged(world))
    result = ledger_of(prices, actions, "OLD", world.sessions)
    assert sorted(result.trades["kind"]) == ["rebalance", "rename", "rename"]
    assert net(result)["nav"].tolist() == pytest.approx([1e6] * 4 + [1.01e6] * 4, rel=EXACT)


def test_a_refused_action_does_not_take_effect():
    world = ending("liquidation", 9_999.0)
    made = staged(world)
    prices, actions = marts(made)
    assert net(ledger_of(prices, actions, "AAA", world.sessions))["nav"].iloc[-1] > 9e7
    prices, actions = marts(made, refused=0)
    assert actions.empty
    assert net(ledger_of(prices, actions, "AAA", world.sessions))["nav"].iloc[-1] == pytest.approx(1e6)


def test_an_action_is_seen_from_its_ex_date_on():
    world = ending("liquidation", 98.0)
    world.actions[-1]["available_at"] = calendars.opens("XNYS", world.sessions[[1]])[0]  # told before
    _, actions = marts(staged(world))
    assert actions["judged_at"].tolist() == [pd.Timestamp(world.sessions[3], tz="UTC")]
