"""Monte Carlo: what the portfolio may lose in one session or a month, under four models of chance, and how exact that is.

All work on the portfolio's own return. For normal and Student-t returns nothing is lost by that: a fixed combination of
jointly normal (or multivariate t) returns is normal (or t) with the combination's variance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from etf_pipeline.conventions import VAR_LEVEL
from etf_pipeline.panel import Floats


@dataclass(frozen=True)
class Source:
    """What a simulation starts from.

    Attributes
    ----------
    volatility : float
        Volatility of a session by the covariance of the rebalance: that of its long sample, not scaled to the volatilities
        forecast now, hence not the figure that the optimiser was held to; `filtered_history` starts from today's. [fraction]
    past : ndarray of shape (n_sessions,)
        Returns that the current weights would have had. [fraction]
    degrees_of_freedom, block, decay : float
        As in `StressParameters`.
    """

    volatility: float
    past: Floats
    degrees_of_freedom: float
    block: float
    decay: float


@dataclass(frozen=True)
class TailLoss:
    """Value at risk, expected shortfall and the latter's simulation error; losses are positive. [fraction]"""

    var: float
    cvar: float
    standard_error: float


@dataclass(frozen=True)
class Simulation:
    """A model of chance: its title, where it comes from, and ``function(source, n, horizon, rng)``."""

    title: str
    origin: str
    function: Callable[[Source, int, int, np.random.Generator], Floats]


def tail_loss(returns: Floats, level: float = VAR_LEVEL) -> TailLoss:
    """Tail of simulated returns.

    Parameters
    ----------
    returns : ndarray of shape (n_scenarios,)
        Independent draws. [fraction]
    level : float, default 0.95

    Returns
    -------
    TailLoss

    Notes
    -----
    With ``m = n (1 - level)`` losses in the tail, the error of their mean is
    ``sqrt((variance of the tail + level * (cvar - var)^2) / m)``: the second term is there because the quantile is
    estimated too [1]_.

    References
    ----------
    .. [1] A. A. Trindade et al., "Financial prediction with constrained tail risk," Journal of Banking & Finance 31,
       3524-3538, 2007. doi:10.1016/j.jbankfin.2007.04.014
    """
    losses = np.sort(-returns)
    first = int(np.ceil(level * len(losses) - 1e-9))
    tail = losses[first:]
    var, cvar = float(losses[first - 1]), float(tail.mean())
    variance = float(tail.var()) + level * (cvar - var) ** 2
    return TailLoss(var, cvar, float(np.sqrt(variance / len(tail))))


def gaussian(source: Source, n: int, horizon: int, rng: np.random.Generator) -> Floats:
    """Independent normal sessions with mean zero, compounded."""
    return _compound(source.volatility * rng.standard_normal((n, horizon)))


def student_t(source: Source, n: int, horizon: int, rng: np.random.Generator) -> Floats:
    """Independent Student-t sessions with mean zero and the ex-ante variance, compounded."""
    nu = source.degrees_of_freedom
    scale = source.volatility * np.sqrt((nu - 2.0) / nu)
    return _compound(scale * rng.standard_t(nu, (n, horizon)))


def block_bootstrap(source: Source, n: int, horizon: int, rng: np.random.Generator) -> Floats:
    """Blocks of past returns of the current weights, compounded."""
    n_past = len(source.past)
    place = rng.integers(0, n_past, n)
    total = 1.0 + source.past[place]
    for _ in range(horizon - 1):
        begins = rng.random(n) < 1.0 / source.block
        place = np.where(begins, rng.integers(0, n_past, n), (place + 1) % n_past)
        total *= 1.0 + source.past[place]
    return total - 1.0


def filtered_history(source: Source, n: int, horizon: int, rng: np.random.Generator) -> Floats:
    """Past shocks, each over the volatility expected before it, at today's volatility, which moves on with each draw [1]_.

    References
    ----------
    .. [1] G. Barone-Adesi, K. Giannopoulos and L. Vosper, "VaR without correlations for portfolios of derivative
       securities," Journal of Futures Markets 19, 583-602, 1999.
    """
    shocks, variance = _filter(source.past, source.decay)
    now = np.full(n, variance)
    total = np.ones(n)
    for _ in range(horizon):
        drawn = np.sqrt(now) * shocks[rng.integers(0, len(shocks), n)]
        total *= 1.0 + np.maximum(drawn, -1.0)
        now = source.decay * now + (1.0 - source.decay) * drawn * drawn
    return total - 1.0


SIMULATIONS: dict[str, Simulation] = {
    "gaussian": Simulation("Normal returns", "zero mean, covariance of the long sample", gaussian),
    "student_t": Simulation("Multivariate Student-t returns", "zero mean, covariance of the long sample, fat tails", student_t),
    "block_bootstrap": Simulation("Blocks of past returns", "stationary bootstrap (Politis and Romano 1994)", block_bootstrap),
    "filtered_history": Simulation(
        "Past shocks at today's volatility", "filtered historical simulation (Barone-Adesi et al. 1999)", filtered_history
    ),
}
"""Models of chance by name."""

FILTER_START = 75
"""Returns whose mean square starts the filter (the backcast of `arch`)."""


def _compound(returns: Floats) -> Floats:
    """Return over the horizon; a session cannot lose more than everything."""
    return np.asarray(np.prod(1.0 + np.maximum(returns, -1.0), axis=1) - 1.0, dtype=np.float64)


def _filter(past: Floats, decay: float) -> tuple[Floats, float]:
    """Each return over the volatility expected before it, and the variance expected after the last."""
    variance = float(np.mean(past[:FILTER_START] ** 2))
    shocks = np.empty(len(past))
    for t, value in enumerate(past):
        shocks[t] = value / np.sqrt(variance) if variance > 0.0 else 0.0
        variance = decay * variance + (1.0 - decay) * value * value
    return shocks, variance
