"""Tables to arrays: the axes of the ledger, its prices and rates, and every corporate event in the order of sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline import calendars, panel
from etf_pipeline.backtest.arrays import CONVERT_MERGER, CONVERT_RENAME, DIVIDEND, LIQUIDATE, SPLIT, SUSPEND, Events, Ints, Market
from etf_pipeline.backtest.parameters import BacktestParameters
from etf_pipeline.errors import DataError
from etf_pipeline.measures import session_risk_free

ENDINGS = {"merger": CONVERT_MERGER, "rename": CONVERT_RENAME, "liquidation": LIQUIDATE}
"""Actions that end a ticker: their ex-date is its last session, so they apply before the next open."""


@dataclass(frozen=True)
class Axes:
    """Rows and columns of every array of a backtest.

    Attributes
    ----------
    sessions : DatetimeIndex of shape (n_sessions,)
        From the first decision to the last price.
    tickers : Index of shape (n_assets,)
        Everything that is wanted, compared with, or may be received in a merger or rename; sorted.
    """

    sessions: pd.DatetimeIndex
    tickers: pd.Index[Any]


def make_axes(wanted: set[str], start: pd.Timestamp, prices: pd.DataFrame, actions: pd.DataFrame, exchange: str) -> Axes:
    """Axes that hold the wanted tickers and whatever they may become."""
    tickers = set(wanted)
    heirs = actions.loc[actions["kind"].isin(["merger", "rename"])]
    while True:
        found = set(heirs.loc[heirs["ticker"].isin(tickers), "successor"].dropna()) - tickers
        if not found:
            break
        tickers |= found
    return Axes(calendars.sessions(exchange, start, prices["session"].max()), pd.Index(sorted(tickers)))


def make_market(prices: pd.DataFrame, macro: pd.DataFrame, axes: Axes, parameters: BacktestParameters) -> Market:
    """Fill prices, closes and cash rates on the axes.

    Raises
    ------
    DataError
        If a wanted fund is not priced in the base currency, or the bill is unknown in some session.
    """
    base = parameters.base_currency
    foreign = prices.loc[prices["currency"] != base, ["ticker", "currency"]].drop_duplicates()
    if len(foreign):
        raise DataError(
            f"backtest keeps one ledger in {base}; {foreign.to_dict('records')} are priced in another currency. "
            f"Screen them out in `universe`, set `currency`, or convert their prices first."
        )
    fill, close = (panel.wide(prices, column, axes.sessions, axes.tickers) for column in (parameters.fill, "close"))
    return Market(fill, close, session_risk_free(macro, axes.sessions, parameters.bill_series))


def make_events(prices: pd.DataFrame, actions: pd.DataFrame, axes: Axes, parameters: BacktestParameters) -> Events:
    """Splits and dividends of the price table, mergers, renames and liquidations of the actions.

    Parameters
    ----------
    prices : DataFrame
        `fct_prices` of the axes' tickers. Dividends of rows adjusted for dividends are not credited a second time.
    actions : DataFrame
        `fct_actions`: endings, and the pay dates of dividends.

    Returns
    -------
    Events
        Sorted by session, then endings, splits and dividends, then ticker.

    Notes
    -----
    An ending applies at the first open that follows the ticker's last session, the announcement and `value_known_at`. Where the
    terms come last, the holding waits for them, suspended: what it will fetch is not known, so that it is no receivable yet but
    stands at its last close, cannot be sold, and is not taken for delisted. The difference is profit or loss of the session in
    which the terms are known; cash paid before that is booked then. A pay date of a dividend counts if it was announced by
    the close of the ex-date; otherwise the payment is `payment_lag` sessions later.
    """
    endings = _endings(actions, axes, parameters)
    parts = pd.concat(
        [_splits(prices, axes), _dividends(prices, actions, axes, parameters), endings, _suspended(endings)], ignore_index=True
    ).astype({"row": np.int64, "kind": np.int64, "asset": np.int64, "other": np.int64, "pay": np.int64, "value": np.float64})
    n = len(axes.sessions)
    parts = parts[(parts["row"] >= 0) & (parts["row"] < n) & (parts["asset"] >= 0)].sort_values(["row", "kind", "asset"])
    first = np.searchsorted(parts["row"].to_numpy(), np.arange(n + 1)).astype(np.int64)
    ints: list[Ints] = [parts[name].to_numpy(dtype=np.int64) for name in ("kind", "asset", "other", "pay")]
    return Events(first, ints[0], ints[1], parts["value"].to_numpy(dtype=np.float64), ints[2], ints[3])


def _splits(prices: pd.DataFrame, axes: Axes) -> pd.DataFrame:
    rows = prices.loc[prices["split_ratio"] != 1.0]
    return _table(axes, rows["session"], SPLIT, rows["ticker"], rows["split_ratio"])


def _dividends(prices: pd.DataFrame, actions: pd.DataFrame, axes: Axes, parameters: BacktestParameters) -> pd.DataFrame:
    rows = prices.loc[(prices["dividend"] > 0.0) & (prices["adjustment"] != "split_dividend")]
    known = actions.loc[(actions["kind"] == "dividend") & actions["pay_date"].notna()]
    closes = calendars.closes(parameters.exchange, known["ex_date"]).to_numpy()
    known = known.loc[known["available_at"].to_numpy() <= closes]
    dates = _first_known(known).set_index(["ticker", "ex_date"])["pay_date"]
    keys = pd.MultiIndex.from_frame(rows[["ticker", "session"]])
    table = _table(axes, rows["session"], DIVIDEND, rows["ticker"], rows["dividend"])
    return table.assign(pay=_pay_rows(dates.reindex(keys), table["row"], axes, parameters))


def _endings(actions: pd.DataFrame, axes: Axes, parameters: BacktestParameters) -> pd.DataFrame:
    rows = _first_known(actions.loc[actions["kind"].isin(list(ENDINGS)) & actions["ticker"].isin(axes.tickers)])
    orphans = rows.loc[rows["kind"].isin(["merger", "rename"]) & rows["successor"].isna(), "ticker"]
    if len(orphans):
        raise DataError(f"a merger or rename needs a successor; {sorted(orphans)} name none. Quarantine the rows in `quality`.")
    opens = pd.DatetimeIndex(calendars.opens(parameters.exchange, axes.sessions))
    after = axes.sessions.searchsorted(pd.DatetimeIndex(rows["ex_date"]), side="right")
    announced, settled = (
        opens.searchsorted(pd.DatetimeIndex(rows[name]), side="left") for name in ("available_at", "value_known_at")
    )
    table = _table(axes, rows["ex_date"], rows["kind"].map(ENDINGS).to_numpy(), rows["ticker"], rows["value"])
    table["told"] = np.maximum(after, announced)
    table["row"] = np.maximum(table["told"], settled)
    table["other"] = axes.tickers.get_indexer(pd.Index(rows["successor"]))
    return table.assign(pay=_pay_rows(rows["pay_date"], table["row"], axes, parameters))


def _suspended(endings: pd.DataFrame) -> pd.DataFrame:
    """Endings that were told before their terms were known."""
    waiting = endings.loc[endings["told"] < endings["row"]]
    return waiting.assign(row=waiting["told"], kind=SUSPEND)


def _first_known(actions: pd.DataFrame) -> pd.DataFrame:
    """One action per (ticker, ex-date, kind): the one that was known first."""
    return actions.sort_values(["available_at", "source"], kind="stable").drop_duplicates(["ticker", "ex_date", "kind"])


def _pay_rows(dates: pd.Series[Any], rows: pd.Series[Any], axes: Axes, parameters: BacktestParameters) -> Ints:
    """Session in which cash arrives: the first on or after the pay date, never before it is owed."""
    paid = pd.DatetimeIndex(dates)
    known = axes.sessions.searchsorted(paid, side="left")
    owed = rows.to_numpy(dtype=np.int64)
    return np.where(paid.isna(), owed + parameters.payment_lag, np.maximum(known, owed)).astype(np.int64)


def _table(axes: Axes, sessions: pd.Series[Any], kind: Any, tickers: pd.Series[Any], value: pd.Series[Any]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "row": axes.sessions.get_indexer(pd.DatetimeIndex(sessions)),
            "kind": kind,
            "asset": axes.tickers.get_indexer(pd.Index(tickers)),
            "value": value.to_numpy(dtype=np.float64),
            "other": -1,
            "pay": -1,
        }
    )
