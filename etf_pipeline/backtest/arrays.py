"""What the fold reads, carries from session to session and writes: plain arrays in named tuples, which numba sees through."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from etf_pipeline.costs.model import CostTerms
from etf_pipeline.panel import Floats

Ints = npt.NDArray[np.int64]

# events, in the order in which they apply before an open: what a ticker became at the last close comes first
CONVERT_MERGER, CONVERT_RENAME, LIQUIDATE, SPLIT, DIVIDEND, SUSPEND = 0, 1, 2, 3, 4, 5

KINDS = ("rebalance", "delisting", "liquidation", "merger", "rename")
REBALANCE, DELISTING, LIQUIDATION, MERGER, RENAME = 0, 1, 2, 3, 4

FUNDING = ("scaled", "sequential", "per_trade")
SCALED, SEQUENTIAL, PER_TRADE = 0, 1, 2

COLUMNS = ("nav", "cash", "receivables", "holdings_value", "rolled_nav", "dividends", "interest", "costs", "traded_value")
"""Columns of the fold's daily rows."""

CASH, PROFIT, DIVIDENDS, INTEREST, COSTS, TRADED = 0, 1, 2, 3, 4, 5
N_HELD, N_DUE, N_TRADES, N_POSITIONS = 0, 1, 2, 3


class Market(NamedTuple):
    """Prices on the axes ``(n_sessions, n_assets)``; NaN where there is no bar. `rates` is what cash earns per session."""

    fill: Floats
    close: Floats
    rates: Floats


class Events(NamedTuple):
    """Corporate events, grouped by the session at whose open they apply: ``first[t]:first[t + 1]``.

    `value` is a ratio or an amount per share, `other` the successor's column, `pay` the session in which cash arrives.
    """

    first: Ints
    kind: Ints
    asset: Ints
    value: Floats
    other: Ints
    pay: Ints


class Plan(NamedTuple):
    """What to hold from session `rows[k]` on, and what trading costs then; every array is ``(n_fills, n_assets)``.

    `half_spread` and `slope` are those of `costs.kernels.trade_cost`.
    """

    rows: Ints
    targets: Floats
    half_spread: Floats
    slope: Floats


class Rules(NamedTuple):
    """How the ledger is kept; `terms` are those of the cost function, `haircut` what an unexplained ending takes of the price."""

    initial_value: float
    at_open: bool
    absence: int
    funding: int
    terms: CostTerms
    haircut: float = 0.0


class State(NamedTuple):
    """The book: per asset, the list of held assets, money, cash that is due, and what was recorded."""

    shares: Floats
    mark: Floats
    absent: Ints
    held: Ints
    counts: Ints
    money: Floats
    due_value: Floats
    due_row: Ints


class Fold(NamedTuple):
    """What the fold writes: `days` has `COLUMNS`; trades and positions are one row each.

    `trade_keys` are (session, asset, kind) with `trades` (shares, price, spread, impact, commission); `position_keys`
    are (session, asset) with `positions` (shares, price) at the close of each session in which something changed hands.
    """

    days: Floats
    trade_keys: Ints
    trades: Floats
    position_keys: Ints
    positions: Floats


SUSPENDED = -(1 << 40)
"""Sessions without a bar that a suspended holding is taken to have had: it waits for its terms, and is never sold as absent."""

FREE = (0.0, 0.0, 0.0)
"""Spread, impact and commission of what is not a trade."""

NO_COSTS = CostTerms(0.0, 0.0, 0.0)
"""Terms of a market in which trading is free."""


def no_events(n_sessions: int) -> Events:
    """A market in which nothing but prices moves."""
    none, zero = np.empty(0, dtype=np.int64), np.empty(0)
    return Events(np.zeros(n_sessions + 1, dtype=np.int64), none, none, zero, none, none)


def new_fold(n_sessions: int, n_assets: int, n_fills: int, n_events: int) -> Fold:
    """Room for everything that can happen; the system maps only the pages that are written."""
    n_trades = 2 * n_assets * n_fills + 3 * n_events
    return Fold(
        np.zeros((n_sessions, len(COLUMNS))),
        np.empty((n_trades, 3), dtype=np.int64),
        np.empty((n_trades, 5)),
        np.empty((n_sessions * n_assets, 2), dtype=np.int64),
        np.empty((n_sessions * n_assets, 2)),
    )
