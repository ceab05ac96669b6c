"""Where the total-return index stands beside its own past: averages, lines, bands and highs."""

from __future__ import annotations

import numpy as np
from numba import njit

from etf_pipeline.features.bars import Bars
from etf_pipeline.features.feature import HALF, YEAR, Feature
from etf_pipeline.features.windows import TO_HALF, Floats, Ints, known, window_max, window_spread, window_sums

BAND = 20
"""Bollinger's window. [sessions]"""

TO_BAND, TO_AVERAGES = (2, 4, 5, 10, 20), (2, 4, 5, 10, 20, 40, 50, 100, 200)

AVERAGES = "Brock, Lakonishok & LeBaron 1992, doi:10.1111/j.1540-6261.1992.tb04681.x"

FEATURES = {
    "distance_200": Feature("Total-return index over its 200-session mean, less 1", "fraction", "trend", 199, AVERAGES),
    "crossover_50_200": Feature(
        "50-session over 200-session mean of the total-return index, less 1", "fraction", "trend", 199, AVERAGES
    ),
    "bollinger_20": Feature(
        "Total-return index less its 20-session mean, in its standard deviations",
        "standard deviations",
        "trend",
        BAND - 1,
        "Bollinger 2001, ISBN 0071373683",
    ),
    "trend_r2_126": Feature(
        "R2 of the log total-return index on time, 126 sessions, with the sign of the slope",
        "fraction",
        "trend",
        HALF - 1,
        "Clenow 2015, ISBN 1511466146",
    ),
    "drawdown_252": Feature(
        "Fall from the 252-session high of the total-return index, positive",
        "fraction",
        "drawdown",
        YEAR - 1,
        "George & Hwang 2004, doi:10.1111/j.1540-6261.2004.00695.x",
    ),
    "underwater_252": Feature(
        "Sessions since the 252-session high of the total-return index, over 252",
        "fraction",
        "drawdown",
        YEAR - 1,
        "Bhootra & Hur 2013, doi:10.1016/j.jbankfin.2013.05.024",
    ),
}


def compute(x: Bars, out: Floats) -> None:
    """Each of `FEATURES` into its row of `out`, of shape (n_features, n_bars).

    Notes
    -----
    Bollinger's bands have the standard deviation of the sample, ddof 1. A band or line without width is unknown. Of equal highs
    the earliest counts.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        _trend(x.starts, x.index, np.log(x.index), out)


@njit(cache=True, error_model="numpy")
def _trend(starts: Ints, index: Floats, log_index: Floats, out: Floats) -> None:
    for f in range(starts.size - 1):
        a, b = starts[f], starts[f + 1]
        _averages(index[a:b], out[0, a:b], out[1, a:b])
        _band(index[a:b], out[2, a:b])
        _line(log_index[a:b], out[3, a:b])
        _high(index[a:b], out[4, a:b], out[5, a:b])


@njit(cache=True, error_model="numpy")
def _averages(own: Floats, distance: Floats, crossover: Floats) -> None:
    sums = window_sums(own, np.array(TO_AVERAGES))
    short, long = sums[-3], sums[-1]
    for i in range(own.size):
        distance[i] = known(own[i] * 200 / long[i] - 1.0)
        crossover[i] = known(short[i] * 4 / long[i] - 1.0)


@njit(cache=True, error_model="numpy")
def _band(own: Floats, out: Floats) -> None:
    spread = window_spread(own, np.array(TO_BAND))
    mean, squares = spread[0], spread[1]
    for i in range(own.size):
        out[i] = known((own[i] - mean[i]) / np.sqrt(squares[i] / (BAND - 1)))


@njit(cache=True, error_model="numpy")
def _line(levels: Floats, out: Floats) -> None:
    spread = window_spread(levels, np.array(TO_HALF))
    squares, slope = spread[1], spread[2]
    time = HALF * (HALF * HALF - 1.0) / 12.0
    for i in range(levels.size):
        out[i] = known(slope[i] * abs(slope[i]) / (squares[i] * time))


@njit(cache=True, error_model="numpy")
def _high(own: Floats, fall: Floats, age: Floats) -> None:
    """The earliest highest bar moves forward only: its search over all windows is one pass."""
    window_max(own, YEAR, fall)
    age[: min(own.size, YEAR - 1)] = np.nan
    peak = 0
    for i in range(YEAR - 1, own.size):
        peak = max(peak, i - YEAR + 1)
        while own[peak] != fall[i] and peak < i:
            peak += 1
        age[i] = (i - peak) / YEAR
    for i in range(own.size):
        fall[i] = known(1.0 - own[i] / fall[i])
