"""Exchange sessions and the instants at which they open and close.

A `session` is a naive midnight; when its values became known is a UTC instant. Tables of two exchanges meet through
`as_of`, never on the date: a New York close reaches a Sydney portfolio one session later.
"""

from __future__ import annotations

import functools
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.errors import DataError

FIRST_SESSION = "1990-01-01"
"""Calendars reach back this far, or as far as their exchange's holidays are known; earlier macro history needs no session."""


@functools.cache
def _calendar(exchange: str) -> Any:
    import exchange_calendars

    try:
        return exchange_calendars.get_calendar(exchange, start=FIRST_SESSION)
    except exchange_calendars.errors.InvalidCalendarName as error:
        raise DataError(
            f"no calendar is known for exchange '{exchange}'. Use a market identifier code such as XNYS or XASX."
        ) from error
    except ValueError:  # its holidays are known only from a later day on: Tokyo's from 1997
        return exchange_calendars.get_calendar(exchange, start=exchange_calendars.get_calendar(exchange).bound_min())


def sessions(exchange: str, start: str | pd.Timestamp, end: str | pd.Timestamp) -> pd.DatetimeIndex:
    """Sessions of an exchange from `start` to `end`, both included, as naive midnights.

    Examples
    --------
    >>> list(sessions("XNYS", "2024-07-03", "2024-07-05").strftime("%m-%d"))
    ['07-03', '07-05']
    """
    days = _calendar(exchange).sessions
    return cast(pd.DatetimeIndex, days[(days >= pd.Timestamp(start)) & (days <= pd.Timestamp(end))].as_unit("ns"))


def is_session(exchange: str, day: pd.Timestamp) -> bool:
    """Whether the exchange trades on that day."""
    return bool(_calendar(exchange).is_session(pd.Timestamp(day).normalize()))


def closes(exchange: str, days: pd.DatetimeIndex | pd.Series[Any]) -> pd.Series[Any]:
    """UTC instant of each session's close; half-days close early.

    Parameters
    ----------
    exchange : str
        Market identifier code.
    days : DatetimeIndex or Series of shape (n,)
        Sessions, repeated at will.

    Returns
    -------
    Series of shape (n,)
        Instants in UTC, on the index 0..n-1. A day that is no session is NaT.
    """
    return _instants(_calendar(exchange).closes, days)


def opens(exchange: str, days: pd.DatetimeIndex | pd.Series[Any]) -> pd.Series[Any]:
    """UTC instant of each session's open, as `closes`."""
    return _instants(_calendar(exchange).opens, days)


def _instants(schedule: pd.Series[Any], days: pd.DatetimeIndex | pd.Series[Any]) -> pd.Series[Any]:
    found = schedule.reindex(pd.DatetimeIndex(days)).reset_index(drop=True)
    return cast("pd.Series[Any]", found.astype("datetime64[ns, UTC]"))


def month_ends(days: pd.DatetimeIndex, exchange: str) -> pd.DatetimeIndex:
    """Those of `days` that are the exchange's last session of their month.

    The calendar says so in advance, so that a month still running has no end and the answer never changes later.
    """
    if not len(days):
        return days
    known = sessions(exchange, days[0], days[-1] + pd.offsets.MonthEnd(1))
    position = cast("npt.NDArray[np.intp]", known.get_indexer(days))
    if (position < 0).any():
        raise DataError(f"{days[position < 0][0].date()} is no session of {exchange}; quarantine it in `quality`.")
    following = pd.DatetimeIndex([*known[1:], known[-1] + pd.Timedelta(days=31)])[position]
    return days[days.to_period("M") != following.to_period("M")]


def week_ends(exchange: str, start: str | pd.Timestamp, end: str | pd.Timestamp) -> pd.DatetimeIndex:
    """The last session of every week from `start` to `end`; a week still running has none.

    Examples
    --------
    Good Friday 2024 is no session.

    >>> list(week_ends("XNYS", "2024-03-20", "2024-04-03").strftime("%m-%d"))
    ['03-22', '03-28']
    """
    known = sessions(exchange, start, pd.Timestamp(end) + pd.Timedelta(days=14))
    last = known[:-1][known[:-1].to_period("W") != known[1:].to_period("W")]
    return last[last <= pd.Timestamp(end)]


def as_of(
    left: pd.DataFrame, right: pd.DataFrame, *, by: str | list[str] | None = None, on: str = "available_at"
) -> pd.DataFrame:
    """Join to each row of `left` the latest row of `right` that was known by then.

    Parameters
    ----------
    left, right : DataFrame
        Both carry the UTC column `on`; `right` may carry several rows per instant, of which the last counts.
    by : str or list of str, optional
        Columns that must be equal.

    Returns
    -------
    DataFrame
        The rows of `left` in their order, with the columns of `right`; unknown where nothing was known yet.
    """
    order = left.reset_index(drop=True).rename_axis("_row").reset_index().sort_values(on, kind="stable")
    joined = pd.merge_asof(order, right.sort_values(on, kind="stable"), on=on, by=by, direction="backward")
    return joined.sort_values("_row").drop(columns="_row").reset_index(drop=True)
