"""Every simulation of every strategy: the portfolio's own models of chance, and the copula of all held funds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline.conventions import CASH, SESSIONS_PER_YEAR, VAR_LEVEL
from etf_pipeline.panel import Floats
from etf_pipeline.stress.copula import Copula, stressed
from etf_pipeline.stress.history import History
from etf_pipeline.stress.monte_carlo import SIMULATIONS, Source, drawdowns, outcomes, tail_loss
from etf_pipeline.stress.parameters import StressParameters

Weights = Mapping[str, float]
Rows = list[dict[str, Any]]

ONE = 1.96
"""Standard errors to either side of an estimate that make 95 %."""


def covariance_of(tickers: list[str], covariances: pd.DataFrame) -> tuple[list[str], Floats]:
    """Those of the tickers that have a covariance, and their matrix for a session.

    Parameters
    ----------
    tickers : list of str
    covariances : DataFrame
        `covariances` of one session: `ticker_1`, `ticker_2`, `covariance`, upper triangle, annual.
    """
    held = pd.Index(sorted(set(tickers) & set(covariances["ticker_1"])))
    upper = covariances.loc[covariances["ticker_1"].isin(held) & covariances["ticker_2"].isin(held)]
    matrix = np.full((len(held), len(held)), np.nan)
    i, j = held.get_indexer(pd.Index(upper["ticker_1"])), held.get_indexer(pd.Index(upper["ticker_2"]))
    matrix[i, j] = matrix[j, i] = upper["covariance"].to_numpy()
    return [str(ticker) for ticker in held], matrix / SESSIONS_PER_YEAR


def scaled_weights(weights: Weights, tickers: list[str]) -> tuple[Floats, float]:
    """Weights on funds that are known, for all risky ones, and the weight (with cash) that this is based on.

    Funds without a covariance are taken to move as the others do together.
    """
    risky = {ticker: weight for ticker, weight in weights.items() if ticker != CASH and weight != 0.0}
    held = np.array([risky.get(ticker, 0.0) for ticker in tickers])
    known = float(held.sum())
    scale = sum(risky.values()) / known if known else np.nan
    return held * scale, known + weights.get(CASH, 0.0)


def portfolio_volatility(weights: Weights, covariances: pd.DataFrame, stress: float = 0.0) -> tuple[float, float]:
    """Volatility of a session by the long sample of the covariance, and the weight (with cash) that it is based on.

    Parameters
    ----------
    weights : dict of str to float
        Fraction of net asset value per ticker, CASH included.
    covariances : DataFrame
        `covariances` of one session: `ticker_1`, `ticker_2`, `covariance`, upper triangle, annual.
    stress : float, default 0
        How far correlations are moved towards one.

    Returns
    -------
    volatility, coverage : float
        Funds without a covariance are taken to move as the others do together; NaN where no fund has one. [fraction]
    """
    if not any(weight for ticker, weight in weights.items() if ticker != CASH):
        return 0.0, 1.0
    tickers, matrix = covariance_of([t for t, w in weights.items() if w != 0.0], covariances)
    if not tickers:
        return float("nan"), 0.0
    held, coverage = scaled_weights(weights, tickers)
    together = float(held @ np.sqrt(np.diag(matrix)))
    return float(np.sqrt((1.0 - stress) * float(held @ matrix @ held) + stress * together**2)), coverage


def simulated(weights: Weights, covariances: pd.DataFrame, history: History, p: StressParameters) -> Rows:
    """The portfolio's own models over every horizon; all strategies meet the same draws."""
    past, past_coverage = history.portfolio_returns(dict(weights), p)
    rows: Rows = []
    for place, (name, simulation) in enumerate(SIMULATIONS.items()):
        volatility, covered = portfolio_volatility(weights, covariances, p.correlation_stress if simulation.stressed else 0.0)
        if np.isnan(volatility):
            volatility, covered = float(np.std(past, ddof=1)), past_coverage
        source = Source(volatility, past, p.degrees_of_freedom, p.block, p.decay)
        for n, horizons in runs(p, max(p.horizons)):
            rng = np.random.default_rng([p.seed, place, max(horizons)])
            steps = simulation.function(source, n, max(horizons), rng)
            coverage = covered if simulation.from_covariance else past_coverage
            rows += results(name, simulation.title, simulation.origin, coverage, steps, horizons, p)
    return rows


def simulated_together(
    portfolios: Mapping[str, Weights], covariances: pd.DataFrame, history: History, p: StressParameters
) -> dict[str, Rows]:
    """The t copula of all funds that the portfolios hold, with correlations as estimated and stressed, by portfolio."""
    funds = sorted({ticker for weights in portfolios.values() for ticker, w in weights.items() if ticker != CASH and w})
    tickers, matrix = covariance_of(funds, covariances)
    rows: dict[str, Rows] = {name: [] for name in portfolios}
    if not tickers:
        return rows
    scaled = {name: scaled_weights(weights, tickers) for name, weights in portfolios.items()}
    joint = np.column_stack([np.nan_to_num(held) for held, _ in scaled.values()])
    deviation = np.sqrt(np.diag(matrix))
    past = history.returns[-p.history :, [history.column(ticker) for ticker in tickers]]
    correlation = matrix / np.outer(deviation, deviation)
    for place, (name, title, share) in enumerate(_COPULAS):
        moved = stressed(correlation, share * p.correlation_stress)
        copula = Copula.of(past, deviation, moved, p.degrees_of_freedom)
        for n, horizons in runs(p, p.copula_horizon):
            rng = np.random.default_rng([p.seed, len(SIMULATIONS) + place, max(horizons)])
            steps = copula.portfolios(joint, n, max(horizons), rng)
            for i, (portfolio, (_, coverage)) in enumerate(scaled.items()):
                rows[portfolio] += results(name, title, _COPULA_ORIGIN, coverage, steps[i], horizons, p)
    return rows


_COPULAS = (
    ("t_copula", "Student-t copula of all funds", 0.0),
    ("t_copula_stressed", "Student-t copula, stressed correlations", 1.0),
)
_COPULA_ORIGIN = "marginal laws of five years, t copula (McNeil, Frey and Embrechts 2015), covariance of the long sample"


def runs(p: StressParameters, longest: int) -> list[tuple[int, tuple[int, ...]]]:
    """Number of scenarios, and the horizons read off them: one session for itself, the others off the same paths."""
    short = tuple(h for h in p.horizons if h == 1 and h <= longest)
    long = tuple(sorted(h for h in p.horizons if 1 < h <= longest))
    return [(n, horizons) for n, horizons in ((p.n_short, short), (p.n_long, long)) if horizons]


def results(
    name: str, title: str, origin: str, coverage: float, steps: Floats, horizons: tuple[int, ...], p: StressParameters
) -> Rows:
    """Rows of `stress_results` of one simulation."""
    found: dict[int, tuple[Any, Any]] = outcomes(steps, horizons)
    return [_row(name, title, origin, coverage, horizon, *found[horizon], seed=p.seed) for horizon in horizons]


def _row(
    name: str, title: str, origin: str, coverage: float, horizon: int, moved: Floats, falls: Floats, *, seed: int
) -> dict[str, Any]:
    tail, fall = tail_loss(moved), drawdowns(falls)
    return {
        "scenario": f"{name}_{horizon}d",
        "kind": "monte_carlo",
        "title": f"{title}, {horizon} session{'s' if horizon > 1 else ''}",
        "start": pd.NaT,
        "end": pd.NaT,
        "horizon": horizon,
        "profit": -tail.cvar,
        "low": -tail.cvar - ONE * tail.standard_error,
        "high": -tail.cvar + ONE * tail.standard_error,
        "max_drawdown": np.nan,
        "var": tail.var,
        "var_error": tail.var_error,
        "cvar": tail.cvar,
        "standard_error": tail.standard_error,
        "drawdown_median": fall.median,
        "drawdown_95": fall.deep,
        "drawdown_error": fall.error,
        "coverage": coverage,
        "source": f"{origin}; {len(moved)} scenarios, {VAR_LEVEL:.0%}, seed {seed}",
    }
