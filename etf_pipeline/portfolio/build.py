"""`build_portfolios`: target weights of every strategy at every rebalance session, each session from what was known then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.conventions import CASH
from etf_pipeline.costs import TransactionCostModel, itemised_cost
from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats
from etf_pipeline.portfolio.ex_ante import ex_ante, risk_contributions
from etf_pipeline.portfolio.inputs import Day, Tables, amortisation, days, rebalance_sessions
from etf_pipeline.portfolio.optimizer import BENCHMARKS, PortfolioOptimizer
from etf_pipeline.portfolio.parameters import PortfolioParameters
from etf_pipeline.portfolio.problem import Problem, Solution
from etf_pipeline.portfolio.rebalancing import Holdings, TotalReturns, candidates, drift


def build_portfolios(
    scores: pd.DataFrame,
    forecasts: pd.DataFrame,
    volatilities: pd.DataFrame,
    covariances: pd.DataFrame,
    liquidity: pd.DataFrame,
    returns: pd.DataFrame,
    macro: pd.DataFrame,
    reference: pd.DataFrame,
    parameters: PortfolioParameters,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Target weights and how each was found, over all rebalance sessions.

    Parameters
    ----------
    scores, forecasts, volatilities, covariances, liquidity, returns, macro, reference : DataFrame
        Tables `scores`, `forecasts`, `volatilities`, `covariances`, `liquidity`, `fct_returns`, `fct_macro`, `dim_etf`.
    parameters : PortfolioParameters
        Strategies, limits and beliefs.

    Returns
    -------
    target_weights, optimizer_solutions : DataFrame
        The tables of those names. A holding that left the covariance appears with weight zero: it is sold.

    Raises
    ------
    DataError
        If no session has both a covariance and scores, or a bill rate, a cost or a return history is missing.
    SettingsError
        If a strategy or the engine is unknown.
    """
    optimizer = PortfolioOptimizer(parameters)
    sessions = rebalance_sessions(scores, covariances)
    tickers = _axis(reference, covariances, returns)
    market = TotalReturns.of(returns, tickers)
    positions = market.sessions.get_indexer(sessions)
    if (positions < 0).any():
        raise DataError(f"fct_returns lack the rebalance session {sessions[positions < 0][0].date()}; covariances have it.")
    tables = Tables(scores, forecasts, volatilities, covariances, liquidity, returns, macro)
    booked = _Books(tickers, parameters)
    holdings = {strategy: Holdings(np.zeros(len(tickers))) for strategy in parameters.strategies}
    for now, day in zip(positions, days(tables, sessions, tickers, parameters), strict=True):
        for strategy, held in holdings.items():
            previous = drift(held, market, int(now), day.risk_free)
            weights = _rebalance(strategy, day, previous, optimizer, booked)
            holdings[strategy] = Holdings(weights, int(now))
    return booked.frames()


def _axis(reference: pd.DataFrame, covariances: pd.DataFrame, returns: pd.DataFrame) -> pd.Index[Any]:
    """Sorted tickers that have a covariance in some session; all of them must be known funds with returns."""
    tickers = pd.Index(np.sort(covariances["ticker_1"].unique()))
    for name, known in (("dim_etf", reference["ticker"]), ("fct_returns", returns["ticker"])):
        missing = tickers.difference(pd.Index(known.unique()))
        if len(missing):
            raise DataError(f"every fund with a covariance needs rows in {name}; {list(missing[:5])} have none.")
    return tickers


def _rebalance(strategy: str, day: Day, previous: Floats, optimizer: PortfolioOptimizer, booked: _Books) -> Floats:
    """Choose, book and return the new weights on the axis of all tickers."""
    chosen = _choices(strategy, day, previous, optimizer.parameters)
    problem = _problem(day, chosen, previous, booked.tickers, optimizer.parameters)
    solution = optimizer.solve(strategy, problem)
    weights = np.zeros(len(previous))
    weights[chosen] = solution.weights
    if solution.status == "hold":  # what still has a covariance is kept, candidate or not; the rest is sold
        weights[day.members] = previous[day.members]
    booked.add(strategy, day, len(chosen), solution, weights, previous)
    return weights


def _choices(strategy: str, day: Day, previous: Floats, parameters: PortfolioParameters) -> npt.NDArray[np.intp]:
    if strategy in BENCHMARKS:
        return day.members
    eligible = np.zeros(len(previous), dtype=bool)
    eligible[day.members] = True
    eligible &= ~np.isnan(day.score) & day.priced
    count, alike = parameters.n_candidates, None
    if strategy == "risk_parity":
        count, alike = parameters.n_risk_parity, np.zeros((len(previous), len(previous)), dtype=bool)
        alike[np.ix_(day.members, day.members)] = day.correlation > parameters.parity_correlation
    return candidates(day.score, eligible, previous > 0, count=count, keep_rank=parameters.keep_rank, alike=alike)


def _problem(
    day: Day, chosen: npt.NDArray[np.intp], previous: Floats, tickers: pd.Index[Any], parameters: PortfolioParameters
) -> Problem:
    within = np.searchsorted(day.members, chosen)
    model = TransactionCostModel(parameters.costs())
    linear, power = model.coefficients(day.half_spread[chosen], day.slope[chosen], parameters.portfolio_value)
    yearly = amortisation(parameters)
    return Problem(
        tickers=tuple(tickers[chosen]),
        expected_return=day.expected_return[within],
        covariance=day.covariance[np.ix_(within, within)],
        previous=previous[chosen],
        risk_free=day.risk_free,
        linear_cost=linear * yearly,
        impact_cost=power * yearly,
        lower=parameters.lower,
        upper=parameters.upper,
        var_limit=parameters.var_limit,
        correlation=day.correlation[np.ix_(within, within)],
    )


@dataclass
class _Books:
    """Collects the rows of both tables."""

    tickers: pd.Index[Any]
    parameters: PortfolioParameters

    def __post_init__(self) -> None:
        self.model = TransactionCostModel(self.parameters.costs())
        self.weights: list[pd.DataFrame] = []
        self.solutions: list[dict[str, Any]] = []

    def add(self, strategy: str, day: Day, n_candidates: int, solution: Solution, weights: Floats, previous: Floats) -> None:
        """Book one portfolio."""
        cost = self._cost(weights - previous, day)
        inside = weights[day.members]
        figures = ex_ante(inside, day.expected_return, day.covariance, day.risk_free)
        self.weights.append(self._weight_rows(strategy, day, weights, previous, cost))
        cash, cash_before = 1.0 - weights.sum(), 1.0 - previous.sum()
        traded = float(np.abs(weights - previous).sum() + abs(cash - cash_before))
        self.solutions.append(
            {
                "session": day.session,
                "strategy": strategy,
                "engine": solution.engine,
                "status": solution.status,
                "reason": solution.reason,
                "kkt_residual": solution.kkt_residual,
                "n_candidates": n_candidates,
                "n_held": int((weights > 0).sum()),
                "cash": min(max(cash, 0.0), 1.0),
                **vars(figures),
                "turnover": traded / 2.0,
                "cost": float(cost.sum()),
            }
        )

    def frames(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Both tables."""
        return pd.concat(self.weights, ignore_index=True), pd.DataFrame(self.solutions)

    def _cost(self, trade: Floats, day: Day) -> Floats:
        """One-off cost of each trade, with the impact law's floor and cap. [fraction of net asset value]"""
        value = self.parameters.portfolio_value
        spread, impact, commission = itemised_cost(trade * value, day.half_spread, day.slope, self.model.terms)
        return (spread + impact + commission) / value

    def _weight_rows(self, strategy: str, day: Day, weights: Floats, previous: Floats, cost: Floats) -> pd.DataFrame:
        expected, volatility, risk = (np.full(len(weights), np.nan) for _ in range(3))
        expected[day.members] = day.expected_return
        volatility[day.members] = np.sqrt(np.diag(day.covariance))
        risk[:] = 0.0
        risk[day.members] = risk_contributions(weights[day.members], day.covariance)
        shown = np.flatnonzero((weights > 0) | (previous > 0))
        cash, cash_before = max(1.0 - weights.sum(), 0.0), max(1.0 - previous.sum(), 0.0)
        return pd.DataFrame(
            {
                "session": day.session,
                "strategy": strategy,
                "ticker": [*self.tickers[shown], CASH],
                "weight": np.append(weights[shown], cash),
                "previous_weight": np.append(previous[shown], cash_before),
                "expected_return": np.append(expected[shown], day.risk_free),
                "volatility": np.append(volatility[shown], 0.0),
                "cost": np.append(cost[shown], 0.0),
                "risk_contribution": np.append(risk[shown], 0.0),
            }
        )
