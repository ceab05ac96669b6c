"""How strategies did in each market state, the state being the one that was known before the session began."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.backtest.parameters import BacktestParameters
from etf_pipeline.conventions import SESSIONS_PER_YEAR, home_market
from etf_pipeline.measures import (
    MEASURES,
    common_block_length,
    percentile_interval,
    resample,
    session_risk_free,
    stationary_indices,
)
from etf_pipeline.panel import Floats

MINIMUM = 30
"""Sessions below which no interval is given."""


@dataclass(frozen=True)
class RegimePerformanceParameters:
    """Against what a state's sessions are measured, and how sure the figures are.

    Attributes
    ----------
    exchange : str
        Main exchange, whose equity fund is the benchmark.
    bill_series : str
        Macro series of the bill that cash earns; empty if cash earns nothing.
    confidence : float
        Of the intervals.
    resamples : int
        Bootstrap resamples; 0 leaves the intervals unknown.
    block : float
        Mean length of a bootstrap block; 0 takes the length that the returns ask for. [sessions]
    seed : int
        Of the bootstrap.
    """

    exchange: str = BacktestParameters.exchange
    bill_series: str = BacktestParameters.bill_series
    confidence: float = BacktestParameters.confidence
    resamples: int = BacktestParameters.resamples
    block: float = 0.0
    seed: int = BacktestParameters.seed

    @property
    def benchmark(self) -> str:
        """Fund of the main exchange's shares; empty where none is named."""
        return home_market(self.exchange).equity


def _mean_return(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    return np.asarray(np.mean(returns, axis=-1) * SESSIONS_PER_YEAR, dtype=np.float64)


def _active_return(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    return _mean_return(returns - benchmark, risk_free, benchmark)


REGIME_MEASURES = {
    "mean_return": (_mean_return, "fraction per year"),
    "active_return": (_active_return, "fraction per year"),
    "volatility": (MEASURES["volatility"].function, "fraction per year"),
    "sharpe": (MEASURES["sharpe"].function, "ratio, annual"),
    "max_drawdown": (MEASURES["max_drawdown"].function, "fraction"),
}
"""What is measured in a state. Growth is a mean times 252: a state's sessions are not one stretch of time to compound over."""


def performance_by_regime(
    ledger: pd.DataFrame,
    performance: pd.DataFrame,
    regimes: pd.DataFrame,
    macro: pd.DataFrame,
    parameters: RegimePerformanceParameters,
) -> pd.DataFrame:
    """Measures of each strategy within the sessions of each market state.

    Parameters
    ----------
    ledger, performance : DataFrame
        `backtest_ledger` and `performance` of one run; the latter says from when on strategies are compared.
    regimes : DataFrame
        `regimes`: the state at each close.
    macro : DataFrame
        `fct_macro`, for the bill.
    parameters : RegimePerformanceParameters
        Benchmark and bootstrap.

    Returns
    -------
    DataFrame
        Table `performance_by_regime`.

    Notes
    -----
    A session belongs to the state of the last close before it: whoever trades on the state knows no more. A bear market is
    recognised after its first fall, so that this fall counts to the state before.

    The sessions of one state are strung together: a drawdown is that of an investor who was in cash in all others. Blocks of
    the bootstrap are drawn from this string and may join two visits.
    """
    start = pd.Timestamp(performance["start"].min())
    sessions = pd.DatetimeIndex(np.sort(ledger["session"].unique()))
    bill = pd.Series(session_risk_free(macro, sessions, parameters.bill_series), sessions)
    wide = ledger.pivot(index="session", columns=["strategy", "cost_basis"], values="daily_return").reindex(sessions)
    inside = sessions[sessions >= start]
    states = known_states(inside, regimes)
    rows: list[dict[str, object]] = []
    for state in sorted(set(states)):
        days = inside[states == state]
        rows += _state_rows(str(state), wide.loc[days], bill.loc[days].to_numpy(), len(days) / len(inside), parameters)
    return pd.DataFrame(rows).sort_values(["strategy", "cost_basis", "regime", "measure"], ignore_index=True)


def known_states(sessions: pd.DatetimeIndex, regimes: pd.DataFrame) -> npt.NDArray[np.object_]:
    """State of the last close before each session; ``unknown`` where there was none."""
    ordered = regimes.sort_values("session")
    place = pd.DatetimeIndex(ordered["session"]).searchsorted(sessions, side="left") - 1
    states = ordered["regime"].to_numpy(dtype=object)
    return np.array([states[i] if i >= 0 else "unknown" for i in place], dtype=object)


def _state_rows(
    state: str, wide: pd.DataFrame, bill: Floats, share: float, parameters: RegimePerformanceParameters
) -> list[dict[str, object]]:
    n = len(wide)
    keys = cast("list[tuple[str, str]]", wide.columns.tolist())
    series = {key: np.ascontiguousarray(wide[key].to_numpy(dtype=np.float64)) for key in keys}
    indices = _indices(list(series.values()), bill, parameters)
    functions = [function for function, _ in REGIME_MEASURES.values()]
    rows: list[dict[str, object]] = []
    for (strategy, basis), own in series.items():
        market = series.get((parameters.benchmark, basis), np.full(n, np.nan))
        low = high = np.full(len(functions), np.nan)
        if indices is not None:
            low, high = percentile_interval(resample(functions, own, bill, market, indices), parameters.confidence)
        for k, (name, (function, unit)) in enumerate(REGIME_MEASURES.items()):
            value = float(function(own, bill, market)) if n > 1 else np.nan
            rows.append(
                {"strategy": strategy, "cost_basis": basis, "regime": state, "measure": name, "value": value,
                 "ci_low": float(low[k]), "ci_high": float(high[k]), "unit": unit, "n_sessions": n, "share": share}
            )  # fmt: skip
    return rows


def _indices(series: list[Floats], bill: Floats, parameters: RegimePerformanceParameters) -> npt.NDArray[np.int32] | None:
    """Resampled positions, common to all strategies; None where there are too few sessions."""
    n = len(bill)
    if n < MINIMUM or parameters.resamples == 0:
        return None
    block = parameters.block or common_block_length([own - bill for own in series])
    return stationary_indices(n, block, parameters.resamples, parameters.seed)
