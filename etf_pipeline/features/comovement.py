"""How a fund moves with the market of its exchange, and what it earns and risks beyond that."""

from __future__ import annotations

import numpy as np
from numba import njit

from etf_pipeline.features.bars import Bars
from etf_pipeline.features.feature import HALF, MONTH, YEAR, Feature
from etf_pipeline.features.windows import TO_QUARTER, Floats, Ints, known, scatter, times, window_sums

SPAN = YEAR - MONTH
"""Sessions of residual momentum, which end a month ago."""

TO_SPAN = (*TO_QUARTER, 105, 126, 231)

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
    chain = np.array(TO_SPAN)
    for f in range(starts.size - 1):
        a, b = starts[f], starts[f + 1]
        r, m = returns[a:b], market[a:b]
        own, beside, joint = window_sums(r, chain), window_sums(m, chain), window_sums(times(r, m), chain)
        own2, beside2 = window_sums(times(r, r), chain), window_sums(times(m, m), chain)
        _together(own[-2], beside[-2], own2[-2], beside2[-2], joint[-2], out[0, a:b], out[1, a:b])
        _beyond(own[-1], beside[-1], own2[-1], beside2[-1], joint[-1], out[2, a:b])


@njit(cache=True, error_model="numpy")
def _together(r: Floats, m: Floats, r2: Floats, m2: Floats, rm: Floats, correlation: Floats, alone: Floats) -> None:
    for i in range(r.size):
        own, market = scatter(r[i], r2[i], HALF), scatter(m[i], m2[i], HALF)
        joint = rm[i] - r[i] * m[i] / HALF
        slope = joint / np.sqrt(own * market)
        slope = 1.0 if slope > 1.0 else slope
        correlation[i] = known(-1.0 if slope < -1.0 else slope)
        unexplained = own - joint * joint / market
        alone[i] = known(np.sqrt(YEAR / (HALF - 1) * (0.0 if unexplained < 0.0 else unexplained)))


@njit(cache=True, error_model="numpy")
def _beyond(r: Floats, m: Floats, r2: Floats, m2: Floats, rm: Floats, out: Floats) -> None:
    late = out[min(MONTH, out.size) :]
    out[: min(out.size, MONTH)] = np.nan
    for i in range(late.size):
        own, market = scatter(r[i], r2[i], SPAN), scatter(m[i], m2[i], SPAN)
        joint = rm[i] - r[i] * m[i] / SPAN
        beta = joint / market
        unexplained = own - beta * joint
        unexplained = unexplained if unexplained > 1e-12 * own else np.nan
        late[i] = known((r[i] - beta * m[i]) / np.sqrt(SPAN / (SPAN - 1) * unexplained))
