"""Momentum and reversal: what was earned over past stretches of the total-return index."""

from __future__ import annotations

import numpy as np
from numba import njit

from etf_pipeline.features.bars import Bars
from etf_pipeline.features.feature import HALF, MONTH, QUARTER, YEAR, Feature
from etf_pipeline.features.windows import Floats, Ints, known

JEGADEESH_TITMAN = "Jegadeesh & Titman 1993, doi:10.1111/j.1540-6261.1993.tb04702.x"
REVERSAL = "Jegadeesh 1990, doi:10.1111/j.1540-6261.1990.tb05110.x"

FEATURES = {
    "momentum_12_1": Feature("Total return from 252 to 21 sessions ago", "fraction", "momentum", YEAR, JEGADEESH_TITMAN),
    "momentum_12_7": Feature(
        "Total return from 252 to 126 sessions ago",
        "fraction",
        "momentum",
        YEAR,
        "Novy-Marx 2012, doi:10.1016/j.jfineco.2011.05.003",
    ),
    "momentum_126": Feature("Total return over 126 sessions", "fraction", "momentum", HALF, JEGADEESH_TITMAN),
    "momentum_63": Feature("Total return over 63 sessions", "fraction", "momentum", QUARTER, JEGADEESH_TITMAN),
    "momentum_21": Feature("Total return over 21 sessions", "fraction", "momentum", MONTH, REVERSAL),
    "reversal_5": Feature(
        "Minus the total return over 5 sessions", "fraction", "reversal", 5, "Lehmann 1990, doi:10.2307/2937816"
    ),
    "reversal_1": Feature("Minus the total return of the session", "fraction", "reversal", 1, REVERSAL),
}


def compute(x: Bars, out: Floats) -> None:
    """Each of `FEATURES` into its row of `out`, of shape (n_features, n_bars): `skip` ago over `window` ago, less 1."""
    windows = np.array([YEAR, YEAR, HALF, QUARTER, MONTH, 5, 1])
    skips = np.array([MONTH, HALF, 0, 0, 0, 0, 0])
    signs = np.array([1.0, 1.0, 1.0, 1.0, 1.0, -1.0, -1.0])
    _growth(x.starts, x.index, windows, skips, signs, out)


@njit(cache=True, error_model="numpy")
def _growth(starts: Ints, index: Floats, windows: Ints, skips: Ints, signs: Floats, out: Floats) -> None:
    for f in range(starts.size - 1):
        own = index[starts[f] : starts[f + 1]]
        n = own.size
        for k in range(windows.size):
            here, window = out[k, starts[f] : starts[f + 1]], windows[k]
            here[: min(n, window)] = np.nan
            if window < n:
                _one(own[window - skips[k] : n - skips[k]], own[: n - window], signs[k], here[window:])


@njit(cache=True, error_model="numpy")
def _one(newer: Floats, older: Floats, sign: float, out: Floats) -> None:
    for i in range(out.size):
        out[i] = known(sign * (newer[i] / older[i] - 1.0))
