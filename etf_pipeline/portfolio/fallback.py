"""What to hold when no fully invested portfolio meets every limit, in a stated order.

1. ``optimal``: fully invested, with a certificate whose residual is at most `PROVEN`.
2. ``cash_blend``: the same objective with the largest invested fraction that meets the limits, the rest in cash.
3. ``min_variance_cash``: the smallest variance, with cash as far as the VaR limit asks for it.
4. ``hold``: what is held already.

An answer without that certificate counts as none: its reason is ``solver``. ``no_excess_return`` ends in ``cash`` at once:
nothing is expected to earn more. Every step down keeps the reason.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from etf_pipeline.errors import EstimationError, Infeasible
from etf_pipeline.portfolio.certificate import PROVEN
from etf_pipeline.portfolio.constraints import check_bounds, percent
from etf_pipeline.portfolio.max_sharpe import min_variance
from etf_pipeline.portfolio.problem import Problem, Solution

Optimise = Callable[[Problem], Solution]

BLENDS = 25
"""Attempts to find the invested fraction; three to six are usual."""

INSIDE = 1e-7
"""How far inside the VaR limit a blend aims, so that rounding does not break it. [relative]"""


def solve_or_fall_back(problem: Problem, optimise: Optimise) -> Solution:
    """Optimal weights, or the first fall-back that exists.

    Parameters
    ----------
    problem : Problem
        Fully invested, with all limits.
    optimise : callable
        Solves a problem or raises `EstimationError` (of which `Infeasible` names the limit).
    """
    optimise = _proven(optimise)
    try:
        return optimise(problem)
    except Infeasible as refusal:
        if refusal.reason == "no_excess_return":
            return Solution(np.zeros(problem.n), "none", "cash", f"no_excess_return: {refusal}")
        reason = f"{refusal.reason}: {refusal}"
    except EstimationError as failure:
        reason = f"solver: {failure}"
    steps: tuple[tuple[str, Optimise], ...] = (
        ("cash_blend", lambda p: cash_blend(p, optimise)),
        ("min_variance_cash", min_variance_cash),
    )
    for status, step in steps:
        try:
            found = step(problem)
        except Infeasible as refusal:
            if refusal.reason == "no_excess_return":
                return Solution(np.zeros(problem.n), "none", "cash", f"no_excess_return: {refusal}")
            reason = f"{reason} | {status}: {refusal}"
        except EstimationError as failure:
            reason = f"{reason} | {status}: {failure}"
        else:
            return dataclasses.replace(found, status=status, reason=reason)
    return Solution(problem.previous.copy(), "none", "hold", reason)


def _proven(optimise: Optimise) -> Optimise:
    """The same, refusing answers that their own certificate does not support."""

    def checked(problem: Problem) -> Solution:
        found = optimise(problem)
        if found.kkt_residual > PROVEN:
            raise EstimationError(
                f"{found.engine} left a residual of {found.kkt_residual:.2g} in the optimality conditions; at most {PROVEN:.0e} "
                f"counts as an optimum."
            )
        return found

    return checked


def cash_blend(problem: Problem, optimise: Optimise) -> Solution:
    """The objective's own portfolio at the largest invested fraction that meets caps and VaR.

    A Sharpe ratio does not change when a portfolio is diluted with cash, so the VaR limit scales the portfolio that is
    optimal without it; the bounds apply to the scaled weights, which is why the fraction is found by iteration.

    Raises
    ------
    Infeasible
        If not even a cash-diluted portfolio exists.
    """
    free = dataclasses.replace(problem, var_limit=np.inf)
    high = largest_fraction(problem)
    found = optimise(dataclasses.replace(free, invested=high))
    above = problem.volatility(found.weights)
    if above <= problem.volatility_limit:
        return found
    best, low, below = None, 0.0, 0.0
    for attempt in range(BLENDS):
        fraction = _between(low, high, below, above, problem.volatility_limit, halve=attempt % 4 == 3)
        found = optimise(dataclasses.replace(free, invested=fraction))
        volatility = problem.volatility(found.weights)
        if volatility > problem.volatility_limit:
            high, above = fraction, volatility
            continue
        best, low, below = found, fraction, volatility
        if volatility >= problem.volatility_limit * (1.0 - 2.0 * INSIDE):
            break
    if best is None:
        raise EstimationError(f"no invested fraction met VaR {percent(problem.var_limit)} after {BLENDS} attempts.")
    return best


def _between(low: float, high: float, below: float, above: float, limit: float, *, halve: bool) -> float:
    """Next fraction to try: volatility is nearly linear in it, until the funds held change."""
    share = 0.5 if halve else (limit * (1.0 - INSIDE) - below) / (above - below)
    return low + (high - low) * min(max(share, 0.001), 0.999)


def min_variance_cash(problem: Problem) -> Solution:
    """The smallest variance, invested as far as caps and VaR allow.

    Raises
    ------
    Infeasible
        If there is none within the bounds.
    """

    def optimise(p: Problem) -> Solution:
        return Solution(min_variance(p), "clarabel", "min_variance_cash", "")

    return cash_blend(problem, optimise)


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
