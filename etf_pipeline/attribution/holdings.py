"""What each session's profit was made of, rebuilt from stored positions, trades and prices.

Profit over the net asset value at the close before is the session's return, unless money came or went in it: the ledger's return
is then growth up to that moment times growth after it. What lies between the two is a line of its own, `flows`, and so is never
taken for skill nor hidden in the residual. Trades that only spread such money over what is held belong to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline.panel import Floats, wide

CASH_LINE = "cash"

SPREAD = "flow"
"""Kind of the trades that spread money which came or went over what is held."""

CONVERSIONS = ("merger", "rename")
"""Kinds of trades that no cash changes hands for."""


@dataclass(frozen=True)
class Book:
    """One strategy after costs, session by session; returns are fractions of the net asset value at the close before.

    Attributes
    ----------
    sessions : DatetimeIndex of shape (n_sessions,)
    classes : tuple of str
        Asset classes, then ``cash``.
    weights : ndarray of shape (n_sessions, n_classes)
        At the close before; they sum to one. Money that is owed counts as cash.
    contributions : ndarray of shape (n_sessions, n_classes)
        What was held at the close before earned in the session; of cash, interest.
    trading : ndarray of shape (n_sessions,)
        Trades and forced exits: close less fill price.
    costs : ndarray of shape (n_sessions,)
        Minus spread, impact and commission.
    flows : ndarray of shape (n_sessions,)
        What the other lines leave of the return in sessions in which money came or went; zero in all others.
    returns : ndarray of shape (n_sessions,)
        Of the ledger.
    """

    sessions: pd.DatetimeIndex
    classes: tuple[str, ...]
    weights: Floats
    contributions: Floats
    trading: Floats
    costs: Floats
    flows: Floats
    returns: Floats

    @property
    def residual(self) -> Floats:
        """What the lines leave of the ledger's return: rounding, unless an event is not in the tables."""
        left: Floats = self.returns - self.contributions.sum(axis=1) - self.trading - self.costs - self.flows
        return left


@dataclass(frozen=True)
class _Prices:
    """Marks, splits and dividends on the axes (sessions, tickers)."""

    tickers: pd.Index[Any]
    mark: Floats
    split: Floats
    earned: Floats

    @classmethod
    def of(cls, prices: pd.DataFrame, sessions: pd.DatetimeIndex, tickers: pd.Index[Any]) -> _Prices:
        """`earned` is the profit of one share held at the close before; zero without a bar."""
        rows = prices[prices["ticker"].isin(tickers)]
        rows = rows.assign(paid=rows["dividend"].where(rows["adjustment"] != "split_dividend", 0.0))
        close, split, paid = (wide(rows, c, sessions, tickers) for c in ("close", "split_ratio", "paid"))
        mark = pd.DataFrame(close).ffill().to_numpy()
        split = np.where(np.isnan(split), 1.0, split)
        before = np.vstack([np.full(len(tickers), np.nan), mark[:-1]])
        earned = np.nan_to_num(split * (close + paid) - before, nan=0.0)
        return cls(tickers, mark, split, earned)


def books(
    ledger: pd.DataFrame, positions: pd.DataFrame, trades: pd.DataFrame, prices: pd.DataFrame, reference: pd.DataFrame
) -> dict[str, Book]:
    """The net book of every strategy.

    Parameters
    ----------
    ledger, positions, trades, prices, reference : DataFrame
        Tables `backtest_ledger`, `backtest_positions`, `backtest_trades`, `fct_prices`, `dim_etf`.

    Returns
    -------
    dict of str to Book
        By strategy; the first session of a ledger, which only holds the initial cash, is left out.
    """
    net = ledger[ledger["cost_basis"] == "net"].sort_values("session")
    sessions = pd.DatetimeIndex(np.sort(net["session"].unique()))
    tickers = pd.Index(np.sort(pd.concat([positions["ticker"], trades["ticker"]]).unique()))
    market = _Prices.of(prices, sessions, tickers)
    classes = reference.set_index("ticker")["asset_class"].reindex(tickers).fillna("unknown").astype(str)
    labels = tuple(sorted(classes.unique()))
    member = (classes.to_numpy()[:, None] == np.array(labels)).astype(np.float64)
    return {
        str(name): _book(
            rows, positions[positions["strategy"] == name], trades[trades["strategy"] == name], market, (sessions, labels, member)
        )
        for name, rows in net.groupby("strategy", observed=True, sort=True)
    }


def _book(
    ledger: pd.DataFrame,
    positions: pd.DataFrame,
    trades: pd.DataFrame,
    market: _Prices,
    axes: tuple[pd.DatetimeIndex, tuple[str, ...], Floats],
) -> Book:
    sessions, labels, member = axes
    own = ledger.set_index("session").reindex(sessions)
    nav = own["nav"].to_numpy(dtype=np.float64)
    shares = _shares(positions, trades, market, sessions)
    before, base = slice(None, -1), nav[:-1, None]
    weights = np.nan_to_num(shares * market.mark)[before] @ member / base
    contributions = (shares[before] * market.earned[1:]) @ member / base
    interest, costs = (own[c].to_numpy(dtype=np.float64)[1:] / nav[:-1] for c in ("interest", "costs"))
    returns = own["daily_return"].to_numpy(dtype=np.float64)[1:]
    trading = _trading(trades[trades["kind"] != SPREAD], market, sessions)[1:] / nav[:-1]
    left = returns - contributions.sum(axis=1) - interest - trading + costs
    known = ~np.isnan(nav[:-1]) & ~np.isnan(nav[1:])
    return Book(
        sessions=sessions[1:][known],
        classes=(*labels, CASH_LINE),
        weights=np.column_stack([weights, 1.0 - weights.sum(axis=1)])[known],
        contributions=np.column_stack([contributions, interest])[known],
        trading=trading[known],
        costs=-costs[known],
        flows=np.where(own["flow"].to_numpy()[1:] != 0.0, left, 0.0)[known],
        returns=returns[known],
    )


def _shares(positions: pd.DataFrame, trades: pd.DataFrame, market: _Prices, sessions: pd.DatetimeIndex) -> Floats:
    """Shares at each close: as stored where something changed hands, carried on through splits in between."""
    days = pd.concat([positions["session"], trades["session"]]).unique()
    changed = np.sort(sessions.get_indexer(pd.DatetimeIndex(days)))
    changed = changed[changed >= 0]
    stored = np.nan_to_num(wide(positions, "shares", sessions, market.tickers))
    growth = np.cumprod(market.split, axis=0)
    newest = np.zeros(len(sessions), dtype=np.int64)
    newest[changed] = changed
    newest = np.maximum.accumulate(newest)
    return np.asarray(stored[newest] * (growth / growth[newest]), dtype=np.float64)


def _trading(trades: pd.DataFrame, market: _Prices, sessions: pd.DatetimeIndex) -> Floats:
    """Profit of each session's trades from their price to the close; where there is no close they are worth their price.

    A holding that is turned into another is no sale: what the new one is worth beyond the old is profit too.
    """
    row, column = (
        sessions.get_indexer(pd.DatetimeIndex(trades["session"])),
        market.tickers.get_indexer(pd.Index(trades["ticker"])),
    )
    price = trades["price"].to_numpy(dtype=np.float64)
    mark = market.mark[row, column]
    turned = np.where(trades["kind"].isin(CONVERSIONS), price, 0.0)
    profit = trades["shares"].to_numpy(dtype=np.float64) * (np.where(np.isnan(mark), price, mark) - price + turned)
    return np.bincount(row, weights=profit, minlength=len(sessions)).astype(np.float64)
