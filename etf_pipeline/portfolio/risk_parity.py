"""Equal risk contributions, or contributions in proportion to budgets, within bounds.

Without bounds the portfolio whose funds contribute equally to variance minimises ``x' S x / 2 - price * sum(b * log x)``,
rescaled to sum to one. With bounds on the weights the same programme is solved with the box, and ``price`` is searched so
that the weights sum to what is invested [1]_: funds off their bounds still contribute in proportion to their budgets, those on
a bound contribute less (cap) or more (floor), and the solution says which they are.

A fund that hedges the floors of all others may want more than they leave, however small the price. Then the price stays that
of the portfolio without bounds and a charge per unit held, `shift`, brings the sum down; the solution says so.

References
----------
.. [1] J.-C. Richard and T. Roncalli, "Constrained risk budgeting portfolios: theory, algorithms, applications and puzzles,"
   2019. arXiv:1902.05710
.. [2] T. Griveau-Billion, J.-C. Richard and T. Roncalli, "A fast algorithm for computing high-dimensional risk parity
   portfolios," 2013. arXiv:1311.4057
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from etf_pipeline.errors import DataError, EstimationError
from etf_pipeline.panel import Floats
from etf_pipeline.portfolio.certificate import TOUCH, describe
from etf_pipeline.portfolio.cone import Factor
from etf_pipeline.portfolio.constraints import check_bounds, name_counts, percent, restrict
from etf_pipeline.portfolio.diagnosis import require_limits
from etf_pipeline.portfolio.limits import check_limits
from etf_pipeline.portfolio.problem import Problem, Solution

TOLERANCE = 1e-15
"""Largest relative change of a weight in the last sweep."""

WIDEST = 25.0
"""Half-width of the bracket of the price's logarithm."""

BISECTIONS = 200
"""Halvings of the bracket of the price; it closes long before."""


class Parity(NamedTuple):
    """Risk-budgeting weights with the price of the budgets, and the charge per unit held (zero unless hedges outgrow the floors).

    Funds off their bounds contribute ``price * budget - shift * weight`` to the variance.
    """

    weights: Floats
    price: float
    shift: float = 0.0


def risk_parity(problem: Problem) -> Solution:
    """Weights of equal risk contributions, as far as the bounds allow.

    Parameters
    ----------
    problem : Problem
        Covariance and limits; every fund is held, as far as the smallest weight leaves room. Expected returns and costs
        play no part.

    Raises
    ------
    Infeasible
        ``bounds``, ``too_few_candidates``, or the limit that is broken: without cash there is nothing left to choose.
    EstimationError
        If the descent does not converge.
    """
    return risk_budgeting(dataclasses.replace(problem, budgets=None))


def risk_budgeting(problem: Problem) -> Solution:
    """Weights whose risk contributions are in proportion to `problem.budgets`, as far as the bounds allow.

    Parameters
    ----------
    problem : Problem
        As for `risk_parity`; without budgets it is that. A fund whose budget is zero is not held.

    Raises
    ------
    DataError
        If a budget is negative or unknown, or all are zero.
    Infeasible, EstimationError
        As `risk_parity`.
    """
    check_limits(problem)
    check_bounds(problem)
    shares = _shares(problem)
    check_bounds(restrict(problem, np.flatnonzero(shares)))
    inside = _largest(problem, shares)
    part, share = restrict(problem, inside), shares[inside] / shares[inside].sum()
    found = parity_weights(part.covariance, budgets=share, lower=problem.lower, upper=problem.upper, total=problem.invested)
    weights = np.zeros(problem.n)
    weights[inside] = found.weights
    require_limits(problem, weights, "equal risk" if problem.budgets is None else "risk budgeting")
    residual = parity_residual(part.covariance, found, problem.lower, problem.upper, share)
    return Solution(weights, "ccd", "optimal", _remarks(problem, weights, found, int((shares > 0).sum()) - len(inside)), residual)


def _shares(problem: Problem) -> Floats:
    if problem.budgets is None:
        return np.full(problem.n, 1.0 / problem.n)
    budgets = np.asarray(problem.budgets, dtype=np.float64)
    if not (budgets >= 0).all() or budgets.sum() <= 0:
        raise DataError(
            f"budgets must be known, at least zero and not all zero; found {budgets.min():.4g} to {budgets.max():.4g}."
        )
    return np.asarray(budgets / budgets.sum(), dtype=np.float64)


def _remarks(problem: Problem, weights: Floats, found: Parity, left_out: int) -> str:
    active = describe(problem, weights)
    if found.shift > 0:
        active = f"{active}; hedges want more than the floors leave: risk is not shared equally"
    if left_out:
        active = f"{active}; too many for {percent(problem.lower)} each: {left_out} left out"
    return active


def _largest(problem: Problem, shares: Floats) -> npt.NDArray[np.intp]:
    """Positions of the funds that fit at the smallest weight: those that their budgets without bounds hold most of."""
    _, most = name_counts(problem.lower, problem.upper, problem.invested)
    budgeted = np.flatnonzero(shares)
    if len(budgeted) <= most:
        return budgeted
    weights = parity_weights(restrict(problem, budgeted).covariance, budgets=shares[budgeted] / shares.sum()).weights
    return np.sort(budgeted[np.argsort(-weights, kind="stable")[:most]])


def parity_weights(
    covariance: Floats,
    *,
    budgets: Floats | None = None,
    lower: float = 0.0,
    upper: float = 1.0,
    total: float = 1.0,
) -> Parity:
    """Risk-budgeting weights within bounds.

    Parameters
    ----------
    covariance : ndarray of shape (n_assets, n_assets)
        Positive definite.
    budgets : ndarray of shape (n_assets,), optional
        Shares of the variance, summing to one; equal by default. [fraction]
    lower, upper : float
        Bounds on every weight; ``n_assets * lower <= total <= n_assets * upper``. [fraction]
    total : float, default 1
        Sum of the weights. [fraction]

    Returns
    -------
    Parity
        Weights and the multipliers that prove them.

    Raises
    ------
    EstimationError
        If the covariance is not positive definite, or the descent does not converge.

    Examples
    --------
    Uncorrelated funds are held in inverse proportion to their volatilities.

    >>> parity_weights(np.diag([0.01, 0.04])).weights.round(12).tolist()
    [0.666666666667, 0.333333333333]
    """
    Factor.of(covariance)  # along a direction without variance the descent has no minimum
    n = len(covariance)
    S = np.ascontiguousarray(covariance, dtype=np.float64)
    share = np.full(n, 1.0 / n) if budgets is None else np.asarray(budgets, dtype=np.float64)
    x = np.sqrt(share / np.diag(S))
    _descend(S, share, 1.0, 0.0, 0.0, np.inf, x)
    price = float((total / x.sum()) ** 2)
    weights = x * (total / x.sum())
    if (weights >= lower).all() and (weights <= upper).all():
        return Parity(weights, price)
    return _bounded(S, share, price, lower, upper, total, np.clip(weights, lower, upper))


def parity_residual(covariance: Floats, found: Parity, lower: float, upper: float, budgets: Floats | None = None) -> float:
    """Largest violation of the optimality conditions, over the price of each fund's (by default equal) budget. [ratio]"""
    weights = found.weights
    share = 1.0 / len(weights) if budgets is None else budgets
    gap = weights * (covariance @ weights + found.shift) / (found.price * share) - 1.0
    gap = np.where(weights <= lower + TOUCH, np.minimum(gap, 0.0), gap)  # a floor may hold more risk than its budget
    gap = np.where(weights >= upper - TOUCH, np.maximum(gap, 0.0), gap)  # a cap may hold less
    return float(np.abs(gap).max())


def _bounded(S: Floats, share: Floats, price: float, lower: float, upper: float, total: float, start: Floats) -> Parity:
    """Search the price, or else the charge, at which the boxed weights sum to `total`."""

    def by_price(log_price: float) -> Floats:
        return _descend(S, share, float(np.exp(log_price)), 0.0, lower, upper, start.copy())

    def by_shift(relief: float) -> Floats:
        return _descend(S, share, price, -relief, lower, upper, start.copy())

    centre = float(np.log(price))
    if by_price(centre - WIDEST).sum() <= total:
        log_price = _root(by_price, total, centre - WIDEST, centre + WIDEST)
        return Parity(_filled(by_price(log_price), lower, upper, total), float(np.exp(log_price)))
    largest = price / lower**2 + float(np.abs(S).sum()) if lower > 0 else 0.0  # a charge that sends every fund to its floor
    relief = _root(by_shift, total, -largest, 0.0)
    return Parity(_filled(by_shift(relief), lower, upper, total), price, -relief)


def _root(weights_at: Callable[[float], Floats], total: float, low: float, high: float) -> float:
    """Where the sum of the weights, which rises with the argument, reaches `total`."""
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        low, high = (middle, high) if weights_at(middle).sum() < total else (low, middle)
    return high


def _filled(x: Floats, lower: float, upper: float, total: float) -> Floats:
    """What the last bit of the argument leaves, on the funds off their bounds."""
    free = (x > lower + TOUCH) & (x < upper - TOUCH)
    if free.any():
        x[free] += (total - x.sum()) / free.sum()
    return x


def _descend(S: Floats, share: Floats, price: float, shift: float, lower: float, upper: float, x: Floats) -> Floats:
    from etf_pipeline.portfolio.kernels import SWEEPS, descend

    for tolerance in (TOLERANCE, 1e-12):
        if descend(S, share, price, shift, lower, upper, x, tolerance) > 0:
            return x
    raise EstimationError(
        f"risk parity of {len(share)} funds did not converge in {SWEEPS} sweeps; the covariance's condition number is "
        f"{np.linalg.cond(S):.2g}. Shrink it in `risk`."
    )
