"""Where the total-return index stands beside its own past: averages, lines, bands and highs."""

from __future__ import annotations

import numpy as np
from numba import njit

from etf_pipeline.features.bars import Bars
from etf_pipeline.features.feature import HALF, YEAR, Feature
from etf_pipeline.features.windows import Floats, Ints, known, window_max, window_spread, window_sums

BAND = 20
"""Bollinger's window. [sessions]"""

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
        own, here = index[starts[f] : starts[f + 1]], out[:, starts[f] : starts[f + 1]]
        _averages(own, here)
        _band(own, here[2])
        _line(log_index[starts[f] : starts[f + 1]], here[3])
        _high(own, here[4], here[5])


@njit(cache=True, error_model="numpy")
def _averages(own: Floats, out: Floats) -> None:
    sums = np.empty((2, own.size))
    window_sums(own, np.array([50, 200]), sums)
    for i in range(own.size):
        out[0, i] = known(own[i] * 200 / sums[1, i] - 1.0)
        out[1, i] = known(sums[0, i] * 4 / sums[1, i] - 1.0)


@njit(cache=True, error_model="numpy")
def _band(own: Floats, out: Floats) -> None:
    mean, squares, unused = np.empty(own.size), np.empty(own.size), np.empty(own.size)
    window_spread(own, BAND, mean, squares, unused)
    for i in range(own.size):
        out[i] = known((own[i] - mean[i]) / np.sqrt(squares[i] / (BAND - 1)))


@njit(cache=True, error_model="numpy")
def _line(levels: Floats, out: Floats) -> None:
    mean, squares, slope = np.empty(levels.size), np.empty(levels.size), np.empty(levels.size)
    window_spread(levels, HALF, mean, squares, slope)
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
