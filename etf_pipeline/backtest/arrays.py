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

KINDS = ("rebalance", "delisting", "liquidation", "merger", "rename", "flow")
REBALANCE, DELISTING, LIQUIDATION, MERGER, RENAME, FLOW_TRADE = 0, 1, 2, 3, 4, 5

FUNDING = ("scaled", "sequential", "per_trade")
SCALED, SEQUENTIAL, PER_TRADE = 0, 1, 2

COLUMNS = (
    "nav", "cash", "receivables", "holdings_value", "rolled_nav", "dividends", "interest", "costs", "traded_value", "flow",
    "before_flow",
)  # fmt: skip
"""Columns of the fold's daily rows; `before_flow` is the net asset value just before money came or went, zero where none did."""

CASH, PROFIT, DIVIDENDS, INTEREST, COSTS, TRADED, FLOW, BEFORE_FLOW = 0, 1, 2, 3, 4, 5, 6, 7
N_HELD, N_DUE, N_TRADES, N_POSITIONS = 0, 1, 2, 3


NO_FLOWS: Floats = np.zeros(0)
"""A plan that no money comes to or goes from."""


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

    `half_spread` and `slope` are those of `costs.kernels.trade_cost`. `flows` is money that comes or goes just before each
    session's fill, of shape (n_sessions,), or empty where there is none.
    """

    rows: Ints
    targets: Floats
    half_spread: Floats
    slope: Floats
    flows: Floats = NO_FLOWS


class Rules(NamedTuple):
    """How the ledger is kept.

    `terms` are those of the cost function; `haircut` is what an unexplained ending takes of the price; `lot` is the number of
    shares that orders are multiples of (0: any), `minimum_ticket` the smallest order; where targets ask for it, cash may go below
    zero by `borrow_limit` of net asset value, at `borrow_spread` per session above the bill; `flows_at_once` says whether money
    that comes or goes is traded in proportion in its own session, or waits for the next rebalance.
    """

    initial_value: float
    at_open: bool
    absence: int
    funding: int
    terms: CostTerms
    haircut: float = 0.0
    lot: float = 0.0
    minimum_ticket: float = 0.0
    borrow_limit: float = 0.0
    borrow_spread: float = 0.0
    flows_at_once: bool = True


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
    """Room for everything that can happen; the system maps only the pages that are written.

    `n_fills` counts rebalances and sessions in which money comes or goes.
    """
    n_trades = 2 * n_assets * n_fills + 3 * n_events
    return Fold(
        np.zeros((n_sessions, len(COLUMNS))),
        np.empty((n_trades, 3), dtype=np.int64),
        np.empty((n_trades, 5)),
        np.empty((n_sessions * n_assets, 2), dtype=np.int64),
        np.empty((n_sessions * n_assets, 2)),
    )
