"""What each fund did, or what its proxy suggests that it would have done: index levels, betas, and who stands in for whom."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline import panel
from etf_pipeline.conventions import CASH
from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats
from etf_pipeline.stress.parameters import StressParameters


@dataclass(frozen=True)
class Line:
    """A fund's line on its proxy: slope, the slope's standard error, and the deviation of a session around the line."""

    beta: float
    error: float
    residual: float


@dataclass(frozen=True)
class History:
    """Total returns on wide axes.

    Attributes
    ----------
    sessions : DatetimeIndex of shape (n_sessions,)
    tickers : Index of shape (n_assets,)
    returns, index : ndarray of shape (n_sessions, n_assets)
        Session returns [fraction], and the index that grows from them; NaN where there is no bar.
    proxies : dict
        Ticker to the tickers that may stand in for it, best first; the market is always last.
    """

    sessions: pd.DatetimeIndex
    tickers: pd.Index[Any]
    returns: Floats
    index: Floats
    proxies: dict[str, tuple[str, ...]]

    @classmethod
    def of(
        cls,
        returns: pd.DataFrame,
        reference: pd.DataFrame,
        wanted: set[str],
        parameters: StressParameters,
        welcome: set[str] | None = None,
    ) -> History:
        """From `fct_returns` and `dim_etf`; funds that are only `welcome` may be absent.

        Raises
        ------
        DataError
            If the market or a wanted fund has no return at all.
        """
        by_class = dict(pair.split("=") for pair in parameters.class_proxies)
        tickers = pd.Index(sorted(wanted | {parameters.market_fund} | set(by_class.values()) | (welcome or set())))
        rows = returns.loc[returns["ticker"].isin(tickers)]
        missing = (wanted | {parameters.market_fund}) - set(rows["ticker"])
        if missing:
            raise DataError(
                f"stress needs returns of {sorted(missing)}; fct_returns has none. Name another market, or load them."
            )
        sessions = pd.DatetimeIndex(np.sort(rows["session"].unique()))
        classes = reference.set_index("ticker")["asset_class"]
        proxies = {}
        for ticker in tickers:
            first = by_class.get(str(classes.get(ticker, "unknown")))
            candidates = (first, parameters.market_fund) if first else (parameters.market_fund,)
            proxies[str(ticker)] = tuple(dict.fromkeys(candidates))
        moves, index = (panel.wide(rows, column, sessions, tickers) for column in ("total_return", "index_close"))
        return cls(sessions, tickers, moves, index, proxies)

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {str(ticker): j for j, ticker in enumerate(self.tickers)}

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {str(day): i for i, day in enumerate(self.sessions.strftime("%Y-%m-%d"))}

    def column(self, ticker: str) -> int:
        """Position of a ticker."""
        return self._columns[ticker]

    def window(self, start: str, end: str) -> tuple[int, int] | None:
        """Rows of a window's two ends; None where the history does not hold both."""
        first, last = self._rows.get(start), self._rows.get(end)
        return (first, last) if first is not None and last is not None else None

    @cached_property
    def known(self) -> set[str]:
        """Funds with a bar."""
        return {ticker for ticker, j in self._columns.items() if np.isfinite(self.index[:, j]).any()}

    def beta(self, ticker: str, proxy: str, parameters: StressParameters) -> float:
        """Slope of a fund's latest returns on its proxy's; 1 where too few are known."""
        return self.line(ticker, proxy, parameters).beta

    def line(self, ticker: str, proxy: str, parameters: StressParameters) -> Line:
        """Least squares of a fund's latest returns on its proxy's, on the sessions in which both have one.

        Covariance over variance with one ddof; with too few returns the slope is 1 and its error unknown.
        """
        rows = slice(max(0, len(self.sessions) - parameters.beta_window), None)
        y, x = self.returns[rows, self.column(ticker)], self.returns[rows, self.column(proxy)]
        known = ~np.isnan(x) & ~np.isnan(y)
        n = int(known.sum())
        x, y = x[known] - x[known].mean() if n else x[known], y[known] - y[known].mean() if n else y[known]
        if n < parameters.beta_minimum or not x @ x > 0.0:
            return Line(1.0, np.nan, np.nan)
        beta = float(x @ y / (x @ x))
        residual = float(np.sqrt(np.sum((y - beta * x) ** 2) / (n - 2)))
        return Line(beta, residual / float(np.sqrt(x @ x)), residual)

    def weighted(self, weights: dict[str, float], sessions: int) -> Floats:
        """Returns of fixed weights in the latest sessions, NaN where a held fund has none; cash earns nothing. [fraction]"""
        rows = slice(max(0, len(self.sessions) - sessions), None)
        held = [(weight, self.column(ticker)) for ticker, weight in weights.items() if ticker != CASH and weight != 0.0]
        total = np.zeros(len(self.sessions[rows]))
        for weight, column in held:
            total = total + weight * self.returns[rows, column]
        return total

    def portfolio_returns(self, weights: dict[str, float], parameters: StressParameters) -> tuple[Floats, float]:
        """Returns that fixed weights would have had in the latest sessions, and the mean weight that moved by own returns.

        A session without a fund's own return takes beta times its proxy's; cash earns nothing.
        """
        rows = slice(max(0, len(self.sessions) - parameters.history), None)
        total, proxied = np.zeros(len(self.sessions[rows])), np.zeros(len(self.sessions[rows]))
        for ticker, weight in weights.items():
            if ticker == CASH:
                continue
            moved = self.returns[rows, self.column(ticker)].copy()
            proxied += weight * np.isnan(moved)
            for proxy in self.proxies[ticker]:
                if np.isnan(moved).any() and proxy in self.tickers:
                    stand_in = self.beta(ticker, proxy, parameters) * self.returns[rows, self.column(proxy)]
                    moved = np.where(np.isnan(moved), stand_in, moved)
            total += weight * moved
        known = ~np.isnan(total)
        return total[known], float(1.0 - proxied[known].mean()) if known.any() else 0.0
