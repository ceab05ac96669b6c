"""How a fund moves with the market of its exchange, and what it earns and risks beyond that."""

from __future__ import annotations

import numpy as np
from numba import njit

from etf_pipeline.features.bars import Bars
from etf_pipeline.features.feature import HALF, MONTH, YEAR, Feature
from etf_pipeline.features.windows import Floats, Ints, known, scatter, window_sums

SPAN = YEAR - MONTH
"""Sessions of residual momentum, which end a month ago."""

FEATURES = {
    "correlation_126": Feature(
        "Correlation with the equal-weighted market of members, 126 sessions",
        "correlation",
        "comovement",
        HALF,
        "Asness, Frazzini, Gormsen & Pedersen 2020, doi:10.1016/j.jfineco.2019.07.003",
    ),
    "idiosyncratic_volatility_126": Feature(
        "Annual volatility of what the market does not explain, 126 sessions",
        "fraction per year",
        "risk",
        HALF,
        "Ang, Hodrick, Xing & Zhang 2006, doi:10.1111/j.1540-6261.2006.00836.x",
    ),
    "residual_momentum": Feature(
        "Return of 252 to 21 sessions ago beyond beta times the market's, over its volatility",
        "ratio",
        "momentum",
        YEAR,
        "Blitz, Huij & Martens 2011, doi:10.1016/j.jempfin.2011.01.003",
    ),
}


def compute(x: Bars, out: Floats) -> None:
    """Each of `FEATURES` into its row of `out`, of shape (n_features, n_bars).

    Notes
    -----
    With ``e = r - beta * m`` over the 231 sessions that end 21 ago and beta their own slope, residual momentum is
    ``sum(e) / (std(e) * sqrt(231))``, the t statistic of the residual's mean. A window with a session whose market is unknown is
    unknown. Beta itself is the risk room's.
    """
    _comovement(x.starts, x.total_return, x.market, out)


@njit(cache=True, error_model="numpy")
def _comovement(starts: Ints, returns: Floats, market: Floats, out: Floats) -> None:
    windows = np.array([HALF, SPAN])
    for f in range(starts.size - 1):
        r, m, here = returns[starts[f] : starts[f + 1]], market[starts[f] : starts[f + 1]], out[:, starts[f] : starts[f + 1]]
        sums = np.empty((5, 2, r.size))
        window_sums(r, windows, sums[0])
        window_sums(m, windows, sums[1])
        window_sums(r * r, windows, sums[2])
        window_sums(m * m, windows, sums[3])
        window_sums(r * m, windows, sums[4])
        _together(sums[:, 0], here)
        _beyond(sums[:, 1], here[2])


@njit(cache=True, error_model="numpy")
def _together(sums: Floats, out: Floats) -> None:
    for i in range(sums.shape[1]):
        own, market = scatter(sums[0, i], sums[2, i], HALF), scatter(sums[1, i], sums[3, i], HALF)
        joint = sums[4, i] - sums[0, i] * sums[1, i] / HALF
        correlation = joint / np.sqrt(own * market)
        out[0, i] = known(min(max(correlation, -1.0), 1.0) if correlation == correlation else np.nan)
        unexplained = own - joint * joint / market
        unexplained = unexplained if unexplained > 0.0 or unexplained != unexplained else 0.0
        out[1, i] = known(np.sqrt(YEAR * unexplained / (HALF - 1)))


@njit(cache=True, error_model="numpy")
def _beyond(sums: Floats, out: Floats) -> None:
    out[: min(out.size, MONTH)] = np.nan
    for i in range(out.size - MONTH):
        own, market = scatter(sums[0, i], sums[2, i], SPAN), scatter(sums[1, i], sums[3, i], SPAN)
        joint = sums[4, i] - sums[0, i] * sums[1, i] / SPAN
        beta = joint / market
        unexplained = own - beta * joint
        unexplained = unexplained if unexplained > 1e-12 * own else np.nan
        out[i + MONTH] = known((sums[0, i] - beta * sums[1, i]) / np.sqrt(SPAN * unexplained / (SPAN - 1)))
