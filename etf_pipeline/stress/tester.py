"""The stress test: every strategy's latest weights through every window and every simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from etf_pipeline.conventions import CASH, SESSIONS_PER_YEAR, VAR_LEVEL
from etf_pipeline.errors import DataError, SettingsError
from etf_pipeline.panel import Floats
from etf_pipeline.stress.history import History
from etf_pipeline.stress.monte_carlo import SIMULATIONS, Source, tail_loss
from etf_pipeline.stress.parameters import StressParameters
from etf_pipeline.stress.replay import horizon_of, replay
from etf_pipeline.stress.scenarios import SCENARIOS, Scenario

RESULT_COLUMNS = [
    "strategy", "scenario", "kind", "title", "start", "end", "horizon", "profit", "max_drawdown", "var", "cvar",
    "standard_error", "coverage", "source",
]  # fmt: skip
CONTRIBUTION_COLUMNS = ["strategy", "scenario", "ticker", "weight", "asset_return", "contribution", "basis"]

Weights = dict[str, float]


class StressTester:
    """Replays history and simulates the future of portfolios.

    Parameters
    ----------
    parameters : StressParameters, optional

    Raises
    ------
    SettingsError
        If a scenario is not in `SCENARIOS`.
    """

    def __init__(self, parameters: StressParameters | None = None) -> None:
        self.parameters = parameters or StressParameters()
        unknown = [name for name in self.parameters.scenarios if name not in SCENARIOS]
        if unknown:
            raise SettingsError(f"stress knows the scenarios {', '.join(SCENARIOS)}; asked for {unknown}.")
        self.scenarios = {name: SCENARIOS[name] for name in self.parameters.scenarios or SCENARIOS}

    def run(
        self, target_weights: pd.DataFrame, returns: pd.DataFrame, covariances: pd.DataFrame, reference: pd.DataFrame
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """See `run_stress`."""
        if target_weights.empty:
            raise DataError("stress needs target_weights; there are none. Materialise `portfolio` first.")
        latest = {str(name): _latest(rows) for name, rows in target_weights.groupby("strategy", sort=True)}
        wanted = {ticker for _, weights in latest.values() for ticker in weights} - {CASH}
        history = History.of(returns, reference, wanted, self.parameters)
        results: list[dict[str, object]] = []
        contributions: list[pd.DataFrame] = []
        for strategy, (session, weights) in latest.items():
            for name, scenario in self.scenarios.items():
                row, parts = self._replayed(name, scenario, weights, history)
                results.append({"strategy": strategy, **row})
                contributions.append(parts.assign(strategy=strategy, scenario=name))
            matrix = covariances.loc[covariances["session"] == session]
            results.extend({"strategy": strategy, **row} for row in self._simulated(weights, matrix, history))
        table = pd.DataFrame(results)[RESULT_COLUMNS]
        dates = {name: pd.to_datetime(table[name]).astype("datetime64[ns]") for name in ("start", "end")}
        return table.assign(**dates), pd.concat(contributions, ignore_index=True)[CONTRIBUTION_COLUMNS]

    def _replayed(
        self, name: str, scenario: Scenario, weights: Weights, history: History
    ) -> tuple[dict[str, object], pd.DataFrame]:
        result = replay(weights, scenario, history, self.parameters)
        row = {
            "scenario": name,
            "kind": "replay",
            "title": scenario.title,
            "start": scenario.start,
            "end": scenario.end,
            "horizon": horizon_of(scenario, history),
            "profit": result.profit,
            "max_drawdown": result.max_drawdown,
            **dict.fromkeys(("var", "cvar", "standard_error"), np.nan),
            "coverage": result.coverage,
            "source": scenario.source,
        }
        return row, result.contributions

    def _simulated(self, weights: Weights, covariances: pd.DataFrame, history: History) -> list[dict[str, object]]:
        """Every simulation over every horizon; all strategies meet the same draws."""
        p = self.parameters
        past, past_coverage = history.portfolio_returns(weights, p)
        volatility, covered = portfolio_volatility(weights, covariances)
        if np.isnan(volatility):
            volatility, covered = float(np.std(past, ddof=1)), past_coverage
        source = Source(volatility, past, p.degrees_of_freedom, p.block, p.decay)
        rows: list[dict[str, object]] = []
        for place, (name, simulation) in enumerate(SIMULATIONS.items()):
            for horizon, n in ((p.horizon_short, p.n_short), (p.horizon_long, p.n_long)):
                rng = np.random.default_rng([p.seed, place, horizon])
                tail = tail_loss(simulation.function(source, n, horizon, rng))
                rows.append(
                    {
                        "scenario": f"{name}_{horizon}d",
                        "kind": "monte_carlo",
                        "title": f"{simulation.title}, {horizon} session{'s' if horizon > 1 else ''}",
                        **dict.fromkeys(("start", "end"), pd.NaT),
                        "horizon": horizon,
                        "profit": -tail.cvar,
                        "max_drawdown": np.nan,
                        "var": tail.var,
                        "cvar": tail.cvar,
                        "standard_error": tail.standard_error,
                        "coverage": covered if name in ("gaussian", "student_t") else past_coverage,
                        "source": f"{simulation.origin}; {n} scenarios, {VAR_LEVEL:.0%}, seed {p.seed}",
                    }
                )
        return rows


def portfolio_volatility(weights: Weights, covariances: pd.DataFrame) -> tuple[float, float]:
    """Volatility of a session by the long sample of the covariance, and the weight (with cash) that it is based on.

    Parameters
    ----------
    weights : dict of str to float
        Fraction of net asset value per ticker, CASH included.
    covariances : DataFrame
        `covariances` of one session: `ticker_1`, `ticker_2`, `covariance`, upper triangle, annual.

    Returns
    -------
    volatility, coverage : float
        Funds without a covariance are taken to move as the others do together; NaN where no fund has one. [fraction]
    """
    funds = {ticker: weight for ticker, weight in weights.items() if ticker != CASH and weight != 0.0}
    if not funds:
        return 0.0, 1.0
    tickers = pd.Index(sorted(set(funds) & set(covariances["ticker_1"])))
    if tickers.empty:
        return float("nan"), 0.0
    upper = covariances.loc[covariances["ticker_1"].isin(tickers) & covariances["ticker_2"].isin(tickers)]
    matrix = np.full((len(tickers), len(tickers)), np.nan)
    i, j = tickers.get_indexer(pd.Index(upper["ticker_1"])), tickers.get_indexer(pd.Index(upper["ticker_2"]))
    matrix[i, j] = matrix[j, i] = upper["covariance"].to_numpy()
    held = np.array([funds[str(ticker)] for ticker in tickers])
    scale = sum(funds.values()) / held.sum()
    variance: Floats = held @ matrix @ held * scale**2 / SESSIONS_PER_YEAR
    return float(np.sqrt(variance)), float(held.sum() + weights.get(CASH, 0.0))


def run_stress(
    target_weights: pd.DataFrame,
    returns: pd.DataFrame,
    covariances: pd.DataFrame,
    reference: pd.DataFrame,
    parameters: StressParameters | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
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
    parameters : StressParameters, optional

    Returns
    -------
    stress_results, stress_contributions : DataFrame
        As declared in `schemas.stress`.

    Raises
    ------
    DataError
        If there are no weights, or the market or a held fund has no returns.
    """
    return StressTester(parameters).run(target_weights, returns, covariances, reference)


def _latest(rows: pd.DataFrame) -> tuple[pd.Timestamp, Weights]:
    """Session and weights of a strategy's last decision, in order of tickers, zeros left out."""
    session = rows["session"].max()
    held = rows.loc[(rows["session"] == session) & (rows["weight"] > 0.0)].sort_values("ticker")
    return session, dict(zip(held["ticker"], held["weight"].astype(float), strict=True))
