"""Minute bars of a price file to daily rows of `raw_prices`: first, highest, lowest and last trade between open and close.

A minute without a trade has no bar. The last minute is the last of *continuous* trading: where an auction sets the official
close (ASX, ten minutes after), it is not in there, and the daily close is the last trade before it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.errors import DataError
from etf_pipeline.providers.files.bars import PRICE_FIELDS, settle_repeats
from etf_pipeline.providers.files.cells import Cells
from etf_pipeline.providers.files.layout import FileEntry
from etf_pipeline.providers.files.rejects import UnreadableFile, join_rejects, reject_rows
from etf_pipeline.providers.files.tabular import Lines

SLACK = pd.Timedelta(minutes=15)
"""A session is whole where some ticker of the exchange traded this soon after the open and this late before the close."""


def parse_minute_bars(lines: Lines, entry: FileEntry) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Daily bars of one file of minute bars.

    Parameters
    ----------
    lines : Lines
        As `read_lines` took them; the column of `session` holds the instant that a minute begins. [UTC]
    entry : FileEntry
        Column names, exchange, currency and `suffix`: tickers that do not end in it belong to another entry.

    Returns
    -------
    prices, rejects : DataFrame
        Rows of `raw_prices`, numbered by the line of their last minute, and `raw_rejects`: repeated minutes by their lines, and
        one row that counts minutes without a price, outside the sessions, or of sessions that the file covers in part.

    Raises
    ------
    UnreadableFile
        If the exchange has no calendar.
    """
    cells, names = Cells(lines), entry.columns
    began, tickers = cells.instants(names["session"]), cells.words(names["ticker"], needed=True)
    cells.refuse(began.isna().to_numpy(), "not_a_date", lambda i: f"{names['session']} is blank")
    bars = {field: cells.numbers(names[field]) for field in PRICE_FIELDS}
    frame = pd.DataFrame({"ticker": tickers, "began": began, **bars, "source": lines.source, "source_row": lines.rows})
    frame = frame[cells.readable & pd.Series(tickers).str.strip().str.endswith(entry.suffix, na=False).to_numpy()]
    priced = frame.dropna(subset=["open", "high", "low", "close"])
    kept, repeated = settle_repeats(priced, ["ticker", "began"], list(PRICE_FIELDS), "raw_prices")
    kept, left_out = _within_sessions(kept, entry.exchange, lines.source)
    left_out = {"without a price": len(frame) - len(priced), **left_out}
    found = ["; ".join(f"{count} minutes {words}" for words, count in left_out.items() if count)]
    unseen = reject_rows("raw_prices", lines.source, "missing_value", [-1], found) if found[0] else join_rejects([])
    nowhere = np.full(len(tickers), np.datetime64("NaT"), "datetime64[ns]")
    return _daily(kept, entry), join_rejects([cells.rejects("raw_prices", nowhere, tickers), repeated, unseen])


def _within_sessions(minutes: pd.DataFrame, exchange: str, source: str) -> tuple[pd.DataFrame, dict[str, int]]:
    """Minutes of whole sessions, with `session`, and how many the others are."""
    if minutes.empty:
        return minutes.assign(session=pd.Series(dtype="datetime64[ns]")), {}
    day = pd.Timedelta(days=1)
    first, last = (t.tz_localize(None).normalize() for t in (minutes["began"].min(), minutes["began"].max()))
    try:
        days = calendars.sessions(exchange, first - day, last + day)
        opens, closes = calendars.opens(exchange, days), calendars.closes(exchange, days)
    except DataError as error:
        raise UnreadableFile(source, "unknown_exchange", needed="an exchange with a calendar", found=f"'{exchange}'") from error
    at = pd.DatetimeIndex(opens).searchsorted(pd.DatetimeIndex(minutes["began"]), side="right") - 1
    inside = (at >= 0) & (minutes["began"].to_numpy() <= closes.to_numpy()[at])
    placed = minutes[inside].assign(
        session=days[at[inside]], since=opens.to_numpy()[at[inside]], until=closes.to_numpy()[at[inside]]
    )
    span = placed.groupby("session").agg(
        since=("since", "first"), until=("until", "first"), a=("began", "min"), z=("began", "max")
    )
    whole = span.index[(span["a"] <= span["since"] + SLACK) & (span["z"] >= span["until"] - SLACK)]
    kept = placed[placed["session"].isin(whole)]
    partial = f"of {len(span) - len(whole)} sessions that it has in part"
    return kept, {"outside the sessions": len(minutes) - len(placed), partial: len(placed) - len(kept)}


def _daily(minutes: pd.DataFrame, entry: FileEntry) -> pd.DataFrame:
    ordered = minutes.sort_values(["ticker", "began"], kind="stable").groupby(["ticker", "session"], as_index=False)
    bars = ordered.agg(
        open=("open", "first"),
        high=("high", "max"),
        low=("low", "min"),
        close=("close", "last"),
        volume=("volume", "sum"),
        source=("source", "last"),
        source_row=("source_row", "last"),
    )
    return bars.assign(currency=entry.currency, exchange=entry.exchange, adjustment=entry.adjustment)
