"""Rows of the room's four tables, collected over sessions and portfolios."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from etf_pipeline.conventions import CASH
from etf_pipeline.costs import TransactionCostModel, itemised_cost
from etf_pipeline.panel import Floats
from etf_pipeline.portfolio.decisions import Decision
from etf_pipeline.portfolio.ex_ante import ex_ante, risk_contributions
from etf_pipeline.portfolio.inputs import Day
from etf_pipeline.portfolio.mandates import Portfolio
from etf_pipeline.portfolio.problem import Attempt, Solution


class Built(NamedTuple):
    """Tables of those names."""

    target_weights: pd.DataFrame
    optimizer_solutions: pd.DataFrame
    rebalance_decisions: pd.DataFrame
    optimizer_attempts: pd.DataFrame


@dataclass(frozen=True)
class Rebalance:
    """One portfolio at one session.

    Attributes
    ----------
    portfolio : Portfolio
    day : Day
    asked : str
        Schedules that asked, joined by +.
    n_candidates : int
    solution : Solution
    target, held, decided : ndarray of shape (n_assets,)
        Fund weights: as solved, as held before, and as decided. [fraction]
    drifted : float
        Largest distance of a held weight from what was last decided. [fraction]
    value, fx_rate : float
        Net asset value in the funds' currency, and units of it for one of base currency.
    decision : Decision
    """

    portfolio: Portfolio
    day: Day
    asked: str
    n_candidates: int
    solution: Solution
    target: Floats
    held: Floats
    decided: Floats
    drifted: float
    value: float
    fx_rate: float
    decision: Decision


def turnover(after: Floats, before: Floats) -> float:
    """Half the sum of absolute trades, that of cash included. [fraction]"""
    cash, cash_before = 1.0 - after.sum(), 1.0 - before.sum()
    return float(np.abs(after - before).sum() + abs(cash - cash_before)) / 2.0


@dataclass
class Books:
    """Collects the rows."""

    tickers: pd.Index[Any]
    model: TransactionCostModel
    weights: list[dict[str, Any]] = field(default_factory=list)
    solutions: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    attempts: list[dict[str, Any]] = field(default_factory=list)

    def cost(self, trade: Floats, day: Day, value: float) -> Floats:
        """One-off cost of each trade, with the impact law's floor and cap. [fraction of net asset value]"""
        spread, impact, commission = itemised_cost(trade * value, day.half_spread, day.slope, self.model.terms)
        return np.asarray((spread + impact + commission) / value, dtype=np.float64)

    def add(self, made: Rebalance) -> None:
        """Book one rebalance."""
        self.weights.append(self._weight_rows(made))
        self.solutions.append(self._solution_row(made))
        self.decisions.append(_decision_row(made))
        tried = made.solution.attempts or (Attempt("optimal", "accepted", made.solution.reason),)
        self.attempts += [
            {
                "session": made.day.session,
                "strategy": made.portfolio.name,
                "step_number": number,
                "step": attempt.step,
                "outcome": attempt.outcome,
                "reason": attempt.reason,
            }
            for number, attempt in enumerate(tried, start=1)
        ]

    def frames(self) -> Built:
        """All tables."""
        weights = pd.DataFrame({name: np.concatenate([rows[name] for rows in self.weights]) for name in self.weights[0]})
        return Built(weights, *(pd.DataFrame(rows) for rows in (self.solutions, self.decisions, self.attempts)))

    def _solution_row(self, made: Rebalance) -> dict[str, Any]:
        solution, day, target = made.solution, made.day, made.target
        return {
            "session": day.session,
            "strategy": made.portfolio.name,
            "engine": solution.engine,
            "status": solution.status,
            "reason": solution.reason,
            "shadow_prices": "; ".join(price.words for price in solution.shadow_prices),
            "kkt_residual": solution.kkt_residual,
            "n_candidates": made.n_candidates,
            "n_held": int((target > 0).sum()),
            "cash": min(max(1.0 - target.sum(), 0.0), 1.0),
            **vars(ex_ante(target[day.members], day.expected_return, day.covariance, day.risk_free)),
            "turnover": turnover(target, made.held),
            "cost": float(self.cost(target - made.held, day, made.value).sum()),
        }

    def _weight_rows(self, made: Rebalance) -> dict[str, Any]:
        day, weights, previous = made.day, made.decided, made.held
        cost = self.cost(weights - previous, day, made.value)
        expected, volatility, risk = (np.full(len(weights), np.nan) for _ in range(3))
        expected[day.members] = day.expected_return
        volatility[day.members] = np.sqrt(np.diag(day.covariance))
        risk[:] = 0.0
        risk[day.members] = risk_contributions(weights[day.members], day.covariance)
        shown = np.flatnonzero((weights > 0) | (previous > 0))
        cash, cash_before = max(1.0 - weights.sum(), 0.0), max(1.0 - previous.sum(), 0.0)
        return {
            "session": np.full(len(shown) + 1, day.session.to_datetime64()),
            "strategy": np.full(len(shown) + 1, made.portfolio.name, dtype=object),
            "ticker": np.append(self.tickers[shown].to_numpy(dtype=object), CASH),
            "weight": np.append(weights[shown], cash),
            "previous_weight": np.append(previous[shown], cash_before),
            "expected_return": np.append(expected[shown], day.risk_free),
            "volatility": np.append(volatility[shown], 0.0),
            "cost": np.append(cost[shown], 0.0),
            "risk_contribution": np.append(risk[shown], 0.0),
        }


def _decision_row(made: Rebalance) -> dict[str, Any]:
    decision, p = made.decision, made.portfolio.parameters
    wanted = turnover(made.target, made.held)
    return {
        "session": made.day.session,
        "strategy": made.portfolio.name,
        "schedule": made.asked,
        "verdict": decision.verdict,
        "traded": decision.trades,
        "breach": decision.breach,
        "ruled": made.portfolio.ruled,
        "measure": decision.measure,
        "target_excess": decision.target.excess,
        "target_volatility": decision.target.volatility,
        "held_excess": decision.held.excess,
        "held_volatility": decision.held.volatility,
        "risk_aversion": p.risk_aversion,
        "horizon": p.horizon,
        "gain": decision.gain,
        "cost": decision.cost,
        "cost_hurdle": p.cost_hurdle,
        "hurdle": decision.hurdle,
        "largest_trade": decision.largest_trade,
        "no_trade_band": p.no_trade_band,
        "largest_drift": made.drifted,
        "outside_weight": decision.outside_weight,
        "candidate_tolerance": p.candidate_tolerance,
        "turnover": wanted if decision.trades else 0.0,
        "turnover_saved": 0.0 if decision.trades else wanted,
        "cost_saved": 0.0 if decision.trades else decision.cost,
        "portfolio_value": made.value / made.fx_rate,
        "base_currency": made.portfolio.base_currency,
        "fx_rate": made.fx_rate,
    }


def traded_weights(target_weights: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    """Target weights of the decisions that trade: where nothing is to be traded, nothing is ordered.

    Parameters
    ----------
    target_weights, decisions : DataFrame
        Tables `target_weights` and `rebalance_decisions`.
    """
    traded = decisions.loc[decisions["traded"], ["strategy", "session"]]
    return target_weights.merge(traded, on=["strategy", "session"], how="inner")
