"""Bars put in order, with what the rules need beside them: place in the calendar and close instant.

Names are held as numbers: sorting and comparing seven million Python strings would take most of the room's time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
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
MINUTE_NS = 60_000_000_000
ADJUSTED = ("raw", "split", "split_dividend")
"""Adjustments in the order of their numbers."""


@dataclass(frozen=True)
class Bars:
    """Bars sorted by ticker, session, source and row.

    Attributes
    ----------
    prices : DataFrame of shape (n, n_columns)
        Rows of `stg_prices` as they came.
    order : ndarray of shape (n,) or None
        Their rows in the room's order; None where they came in it.
    code, source : ndarray of shape (n,)
        Ticker, ascending, and source as numbers.
    tickers, sources : Index
        Ticker and source of each number, sorted.
    day : ndarray of shape (n,)
        Days since 1970.
    """

    prices: pd.DataFrame
    order: Ints | None
    code: Ints
    tickers: pd.Index[Any]
    source: Ints
    sources: pd.Index[Any]
    day: Ints

    @classmethod
    def of(cls, prices: pd.DataFrame) -> Bars:
        """Sort the bars."""
        code, tickers = pd.factorize(prices["ticker"].to_numpy(dtype=object), sort=True)
        source, sources = pd.factorize(prices["source"].to_numpy(dtype=object), sort=True)
        day, row = days_of(prices["session"]), prices["source_row"].to_numpy()
        columns = (code.astype(np.int64), source.astype(np.int64), day)
        order = None if _in_order(*columns, row) else np.lexsort((row, source, day, code))
        code, source, day = columns if order is None else (column[order] for column in columns)
        return cls(prices, order, code, pd.Index(tickers), source, pd.Index(sources), day)

    def __len__(self) -> int:
        """How many."""
        return len(self.code)

    def column(self, name: str) -> Floats:
        """A column of numbers."""
        return cast(Floats, self._sorted(self.prices[name].to_numpy(dtype=np.float64)))

    def rows(self, at: Ints) -> pd.DataFrame:
        """Those rows of `stg_prices`."""
        return self.prices.iloc[at if self.order is None else self.order[at]]

    def text(self, name: str, row: int) -> Any:
        """One cell."""
        return self.prices[name].iat[row if self.order is None else int(self.order[row])]

    def date(self, row: int) -> pd.Timestamp:
        """Session of a row."""
        return pd.Timestamp(int(self.day[row]), unit="D")

    def named(self, name: str) -> tuple[Ints, npt.NDArray[np.object_]]:
        """A column of names as numbers, in order of appearance in `prices`, and the name of each."""
        number, names = pd.factorize(self.prices[name].to_numpy(dtype=object))
        return self._sorted(number), np.asarray(names, dtype=object)

    @cached_property
    def adjustment(self) -> npt.NDArray[np.int8]:
        """What the source applied, as its number in `ADJUSTED`."""
        number, names = self.named("adjustment")
        return np.array([ADJUSTED.index(name) for name in names], dtype=np.int8)[number]

    @cached_property
    def exchange(self) -> tuple[Ints, npt.NDArray[np.object_]]:
        """Exchange as a number, and the name of each."""
        return self.named("exchange")

    @cached_property
    def starts(self) -> Ints:
        """First row of each ticker."""
        return np.searchsorted(self.code, np.arange(len(self.tickers)))

    @cached_property
    def position(self) -> Ints:
        """Number of the session in its exchange's calendar; -1 where that was closed, -2 where it has none."""
        return self._calendar[0]

    @cached_property
    def close_at(self) -> Ints:
        """Close of the session, or the end of the day where there is none. [UTC nanoseconds]"""
        return self._calendar[1]

    @cached_property
    def _calendar(self) -> tuple[Ints, Ints]:
        position = np.full(len(self), NO_CALENDAR, dtype=np.int64)
        close_at = (self.day + 1) * DAY_NS
        number, exchanges = self.exchange
        for i, exchange in enumerate(exchanges):
            rows = slice(None) if len(exchanges) == 1 else np.flatnonzero(number == i)
            first = int(self.day[rows].min())
            away = self.day[rows] - first
            found, instants = _look_up(str(exchange), np.flatnonzero(np.bincount(away)) + first)
            position[rows], close_at[rows] = found[away], instants[away]
        return position, close_at

    def first_row_from(self, code: Ints, day: Ints) -> Ints:
        """First row of a ticker on or after a day; the next ticker's first row, or n, where it has none."""
        return np.searchsorted(_key(self.code, self.day), _key(code, day))

    def first_row_known(self, code: Ints, instant: Ints) -> Ints:
        """First row of a ticker whose session closes at or after an instant, as `first_row_from`."""
        return np.searchsorted(_key(self.code, self.close_at // MINUTE_NS), _key(code, -(-instant // MINUTE_NS)))

    def effect_rows(self, events: pd.DataFrame, days_after: int = 0) -> Ints:
        """Row from which each action counts: the first from its ex-date on at whose close it was known; -1 where none is."""
        code = self.tickers.get_indexer(pd.Index(events["ticker"])).astype(np.int64)
        known = events["available_at"].dt.tz_localize(None).to_numpy().astype("datetime64[ns]").astype(np.int64)
        row = np.maximum(self.first_row_from(code, days_of(events["ex_date"]) + days_after), self.first_row_known(code, known))
        inside = (code >= 0) & (row < len(self))
        inside[inside] = self.code[row[inside]] == code[inside]
        return np.where(inside, row, -1)

    def _sorted(self, values: Any) -> Any:
        return values if self.order is None else values[self.order]


def days_of(dates: pd.Series[Any]) -> Ints:
    """Days since 1970."""
    return cast(Ints, dates.to_numpy().astype("datetime64[D]").astype(np.int64))


def session_lengths(exchange: str, days: pd.DatetimeIndex) -> Floats:
    """Length of each session over the longest of the twenty up to it: below one on a half-day."""
    around = calendars.sessions(exchange, days.min() - pd.Timedelta(days=40), days.max())
    seconds = (calendars.closes(exchange, around) - calendars.opens(exchange, around)).dt.total_seconds()
    share = seconds / seconds.rolling(20, min_periods=1).max()
    return share.to_numpy(dtype=np.float64)[around.get_indexer(days)]


def last_true(flags: Flags) -> Ints:
    """Row of the last true flag up to each row, -1 where there is none yet."""
    return cast(Ints, np.maximum.accumulate(np.where(flags, np.arange(len(flags)), -1)))


def _key(code: Ints, when: Ints) -> Ints:
    """One sorted number per (ticker, time): times in days or minutes stay far below 2**40."""
    return cast(Ints, code * np.int64(2**41) + np.clip(when, -(2**40) + 1, 2**40 - 1))


def _in_order(code: Ints, source: Ints, day: Ints, row: Any) -> bool:
    """Whether rows come sorted by ticker, session, source and row: the store keeps them so."""
    same = np.ones(max(len(code) - 1, 0), dtype=bool)
    for column in (code, day, source, row):
        if (np.diff(column)[same] < 0).any():
            return False
        same &= column[1:] == column[:-1]
    return True


def _look_up(exchange: str, days: Ints) -> tuple[Ints, Ints]:
    """Position in the calendar and close, by days since the first of `days`; only those of `days` count."""
    dates = pd.DatetimeIndex(days.astype("datetime64[D]").astype("datetime64[ns]"))
    position = np.full(int(days[-1] - days[0]) + 1, NO_CALENDAR, dtype=np.int64)
    close_at = (np.arange(days[0], days[-1] + 1) + 1) * DAY_NS
    try:
        known = calendars.sessions(exchange, dates[0], dates[-1])
        offset = len(calendars.sessions(exchange, calendars.FIRST_SESSION, dates[0] - pd.Timedelta(days=1)))
    except DataError:  # no such calendar: the rows are refused by the rule `unknown_exchange`
        return position, close_at
    found, at = known.get_indexer(dates).astype(np.int64), days - days[0]
    closes = calendars.closes(exchange, dates).dt.tz_localize(None).to_numpy().astype("datetime64[ns]").astype(np.int64)
    position[at] = np.where(found >= 0, found + offset, NO_SESSION)
    close_at[at] = np.where(found >= 0, closes, close_at[at])
    return position, close_at
