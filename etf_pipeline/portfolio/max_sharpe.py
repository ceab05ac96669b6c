"""Largest Sharpe ratio after costs, with weights of zero or 2-15 % and every limit of the problem."""

from __future__ import annotations

import dataclasses

import numpy as np

from etf_pipeline.errors import Infeasible
from etf_pipeline.portfolio.constraints import check_bounds, percent
from etf_pipeline.portfolio.diagnosis import proved_or_refused, refusal, require_attainable_var
from etf_pipeline.portfolio.limits import check_limits
from etf_pipeline.portfolio.problem import Problem, Solution


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
        ``bounds``, ``too_few_candidates``, ``no_excess_return``, or the limit that cannot be met (`diagnosis`).
    EstimationError
        If the covariance is not positive definite, or the solver fails.

    Notes
    -----
    The objective is ``(excess' w - cost(w - previous)) / sqrt(w' S w)`` with costs amortised over the holding horizon,
    solved as a cone programme (`cone`). The VaR limit is written out only where the answer without it breaks it.

    References
    ----------
    .. [1] W. F. Sharpe, "The Sharpe ratio," J. Portfolio Management 21(1), 1994. doi:10.3905/jpm.1994.409501
    """
    check_limits(problem)
    check_bounds(problem)
    if problem.excess.max() <= 0:
        raise Infeasible(
            f"max Sharpe needs a fund that is expected to earn more than cash ({percent(problem.risk_free)}); the best is "
            f"{percent(problem.expected_return.max())}. Hold cash.",
            reason="no_excess_return",
        )
    found = proved_or_refused(dataclasses.replace(problem, var_limit=np.inf), "sharpe")
    if found is not None and problem.volatility(found.weights) > problem.volatility_limit:
        require_attainable_var(problem)
        return _within_var(problem)
    if found is None:
        raise refusal(problem)
    return found


def _within_var(problem: Problem) -> Solution:
    """The largest Sharpe ratio within an attainable VaR limit, if anything within it earns more than cash."""
    found = proved_or_refused(problem, "sharpe")
    if found is None:
        raise Infeasible(
            f"VaR {percent(problem.var_limit)} cannot be met fully invested with a return above cash "
            f"({percent(problem.risk_free)}) after costs. Hold cash, or raise var_limit.",
            reason="var_limit",
        )
    return found
