"""Bars put in order, with what the rules need beside them: place in the calendar, close instant, effects of actions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NO_SESSION, NO_CALENDAR = -1, -2
DAY_NS = 86_400_000_000_000


@dataclass(frozen=True)
class Bars:
    """Bars sorted by ticker, session, source and row.

    Attributes
    ----------
    frame : DataFrame of shape (n, n_columns)
        Rows of `stg_prices`.
    code : ndarray of shape (n,)
        Ticker as a number, ascending.
    tickers : Index of shape (n_tickers,)
        Ticker of each code.
    position : ndarray of shape (n,)
        Number of the session in its exchange's calendar; -1 where the exchange was closed, -2 where it has no calendar.
    close_at : ndarray of shape (n,)
        Close of the session, or the end of the day where there is none. [UTC nanoseconds]
    """

    frame: pd.DataFrame
    code: Ints
    tickers: pd.Index[Any]
    position: Ints
    close_at: Ints

    @classmethod
    def of(cls, prices: pd.DataFrame) -> Bars:
        """Sort the bars and look their sessions up."""
        code, tickers = pd.factorize(prices["ticker"].to_numpy(dtype=object), sort=True)
        source, _ = pd.factorize(prices["source"].to_numpy(dtype=object), sort=True)
        day = prices["session"].to_numpy().astype("datetime64[ns]").astype(np.int64)
        order = np.lexsort((prices["source_row"].to_numpy(), source, day, code))
        frame = prices.iloc[order].reset_index(drop=True)
        position, close_at = _calendar_columns(frame)
        return cls(frame, code[order].astype(np.int64), pd.Index(tickers), position, close_at)

    def column(self, name: str) -> Floats:
        """A column of numbers."""
        return self.frame[name].to_numpy(dtype=np.float64)

    @property
    def day(self) -> Ints:
        """Days since 1970."""
        return days_of(self.frame["session"])

    def first_row_from(self, code: Ints, day: Ints) -> Ints:
        """First row of a ticker on or after a day; the next ticker's first row, or n, where it has none."""
        return np.searchsorted(_key(self.code, self.day), _key(code, day))

    def first_row_known(self, code: Ints, instant: Ints) -> Ints:
        """First row of a ticker whose session closes at or after an instant, as `first_row_from`."""
        minute = 60_000_000_000
        return np.searchsorted(_key(self.code, self.close_at // minute), _key(code, -(-instant // minute)))


def effects(bars: Bars, actions: pd.DataFrame) -> tuple[Floats, Floats]:
    """Splits and dividends of each row: at the first bar from the ex-date on at whose close they were known.

    Prices that contain an action already do without it: splits count on raw prices only, dividends not on adjusted ones. Where
    several take effect at one bar, amounts are in its share basis, as in `fct_prices`.

    Returns
    -------
    split, dividend : ndarray of shape (n,)
        New shares per old and cash per share; 1 and 0 where nothing happens.
    """
    split, dividend = np.ones(len(bars.frame)), np.zeros(len(bars.frame))
    code = bars.tickers.get_indexer(pd.Index(actions["ticker"])).astype(np.int64)
    row = np.maximum(bars.first_row_from(code, days_of(actions["ex_date"])), bars.first_row_known(code, instants_of(actions)))
    inside = (code >= 0) & (row < len(bars.frame))
    inside[inside] = bars.code[row[inside]] == code[inside]
    adjustment = np.full(len(actions), "", dtype=object)
    adjustment[inside] = bars.frame["adjustment"].to_numpy(dtype=object)[row[inside]]
    kind, value = actions["kind"].to_numpy(dtype=object), actions["value"].to_numpy(dtype=np.float64)
    splits = inside & (kind == "split") & (adjustment == "raw") & (value > 0)
    paid = inside & (kind == "dividend") & (adjustment != "split_dividend") & (value > 0)
    np.multiply.at(split, row[splits], value[splits])
    np.add.at(dividend, row[paid], value[paid])
    return split, dividend


def instants_of(actions: pd.DataFrame) -> Ints:
    """When each action was announced. [UTC nanoseconds]"""
    return cast(Ints, actions["available_at"].dt.tz_localize(None).to_numpy().astype("datetime64[ns]").astype(np.int64))


def days_of(dates: pd.Series[Any]) -> Ints:
    """Days since 1970."""
    return cast(Ints, dates.to_numpy().astype("datetime64[D]").astype(np.int64))


def _key(code: Ints, when: Ints) -> Ints:
    """One sorted number per (ticker, time): times in days or minutes stay far below 2**40."""
    return cast(Ints, code * np.int64(2**41) + np.clip(when, -(2**40) + 1, 2**40 - 1))


def _calendar_columns(frame: pd.DataFrame) -> tuple[Ints, Ints]:
    position = np.full(len(frame), NO_CALENDAR, dtype=np.int64)
    close_at = frame["session"].to_numpy().astype("datetime64[ns]").astype(np.int64) + DAY_NS
    code, exchanges = pd.factorize(frame["exchange"].to_numpy(dtype=object))
    for i, exchange in enumerate(exchanges):
        rows = np.flatnonzero(code == i)
        number, days = pd.factorize(frame["session"].to_numpy()[rows])
        found, instants = _look_up(str(exchange), pd.DatetimeIndex(days))
        position[rows] = found[number]
        close_at[rows] = np.where(found[number] >= 0, instants[number], close_at[rows])
    return position, close_at


def _look_up(exchange: str, days: pd.DatetimeIndex) -> tuple[Ints, npt.NDArray[np.int64]]:
    """Position in the calendar and close of each day."""
    try:
        known = calendars.sessions(exchange, days.min(), days.max())
        offset = len(calendars.sessions(exchange, calendars.FIRST_SESSION, days.min() - pd.Timedelta(days=1)))
    except DataError:  # no such calendar: the rows are refused by the rule `unknown_exchange`
        return np.full(len(days), NO_CALENDAR, dtype=np.int64), np.zeros(len(days), dtype=np.int64)
    found = known.get_indexer(days).astype(np.int64)
    closes = calendars.closes(exchange, days).dt.tz_localize(None).to_numpy().astype("datetime64[ns]").astype(np.int64)
    return np.where(found >= 0, found + offset, NO_SESSION), closes


def last_true(flags: Flags) -> Ints:
    """Row of the last true flag up to each row, -1 where there is none yet."""
    return cast(Ints, np.maximum.accumulate(np.where(flags, np.arange(len(flags)), -1)))
