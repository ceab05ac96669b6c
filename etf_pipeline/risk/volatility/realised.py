"""Realised volatility: the standard deviation of the last returns, each window summed afresh."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.panel import Floats


def realised_volatility(returns: Floats, offsets: npt.NDArray[np.int64], window: int) -> Floats:
    """Annual standard deviation of the last `window` returns, with ddof 1.

    Parameters
    ----------
    returns : ndarray of shape (n_rows,)
        Simple returns, fund after fund. [fraction]
    offsets : ndarray of shape (n_funds + 1,)
        Fund *k* holds the rows ``offsets[k]..offsets[k + 1]``.
    window : int
        Returns in a window, at least 2. [sessions]

    Returns
    -------
    ndarray of shape (n_rows,)
        Unknown where the window is not full or holds an unknown return. [fraction per year]

    Notes
    -----
    Two passes over each window instead of running sums: a poisoned or missing value is forgotten once it leaves the
    window, and no rounding error accumulates. Half a million windows of 252 take a quarter of a second.

    Examples
    --------
    >>> realised_volatility(np.array([0.01, -0.01, 0.01]), np.array([0, 3]), 2).round(6).tolist()
    [nan, 0.224499, 0.224499]
    """
    return np.sqrt(SESSIONS_PER_YEAR * _window_variances(returns, offsets, window))


@njit(cache=True)
def _window_variances(returns: Floats, offsets: npt.NDArray[np.int64], window: int) -> Floats:
    out = np.full(len(returns), np.nan)
    for k in range(len(offsets) - 1):
        for t in range(offsets[k] + window - 1, offsets[k + 1]):
            mean = 0.0
            for i in range(t - window + 1, t + 1):
                mean += returns[i]
            mean /= window
            total = 0.0
            for i in range(t - window + 1, t + 1):
                total += (returns[i] - mean) ** 2
            out[t] = total / (window - 1)
    return out
