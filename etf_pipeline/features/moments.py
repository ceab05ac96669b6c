"""What the distribution of a fund's own returns was: risk, tails, persistence and reward for risk."""

from __future__ import annotations

import numpy as np
from numba import njit

from etf_pipeline.features.bars import Bars
from etf_pipeline.features.feature import HALF, MONTH, QUARTER, YEAR, Feature
from etf_pipeline.features.windows import (
    TO_HALF,
    TO_QUARTER,
    TO_YEAR,
    Floats,
    Ints,
    known,
    scatter,
    times,
    window_max,
    window_sum,
    window_sums,
)

LAG = 5
"""Sessions of the longer return in the variance ratio: a week."""

STRENGTH = 14
"""Wilder's window. [sessions]"""

TO_WEEK, TO_STRENGTH = (2, 4, 5), (2, 3, 6, 7, 14)

FEATURES = {
    "volatility_21": Feature(
        "Annual volatility of 21 session returns",
        "fraction per year",
        "risk",
        MONTH,
        "Ang, Hodrick, Xing & Zhang 2006, doi:10.1111/j.1540-6261.2006.00836.x",
    ),
    "volatility_63": Feature(
        "Annual volatility of 63 session returns",
        "fraction per year",
        "risk",
        QUARTER,
        "Blitz & van Vliet 2007, doi:10.3905/jpm.2007.698039",
    ),
    "volatility_ratio": Feature(
        "21-session volatility over 126-session volatility",
        "ratio",
        "risk",
        HALF,
        "Moreira & Muir 2017, doi:10.1111/jofi.12513",
    ),
    "downside_63": Feature(
        "Annual root mean square of negative returns, 63 sessions",
        "fraction per year",
        "risk",
        QUARTER,
        "Sortino & van der Meer 1991, doi:10.3905/jpm.1991.409343",
    ),
    "skewness_126": Feature(
        "Sample skewness of 126 returns", "ratio", "tails", HALF, "Harvey & Siddique 2000, doi:10.1111/0022-1082.00247"
    ),
    "kurtosis_126": Feature(
        "Sample excess kurtosis of 126 returns",
        "ratio",
        "tails",
        HALF,
        "Amaya, Christoffersen, Jacobs & Vasquez 2015, doi:10.1016/j.jfineco.2015.02.009",
    ),
    "max_return_21": Feature(
        "Largest session return of 21",
        "fraction",
        "tails",
        MONTH,
        "Bali, Cakici & Whitelaw 2011, doi:10.1016/j.jfineco.2010.08.014",
    ),
    "sharpe_252": Feature(
        "Mean over standard deviation of 252 returns, annual",
        "ratio",
        "momentum",
        YEAR,
        "Rachev, Jasic, Stoyanov & Fabozzi 2007, doi:10.1016/j.jbankfin.2006.12.016",
    ),
    "variance_ratio_126": Feature(
        "Variance of 5-session sums over 5 times that of returns, 126 sessions",
        "ratio",
        "persistence",
        HALF + LAG - 1,
        "Lo & MacKinlay 1988, doi:10.1093/rfs/1.1.41",
    ),
    "autocorrelation_126": Feature(
        "Correlation of 126 returns with those one session earlier",
        "correlation",
        "persistence",
        HALF + 1,
        "Lewellen 2002, doi:10.1093/rfs/15.2.533",
    ),
    "rsi_14": Feature(
        "Cutler's relative strength index, 14 sessions", "0 to 100", "trend", STRENGTH, "Wilder 1978, ISBN 0894590278"
    ),
}


def compute(x: Bars, out: Floats) -> None:
    """Each of `FEATURES` into its row of `out`, of shape (n_features, n_bars).

    Notes
    -----
    Variance, skewness and excess kurtosis are pandas' (ddof 1, adjusted for the sample). The variance ratio takes the 5-session
    sums that end within the window, each sample about its own mean, and is not corrected for their overlap. Cutler's index takes
    simple means of gains and losses in place of Wilder's smoothing, so that it depends on its window alone.
    """
    _moments(x.starts, x.total_return, out)


@njit(cache=True, error_model="numpy")
def _moments(starts: Ints, returns: Floats, out: Floats) -> None:
    to_year, to_half = np.array(TO_YEAR), np.array(TO_HALF)
    for f in range(starts.size - 1):
        a, b = starts[f], starts[f + 1]
        r = returns[a:b]
        square = times(r, r)
        sums, squares = window_sums(r, to_year)[5:], window_sums(square, to_year)[5:]  # 21, 42, 63, 126 and 252 sessions
        cubes, fourths = window_sum(times(square, r), to_half), window_sum(times(square, square), to_half)
        _volatility(sums[0], squares[0], MONTH, out[0, a:b])
        _volatility(sums[2], squares[2], QUARTER, out[1, a:b])
        _volatility(sums[3], squares[3], HALF, out[2, a:b])
        _ratio(out[0, a:b], out[2, a:b], out[2, a:b])
        _downside(r, out[3, a:b])
        _skewness(sums[3], squares[3], cubes, out[4, a:b])
        _kurtosis(sums[3], squares[3], cubes, fourths, out[5, a:b])
        _largest(r, sums[0], out[6, a:b])
        _volatility(sums[4], squares[4], YEAR, out[7, a:b])
        _ratio(sums[4], out[7, a:b], out[7, a:b])
        _variance_ratio(r, sums[3], squares[3], out[8, a:b])
        _autocorrelation(r, sums[3], squares[3], out[9, a:b])
        _strength(r, out[10, a:b])


@njit(cache=True, error_model="numpy")
def _volatility(sums: Floats, squares: Floats, n: int, out: Floats) -> None:
    for i in range(out.size):
        out[i] = known(np.sqrt(YEAR / (n - 1) * scatter(sums[i], squares[i], n)))


@njit(cache=True, error_model="numpy")
def _ratio(numerator: Floats, denominator: Floats, out: Floats) -> None:
    for i in range(out.size):
        out[i] = known(numerator[i] / denominator[i])


@njit(cache=True, error_model="numpy")
def _downside(r: Floats, out: Floats) -> None:
    falls = np.empty(r.size)
    for i in range(r.size):
        falls[i] = r[i] * r[i] if r[i] < 0.0 else 0.0 * r[i]
    squares = window_sum(falls, np.array(TO_QUARTER))
    for i in range(r.size):
        out[i] = known(np.sqrt(YEAR / QUARTER * squares[i]))


@njit(cache=True, error_model="numpy")
def _skewness(sums: Floats, squares: Floats, cubes: Floats, out: Floats) -> None:
    n = HALF
    for i in range(out.size):
        mean, variance = sums[i] / n, scatter(sums[i], squares[i], n) / (n - 1)
        central = cubes[i] - 3 * mean * squares[i] + 2 * n * mean * mean * mean
        out[i] = known(n / ((n - 1) * (n - 2)) * central / (variance * np.sqrt(variance)))


@njit(cache=True, error_model="numpy")
def _kurtosis(sums: Floats, squares: Floats, cubes: Floats, fourths: Floats, out: Floats) -> None:
    n = HALF
    scale = n * (n + 1.0) / ((n - 1.0) * (n - 2.0) * (n - 3.0))
    normal = 3.0 * (n - 1.0) * (n - 1.0) / ((n - 2.0) * (n - 3.0))
    for i in range(out.size):
        mean, variance = sums[i] / n, scatter(sums[i], squares[i], n) / (n - 1)
        central = fourths[i] - 4 * mean * cubes[i] + 6 * mean * mean * squares[i] - 3 * n * mean * mean * mean * mean
        out[i] = known(scale * central / (variance * variance) - normal)


@njit(cache=True, error_model="numpy")
def _largest(r: Floats, sums: Floats, out: Floats) -> None:
    window_max(r, MONTH, out)
    for i in range(r.size):
        out[i] = known(out[i] + 0.0 * sums[i])  # unknown where one of the returns is


@njit(cache=True, error_model="numpy")
def _variance_ratio(r: Floats, sums: Floats, squares: Floats, out: Floats) -> None:
    n = HALF
    weeks, to_half = window_sum(r, np.array(TO_WEEK)), np.array(TO_HALF)
    week_sums, week_squares = window_sum(weeks, to_half), window_sum(times(weeks, weeks), to_half)
    for i in range(r.size):
        out[i] = known(scatter(week_sums[i], week_squares[i], n) / (LAG * scatter(sums[i], squares[i], n)))


@njit(cache=True, error_model="numpy")
def _autocorrelation(r: Floats, sums: Floats, squares: Floats, out: Floats) -> None:
    out[: min(r.size, 1)] = np.nan
    if r.size > 1:
        products = window_sum(times(r[1:], r[:-1]), np.array(TO_HALF))
        _lagged(sums[1:], squares[1:], sums[:-1], squares[:-1], products, out[1:])


@njit(cache=True, error_model="numpy")
def _lagged(sums: Floats, squares: Floats, old_sums: Floats, old_squares: Floats, products: Floats, out: Floats) -> None:
    n = HALF
    for i in range(out.size):
        own, earlier = scatter(sums[i], squares[i], n), scatter(old_sums[i], old_squares[i], n)
        out[i] = known((products[i] - sums[i] * old_sums[i] / n) / np.sqrt(own * earlier))


@njit(cache=True, error_model="numpy")
def _strength(r: Floats, out: Floats) -> None:
    rises, moves = np.empty(r.size), np.empty(r.size)
    for i in range(r.size):
        moves[i] = abs(r[i])
        rises[i] = 0.5 * (moves[i] + r[i])
    chain = np.array(TO_STRENGTH)
    gained, moved = window_sum(rises, chain), window_sum(moves, chain)
    for i in range(r.size):
        out[i] = known(100.0 * gained[i] / moved[i])
