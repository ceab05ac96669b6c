"""What a publisher revises is kept as it was first seen: a night takes the periods it lacks and leaves the others alone.

A nightly fetch thereby builds the vintages that a file of final values does not have. A value seen soon after its release is the
first print; what was fetched long after is the newest revision and says so.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from etf_pipeline.providers.macro_series import MacroSeries

OVERLAP = pd.Timedelta(days=14)
"""Of a series that is never revised so much is read again: a day that was late fills its gap."""

PROMPT = pd.Timedelta(days=7)
"""A value seen within this time of its release counts as the first print: publishers here revise with a later release."""


def since(series: MacroSeries, last_period: pd.Timestamp | None) -> pd.Timestamp | None:
    """First period worth asking for, given the last one there is; None for all."""
    if last_period is None:
        return None
    return last_period - OVERLAP if series.vintage == "first" else last_period + pd.Timedelta(days=1)


def first_seen(macro: pd.DataFrame, series: MacroSeries, start: pd.Timestamp | None, seen_at: pd.Timestamp) -> pd.DataFrame:
    """Rows of `raw_macro` from `start` on, each with the vintage that its first sight makes it.

    Parameters
    ----------
    macro : DataFrame
        Rows of one series, as a file of the newest values has them.
    start : Timestamp or None
        As `since` gives it.
    seen_at : Timestamp
        Instant of the fetch. [UTC]

    Notes
    -----
    `available_at` stays the publisher's usual release, so that no later fetch moves it.
    """
    rows = macro if start is None else macro[macro["period"] >= start].reset_index(drop=True)
    if series.vintage == "first":
        return rows
    prompt = rows["available_at"] >= seen_at - PROMPT
    return rows.assign(vintage=np.where(prompt, "first", "latest").astype(object))
