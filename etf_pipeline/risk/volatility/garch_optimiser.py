"""Maximum likelihood of the GARCH(1,1) with Student-t errors: many starts, then Fisher scoring on an active set.

1. Divide the sample by its root mean square about the mean, so that every parameter is of order one.
2. Value a grid of starts by the likelihood alone; keep the best of each of four ranges of persistence, since some
   series have several humps (calm, short samples above all: with two ranges 4 of 300 simulated ones were missed). A climb
   that reaches the foot of a known hump is given up.
3. From each, take steps with the expected information, halved where they gain under a quarter of what they promise and
   doubled again where they gain over three quarters. A step stops at the first bound it meets (``omega >= 1e-8``,
   ``alpha >= 0``, ``beta >= 0``, ``alpha + beta <= 1 - 1e-8``, ``2.05 <= nu <= 500``); a bound is kept while the gradient
   presses on it, and left when it no longer does.
4. A climb ends when the step promises less than `tolerance` of log-likelihood. The highest end point wins.
5. A verdict: an optimum on a bound where the variance no longer listens to the returns, or the likelihood runs away (as
   with a fund half of whose returns are zero), is not to be forecast with.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from etf_pipeline.panel import Floats
from etf_pipeline.risk.volatility.garch_likelihood import ALPHA, BETA, MU, NU, OMEGA, log_likelihoods, scores

OMEGA_FLOOR = 1e-8
"""Smallest constant, as a fraction of the sample variance: arch's own bound."""
PERSISTENCE_CEILING = 1.0 - 1e-8
"""Largest alpha + beta: below one, so that a long-run variance exists."""
NU_RANGE = (2.05, 500.0)
"""Degrees of freedom: arch's own bounds. At 500 the density is normal for all purposes."""
# 2 x 8 starts fill whole vector registers: 12 or 18 took longer.
START_ALPHAS = np.array([0.03, 0.12])
START_PERSISTENCES = np.array([0.2, 0.5, 0.75, 0.88, 0.94, 0.97, 0.988, 0.998])
STARTS = 4
"""Groups of neighbouring persistences, each of which sends its best start up the hill."""
START_NU = 6.0
ROUNDING = 1e-20
"""A variance below this fraction of the squared mean is the rounding of a constant."""
SAME_HUMP = 1.0
"""Squared distance, in standard errors, within which a climb is taken to lead to a summit already known."""
CONVERGED, NO_VARIANCE, NO_OPTIMUM, OMEGA_AT_BOUND, NU_AT_BOUND, NO_NEWS = range(6)
"""Verdicts on a fit."""
BACKCAST_SESSIONS, BACKCAST_DECAY = 75, 0.94

# Constraints a . theta <= b in (mu, omega, alpha, beta, 1 / nu).
_NORMALS = np.array(
    [
        [0.0, -1.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, -1.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, -1.0, 0.0],
        [0.0, 0.0, 1.0, 1.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, -1.0],
        [0.0, 0.0, 0.0, 0.0, 1.0],
    ]
)
_LIMITS = np.array([-OMEGA_FLOOR, 0.0, 0.0, PERSISTENCE_CEILING, -1.0 / NU_RANGE[1], 1.0 / NU_RANGE[0]])
_PERSISTENCE = 3


def compile_kernels() -> None:
    """Use every kernel once, on a sample of ten returns."""
    returns = np.array([0.1, -0.2, 0.3, 0.1, -0.4, 0.2, 0.1, -0.1, 0.2, -0.3])
    fit_samples(returns, np.array([0]), np.array([10]), 1, 1e-3)


@njit(cache=True)
def fit_samples(
    returns: Floats, start: npt.NDArray[np.int64], stop: npt.NDArray[np.int64], max_steps: int, tolerance: float
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Fit the samples ``returns[start[k]:stop[k]]``, each on its own.

    Returns
    -------
    numbers : ndarray of shape (n_samples, 7)
        mu, omega, alpha, beta, nu, backcast, log-likelihood.
    verdicts : ndarray of shape (n_samples,)
        `CONVERGED` or what is wrong.
    """
    numbers, verdicts = np.full((len(start), 7), np.nan), np.full(len(start), NO_VARIANCE)
    for k in range(len(start)):
        sample = returns[start[k] : stop[k]]
        variance = np.var(sample)
        if np.isfinite(variance) and variance > ROUNDING * np.mean(sample) ** 2:
            theta, numbers[k, 5], numbers[k, 6], verdicts[k] = fit(sample, max_steps, tolerance)
            numbers[k, :5] = theta
    return numbers, verdicts


@njit(cache=True)
def backcast_of(returns: Floats, mean: float) -> float:
    """Exponentially weighted mean of the first 75 squared residuals: the variance before the sample (arch's convention)."""
    total, weights, weight = 0.0, 0.0, 1.0
    for t in range(min(BACKCAST_SESSIONS, len(returns))):
        total += weight * (returns[t] - mean) ** 2
        weights += weight
        weight *= BACKCAST_DECAY
    return total / weights


@njit(cache=True)
def fit(returns: Floats, max_steps: int, tolerance: float) -> tuple[Floats, float, float, int]:
    """Fit one sample.

    Parameters
    ----------
    returns : ndarray of shape (n,)
        Finite returns with a positive variance; the parameters come in their unit.
    max_steps : int
        Evaluations of the scores allowed from each start.
    tolerance : float
        Log-likelihood that the last step may still promise. [nats]

    Returns
    -------
    theta : ndarray of shape (5,)
        mu, omega, alpha, beta, nu.
    backcast : float
        Variance before the sample.
    log_likelihood : float
        At `theta`. [nats]
    verdict : int
        `CONVERGED` or what is wrong.
    """
    mean = returns.mean()
    scale = np.sqrt(np.mean((returns - mean) ** 2))
    x = returns / scale
    backcast = backcast_of(x, mean / scale)
    theta, value, arrived = np.full(5, np.inf), -np.inf, False
    for start in _starts(x, mean / scale, backcast):
        end, end_value, end_arrived = _climb(x, start, theta, backcast, max_steps, tolerance)
        if end_value > value:
            theta, value, arrived = end, end_value, end_arrived
    verdict = _verdict(theta) if arrived else NO_OPTIMUM
    theta[MU] *= scale
    theta[OMEGA] *= scale**2
    return theta, backcast * scale**2, value - len(x) * np.log(scale), verdict


@njit(cache=True)
def _verdict(theta: Floats) -> int:
    if theta[OMEGA] <= 1.001 * OMEGA_FLOOR:
        return OMEGA_AT_BOUND
    if theta[NU] <= 1.001 * NU_RANGE[0]:
        return NU_AT_BOUND
    return NO_NEWS if theta[ALPHA] < 1e-6 else CONVERGED


@njit(cache=True)
def _starts(x: Floats, mean: float, backcast: float) -> Floats:
    """The best start of each group of persistences, the highest first. Shape (STARTS, 5)."""
    grid = np.empty((3, len(START_PERSISTENCES) * len(START_ALPHAS)))
    for i, persistence in enumerate(START_PERSISTENCES):
        for j, alpha in enumerate(START_ALPHAS):
            grid[:, i * len(START_ALPHAS) + j] = (1.0 - persistence, alpha, persistence - alpha)
    values = log_likelihoods(x, mean, START_NU, grid, backcast)
    starts, heights = np.empty((STARTS, 5)), np.empty(STARTS)
    starts[:, MU], starts[:, NU] = mean, START_NU
    size = len(values) // STARTS
    for group in range(STARTS):
        best = group * size + np.argmax(values[group * size : (group + 1) * size])
        starts[group, OMEGA:NU], heights[group] = grid[:, best], values[best]
    return starts[np.argsort(-heights)]


@njit(cache=True)
def _climb(
    x: Floats, start: Floats, summit: Floats, backcast: float, max_steps: int, tolerance: float
) -> tuple[Floats, float, bool]:
    """End point, its log-likelihood and whether it is an optimum; gives up on reaching the foot of a `summit` already climbed."""
    theta, gradient, information = start.copy(), np.empty(5), np.empty((5, 5))
    trial_gradient, trial_information = np.empty(5), np.empty((5, 5))
    value = scores(x, theta, backcast, gradient, information)
    length = 1.0
    move = _step(theta, gradient, information)
    for _ in range(max_steps):
        if move @ gradient < tolerance:
            return theta, value, True
        to_summit = _coordinates(summit) - _coordinates(theta)
        if to_summit @ information @ to_summit < SAME_HUMP:
            return theta, value, False
        trial = _moved(theta, length * move)
        taken = _coordinates(trial) - _coordinates(theta)
        promised = taken @ gradient - 0.5 * taken @ information @ taken
        trial_value = scores(x, trial, backcast, trial_gradient, trial_information)
        gain = trial_value - value
        if gain > 0.75 * promised:
            length = min(2.0 * length, 1.0)
        elif gain < 0.25 * promised:
            length *= 0.5
        if gain >= 0.0:
            theta, value = trial, trial_value
            gradient, trial_gradient = trial_gradient, gradient
            information, trial_information = trial_information, information
            move = _step(theta, gradient, information)
    return theta, value, False


@njit(cache=True)
def _coordinates(theta: Floats) -> Floats:
    point = theta.copy()
    point[NU] = 1.0 / theta[NU]
    return point


@njit(cache=True)
def _moved(theta: Floats, move: Floats) -> Floats:
    """Go along `move` to its end or to the first bound, exactly onto it."""
    point = _coordinates(theta)
    slack, speed = _LIMITS - _NORMALS @ point, _NORMALS @ move
    fraction = 1.0
    for k in range(len(slack)):
        if speed[k] > 0.0:
            fraction = min(fraction, max(slack[k], 0.0) / speed[k])
    point += fraction * move
    point[OMEGA] = max(point[OMEGA], OMEGA_FLOOR)
    point[ALPHA] = max(point[ALPHA], 0.0)
    point[BETA] = min(max(point[BETA], 0.0), PERSISTENCE_CEILING - point[ALPHA])
    point[NU] = 1.0 / min(max(point[NU], 1.0 / NU_RANGE[1]), 1.0 / NU_RANGE[0])
    return point


@njit(cache=True)
def _step(theta: Floats, gradient: Floats, information: Floats) -> Floats:
    """Fisher step in the face of the bounds that the gradient, or the step itself, presses on."""
    slack = _LIMITS - _NORMALS @ _coordinates(theta)
    touching = slack < 1e-12
    active = touching & (_NORMALS @ gradient > 0.0)
    while True:
        basis = _free_directions(active)
        if basis.shape[1] == 0:
            return np.zeros(5)
        reduced = basis.T @ information @ basis
        for i in range(len(reduced)):
            reduced[i, i] *= 1.0 + 1e-9
        move = basis @ np.linalg.solve(reduced, basis.T @ gradient)
        pressed = touching & ~active & (_NORMALS @ move > 0.0)
        if not pressed.any():
            return move
        active = active | pressed


@njit(cache=True)
def _free_directions(active: npt.NDArray[np.bool_]) -> Floats:
    """Columns that span the moves along the active bounds. Shape (5, n_free)."""
    fixed = np.zeros(5, dtype=np.bool_)
    fixed[OMEGA], fixed[ALPHA], fixed[BETA] = active[0], active[1], active[2]
    fixed[NU] = active[4] or active[5]
    basis = np.eye(5)
    if active[_PERSISTENCE]:  # alpha can only grow as much as beta shrinks
        basis[BETA, ALPHA] = -1.0
        fixed[ALPHA] = fixed[ALPHA] or fixed[BETA]
        fixed[BETA] = True
    return np.ascontiguousarray(basis[:, ~fixed])
