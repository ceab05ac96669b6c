"""Many funds, few of which are held: solve on a working set and price the rest.

The optimum among hundreds of funds holds a few dozen. The cone programme is solved on the funds that are held already and
those that look best; the conditions of `optimality` then price every fund left out, and those worth more than they are
charged enter. Impact, by far the dearest part of the programme, is left out until the set has settled. When no fund wants
to enter, the small programme's answer is the optimum of the large one. This is column generation [1]_,
and it is exact: the last pricing covers every fund.

References
----------
.. [1] G. Desaulniers, J. Desrosiers and M. M. Solomon, eds., *Column Generation*, 2005, chapter 1.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from etf_pipeline.errors import EstimationError
from etf_pipeline.panel import Floats
from etf_pipeline.portfolio import cone, ratio
from etf_pipeline.portfolio.constraints import restrict
from etf_pipeline.portfolio.limits import active_limits, fund_bounds
from etf_pipeline.portfolio.optimality import before_costs, cost_slope, multipliers
from etf_pipeline.portfolio.problem import Problem

MANY = 90
"""Funds above which a working set pays."""

FIRST = 30
"""Funds that join those held in the first working set."""

ENTER = 25
"""Most funds that enter in a round."""

ROUNDS = 30
"""Rounds after which all funds are solved at once; two or three are usual."""

NEAR = 1e-7
"""A weight this close to a bound is on it. [fraction]"""

ROUGH = 1e-7
"""Tolerance of the solver while impact is left out: that answer only says which funds matter."""

WORTH = 1e-8
"""Value over charge, relative to the largest excess return, below which a fund need not enter."""


def solve_by_parts(
    problem: Problem,
    objective: cone.Objective,
    *,
    start: Sequence[int] = (),
    tolerance: float = cone.TOLERANCE,
) -> Floats | None:
    """Optimal weights of the relaxation, smallest weight zero, or None where there are none.

    Parameters
    ----------
    problem : Problem
        Many funds.
    objective : {"sharpe", "utility", "variance", "cvar"}
        What is optimised.
    start : sequence of int
        Positions of a first working set, such as the funds of the last date's optimum; those held already always join.
    tolerance : float
        Of the cone solver.
    """
    inside = _first(problem, objective, start)
    if objective in cone.COSTED and problem.impact_cost.any() and not len(start):
        linear = dataclasses.replace(problem, impact_cost=np.zeros(problem.n))
        answer = _generate(linear, inside.copy(), objective, ROUGH)
        if answer is not None:
            inside = _wanted(problem) | (answer > NEAR)
    return _generate(problem, inside, objective, tolerance)


def _generate(problem: Problem, inside: npt.NDArray[np.bool_], objective: cone.Objective, tolerance: float) -> Floats | None:
    """Let funds enter until none is worth more than it is charged."""
    for _ in range(ROUNDS):
        try:
            answer = _solve(problem, np.flatnonzero(inside), objective, tolerance)
        except EstimationError:  # a set on which the limits can hardly be met: all funds may do better
            break
        if answer is None or inside.all():
            break
        surplus = _surplus(problem, answer, objective)
        surplus[inside] = -np.inf
        entering = np.argsort(-surplus, kind="stable")[:ENTER]
        entering = entering[surplus[entering] > 0]
        if not len(entering):
            return answer
        inside[entering] = True
    return _solve(problem, np.arange(problem.n), objective, tolerance)


def _solve(problem: Problem, inside: npt.NDArray[np.intp], objective: cone.Objective, tolerance: float) -> Floats | None:
    part = restrict(problem, inside)
    found = ratio.optimum(part, lower=0.0, objective=objective, tolerance=tolerance)
    if found is None:
        return None
    weights = np.zeros(problem.n)
    weights[inside] = found
    return weights


def _first(problem: Problem, objective: cone.Objective, start: Sequence[int]) -> npt.NDArray[np.bool_]:
    """The first working set: `start`, or the funds of best promise; with those that cannot be left out."""
    inside = _wanted(problem)
    inside[list(start)] = True
    sigma = np.sqrt(np.diag(problem.covariance))
    promise = (problem.excess - problem.linear_cost) / sigma if objective in cone.COSTED else -sigma
    best = np.argsort(-promise, kind="stable")
    if not len(start):
        inside[best[:FIRST]] = True
    for group in problem.groups:
        if group.lower > 0:
            inside[best[group.members[best]][:FIRST]] = True
    return inside


def _wanted(problem: Problem) -> npt.NDArray[np.bool_]:
    """Funds that are held, or that the active limit asks for."""
    return (problem.previous > 0) | (fund_bounds(problem, 0.0)[0] > 0)


def _surplus(problem: Problem, weights: Floats, objective: cone.Objective) -> Floats:
    """What each fund, were it bought, is worth beyond what the active limits charge for it; at most zero where it need not be."""
    limits = active_limits(problem, weights)
    free = np.flatnonzero((weights > NEAR) & (weights < problem.upper - NEAR) & (np.abs(weights - problem.previous) > NEAR))
    if len(free) < 1 + len(limits) or objective == "cvar" or any(limit.kind == "tail" for limit in limits):
        return np.full(problem.n, np.inf)  # too little to tell the charges from: everything enters
    nu, *charges = multipliers(problem, weights, free, limits, objective)
    value = before_costs(problem, weights, objective) - cost_slope(problem, weights, objective)
    for limit, charge in zip(limits, charges, strict=True):
        slope = np.full(problem.n, 0.5) if limit.kind == "turnover" else limit.gradient(problem, weights)
        value = value - charge * slope
    scale = float(np.abs(problem.excess if objective in cone.COSTED else value).max())
    return np.asarray(value - nu - WORTH * scale, dtype=np.float64)
