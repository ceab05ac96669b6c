"""Kernels of the hidden Markov model: densities, the forward filter, the backward pass, one step of expectation-maximisation.

All passes are scaled [1]_: each session's probabilities add up to one, and the logarithms of the scales add up to the
log-likelihood. An unknown return has density one in every state: it moves the probabilities by the transition alone. Divisions
follow IEEE: an optimiser that tries a variance of zero meets an infinite loss, and no exception.

References
----------
.. [1] L. R. Rabiner, "A tutorial on hidden Markov models and selected applications in speech recognition," Proc. IEEE 77 (2),
   1989. doi:10.1109/5.18626
.. [2] W. K. Grassmann, M. I. Taksar, D. P. Heyman, "Regenerative analysis and steady state distributions for Markov chains,"
   Operations Research 33 (5), 1985. doi:10.1287/opre.33.5.1107
.. [3] D. Peel, G. J. McLachlan, "Robust mixture modelling using the t distribution," Statistics and Computing 10, 2000.
   doi:10.1023/A:1008981510081
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from etf_pipeline.panel import Floats

NU_LOW, NU_HIGH = 2.0, 200.0
"""Bounds of the degrees of freedom: a variance exists above the first."""

_LOG_ROOT_2PI = 0.5 * math.log(2.0 * math.pi)


@njit(cache=True, error_model="numpy")
def stationary(transition: Floats) -> Floats:
    """Long-run shares of the states, by elimination without subtractions [2]_."""
    k = len(transition)
    a = transition.copy()
    for n in range(k - 1, 0, -1):
        leaving = 0.0
        for j in range(n):
            leaving += a[n, j]
        for i in range(n):
            a[i, n] /= leaving
            for j in range(n):
                a[i, j] += a[i, n] * a[n, j]
    shares = np.zeros(k)
    shares[0] = 1.0
    total = 1.0
    for n in range(1, k):
        for i in range(n):
            shares[n] += shares[i] * a[i, n]
        total += shares[n]
    return shares / total


@njit(cache=True, error_model="numpy")
def log_densities(x: Floats, means: Floats, deviations: Floats, nu: float) -> Floats:
    """Log density of every value in every state; `nu` zero or below for the normal law. Unknown values have 0 everywhere."""
    n, k = len(x), len(means)
    out = np.zeros((n, k))
    for i in range(k):
        if nu > 0.0:
            scale = deviations[i] * math.sqrt((nu - 2.0) / nu)
            level = math.lgamma(0.5 * (nu + 1.0)) - math.lgamma(0.5 * nu) - 0.5 * math.log(nu * math.pi) - math.log(scale)
        else:
            scale = deviations[i]
            level = -_LOG_ROOT_2PI - math.log(scale)
        for t in range(n):
            if math.isfinite(x[t]):
                z = (x[t] - means[i]) / scale
                out[t, i] = level - (0.5 * (nu + 1.0) * math.log1p(z * z / nu) if nu > 0.0 else 0.5 * z * z)
    return out


@njit(cache=True, error_model="numpy")
def forward(logs: Floats, transition: Floats) -> tuple[Floats, Floats, Floats]:
    """Filtered probabilities after each value, densities relative to the largest, and each value's log-likelihood."""
    n, k = logs.shape
    filtered, relative, gains = np.empty((n, k)), np.empty((n, k)), np.empty(n)
    ahead = stationary(transition)
    for t in range(n):
        top = logs[t, 0]
        for i in range(1, k):
            top = max(top, logs[t, i])
        total = 0.0
        for i in range(k):
            relative[t, i] = math.exp(logs[t, i] - top)
            filtered[t, i] = ahead[i] * relative[t, i]
            total += filtered[t, i]
        for i in range(k):  # no state that can be reached has a density above zero: the value says nothing
            filtered[t, i] = filtered[t, i] / total if total > 0.0 else ahead[i]
        gains[t] = top + math.log(total) if total > 0.0 else -np.inf
        for j in range(k):
            ahead[j] = 0.0
            for i in range(k):
                ahead[j] += filtered[t, i] * transition[i, j]
    return filtered, relative, gains


@njit(cache=True, error_model="numpy")
def log_likelihood(x: Floats, means: Floats, deviations: Floats, transition: Floats, nu: float) -> float:
    """Log-likelihood of a series whose first state is drawn from the stationary distribution."""
    total = 0.0
    for gain in forward(log_densities(x, means, deviations, nu), transition)[2]:
        total += gain
    return total


@njit(cache=True, error_model="numpy")
def _backward(filtered: Floats, relative: Floats, transition: Floats) -> tuple[Floats, Floats]:
    """Probabilities given the whole sample, and expected numbers of moves: for estimation only, never stored."""
    n, k = filtered.shape
    given, moves, ratio = filtered.copy(), np.zeros((k, k)), np.empty(k)
    for t in range(n - 2, -1, -1):
        for j in range(k):
            ahead = 0.0
            for i in range(k):
                ahead += filtered[t, i] * transition[i, j]
            ratio[j] = given[t + 1, j] / ahead if ahead > 0.0 else 0.0
        for i in range(k):
            given[t, i] = 0.0
            for j in range(k):
                move = filtered[t, i] * transition[i, j] * ratio[j]
                moves[i, j] += move
                given[t, i] += move
    return given, moves


@njit(cache=True, error_model="numpy")
def _moments(x: Floats, given: Floats, means: Floats, deviations: Floats, nu: float, floor: float) -> None:
    """Update means and deviations in place by weighted moments; under t, far values weigh less [3]_."""
    for i in range(len(means)):
        scale2 = deviations[i] ** 2 * ((nu - 2.0) / nu if nu > 0.0 else 1.0)
        mass, weight, first = 0.0, 0.0, 0.0
        for t in range(len(x)):
            if math.isfinite(x[t]):
                w = given[t, i] * ((nu + 1.0) / (nu + (x[t] - means[i]) ** 2 / scale2) if nu > 0.0 else 1.0)
                mass += given[t, i]
                weight += w
                first += w * x[t]
        if weight <= 0.0:
            continue
        mean, second = first / weight, 0.0
        for t in range(len(x)):
            if math.isfinite(x[t]):
                w = given[t, i] * ((nu + 1.0) / (nu + (x[t] - means[i]) ** 2 / scale2) if nu > 0.0 else 1.0)
                second += w * (x[t] - mean) ** 2
        variance = second / mass * (nu / (nu - 2.0) if nu > 0.0 else 1.0)
        means[i], deviations[i] = mean, max(math.sqrt(variance), floor)


@njit(cache=True, error_model="numpy")
def climb(
    x: Floats, means: Floats, deviations: Floats, transition: Floats, nu: float, floor: float, steps: int, tolerance: float
) -> float:
    """Expectation-maximisation in place, until a step gains less than `tolerance`; the log-likelihood before the last step.

    `floor` keeps a state from collapsing onto equal values. The first state's small part in the transition is left to `polish`.
    """
    k, before = len(means), -np.inf
    for _ in range(steps):
        filtered, relative, gains = forward(log_densities(x, means, deviations, nu), transition)
        now = 0.0
        for gain in gains:
            now += gain
        given, moves = _backward(filtered, relative, transition)
        _moments(x, given, means, deviations, nu, floor)
        for i in range(k):
            total = 0.0
            for j in range(k):
                moves[i, j] = max(moves[i, j], 1e-6)
                total += moves[i, j]
            for j in range(k):
                transition[i, j] = moves[i, j] / total
        if abs(now - before) < tolerance:
            return now
        before = now
    return before


@njit(cache=True, error_model="numpy")
def unpack(theta: Floats, k: int, heavy: bool) -> tuple[Floats, Floats, Floats, float]:
    """Means, deviations, transition matrix and degrees of freedom from free numbers.

    They are means, logs of deviations, logs of each move's probability over that of staying, and under t the logit of `nu`
    between 2 and 200, where a t is as good as normal.
    """
    means, deviations = theta[:k].copy(), np.exp(theta[k : 2 * k])
    transition = np.zeros((k, k))
    place = 2 * k
    for i in range(k):
        total = 1.0
        for j in range(k):
            if j != i:
                transition[i, j] = math.exp(theta[place])
                total += transition[i, j]
                place += 1
        transition[i, i] = 1.0
        for j in range(k):
            transition[i, j] /= total
    return means, deviations, transition, NU_LOW + (NU_HIGH - NU_LOW) / (1.0 + math.exp(-theta[place])) if heavy else 0.0


@njit(cache=True, error_model="numpy")
def loss(theta: Floats, x: Floats, k: int, heavy: bool) -> float:
    """Minus the log-likelihood at free numbers."""
    means, deviations, transition, nu = unpack(theta, k, heavy)
    return -log_likelihood(x, means, deviations, transition, nu)


@njit(cache=True, error_model="numpy")
def slope(theta: Floats, x: Floats, k: int, heavy: bool) -> Floats:
    """Gradient of `loss` by central differences."""
    out, step = np.empty(len(theta)), 1e-5
    for i in range(len(theta)):
        up, down = theta.copy(), theta.copy()
        up[i] += step
        down[i] -= step
        out[i] = (loss(up, x, k, heavy) - loss(down, x, k, heavy)) / (2.0 * step)
    return out


@njit(cache=True, error_model="numpy")
def curvature(theta: Floats, x: Floats, k: int, heavy: bool) -> Floats:
    """Matrix of second derivatives of `loss`, symmetric, by central differences of `slope`."""
    m, step = len(theta), 1e-3
    out = np.empty((m, m))
    for i in range(m):
        up, down = theta.copy(), theta.copy()
        up[i] += step
        down[i] -= step
        out[i] = (slope(up, x, k, heavy) - slope(down, x, k, heavy)) / (2.0 * step)
    return 0.5 * (out + out.T)
