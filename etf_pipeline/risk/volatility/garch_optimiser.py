"""Maximum likelihood of the GARCH(1,1) and GJR: many starts, then Fisher scoring on an active set.

1. Divide the sample by its root mean square about the mean, so that every parameter is of order one.
2. Value a grid of starts, in persistence and alpha, by the likelihood alone; keep those that no neighbour tops, since some series
   have several humps. Short samples have most of them: there the best of each of four ranges of persistence is kept as well.
3. From each, take steps with the expected information, corrected so that it agrees with how the gradient changed over the last
   three steps (BFGS): near the top this is as good as second derivatives, and costs none. A step is halved where it gains under a
   quarter of what it promises, the corrections are dropped, and it is doubled again where it gains over three quarters. It stops
   at the first bound it meets (``omega >= 1e-8``, ``alpha, fall, beta >= 0``, ``(alpha + fall) / 2 + beta <= 1 - 1e-8``,
   ``2.05 <= nu <= 500``); a bound is kept while the gradient presses on it, and left when it no longer does.
4. A climb ends when the step promises less than `tolerance` of log-likelihood, and is given up where it comes to the foot of a
   known summit, or where several times what it promises would not lift it above. The highest end point wins.
5. A verdict: an optimum on a bound where the variance no longer listens to the returns, or the likelihood runs away (as
   with a fund half of whose returns are zero), is not to be forecast with.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from etf_pipeline.panel import Floats
from etf_pipeline.risk.volatility.garch_likelihood import ALPHA, BETA, FALL, MU, NU, OMEGA, SIZE, log_likelihoods, scores

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
"""Ranges of persistence, each of which sends its best start up the hill in a short sample."""
SHORT = 1000
"""Returns below which a sample is started from every range of persistence."""
START_NU = 6.0
ROUNDING = 1e-20
"""A variance below this fraction of the squared mean is the rounding of a constant."""
SAME_HUMP = 1.0
"""Squared distance, in standard errors, within which a climb is taken to lead to a summit already known."""
HOPE = 5.0
"""A climb goes on while it might gain this many times what a full step promises, to first order."""
PAIRS = 3
"""Steps that correct the expected information."""
CONVERGED, NO_VARIANCE, NO_OPTIMUM, OMEGA_AT_BOUND, NU_AT_BOUND, NO_NEWS = range(6)
"""Verdicts on a fit."""
BACKCAST_SESSIONS, BACKCAST_DECAY = 75, 0.94

# Constraints a . point <= b in (mu, omega, alpha, beta, 1 / nu, fall): bounds, and the plane of the persistence.
_NORMALS = np.array(
    [
        [0.0, -1.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, -1.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, -1.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, -1.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0, -1.0],
        [0.0, 0.0, 0.5, 1.0, 0.0, 0.5],
    ]
)
_LIMITS = np.array([-OMEGA_FLOOR, 0.0, 0.0, -1.0 / NU_RANGE[1], 1.0 / NU_RANGE[0], 0.0, PERSISTENCE_CEILING])
_BOUNDED = np.array([OMEGA, ALPHA, BETA, NU, NU, FALL])
"""Coordinate of each bound."""
_PLANE = 6


def compile_kernels() -> None:
    """Use every kernel once, on a sample of ten returns."""
    returns = np.array([0.1, -0.2, 0.3, 0.1, -0.4, 0.2, 0.1, -0.1, 0.2, -0.3])
    fit_samples(returns, np.array([0]), np.array([10]), 1, 1e-3, False, False)


@njit(cache=True)
def fit_samples(
    returns: Floats,
    start: npt.NDArray[np.int64],
    stop: npt.NDArray[np.int64],
    max_steps: int,
    tolerance: float,
    normal: bool,
    asymmetric: bool,
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Fit the samples ``returns[start[k]:stop[k]]``, each on its own.

    Returns
    -------
    numbers : ndarray of shape (n_samples, 8)
        mu, omega, alpha, beta, nu, fall, backcast, log-likelihood.
    verdicts : ndarray of shape (n_samples,)
        `CONVERGED` or what is wrong.
    """
    numbers, verdicts = np.full((len(start), SIZE + 2), np.nan), np.full(len(start), NO_VARIANCE)
    for k in range(len(start)):
        sample = returns[start[k] : stop[k]]
        variance = np.var(sample)
        if np.isfinite(variance) and variance > ROUNDING * np.mean(sample) ** 2:
            theta, numbers[k, SIZE], numbers[k, SIZE + 1], verdicts[k] = fit(sample, max_steps, tolerance, normal, asymmetric)
            numbers[k, :SIZE] = theta
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
def fit(returns: Floats, max_steps: int, tolerance: float, normal: bool, asymmetric: bool) -> tuple[Floats, float, float, int]:
    """Fit one sample.

    Parameters
    ----------
    returns : ndarray of shape (n,)
        Finite returns with a positive variance; the parameters come in their unit.
    max_steps : int
        Evaluations of the scores allowed from each start.
    tolerance : float
        Log-likelihood that the last step may still promise. [nats]
    normal, asymmetric : bool
        Normal errors instead of Student's t; a response of its own to falls (GJR).

    Returns
    -------
    theta : ndarray of shape (6,)
        mu, omega, alpha, beta, nu (infinite for normal errors), fall.
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
    theta, value, arrived = np.full(SIZE, np.inf), -np.inf, False
    for start in _starts(x, mean / scale, backcast, normal):
        end, end_value, end_arrived = _climb(x, start, theta, value, backcast, max_steps, tolerance, asymmetric)
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
    return NO_NEWS if theta[ALPHA] + theta[FALL] < 2e-6 else CONVERGED


@njit(cache=True)
def _starts(x: Floats, mean: float, backcast: float, normal: bool) -> Floats:
    """Points of the grid that none of their four neighbours tops, the highest first. Shape (n_starts, 6)."""
    rows, columns = len(START_PERSISTENCES), len(START_ALPHAS)
    grid = np.empty((4, rows * columns))
    for i, persistence in enumerate(START_PERSISTENCES):
        for j, alpha in enumerate(START_ALPHAS):
            grid[:, i * columns + j] = (1.0 - persistence, alpha, persistence - alpha, alpha)
    nu = np.inf if normal else START_NU
    heights = np.full((rows + 2, columns + 2), -np.inf)
    heights[1:-1, 1:-1] = log_likelihoods(x, mean, nu, grid, backcast).reshape(rows, columns)
    middle = heights[1:-1, 1:-1]
    peak = (middle >= heights[:-2, 1:-1]) & (middle > heights[2:, 1:-1])
    peak &= (middle >= heights[1:-1, :-2]) & (middle > heights[1:-1, 2:])
    if len(x) < SHORT:
        for group in range(0, rows, rows // STARTS):
            best = np.argmax(middle[group : group + rows // STARTS].copy().ravel())
            peak[group + best // columns, best % columns] = True
    found = np.flatnonzero(peak)
    found = found[np.argsort(-middle.copy().ravel()[found])]
    starts = np.empty((len(found), SIZE))
    starts[:, MU], starts[:, NU] = mean, nu
    for k, point in enumerate(found):
        starts[k, OMEGA:NU], starts[k, FALL] = grid[:3, point], grid[3, point]
    return starts


@njit(cache=True)
def _climb(
    x: Floats, start: Floats, summit: Floats, height: float, backcast: float, max_steps: int, tolerance: float, asymmetric: bool
) -> tuple[Floats, float, bool]:
    """End point, its log-likelihood and whether it is an optimum; gives up where `_leads_to` a `summit` already climbed."""
    theta, gradient, information = start.copy(), np.empty(SIZE), np.empty((SIZE, SIZE))
    trial_gradient, trial_information = np.empty(SIZE), np.empty((SIZE, SIZE))
    pairs = np.zeros((PAIRS, 2, SIZE))
    value = scores(x, theta, backcast, asymmetric, gradient, information)
    length, curvature = 1.0, information
    move = _step(theta, gradient, curvature, asymmetric)
    for _ in range(max_steps):
        if move @ gradient < tolerance:
            return theta, value, True
        if _leads_to(summit, height, theta, value, gradient, information, move):
            return theta, value, False
        trial = _moved(theta, length * move, asymmetric)
        taken = _coordinates(trial) - _coordinates(theta)
        if not asymmetric:
            taken[FALL] = 0.0
        promised = taken @ gradient - 0.5 * taken @ curvature @ taken
        trial_value = scores(x, trial, backcast, asymmetric, trial_gradient, trial_information)
        gain = trial_value - value
        if gain > 0.75 * promised:
            length = min(2.0 * length, 1.0)
        elif gain < 0.25 * promised:
            length *= 0.5
            pairs[:] = 0.0
        if gain >= 0.0:
            pairs[:-1] = pairs[1:].copy()
            pairs[-1, 0], pairs[-1, 1] = taken, gradient - trial_gradient
            theta, value = trial, trial_value
            gradient, trial_gradient = trial_gradient, gradient
            information, trial_information = trial_information, information
        curvature = _corrected(information, pairs)
        move = _step(theta, gradient, curvature, asymmetric)
    return theta, value, False


@njit(cache=True)
def _leads_to(
    summit: Floats, height: float, theta: Floats, value: float, gradient: Floats, curvature: Floats, move: Floats
) -> bool:
    """Whether a climb is at the foot of a known summit, or promises too little to rise above it."""
    if not (np.isfinite(height) and value < height):
        return False
    if value + HOPE * (move @ gradient) < height:
        return True
    way = _coordinates(summit) - _coordinates(theta)
    near: bool = way @ curvature @ way < SAME_HUMP  # type: ignore[assignment]
    return near


@njit(cache=True)
def _corrected(information: Floats, pairs: Floats) -> Floats:
    """The expected information, made to agree with how the gradient changed over the last steps (the BFGS formula)."""
    curvature = information.copy()
    for k in range(len(pairs)):
        step, change = pairs[k, 0], pairs[k, 1]
        expected = curvature @ step
        plan, found = step @ expected, step @ change
        if plan > 0.0 and found > 0.1 * plan:
            for i in range(SIZE):
                for j in range(SIZE):
                    curvature[i, j] += change[i] * change[j] / found - expected[i] * expected[j] / plan
    return curvature


@njit(cache=True)
def _coordinates(theta: Floats) -> Floats:
    point = theta.copy()
    point[NU] = 1.0 / theta[NU]
    return point


@njit(cache=True)
def _moved(theta: Floats, move: Floats, asymmetric: bool) -> Floats:
    """Go along `move` to its end or to the first bound, exactly onto it."""
    point = _coordinates(theta)
    whole = move.copy()
    if not asymmetric:
        whole[FALL] = move[ALPHA]
    slack, speed = _LIMITS - _NORMALS @ point, _NORMALS @ whole
    fraction = 1.0
    for k in range(len(slack)):
        if speed[k] > 0.0:
            fraction = min(fraction, max(slack[k], 0.0) / speed[k])
    point += fraction * whole
    point[OMEGA] = max(point[OMEGA], OMEGA_FLOOR)
    point[ALPHA] = max(point[ALPHA], 0.0)
    point[FALL] = max(point[FALL], 0.0) if asymmetric else point[ALPHA]
    point[BETA] = min(max(point[BETA], 0.0), PERSISTENCE_CEILING - 0.5 * (point[ALPHA] + point[FALL]))
    if theta[NU] < np.inf:
        point[NU] = min(max(point[NU], 1.0 / NU_RANGE[1]), 1.0 / NU_RANGE[0])
    point[NU] = 1.0 / point[NU] if point[NU] > 0.0 else np.inf
    return point


@njit(cache=True)
def _step(theta: Floats, gradient: Floats, curvature: Floats, asymmetric: bool) -> Floats:
    """Step to the top of the quadratic, in the face of the bounds that the gradient, or the step itself, presses on."""
    slack = _LIMITS - _NORMALS @ _coordinates(theta)
    touching = slack < 1e-12
    normals = _NORMALS.copy()
    if not asymmetric:  # the one response stands for both
        normals[_PLANE, ALPHA], normals[_PLANE, FALL], touching[_PLANE - 1] = 1.0, 0.0, False
    fixed = np.zeros(SIZE, dtype=np.bool_)
    fixed[FALL], fixed[NU] = not asymmetric, theta[NU] == np.inf
    active = touching & (normals @ gradient > 0.0)
    while True:
        basis = _free_directions(active, fixed, normals[_PLANE])
        if basis.shape[1] == 0:
            return np.zeros(SIZE)
        reduced = basis.T @ curvature @ basis
        for i in range(len(reduced)):
            reduced[i, i] *= 1.0 + 1e-9
        move = basis @ np.linalg.solve(reduced, basis.T @ gradient)
        pressed = touching & ~active & (normals @ move > 0.0)
        if not pressed.any():
            return move
        active = active | pressed


@njit(cache=True)
def _free_directions(active: npt.NDArray[np.bool_], fixed: npt.NDArray[np.bool_], plane: Floats) -> Floats:
    """Columns that span the moves along the active bounds. Shape (6, n_free)."""
    fixed = fixed.copy()
    for k in range(len(_BOUNDED)):
        fixed[_BOUNDED[k]] |= active[k]
    basis = np.eye(SIZE)
    if active[_PLANE]:  # one coordinate of the plane gives what the others take
        for pivot in (BETA, ALPHA, FALL):
            if not fixed[pivot] and plane[pivot] > 0.0:
                basis[pivot] = -plane / plane[pivot]
                fixed[pivot] = True
                break
    return np.ascontiguousarray(basis[:, ~fixed])
