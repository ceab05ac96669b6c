"""Max Sharpe by riskfolio-lib: a reference and a selectable engine, blind to costs.

Weights below half the smallest one allowed are dropped, and the rest is solved again with a floor. Its answers are right to
about 1e-6; Newton steps bring them to where the certificate, of the problem without costs, can prove them.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline.errors import EstimationError, Infeasible
from etf_pipeline.panel import Floats
from etf_pipeline.portfolio.constraints import check_bounds, name_counts, restrict, var_refusal
from etf_pipeline.portfolio.convex import sharpened, tidy
from etf_pipeline.portfolio.problem import Problem, Solution

NEAR = 1e-5
"""A weight this close to a bound is on it: ten times riskfolio's own precision."""


def riskfolio_max_sharpe(problem: Problem) -> Solution:
    """Weights of riskfolio-lib's largest Sharpe ratio before costs, zero or within the bounds.

    Raises
    ------
    Infeasible
        ``bounds``, ``too_few_candidates``, ``no_excess_return``, or ``var_limit``: riskfolio does not see it.
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
    none = np.zeros(problem.n)
    free = dataclasses.replace(problem, linear_cost=none, impact_cost=none, previous=none, var_limit=np.inf)
    part = restrict(free, inside)
    final = none.copy()
    final[inside] = tidy(reference_weights(part, lower=problem.lower), part, problem.lower, NEAR)
    final, _, proof = sharpened(free, final, final > 0)
    if problem.volatility(final) > problem.volatility_limit * (1.0 + 1e-9):
        raise var_refusal(problem, problem.volatility(final), "riskfolio gives")
    return Solution(final, "riskfolio", "optimal", f"{proof.active}; costs ignored", proof.residual, proof.prices)


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
