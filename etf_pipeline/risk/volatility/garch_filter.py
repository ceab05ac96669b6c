"""Numba kernels: carry each fund's variance through its yearly parameters and forecast its mean over horizons."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from etf_pipeline.panel import Floats

MU, OMEGA, ALPHA, BETA, GAMMA = range(5)
"""Positions of the parameters in a row of `theta`."""


@njit(cache=True)
def last_variances(
    returns: Floats, start: npt.NDArray[np.int64], stop: npt.NDArray[np.int64], theta: Floats, backcast: Floats
) -> Floats:
    """Variance forecast of the session after each sample ``returns[start[k]:stop[k]]``; the backcast stands before it."""
    out = np.empty(len(start))
    for k in range(len(start)):
        h = theta[k, OMEGA] + persistence(theta[k]) * backcast[k]
        for t in range(start[k], stop[k]):
            h = next_variance(returns[t], h, theta[k])
        out[k] = h
    return out


@njit(cache=True)
def forecast_segments(
    returns: Floats,
    first: npt.NDArray[np.int64],
    after: npt.NDArray[np.int64],
    stop: npt.NDArray[np.int64],
    theta: Floats,
    variance: Floats,
    horizons: npt.NDArray[np.int64],
) -> Floats:
    """Mean variance over each horizon, for the rows ``first[k]..stop[k]`` of every segment *k*; new returns begin at `after`."""
    out = np.full((len(horizons), len(returns)), np.nan)
    for k in range(len(first)):
        forecasts = [mean_forecast(theta[k], horizon) for horizon in horizons]
        h = variance[k]
        for t in range(first[k], stop[k]):
            if t >= after[k]:
                h = next_variance(returns[t], h, theta[k])
            for i, (level, slope) in enumerate(forecasts):
                out[i, t] = level + slope * h
    return out


@njit(cache=True)
def next_variance(value: float, h: float, theta: Floats) -> float:
    """Variance after a return; an unknown one leaves it as it is."""
    if math.isnan(value):
        return h
    e = value - theta[MU]
    news = theta[ALPHA] + theta[GAMMA] if e < 0.0 else theta[ALPHA]
    following: float = theta[OMEGA] + news * e**2 + theta[BETA] * h
    return following


@njit(cache=True)
def persistence(theta: Floats) -> float:
    """How much of a variance is expected to remain a session later."""
    kept: float = theta[ALPHA] + 0.5 * theta[GAMMA] + theta[BETA]
    return kept


@njit(cache=True)
def mean_forecast(theta: Floats, horizon: int) -> tuple[float, float]:
    """`level` and `slope` with ``mean(h_{t+1}, ..., h_{t+horizon}) = level + slope * h_{t+1}``."""
    level, slope, total_level, total_slope = 0.0, 1.0, 0.0, 0.0
    for _ in range(horizon):
        total_level += level
        total_slope += slope
        level = theta[OMEGA] + persistence(theta) * level
        slope *= persistence(theta)
    return total_level / horizon, total_slope / horizon
