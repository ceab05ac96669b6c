"""The last digits: Newton's method on the optimality conditions, from where an interior-point method stopped.

Clarabel's weights are right to about 1e-8. Which funds sit on a bound, or are not traded, is then clear, and the conditions
of `certificate` for the others are smooth equations. A few Newton steps solve them to rounding, so that an answer neither
depends on where the solver stopped nor on the last bit of its inputs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from etf_pipeline.panel import Floats
from etf_pipeline.portfolio.problem import Problem

TRIFLE = 1e-6
"""A trade smaller than this is what an interior-point method cannot tell from none. [fraction]"""

STEPS = 8
"""Newton steps; quadratic convergence needs three or four."""


def polish(problem: Problem, weights: Floats, free: npt.NDArray[np.intp], var_binds: bool) -> Floats:
    """Weights whose marginal values agree among the free funds, to rounding.

    Parameters
    ----------
    problem : Problem
        What was solved.
    weights : ndarray of shape (n_assets,)
        Nearly optimal. [fraction]
    free : ndarray of shape (n_free,)
        Positions of the funds strictly between their bounds that trade; all others stay as they are.
    var_binds : bool
        Whether volatility is held at its limit.

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
    Unknown are the free weights, ``nu`` and, where the VaR limit binds, the price of risk (which then is a free multiplier);
    equations are ``marginal value = nu`` for each free fund, the budget, and the volatility limit.
    """
    w = weights.copy()
    price = problem.net_excess(w) / problem.volatility(w) ** 2
    nu = float(np.median(_values(problem, w, price)[free]))
    for _ in range(STEPS):
        gap, jacobian = _system(problem, w, free, price, nu, var_binds)
        step = np.linalg.solve(jacobian, -gap)
        w[free] += step[: len(free)]
        nu += step[len(free)]
        price = price + step[-1] if var_binds else problem.net_excess(w) / problem.volatility(w) ** 2
        if np.abs(step[: len(free)]).max() < 1e-16:
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


def loosened(problem: Problem, weights: Floats, free: npt.NDArray[np.intp], var_binds: bool) -> Floats:
    """Weights in which the untraded funds that should trade a trifle do so.

    Marginal impact grows with the square root of a trade: an optimum may lie 1e-8 from what is held, nearer than an
    interior-point method can tell. The marginal value, though, tells: it exceeds that of the free funds by more than the
    linear cost, and the trade at which impact makes up the difference is the square of their ratio.

    Parameters
    ----------
    problem, weights, free, var_binds
        As `polish` takes them; `weights` are its answer. Without a free fund to compare with they stay.

    Returns
    -------
    ndarray of shape (n_assets,)
        The same weights, but for those trifles; Newton steps make them exact. [fraction]
    """
    if len(free) < 1 + var_binds:
        return weights
    risk = problem.covariance @ weights
    values = _values(problem, weights, 0.0)
    price = problem.net_excess(weights) / problem.volatility(weights) ** 2
    if var_binds:
        nu, price = np.linalg.lstsq(np.column_stack([np.ones(len(free)), risk[free]]), values[free], rcond=None)[0]
    else:
        nu = float(np.median((values - price * risk)[free]))
    gap = problem.excess - price * risk - nu
    still = (weights == problem.previous) & (weights > problem.lower) & (weights < problem.upper) & (problem.impact_cost > 0)
    wanted = np.flatnonzero(still & (np.abs(gap) > problem.linear_cost))
    trifle = ((np.abs(gap) - problem.linear_cost)[wanted] / (1.5 * problem.impact_cost[wanted])) ** 2
    out = weights.copy()
    out[wanted] += np.sign(gap[wanted]) * trifle
    return out


def _values(problem: Problem, w: Floats, price: float) -> Floats:
    trade = w - problem.previous
    slope = problem.linear_cost + 1.5 * problem.impact_cost * np.sqrt(np.abs(trade))
    return problem.excess - np.sign(trade) * slope - price * (problem.covariance @ w)


def _system(
    problem: Problem, w: Floats, free: npt.NDArray[np.intp], price: float, nu: float, var_binds: bool
) -> tuple[Floats, Floats]:
    """Gaps of the equations and their derivatives by (free weights, nu, price)."""
    k, risk = len(free), problem.covariance @ w
    variance = float(w @ risk)
    trade = np.abs(w - problem.previous)[free]
    values = _values(problem, w, price)
    size = k + 1 + var_binds
    gap, J = np.zeros(size), np.zeros((size, size))
    gap[:k] = values[free] - nu
    gap[k] = w.sum() - problem.invested
    J[:k, :k] = -price * problem.covariance[np.ix_(free, free)]
    J[np.arange(k), np.arange(k)] -= 0.75 * problem.impact_cost[free] / np.sqrt(trade)
    J[:k, k], J[k, :k] = -1.0, 1.0
    if var_binds:
        J[:k, -1] = -risk[free]
        gap[-1] = variance - problem.volatility_limit**2
        J[-1, :k] = 2.0 * risk[free]
    else:  # the price follows the weights: its gradient is (values + price S w - 2 price S w) / variance
        J[:k, :k] -= np.outer(risk[free], (values - price * risk)[free] / variance)
    return gap, J
