"""How much was traded, how regularly, and what trading did to the price."""

from __future__ import annotations

import numpy as np
from numba import njit

from etf_pipeline.features.bars import Bars
from etf_pipeline.features.feature import MONTH, QUARTER, Feature
from etf_pipeline.features.windows import Floats, Ints, known, window_sums

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
        out[2] = np.log(out[2])
    out[2][~np.isfinite(out[2])] = np.nan


@njit(cache=True, error_model="numpy")
def _liquidity(starts: Ints, returns: Floats, value: Floats, out: Floats) -> None:
    for f in range(starts.size - 1):
        r, traded, here = returns[starts[f] : starts[f + 1]], value[starts[f] : starts[f + 1]], out[:, starts[f] : starts[f + 1]]
        sums = np.empty((2, r.size))
        window_sums(traded, np.array([MONTH, QUARTER]), sums)
        for i in range(r.size):
            here[0, i] = known((sums[0, i] / MONTH) / (sums[1, i] / QUARTER) - 1.0)
            here[1, i] = known(traded[i] / (sums[1, i] / QUARTER) - 1.0)
        _impact(r, traded, here[2])
        _idle(r, traded, here[3])


@njit(cache=True, error_model="numpy")
def _impact(r: Floats, traded: Floats, out: Floats) -> None:
    per_million, open_for_trade = np.empty(r.size), np.empty(r.size)
    moved, sessions = np.empty((1, r.size)), np.empty((1, r.size))
    for i in range(r.size):
        unknown = 0.0 * r[i] + 0.0 * traded[i]
        per_million[i] = 1e6 * abs(r[i]) / traded[i] if traded[i] > 0.0 else unknown
        open_for_trade[i] = (1.0 if traded[i] > 0.0 else 0.0) + unknown
    window_sums(per_million, np.array([MONTH]), moved)
    window_sums(open_for_trade, np.array([MONTH]), sessions)
    for i in range(r.size):
        out[i] = moved[0, i] / sessions[0, i]


@njit(cache=True, error_model="numpy")
def _idle(r: Floats, traded: Floats, out: Floats) -> None:
    still, sums = np.empty(r.size), np.empty((1, r.size))
    for i in range(r.size):
        still[i] = (1.0 if r[i] == 0.0 or traded[i] == 0.0 else 0.0) + 0.0 * r[i] + 0.0 * traded[i]
    window_sums(still, np.array([QUARTER]), sums)
    for i in range(r.size):
        out[i] = sums[0, i] / QUARTER
