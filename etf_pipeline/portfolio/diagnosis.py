"""Why no portfolio meets every limit: which ones conflict, and by how much.

Each limit is loosened alone, as little as possible, with all others kept: those that cure the problem are named with the
value that would do ("minimum is 2.7 %"). Where no single one does, the smallest joint breach, each relative to its own limit,
names the set.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np

from etf_pipeline.errors import EstimationError, Infeasible
from etf_pipeline.panel import Floats
from etf_pipeline.portfolio import cone
from etf_pipeline.portfolio.constraints import ROUNDING, percent, var_refusal
from etf_pipeline.portfolio.convex import optimal, select
from etf_pipeline.portfolio.limits import BINDING, Limit, broken_limits, limits_of
from etf_pipeline.portfolio.problem import GroupLimit, Problem, Solution

BREACH_TOLERANCE = 1e-9
"""Of the solver: a breach is told in three digits."""


class Conflict(NamedTuple):
    """A limit and the bound at which it could be met. Same unit as the limit."""

    limit: Limit
    needed: float

    def __str__(self) -> str:
        least, word = self.limit.shown(self.needed), "at most" if self.limit.floor else "at least"
        return f"{self.limit} (reachable: {word} {least})"


def refusal(problem: Problem) -> Infeasible:
    """The error of a problem without a solution.

    Parameters
    ----------
    problem : Problem
        Its bounds are adequate (`constraints.check_bounds`).

    Returns
    -------
    Infeasible
        Its reason is that of the limit: ``var_limit``, ``group_limit``, ``turnover_limit`` ...; ``conflict`` if several are to
        blame only together; ``smallest_weight`` if all can be met, but only with weights between zero and `lower`;
        ``no_excess_return`` if costs eat every excess return.
    """
    short = short_group(problem)
    if short is not None:
        return short
    alone = single_cures(problem)
    if alone is not None and not alone:
        return _no_excess_return(problem)
    if not alone:
        together = joint_breach(problem)
        if not together:
            return _bounds_alone(problem)
        listed = "; ".join(str(conflict) for conflict in together)
        return Infeasible(f"no portfolio meets these limits together: {listed}. Loosen them all.", reason="conflict")
    first = alone[0]
    if len(alone) == 1 and first.limit.kind == "var":
        return var_refusal(problem, first.needed)
    listed = "; or ".join(str(conflict) for conflict in alone)
    how = "" if problem.invested >= 1.0 - ROUNDING else f" {percent(problem.invested)} invested"
    return Infeasible(
        f"no portfolio{how} meets every limit; loosening one would do: {listed}.",
        reason=first.limit.reason,
    )


def proved_or_refused(problem: Problem, objective: cone.Objective) -> Solution | None:
    """`convex.optimal`; where its solver stalls because the limits cannot be met together, that is said by name.

    Raises
    ------
    Infeasible
        If the smallest joint breach of the limits is not zero.
    EstimationError
        If there are weights within the limits, and yet no optimum was found.
    """
    try:
        return optimal(problem, objective)
    except EstimationError as stalled:
        if limits_of(problem) and joint_breach(problem):
            raise refusal(problem) from stalled
        raise


def require_attainable_var(problem: Problem) -> None:
    """Refuse a VaR limit that even the smallest variance breaks.

    Raises
    ------
    Infeasible
        ``var_limit``, with the smallest value at risk attainable under the other limits.
    """
    free = dataclasses.replace(problem, var_limit=np.inf)
    found = select(free, "variance")
    if found is None:
        raise refusal(free)
    smallest = problem.volatility(found[0])
    if smallest > problem.volatility_limit:
        raise var_refusal(problem, smallest) if not limits_of(free) else refusal(problem)


def require_limits(problem: Problem, weights: Floats, who: str) -> None:
    """Refuse weights that a rule without eyes for limits chose, where they break one.

    Raises
    ------
    Infeasible
        Named after the first limit that is broken.
    """
    broken = broken_limits(problem, weights)
    if not broken:
        return
    first = broken[0]
    if first.kind == "var":
        raise var_refusal(problem, problem.volatility(weights), f"{who} gives")
    listed = "; ".join(f"{limit} ({who} gives {limit.shown(limit.measure(problem, weights))})" for limit in broken)
    raise Infeasible(f"{who} has nothing to choose and breaks {listed}. Loosen the limit.", reason=first.reason)


def short_group(problem: Problem) -> Infeasible | None:
    """A group whose funds, all at their cap, do not reach its floor."""
    for group in problem.groups:
        need = int(np.ceil(group.lower / problem.upper - ROUNDING))
        count = int(group.members.sum())
        if need > count:
            return Infeasible(
                f"{group.name} >= {percent(group.lower)} needs {need} funds at {percent(problem.upper)} each; there "
                f"{'is 1 candidate' if count == 1 else f'are {count} candidates'}. Admit more, or lower the floor.",
                reason=f"{group.name.split(' ')[0]}_limit",
            )
    return None


def single_cures(problem: Problem) -> list[Conflict] | None:
    """The limits of which loosening one alone makes a portfolio possible; none if nothing is broken; None if no one does."""
    limits = limits_of(problem)
    cures = []
    for limit in limits:
        weights = _least_breach(problem, (limit,))
        if weights is None:
            continue
        if limit.excess(problem, weights) <= BINDING:
            return []
        cures.append(Conflict(limit, limit.measure(problem, weights)))
    if not limits:
        return [] if _least_breach(problem, ()) is not None else None
    return cures or None


def joint_breach(problem: Problem) -> list[Conflict]:
    """The smallest joint breach of all limits, largest first; empty if not even that helps: the bounds themselves conflict."""
    limits = limits_of(problem)
    weights = _least_breach(problem, limits)
    if weights is None:
        return []
    broken = [limit for limit in limits if limit.excess(problem, weights) > BINDING]
    broken.sort(key=lambda limit: -limit.excess(problem, weights))
    return [Conflict(limit, limit.measure(problem, weights)) for limit in broken]


def relaxed(problem: Problem, margin: float = 1e-6) -> Problem:
    """The problem with every limit that cannot be met moved to where it can, the smallest joint breach, plus a relative margin.

    Raises
    ------
    Infeasible
        If the bounds of single funds conflict already.
    """
    limits = limits_of(problem)
    weights = _least_breach(problem, limits)
    if weights is None:
        raise _bounds_alone(problem)
    changes: dict[str, float] = {}
    groups = list(problem.groups)
    for limit in limits:
        reached = limit.measure(problem, weights)
        if limit.excess(problem, weights) <= 0.0:
            continue
        reached += margin * limit.scale
        if limit.coefficients is None:
            field = {"var": "var_limit", "tracking": "tracking_error_limit", "turnover": "turnover_limit", "tail": "cvar_limit"}
            unit = problem.var_limit / problem.volatility_limit if limit.kind == "var" else 1.0
            changes[field[limit.kind]] = reached * unit
        else:
            groups = [_moved(group, limit, reached) for group in groups]
    out = dataclasses.replace(problem, groups=tuple(groups))
    return dataclasses.replace(out, **changes)  # type: ignore[arg-type]  # all of them floats


def _moved(group: GroupLimit, limit: Limit, reached: float) -> GroupLimit:
    if group.name != limit.name:
        return group
    return dataclasses.replace(group, lower=-reached) if limit.floor else dataclasses.replace(group, upper=reached)


def _least_breach(problem: Problem, loosened: tuple[Limit, ...]) -> Floats | None:
    """Weights of the smallest joint breach of the `loosened` limits, the others kept; None if there are none."""
    slack = tuple(str(limit) for limit in loosened)
    try:
        return cone.optimum(problem, lower=0.0, objective="breach", slack=slack, tolerance=BREACH_TOLERANCE)
    except EstimationError:  # neither solved nor refuted: as good as no cure
        return None


def _bounds_alone(problem: Problem) -> Infeasible:
    return Infeasible(
        f"the bounds of single funds ({percent(problem.lower)} to {percent(problem.upper)}, at most "
        f"{percent(problem.active_limit)} from the benchmark) leave no portfolio of {percent(problem.invested)}. "
        f"Widen active_limit or upper.",
        reason="active_limit",
    )


def _no_excess_return(problem: Problem) -> Infeasible:
    """All limits can be met by the relaxation: either costs eat every excess return, or the smallest weight is in the way."""
    free = dataclasses.replace(problem, linear_cost=np.zeros(problem.n), impact_cost=np.zeros(problem.n), sold_cost=0.0)
    if select(free, "variance") is None:
        return Infeasible(
            f"the limits can be met, but only with weights between zero and {percent(problem.lower)}. Lower `lower`.",
            reason="smallest_weight",
        )
    return Infeasible(
        f"no portfolio within the bounds earns more than cash ({percent(problem.risk_free)}) after costs; the best fund is "
        f"expected to earn {percent(problem.expected_return.max())} before them. Hold cash.",
        reason="no_excess_return",
    )
