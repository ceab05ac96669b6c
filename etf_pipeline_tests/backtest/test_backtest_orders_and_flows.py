"""Whole lots, smallest tickets, borrowed cash, and money that comes and goes: by hand, and whatever happens."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from backtest_world import PLAIN, World, actions_frame, no_liquidity, returns_of
from hypothesis import given, settings
from hypothesis import strategies as st
from test_backtest_fold_properties import ASSETS, TERMS, N, events, world

from etf_pipeline.backtest import BacktestParameters, BacktestResult, run_backtest
from etf_pipeline.backtest.arrays import COLUMNS, KINDS, NO_COSTS, Fold, Market, Plan, Rules, no_events
from etf_pipeline.backtest.fold import run_fold
from etf_pipeline.backtest.plans import check_flows
from etf_pipeline.errors import DataError, SettingsError


def two_funds() -> World:
    """A at 30, B at 70, both still; half and half from the second session on."""
    made = World(n=6).flat("A", 30.0).flat("B", 70.0)
    made.weights = [(0, "A", 0.5), (0, "B", 0.5)]
    return made


def with_flows(made: World, flows: list[tuple[int, float]] | pd.DataFrame, **settings: float | str) -> BacktestResult:
    weights = pd.DataFrame(made.weights, columns=["session", "ticker", "weight"])
    weights = weights.assign(session=made.sessions[weights["session"]], strategy="s")
    frame = flows
    if not isinstance(flows, pd.DataFrame):
        frame = pd.DataFrame({"strategy": "s", "date": [made.sessions[t] for t, _ in flows], "amount": [a for _, a in flows]})
    return run_backtest(
        weights, made.prices(), returns_of(made.prices()), actions_frame([]), no_liquidity(), made.macro(),
        BacktestParameters(**{**PLAIN, **settings}), frame,
    )  # fmt: skip


def net(result: BacktestResult, column: str) -> np.ndarray:
    return result.ledger.loc[result.ledger["cost_basis"] == "net", column].to_numpy()


def test_lots_are_rounded_down_and_left_cash_buys_the_largest_remainder() -> None:
    # 500 / 30 = 16.67 and 500 / 70 = 7.14 shares: 16 and 7 leave 30 of cash, which pay one more of A
    result = two_funds().run(initial_value=1000.0, lot=1.0)
    assert result.trades.set_index("ticker")["shares"].to_dict() == {"A": 17.0, "B": 7.0}
    assert net(result, "cash")[1:] == pytest.approx(0.0, abs=1e-12)


def test_a_lot_that_cash_cannot_pay_is_not_bought() -> None:
    result = two_funds().run(initial_value=999.0, lot=1.0)
    assert result.trades.set_index("ticker")["shares"].to_dict() == {"A": 16.0, "B": 7.0}
    assert net(result, "cash")[-1] == pytest.approx(29.0)


def test_a_bought_lot_pays_its_cost_too() -> None:
    # 30 of cash would pay the lot, but not the lot and 1 %; costs scale the targets to 16.5 and 7.07 first
    result = two_funds().run(initial_value=1000.0, lot=1.0, unknown_half_spread=0.01)
    assert result.trades.set_index("ticker")["shares"].to_dict() == {"A": 16.0, "B": 7.0}
    assert net(result, "cash")[-1] == pytest.approx(1000 - (480 + 490) * 1.01)


def test_orders_below_the_ticket_are_not_placed_and_an_exit_is() -> None:
    made = two_funds()
    made.weights += [(2, "A", 0.49), (2, "B", 0.51), (3, "A", 1.0)]
    result = made.run(initial_value=1000.0, minimum_ticket=20.0)
    later = result.trades[result.trades["session"] > made.sessions[1]]
    assert later["session"].unique().tolist() == [made.sessions[4]]
    assert later.set_index("ticker")["value"].to_dict() == pytest.approx({"A": 500.0, "B": -500.0})


def test_borrowed_cash_pays_the_bill_and_the_spread() -> None:
    made = two_funds()
    made.weights, made.bill = [(0, "A", 1.0), (0, "B", 0.5)], [5.0] * made.n
    result = made.run(initial_value=1000.0, borrow_limit=0.5, borrow_spread=0.0252, bill_series="TBILL13W")
    cash, interest = net(result, "cash"), net(result, "interest")
    assert cash[1] == pytest.approx(-0.5 * (cash[1] + net(result, "holdings_value")[1]))
    bill = interest[1] / 1000.0  # cash was positive until the fill
    assert interest[2] == pytest.approx(cash[1] * (bill + 1e-4), rel=1e-9)


def test_without_credit_targets_beyond_one_are_scaled_to_what_cash_pays() -> None:
    made = two_funds()
    made.weights = [(0, "A", 1.0), (0, "B", 0.5)]
    assert net(made.run(initial_value=1000.0), "cash")[-1] == pytest.approx(0.0, abs=1e-9)


def test_a_deposit_buys_in_proportion_and_earns_the_strategy_nothing() -> None:
    result = with_flows(two_funds(), [(3, 500.0)], initial_value=1000.0)
    assert net(result, "nav").tolist() == pytest.approx([1000, 1000, 1000, 1500, 1500, 1500])
    assert net(result, "daily_return") == pytest.approx(0.0, abs=1e-15)
    bought = result.trades[result.trades["kind"] == "flow"].set_index("ticker")["value"]
    assert bought.to_dict() == pytest.approx({"A": 250.0, "B": 250.0})


def test_money_that_waits_stays_in_cash_until_the_next_rebalance() -> None:
    made = two_funds()
    made.weights += [(3, "A", 0.5), (3, "B", 0.5)]
    result = with_flows(made, [(2, 500.0)], initial_value=1000.0, flows_at_once=False)
    assert net(result, "cash").tolist() == pytest.approx([1000, 0, 500, 500, 0, 0], abs=1e-9)


def test_a_time_weighted_return_is_growth_before_the_flow_times_growth_after_by_hand() -> None:
    made = World(n=5).flat("A", 10.0)
    made.bars["A"] = [(10.0, 10.0), (10.0, 10.0), (11.0, 13.2), (13.2, 13.2), (13.2, 13.2)]
    made.weights = [(0, "A", 1.0)]
    result = with_flows(made, [(2, 1100.0)], initial_value=1000.0)
    # up 10 % to the open, then the money doubles what is held, then up 20 % to the close
    assert net(result, "daily_return")[2] == pytest.approx(1.1 * 1.2 - 1)
    assert net(result, "nav")[2] == pytest.approx(2200.0 * 1.2)
    assert net(result, "flow").tolist() == [0.0, 0.0, 1100.0, 0.0, 0.0]


def test_the_money_s_own_return_stands_beside_the_strategy_s() -> None:
    made = World(n=5).flat("A", 10.0)
    made.bars["A"] = [(10.0, 10.0), (10.0, 10.0), (10.0, 10.0), (10.0, 10.0), (10.0, 11.0)]
    made.weights = [(0, "A", 1.0)]
    result = with_flows(made, [(3, 1000.0)], initial_value=1000.0)
    found = money_weighted(result)
    # the window begins with the first fill: 4 sessions for the first thousand, 2 for the second
    growth = (1 + found["net"]) ** (np.array([4, 2]) / 252)
    assert 1000 * growth.sum() == pytest.approx(2200.0)
    assert "money_weighted_return" not in set(two_funds().run().performance["measure"])


def test_a_withdrawal_sells_in_proportion_to_pay_it() -> None:
    result = with_flows(two_funds(), [(3, -400.0)], initial_value=1000.0, unknown_half_spread=0.001)
    assert net(result, "cash")[3] == pytest.approx(0.0, abs=1e-9)
    holdings = result.positions[result.positions["session"] == result.ledger["session"].unique()[3]].set_index("ticker")["value"]
    assert holdings["A"] == pytest.approx(holdings["B"])


def test_more_than_everything_cannot_be_withdrawn() -> None:
    with pytest.raises(DataError, match="nothing left after the withdrawal of 2024"):
        with_flows(two_funds(), [(3, -1500.0)], initial_value=1000.0)


def test_short_targets_are_refused_by_name() -> None:
    made = two_funds()
    made.weights = [(0, "A", 1.2), (0, "B", -0.2)]
    with pytest.raises(DataError, match=r"none short.*first B on 2024-01-02"):
        made.run()


def test_negative_settings_are_refused() -> None:
    with pytest.raises(SettingsError, match="not negative"):
        BacktestParameters(lot=-1.0)


def fold(seed: int, drawn: list[tuple[int, int, int, float, int, int]], **rules: float) -> Fold:
    market, stream, plan = world(seed, drawn, np.arange(ASSETS))
    rng = np.random.default_rng(seed + 1)
    flows = np.where(rng.random(N) < 0.15, rng.normal(0, 2e4, N), 0.0)
    return run_fold(market, stream, plan._replace(flows=flows), Rules(1e6, True, 6, 0, TERMS)._replace(**rules))


def column(result: Fold, name: str) -> np.ndarray:
    return result.days[:, COLUMNS.index(name)]


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10_000), events, st.sampled_from([0.0, 1.0, 100.0]), st.sampled_from([0.0, 5e3]), st.booleans())
def test_the_identity_holds_with_flows_lots_and_tickets(
    seed: int, drawn: list[tuple[int, int, int, float, int, int]], lot: float, ticket: float, at_once: bool
) -> None:
    result = fold(seed, drawn, lot=lot, minimum_ticket=ticket, flows_at_once=at_once)
    nav = column(result, "nav")
    assert np.abs(column(result, "rolled_nav") / nav - 1).max() < 1e-10


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1.0, 10.0]), st.sampled_from([0.0, 5e3]))
def test_cash_is_never_overspent_and_orders_are_whole_lots_worth_a_ticket(seed: int, lot: float, ticket: float) -> None:
    market, stream, plan = world(seed, [], np.arange(ASSETS))
    result = run_fold(market, stream, plan, Rules(1e6, True, 100, 0, TERMS, lot=lot, minimum_ticket=ticket))
    assert (column(result, "cash") > -1e-6).all()
    row, asset, kind = result.trade_keys.T
    wanted = plan.targets[np.searchsorted(plan.rows, row), asset] > 0.0
    placed = (kind == KINDS.index("rebalance")) & wanted
    shares = result.trades[placed, 0] / lot
    assert np.abs(shares - np.round(shares)).max(initial=0.0) < 1e-6
    values = result.trades[placed, :2].prod(axis=1)
    assert (values[values > 0] >= ticket - 1e-6).all()  # a smaller sale is placed only where cash needs it


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 0.95), st.booleans())
def test_splitting_an_order_in_two_changes_nothing_where_there_is_no_impact(seed: int, share: float, falls: bool) -> None:
    rng = np.random.default_rng(seed)
    prices = np.repeat(rng.uniform(5, 500, ASSETS)[None, :], 8, axis=0)
    prices[5:] *= 0.5 if falls else 2.0
    target, spread, none = rng.dirichlet(np.ones(ASSETS + 1))[:-1], np.full((2, ASSETS), 1e-3), np.zeros((2, ASSETS))
    market, rules = Market(prices, prices, np.zeros(8)), Rules(1e6, True, 100, 0, TERMS)
    twice = Plan(np.array([2, 3]), np.array([share * target, target]), spread, none)
    once = Plan(np.array([3]), target[None, :], spread[:1], none[:1])
    one, two = (run_fold(market, no_events(8), plan, rules) for plan in (once, twice))
    assert column(two, "nav")[3:] == pytest.approx(column(one, "nav")[3:], rel=1e-12)


def test_cash_that_is_a_target_is_not_spent_on_lots() -> None:
    # 40 % in cash is meant: 300 / 70 = 4.29 and 300 / 30 = 10 shares; rounding left 20, which buy no fund
    made = two_funds()
    made.weights = [(0, "A", 0.3), (0, "B", 0.3)]
    result = made.run(initial_value=1000.0, lot=1.0)
    assert result.trades.set_index("ticker")["shares"].to_dict() == {"A": 10.0, "B": 4.0}
    assert net(result, "cash")[-1] == pytest.approx(420.0)


def test_lots_do_not_borrow_what_no_target_asks_for() -> None:
    # rounding leaves 29, less than a share of either; there is credit for both
    result = two_funds().run(initial_value=999.0, lot=1.0, borrow_limit=0.5)
    assert result.trades.set_index("ticker")["shares"].to_dict() == {"A": 16.0, "B": 7.0}
    assert net(result, "cash")[-1] == pytest.approx(29.0)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1.0, 10.0]), st.floats(0.0, 0.5))
def test_lots_never_take_more_than_the_targets_do(seed: int, lot: float, credit: float) -> None:
    rng = np.random.default_rng(seed)
    prices = np.repeat(rng.uniform(5, 500, ASSETS)[None, :], 3, axis=0)
    target, none = 0.8 * rng.dirichlet(np.ones(ASSETS)), np.zeros((1, ASSETS))
    plan, market = Plan(np.array([1]), target[None, :], none, none), Market(prices, prices, np.zeros(3))
    result = run_fold(market, no_events(3), plan, Rules(1e5, True, 100, 0, NO_COSTS, lot=lot, borrow_limit=credit))
    held = column(result, "holdings_value")[-1]
    assert 0.8e5 - prices[0].sum() * lot <= held <= 0.8e5 * (1 + 1e-8)


def test_money_for_a_strategy_that_is_none_is_refused_by_name() -> None:
    made = two_funds()
    flows = pd.DataFrame({"strategy": ["growht"], "date": [made.sessions[3]], "amount": [500.0]})
    with pytest.raises(DataError, match=r"flows name \['growht'\].*there are \['s'\]"):
        check_flows(flows, ["s"])
    with pytest.raises(DataError, match="growht"):
        with_flows(made, flows)


@pytest.mark.parametrize("amount", [np.nan, np.inf])
def test_an_amount_that_is_no_number_is_refused(amount: float) -> None:
    with pytest.raises(DataError, match="finite amount; 1 have none, first of s"):
        with_flows(two_funds(), [(3, amount)])


def test_money_that_comes_with_the_first_fill_pays_its_cost_in_the_money_s_return() -> None:
    # 1500 at the first fill cost 1 % to invest, and nothing moves after that: 5 sessions for all of it
    result = with_flows(two_funds(), [(1, 500.0)], initial_value=1000.0, unknown_half_spread=0.01)
    found = money_weighted(result)
    assert (1 + found["gross"]) ** (5 / 252) == pytest.approx(1.0)
    assert (1 + found["net"]) ** (5 / 252) == pytest.approx(1 / 1.01)


def test_money_that_comes_at_a_close_has_nothing_of_its_session() -> None:
    made = World(n=5).flat("A", 10.0)
    made.bars["A"] = [(10.0, 10.0), (10.0, 10.0), (10.0, 10.0), (10.0, 10.0), (10.0, 11.0)]
    made.weights = [(0, "A", 1.0)]
    found = money_weighted(with_flows(made, [(3, 1000.0)], initial_value=1000.0, fill="close"))
    # 4 sessions for the first thousand, 1 for the second
    assert 1000 * ((1 + found["net"]) ** (np.array([4, 1]) / 252)).sum() == pytest.approx(2200.0)


def test_what_is_owed_after_a_withdrawal_is_not_hidden_by_a_rise_until_the_close() -> None:
    # A cannot be sold at its missing open: 1200 of 1000 leave -200 of cash, and the close lifts A to three times its price
    made = World(n=6).flat("A", 10.0)
    made.bars["A"][3] = (np.nan, 30.0)
    made.weights = [(0, "A", 1.0)]
    with pytest.raises(DataError, match="nothing left after the withdrawal of 2024-01-05"):
        with_flows(made, [(3, -1200.0)], initial_value=1000.0)


def test_a_dividend_and_a_split_on_the_day_of_a_flow_by_hand() -> None:
    # 100 shares at 10 become 200 at 5 and are owed 1 each; 1200 come to 1200, so that 5 / 6 of it buys 200 more at 5
    made = World(n=6).flat("A", 10.0)
    made.bars["A"][3:] = [(5.0, 5.0)] * 3
    made.splits["A", 3], made.dividends["A", 3] = 2.0, 1.0
    made.weights = [(0, "A", 1.0)]
    result = with_flows(made, [(3, 1200.0)], initial_value=1000.0, payment_lag=1)
    assert net(result, "daily_return")[3] == pytest.approx(0.2)
    assert net(result, "receivables")[3] == pytest.approx(200.0)
    bought = result.trades[result.trades["kind"] == "flow"]
    assert bought["shares"].tolist() == pytest.approx([200.0])
    assert net(result, "cash")[3:].tolist() == pytest.approx([200.0, 400.0, 400.0])
    assert net(result, "nav")[3:].tolist() == pytest.approx([2400.0] * 3)


def money_weighted(result: BacktestResult) -> pd.Series:
    rows = result.performance[result.performance["measure"] == "money_weighted_return"]
    return rows.set_index("cost_basis")["value"]


def test_a_holding_that_cannot_be_sold_is_no_reason_to_borrow() -> None:
    # half of A cannot be sold on the day on which everything is to go to B: B gets what cash pays, whatever credit there is
    made = two_funds()
    made.bars["A"][3] = None
    made.weights += [(2, "B", 1.0)]
    result = made.run(initial_value=1000.0, borrow_limit=0.5)
    assert net(result, "cash")[3] == pytest.approx(0.0, abs=1e-9)
    assert net(result, "holdings_value")[3] == pytest.approx(1000.0)


def test_borrowed_money_is_kept_in_proportion_through_a_flow() -> None:
    made = two_funds()
    made.weights = [(0, "A", 0.7), (0, "B", 0.5)]
    result = with_flows(made, [(3, 500.0)], initial_value=1000.0, borrow_limit=0.5, borrow_spread=0.0)
    assert net(result, "cash")[1:].tolist() == pytest.approx([-200.0, -200.0, -300.0, -300.0, -300.0])


@pytest.mark.parametrize(("amount", "cash"), [(-100.0, 100.0), (-400.0, 120.0)])
def test_a_withdrawal_beyond_cash_does_not_wait(amount: float, cash: float) -> None:
    # 200 of cash pay 100; 400 are sold for in proportion at once, which leaves a fifth of 600 in cash
    made = two_funds()
    made.weights = [(0, "A", 0.4), (0, "B", 0.4)]
    result = with_flows(made, [(3, amount)], initial_value=1000.0, flows_at_once=False)
    assert net(result, "cash")[3:].tolist() == pytest.approx([cash] * 3)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 1.0, 100.0]), st.booleans(), st.booleans())
def test_targets_that_add_up_to_one_never_borrow(seed: int, lot: float, at_once: bool, at_open: bool) -> None:
    market, stream, plan = world(seed, [], np.arange(ASSETS))
    rng = np.random.default_rng(seed + 1)
    flows = np.where(rng.random(N) < 0.2, np.abs(rng.normal(0, 4e4, N)), 0.0)
    rules = Rules(1e6, at_open, 100, 0, TERMS, lot=lot, borrow_limit=0.3, flows_at_once=at_once)
    result = run_fold(market, stream, plan._replace(flows=flows), rules)
    assert (column(result, "cash") > -1e-6).all()
