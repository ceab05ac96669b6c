"""Volatility of the market's present regime: squared returns of the sessions that were like this one."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.panel import Floats

UNKNOWN = -1
"""Code of a session whose regime is unknown."""


def regime_volatility(
    returns: Floats,
    offsets: npt.NDArray[np.int64],
    regime: npt.NDArray[np.int64],
    prior: Floats,
    *,
    sessions: int,
    window: int,
    prior_sessions: float,
) -> Floats:
    """Annual volatility of the last sessions in the same regime as now, shrunk to a prior while they are few.

    Parameters
    ----------
    returns : ndarray of shape (n_rows,)
        Simple returns, fund after fund. [fraction]
    offsets : ndarray of shape (n_funds + 1,)
        Fund *k* holds the rows ``offsets[k]..offsets[k + 1]``.
    regime : ndarray of shape (n_rows,)
        Code of each session's regime, `UNKNOWN` where there is none.
    prior : ndarray of shape (n_rows,)
        Volatility that it is shrunk to. [fraction per year]
    sessions : int
        Sessions of the present regime that are looked for, the newest first.
    window : int
        Rows that are searched for them. [sessions]
    prior_sessions : float
        Sessions that the prior counts for.

    Returns
    -------
    ndarray of shape (n_rows,)
        The prior where the regime is unknown, unknown where the prior is. [fraction per year]

    Notes
    -----
    ``v = (sum_{i in S} r_i^2 + k v_prior) / (|S| + k)`` with *S* the newest `sessions` known returns of the present regime among
    the last `window`, and *k* the `prior_sessions`. The look-back adapts: in a long spell it is the last `sessions`; after a
    change it jumps over the other regime to the spells before, as far as the window lets it; in a regime that is new, little
    but the prior is left. The sum of two regimes' variances, which a plain window would take, is never formed.

    Examples
    --------
    >>> r, ends = np.array([0.03, 0.01, 0.01, 0.03]), np.array([0, 4])
    >>> calm = np.full(4, np.sqrt(252) * 0.01)
    >>> found = regime_volatility(r, ends, np.array([1, 0, 0, 1]), calm, sessions=2, window=4, prior_sessions=0.0)
    >>> (found / np.sqrt(252)).round(6).tolist()
    [0.03, 0.01, 0.01, 0.03]
    """
    daily = prior**2 / SESSIONS_PER_YEAR
    variance = _conditional(returns, offsets, regime, daily, sessions, window, prior_sessions)
    return np.where(regime == UNKNOWN, prior, np.sqrt(SESSIONS_PER_YEAR * variance))


@njit(cache=True)
def _conditional(
    returns: Floats,
    offsets: npt.NDArray[np.int64],
    regime: npt.NDArray[np.int64],
    prior: Floats,
    sessions: int,
    window: int,
    prior_sessions: float,
) -> Floats:
    out = np.full(len(returns), np.nan)
    for k in range(len(offsets) - 1):
        for t in range(offsets[k], offsets[k + 1]):
            total, n = 0.0, 0
            for i in range(t, max(offsets[k], t - window + 1) - 1, -1):
                if regime[i] == regime[t] and not math.isnan(returns[i]):
                    total += returns[i] ** 2
                    n += 1
                    if n == sessions:
                        break
            if n + prior_sessions > 0.0:
                out[t] = (total + prior_sessions * prior[t]) / (n + prior_sessions)
    return out
