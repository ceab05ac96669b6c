"""Bars put in order, as numbers: which fund, which exchange, which day, and when the session closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.errors import DataError

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Bars:
    """Bars sorted by ticker and session.

    Attributes
    ----------
    frame : DataFrame of shape (n, n_columns)
        The rows.
    code, day : ndarray of shape (n,)
        Ticker as a number, ascending; session in days since 1970.
    tickers : Index of shape (n_tickers,)
        Ticker of each code.
    venue : ndarray of shape (n,)
        Exchange as a number.
    venues : Index of shape (n_venues,)
        Exchange of each number.
    """

    frame: pd.DataFrame
    code: Ints
    day: Ints
    tickers: pd.Index[Any]
    venue: Ints
    venues: pd.Index[Any]

    @classmethod
    def of(cls, prices: pd.DataFrame) -> Bars:
        """Sort the bars by ticker and session, unless they are sorted already, as tables of the warehouse are."""
        code, tickers = pd.factorize(prices["ticker"].to_numpy(dtype=object), sort=True)
        day = days_of(prices["session"])
        order = _order(code.astype(np.int64), day)
        frame = prices if order is None else prices.iloc[order]
        if not frame.index.equals(pd.RangeIndex(len(frame))):
            frame = frame.reset_index(drop=True)
        code, day = (code, day) if order is None else (code[order], day[order])
        venue, venues = pd.factorize(frame["exchange"].to_numpy(dtype=object), sort=True)
        return cls(frame, code.astype(np.int64), day, pd.Index(tickers), venue.astype(np.int64), pd.Index(venues))

    def column(self, name: str) -> npt.NDArray[np.float64]:
        """A column of numbers."""
        return self.frame[name].to_numpy(dtype=np.float64)

    @property
    def starts(self) -> Ints:
        """First row of each ticker, and the number of rows at the end, shape (n_tickers + 1,)."""
        return np.searchsorted(self.code, np.arange(len(self.tickers) + 1))

    @property
    def repeats(self) -> Flags:
        """Bars of the same fund and session as the one before, shape (n,)."""
        return np.append(False, (self.code[1:] == self.code[:-1]) & (self.day[1:] == self.day[:-1]))[: len(self.day)]

    def refuse_repeats(self) -> Bars:
        """The bars themselves.

        Raises
        ------
        DataError
            If a fund has two bars of one session.
        """
        repeats = self.repeats
        if repeats.any():
            first = self.frame.iloc[int(np.argmax(repeats))]
            raise DataError(
                f"universe needs one bar per (ticker, session); {first['ticker']} has two on {first['session'].date()}. "
                "Quarantine one in `quality`."
            )
        return self

    def calendar(self) -> tuple[Ints, Ints]:
        """Number of each bar's session in its exchange's calendar, and its close. [UTC nanoseconds]

        Raises
        ------
        DataError
            If a bar lies on a day that is no session of its exchange.
        """
        number, close = np.full(len(self.day), -1, dtype=np.int64), np.zeros(len(self.day), dtype=np.int64)
        for v, exchange in enumerate(self.venues):
            rows = np.flatnonzero(self.venue == v)
            first, last = int(self.day[rows].min()), int(self.day[rows].max())
            days = calendars.sessions(str(exchange), pd.Timestamp(first, unit="D"), pd.Timestamp(last, unit="D"))
            at = days_of(days) - first
            table = np.full((2, last - first + 1), -1, dtype=np.int64)
            table[0, at] = np.arange(len(days))
            table[1, at] = instants_of(calendars.closes(str(exchange), days))
            number[rows], close[rows] = table[:, self.day[rows] - first]
        self._refuse_holidays(number)
        return number, close

    def _refuse_holidays(self, number: Ints) -> None:
        if (number < 0).any():
            bad = self.frame.iloc[int(np.argmax(number < 0))]
            raise DataError(
                f"{bad['ticker']} has a bar on {bad['session'].date()}, which is no session there. Quarantine it in `quality`."
            )


def close_of(bars: Bars, sessions: pd.DataFrame) -> Ints:
    """Close of each bar's session as `raw_sessions` has it; -1 where it has none. [UTC nanoseconds]"""
    close_at = np.full(len(bars.day), -1, dtype=np.int64)
    for v, exchange in enumerate(bars.venues):
        rows = np.flatnonzero(bars.venue == v)
        known = sessions[sessions["exchange"] == exchange]
        first, last = int(bars.day[rows].min()), int(bars.day[rows].max())
        day, at = days_of(known["session"]), instants_of(known["closes_at"])
        inside = (day >= first) & (day <= last)
        table = np.full(last - first + 1, -1, dtype=np.int64)
        table[day[inside] - first] = at[inside]
        close_at[rows] = table[bars.day[rows] - first]
    return close_at


def instant(nanoseconds: int) -> pd.Timestamp:
    """A UTC instant."""
    return pd.Timestamp(int(nanoseconds), tz="UTC")


def days_of(dates: pd.Series[Any] | pd.DatetimeIndex) -> Ints:
    """Days since 1970; the smallest integer where the date is unknown."""
    return cast(Ints, dates.to_numpy().astype("datetime64[D]").astype(np.int64))


def instants_of(moments: pd.Series[Any]) -> Ints:
    """UTC nanoseconds; the smallest integer where the instant is unknown."""
    return cast(Ints, moments.dt.tz_localize(None).to_numpy().astype("datetime64[ns]").astype(np.int64))


def _order(code: Ints, day: Ints) -> npt.NDArray[np.intp] | None:
    """Rows by ticker and day; None where they are so already."""
    later = (code[1:] > code[:-1]) | ((code[1:] == code[:-1]) & (day[1:] >= day[:-1]))
    return None if later.all() else np.lexsort((day, code))
