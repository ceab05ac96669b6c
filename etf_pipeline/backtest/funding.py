"""From target weights to shares: who pays the costs of a rebalance.

``scaled``      every target is a fraction of the net asset value *after* costs, scaled down only as far as cash demands
                (the default: self-financing, and the weights come out as decided).
``sequential``  targets are fractions of the value before costs; sales go first, each trade pays its cost from cash, and a buy
                that cash cannot pay is cut (vectorbt's ``targetpercent`` with cash sharing and ``call_seq='auto'``).
``per_trade``   each trade's own amount pays its cost: a buy gets less, a sale sells more (bt's ``Rebalance``).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from etf_pipeline.backtest.arrays import CASH, PER_TRADE, SEQUENTIAL, Ints, Plan, Rules, State
from etf_pipeline.costs.kernels import trade_cost
from etf_pipeline.costs.model import CostTerms
from etf_pipeline.panel import Floats

ROUNDS = 60
"""Fixed-point rounds; a cost of c per unit traded gains -log10(c) digits in each."""

EXACT = 1e-15
"""Change of the costs, relative to net asset value, at which the rounds end."""


@njit(cache=True, inline="always")
def tradable_assets(weights: Floats, prices: Floats, state: State) -> Ints:
    """Assets that are wanted or held and have a price now; marks those that are new."""
    out = np.empty(len(weights), dtype=np.int64)
    n = 0
    for i in range(len(weights)):
        price = prices[i]
        if price == price and (weights[i] > 0.0 or state.shares[i] != 0.0):
            state.mark[i] = price
            out[n] = i
            n += 1
    return out[:n]


@njit(cache=True, inline="always")
def cost_of(value: float, half_spread: float, slope: float, terms: CostTerms) -> float:
    """Whole cost of trading a value."""
    spread, impact, commission = trade_cost(value, half_spread, slope, terms)
    return spread + impact + commission


@njit(cache=True)
def wanted_trades(
    assets: Ints, weights: Floats, nav: float, free: float, state: State, k: int, plan: Plan, rules: Rules
) -> Floats:
    """Shares to trade per asset under the funding convention of `rules`.

    `nav` is what the weights are fractions of, `free` that part of it which is cash or can be sold now.
    """
    if rules.funding == SEQUENTIAL:
        return _sequential(assets, weights, nav, state, k, plan, rules)
    if rules.funding == PER_TRADE:
        return _per_trade(assets, weights, nav, state, k, plan, rules)
    return _scaled(assets, weights, nav, free, state, k, plan, rules)


@njit(cache=True)
def _scaled(assets: Ints, weights: Floats, nav: float, free: float, state: State, k: int, plan: Plan, rules: Rules) -> Floats:
    trades = np.zeros(len(weights))
    invested = 0.0
    for i in assets:
        invested += weights[i]
    cost = 0.0
    for _ in range(ROUNDS):
        base = nav - cost
        if invested > 0.0:
            base = min(base, (free - cost) / invested)
        base = max(base, 0.0)
        previous, cost = cost, 0.0
        for i in assets:
            trades[i] = weights[i] * base / state.mark[i] - state.shares[i]
            cost += cost_of(trades[i] * state.mark[i], plan.half_spread[k, i], plan.slope[k, i], rules.terms)
        if abs(cost - previous) <= EXACT * nav:
            break
    return trades


@njit(cache=True)
def _sequential(assets: Ints, weights: Floats, nav: float, state: State, k: int, plan: Plan, rules: Rules) -> Floats:
    trades = np.zeros(len(weights))
    cash = state.money[CASH]
    wanted = np.empty(len(assets))
    for q, i in enumerate(assets):
        wanted[q] = weights[i] * nav - state.shares[i] * state.mark[i]
    for q in _ascending(wanted):
        i = assets[q]
        trades[i] = weights[i] * nav / state.mark[i] - state.shares[i]
        value = trades[i] * state.mark[i]
        spent = value + cost_of(value, plan.half_spread[k, i], plan.slope[k, i], rules.terms)
        if value > 0.0 and spent > cash:
            value = _affordable(cash, plan.half_spread[k, i], plan.slope[k, i], rules.terms)
            trades[i] = value / state.mark[i]
            spent = cash
        cash -= spent
    return trades


@njit(cache=True)
def _ascending(values: Floats) -> Ints:
    """Positions in ascending order of value, equal ones as they come (numba takes seconds to compile NumPy's stable sort)."""
    order = np.arange(len(values))
    for q in range(1, len(values)):
        r = q
        while r > 0 and values[order[r - 1]] > values[q]:
            order[r] = order[r - 1]
            r -= 1
        order[r] = q
    return order


@njit(cache=True)
def _per_trade(assets: Ints, weights: Floats, nav: float, state: State, k: int, plan: Plan, rules: Rules) -> Floats:
    trades = np.zeros(len(weights))
    for i in assets:
        amount = weights[i] * nav - state.shares[i] * state.mark[i]
        if weights[i] == 0.0:
            trades[i] = -state.shares[i]
        else:
            trades[i] = _affordable(amount, plan.half_spread[k, i], plan.slope[k, i], rules.terms) / state.mark[i]
    return trades


@njit(cache=True)
def _affordable(amount: float, half_spread: float, slope: float, terms: CostTerms) -> float:
    """Value whose trade, cost included, moves exactly `amount` of cash."""
    value = amount
    for _ in range(ROUNDS):
        following = amount - cost_of(value, half_spread, slope, terms)
        if following == value:
            break
        value = following
    return value
