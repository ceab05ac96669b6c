"""What happens within a session and between two: ranges, nights and days."""

from __future__ import annotations

import numpy as np
from numba import njit

from etf_pipeline.features.bars import Bars
from etf_pipeline.features.feature import MONTH, QUARTER, YEAR, Feature
from etf_pipeline.features.windows import TO_MONTH, TO_QUARTER, Floats, Ints, known, times, window_sum

NIGHTS = "Lou, Polk & Skouras 2019, doi:10.1016/j.jfineco.2019.03.011"

FEATURES = {
    "range_volatility_21": Feature(
        "Annual volatility from 21 sessions' ranges of high over low",
        "fraction per year",
        "risk",
        MONTH - 1,
        "Parkinson 1980, doi:10.1086/296071",
    ),
    "overnight_63": Feature("Sum of 63 returns from close to open", "fraction", "intraday", QUARTER, NIGHTS),
    "intraday_63": Feature("Sum of 63 returns from open to close", "fraction", "intraday", QUARTER, NIGHTS),
}


def compute(x: Bars, out: Floats) -> None:
    """Each of `FEATURES` into its row of `out`, of shape (n_features, n_bars).

    Notes
    -----
    Parkinson's variance of a session is ``log(high / low)^2 / (4 log 2)``: it sees the day alone, not the night. Dividends and
    splits take effect overnight.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ranges = x.high / x.low
        np.log(ranges, out=ranges)
    _intraday(x.starts, ranges, x.total_return, x.open_return, out)


@njit(cache=True, error_model="numpy")
def _intraday(starts: Ints, ranges: Floats, returns: Floats, nights: Floats, out: Floats) -> None:
    for f in range(starts.size - 1):
        a, b = starts[f], starts[f + 1]
        _ranges(window_sum(times(ranges[a:b], ranges[a:b]), np.array(TO_MONTH)), out[0, a:b])
        _sum(nights[a:b], out[1, a:b])
        _sum(_days(returns[a:b], nights[a:b]), out[2, a:b])


@njit(cache=True, error_model="numpy")
def _ranges(squares: Floats, out: Floats) -> None:
    scale = YEAR / (MONTH * 4.0 * np.log(2.0))
    for i in range(out.size):
        out[i] = known(np.sqrt(scale * squares[i]))


@njit(cache=True, error_model="numpy")
def _days(returns: Floats, nights: Floats) -> Floats:
    out = np.empty(returns.size)
    for i in range(out.size):
        out[i] = (returns[i] - nights[i]) / (1.0 + nights[i])
    return out


@njit(cache=True, error_model="numpy")
def _sum(values: Floats, out: Floats) -> None:
    sums = window_sum(values, np.array(TO_QUARTER))
    for i in range(out.size):
        out[i] = known(sums[i])
