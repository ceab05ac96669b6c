"""What comes with the calendar and with holding: the season, and income."""

from __future__ import annotations

import numpy as np
from numba import njit

from etf_pipeline.features.bars import Bars
from etf_pipeline.features.feature import YEAR, Feature
from etf_pipeline.features.windows import Floats, Ints, known

YEARS = 5
"""Earlier years that the season is read from: it is a lookback that a night can afford to read again. [years]"""

MOST_SESSIONS = 23
"""Most weekdays of a month."""

FEATURES = {
    "seasonality": Feature(
        "Mean total return of the same calendar month in the last 5 years",
        "fraction per month",
        "calendar",
        (12 * YEARS + 2) * MOST_SESSIONS,
        "Heston & Sadka 2008, doi:10.1016/j.jfineco.2007.02.003",
    ),
    "dividend_yield": Feature(
        "Dividends of 252 sessions over the close",
        "fraction per year",
        "income",
        YEAR - 1,
        "Litzenberger & Ramaswamy 1979, doi:10.1016/0304-405X(79)90012-6",
    ),
}


def compute(x: Bars, out: Floats) -> None:
    """Each of `FEATURES` into its row of `out`, of shape (n_features, n_bars).

    Notes
    -----
    A month's return runs from the last close of the month before to its own last close; it is unknown where the month before has
    no bar. One earlier year is enough for a mean. A dividend per share of its day is brought to today's shares by every split
    since; the yield is unknown where the source has already taken dividends out of its prices.
    """
    _season(x.starts, x.index, x.months, out[0])
    _income(x.starts, x.close, x.dividend, x.split_ratio, out[1])


@njit(cache=True, error_model="numpy")
def _season(starts: Ints, index: Floats, months: Ints, out: Floats) -> None:
    for f in range(starts.size - 1):
        a, b = starts[f], starts[f + 1]
        earned = _month_returns(index[a:b], months[a:b])
        month, value = -1, np.nan
        for i in range(a, b):
            if months[i] != month:
                month = months[i]
                value = _same_month(earned, month - months[a])
            out[i] = value


@njit(cache=True, error_model="numpy")
def _month_returns(index: Floats, months: Ints) -> Floats:
    """Return of each calendar month from the first on; NaN for the first and where the month before has no bar."""
    last = np.full(months[-1] - months[0] + 1 if months.size else 0, np.nan)
    for i in range(index.size):
        last[months[i] - months[0]] = index[i]
    earned = np.full(last.size, np.nan)
    earned[1:] = last[1:] / last[:-1] - 1.0
    return earned


@njit(cache=True, error_model="numpy")
def _same_month(earned: Floats, month: int) -> float:
    total, count = 0.0, 0
    for lag in range(12, 12 * YEARS + 1, 12):
        if month >= lag and not np.isnan(earned[month - lag]):
            total += earned[month - lag]
            count += 1
    return known(total / count) if count else np.nan


@njit(cache=True, error_model="numpy")
def _income(starts: Ints, close: Floats, dividend: Floats, split: Floats, out: Floats) -> None:
    """Dividends of the window wait in a queue, each in today's shares; their sum is made anew, oldest first, when one changes."""
    paid, when = np.empty(YEAR), np.empty(YEAR, np.int64)
    for f in range(starts.size - 1):
        first, count, total, unknown = 0, 0, 0.0, starts[f] - 1
        for i in range(starts[f], starts[f + 1]):
            changed = False
            if count and when[first % YEAR] <= i - YEAR:
                first, count, changed = first + 1, count - 1, True
            if split[i] != 1.0:
                changed = True
                for k in range(first, first + count):
                    paid[k % YEAR] /= split[i]
            if np.isnan(dividend[i]) or np.isnan(split[i]):
                unknown = i
            elif dividend[i] != 0.0:
                paid[(first + count) % YEAR], when[(first + count) % YEAR] = dividend[i], i
                count, changed = count + 1, True
            if changed:
                total = 0.0
                for k in range(first, first + count):
                    total += paid[k % YEAR]
            complete = i - starts[f] >= YEAR - 1 and i - unknown >= YEAR
            out[i] = known(total / close[i]) if complete else np.nan
