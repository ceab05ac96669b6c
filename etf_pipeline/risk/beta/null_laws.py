"""How large the break statistics get by chance, where nothing breaks."""

from __future__ import annotations

import functools
import math
from typing import cast

import numpy as np

from etf_pipeline.panel import Floats

POINTS = 200
"""Grid points of the diffusion between its barriers: 5 % quantiles move by less than 0.003 against 800."""
REACH = 6.5
"""Barriers up to this many standard deviations are solved; beyond, the tail is below 1e-8 and taken at its end."""


def cusum_p(statistic: Floats) -> Floats:
    """Chance that recursive residuals of a stable line reach this multiple of the boundary [1]_.

    ``2 (1 - Phi(3 a) + exp(-4 a^2) Phi(a))``, at most one.

    References
    ----------
    .. [1] R. Brown, J. Durbin, J. Evans, J. Royal Statistical Society B 37 (2), 1975, equation 3.

    Examples
    --------
    >>> cusum_p(np.array([0.948, 1.143])).round(3).tolist()
    [0.05, 0.01]
    """
    chance = [2.0 * (_above(3.0 * a) + math.exp(-4.0 * a * a) * (1.0 - _above(a))) for a in statistic]
    return cast(Floats, np.minimum(np.array(chance, dtype=np.float64), 1.0))


def sup_wald_p(statistic: Floats, trim: float) -> Floats:
    """Chance that the largest of all break statistics of one coefficient gets this large where nothing breaks.

    Notes
    -----
    In the limit the root of the statistic at a share s of the sample is ``|B(s) - s B(1)| / sqrt(s (1 - s))`` [1]_. In the time
    ``log(s / (1 - s))`` that is the absolute value of a stationary Ornstein-Uhlenbeck process with correlation ``exp(-|t| / 2)``;
    the chance that it stays below a barrier for ``2 log((1 - trim) / trim)`` is the solution of its backward equation with
    absorbing barriers, here by finite differences. No simulation and no fitted curve stands between.

    References
    ----------
    .. [1] D. Andrews, Econometrica 61 (4), 1993; the exit problem is that of D. DeLong, "Crossing probabilities for a square root
       boundary by a Bessel process," Communications in Statistics A 10 (21), 1981.

    Examples
    --------
    >>> sup_wald_p(np.array([0.0, 8.7, np.nan]), 0.15).round(3).tolist()
    [1.0, 0.054, nan]
    """
    barriers, logs = _law(trim)
    root = np.sqrt(np.asarray(statistic, dtype=np.float64))
    return cast(Floats, np.exp(np.interp(root, barriers, logs)))


def sup_wald_critical(size: float, trim: float) -> float:
    """Statistic that is reached by chance with this probability."""
    barriers, logs = _law(trim)
    return float(np.interp(-math.log(size), -logs, barriers) ** 2)


def cusum_critical(size: float) -> float:
    """Multiple of the boundary that is reached by chance with this probability, by bisection."""
    low, high = 0.3, 5.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if cusum_p(np.array([middle]))[0] > size else (low, middle)
    return high


@functools.lru_cache(maxsize=8)
def _law(trim: float) -> tuple[Floats, Floats]:
    """Barriers and the logarithm of the chance to reach them, falling."""
    barriers = np.concatenate([[0.0, 0.25], np.linspace(0.5, REACH, 121)])
    time = 2.0 * math.log((1.0 - trim) / trim)
    chance = np.array([1.0 if b < 0.5 else _reached(float(b), time) for b in barriers])
    return barriers, np.minimum.accumulate(np.log(np.clip(chance, 1e-300, 1.0)))


def _reached(barrier: float, time: float) -> float:
    """Chance that a stationary Ornstein-Uhlenbeck process leaves ``(-barrier, barrier)`` within a time."""
    step = 2.0 * barrier / (POINTS + 1)
    z = -barrier + step * np.arange(1, POINTS + 1)
    density = np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    between = np.exp(-0.5 * (z[:-1] + step / 2) ** 2) / math.sqrt(2.0 * math.pi)
    edges = np.concatenate([[_normal(-barrier + step / 2)], between, [_normal(barrier - step / 2)]])
    flow = edges / (2.0 * step * step)  # of the generator (phi f')' / (2 phi), symmetric in phi
    root = np.sqrt(density)
    matrix = np.diag(-(flow[:-1] + flow[1:]) / density)
    off = flow[1:-1] / (root[:-1] * root[1:])
    matrix += np.diag(off, 1) + np.diag(off, -1)
    values, vectors = np.linalg.eigh(matrix)
    weights = (vectors.T @ root) ** 2 * step
    return 1.0 - float(np.sum(weights * np.exp(values * time)))


def _normal(z: float) -> float:
    return math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


def _above(z: float) -> float:
    """Standard normal tail."""
    return 0.5 * math.erfc(z / math.sqrt(2.0))
