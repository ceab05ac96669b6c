"""The ledger as one fold over sessions: arrays in, arrays out.

Within a session, in this order:

1. cash earns the bill, or pays it and a spread where it is below zero; what tickers became at the last close applies (mergers,
   renames, liquidations), then this open's splits and dividends; what is due is paid,
2. if a plan is due or money comes or goes, and fills are at the open: marks move to the open, the money is booked, trades,
3. marks move to the close, sessions without a bar are counted; if fills are at the close: the money is booked, trades,
4. a holding without a bar for `absence` sessions, of which nobody told how it ends, is sold at its last price less the haircut,
5. net asset value is written twice: as cash + receivables + shares times marks, and rolled forward by profit, dividends,
   interest, costs and flows. The two know nothing of each other.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from etf_pipeline.backtest.arrays import (
    BEFORE_FLOW,
    CASH,
    CONVERT_MERGER,
    CONVERT_RENAME,
    COSTS,
    DELISTING,
    DIVIDEND,
    DIVIDENDS,
    FLOW,
    FLOW_TRADE,
    FREE,
    INTEREST,
    LIQUIDATE,
    LIQUIDATION,
    MERGER,
    N_DUE,
    N_HELD,
    N_POSITIONS,
    N_TRADES,
    PROFIT,
    REBALANCE,
    RENAME,
    SPLIT,
    SUSPEND,
    SUSPENDED,
    TRADED,
    Events,
    Fold,
    Ints,
    Market,
    Plan,
    Rules,
    State,
    new_fold,
)
from etf_pipeline.backtest.book import (
    close_books,
    collect,
    hold,
    holdings_value,
    move_marks,
    new_state,
    owe,
    receivables,
    release,
    write_day,
)
from etf_pipeline.backtest.funding import tradable_assets, wanted_trades
from etf_pipeline.backtest.orders import as_orders
from etf_pipeline.costs.kernels import trade_cost
from etf_pipeline.panel import Floats

Costs = tuple[float, float, float]

DUST = 1e-15
"""Trades below this fraction of net asset value are rounding, not orders."""


def run_fold(market: Market, events: Events, plan: Plan, rules: Rules) -> Fold:
    """Fold a plan over a market, from cash only.

    Parameters
    ----------
    market, events, plan, rules : Market, Events, Plan, Rules
        See `arrays`.

    Returns
    -------
    Fold
        `days` of shape (n_sessions, len(COLUMNS)), and as many trades and positions as there were.

    Notes
    -----
    Cost is O(sessions x held + fills x assets): only held assets are touched between fills.
    """
    n_sessions, n_assets = market.close.shape
    out = new_fold(n_sessions, n_assets, len(plan.rows) + int(np.count_nonzero(plan.flows)), len(events.kind))
    n_trades, n_positions = _fold(market, events, plan, rules, out)
    return Fold(
        out.days,
        out.trade_keys[:n_trades].copy(),
        out.trades[:n_trades].copy(),
        out.position_keys[:n_positions].copy(),
        out.positions[:n_positions].copy(),
    )


@njit(cache=True)
def _fold(market: Market, events: Events, plan: Plan, rules: Rules, out: Fold) -> tuple[int, int]:
    """Write every session; how many trades and positions there were."""
    n_sessions, n_assets = market.close.shape
    state = new_state(n_assets, len(events.kind), rules.initial_value)
    rolled, k = rules.initial_value, 0
    for t in range(n_sessions):
        before = state.counts[N_TRADES]
        state.money[PROFIT:] = 0.0
        rate = market.rates[t] if state.money[CASH] >= 0.0 else market.rates[t] + rules.borrow_spread
        state.money[INTEREST] = state.money[CASH] * rate
        state.money[CASH] += state.money[INTEREST]
        if events.first[t + 1] > events.first[t] or state.counts[N_DUE] > 0:
            _open_books(t, events, market, state, out)
        due = k < len(plan.rows) and plan.rows[k] == t
        flow = plan.flows[t] if len(plan.flows) > 0 else 0.0
        trades = due or flow != 0.0
        if trades and rules.at_open:
            _trade(k, t, due, flow, market.fill[t], events, plan, rules, state, out)
        longest_absence = close_books(state, market.close, t)
        if trades and not rules.at_open:
            _trade(k, t, due, flow, market.fill[t], events, plan, rules, state, out)
        if longest_absence >= rules.absence:
            _sell_absent(t, rules, state, out)
        k += int(due)
        rolled += state.money[PROFIT] + state.money[DIVIDENDS] + state.money[INTEREST] - state.money[COSTS] + flow
        write_day(state, out.days, t, rolled)
        if state.counts[N_TRADES] > before:
            _write_positions(t, state, out)
    return state.counts[N_TRADES], state.counts[N_POSITIONS]


@njit(cache=True)
def _open_books(t: int, events: Events, market: Market, state: State, out: Fold) -> None:
    """Corporate events and payments."""
    for e in range(events.first[t], events.first[t + 1]):
        _apply(e, t, events, market, state, out)
    collect(state, t)


@njit(cache=True)
def _apply(e: int, t: int, events: Events, market: Market, state: State, out: Fold) -> None:
    """One corporate event on what is held."""
    i, value, kind = events.asset[e], events.value[e], events.kind[e]
    shares = state.shares[i]
    if shares == 0.0:
        return
    if kind == SPLIT:
        state.shares[i] *= value
        state.mark[i] /= value
    elif kind == DIVIDEND:
        state.money[DIVIDENDS] += shares * value
        owe(state, shares * value, events.pay[e])
    elif kind == LIQUIDATE:
        _record(t, i, LIQUIDATION, -shares, value, FREE, state.counts, out.trade_keys, out.trades)
        state.money[PROFIT] += shares * (value - state.mark[i])
        owe(state, shares * value, events.pay[e])
        state.shares[i] = 0.0
        release(state)
    elif kind == SUSPEND:
        state.absent[i] = SUSPENDED
    else:
        _convert(i, events.other[e], value, MERGER if kind == CONVERT_MERGER else RENAME, t, market, state, out)


@njit(cache=True)
def _convert(i: int, j: int, ratio: float, kind: int, t: int, market: Market, state: State, out: Fold) -> None:
    """Turn a holding into its successor at the successor's last close, or at equal value where it has none yet."""
    shares, before = state.shares[i], state.mark[i]
    if state.shares[j] == 0.0:
        known = market.close[t - 1, j] if t > 0 else np.nan
        if known != known:
            known = before / ratio if ratio > 0.0 else 0.0
        state.mark[j] = known
    received = shares * ratio
    state.money[PROFIT] += received * state.mark[j] - shares * before
    _record(t, i, kind, -shares, before, FREE, state.counts, out.trade_keys, out.trades)
    _record(t, j, kind, received, state.mark[j], FREE, state.counts, out.trade_keys, out.trades)
    state.shares[i] = 0.0
    state.shares[j] += received
    hold(j, state.held, state.absent, state.counts)
    release(state)


@njit(cache=True)
def _trade(
    k: int, t: int, due: bool, flow: float, prices: Floats, events: Events, plan: Plan, rules: Rules, state: State, out: Fold
) -> None:
    """Book money that comes or goes; trade to the targets of fill `k` if it is due, else spread the money over what is held.

    A withdrawal that neither cash nor credit pays is sold for at once, even where money waits.
    """
    move_marks(state, prices)
    if flow != 0.0:
        state.money[BEFORE_FLOW] = state.money[CASH] + receivables(state) + holdings_value(state)
        state.money[FLOW] = flow
        state.money[CASH] += flow
    if due:
        _rebalance(k, t, REBALANCE, _targets(k, t, events, plan), prices, plan, rules, state, out)
    elif k > 0 and (rules.flows_at_once or state.money[CASH] < -rules.borrow_limit * (state.money[BEFORE_FLOW] + flow)):
        _rebalance(k - 1, t, FLOW_TRADE, _present(state), prices, plan, rules, state, out)


@njit(cache=True, inline="always")
def _rebalance(
    k: int, t: int, kind: int, weights: Floats, prices: Floats, plan: Plan, rules: Rules, state: State, out: Fold
) -> None:
    """Trade to weights at the given prices and the costs of fill `k`; assets without a price keep their shares."""
    assets = tradable_assets(weights, prices, state)
    owed = receivables(state)
    nav = state.money[CASH] + owed + holdings_value(state)
    credit = min(rules.borrow_limit, max(weights.sum() - 1.0, 0.0)) * nav  # targets may ask for it; locked holdings do not
    free = state.money[CASH] + credit
    for i in assets:
        free += state.shares[i] * state.mark[i]
    trades = wanted_trades(assets, weights, nav, free, state, k, plan, rules)
    if rules.lot > 0.0 or rules.minimum_ticket > 0.0:
        trades = as_orders(assets, weights, trades, credit, state, k, plan, rules)
    for i in assets:
        value = trades[i] * state.mark[i]
        if trades[i] == 0.0 or (abs(value) <= DUST * nav and weights[i] > 0.0):
            continue
        spread, impact, commission = trade_cost(value, plan.half_spread[k, i], plan.slope[k, i], rules.terms)
        _record(t, i, kind, trades[i], state.mark[i], (spread, impact, commission), state.counts, out.trade_keys, out.trades)
        state.shares[i] = state.shares[i] + trades[i] if weights[i] > 0.0 else 0.0
        state.money[CASH] -= value + (spread + impact + commission)
        state.money[COSTS] += spread + impact + commission
        state.money[TRADED] += abs(value)
        hold(i, state.held, state.absent, state.counts)
    release(state)


@njit(cache=True)
def _present(state: State) -> Floats:
    """Weights of what is held, in the net asset value before the money came or went."""
    weights = np.zeros(len(state.shares))
    for q in range(state.counts[N_HELD]):
        i = state.held[q]
        weights[i] = state.shares[i] * state.mark[i] / state.money[BEFORE_FLOW]
    return weights


@njit(cache=True, inline="always")
def _targets(k: int, t: int, events: Events, plan: Plan) -> Floats:
    """Targets of fill `k`; what was decided for a ticker that became another overnight goes to the successor."""
    weights: Floats = plan.targets[k].copy()
    for e in range(events.first[t], events.first[t + 1]):
        if events.kind[e] == CONVERT_MERGER or events.kind[e] == CONVERT_RENAME:
            weights[events.other[e]] += weights[events.asset[e]]
            weights[events.asset[e]] = 0.0
    return weights


@njit(cache=True)
def _sell_absent(t: int, rules: Rules, state: State, out: Fold) -> None:
    """Sell at the last price, less the haircut, what has had no bar for too long: it was delisted and nobody told us how."""
    for q in range(state.counts[N_HELD]):
        i = state.held[q]
        if state.absent[i] >= rules.absence:
            price = state.mark[i] * (1.0 - rules.haircut)
            value = state.shares[i] * price
            _record(t, i, DELISTING, -state.shares[i], price, FREE, state.counts, out.trade_keys, out.trades)
            state.money[PROFIT] += value - state.shares[i] * state.mark[i]
            state.money[CASH] += value
            state.money[TRADED] += abs(value)
            state.shares[i] = 0.0
    release(state)


@njit(cache=True, inline="always")
def _record(
    t: int, i: int, kind: int, shares: float, price: float, cost: Costs, counts: Ints, keys: Ints, values: Floats
) -> None:
    """Append one trade (arrays one by one: handing a tuple of thirteen on costs more than the trade)."""
    n = counts[N_TRADES]
    keys[n, 0], keys[n, 1], keys[n, 2] = t, i, kind
    values[n, 0], values[n, 1], values[n, 2], values[n, 3], values[n, 4] = shares, price, cost[0], cost[1], cost[2]
    counts[N_TRADES] = n + 1


@njit(cache=True, inline="always")
def _write_positions(t: int, state: State, out: Fold) -> None:
    """Append what is held at this close."""
    n, held = state.counts[N_POSITIONS], state.counts[N_HELD]
    keys, values = out.position_keys, out.positions
    for q in range(held):
        i = state.held[q]
        keys[n + q, 0], keys[n + q, 1] = t, i
        values[n + q, 0], values[n + q, 1] = state.shares[i], state.mark[i]
    state.counts[N_POSITIONS] = n + held
