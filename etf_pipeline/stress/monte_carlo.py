"""Monte Carlo: what the portfolio may lose in a session, a month or a year, under models of chance, and how exact that is.

These work on the portfolio's own return, weights kept by daily trading. For normal and Student-t returns nothing is lost by that:
a fixed combination of jointly normal (or multivariate t) returns is normal (or t) with the combination's variance, so that a
factor form with 500 funds is one number per draw. `copula` draws every fund, where marginal laws differ.
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
    """Value at risk, expected shortfall and their simulation errors; losses are positive. [fraction]"""

    var: float
    cvar: float
    standard_error: float
    var_error: float


@dataclass(frozen=True)
class Drawdowns:
    """Median and 95 % quantile of the largest fall from a high, and the latter's simulation error; positive. [fraction]"""

    median: float
    deep: float
    error: float


@dataclass(frozen=True)
class Simulation:
    """A model of chance: its title, where it comes from, and ``function(source, n, horizon, rng)``.

    The function gives session returns of shape (horizon, n). `from_covariance`: whether it starts from the volatility, which is
    stressed where `stressed`; else from past returns.
    """

    title: str
    origin: str
    function: Callable[[Source, int, int, np.random.Generator], Floats]
    from_covariance: bool = False
    stressed: bool = False


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
    return TailLoss(var, cvar, float(np.sqrt(variance / len(tail))), quantile_error(losses, level))


def quantile_error(ordered: Floats, level: float) -> float:
    """Standard error of a quantile of sorted independent draws, whatever their law.

    Notes
    -----
    The number of draws below the true quantile is binomial: half the distance between the order statistics one of its standard
    deviations to either side [1]_.

    References
    ----------
    .. [1] H. A. David and H. N. Nagaraja, "Order Statistics," 3rd ed., Wiley 2003, section 7.1.
    """
    n = len(ordered)
    place, step = n * level - 1.0, np.sqrt(n * level * (1.0 - level))
    low, high = (int(np.clip(round(place + side * step), 0, n - 1)) for side in (-1.0, 1.0))
    return float(ordered[high] - ordered[low]) / 2.0


def outcomes(steps: Floats, horizons: tuple[int, ...]) -> dict[int, tuple[Floats, Floats]]:
    """Return and largest fall from a high of every path, at each horizon.

    Parameters
    ----------
    steps : ndarray of shape (n_sessions, n_paths)
        Session returns; one below -1 is a total loss. [fraction]
    horizons : tuple of int
        Up to n_sessions. [sessions]

    Returns
    -------
    dict of int to (ndarray, ndarray)
        Returns and falls, each of shape (n_paths,); the start counts as a high. [fraction]
    """
    value, high, fall = np.ones(steps.shape[1]), np.ones(steps.shape[1]), np.zeros(steps.shape[1])
    found = {}
    for t, step in enumerate(steps, start=1):
        value *= 1.0 + np.maximum(step, -1.0)
        np.maximum(high, value, out=high)
        np.maximum(fall, 1.0 - value / high, out=fall)
        if t in horizons:
            found[t] = (value - 1.0, fall.copy())
    return found


def drawdowns(falls: Floats, level: float = VAR_LEVEL) -> Drawdowns:
    """Median and deep quantile of the paths' largest falls."""
    ordered = np.sort(falls)
    n = len(ordered)
    deep = float(ordered[min(n - 1, int(np.ceil(level * n - 1e-9)) - 1)])
    return Drawdowns(float(np.median(ordered)), deep, quantile_error(ordered, level))


def gaussian(source: Source, n: int, horizon: int, rng: np.random.Generator) -> Floats:
    """Independent normal sessions with mean zero."""
    return source.volatility * rng.standard_normal((horizon, n))


def student_t(source: Source, n: int, horizon: int, rng: np.random.Generator) -> Floats:
    """Independent Student-t sessions with mean zero and the ex-ante variance."""
    nu = source.degrees_of_freedom
    return np.asarray(source.volatility * np.sqrt((nu - 2.0) / nu) * rng.standard_t(nu, (horizon, n)), dtype=np.float64)


def block_bootstrap(source: Source, n: int, horizon: int, rng: np.random.Generator) -> Floats:
    """Blocks of past returns of the current weights."""
    n_past = len(source.past)
    place = rng.integers(0, n_past, n)
    steps = np.empty((horizon, n))
    steps[0] = source.past[place]
    for t in range(1, horizon):
        begins = rng.random(n) < 1.0 / source.block
        place = np.where(begins, rng.integers(0, n_past, n), (place + 1) % n_past)
        steps[t] = source.past[place]
    return steps


def filtered_history(source: Source, n: int, horizon: int, rng: np.random.Generator) -> Floats:
    """Past shocks, each over the volatility expected before it, at today's volatility, which moves on with each draw [1]_.

    References
    ----------
    .. [1] G. Barone-Adesi, K. Giannopoulos and L. Vosper, "VaR without correlations for portfolios of derivative
       securities," Journal of Futures Markets 19, 583-602, 1999.
    """
    shocks, variance = _filter(source.past, source.decay)
    now = np.full(n, variance)
    steps = np.empty((horizon, n))
    for t in range(horizon):
        steps[t] = np.sqrt(now) * shocks[rng.integers(0, len(shocks), n)]
        now = source.decay * now + (1.0 - source.decay) * steps[t] * steps[t]
    return steps


SIMULATIONS: dict[str, Simulation] = {
    "gaussian": Simulation("Normal returns", "zero mean, covariance of the long sample", gaussian, from_covariance=True),
    "gaussian_stressed": Simulation(
        "Normal returns, stressed correlations",
        "zero mean, volatilities of the long sample, correlations moved towards one",
        gaussian,
        from_covariance=True,
        stressed=True,
    ),
    "student_t": Simulation(
        "Multivariate Student-t returns", "zero mean, covariance of the long sample, fat tails", student_t, from_covariance=True
    ),
    "block_bootstrap": Simulation("Blocks of past returns", "stationary bootstrap (Politis and Romano 1994)", block_bootstrap),
    "filtered_history": Simulation(
        "Past shocks at today's volatility", "filtered historical simulation (Barone-Adesi et al. 1999)", filtered_history
    ),
}
"""Models of chance by name."""

FILTER_START = 75
"""Returns whose mean square starts the filter (the backcast of `arch`)."""


def _filter(past: Floats, decay: float) -> tuple[Floats, float]:
    """Each return over the volatility expected before it, and the variance expected after the last."""
    variance = float(np.mean(past[:FILTER_START] ** 2))
    shocks = np.empty(len(past))
    for t, value in enumerate(past):
        shocks[t] = value / np.sqrt(variance) if variance > 0.0 else 0.0
        variance = decay * variance + (1.0 - decay) * value * value
    return shocks, variance
