"""Proof that weights are optimal: the conditions of Karush, Kuhn and Tucker, computed without the solver that found them.

At the largest net Sharpe ratio every held fund between its bounds has the same marginal value

    excess_i - d cost_i / d w_i - (price + eta) * (S w)_i  =  nu,      price = net_excess / variance,

a fund at its floor at most that, one at its cap at least that, and a fund that is not traded between its values of buying
and of selling. ``eta >= 0`` is the price of a binding VaR limit. The residual is the smallest violation that any choice of
``nu`` and ``eta`` allows, over the largest excess return.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from etf_pipeline.panel import Floats
from etf_pipeline.portfolio.constraints import percent
from etf_pipeline.portfolio.problem import Problem

PROVEN = 1e-6
"""Largest residual of weights that are called optimal. [ratio]"""

TOUCH = 1e-9
"""Distance at which a weight is on a bound. [fraction]"""

BINDING = 1e-6
"""Relative distance at which the VaR limit binds."""


def certify(problem: Problem, weights: Floats, support: npt.NDArray[np.bool_]) -> tuple[float, str]:
    """Relative KKT residual of max-Sharpe weights on their support, and the active limits in words.

    Parameters
    ----------
    problem : Problem
        What was solved.
    weights : ndarray of shape (n_assets,)
        The answer. [fraction]
    support : ndarray of bool of shape (n_assets,)
        Funds between `lower` and `upper`; the others are at zero by choice of the support.

    Returns
    -------
    residual : float
        Zero at an exact optimum. [ratio]
    active : str
        For instance ``var_limit; at 15 %: AGG, TLT; at 2 %: GLD``, or ``interior``.
    """
    inside = np.flatnonzero(support)
    least, most = _marginal_values(problem, weights)
    lower = problem.lower if (weights[inside] >= problem.lower - TOUCH).all() else 0.0
    least[weights >= problem.upper - TOUCH] = -np.inf  # a capped fund may be worth more
    most[weights <= lower + TOUCH] = np.inf  # a fund at its floor may be worth less
    risk = (problem.covariance @ weights)[inside]
    binding = problem.volatility(weights) > problem.volatility_limit * (1.0 - BINDING)
    violation = _violation(least[inside], most[inside], risk if binding else None)
    scale = float(np.abs(problem.excess).max())
    return violation / scale, describe(problem, weights, binding)


def describe(problem: Problem, weights: Floats, var_binds: bool) -> str:
    """The active limits in words."""
    parts = ["var_limit"] if var_binds else []
    for level in (problem.upper, problem.lower):
        at = [t for t, w in zip(problem.tickers, weights, strict=True) if w > TOUCH and abs(w - level) <= TOUCH]
        if at:
            parts.append(f"at {percent(level)}: {', '.join(at)}")
    return "; ".join(parts) if parts else "interior"


def _marginal_values(problem: Problem, weights: Floats) -> tuple[Floats, Floats]:
    """Values that ``nu`` may take for each fund before bounds: one number where it trades, an interval where it does not."""
    trade = weights - problem.previous
    price = problem.net_excess(weights) / problem.volatility(weights) ** 2
    slope = problem.linear_cost + 1.5 * problem.impact_cost * np.sqrt(np.abs(trade))
    plain = problem.excess - price * (problem.covariance @ weights)
    buying, selling = plain - slope, plain + slope
    still = np.abs(trade) <= TOUCH
    return np.where((trade > 0) | still, buying, selling), np.where((trade < 0) | still, selling, buying)


def _violation(least: Floats, most: Floats, risk: Floats | None) -> float:
    """Smallest t with ``least - t <= nu + eta * risk <= most + t`` for some nu and eta >= 0 (zero where `risk` is None)."""
    if risk is None:
        return float(max(0.0, (least.max() - most.min()) / 2.0))
    from scipy.optimize import linprog

    one = np.ones_like(risk)
    low, high = np.isfinite(least), np.isfinite(most)
    rows = np.vstack([np.column_stack([-one, -risk, -one])[low], np.column_stack([one, risk, -one])[high]])
    answer = linprog(
        [0.0, 0.0, 1.0],
        A_ub=rows,
        b_ub=np.concatenate([-least[low], most[high]]),
        bounds=[(None, None), (0, None), (0, None)],
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    return float(answer.x[2])
