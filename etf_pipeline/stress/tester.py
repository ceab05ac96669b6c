"""The stress test: every strategy's latest weights through every scenario and every simulation, and what could break it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from etf_pipeline.conventions import CASH
from etf_pipeline.errors import DataError, SettingsError
from etf_pipeline.panel import Floats
from etf_pipeline.stress.factor_shock import INTERVAL, SPECIFIC, Confidence, apply_shocks, explain_replay, portfolio_loadings
from etf_pipeline.stress.factors import FactorMarket, factor_funds
from etf_pipeline.stress.history import History
from etf_pipeline.stress.loadings import Loadings
from etf_pipeline.stress.parameters import StressParameters
from etf_pipeline.stress.replay import horizon_of, replay
from etf_pipeline.stress.reverse import reverse_stress
from etf_pipeline.stress.scenarios import SCENARIOS, Scenario
from etf_pipeline.stress.simulate import simulated, simulated_together
from etf_pipeline.stress.user_scenarios import scenarios_of

RESULT_COLUMNS = [
    "strategy", "scenario", "kind", "title", "start", "end", "horizon", "profit", "low", "high", "max_drawdown", "var",
    "var_error", "cvar", "standard_error", "drawdown_median", "drawdown_95", "drawdown_error", "coverage", "source",
]  # fmt: skip
CONTRIBUTION_COLUMNS = ["strategy", "scenario", "ticker", "weight", "asset_return", "contribution", "basis"]
FACTOR_COLUMNS = ["strategy", "scenario", "factor", "unit", "shock", "basis", "factor_return", "exposure", "contribution"]
REVERSE_COLUMNS = [
    "strategy",
    "loss",
    "factor",
    "unit",
    "shock",
    "shock_sd",
    "contribution",
    "distance",
    "probability",
    "horizon",
]
OF_SIMULATIONS = ("var", "var_error", "cvar", "standard_error", "drawdown_median", "drawdown_95", "drawdown_error")

Weights = dict[str, float]


class Stressed(NamedTuple):
    """Tables of those names."""

    stress_results: pd.DataFrame
    stress_contributions: pd.DataFrame
    stress_factors: pd.DataFrame
    reverse_stress: pd.DataFrame


@dataclass(frozen=True)
class FactorInputs:
    """What factor shocks rest on: `multi_factor_betas`, `fund_profile`, `stg_macro`."""

    betas: pd.DataFrame
    profile: pd.DataFrame
    macro: pd.DataFrame


@dataclass(frozen=True)
class _Answer:
    """How a portfolio answers factors."""

    market: FactorMarket
    loadings: Loadings
    confidence: Confidence


@dataclass(frozen=True)
class _Book:
    """One strategy: its weights since a session, and how it answers factors where that is known."""

    strategy: str
    weights: Weights
    session: pd.Timestamp
    answer: _Answer | None


class StressTester:
    """Replays history, shocks factors and simulates the future of portfolios.

    Parameters
    ----------
    parameters : StressParameters, optional
    scenarios : mapping of str to Scenario, optional
        People's own, beside those of `SCENARIOS`.

    Raises
    ------
    SettingsError
        If a scenario of the parameters is not known, or one of the own ones has a name of the catalogue.
    """

    def __init__(self, parameters: StressParameters | None = None, scenarios: Mapping[str, Scenario] | None = None) -> None:
        self.parameters = parameters or StressParameters()
        taken = sorted(set(scenarios or {}) & set(SCENARIOS))
        if taken:
            raise SettingsError(f"scenarios {taken} stand in the catalogue already; choose other names.")
        known = SCENARIOS | dict(scenarios or {})
        unknown = [name for name in self.parameters.scenarios if name not in known]
        if unknown:
            raise SettingsError(f"stress knows the scenarios {', '.join(known)}; asked for {unknown}.")
        self.scenarios = {name: known[name] for name in self.parameters.scenarios or known}

    def run(
        self,
        target_weights: pd.DataFrame,
        returns: pd.DataFrame,
        covariances: pd.DataFrame,
        reference: pd.DataFrame,
        factors: FactorInputs,
    ) -> Stressed:
        """See `run_stress`."""
        if target_weights.empty:
            raise DataError("stress needs target_weights; there are none. Materialise `portfolio` first.")
        p = self.parameters
        latest = {str(name): _latest(rows) for name, rows in target_weights.groupby("strategy", sort=True)}
        wanted = {ticker for _, weights in latest.values() for ticker in weights} - {CASH}
        history = History.of(returns, reference, wanted, p, factor_funds(p))
        answers = _answers(latest, history, factors, reference, p)
        books = [_Book(name, weights, session, answers.get(name)) for name, (session, weights) in latest.items()]
        tables = _Tables()
        for book in books:
            for name, scenario in self.scenarios.items():
                self._stress(tables, name, scenario, book, history)
            matrix = covariances.loc[covariances["session"] == book.session]
            tables.add(book.strategy, simulated(book.weights, matrix, history, p))
            if book.answer is not None:
                tables.reverse += _reversed(book, book.answer, p)
        for session in sorted({book.session for book in books}):
            held = {book.strategy: book.weights for book in books if book.session == session}
            matrix = covariances.loc[covariances["session"] == session]
            for strategy, rows in simulated_together(held, matrix, history, p).items():
                tables.add(strategy, rows)
        return tables.stressed()

    def _stress(self, tables: _Tables, name: str, scenario: Scenario, book: _Book, history: History) -> None:
        """The window as it was; shocks to factors where history does not hold it; nothing where neither can be told."""
        window = history.window(scenario.start, scenario.end) if scenario.start else None
        answer = book.answer
        if window is None and answer is not None and {shock.factor for shock in scenario.shocks} & set(answer.market.names):
            self._shock(tables, name, scenario, book, answer, history)
        elif window is not None or (scenario.start and np.isfinite(scenario.index_return)):
            self._replay(tables, name, scenario, book, history, window)

    def _replay(
        self, tables: _Tables, name: str, scenario: Scenario, book: _Book, history: History, window: tuple[int, int] | None
    ) -> None:
        result = replay(book.weights, scenario, history, self.parameters)
        row = _facts(name, "replay", scenario, horizon_of(scenario, history), result.profit, result.error)
        tables.add(book.strategy, [{**row, "max_drawdown": result.max_drawdown, "coverage": result.coverage}])
        tables.contributions.append(result.contributions.assign(strategy=book.strategy, scenario=name))
        if book.answer is not None and window is not None:
            parts = explain_replay(result.profit, book.weights, window, history, book.answer.loadings, self.parameters)
            tables.factors.append(parts.assign(strategy=book.strategy, scenario=name))

    def _shock(self, tables: _Tables, name: str, scenario: Scenario, book: _Book, answer: _Answer, history: History) -> None:
        horizon = horizon_of(scenario, history) if scenario.start else scenario.horizon
        result = apply_shocks(
            book.weights, scenario.shocks, horizon, answer.loadings, answer.market, answer.confidence, alone=scenario.alone
        )
        row = _facts(name, "factor_shock", scenario, horizon, result.profit, result.error)
        tables.add(book.strategy, [{**row, "max_drawdown": np.nan, "coverage": result.coverage}])
        tables.contributions.append(result.funds.assign(strategy=book.strategy, scenario=name))
        tables.factors.append(result.factors.assign(strategy=book.strategy, scenario=name))


def _answers(
    latest: Mapping[str, tuple[pd.Timestamp, Weights]],
    history: History,
    factors: FactorInputs,
    reference: pd.DataFrame,
    p: StressParameters,
) -> dict[str, _Answer]:
    """How each strategy answers factors; none where no betas are known by its session."""
    if factors.betas.empty:
        return {}
    market = FactorMarket.of(history, factors.macro, p)
    found = {}
    for name, (session, weights) in latest.items():
        funds = pd.Index(sorted(set(weights) - {CASH}))
        loadings = Loadings.of(funds, session, factors.betas, factors.profile, reference, market)
        if loadings is not None:
            found[name] = _Answer(market, loadings, Confidence.of(weights, history, loadings.factors, p))
    return found


def _reversed(book: _Book, answer: _Answer, p: StressParameters) -> list[dict[str, Any]]:
    """Rows of `reverse_stress`: the loaded factors, and what they leave over; none for a portfolio that does not move."""
    exposure = np.r_[portfolio_loadings(book.weights, answer.loadings), 1.0]
    covariance = tradable_covariance(answer.market, answer.loadings, answer.confidence.residual) * p.reverse_horizon
    if not exposure @ covariance @ exposure > 0.0:
        return []
    names, deviation = (*answer.loadings.factors, SPECIFIC), np.sqrt(np.diag(covariance))
    rows = []
    for loss in p.reverse_losses:
        found = reverse_stress(exposure, covariance, loss, p.degrees_of_freedom)
        told = answer.market.told(dict(zip(names[:-1], found.shock[:-1].tolist(), strict=True)))
        for j, name in enumerate(names):
            size = float(found.shock[j])
            in_sd = size / float(deviation[j]) if deviation[j] > 0.0 else 0.0
            row = (book.strategy, loss, name, *told.get(name, ("fraction", size)), in_sd, float(exposure[j]) * size)
            rows.append(dict(zip(REVERSE_COLUMNS, (*row, found.distance, found.probability, p.reverse_horizon), strict=True)))
    return rows


def tradable_covariance(market: FactorMarket, loadings: Loadings, residual: float) -> Floats:
    """Second moments of one session of the loaded factors' returns, and of what they leave over, as the last factor."""
    at = [market.loaded.index(name) for name in loadings.factors]
    slopes = market.slopes(np.zeros(len(market.names)))[at]
    k = len(at)
    out = np.zeros((k + 1, k + 1))
    out[:k, :k] = slopes @ market.covariance @ slopes.T
    out[k, k] = residual**2
    return out


class _Tables:
    """Rows, collected over strategies and scenarios."""

    def __init__(self) -> None:
        self.results: list[dict[str, Any]] = []
        self.contributions: list[pd.DataFrame] = []
        self.factors: list[pd.DataFrame] = []
        self.reverse: list[dict[str, Any]] = []

    def add(self, strategy: str, rows: list[dict[str, Any]]) -> None:
        """Results of a strategy."""
        self.results += [{"strategy": strategy, **row} for row in rows]

    def stressed(self) -> Stressed:
        """The tables."""
        results = pd.DataFrame(self.results, columns=RESULT_COLUMNS)
        dates = {name: pd.to_datetime(results[name]).astype("datetime64[ns]") for name in ("start", "end")}
        return Stressed(
            results.assign(**dates),
            _joined(self.contributions, CONTRIBUTION_COLUMNS),
            _joined(self.factors, FACTOR_COLUMNS),
            pd.DataFrame(self.reverse, columns=REVERSE_COLUMNS),
        )


def _joined(parts: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True)[columns] if filled else pd.DataFrame(columns=columns)


def _facts(name: str, kind: str, scenario: Scenario, horizon: int, profit: float, error: float) -> dict[str, Any]:
    return {
        "scenario": name,
        "kind": kind,
        "title": scenario.title,
        "start": scenario.start or pd.NaT,
        "end": scenario.end or pd.NaT,
        "horizon": horizon,
        "profit": profit,
        "low": profit - INTERVAL * error,
        "high": profit + INTERVAL * error,
        **dict.fromkeys(OF_SIMULATIONS, np.nan),
        "source": scenario.source,
    }


def run_stress(
    target_weights: pd.DataFrame,
    returns: pd.DataFrame,
    covariances: pd.DataFrame,
    reference: pd.DataFrame,
    factors: FactorInputs,
    scenarios: pd.DataFrame,
    parameters: StressParameters | None = None,
) -> Stressed:
    """Stress the latest weights of every strategy.

    Parameters
    ----------
    target_weights : DataFrame
        `target_weights`; the last session of each strategy counts.
    returns : DataFrame
        `fct_returns`: session returns and total-return indices.
    covariances : DataFrame
        `covariances`, annual; that of the rebalance session is used.
    reference : DataFrame
        `dim_etf`, for the asset class that decides which fund stands in for missing history.
    factors : FactorInputs
        Betas, profiles and published series. Without betas there are no factor shocks: windows before all history are replayed
        with what the S&P 500 did, and scenarios without a window are left out.
    scenarios : DataFrame
        `raw_scenarios`: people's own.
    parameters : StressParameters, optional

    Returns
    -------
    Stressed
        `stress_results`, `stress_contributions`, `stress_factors`, `reverse_stress`, as declared in `schemas.stress`.

    Raises
    ------
    DataError
        If there are no weights, or the market or a held fund has no returns.
    SettingsError
        If a scenario of the parameters is not known.
    """
    return StressTester(parameters, scenarios_of(scenarios)).run(target_weights, returns, covariances, reference, factors)


def _latest(rows: pd.DataFrame) -> tuple[pd.Timestamp, Weights]:
    """Session and weights of a strategy's last decision, in order of tickers, zeros left out."""
    session = rows["session"].max()
    held = rows.loc[(rows["session"] == session) & (rows["weight"] > 0.0)].sort_values("ticker")
    return session, dict(zip(held["ticker"], held["weight"].astype(float), strict=True))
