"""Mean-variance utility, smallest variance and smallest expected shortfall, under the same limits as max Sharpe."""

from __future__ import annotations

import dataclasses

import numpy as np

from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats
from etf_pipeline.portfolio.cone import Objective
from etf_pipeline.portfolio.constraints import check_bounds
from etf_pipeline.portfolio.convex import select
from etf_pipeline.portfolio.diagnosis import proved_or_refused, refusal
from etf_pipeline.portfolio.limits import check_limits
from etf_pipeline.portfolio.problem import Problem, Solution


def mean_variance(problem: Problem) -> Solution:
    """Weights of the largest utility ``net excess - risk_aversion / 2 * variance``, costs included.

    Raises
    ------
    Infeasible
        ``bounds``, ``too_few_candidates``, or the limit that cannot be met.

    References
    ----------
    .. [1] H. Markowitz, "Portfolio selection," J. Finance 7(1), 1952. doi:10.2307/2975974
    """
    return _solved(problem, "utility")


def least_variance(problem: Problem) -> Solution:
    """Weights of the smallest variance; costs and expected returns play no part, all limits do.

    Raises
    ------
    Infeasible
        ``bounds``, ``too_few_candidates``, or the limit that cannot be met.
    """
    return _solved(problem, "variance")


def least_variance_after_costs(problem: Problem) -> Solution:
    """Weights of the smallest ``risk_aversion / 2 * variance + cost``: a trade must take away more risk than it costs.

    It is the largest utility where every fund is expected to earn the same. Without costs it is `least_variance`; with them the
    portfolio follows a covariance that moves every month only as far as that pays.

    Raises
    ------
    Infeasible
        ``bounds``, ``too_few_candidates``, or the limit that cannot be met.

    References
    ----------
    .. [1] N. Garleanu and L. H. Pedersen, "Dynamic trading with predictable returns and transaction costs," J. Finance 68(6),
       2013. doi:10.1111/jofi.12080
    """
    check_bounds(problem)
    marginal = problem.risk_aversion * float(np.abs(problem.covariance.sum(axis=1)).max()) / problem.n
    same = np.full(problem.n, problem.risk_free + marginal)  # moves no weight, their sum is given; the residual is relative to it
    return _solved(dataclasses.replace(problem, expected_return=same), "utility")


def least_shortfall(problem: Problem) -> Solution:
    """Weights of the smallest expected shortfall over `problem.scenarios`; costs and expected returns play no part.

    Raises
    ------
    DataError
        If there are no scenarios.
    Infeasible
        ``bounds``, ``too_few_candidates``, or the limit that cannot be met.

    References
    ----------
    .. [1] R. T. Rockafellar and S. Uryasev, "Optimization of conditional value-at-risk," J. Risk 2(3), 2000.
    """
    if problem.scenarios is None:
        raise DataError("cvar needs scenarios: equally likely one-session returns of every fund. Set Problem.scenarios.")
    return _solved(problem, "cvar")


def min_variance(problem: Problem) -> Floats:
    """Weights of the smallest variance whatever the VaR limit says, zero or within the bounds.

    Raises
    ------
    Infeasible
        ``bounds``, ``too_few_candidates``, or another limit that cannot be met.
    """
    check_bounds(problem)
    free = dataclasses.replace(problem, var_limit=np.inf)
    found = select(free, "variance")
    if found is None:
        raise refusal(free)
    return found[0]


def _solved(problem: Problem, objective: Objective) -> Solution:
    check_limits(problem)
    check_bounds(problem)
    found = proved_or_refused(problem, objective)
    if found is None:
        raise refusal(problem)
    return found
