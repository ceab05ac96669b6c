"""Marginal values: what a little more of a fund adds to an objective, and the multipliers that explain it.

At an optimum every held fund between its bounds has the same marginal value once the active limits are charged for::

    value_i  =  nu + sum_j multiplier_j * gradient_ji,      multiplier_j >= 0

a fund at its floor is worth at most that, one at its cap at least that, and one that is not traded lies between its values of
buying and of selling. The value is ``excess - price * S w`` less the slope of the cost, where the price of variance is
``net excess / variance`` at the largest Sharpe ratio, the risk aversion for utility, and one, with no returns, for the
smallest variance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from etf_pipeline.panel import Floats
from etf_pipeline.portfolio.cone import COSTED, Objective
from etf_pipeline.portfolio.limits import Limit
from etf_pipeline.portfolio.problem import Problem

TIE = 1e-8
"""Distance of a scenario's loss from the value at risk at which it may or may not belong to the tail. [fraction]"""


def objective_value(problem: Problem, weights: Floats, objective: Objective) -> float:
    """What is maximised: Sharpe ratio, utility, or minus volatility or expected shortfall."""
    if objective == "sharpe":
        return problem.net_sharpe(weights)
    if objective == "utility":
        return problem.utility(weights)
    return -(problem.volatility(weights) if objective == "variance" else problem.shortfall(weights))


def price_of_variance(problem: Problem, weights: Floats, objective: Objective) -> float:
    """The weight of ``S w`` in a marginal value."""
    if objective == "sharpe":
        return problem.net_excess(weights) / problem.volatility(weights) ** 2
    return {"utility": problem.risk_aversion, "variance": 1.0}.get(objective, 0.0)


def before_costs(problem: Problem, weights: Floats, objective: Objective) -> Floats:
    """Marginal values as if trading were free."""
    if objective == "cvar":
        sure, _, _, size = tail(problem, weights)
        return sure / size
    plain = problem.excess if objective in COSTED else np.zeros(problem.n)
    return plain - price_of_variance(problem, weights, objective) * (problem.covariance @ weights)


def cost_slope(problem: Problem, weights: Floats, objective: Objective) -> Floats:
    """What trading one unit more costs, in the direction of the trade."""
    if objective not in COSTED:
        return np.zeros(problem.n)
    return problem.linear_cost + 1.5 * problem.impact_cost * np.sqrt(np.abs(weights - problem.previous))


def traded_values(problem: Problem, weights: Floats, objective: Objective) -> Floats:
    """Marginal values of the funds that trade, after the slope of their cost; before costs for the others."""
    side = np.sign(weights - problem.previous)
    return before_costs(problem, weights, objective) - side * cost_slope(problem, weights, objective)


def multipliers(
    problem: Problem, weights: Floats, free: npt.NDArray[np.intp], limits: Sequence[Limit], objective: Objective
) -> Floats:
    """``nu`` and the multiplier of each limit, by least squares over the free funds."""
    columns = [np.ones(len(free)), *(limit.gradient(problem, weights)[free] for limit in limits)]
    values = traded_values(problem, weights, objective)[free]
    return np.asarray(np.linalg.lstsq(np.column_stack(columns), values, rcond=None)[0], dtype=np.float64)


def tail(problem: Problem, weights: Floats) -> tuple[Floats, Floats, float, float]:
    """The expected shortfall's derivative, in parts.

    Returns
    -------
    sure : ndarray of shape (n_assets,)
        Sum of the scenarios that are certainly in the tail.
    ties : ndarray of shape (n_ties, n_assets)
        Scenarios at the value at risk itself, each of which counts with a share between zero and one.
    room, size : float
        Sum of those shares, and number of scenarios in the tail.
    """
    scenarios = problem.scenarios if problem.scenarios is not None else np.zeros((1, problem.n))
    losses = -(scenarios @ weights)
    size = (1.0 - problem.cvar_level) * len(losses)
    edge = np.sort(losses)[::-1][min(int(size), len(losses) - 1)]
    ties = np.abs(losses - edge) <= TIE
    sure = (losses > edge) & ~ties
    return scenarios[sure].sum(axis=0), scenarios[ties], size - float(sure.sum()), size
