"""Largest Sharpe ratio after costs, and smallest variance, with weights of zero or 2-15 % and a VaR limit."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from etf_pipeline.errors import Infeasible
from etf_pipeline.panel import Floats
from etf_pipeline.portfolio import cone
from etf_pipeline.portfolio.certificate import BINDING, certify
from etf_pipeline.portfolio.constraints import check_bounds, name_counts, percent, restrict, var_refusal
from etf_pipeline.portfolio.polish import loosened, polish, settled
from etf_pipeline.portfolio.problem import Problem, Solution
from etf_pipeline.portfolio.selection import Search, Support

SHARP = 1e-10
"""Residual at which another round of Newton steps has nothing to add. [ratio]"""

ROUNDS = 4
"""Rounds of Newton steps; the first is almost always enough."""

SNAP = 1e-7
"""A weight this close to a bound, or to what is held, is there: an interior-point method stops just short."""


def max_sharpe(problem: Problem) -> Solution:
    """Weights of the largest net Sharpe ratio.

    Parameters
    ----------
    problem : Problem
        Funds, beliefs, costs and limits. Cash is not seen: the fund weights sum to `problem.invested`.

    Returns
    -------
    Solution
        Optimal on its support, with the certificate; the support is the best that the local search found.

    Raises
    ------
    Infeasible
        ``bounds``, ``too_few_candidates``, ``no_excess_return`` or ``var_limit``.
    EstimationError
        If the covariance is not positive definite, or the solver fails.

    Notes
    -----
    The objective is ``(excess' w - cost(w - previous)) / sqrt(w' S w)`` with costs amortised over the holding horizon,
    solved as a cone programme (`cone`).

    References
    ----------
    .. [1] W. F. Sharpe, "The Sharpe ratio," J. Portfolio Management 21(1), 1994. doi:10.3905/jpm.1994.409501
    """
    check_bounds(problem)
    if problem.excess.max() <= 0:
        raise Infeasible(
            f"max Sharpe needs a fund that is expected to earn more than cash ({percent(problem.risk_free)}); the best is "
            f"{percent(problem.expected_return.max())}. Hold cash.",
            reason="no_excess_return",
        )
    free = dataclasses.replace(problem, var_limit=np.inf)
    weights, support = _select(free, "sharpe")
    if problem.volatility(weights) > problem.volatility_limit:
        require_attainable_var(problem)
        weights, support = _select(problem, "sharpe")
    weights = sharpened(problem, weights, support)
    residual, active = certify(problem, weights, support)
    return Solution(weights, "clarabel", "optimal", active, residual)


def sharpened(problem: Problem, weights: Floats, support: Support) -> Floats:
    """The best-proved weights of a few rounds of Newton steps; the smallest trades are decided anew before each further round."""
    best, residual = weights, certify(problem, weights, support)[0]
    start = weights
    for _ in range(ROUNDS):
        better = _newton(problem, start, support)[0]
        found = certify(problem, better, support)[0]
        if found <= residual:
            best, residual = better, found
        if residual <= SHARP:
            break
        start = loosened(problem, *_newton(problem, settled(problem, better), support))
    return best


def _newton(problem: Problem, weights: Floats, support: Support) -> tuple[Floats, npt.NDArray[np.intp], bool]:
    """Weights after Newton steps, or as they were if those left the bounds; the free funds; whether the VaR limit binds."""
    lower = problem.lower if (weights[support] >= problem.lower).all() else 0.0
    free = np.flatnonzero(support & (weights > lower) & (weights < problem.upper) & (weights != problem.previous))
    binding = problem.volatility(weights) > problem.volatility_limit * (1.0 - BINDING)
    if len(free) < 2 + binding:
        return weights, free, binding
    try:
        better = polish(problem, weights, free, binding)
    except np.linalg.LinAlgError:
        return weights, free, binding
    inside = np.isfinite(better).all() and (better[free] >= lower).all() and (better[free] <= problem.upper).all()
    same_side = inside and (np.sign(better - problem.previous) == np.sign(weights - problem.previous))[free].all()
    return (better if same_side else weights), free, binding


def min_variance(problem: Problem) -> Floats:
    """Weights of the smallest variance, zero or within the bounds; costs and expected returns play no part.

    Raises
    ------
    Infeasible
        ``bounds`` or ``too_few_candidates``.
    """
    check_bounds(problem)
    return _select(dataclasses.replace(problem, var_limit=np.inf), "variance")[0]


def require_attainable_var(problem: Problem) -> None:
    """Refuse a VaR limit that even the smallest variance breaks.

    Raises
    ------
    Infeasible
        ``var_limit``, with the smallest value at risk attainable.
    """
    smallest = problem.volatility(min_variance(problem))
    if smallest > problem.volatility_limit:
        raise var_refusal(problem, smallest)


def solve_on(problem: Problem, support: Support, objective: cone.Objective, lower: float) -> Floats | None:
    """Optimal weights among the funds of a support, or None where there are none."""
    inside = np.flatnonzero(support)
    part = restrict(problem, inside)
    factor = cone.Factor.of(part.covariance)
    with_var = bool(np.isfinite(problem.var_limit)) and objective == "sharpe"
    answer = cone.solve(
        cone.programme(part, factor, lower=lower, objective=objective, sold_cost=part.sold_cost, with_var=with_var)
    )
    if answer is None:
        return None
    weights = np.zeros(problem.n)
    weights[inside] = tidy(answer, part, lower)
    return weights


def tidy(weights: Floats, problem: Problem, lower: float, near: float = SNAP) -> Floats:
    """Put weights on the bounds that are `near`, and what that moved on the funds between bounds."""
    snapped = np.clip(weights, lower, problem.upper)
    for level in (np.full(problem.n, lower), np.full(problem.n, problem.upper), problem.previous):
        there = (np.abs(snapped - level) < near) & (level >= lower) & (level <= problem.upper)
        snapped = np.where(there, level, snapped)
    free = (snapped > lower) & (snapped < problem.upper) & (snapped != problem.previous)
    if not free.any():
        free = (snapped > lower) & (snapped < problem.upper)
    if free.any():
        snapped[free] += (problem.invested - snapped.sum()) / free.sum()
    return np.clip(snapped, lower, problem.upper)


def _select(problem: Problem, objective: cone.Objective) -> tuple[Floats, Support]:
    """Best weights and support: the relaxation where it already obeys the bounds, else a local search."""
    everything = np.ones(problem.n, dtype=bool)
    relaxed = solve_on(problem, everything, objective, 0.0)
    if relaxed is None:
        raise _refusal(problem)
    held = relaxed > SNAP
    if (relaxed[held] >= problem.lower).all():
        return np.where(held, relaxed, 0.0), held
    search = _search(problem, objective)
    found = search.best(relaxed, problem.lower)
    if found is None:
        raise _refusal(problem)
    return found


def _search(problem: Problem, objective: cone.Objective) -> Search:
    fewest, most = name_counts(problem.lower, problem.upper, problem.invested)

    def solve(support: Support) -> tuple[Floats, float] | None:
        weights = solve_on(problem, support, objective, problem.lower)
        if weights is None:
            return None
        value = problem.net_sharpe(weights) if objective == "sharpe" else -problem.volatility(weights)
        return weights, value

    def marginal(weights: Floats) -> Floats:
        risk = problem.covariance @ weights
        if objective == "variance":
            return -risk
        price = problem.net_excess(weights) / problem.volatility(weights) ** 2
        unheld = np.where(problem.previous > 0, 0.0, problem.linear_cost)
        return problem.excess - unheld - price * risk

    return Search(solve, marginal, fewest, most)


def _refusal(problem: Problem) -> Infeasible:
    """Why a programme with adequate bounds has no solution: the VaR limit, or costs above every excess return."""
    if np.isfinite(problem.var_limit):
        return var_refusal(problem, problem.volatility(min_variance(problem)))
    return Infeasible(
        f"no portfolio within the bounds earns more than cash ({percent(problem.risk_free)}) after costs; the best fund is "
        f"expected to earn {percent(problem.expected_return.max())} before them. Hold cash.",
        reason="no_excess_return",
    )
