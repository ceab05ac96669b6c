"""`build_portfolios`: what every portfolio should hold at every decision, each session from what was known then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline.conventions import home_market
from etf_pipeline.costs import TransactionCostModel
from etf_pipeline.errors import DataError, Infeasible
from etf_pipeline.panel import Floats
from etf_pipeline.portfolio.books import Books, Built, Rebalance
from etf_pipeline.portfolio.currency import exchange_rates
from etf_pipeline.portfolio.decisions import Decision, Outlook, admissible, breaches, decide, lost, outside
from etf_pipeline.portfolio.holdings import Account, held_tickers, statements
from etf_pipeline.portfolio.inputs import Day, Days, Tables, agenda, rebalance_sessions
from etf_pipeline.portfolio.mandated import Positions, Terms
from etf_pipeline.portfolio.mandates import Portfolio, portfolios_of
from etf_pipeline.portfolio.optimizer import BENCHMARKS, PortfolioOptimizer
from etf_pipeline.portfolio.parameters import PortfolioParameters
from etf_pipeline.portfolio.problem import Attempt, Solution
from etf_pipeline.portfolio.rebalancing import Holdings, TotalReturns
from etf_pipeline.portfolio.solved import SolutionCache, Solver


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
    mandates: pd.DataFrame | None = None,
    holdings: pd.DataFrame | None = None,
    flows: pd.DataFrame | None = None,
    cache: SolutionCache | None = None,
) -> Built:
    """Target weights, how each was found, and whether it was worth trading, over all decisions.

    Parameters
    ----------
    scores, forecasts, volatilities, covariances, liquidity, returns, macro, reference : DataFrame
        Tables `scores`, `forecasts`, `volatilities`, `covariances`, `liquidity`, `fct_returns`, `fct_macro`, `dim_etf`.
    parameters : PortfolioParameters
        Strategies, limits and beliefs.
    mandates, holdings, flows : DataFrame, optional
        Tables `raw_mandates`, `fct_holdings`, `raw_flows`.
    cache : SolutionCache, optional
        Where a problem that was solved before finds its answer; it changes no bit.

    Returns
    -------
    Built
        `target_weights`, `optimizer_solutions`, `rebalance_decisions`, `optimizer_attempts`. A holding that left the covariance
        appears with weight zero: it is sold. Where nothing is traded the decided weights are those held.

    Raises
    ------
    DataError
        If no session has both a covariance and scores, or a bill rate, a cost, a return history or a price is missing.
    SettingsError
        If a strategy, the engine or a limit is unknown, or an exchange rate is missing.
    """
    first = rebalance_sessions(scores, covariances)[0]
    tickers = _axis(reference, covariances, returns, holdings)
    market = TotalReturns.of(returns, tickers)
    portfolios = portfolios_of(parameters, mandates)
    asked_for = frozenset(word for p in portfolios for word in p.parameters.schedule)
    month_ends = pd.DatetimeIndex(np.sort(covariances["session"].unique()))
    asked = agenda(first, market.sessions, month_ends, asked_for, parameters.exchange)
    sessions = pd.DatetimeIndex(asked["session"])
    positions = market.sessions.get_indexer(sessions)
    if (positions < 0).any():
        raise DataError(f"fct_returns lack the rebalance session {sessions[positions < 0][0].date()}; covariances have it.")
    tables = Tables(scores, forecasts, volatilities, covariances, liquidity, returns, macro)
    days = Days(tables, sessions, tickers, parameters)
    desks = [_Desk.of(p, tables, reference, sessions, tickers, holdings, flows) for p in portfolios]
    shared: dict[str, Solution] = {}
    for desk in desks:
        desk.solver.cache, desk.solver.shared = cache, shared
    books = Books(tickers, TransactionCostModel(parameters.costs()))
    for i, now in enumerate(positions):
        day: Day | None = None
        for desk in desks:
            view = desk.look(asked.iloc[i], i, market, int(now), float(days.rates[i]))
            if view is None:
                continue
            day = days[i] if day is None else day
            books.add(desk.rebalance(view, days, i, day, market, int(now), books))
    for desk in desks:
        desk.solver.close()
    return books.frames()


def _axis(
    reference: pd.DataFrame, covariances: pd.DataFrame, returns: pd.DataFrame, holdings: pd.DataFrame | None
) -> pd.Index[Any]:
    """Sorted tickers with a covariance in some session, all known funds with returns, and those that statements name."""
    tickers = pd.Index(np.sort(covariances["ticker_1"].unique()))
    for name, known in (("dim_etf", reference["ticker"]), ("fct_returns", returns["ticker"])):
        missing = tickers.difference(pd.Index(known.unique()))
        if len(missing):
            raise DataError(f"every fund with a covariance needs rows in {name}; {list(missing[:5])} have none.")
    return tickers.union(held_tickers(holdings))


@dataclass(frozen=True)
class _View:
    """What a portfolio sees when it is asked."""

    asked: str
    held: Floats
    value: float
    drifted: float


@dataclass
class _Desk:
    """Runs one portfolio."""

    terms: Terms
    solver: Solver
    account: Account
    fx: Floats

    @classmethod
    def of(
        cls,
        portfolio: Portfolio,
        tables: Tables,
        reference: pd.DataFrame,
        sessions: pd.DatetimeIndex,
        tickers: pd.Index[Any],
        holdings: pd.DataFrame | None,
        flows: pd.DataFrame | None,
    ) -> _Desk:
        p, name = portfolio.parameters, portfolio.name
        currency = home_market(p.exchange).currency
        fx = exchange_rates(tables.macro, sessions, portfolio.base_currency, currency)
        told = statements(holdings, name, tickers) if holdings is not None else ()
        account = Account(name, Holdings(np.zeros(len(tickers))), p.portfolio_value * fx[0], told)
        own = flows[flows["strategy"] == name].sort_values("date") if flows is not None else pd.DataFrame()
        if len(own):
            rate = exchange_rates(tables.macro, pd.DatetimeIndex(own["date"]), portfolio.base_currency, currency)
            account.flows = pd.DataFrame({"date": own["date"].to_numpy(), "amount": own["amount"].to_numpy() * rate})
        solver = Solver(name, portfolio.strategy, PortfolioOptimizer(p))
        return cls(Terms.of(portfolio, reference, tickers), solver, account, fx)

    def look(self, asked: pd.Series[Any], i: int, market: TotalReturns, now: int, risk_free: float) -> _View | None:
        """Weights and value now, if a schedule asks."""
        p = self.terms.portfolio.parameters
        words: list[str] = [word for word in ("month_end", "week_end") if word in p.schedule and asked[word]]
        begun = self.account.holdings.since is not None
        if not words and not ("threshold" in p.schedule and begun):
            if begun or not asked["month_end"]:
                return None
            words = ["month_end"]  # whatever its schedule, a portfolio begins at a month's end
        held, value = self.account.look(market, now, risk_free, p.portfolio_value * self.fx[i])
        drifted = float(np.abs(held - self.account.holdings.weights).max()) if begun else 0.0
        if "threshold" in p.schedule and begun and drifted > p.threshold:
            words.append("threshold")
        return _View("+".join(words), held, value, drifted) if words else None

    def rebalance(self, view: _View, days: Days, i: int, day: Day, market: TotalReturns, now: int, books: Books) -> Rebalance:
        """Solve, decide and settle."""
        portfolio, held, value = self.terms.portfolio, view.held, view.value
        chosen = self.terms.choices(day, held)
        solution = self._solve(days, i, day, chosen, held, value)
        target = self._target(solution, day, chosen, held)
        decision = self._decide(days, i, day, chosen, held, value, target, solution, books)
        decided = target if decision.trades else held
        cost = decision.cost if decision.trades else 0.0
        self.account.settle(decided, value / (1.0 + cost), market, now, traded=decision.trades)
        return Rebalance(
            portfolio, day, view.asked, len(chosen), solution, target, held, decided, view.drifted, value, self.fx[i], decision
        )

    def _solve(self, days: Days, i: int, day: Day, chosen: Positions, held: Floats, value: float) -> Solution:
        try:
            problem = self.terms.problem(days, i, day, chosen, held, value)
        except Infeasible as refused:
            reason = f"{refused.reason}: {refused}"
            tried = (Attempt("optimal", "infeasible", reason), Attempt("hold", "accepted", reason))
            return Solution(held[chosen], "none", "hold", reason, attempts=tried)
        return self.solver.solve(problem, day.session.year)

    def _target(self, solution: Solution, day: Day, chosen: Positions, held: Floats) -> Floats:
        weights = np.zeros(len(held))
        weights[chosen] = solution.weights
        if solution.status == "hold":  # what may still be held is kept, candidate or not; the rest is sold
            members = self.terms.members(day)
            weights[members] = held[members]
        return weights

    def _decide(
        self,
        days: Days,
        i: int,
        day: Day,
        chosen: Positions,
        held: Floats,
        value: float,
        target: Floats,
        solution: Solution,
        books: Books,
    ) -> Decision:
        portfolio = self.terms.portfolio
        excess = day.expected_return - day.risk_free
        compared = target, admissible(held, chosen)
        outlooks = (Outlook.of(weights[day.members], excess, day.covariance) for weights in compared)
        return decide(
            portfolio.strategy,
            *outlooks,
            cost=float(books.cost(target - held, day, value).sum()),
            largest_trade=float(np.abs(target - held).max()),
            outside_weight=float(held[outside(held, chosen)].sum()),
            breach=self._breach(days, i, day, chosen, held, value),
            status=solution.status,
            first=self.account.holdings.since is None and not held.any(),
            ruled=portfolio.ruled,
            parameters=portfolio.parameters,
        )

    def _breach(self, days: Days, i: int, day: Day, chosen: Positions, held: Floats, value: float) -> str:
        portfolio, members = self.terms.portfolio, self.terms.members(day)
        owned = np.flatnonzero(held > 0)
        gone = [str(self.terms.tickers[j]) for j in np.setdiff1d(owned, members)]
        found = [f"{ticker} left" for ticker in gone]
        if portfolio.strategy in BENCHMARKS or not len(owned):
            return "; ".join(found)
        if portfolio.ruled:
            tolerance = portfolio.parameters.candidate_tolerance
            found += lost(held, chosen, self.terms.tickers, tolerance=tolerance, worst_rank=self.terms.worst_rank)
        at = np.intersect1d(owned, members)
        try:
            found += breaches(held, self.terms.problem(days, i, day, at, held, value), at, portfolio.parameters.drift_tolerance)
        except Infeasible as refused:
            found.append(str(refused))
        return "; ".join(found)
