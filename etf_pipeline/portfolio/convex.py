"""Best weights for an objective: relaxation, support, last digits, certificate.

The relaxation (zero or anything up to the cap) is a cone programme. Where it already obeys the smallest weight it is the
optimum over all funds, and the certificate speaks of all of them. Else a local search chooses which funds to hold.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from etf_pipeline.errors import EstimationError
from etf_pipeline.panel import Floats
from etf_pipeline.portfolio import cone, ratio
from etf_pipeline.portfolio.certificate import Certificate, certify
from etf_pipeline.portfolio.constraints import name_counts, restrict
from etf_pipeline.portfolio.limits import BINDING, Limit, active_limits, fund_bounds
from etf_pipeline.portfolio.optimality import before_costs, objective_value
from etf_pipeline.portfolio.polish import loosened, polish, settled
from etf_pipeline.portfolio.problem import Problem, Solution
from etf_pipeline.portfolio.selection import Search, Support
from etf_pipeline.portfolio.working_set import MANY, solve_by_parts

SHARP = 1e-10
"""Residual at which another round of Newton steps has nothing to add. [ratio]"""

ROUNDS = 4
"""Rounds of Newton steps; the first is almost always enough."""

GOOD = 1e-7
"""Residual at which no bolder guess is tried. [ratio]"""

BOLDER = (1e-6, 1e-5, 1e-4, 1e-3)
"""How near a bound a weight, or a limit, is taken to be on it, in turn."""

SNAP = 1e-7
"""A weight this close to a bound, or to what is held, is there: an interior-point method stops just short."""


def optimal(problem: Problem, objective: cone.Objective) -> Solution | None:
    """Weights with their certificate, or None where no weights meet the limits.

    Parameters
    ----------
    problem : Problem
        Funds, beliefs, costs and limits.
    objective : {"sharpe", "utility", "variance", "cvar"}
        What is optimised.
    """
    found = select(problem, objective)
    if found is None:
        return None
    weights, support = sharpened(problem, *found, objective)[:2]
    proof = certify(problem, weights, support, objective)
    return Solution(weights, "clarabel", "optimal", proof.active, proof.residual, proof.prices)


def select(problem: Problem, objective: cone.Objective) -> tuple[Floats, Support] | None:
    """Best weights and support: the relaxation where it already obeys the bounds, else a local search."""
    everything = np.ones(problem.n, dtype=bool)
    relaxed = solve_on(problem, everything, objective, 0.0)
    if relaxed is None:
        return None
    held = relaxed > SNAP
    if (relaxed[held] >= problem.lower).all():
        return np.where(held, relaxed, 0.0), everything
    found = _search(problem, objective).best(relaxed, problem.lower)
    return _from_the_calmest(problem, objective) if found is None and np.isfinite(problem.var_limit) else found


def _from_the_calmest(problem: Problem, objective: cone.Objective) -> tuple[Floats, Support] | None:
    """The search begun at the smallest variance: near the smallest reachable value at risk no support of the relaxation meets it.

    A Sharpe ratio needs a support that earns something: the one that earns most, searched from there, is a second beginning.
    """
    calm = select(dataclasses.replace(problem, var_limit=np.inf), "variance")
    if calm is None:
        return None
    starts = [calm]
    if objective == "sharpe":
        richest = _search(dataclasses.replace(problem, risk_aversion=0.0), "utility").best(calm[0], problem.lower)
        starts += [richest] if richest is not None else []
    search = _search(problem, objective)
    found = [answer for start in starts if (answer := search.best(start[0], problem.lower)) is not None]
    return max(found, key=lambda answer: objective_value(problem, answer[0], objective), default=None)


def solve_on(problem: Problem, support: Support, objective: cone.Objective, lower: float) -> Floats | None:
    """Optimal weights among the funds of a support, or None where there are none."""
    if (fund_bounds(problem, 0.0)[0][~support] > 0).any():
        return None  # the active limit asks for a fund that is left out
    inside = np.flatnonzero(support)
    part = restrict(problem, inside)
    if len(inside) > MANY and lower == 0.0:
        answer = solve_by_parts(part, objective)
    else:
        answer = ratio.optimum(part, lower=lower, objective=objective)
    if answer is None:
        return None
    weights = np.zeros(problem.n)
    weights[inside] = tidy(answer, part, lower)
    return weights


def tidy(weights: Floats, problem: Problem, lower: float, near: float = SNAP) -> Floats:
    """Put weights on the bounds that are `near`, and what that moved on the funds between bounds."""
    low, high = fund_bounds(problem, lower)
    snapped = np.clip(weights, low, high)
    for level in (low, high, problem.previous):
        there = (np.abs(snapped - level) < near) & (level >= low) & (level <= high)
        snapped = np.where(there, level, snapped)
    free = (snapped > low) & (snapped < high) & (snapped != problem.previous)
    if not free.any():
        free = (snapped > low) & (snapped < high)
    if free.any():
        snapped[free] += (problem.invested - snapped.sum()) / free.sum()
    return np.asarray(np.clip(snapped, low, high), dtype=np.float64)


def sharpened(
    problem: Problem, weights: Floats, support: Support, objective: cone.Objective = "sharpe"
) -> tuple[Floats, Support, Certificate]:
    """The best-proved weights of a few rounds of Newton steps.

    Where the solver stopped early, which funds are on a bound is a guess: it is made ever more boldly until it can be proved.
    """
    best, proof = _rounds(problem, weights, support, objective, BINDING)
    for near in BOLDER:
        if proof.residual <= GOOD:
            break
        low = problem.lower if (weights[support] >= problem.lower).all() else 0.0
        better, found = _rounds(problem, tidy(weights, problem, low, near), support, objective, near)
        if found.residual < proof.residual:
            best, proof = better, found
    return best, support, proof


def _rounds(
    problem: Problem, weights: Floats, support: Support, objective: cone.Objective, near: float
) -> tuple[Floats, Certificate]:
    """A few rounds of Newton steps; the smallest trades are decided anew before each further round."""
    best, proof = weights, certify(problem, weights, support, objective)
    start = weights
    for _ in range(ROUNDS):
        better = _newton(problem, start, support, objective, near)[0]
        found = certify(problem, better, support, objective)
        if found.residual <= proof.residual:
            best, proof = better, found
        if proof.residual <= SHARP:
            break
        again = _newton(problem, settled(problem, better), support, objective, near)
        start = loosened(problem, *again, objective)
    return best, proof


def _newton(
    problem: Problem, weights: Floats, support: Support, objective: cone.Objective, near: float
) -> tuple[Floats, npt.NDArray[np.intp], tuple[Limit, ...]]:
    """Weights after Newton steps, or as they were if those left the bounds; the free funds; the limits that bind."""
    low, high = fund_bounds(problem, problem.lower if (weights[support] >= problem.lower).all() else 0.0)
    free = np.flatnonzero(support & (weights > low) & (weights < high) & (weights != problem.previous))
    limits = active_limits(problem, weights, near)
    tailed = objective == "cvar" or any(limit.kind == "tail" for limit in limits)
    if len(free) < 2 + len(limits) or tailed:
        return weights, free, ()
    try:
        better = polish(problem, weights, free, limits, objective)
    except np.linalg.LinAlgError:
        return weights, free, limits
    inside = np.isfinite(better).all() and (better[free] >= low[free]).all() and (better[free] <= high[free]).all()
    same_side = inside and (np.sign(better - problem.previous) == np.sign(weights - problem.previous))[free].all()
    return (better if same_side else weights), free, limits


def _search(problem: Problem, objective: cone.Objective) -> Search:
    fewest, most = name_counts(problem.lower, problem.upper, problem.invested)

    def solve(support: Support) -> tuple[Floats, float] | None:
        try:
            weights = solve_on(problem, support, objective, problem.lower)
        except EstimationError:  # neither solved nor refuted: another support will do
            return None
        return None if weights is None else (weights, objective_value(problem, weights, objective))

    def marginal(weights: Floats) -> Floats:
        unheld = np.where(problem.previous > 0, 0.0, problem.linear_cost) if objective in cone.COSTED else 0.0
        return np.asarray(before_costs(problem, weights, objective) - unheld, dtype=np.float64)

    return Search(solve, marginal, fewest, most)
