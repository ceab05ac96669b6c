"""Equal risk contributions, within bounds.

Without bounds the portfolio whose funds contribute equally to variance minimises ``x' S x / 2 - price * sum(b * log x)``,
rescaled to sum to one. With bounds on the weights the same programme is solved with the box, and ``price`` is searched so
that the weights sum to what is invested [1]_: funds off their bounds still contribute in proportion to their budgets, those on
a bound contribute less (cap) or more (floor), and the solution says which they are.

References
----------
.. [1] J.-C. Richard and T. Roncalli, "Constrained risk budgeting portfolios: theory, algorithms, applications and puzzles,"
   2019. arXiv:1902.05710
.. [2] T. Griveau-Billion, J.-C. Richard and T. Roncalli, "A fast algorithm for computing high-dimensional risk parity
   portfolios," 2013. arXiv:1311.4057
"""

from __future__ import annotations

import numpy as np

from etf_pipeline.errors import EstimationError
from etf_pipeline.panel import Floats
from etf_pipeline.portfolio.certificate import TOUCH, describe
from etf_pipeline.portfolio.cone import Factor
from etf_pipeline.portfolio.constraints import check_bounds, var_refusal
from etf_pipeline.portfolio.problem import Problem, Solution

TOLERANCE = 1e-15
"""Largest relative change of a weight in the last sweep."""

BISECTIONS = 200
"""Halvings of the bracket of the price; it closes long before."""


def risk_parity(problem: Problem) -> Solution:
    """Weights of equal risk contributions, as far as the bounds allow.

    Parameters
    ----------
    problem : Problem
        Covariance and limits; every fund is held. Expected returns and costs play no part.

    Raises
    ------
    Infeasible
        ``bounds``, ``too_few_candidates``, or ``var_limit``: without cash there is nothing left to choose.
    EstimationError
        If the descent does not converge.
    """
    check_bounds(problem)
    weights, price = parity_weights(problem.covariance, lower=problem.lower, upper=problem.upper, total=problem.invested)
    volatility = problem.volatility(weights)
    if volatility > problem.volatility_limit * (1.0 + 1e-9):
        raise var_refusal(problem, volatility, "equal risk gives")
    residual = parity_residual(problem.covariance, weights, price, problem.lower, problem.upper)
    return Solution(weights, "ccd", "optimal", describe(problem, weights, var_binds=False), residual)


def parity_weights(
    covariance: Floats,
    *,
    budgets: Floats | None = None,
    lower: float = 0.0,
    upper: float = 1.0,
    total: float = 1.0,
) -> tuple[Floats, float]:
    """Risk-budgeting weights within bounds, and the price of the risk budget.

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
    weights : ndarray of shape (n_assets,)
        [fraction]
    price : float
        Funds off their bounds contribute ``price * budget`` to the variance. [fraction squared per year]

    Raises
    ------
    EstimationError
        If the covariance is not positive definite, or the descent does not converge.

    Examples
    --------
    Uncorrelated funds are held in inverse proportion to their volatilities.

    >>> parity_weights(np.diag([0.01, 0.04]))[0].round(12).tolist()
    [0.666666666667, 0.333333333333]
    """
    Factor.of(covariance)  # along a direction without variance the descent has no minimum
    n = len(covariance)
    S = np.ascontiguousarray(covariance, dtype=np.float64)
    share = np.full(n, 1.0 / n) if budgets is None else np.asarray(budgets, dtype=np.float64)
    x = np.sqrt(share / np.diag(S))
    _descend(S, share, 1.0, 0.0, np.inf, x)
    price = float((total / x.sum()) ** 2)
    weights = x * (total / x.sum())
    if (weights >= lower).all() and (weights <= upper).all():
        return weights, price
    return _bounded(S, share, price, lower, upper, total, np.clip(weights, lower, upper))


def parity_residual(covariance: Floats, weights: Floats, price: float, lower: float, upper: float) -> float:
    """Largest violation of the optimality conditions, over the price of one fund's budget. [ratio]"""
    budget = price / len(weights)
    gap = weights * (covariance @ weights) / budget - 1.0
    gap = np.where(weights <= lower + TOUCH, np.minimum(gap, 0.0), gap)  # a floor may hold more risk than its budget
    gap = np.where(weights >= upper - TOUCH, np.maximum(gap, 0.0), gap)  # a cap may hold less
    return float(np.abs(gap).max())


def _bounded(S: Floats, share: Floats, price: float, lower: float, upper: float, total: float, x: Floats) -> tuple[Floats, float]:
    """Search the price at which the boxed weights sum to `total`; their sum rises with it."""

    def weights_at(log_price: float) -> Floats:
        start = x.copy()
        _descend(S, share, float(np.exp(log_price)), lower, upper, start)
        return start

    low = high = np.log(price)
    while weights_at(low).sum() > total and low > -200:
        low -= 1.0
    while weights_at(high).sum() < total and high < 200:
        high += 1.0
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        x = weights_at(middle)
        low, high = (middle, high) if x.sum() < total else (low, middle)
    x = weights_at(high)
    free = (x > lower + TOUCH) & (x < upper - TOUCH)
    if free.any():  # what the last bit of the price leaves
        x[free] += (total - x.sum()) / free.sum()
    return x, float(np.exp(high))


def _descend(S: Floats, share: Floats, price: float, lower: float, upper: float, x: Floats) -> None:
    from etf_pipeline.portfolio.kernels import SWEEPS, descend

    if descend(S, share, price, lower, upper, x, TOLERANCE) < 0 and descend(S, share, price, lower, upper, x, 1e-12) < 0:
        raise EstimationError(
            f"risk parity of {len(share)} funds did not converge in {SWEEPS} sweeps; the covariance's condition number is "
            f"{np.linalg.cond(S):.2g}. Shrink it in `risk`."
        )
