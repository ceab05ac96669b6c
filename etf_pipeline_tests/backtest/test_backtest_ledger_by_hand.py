"""Every event of a holding's life, followed to the cent."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from etf_pipeline.backtest import BacktestResult
from etf_pipeline.measures import session_risk_free
from etf_pipeline_tests.backtest.backtest_world import World

MILLION = 1e6


def net(result: BacktestResult) -> pd.DataFrame:
    return result.ledger[result.ledger["cost_basis"] == "net"].reset_index(drop=True)


def trades(result: BacktestResult, kind: str) -> pd.DataFrame:
    return result.trades[result.trades["kind"] == kind].reset_index(drop=True)


def assert_identity(result: BacktestResult) -> None:
    ledger = result.ledger
    parts = ledger["cash"] + ledger["receivables"] + ledger["holdings_value"]
    assert ledger["nav"].to_numpy() == pytest.approx(parts.to_numpy(), rel=1e-12)
    assert ledger["identity_error"].abs().max() < 1e-10


def test_what_is_decided_at_a_close_fills_at_the_next_open():
    world = World(n=4, bars={"AAA": [(10, 10), (20, 25), (25, 30), (30, 30)]}, weights=[(0, "AAA", 0.5)])
    result = world.run()
    # half a million at the open of 20 is 25,000 shares, worth 25 at that close and 30 at the next
    assert net(result)["nav"].tolist() == pytest.approx([1e6, 1.125e6, 1.25e6, 1.25e6])
    assert net(result)["daily_return"].tolist() == pytest.approx([0, 0.125, 1.25 / 1.125 - 1, 0])
    assert trades(result, "rebalance")["shares"].tolist() == pytest.approx([25_000])
    assert_identity(result)


def test_the_fill_may_be_the_close_instead():
    world = World(n=4, bars={"AAA": [(10, 10), (20, 25), (25, 30), (30, 30)]}, weights=[(0, "AAA", 0.5)])
    assert net(world.run(fill="close"))["nav"].tolist() == pytest.approx([1e6, 1e6, 1.1e6, 1.1e6])


def test_a_dividend_is_a_receivable_from_its_ex_date_until_it_is_paid():
    world = World(n=8, dividends={("AAA", 3): 2.0}, weights=[(0, "AAA", 1.0)]).flat("AAA", 100.0)
    world.act("dividend", "AAA", 3, 2.0, pay=5)
    ledger = net(world.run())
    # 10,000 shares, 2 each; the price does not fall, so that net asset value rises by the dividend
    assert ledger["receivables"].tolist() == pytest.approx([0, 0, 0, 20_000, 20_000, 0, 0, 0])
    assert ledger["cash"].tolist() == pytest.approx([1e6, 0, 0, 0, 0, 20_000, 20_000, 20_000])
    assert ledger["dividends"].tolist() == pytest.approx([0, 0, 0, 20_000, 0, 0, 0, 0])
    assert ledger["nav"].tolist() == pytest.approx([1e6] * 3 + [1.02e6] * 5)


def test_a_dividend_without_pay_date_is_paid_after_the_set_number_of_sessions():
    world = World(n=8, dividends={("AAA", 3): 2.0}, weights=[(0, "AAA", 1.0)]).flat("AAA", 100.0)
    assert net(world.run(payment_lag=2))["receivables"].tolist() == pytest.approx([0, 0, 0, 20_000, 20_000, 0, 0, 0])


def test_who_buys_at_the_open_of_the_ex_date_gets_no_dividend():
    world = World(n=4, dividends={("AAA", 1): 2.0}, weights=[(0, "AAA", 1.0)]).flat("AAA", 100.0)
    assert net(world.run())["dividends"].sum() == 0


def test_prices_that_are_adjusted_for_dividends_pay_none():
    world = World(n=4, dividends={("AAA", 2): 2.0}, weights=[(0, "AAA", 1.0)], adjustment="split_dividend").flat("AAA", 100.0)
    assert net(world.run())["dividends"].sum() == 0


def test_trapped_cash_cannot_be_spent():
    world = (
        World(n=8, dividends={("AAA", 2): 10.0}, weights=[(0, "AAA", 1.0), (3, "BBB", 1.0)]).flat("AAA", 100.0).flat("BBB", 50.0)
    )
    ledger = net(world.run())
    # 10,000 shares x 10 are owed: only the million that the shares fetch is invested
    assert ledger.loc[4, ["cash", "receivables", "holdings_value"]].tolist() == pytest.approx([0, 1e5, 1e6], abs=1e-6)


def test_a_split_multiplies_shares_and_leaves_the_value():
    bars = {"AAA": [(100, 100), (100, 100), (50, 50), (50, 60)]}
    result = World(n=4, bars=bars, splits={("AAA", 2): 2.0}, weights=[(0, "AAA", 1.0)]).run()
    assert net(result)["nav"].tolist() == pytest.approx([1e6, 1e6, 1e6, 1.2e6])
    assert_identity(result)


def test_a_dividend_on_the_day_of_a_split_is_per_new_share():
    bars = {"AAA": [(100, 100), (100, 100), (49, 49), (49, 49)]}
    world = World(n=4, bars=bars, splits={("AAA", 2): 2.0}, dividends={("AAA", 2): 1.0}, weights=[(0, "AAA", 1.0)])
    assert net(world.run())["nav"].tolist() == pytest.approx([1e6] * 4)


def test_a_holding_that_stops_trading_is_carried_and_then_sold_at_its_last_price():
    world = World(n=9, weights=[(0, "AAA", 1.0)]).flat("AAA", 100.0, last=3).flat("BBB", 10.0)
    result = world.run(absence=3)
    ledger, exit_ = net(result), trades(result, "delisting")
    assert exit_[["session", "shares", "price", "value"]].to_numpy().tolist() == [[world.sessions[6], -10_000.0, 100.0, -1e6]]
    assert ledger["holdings_value"].tolist() == pytest.approx([0] + [1e6] * 5 + [0] * 3)
    assert ledger["nav"].tolist() == pytest.approx([1e6] * 9)
    assert exit_[["spread_cost", "impact_cost", "commission"]].to_numpy().sum() == 0


def test_a_short_gap_is_no_delisting():
    bars = {"AAA": [(100, 100), (100, 100), None, None, (90, 90), (90, 95), (95, 95)]}
    result = World(n=7, bars=bars, weights=[(0, "AAA", 1.0)]).run(absence=3)
    assert trades(result, "delisting").empty
    assert net(result)["nav"].tolist() == pytest.approx([1e6, 1e6, 1e6, 1e6, 0.9e6, 0.95e6, 0.95e6])


def test_a_liquidation_is_trapped_until_its_pay_date():
    world = World(n=9, weights=[(0, "AAA", 1.0)]).flat("AAA", 100.0, last=3).flat("BBB", 10.0)
    result = world.act("liquidation", "AAA", 3, 98.0, pay=6).run(absence=3)
    ledger = net(result)
    assert ledger["nav"].tolist() == pytest.approx([1e6] * 4 + [0.98e6] * 5)
    assert ledger["receivables"].tolist() == pytest.approx([0] * 4 + [0.98e6] * 2 + [0] * 3)
    assert trades(result, "liquidation")["price"].tolist() == [98.0]
    assert trades(result, "delisting").empty
    assert_identity(result)


def test_a_merger_converts_at_its_ratio_at_the_successors_last_close():
    bars = {"BBB": [(40, 40), (40, 40), (40, 50), (50, 50), (60, 55), (55, 55)]}
    world = World(n=6, bars=bars, weights=[(0, "AAA", 1.0)]).flat("AAA", 100.0, last=3)
    result = world.act("merger", "AAA", 3, 2.0, successor="BBB").run()
    # 10,000 AAA at 100 become 20,000 BBB at 50: nothing is gained or lost; then BBB moves to 55
    assert net(result)["nav"].tolist() == pytest.approx([1e6, 1e6, 1e6, 1e6, 1.1e6, 1.1e6])
    legs = trades(result, "merger").set_index("ticker")
    assert legs.loc["AAA", ["shares", "price"]].tolist() == [-10_000, 100]
    assert legs.loc["BBB", ["shares", "price"]].tolist() == [20_000, 50]
    assert legs["value"].sum() == pytest.approx(0)
    assert_identity(result)


def test_a_rename_keeps_the_position_even_where_the_new_ticker_has_no_past():
    bars = {"NEW": [None, None, None, None, (102, 103), (103, 103)]}
    world = World(n=6, bars=bars, weights=[(0, "OLD", 1.0)]).flat("OLD", 100.0, last=3)
    result = world.act("rename", "OLD", 3, 1.0, successor="NEW").run()
    assert net(result)["nav"].tolist() == pytest.approx([1e6, 1e6, 1e6, 1e6, 1.03e6, 1.03e6])
    assert sorted(trades(result, "rename")["ticker"]) == ["NEW", "OLD"]
    assert net(result)["traded_value"].sum() == pytest.approx(1e6)  # only the first purchase met the market
    assert_identity(result)


def test_a_target_for_the_old_ticker_fills_in_the_new_one():
    bars = {"NEW": [None, None, None, None, (100, 100), (100, 100)]}
    world = World(n=6, bars=bars, weights=[(0, "OLD", 1.0), (3, "OLD", 0.5)]).flat("OLD", 100.0, last=3)
    result = world.act("rename", "OLD", 3, 1.0, successor="NEW").run()
    assert net(result).loc[4, ["cash", "holdings_value"]].tolist() == pytest.approx([5e5, 5e5])


def test_an_ending_that_was_announced_late_applies_late():
    world = World(n=8, weights=[(0, "AAA", 1.0)]).flat("AAA", 100.0, last=3).flat("BBB", 10.0)
    world.act("liquidation", "AAA", 3, 98.0, pay=7)
    world.actions[-1]["available_at"] += pd.Timedelta(days=2)
    ledger = net(world.run())
    known = int(np.searchsorted(world.sessions, world.sessions[3] + pd.Timedelta(days=2)))
    assert ledger["nav"].tolist() == pytest.approx([1e6] * known + [0.98e6] * (8 - known))


def test_a_target_without_a_price_at_the_fill_stays_in_cash():
    bars = {"AAA": [(100, 100), None, (100, 100), (100, 100)]}
    world = World(n=4, bars=bars, weights=[(0, "AAA", 0.6), (0, "BBB", 0.4)]).flat("BBB", 10.0)
    ledger = net(world.run())
    assert ledger["cash"].tolist() == pytest.approx([1e6, 6e5, 6e5, 6e5])


def test_what_cannot_be_sold_is_not_spent():
    bars = {"AAA": [(100, 100), (100, 100), (100, 100), None, (100, 100)]}
    world = World(n=5, bars=bars, weights=[(0, "AAA", 0.5), (0, "BBB", 0.5), (2, "BBB", 1.0)]).flat("BBB", 10.0)
    ledger = net(world.run())
    assert ledger.loc[3, ["cash", "holdings_value"]].tolist() == pytest.approx([0, 1e6], abs=1e-6)


def test_cash_earns_the_bill_of_the_session_before():
    world = World(n=4, weights=[(0, "AAA", 0.5)], bill=[5.0, 4.0, 3.0, 2.0]).flat("AAA", 100.0)
    ledger = net(world.run(bill_series="TBILL13W"))
    rates = session_risk_free(world.macro(), world.sessions)
    # the first session's interest comes before the purchase at its open: on the whole million
    first = 1e6 * rates[1]
    assert ledger["interest"].iloc[:2].tolist() == pytest.approx([0, first])
    assert ledger["interest"].iloc[2] == pytest.approx((1e6 + first) / 2 * rates[2])


@pytest.mark.parametrize("half_spread", [0.0, 0.001, 0.05])
def test_costs_are_paid_out_of_the_trades_and_cash_never_turns_negative(half_spread: float):
    world = World(n=4, weights=[(0, "AAA", 1.0)]).flat("AAA", 100.0)
    result = world.run(unknown_half_spread=half_spread)
    # V invested costs h V, and both come from a million: V = 1e6 / (1 + h)
    assert net(result)["nav"].iloc[-1] == pytest.approx(MILLION / (1 + half_spread), rel=1e-13)
    assert net(result)["cash"].min() > -1e-6
    assert net(result)["costs"].sum() == pytest.approx(MILLION * half_spread / (1 + half_spread), rel=1e-13)
    gross = result.ledger[result.ledger["cost_basis"] == "gross"]
    assert gross["costs"].sum() == 0
    assert gross["nav"].tolist() == pytest.approx([MILLION] * 4)
