"""A Markov chain that nobody sees, behind returns that everybody sees: estimation, and the filter [1]_.

.. [1] J. D. Hamilton, "A new approach to the economic analysis of nonstationary time series and the business cycle,"
   Econometrica 57 (2), 1989. doi:10.2307/1912559
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from etf_pipeline.errors import DataError, EstimationError
from etf_pipeline.panel import Floats

STARTS = ((0.5, 0.95), (0.3, 0.98), (0.7, 0.90), (0.5, 0.99))
"""Where the search begins: deviation of the calmest state over that of all returns, and probability of staying."""

START_NU = 8.0
"""Degrees of freedom held while expectation-maximisation looks for the hill; the climb to its top frees them."""

FLOOR = 1e-2
"""Smallest deviation of a state over that of all returns: the likelihood of a state on equal values has no bound."""


@dataclass(frozen=True)
class HiddenMarkov:
    """A fitted chain; states are in order of their deviation, the most volatile last.

    Attributes
    ----------
    means, deviations : ndarray of shape (n_states,)
        Of the values in each state, in their unit.
    transition : ndarray of shape (n_states, n_states)
        Probability of moving from the state of the row to that of the column.
    nu : float
        Degrees of freedom of the t law, common to the states; 0 under the normal law.
    log_likelihood : float
        With the first state drawn from the stationary distribution. [nats]
    mean_errors, deviation_errors, stay_errors : ndarray of shape (n_states,)
        Asymptotic standard errors of means, deviations and the transition's diagonal; NaN where the curvature gives none.
    n : int
        Known values.
    """

    means: Floats
    deviations: Floats
    transition: Floats
    nu: float
    log_likelihood: float
    mean_errors: Floats
    deviation_errors: Floats
    stay_errors: Floats
    n: int

    @property
    def shares(self) -> Floats:
        """Long-run share of the sessions in each state."""
        from etf_pipeline.regimes import kernels

        shares: Floats = kernels.stationary(self.transition)
        return shares

    @property
    def durations(self) -> Floats:
        """Expected length of a visit to each state; infinite where it is never left. [sessions]"""
        with np.errstate(divide="ignore"):
            durations: Floats = 1.0 / (1.0 - np.diag(self.transition))
        return durations


def fit(values: Floats, *, states: int = 2, student: bool = True, steps: int = 100, tolerance: float = 1e-4) -> HiddenMarkov:
    """Estimate a chain by maximum likelihood.

    Parameters
    ----------
    values : ndarray of shape (n,)
        One series in order of time, in percent or another unit in which it is of order one; NaN and infinities are unknown.
    states : int, default 2
        States of the chain.
    student : bool, default True
        Whether values in a state follow a t law instead of a normal one.
    steps, tolerance : int and float
        Steps of expectation-maximisation from the best start, and log-likelihood that the last must gain to go on.

    Returns
    -------
    HiddenMarkov

    Raises
    ------
    DataError
        If there are fewer than 10 known values for each state.
    EstimationError
        If they do not vary.

    Notes
    -----
    1. From each of `STARTS`, 25 steps of expectation-maximisation; the best one goes on.
    2. From there a quasi-Newton climb (BFGS) on free numbers, with the stationary start in the likelihood, which the closed
       steps of (1) leave out. Where it ends below (1), or in a state that has collapsed, (1) stands.
    3. Errors are those of the inverse curvature, by the delta method.

    Under the normal law a single bad session is evidence of the stressed state; under t it may be a calm state's tail.

    Examples
    --------
    >>> rng = np.random.default_rng(4)
    >>> model = fit(np.concatenate([rng.normal(0, 0.5, 400), rng.normal(0, 3.0, 100), rng.normal(0, 0.5, 400)]), student=False)
    >>> model.deviations.round(1).tolist()
    [0.5, 3.0]
    """
    from etf_pipeline.regimes import kernels

    x = np.asarray(values, dtype=np.float64)
    known = x[np.isfinite(x)]
    if len(known) < 10 * states:
        raise DataError(f"a chain of {states} states needs {10 * states} known values; found {len(known)}. Wait, or take fewer.")
    if not known.std() > 0.0:
        raise EstimationError(f"a chain of {states} states needs values that vary; all {len(known)} are {known[0]:g}.")
    floor = FLOOR * float(known.std())
    nu = START_NU if student else 0.0
    means, deviations, transition = _best_start(x, states, nu, floor)
    kernels.climb(x, means, deviations, transition, nu, floor, steps, tolerance)
    theta, reached = _polish(_pack(means, deviations, transition, nu), x, states, student, floor)
    return _described(theta, reached, x, states, student)


def filtered(values: Floats, model: HiddenMarkov) -> Floats:
    """Probability of each state after each value, given the values up to it and no later one.

    Returns
    -------
    ndarray of shape (n, n_states)
    """
    from etf_pipeline.regimes import kernels

    x = np.asarray(values, dtype=np.float64)
    logs = kernels.log_densities(x, model.means, model.deviations, model.nu)
    found: Floats = kernels.forward(logs, model.transition)[0]
    return found


def ahead(probabilities: Floats, model: HiddenMarkov, steps: int) -> Floats:
    """Probability of each state some steps later.

    Examples
    --------
    >>> nan = np.full(2, np.nan)
    >>> model = HiddenMarkov(nan, nan, np.array([[0.9, 0.1], [0.3, 0.7]]), 0.0, 0.0, nan, nan, nan, 0)
    >>> ahead(np.array([[1.0, 0.0]]), model, 2).round(4).tolist()
    [[0.84, 0.16]]
    """
    moved: Floats = probabilities
    for _ in range(steps):
        moved = moved[:, :1] * model.transition[0] + sum(
            moved[:, i : i + 1] * model.transition[i] for i in range(1, len(model.transition))
        )
    return moved


def _best_start(x: Floats, k: int, nu: float, floor: float) -> tuple[Floats, Floats, Floats]:
    from etf_pipeline.regimes import kernels

    known = x[np.isfinite(x)]
    found = []
    for calm, stay in STARTS:
        means = np.full(k, known.mean())
        deviations = known.std() * np.linspace(calm, 2.0 - calm, k)
        transition = np.full((k, k), (1.0 - stay) / max(k - 1, 1))
        np.fill_diagonal(transition, stay)
        reached = kernels.climb(x, means, deviations, transition, nu, floor, 25, 1e-6)
        found.append((reached, means, deviations, transition))
    return max(found, key=lambda start: start[0])[1:]


def _pack(means: Floats, deviations: Floats, transition: Floats, nu: float) -> Floats:
    """The free numbers that `kernels.unpack` reads."""
    from etf_pipeline.regimes.kernels import NU_HIGH, NU_LOW

    off = ~np.eye(len(means), dtype=bool)
    moves = np.log(np.maximum(transition, 1e-12) / np.diag(transition)[:, None])[off]
    tail = [math.log((nu - NU_LOW) / (NU_HIGH - nu))] if nu > 0.0 else []
    return np.concatenate([means, np.log(deviations), moves, tail])


def _polish(theta: Floats, x: Floats, k: int, student: bool, floor: float) -> tuple[Floats, float]:
    from scipy.optimize import minimize

    from etf_pipeline.regimes import kernels

    first = float(kernels.loss(theta, x, k, student))
    with np.errstate(all="ignore"):  # a step too far may meet infinities, and is taken back
        found: Any = minimize(kernels.loss, theta, (x, k, student), "BFGS", kernels.slope, options={"gtol": 1e-4})
    sound = np.isfinite(found.x).all() and float(np.exp(found.x[k : 2 * k].min())) >= floor
    return (np.asarray(found.x), float(found.fun)) if sound and found.fun <= first else (theta, first)


def _described(theta: Floats, reached: float, x: Floats, k: int, student: bool) -> HiddenMarkov:
    from etf_pipeline.regimes import kernels

    means, deviations, transition, nu = kernels.unpack(theta, k, student)
    covariance = _covariance(kernels.curvature(theta, x, k, student))
    with np.errstate(invalid="ignore"):
        errors = np.sqrt(np.diag(covariance))
    stays = _stay_errors(transition, covariance[2 * k : k * (k + 1), 2 * k : k * (k + 1)])
    order = np.argsort(deviations, kind="stable")
    return HiddenMarkov(
        means[order],
        deviations[order],
        np.ascontiguousarray(transition[order][:, order]),
        float(nu),
        -reached,
        errors[:k][order],
        (errors[k : 2 * k] * deviations)[order],
        stays[order],
        int(np.isfinite(x).sum()),
    )


def _covariance(curvature: Floats) -> Floats:
    """Inverse of the curvature; NaN where it is not that of a minimum."""
    unknown = np.full(curvature.shape, np.nan)
    if not np.isfinite(curvature).all() or np.linalg.eigvalsh(curvature)[0] <= 0.0:
        return unknown
    return np.asarray(np.linalg.inv(curvature), dtype=np.float64)


def _stay_errors(transition: Floats, covariance: Floats) -> Floats:
    """Errors of the diagonal, from the covariance of the logs of each move's odds: ``d p_ii = - sum_j p_ii p_ij d theta_ij``."""
    k = len(transition)
    out = np.full(k, np.nan)
    for i in range(k):
        gradient = -transition[i, i] * np.delete(transition[i], i)
        block = covariance[i * (k - 1) : (i + 1) * (k - 1), i * (k - 1) : (i + 1) * (k - 1)]
        variance = float(gradient @ block @ gradient)
        out[i] = math.sqrt(variance) if variance > 0.0 else math.nan
    return out
