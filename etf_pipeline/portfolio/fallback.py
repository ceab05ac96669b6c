"""What to hold when no fully invested portfolio meets every limit, in an order that the settings choose.

First the problem as posed: ``optimal``, with a certificate whose residual is at most `PROVEN`. Then, each a key of `FALLBACKS`:

``relax``
    The same objective with every limit that cannot be met moved to where it can.
``cash_blend``
    The same objective with the largest invested fraction that meets value at risk and expected shortfall, the rest in cash.
``min_variance_cash``
    The smallest variance, with cash as far as those limits ask for it.
``hold``
    What is held already.
``cash``
    No fund at all.

An answer without its certificate, or that breaks a limit, counts as none: its reason is ``solver``. ``no_excess_return`` ends
in ``cash`` at once: nothing is expected to earn more. Every step is kept, with its reason, in `Solution.attempts`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from etf_pipeline.errors import EstimationError, Infeasible
from etf_pipeline.portfolio.certificate import PROVEN
from etf_pipeline.portfolio.constraints import check_bounds, percent
from etf_pipeline.portfolio.diagnosis import relaxed
from etf_pipeline.portfolio.limits import broken_limits
from etf_pipeline.portfolio.mean_variance import min_variance
from etf_pipeline.portfolio.problem import Attempt, Problem, Solution

Optimise = Callable[[Problem], Solution]
Step = Callable[[Problem, Optimise], Solution]

BLENDS = 25
"""Attempts to find the invested fraction; three to six are usual."""

INSIDE = 1e-7
"""How far inside its limits a blend aims, so that rounding does not break them. [relative]"""

DEFAULT = ("cash_blend", "min_variance_cash", "hold")
"""The usual order: keep the objective, then only the smallest risk, then do nothing."""


def solve_or_fall_back(problem: Problem, optimise: Optimise, order: tuple[str, ...] = DEFAULT) -> Solution:
    """Optimal weights, or the first fall-back that exists.

    Parameters
    ----------
    problem : Problem
        Fully invested, with all limits.
    optimise : callable
        Solves a problem or raises `EstimationError` (of which `Infeasible` names the limit).
    order : tuple of str
        Keys of `FALLBACKS`; after the last one, what is held stays.
    """
    optimise = _proven(optimise)
    attempts: list[Attempt] = []
    for name, step in [("optimal", _posed), *((name, FALLBACKS[name]) for name in order)]:
        try:
            found = step(problem, optimise)
        except Infeasible as refused:
            if refused.reason == "no_excess_return":
                reason = f"no_excess_return: {refused}"
                tried = (*attempts, Attempt(name, "infeasible", reason), Attempt("cash", "accepted", reason))
                return Solution(np.zeros(problem.n), "none", "cash", reason, attempts=tried)
            attempts.append(Attempt(name, "infeasible", f"{refused.reason}: {refused}"))
        except EstimationError as failure:
            attempts.append(Attempt(name, "failed", f"solver: {failure}"))
        else:
            return _accepted(name, found, attempts)
    return _accepted("hold", hold(problem), attempts)


def _posed(problem: Problem, optimise: Optimise) -> Solution:
    return optimise(problem)


def _accepted(name: str, found: Solution, attempts: list[Attempt]) -> Solution:
    tried = (*attempts, Attempt(name, "accepted", found.reason))
    if not attempts:
        return dataclasses.replace(found, attempts=tried)
    first, *later = attempts
    reason = " | ".join([first.reason, *(f"{a.step}: {a.reason.split(': ', 1)[1]}" for a in later)])
    return dataclasses.replace(found, status=name, reason=reason, attempts=tried)


def _proven(optimise: Optimise) -> Optimise:
    """The same, refusing answers that their own certificate does not support, or that break a limit."""

    def checked(problem: Problem) -> Solution:
        found = optimise(problem)
        if found.kkt_residual > PROVEN:
            raise EstimationError(
                f"{found.engine} left a residual of {found.kkt_residual:.2g} in the optimality conditions; at most {PROVEN:.0e} "
                f"counts as an optimum."
            )
        broken = broken_limits(problem, found.weights)
        if broken:
            listed = "; ".join(f"{limit}: {limit.shown(limit.measure(problem, found.weights))}" for limit in broken)
            raise EstimationError(f"{found.engine} broke {listed}.")
        return found

    return checked


def relax(problem: Problem, optimise: Optimise) -> Solution:
    """The same objective with every limit that cannot be met moved to where it can.

    Raises
    ------
    Infeasible
        If not even that helps.
    """
    return optimise(relaxed(problem))


def cash_blend(problem: Problem, optimise: Optimise) -> Solution:
    """The objective's own portfolio at the largest invested fraction that meets caps, value at risk and expected shortfall.

    A Sharpe ratio does not change when a portfolio is diluted with cash, so the risk limits scale the portfolio that is
    optimal without them; the bounds apply to the scaled weights, which is why the fraction is found by iteration.

    Raises
    ------
    Infeasible
        If not even a cash-diluted portfolio exists.
    """
    free = dataclasses.replace(problem, var_limit=np.inf, cvar_limit=np.inf)
    high = largest_fraction(problem)
    found = optimise(dataclasses.replace(free, invested=high))
    above = _load(problem, found)
    if above <= 1.0:
        return found
    best, low, below = None, 0.0, 0.0
    for attempt in range(BLENDS):
        fraction = _between(low, high, below, above, halve=attempt % 4 == 3)
        found = optimise(dataclasses.replace(free, invested=fraction))
        load = _load(problem, found)
        if load > 1.0:
            high, above = fraction, load
            continue
        best, low, below = found, fraction, load
        if load >= 1.0 - 2.0 * INSIDE:
            break
    if best is None:
        raise EstimationError(f"no invested fraction met VaR {percent(problem.var_limit)} after {BLENDS} attempts.")
    return best


def _load(problem: Problem, found: Solution) -> float:
    """How much of the tighter of the two risk limits is used. [ratio]"""
    used = problem.volatility(found.weights) / problem.volatility_limit
    return max(used, problem.shortfall(found.weights) / problem.cvar_limit)


def _between(low: float, high: float, below: float, above: float, *, halve: bool) -> float:
    """Next fraction to try: risk is nearly linear in it, until the funds held change."""
    share = 0.5 if halve else (1.0 - INSIDE - below) / (above - below)
    return low + (high - low) * min(max(share, 0.001), 0.999)


def min_variance_cash(problem: Problem, optimise: Optimise | None = None) -> Solution:
    """The smallest variance, invested as far as caps and risk limits allow; the objective plays no part.

    Raises
    ------
    Infeasible
        If there is none within the bounds.
    """

    def smallest(p: Problem) -> Solution:
        return Solution(min_variance(p), "clarabel", "min_variance_cash", "")

    return cash_blend(problem, smallest)


def hold(problem: Problem, optimise: Optimise | None = None) -> Solution:
    """What is held already."""
    return Solution(problem.previous.copy(), "none", "hold", "")


def cash(problem: Problem, optimise: Optimise | None = None) -> Solution:
    """No fund at all."""
    return Solution(np.zeros(problem.n), "none", "cash", "")


FALLBACKS: dict[str, Step] = {
    "relax": relax,
    "cash_blend": cash_blend,
    "min_variance_cash": min_variance_cash,
    "hold": hold,
    "cash": cash,
}
"""Steps of the fall-back chain by name."""


def largest_fraction(problem: Problem) -> float:
    """Invested fraction that the caps allow: all, unless there are too few funds.

    Raises
    ------
    Infeasible
        ``too_few_candidates`` if there is no fund at all, ``bounds`` if they contradict each other.
    """
    if problem.n == 0:
        raise Infeasible("a portfolio needs at least one candidate; there is none in this session.", reason="too_few_candidates")
    fraction = min(problem.invested, problem.n * problem.upper)
    check_bounds(dataclasses.replace(problem, invested=fraction))
    return fraction
