"""What an optimiser is given and what it gives back."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from etf_pipeline.conventions import PERCENT, SESSIONS_PER_YEAR, VAR_MULTIPLE
from etf_pipeline.panel import Floats


@dataclass(frozen=True)
class Problem:
    """One portfolio to choose, in annual units.

    Attributes
    ----------
    tickers : tuple of str of length n_assets
        Funds to choose from.
    expected_return : ndarray of shape (n_assets,)
        Expected total return. [fraction per year]
    covariance : ndarray of shape (n_assets, n_assets)
        Positive definite. [fraction squared per year]
    previous : ndarray of shape (n_assets,)
        Weights held just before. [fraction of net asset value]
    risk_free : float
        What cash earns. [fraction per year]
    linear_cost, impact_cost : ndarray of shape (n_assets,)
        Cost of trading ``d`` of net asset value, ``linear_cost * |d| + impact_cost * |d|**1.5``, amortised over the
        holding horizon. [fraction per year]
    lower, upper : float
        A fund is not held, or held between these. [fraction of net asset value]
    var_limit : float
        Largest one-day 95 % value at risk; ``inf`` for none. [fraction]
    invested : float
        Sum of the fund weights; the rest is cash. [fraction]
    correlation : ndarray of shape (n_assets, n_assets), optional
        Realised correlations, by which near-duplicates are recognised; those of `covariance` if not given.
    """

    tickers: tuple[str, ...]
    expected_return: Floats
    covariance: Floats
    previous: Floats
    risk_free: float
    linear_cost: Floats
    impact_cost: Floats
    lower: float = 2 * PERCENT
    upper: float = 15 * PERCENT
    var_limit: float = 2 * PERCENT
    invested: float = 1.0
    correlation: Floats | None = None

    @property
    def n(self) -> int:
        """Number of funds."""
        return len(self.tickers)

    @property
    def excess(self) -> Floats:
        """Expected return beyond cash. [fraction per year]"""
        return self.expected_return - self.risk_free

    @property
    def volatility_limit(self) -> float:
        """Annual volatility at which the value at risk reaches its limit. [fraction per year]"""
        return float(self.var_limit * np.sqrt(SESSIONS_PER_YEAR) / VAR_MULTIPLE)

    def volatility(self, weights: Floats) -> float:
        """Annual volatility of fund weights. [fraction per year]"""
        return math.sqrt(max(float(weights @ self.covariance @ weights), 0.0))

    def trading_cost(self, weights: Floats) -> float:
        """Amortised cost of going from `previous` to `weights`. [fraction per year]"""
        d = np.abs(weights - self.previous)
        return float(self.linear_cost @ d + self.impact_cost @ d**1.5)

    def net_excess(self, weights: Floats) -> float:
        """Expected return beyond cash, after amortised costs. [fraction per year]"""
        return float(self.excess @ weights) - self.trading_cost(weights)

    def net_sharpe(self, weights: Floats) -> float:
        """Net excess return over volatility: what max Sharpe maximises. [ratio]"""
        return self.net_excess(weights) / self.volatility(weights)


@dataclass(frozen=True)
class Solution:
    """Weights, how they were found, and the proof.

    Attributes
    ----------
    weights : ndarray of shape (n_assets,)
        Fund weights; what they lack to one is cash. [fraction of net asset value]
    engine : str
        ``clarabel``, ``ccd``, ``riskfolio`` or ``none``.
    status : str
        ``optimal``, or the fall-back: ``cash_blend``, ``min_variance_cash``, ``hold`` or ``cash``.
    reason : str
        Which limits bind, or why the fall-back was taken.
    kkt_residual : float
        Largest violation of the optimality conditions, relative; NaN where nothing was optimised. [ratio]
    """

    weights: Floats
    engine: str
    status: str
    reason: str
    kkt_residual: float = field(default=float("nan"))
