"""How much was traded, how regularly, and what trading did to the price."""

from __future__ import annotations

import numpy as np
from numba import njit

from etf_pipeline.features.bars import Bars
from etf_pipeline.features.feature import MONTH, QUARTER, Feature
from etf_pipeline.features.windows import TO_MONTH, TO_QUARTER, Floats, Ints, known, window_sum, window_sums

FEATURES = {
    "volume_trend": Feature(
        "21-session over 63-session mean traded value, less 1",
        "fraction",
        "liquidity",
        QUARTER - 1,
        "Lee & Swaminathan 2000, doi:10.1111/0022-1082.00280",
    ),
    "volume_shock": Feature(
        "Traded value over its 63-session mean, less 1",
        "fraction",
        "liquidity",
        QUARTER - 1,
        "Gervais, Kaniel & Mingelgrin 2001, doi:10.1111/0022-1082.00349",
    ),
    "amihud_21": Feature(
        "Log of mean |return| per million traded, 21 sessions",
        "log 1/million",
        "liquidity",
        MONTH,
        "Amihud 2002, doi:10.1016/S1386-4181(01)00024-6",
    ),
    "idle_63": Feature(
        "Share of 63 sessions without a trade or a change of price",
        "fraction",
        "liquidity",
        QUARTER,
        "Lesmond, Ogden & Trzcinka 1999, doi:10.1093/rfs/12.5.1113",
    ),
}


def compute(x: Bars, out: Floats) -> None:
    """Each of `FEATURES` into its row of `out`, of shape (n_features, n_bars).

    Notes
    -----
    Amihud's mean is over those of the window's sessions that traded; without one of them, or without a move, it is unknown.
    """
    _liquidity(x.starts, x.total_return, x.traded_value, out)
    with np.errstate(divide="ignore", invalid="ignore"):
        np.log(out[2], out=out[2])
    np.copyto(out[2], np.nan, where=~np.isfinite(out[2]))


@njit(cache=True, error_model="numpy")
def _liquidity(starts: Ints, returns: Floats, value: Floats, out: Floats) -> None:
    for f in range(starts.size - 1):
        a, b = starts[f], starts[f + 1]
        _volume(value[a:b], out[0, a:b], out[1, a:b])
        _impact(returns[a:b], value[a:b], out[2, a:b])
        _idle(returns[a:b], value[a:b], out[3, a:b])


@njit(cache=True, error_model="numpy")
def _volume(traded: Floats, trend: Floats, shock: Floats) -> None:
    sums = window_sums(traded, np.array(TO_QUARTER))
    month, quarter = sums[-3], sums[-1]
    for i in range(traded.size):
        trend[i] = known(month[i] * (QUARTER / MONTH) / quarter[i] - 1.0)
        shock[i] = known(traded[i] * QUARTER / quarter[i] - 1.0)


@njit(cache=True, error_model="numpy")
def _impact(r: Floats, traded: Floats, out: Floats) -> None:
    per_million, sessions = np.empty(r.size), np.empty(r.size)
    for i in range(r.size):
        unknown = 0.0 * r[i] + 0.0 * traded[i]
        per_million[i] = 1e6 * abs(r[i]) / traded[i] if traded[i] > 0.0 else unknown
        sessions[i] = (1.0 if traded[i] > 0.0 else 0.0) + unknown
    chain = np.array(TO_MONTH)
    moved, open_for_trade = window_sum(per_million, chain), window_sum(sessions, chain)
    for i in range(r.size):
        out[i] = moved[i] / open_for_trade[i]


@njit(cache=True, error_model="numpy")
def _idle(r: Floats, traded: Floats, out: Floats) -> None:
    still = np.empty(r.size)
    for i in range(r.size):
        still[i] = (1.0 if r[i] * traded[i] == 0.0 else 0.0) + 0.0 * r[i] + 0.0 * traded[i]
    sums = window_sum(still, np.array(TO_QUARTER))
    for i in range(r.size):
        out[i] = sums[i] / QUARTER
