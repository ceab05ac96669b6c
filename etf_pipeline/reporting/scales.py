"""Where an axis has its ticks, and which points a picture can show."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np
import pandas as pd

Rows = TypeVar("Rows", pd.DataFrame, "pd.Series[Any]")


def linear_ticks(low: float, high: float, n: int = 5) -> list[float]:
    """Round numbers from `low` to `high`, about `n` of them.

    Examples
    --------
    >>> linear_ticks(-0.12, 0.31)
    [-0.1, 0.0, 0.1, 0.2, 0.3]
    """
    if not high > low:
        return [low]
    raw = (high - low) / n
    power = 10.0 ** math.floor(math.log10(raw))
    step = power * next(m for m in (1, 2, 5, 10) if m * power >= raw * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    digits = max(0, -math.floor(math.log10(step)) + 1)
    return [round(i * step, digits) + 0.0 for i in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Ticks of a logarithmic axis at 1, 2 and 5 times powers of ten; evenly spaced ones where fewer than three fit.

    Examples
    --------
    >>> log_ticks(0.8, 12)
    [1.0, 2.0, 5.0, 10.0]
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [float(f"{m * 10.0**p:.3g}") for p in powers for m in (1, 2, 5) if low <= m * 10.0**p <= high]
    if len(ticks) > 7:
        ticks = [float(f"{10.0**p:.3g}") for p in powers if low <= 10.0**p <= high]
    return ticks if len(ticks) >= 3 else linear_ticks(low, high, 4)


def year_ticks(first: pd.Timestamp, last: pd.Timestamp, n: int = 7) -> list[pd.Timestamp]:
    """First days of years inside the span, at most about `n`; of months where the span is shorter than two years.

    Examples
    --------
    >>> [t.year for t in year_ticks(pd.Timestamp("2005-03-01"), pd.Timestamp("2024-06-30"))]
    [2008, 2011, 2014, 2017, 2020, 2023]
    """
    months = (last.year - first.year) * 12 + last.month - first.month
    if months < 24:
        step = max(1, math.ceil(months / n))
        days = pd.date_range(first.to_period("M").start_time, last, freq="MS")[::step]
        return [d for d in days if d >= first] or [first]
    step = max(1, math.ceil(months / 12 / n))
    return [pd.Timestamp(y, 1, 1) for y in range(first.year + 1, last.year + 1) if (y - last.year + 1) % step == 0]


def thin(rows: Rows, limit: int = 500) -> Rows:
    """Every k-th row and the last one: as many as a picture can show."""
    if len(rows) <= limit:
        return rows
    keep = np.arange(len(rows) - 1, -1, -math.ceil(len(rows) / limit))[::-1]
    return rows.iloc[keep]


def spells(states: pd.Series[Any]) -> list[tuple[pd.Timestamp, pd.Timestamp, str, int]]:
    """Runs of equal states of a series by session: first session, last session, state, number of sessions."""
    if states.empty:
        return []
    run = (states != states.shift()).cumsum().to_numpy()
    starts = np.flatnonzero(np.diff(run, prepend=run[0] - 1))
    ends = np.append(starts[1:], len(states)) - 1
    return [
        (states.index[int(i)], states.index[int(j)], str(states.iloc[int(i)]), int(j - i + 1))
        for i, j in zip(starts, ends, strict=True)
    ]
