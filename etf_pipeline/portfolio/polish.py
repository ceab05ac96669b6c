"""The last digits: Newton's method on the optimality conditions, from where an interior-point method stopped.

Clarabel's weights are right to about 1e-8. Which funds sit on a bound, or are not traded, is then clear, and the conditions
of `optimality` for the others are smooth equations. A few Newton steps solve them to rounding, so that an answer neither
depends on where the solver stopped nor on the last bit of its inputs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from etf_pipeline.panel import Floats
from etf_pipeline.portfolio.cone import COSTED, Objective
from etf_pipeline.portfolio.limits import Limit
from etf_pipeline.portfolio.optimality import before_costs, multipliers, price_of_variance, traded_values
from etf_pipeline.portfolio.problem import Problem

TRIFLE = 1e-6
"""A trade smaller than this is what an interior-point method cannot tell from none. [fraction]"""

SMALLEST_TRADE = 1e-300
"""Keeps the slope of impact finite where a step lands on no trade at all. [fraction]"""

FAR = 1e3
"""A weight this large has left every bound: the steps diverge, and the caller keeps what it had. [fraction]"""

STEPS = 8
"""Newton steps; quadratic convergence needs three or four."""


def polish(
    problem: Problem, weights: Floats, free: npt.NDArray[np.intp], limits: Sequence[Limit], objective: Objective = "sharpe"
) -> Floats:
    """Weights whose marginal values agree among the free funds, to rounding.

    Parameters
    ----------
    problem : Problem
        What was solved.
    weights : ndarray of shape (n_assets,)
        Nearly optimal. [fraction]
    free : ndarray of shape (n_free,)
        Positions of the funds strictly between their bounds that trade; all others stay as they are.
    limits : sequence of Limit
        Those that are held at their bound; none of expected shortfall, which has no second derivative.
    objective : {"sharpe", "utility", "variance"}
        What is optimised.

    Returns
    -------
    ndarray of shape (n_assets,)
        [fraction]

    Raises
    ------
    numpy.linalg.LinAlgError
        If the equations are singular.

    Notes
    -----
    Unknown are the free weights, ``nu`` and the multipliers of the limits; equations are ``marginal value = nu + charges`` for
    each free fund, the budget, and each limit at its bound.
    """
    w = weights.copy()
    unknown = multipliers(problem, w, free, limits, objective)
    for _ in range(STEPS):
        gap, jacobian = _system(problem, w, free, limits, unknown, objective)
        step = np.linalg.solve(jacobian, -gap)
        w[free] += step[: len(free)]
        unknown = unknown + step[len(free) :]
        if np.abs(step[: len(free)]).max() < 1e-16 or not np.abs(w).max() < FAR:
            break
    return w


def settled(problem: Problem, weights: Floats) -> Floats:
    """Weights with no trade where there was a trifle: which way it goes is noise. The others make up for it."""
    trifling = (np.abs(weights - problem.previous) < TRIFLE) & (problem.previous > 0)
    out = np.where(trifling, problem.previous, weights)
    free = (out > problem.lower) & (out < problem.upper) & ~trifling
    if free.any():
        out[free] += (problem.invested - out.sum()) / free.sum()
    return out


def loosened(
    problem: Problem, weights: Floats, free: npt.NDArray[np.intp], limits: Sequence[Limit], objective: Objective = "sharpe"
) -> Floats:
    """Weights in which the untraded funds that should trade a trifle do so.

    Marginal impact grows with the square root of a trade: an optimum may lie 1e-8 from what is held, nearer than an
    interior-point method can tell. The marginal value, though, tells: it exceeds that of the free funds by more than the
    linear cost, and the trade at which impact makes up the difference is the square of their ratio.

    Parameters
    ----------
    problem, weights, free, limits, objective
        As `polish` takes them; `weights` are its answer. Without a free fund to compare with they stay.

    Returns
    -------
    ndarray of shape (n_assets,)
        The same weights, but for those trifles; Newton steps make them exact. [fraction]
    """
    if len(free) < 1 + len(limits) or objective not in COSTED:
        return weights
    nu, *charges = multipliers(problem, weights, free, limits, objective)
    gap = before_costs(problem, weights, objective) - nu
    for limit, charge in zip(limits, charges, strict=True):
        gap = gap - charge * limit.gradient(problem, weights)
    still = (weights == problem.previous) & (weights > problem.lower) & (weights < problem.upper) & (problem.impact_cost > 0)
    wanted = np.flatnonzero(still & (np.abs(gap) > problem.linear_cost))
    trifle = ((np.abs(gap) - problem.linear_cost)[wanted] / (1.5 * problem.impact_cost[wanted])) ** 2
    out = weights.copy()
    out[wanted] += np.sign(gap[wanted]) * trifle
    return out


def _system(
    problem: Problem,
    w: Floats,
    free: npt.NDArray[np.intp],
    limits: Sequence[Limit],
    unknown: Floats,
    objective: Objective,
) -> tuple[Floats, Floats]:
    """Gaps of the equations and their derivatives by (free weights, nu, multipliers)."""
    k, size = len(free), len(free) + 1 + len(limits)
    risk, price = problem.covariance @ w, price_of_variance(problem, w, objective)
    values = traded_values(problem, w, objective)
    square = np.ix_(free, free)
    gap, J = np.zeros(size), np.zeros((size, size))
    gap[:k] = values[free] - unknown[0]
    gap[k] = w.sum() - problem.invested
    J[:k, :k] = -price * problem.covariance[square]
    J[:k, k], J[k, :k] = -1.0, 1.0
    if objective in COSTED:
        J[np.arange(k), np.arange(k)] -= (
            0.75 * problem.impact_cost[free] / np.sqrt(np.maximum(np.abs(w - problem.previous)[free], SMALLEST_TRADE))
        )
    if objective == "sharpe":  # the price follows the weights: its gradient is (values - price S w) / variance
        J[:k, :k] -= np.outer(risk[free], (values - price * risk)[free] / float(w @ risk))
    for j, (limit, charge) in enumerate(zip(limits, unknown[1:], strict=True), start=k + 1):
        slope = limit.gradient(problem, w)[free]
        gap[:k] -= charge * slope
        gap[j] = limit.measure(problem, w) - limit.bound
        J[:k, :k] -= charge * limit.hessian(problem, w)[square]
        J[:k, j], J[j, :k] = -slope, slope
    return gap, J
