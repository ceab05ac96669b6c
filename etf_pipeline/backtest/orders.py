"""From wanted trades to orders that can be placed: whole lots, and none too small to be worth a ticket."""

from __future__ import annotations

import numpy as np
from numba import njit

from etf_pipeline.backtest.arrays import CASH, Ints, Plan, Rules, State
from etf_pipeline.backtest.funding import cost_of
from etf_pipeline.panel import Floats

WHOLE = 1e-9
"""Rounding: part of a lot by which a target may miss a whole number and still be it, of an order by which cash may miss it."""

CUTS = 20
"""Times that buys are cut to what cash pays; the second already finds it, but for the curvature of impact."""


@njit(cache=True)
def as_orders(
    assets: Ints, weights: Floats, trades: Floats, credit: float, state: State, k: int, plan: Plan, rules: Rules
) -> Floats:
    """Trades in whole lots and of at least the minimum ticket, that cash and credit pay.

    Parameters
    ----------
    assets : ndarray of int64
        Assets that may trade now.
    weights : ndarray of shape (n_assets,)
        Targets: what is not wanted is sold whole, whatever the lot and the ticket.
    trades : ndarray of shape (n_assets,)
        Wanted trades. [shares]
    credit : float
        What may be borrowed. [base currency]

    Returns
    -------
    ndarray of shape (n_assets,)
        [shares]

    Notes
    -----
    1. Targets are rounded down to whole lots; a buy below the ticket is dropped.
    2. A sale below the ticket is dropped as long as cash pays the buys without it, in the order of the assets.
    3. Buys that cash cannot pay are cut in proportion.
    4. What rounding took from the targets buys one lot more of each in the order of what it took, as far as it and cash go.
       Cash that is a target itself, and credit that no target asks for, are not spent on lots.
    """
    lost = _rounded_down(assets, weights, trades, state, rules)
    for i in assets:
        if trades[i] > 0.0 and trades[i] * state.mark[i] < rules.minimum_ticket:
            trades[i], lost[i] = 0.0, 0.0
    cash = state.money[CASH] + credit - _spent(assets, trades, state, k, plan, rules)
    for i in assets:
        value = -trades[i] * state.mark[i]
        if weights[i] > 0.0 and 0.0 < value < rules.minimum_ticket:
            proceeds = value - _cost(i, -value, k, plan, rules)
            if cash - proceeds >= -WHOLE * value:
                cash -= proceeds
                trades[i], lost[i] = 0.0, 0.0
    for _ in range(CUTS):
        if cash >= 0.0 or not _cut(assets, trades, cash, state, rules):
            break
        cash = state.money[CASH] + credit - _spent(assets, trades, state, k, plan, rules)
    if rules.lot > 0.0:
        _top_up(assets, trades, lost, cash, state, k, plan, rules)
    return trades


@njit(cache=True)
def _rounded_down(assets: Ints, weights: Floats, trades: Floats, state: State, rules: Rules) -> Floats:
    """Round targets down to whole lots; what each lost. [lots]"""
    lost = np.zeros(len(weights))
    if rules.lot > 0.0:
        for i in assets:
            if weights[i] > 0.0:
                wanted = (state.shares[i] + trades[i]) / rules.lot
                whole = np.floor(wanted + WHOLE)
                lost[i] = max(wanted - whole, 0.0)
                trades[i] = whole * rules.lot - state.shares[i]
    return lost


@njit(cache=True)
def _cut(assets: Ints, trades: Floats, cash: float, state: State, rules: Rules) -> bool:
    """Cut buys in proportion to what cash lacks; whether there was one to cut."""
    bought = 0.0
    for i in assets:
        bought += max(trades[i], 0.0) * state.mark[i]
    if bought <= 0.0:
        return False
    share = max(1.0 + cash / bought, 0.0)
    for i in assets:
        if trades[i] > 0.0:
            trades[i] *= share
            if rules.lot > 0.0:
                target = np.floor((state.shares[i] + trades[i]) / rules.lot) * rules.lot
                trades[i] = max(target - state.shares[i], 0.0)
            if trades[i] * state.mark[i] < rules.minimum_ticket:
                trades[i] = 0.0
    return True


@njit(cache=True)
def _top_up(assets: Ints, trades: Floats, lost: Floats, cash: float, state: State, k: int, plan: Plan, rules: Rules) -> None:
    """Buy one lot more where rounding took most, as long as that and cash pay it and the order is worth a ticket."""
    left = 0.0
    for i in assets:
        left += lost[i] * rules.lot * state.mark[i]
    for _ in range(len(assets)):
        best = -1
        for i in assets:
            if lost[i] > 0.0 and (best < 0 or lost[i] > lost[best]):
                best = i
        if best < 0:
            return
        lost[best] = 0.0
        before, after = trades[best] * state.mark[best], (trades[best] + rules.lot) * state.mark[best]
        more = after + _cost(best, after, k, plan, rules) - before - _cost(best, before, k, plan, rules)
        value = after - before
        if value <= left + WHOLE * value and more <= cash and abs(after) >= rules.minimum_ticket:
            trades[best] += rules.lot
            cash -= more
            left -= value


@njit(cache=True)
def _spent(assets: Ints, trades: Floats, state: State, k: int, plan: Plan, rules: Rules) -> float:
    """Cash that the trades take, costs included."""
    total = 0.0
    for i in assets:
        value = trades[i] * state.mark[i]
        total += value + _cost(i, value, k, plan, rules)
    return total


@njit(cache=True)
def _cost(i: int, value: float, k: int, plan: Plan, rules: Rules) -> float:
    return cost_of(value, plan.half_spread[k, i], plan.slope[k, i], rules.terms)
