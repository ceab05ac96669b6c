"""Returns of the indices that funds track: factors, a noise of their own with GARCH variance, and one planted predictability.

The planted predictability is momentum across indices: the rank of the past year's return, its last month left out, moves
the expected return of the next session. It is the only thing about relative returns that the past tells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.panel import Floats
from etf_pipeline.providers.simulated.factors import DEGREES_OF_FREEDOM

LOOKBACK, SKIP = 252, 21
STRENGTH = 0.009
"""Expected return per session of an index whose rank is one standard deviation up, over its own daily noise."""
ALPHA, BETA = 0.06, 0.91
"""GARCH(1,1) of each index's own noise."""


@dataclass(frozen=True)
class IndexPaths:
    """Drawn index returns and what an observer does not see of them.

    Attributes
    ----------
    returns : ndarray of shape (n, n_indices)
        Simple total returns before any fund's costs. [fraction per session]
    planted : ndarray of shape (n, n_indices)
        Expected return of the session from the planted momentum, known at the close before. [fraction per session]
    noise_sigma : ndarray of shape (n, n_indices)
        Conditional standard deviation of the index's own noise, known at the close before. [fraction per session]
    """

    returns: Floats
    planted: Floats
    noise_sigma: Floats


def simulate_indices(
    systematic: Floats, noise: Floats, stress: Floats, rng: np.random.Generator, peers: Floats | None = None
) -> IndexPaths:
    """Draw the returns of every index, session by session, because expected returns depend on past ones.

    Parameters
    ----------
    systematic : ndarray of shape (n, n_indices)
        Bill rate, carry and factor part of each return. [fraction per session]
    noise : ndarray of shape (n_indices,)
        Unconditional standard deviation of each index's own noise. [fraction per session]
    stress : ndarray of shape (n,)
        Multiple of the noise that the market's variance asks for. [ratio]
    peers : ndarray of shape (n, n_peers), optional
        Returns of the indices among which momentum is ranked; by default these themselves. [fraction per session]
    """
    n, m = systematic.shape
    known = None if peers is None else np.vstack([np.zeros((1, peers.shape[1])), np.cumsum(np.log1p(peers), axis=0)])
    freedom = DEGREES_OF_FREEDOM
    shocks = rng.standard_normal((n, m)) * np.sqrt((freedom - 2) / rng.chisquare(freedom, (n, m)))
    returns, planted, sigma = np.empty((n, m)), np.zeros((n, m)), np.empty((n, m))
    ratio, growth = np.ones(m), np.zeros((n + 1, m))
    for t in range(n):
        if t >= LOOKBACK:
            momentum = growth[t - SKIP] - growth[t - LOOKBACK]
            others = None if known is None else known[t - SKIP] - known[t - LOOKBACK]
            planted[t] = STRENGTH * noise * (standard_ranks(momentum) if others is None else ranks_among(momentum, others))
        sigma[t] = noise * stress[t] * np.sqrt(ratio)
        returns[t] = systematic[t] + planted[t] + sigma[t] * shocks[t]
        growth[t + 1] = growth[t] + np.log1p(returns[t])
        ratio = 1 - ALPHA - BETA + ratio * (BETA + ALPHA * shocks[t] ** 2)
    return IndexPaths(returns, planted, sigma)


def standard_ranks(values: Floats) -> Floats:
    """Ranks across indices as evenly spaced numbers of mean zero and variance one.

    Examples
    --------
    >>> standard_ranks(np.array([0.3, -0.1, 0.0])).round(4).tolist()
    [1.2247, -1.2247, 0.0]
    """
    order: npt.NDArray[np.intp] = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    m = len(values)
    return np.asarray((order - (m - 1) / 2) / np.sqrt((m * m - 1) / 12), dtype=np.float64)


def ranks_among(values: Floats, others: Floats) -> Floats:
    """Each value's rank among the others, on the scale of `standard_ranks`.

    Examples
    --------
    >>> ranks_among(np.array([0.25, -1.0]), np.array([0.3, -0.1, 0.0])).round(4).tolist()
    [0.4472, -1.3416]
    """
    above = np.searchsorted(np.sort(others), values)
    m = len(others) + 1
    return np.asarray((above - (m - 1) / 2) / np.sqrt((m * m - 1) / 12), dtype=np.float64)


def daily(annual: Floats) -> Floats:
    """Annual volatilities to those of one session."""
    return np.asarray(annual / np.sqrt(SESSIONS_PER_YEAR), dtype=np.float64)
