"""Numba kernel: filter each fund through its yearly parameters and forecast the mean variance over a horizon."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from etf_pipeline.panel import Floats
from etf_pipeline.risk.volatility.garch_likelihood import ALPHA, BETA, MU, OMEGA


@njit(cache=True)
def forecast_segments(
    returns: Floats,
    offsets: npt.NDArray[np.int64],
    first: npt.NDArray[np.int64],
    stop: npt.NDArray[np.int64],
    theta: Floats,
    backcast: Floats,
    horizon: int,
) -> Floats:
    """Mean variance of the next `horizon` sessions, for the rows ``first[k]..stop[k]`` of every segment *k*."""
    out = np.full(len(returns), np.nan)
    for k in range(len(first)):
        level, slope = mean_forecast(theta[k], horizon)
        h = theta[k, OMEGA] + (theta[k, ALPHA] + theta[k, BETA]) * backcast[k]
        for t in range(offsets[k], stop[k]):
            if not math.isnan(returns[t]):
                h = theta[k, OMEGA] + theta[k, ALPHA] * (returns[t] - theta[k, MU]) ** 2 + theta[k, BETA] * h
            if t >= first[k]:
                out[t] = level + slope * h
    return out


@njit(cache=True)
def mean_forecast(theta: Floats, horizon: int) -> tuple[float, float]:
    """`level` and `slope` with ``mean(h_{t+1}, ..., h_{t+horizon}) = level + slope * h_{t+1}``."""
    level, slope, total_level, total_slope = 0.0, 1.0, 0.0, 0.0
    for _ in range(horizon):
        total_level += level
        total_slope += slope
        level = theta[OMEGA] + (theta[ALPHA] + theta[BETA]) * level
        slope *= theta[ALPHA] + theta[BETA]
    return total_level / horizon, total_slope / horizon
