"""`PortfolioOptimizer`: a problem in, weights with a certificate out, by a named strategy."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from etf_pipeline.errors import Infeasible, SettingsError
from etf_pipeline.portfolio.black_litterman import black_litterman
from etf_pipeline.portfolio.constraints import one_per_cluster, percent, restrict
from etf_pipeline.portfolio.diagnosis import require_limits
from etf_pipeline.portfolio.fallback import FALLBACKS, solve_or_fall_back
from etf_pipeline.portfolio.hrp import hierarchical_risk_parity
from etf_pipeline.portfolio.max_sharpe import max_sharpe
from etf_pipeline.portfolio.mean_variance import least_shortfall, least_variance_after_costs, mean_variance
from etf_pipeline.portfolio.parameters import PortfolioParameters
from etf_pipeline.portfolio.problem import Problem, Solution
from etf_pipeline.portfolio.risk_parity import risk_budgeting, risk_parity
from etf_pipeline.portfolio.riskfolio_engine import riskfolio_max_sharpe


def equal_weight(problem: Problem) -> Solution:
    """The same weight in every fund: a benchmark, exempt from the bounds and the VaR limit.

    References
    ----------
    .. [1] V. DeMiguel, L. Garlappi and R. Uppal, "Optimal versus naive diversification," Rev. Financial Studies 22(5), 2009.
    """
    return Solution(np.full(problem.n, problem.invested / problem.n), "none", "optimal", "benchmark")


def score_ranking(problem: Problem) -> Solution:
    """The same weight in every fund that the ranking chose, at most `upper`; what is left over is cash.

    Raises
    ------
    Infeasible
        If there is no fund, or so many that each weighs less than `lower`.
    """
    if problem.n == 0:
        raise Infeasible("score ranking needs a fund with a score and a known cost; there is none.", reason="too_few_candidates")
    weight = min(problem.invested / problem.n, problem.upper)
    if weight < problem.lower:
        raise Infeasible(
            f"{problem.n} funds of the same weight share {percent(problem.invested)}: {percent(weight)} each, less than "
            f"{percent(problem.lower)}. Lower n_buy or lower.",
            reason="bounds",
        )
    weights = np.full(problem.n, weight)
    require_limits(problem, weights, "score ranking")
    return Solution(weights, "none", "optimal", "the best by score, in equal parts")


OPTIMIZERS: dict[str, Callable[[Problem], Solution]] = {
    "max_sharpe": max_sharpe,
    "mean_variance": mean_variance,
    "min_variance": least_variance_after_costs,
    "cvar": least_shortfall,
    "risk_parity": risk_parity,
    "risk_budgeting": risk_budgeting,
    "hrp": hierarchical_risk_parity,
    "black_litterman": black_litterman,
    "score_ranking": score_ranking,
    "equal_weight": equal_weight,
}
"""Strategies by name."""

ENGINES: dict[str, Callable[[Problem], Solution]] = {"clarabel": max_sharpe, "riskfolio": riskfolio_max_sharpe}
"""Solvers of ``max_sharpe`` by name."""

NO_RULE = "_no_rule"
"""Ending of a strategy's name that asks for it without the rebalance rule."""


def base_strategy(name: str) -> str:
    """The key of `OPTIMIZERS` that a strategy's name stands for.

    Examples
    --------
    >>> base_strategy("max_sharpe_no_rule"), base_strategy("hrp")
    ('max_sharpe', 'hrp')
    """
    return name.removesuffix(NO_RULE)


BENCHMARKS = frozenset({"equal_weight"})
"""Strategies that hold every member instead of choosing among candidates."""


class PortfolioOptimizer:
    """Chooses weights; near-duplicates share a cap, and an infeasible problem falls back in a stated order.

    Parameters
    ----------
    parameters : PortfolioParameters
        Engine and the correlation of near-duplicates; bounds and beliefs come with each problem.

    Raises
    ------
    SettingsError
        If the engine or a strategy is unknown.
    """

    def __init__(self, parameters: PortfolioParameters) -> None:
        unknown = [s for s in (*map(base_strategy, parameters.strategies), *parameters.ruled) if s not in OPTIMIZERS]
        if unknown or parameters.engine not in ENGINES:
            raise SettingsError(
                f"strategies must be among {', '.join(OPTIMIZERS)} and engine one of {', '.join(ENGINES)}; "
                f"found {unknown or repr(parameters.engine)}."
            )
        strange = [step for step in parameters.fallbacks if step not in FALLBACKS]
        if strange:
            raise SettingsError(f"fallbacks must be among {', '.join(FALLBACKS)}; found {strange}.")
        self.parameters = parameters

    def solve(self, strategy: str, problem: Problem) -> Solution:
        """Weights of one strategy.

        Parameters
        ----------
        strategy : str
            A key of `OPTIMIZERS`.
        problem : Problem
            Funds, beliefs, costs and limits.

        Returns
        -------
        Solution
            Weights on the funds of `problem`; its status says whether a fall-back was taken, its attempts which were tried.
        """
        if strategy in BENCHMARKS:
            return OPTIMIZERS[strategy](problem)
        optimise = ENGINES[self.parameters.engine] if strategy == "max_sharpe" else OPTIMIZERS[strategy]
        chosen = one_per_cluster(problem, self.parameters.twin_correlation)
        found = solve_or_fall_back(restrict(problem, chosen), optimise, self.parameters.fallbacks)
        weights = np.zeros(problem.n)
        weights[chosen] = found.weights
        return dataclasses.replace(found, weights=problem.previous.copy() if found.status == "hold" else weights)
