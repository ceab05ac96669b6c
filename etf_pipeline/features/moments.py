"""What the distribution of a fund's own returns was: risk, tails, persistence and reward for risk."""

from __future__ import annotations

import numpy as np
from numba import njit

from etf_pipeline.features.bars import Bars
from etf_pipeline.features.feature import HALF, MONTH, QUARTER, YEAR, Feature
from etf_pipeline.features.windows import Floats, Ints, known, scatter, window_max, window_sums

LAG = 5
"""Sessions of the longer return in the variance ratio: a week."""

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
        HALF,
        "Lo & MacKinlay 1988, doi:10.1093/rfs/1.1.41",
    ),
    "autocorrelation_126": Feature(
        "Correlation of 126 returns with those one session earlier",
        "correlation",
        "persistence",
        HALF + 1,
        "Lewellen 2002, doi:10.1093/rfs/15.2.533",
    ),
    "rsi_14": Feature("Cutler's relative strength index, 14 sessions", "0 to 100", "trend", 14, "Wilder 1978, ISBN 0894590278"),
}


def compute(x: Bars, out: Floats) -> None:
    """Each of `FEATURES` into its row of `out`, of shape (n_features, n_bars).

    Notes
    -----
    Variance, skewness and excess kurtosis are pandas' (ddof 1, adjusted for the sample). The variance ratio takes the 5-session
    sums that lie within the window, each sample about its own mean, and is not corrected for their overlap. Cutler's index takes
    simple means of gains and losses in place of Wilder's smoothing, so that it depends on its window alone.
    """
    _moments(x.starts, x.total_return, out)


@njit(cache=True, error_model="numpy")
def _moments(starts: Ints, returns: Floats, out: Floats) -> None:
    for f in range(starts.size - 1):
        r, here = returns[starts[f] : starts[f + 1]], out[:, starts[f] : starts[f + 1]]
        sums, squares = np.empty((4, r.size)), np.empty((4, r.size))
        windows = np.array([MONTH, QUARTER, HALF, YEAR])
        window_sums(r, windows, sums)
        window_sums(r * r, windows, squares)
        _risk(r, sums, squares, here)
        _tails(r, sums, squares, here)
        _persistence(r, sums[2], squares[2], here)
        _strength(r, here[10])


@njit(cache=True, error_model="numpy")
def _risk(r: Floats, sums: Floats, squares: Floats, out: Floats) -> None:
    falls = np.empty((1, r.size))
    window_sums(np.minimum(r, 0.0) ** 2, np.array([QUARTER]), falls)
    for i in range(r.size):
        month = np.sqrt(YEAR / (MONTH - 1) * scatter(sums[0, i], squares[0, i], MONTH))
        half = np.sqrt(YEAR / (HALF - 1) * scatter(sums[2, i], squares[2, i], HALF))
        year = np.sqrt(YEAR / (YEAR - 1) * scatter(sums[3, i], squares[3, i], YEAR))
        out[0, i] = known(month)
        out[1, i] = known(np.sqrt(YEAR / (QUARTER - 1) * scatter(sums[1, i], squares[1, i], QUARTER)))
        out[2, i] = known(month / half)
        out[3, i] = known(np.sqrt(YEAR / QUARTER * falls[0, i]))
        out[7, i] = known(sums[3, i] / year)


@njit(cache=True, error_model="numpy")
def _tails(r: Floats, sums: Floats, squares: Floats, out: Floats) -> None:
    n = HALF
    third, fourth = np.empty((1, r.size)), np.empty((1, r.size))
    window_sums(r * r * r, np.array([n]), third)
    window_sums((r * r) * (r * r), np.array([n]), fourth)
    window_max(r, MONTH, out[6])
    for i in range(r.size):
        mean, square = sums[2, i] / n, squares[2, i]
        variance = scatter(sums[2, i], square, n) / (n - 1)
        cubes = third[0, i] - 3 * mean * square + 2 * n * mean * mean * mean
        out[4, i] = known(n / ((n - 1) * (n - 2)) * cubes / (variance * np.sqrt(variance)))
        powers = fourth[0, i] - 4 * mean * third[0, i] + 6 * mean * mean * square - 3 * n * mean * mean * mean * mean
        scale = n * (n + 1.0) / ((n - 1.0) * (n - 2.0) * (n - 3.0))
        out[5, i] = known(scale * powers / (variance * variance) - 3.0 * (n - 1.0) ** 2 / ((n - 2.0) * (n - 3.0)))
        out[6, i] = known(out[6, i] + 0.0 * sums[0, i])  # unknown where one of the returns is


@njit(cache=True, error_model="numpy")
def _persistence(r: Floats, sums: Floats, squares: Floats, out: Floats) -> None:
    n, m, size = HALF, HALF - LAG + 1, r.size
    weeks, week_sums, week_squares, products = np.empty((1, size)), np.empty((1, size)), np.empty((1, size)), np.empty((1, size))
    window_sums(r, np.array([LAG]), weeks)
    window_sums(weeks[0], np.array([m]), week_sums)
    window_sums(weeks[0] * weeks[0], np.array([m]), week_squares)
    pairs = np.full(size, np.nan)
    pairs[1:] = r[1:] * r[:-1]
    window_sums(pairs, np.array([n]), products)
    out[8:10, : min(size, 1)] = np.nan
    for i in range(1, size):
        own, earlier = scatter(sums[i], squares[i], n), scatter(sums[i - 1], squares[i - 1], n)
        joint = products[0, i] - sums[i] * sums[i - 1] / n
        out[9, i] = known(joint / np.sqrt(own * earlier))
        out[8, i] = known(scatter(week_sums[0, i], week_squares[0, i], m) / (m - 1) / (LAG * own / (n - 1)))


@njit(cache=True, error_model="numpy")
def _strength(r: Floats, out: Floats) -> None:
    gains, moves = np.empty((1, r.size)), np.empty((1, r.size))
    window_sums(np.maximum(r, 0.0), np.array([14]), gains)
    window_sums(np.abs(r), np.array([14]), moves)
    for i in range(r.size):
        out[i] = known(100.0 * gains[0, i] / moves[0, i])
