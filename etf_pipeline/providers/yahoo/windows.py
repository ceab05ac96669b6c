"""Which days of which ticker to ask for, given what there is. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.providers import Known
from etf_pipeline.providers.macro_series import SERIES, MacroSeries
from etf_pipeline.providers.network.first_seen import since

LISTINGS: dict[str, tuple[str, str]] = {"": ("XNYS", "USD"), ".AX": ("XASX", "AUD")}
"""Yahoo's suffix of a ticker to exchange calendar and currency."""

OVERLAP = 10
"""Sessions before the last one that are asked for again, so that a restatement is seen. [sessions]"""

HEALED = 60
"""Gaps this recent are asked for every night; older ones on the day of the fund's refresh. [sessions]"""

REFRESH = 30
"""What a fund is, and its old gaps, are asked for once in so many days, spread over the funds. [days]"""

SETTLED = pd.Timedelta(minutes=30)
"""After the close Yahoo needs a while for the final bar."""


@dataclass(frozen=True)
class Window:
    """What to ask for one ticker.

    Attributes
    ----------
    ticker : str
        Yahoo's name.
    exchange, currency : str
        Of its listing.
    start, end : Timestamp
        First and last session asked for.
    whole : bool
        Whether `start` is before everything that Yahoo has.
    refresh : bool
        Whether to ask what the fund is.
    """

    ticker: str
    exchange: str
    currency: str
    start: pd.Timestamp
    end: pd.Timestamp
    whole: bool
    refresh: bool


def listing(ticker: str) -> tuple[str, str] | None:
    """Exchange and currency of a ticker; None where its suffix is not known.

    Examples
    --------
    >>> listing("VAS.AX"), listing("SPY"), listing("VUSA.L")
    (('XASX', 'AUD'), ('XNYS', 'USD'), None)
    """
    return LISTINGS.get(PurePosixPath(ticker).suffix.upper())


def fund_windows(tickers: Sequence[str], known: Known | None, now: pd.Timestamp) -> list[Window]:
    """One window per ticker of a known listing, in the order given.

    Parameters
    ----------
    tickers : sequence of str
        Yahoo's names.
    known : Known or None
        What earlier fetches delivered.
    now : Timestamp
        Instant of the fetch. [UTC]
    """
    held = {} if known is None else known.spans.groupby("ticker")["last_session"].max().to_dict()
    gaps = {} if known is None else {str(t): list(g) for t, g in known.gaps.groupby("ticker")["session"]}
    found = []
    for ticker in tickers:
        where = listing(ticker)
        if where is not None:
            found.append(_window(ticker, where, held.get(ticker), gaps.get(ticker, []), now))
    return found


def _window(
    ticker: str, where: tuple[str, str], last: pd.Timestamp | None, gaps: Sequence[pd.Timestamp], now: pd.Timestamp
) -> Window:
    end = last_closed(where[0], now)
    refresh = last is None or is_refresh_day(ticker, now)
    if last is None:
        return Window(ticker, *where, pd.Timestamp(calendars.FIRST_SESSION), end, whole=True, refresh=True)
    before = calendars.sessions(where[0], last - pd.Timedelta(days=2 * HEALED), last)
    start = before[-min(OVERLAP, len(before))]
    heal = [gap for gap in gaps if refresh or gap >= before[-min(HEALED, len(before))]]
    return Window(ticker, *where, min([start, *heal]), max(end, start), whole=False, refresh=refresh)


def index_windows(known: Known | None, now: pd.Timestamp) -> list[tuple[MacroSeries, Window]]:
    """Windows of the macro series that Yahoo carries: indices and the exchange rate, to the last day that may have a value."""
    last = {} if known is None else dict(zip(known.macro["series"], known.macro["last_period"], strict=True))
    today = now.tz_convert("America/New_York").tz_localize(None).normalize()
    found = []
    for series in (s for s in SERIES.values() if s.feed == "yahoo"):
        start = since(series, last.get(series.code)) or pd.Timestamp(calendars.FIRST_SESSION)
        window = Window(series.feed_name, "XNYS", "", start, today, whole=series.code not in last, refresh=False)
        found.append((series, window))
    return found


def last_closed(exchange: str, now: pd.Timestamp) -> pd.Timestamp:
    """Last session of the exchange whose final bar is out."""
    today = now.tz_localize(None).normalize()
    recent = calendars.sessions(exchange, today - pd.Timedelta(days=14), today + pd.Timedelta(days=1))
    closed = (calendars.closes(exchange, recent) + SETTLED <= now).to_numpy()
    return recent[closed][-1]


def is_refresh_day(ticker: str, now: pd.Timestamp) -> bool:
    """Whether this is the ticker's day in the round of `REFRESH` days; by name, so that every day has its share of funds."""
    return (zlib.crc32(ticker.encode()) + now.toordinal()) % REFRESH == 0
