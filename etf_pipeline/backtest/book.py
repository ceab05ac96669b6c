"""The book of a portfolio: shares, marks, cash and cash that is due, and the few ways in which they change."""

from __future__ import annotations

import numpy as np
from numba import njit

from etf_pipeline.backtest.arrays import (
    BEFORE_FLOW,
    CASH,
    COSTS,
    DIVIDENDS,
    FLOW,
    INTEREST,
    N_DUE,
    N_HELD,
    PROFIT,
    TRADED,
    Ints,
    State,
)  # fmt: skip
from etf_pipeline.panel import Floats


@njit(cache=True)
def new_state(n_assets: int, n_due: int, cash: float) -> State:
    """An empty book with cash."""
    money = np.zeros(8)
    money[CASH] = cash
    return State(
        np.zeros(n_assets),
        np.full(n_assets, np.nan),
        np.zeros(n_assets, dtype=np.int64),
        np.zeros(n_assets, dtype=np.int64),
        np.zeros(4, dtype=np.int64),
        money,
        np.zeros(n_due),
        np.zeros(n_due, dtype=np.int64),
    )


@njit(cache=True, inline="always")
def holdings_value(state: State) -> float:
    """Shares times mark."""
    total = 0.0
    for q in range(state.counts[N_HELD]):
        i = state.held[q]
        total += state.shares[i] * state.mark[i]
    return total


@njit(cache=True, inline="always")
def receivables(state: State) -> float:
    """Cash that is due but not yet paid, summed afresh so that it never turns negative by rounding."""
    total = 0.0
    for q in range(state.counts[N_DUE]):
        total += state.due_value[q]
    return total


@njit(cache=True, inline="always")
def hold(asset: int, held: Ints, absent: Ints, counts: Ints) -> None:
    """Enter an asset in the list of held ones, which is kept in ascending order so that sums have one order."""
    n = counts[N_HELD]
    q = n
    while q > 0 and held[q - 1] >= asset:
        q -= 1
    if q < n and held[q] == asset:
        return
    for r in range(n, q, -1):
        held[r] = held[r - 1]
    held[q] = asset
    counts[N_HELD] = n + 1
    absent[asset] = 0


@njit(cache=True, inline="always")
def release(state: State) -> None:
    """Drop assets without shares from the list."""
    kept = 0
    for q in range(state.counts[N_HELD]):
        i = state.held[q]
        if state.shares[i] != 0.0:
            state.held[kept] = i
            kept += 1
    state.counts[N_HELD] = kept


@njit(cache=True)
def owe(state: State, value: float, row: int) -> None:
    """Note cash that arrives in a later session."""
    n = state.counts[N_DUE]
    state.due_value[n] = value
    state.due_row[n] = row
    state.counts[N_DUE] = n + 1


@njit(cache=True)
def collect(state: State, row: int) -> None:
    """Turn what is due by this session into cash."""
    kept = 0
    for q in range(state.counts[N_DUE]):
        if state.due_row[q] <= row:
            state.money[CASH] += state.due_value[q]
        else:
            state.due_value[kept] = state.due_value[q]
            state.due_row[kept] = state.due_row[q]
            kept += 1
    state.counts[N_DUE] = kept


@njit(cache=True, inline="always")
def move_marks(state: State, prices: Floats) -> None:
    """Value held assets at new prices and book the profit; without a price the last mark stands."""
    for q in range(state.counts[N_HELD]):
        i = state.held[q]
        price = prices[i]
        if price == price:
            state.money[PROFIT] += state.shares[i] * (price - state.mark[i])
            state.mark[i] = price


@njit(cache=True, inline="always")
def close_books(state: State, close: Floats, t: int) -> int:
    """Move the marks to the close of session `t`; the largest number of sessions that a held asset has had no bar."""
    longest, profit = 0, 0.0
    for q in range(state.counts[N_HELD]):
        i = state.held[q]
        price = close[t, i]
        if price == price:
            profit += state.shares[i] * (price - state.mark[i])
            state.mark[i] = price
            state.absent[i] = 0
        else:
            state.absent[i] += 1
            longest = max(longest, state.absent[i])
    state.money[PROFIT] += profit
    return longest


@njit(cache=True, inline="always")
def write_day(state: State, days: Floats, t: int, rolled: float) -> None:
    """The day's row, in the order of `COLUMNS`."""
    owed, held = receivables(state), holdings_value(state)
    days[t, 0] = state.money[CASH] + owed + held
    days[t, 1] = state.money[CASH]
    days[t, 2] = owed
    days[t, 3] = held
    days[t, 4] = rolled
    days[t, 5] = state.money[DIVIDENDS]
    days[t, 6] = state.money[INTEREST]
    days[t, 7] = state.money[COSTS]
    days[t, 8] = state.money[TRADED]
    days[t, 9] = state.money[FLOW]
    days[t, 10] = state.money[BEFORE_FLOW]
