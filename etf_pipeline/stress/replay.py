"""Replay: what the weights of today would have done in a window of the past, bought at its start and held."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from etf_pipeline.conventions import CASH
from etf_pipeline.panel import Floats
from etf_pipeline.stress.history import History, Line
from etf_pipeline.stress.parameters import StressParameters
from etf_pipeline.stress.scenarios import Scenario

OWN, PROXY, CASH_BASIS = "own", "beta_proxy", "cash"


@dataclass(frozen=True)
class Replay:
    """A portfolio in one window.

    Attributes
    ----------
    contributions : DataFrame of shape (n_held, 5)
        `ticker`, `weight`, `asset_return`, `contribution`, `basis`.
    path : ndarray of shape (n_sessions + 1,)
        Value of one unit at the start and at each close after it; NaN inside where only the window's return is known.
    errors : ndarray of shape (n_held,)
        Deviation of each contribution, as if those of proxied funds were independent. [fraction]
    """

    contributions: pd.DataFrame
    path: Floats
    errors: Floats

    @property
    def error(self) -> float:
        """Deviation of the profit: zero where every fund moves by its own history, unknown where a proxy's beta is. [fraction]"""
        return float(np.sqrt(np.sum(self.errors**2)))

    @property
    def profit(self) -> float:
        """Sum of the contributions. [fraction]"""
        return float(self.contributions["contribution"].sum())

    @property
    def max_drawdown(self) -> float:
        """Largest fall from a high on the way; NaN where the way is not known. [fraction]"""
        return float(np.max(1.0 - self.path / np.maximum.accumulate(self.path)))

    @property
    def coverage(self) -> float:
        """Weight of cash and of the funds with their own history."""
        own = self.contributions["basis"] != PROXY
        return float(self.contributions.loc[own, "weight"].sum())


def replay(weights: dict[str, float], scenario: Scenario, history: History, parameters: StressParameters) -> Replay:
    """Buy-and-hold of the weights through a window.

    Parameters
    ----------
    weights : dict of str to float
        Fraction of net asset value per ticker, CASH included.
    scenario : Scenario
        The window; its `start` is the close at which the weights are bought.
    history : History
        Total-return indices of the funds and their proxies.
    parameters : StressParameters

    Returns
    -------
    Replay

    Notes
    -----
    A fund with a bar on both ends of the window moves by its own total return. Another moves by beta times the return of the
    first of its proxies that has one, and by beta times the S&P 500's where none has; never below a total loss. Cash
    stays as it is. The error of a proxied fund is ``sqrt((proxy's return * error of beta)^2 + sessions * residual^2)``.
    """
    horizon = horizon_of(scenario, history)
    growth = {
        ticker: (np.ones(horizon + 1), CASH_BASIS, 0.0) if ticker == CASH else _growth(ticker, scenario, history, parameters)
        for ticker in weights
    }
    total = np.array([growth[ticker][0][-1] - 1.0 for ticker in weights])
    held = np.array(list(weights.values()), dtype=np.float64)
    frame = pd.DataFrame(
        {
            "ticker": list(weights),
            "weight": held,
            "asset_return": total,
            "contribution": held * total,
            "basis": [growth[ticker][1] for ticker in weights],
        }
    )
    path = 1.0 + np.sum([weight * (growth[ticker][0] - 1.0) for ticker, weight in weights.items()], axis=0)
    return Replay(frame, path, held * np.array([growth[ticker][2] for ticker in weights]))


def horizon_of(scenario: Scenario, history: History) -> int:
    """Sessions of the window: those of the history, or weekdays where it does not reach."""
    window = history.window(scenario.start, scenario.end)
    return window[1] - window[0] if window else int(np.busday_count(scenario.start, scenario.end))


def _growth(ticker: str, scenario: Scenario, history: History, parameters: StressParameters) -> tuple[Floats, str, float]:
    """Value of one unit of a fund through the window, whose history it is, and the deviation of its end."""
    own = _own_growth(ticker, scenario, history)
    if own is not None:
        return own, OWN, 0.0
    for proxy in history.proxies[ticker]:
        found = _own_growth(proxy, scenario, history)
        if found is not None:
            return _by_proxy(found, history.line(ticker, proxy, parameters))
    index = np.full(horizon_of(scenario, history) + 1, np.nan)
    index[0], index[-1] = 1.0, 1.0 + scenario.index_return
    return _by_proxy(index, history.line(ticker, parameters.market_fund, parameters))


def _by_proxy(growth: Floats, line: Line) -> tuple[Floats, str, float]:
    deviation = np.sqrt(((growth[-1] - 1.0) * line.error) ** 2 + (len(growth) - 1) * line.residual**2)
    return _levered(growth, line.beta), PROXY, float(deviation)


def _own_growth(ticker: str, scenario: Scenario, history: History) -> Floats | None:
    """Index over its value at the start; a missing bar inside carries the last one. None without a bar on both ends."""
    window = history.window(scenario.start, scenario.end)
    if window is None or ticker not in history.tickers:
        return None
    level = history.index[window[0] : window[1] + 1, history.column(ticker)]
    if np.isnan(level[0]) or np.isnan(level[-1]):
        return None
    last_bar = np.maximum.accumulate(np.where(np.isnan(level), 0, np.arange(len(level))))
    return np.asarray(level[last_bar] / level[0], dtype=np.float64)


def _levered(growth: Floats, beta: float) -> Floats:
    return np.maximum(1.0 + beta * (growth - 1.0), 0.0)
