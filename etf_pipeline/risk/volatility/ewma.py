"""Exponentially weighted volatility: the forecast that stands in wherever the GARCH cannot."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.panel import Floats

FORGOTTEN = 1e-6
"""Share of the weight that the memory leaves out."""


def ewma_volatility(returns: Floats, offsets: npt.NDArray[np.int64], *, decay: float = 0.94, min_sessions: int = 20) -> Floats:
    """Annual volatility from exponentially weighted squared returns.

    Parameters
    ----------
    returns : ndarray of shape (n_rows,)
        Simple returns, fund after fund; an unknown return leaves the estimate as it is. [fraction]
    offsets : ndarray of shape (n_funds + 1,)
        Fund *k* holds the rows ``offsets[k]..offsets[k + 1]``.
    decay : float, default 0.94
        Weight of a squared return relative to that of the session after.
    min_sessions : int, default 20
        Returns before which the estimate is unknown. [sessions]

    Returns
    -------
    ndarray of shape (n_rows,)
        [fraction per year]

    Notes
    -----
    ``sqrt(252 * sum(decay^i r_{t-i}^2) / sum(decay^i))`` over the known returns among the last `memory(decay)` [1]_. The weights
    are normalised by their sum, so that no starting variance has to be invented; the millionth that lies before the memory is
    left out, so that a night needs no earlier return, and an absurd one is forgotten in the end. The model is integrated: its
    forecast is the same for every horizon.

    References
    ----------
    .. [1] J.P. Morgan/Reuters, "RiskMetrics: technical document," 4th ed., 1996, section 5.2.

    Examples
    --------
    >>> ewma_volatility(np.array([0.01, -0.01]), np.array([0, 2]), min_sessions=1).round(6).tolist()
    [0.158745, 0.158745]
    """
    window = memory(decay)
    return np.sqrt(SESSIONS_PER_YEAR * _weighted_squares(returns, offsets, decay, min_sessions, window))


def memory(decay: float) -> int:
    """Sessions that hold all but a millionth of the weight.

    Examples
    --------
    >>> memory(0.94)
    224
    """
    return max(math.ceil(math.log(FORGOTTEN) / math.log(decay)), 1)


@njit(cache=True)
def _weighted_squares(returns: Floats, offsets: npt.NDArray[np.int64], decay: float, min_sessions: int, window: int) -> Floats:
    out = np.full(len(returns), np.nan)
    for k in range(len(offsets) - 1):
        for t in range(offsets[k], offsets[k + 1]):
            total, weights, known = 0.0, 0.0, 0
            for i in range(max(offsets[k], t - window + 1), t + 1):
                if not math.isnan(returns[i]):
                    total = decay * total + returns[i] ** 2
                    weights = decay * weights + 1.0
                    known += 1
            if known >= min_sessions:
                out[t] = total / weights
    return out
