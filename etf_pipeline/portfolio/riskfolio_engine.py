"""Max Sharpe by riskfolio-lib: a reference and a selectable engine, without costs and VaR limit.

Weights below the smallest one allowed are dropped one by one, the smallest first, and the rest is solved again with a floor.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline.errors import EstimationError, Infeasible
from etf_pipeline.panel import Floats
from etf_pipeline.portfolio.certificate import certify
from etf_pipeline.portfolio.constraints import check_bounds, name_counts, restrict
from etf_pipeline.portfolio.problem import Problem, Solution


def riskfolio_max_sharpe(problem: Problem) -> Solution:
    """Weights of riskfolio-lib's largest Sharpe ratio, zero or within the bounds.

    Raises
    ------
    Infeasible
        ``bounds``, ``too_few_candidates`` or ``no_excess_return``.
    EstimationError
        If riskfolio finds no weights.
    """
    check_bounds(problem)
    if problem.excess.max() <= 0:
        raise Infeasible("no fund is expected to earn more than cash. Hold cash.", reason="no_excess_return")
    weights = reference_weights(problem)
    fewest, _ = name_counts(problem.lower, problem.upper, problem.invested)
    inside = np.flatnonzero(weights >= problem.lower / 2.0)
    if len(inside) < fewest:
        inside = np.sort(np.argsort(-weights, kind="stable")[:fewest])
    final = np.zeros(problem.n)
    final[inside] = reference_weights(restrict(problem, inside), lower=problem.lower)
    residual, active = certify(problem, final, final > 0)
    return Solution(final, "riskfolio", "optimal", active, residual)


def reference_weights(problem: Problem, lower: float = 0.0) -> Floats:
    """Riskfolio's weights between `lower` and `problem.upper`, summing to `problem.invested`.

    Raises
    ------
    EstimationError
        If riskfolio finds none.
    """
    import warnings

    with warnings.catch_warnings():  # its imports and its pandas calls warn about their own future
        warnings.simplefilter("ignore")
        port = _portfolio(problem, lower)
        found = port.optimization(model="Classic", rm="MV", obj="Sharpe", rf=problem.risk_free, l=0, hist=True)
    if found is None:
        raise EstimationError(f"riskfolio found no max-Sharpe weights for {problem.n} funds.")
    weights = np.asarray(found["weights"].reindex(list(problem.tickers)), dtype=np.float64) * problem.invested
    return np.where(weights < 1e-9, 0.0, weights)


def _portfolio(problem: Problem, lower: float) -> Any:
    import riskfolio

    names = list(problem.tickers)
    port = riskfolio.Portfolio(returns=pd.DataFrame(np.zeros((2, problem.n)), columns=names))
    port.mu = pd.DataFrame(problem.expected_return[None, :], columns=names)
    port.cov = pd.DataFrame(problem.covariance, index=names, columns=names)
    port.upperlng = problem.upper / problem.invested
    if lower > 0:
        bound = lower / problem.invested
        port.ainequality, port.binequality = -np.eye(problem.n), np.full((problem.n, 1), -bound)  # A w <= b
    port.solvers = ["CLARABEL"]
    return port
