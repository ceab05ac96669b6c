"""What an optimiser is given and what it gives back."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from etf_pipeline.conventions import PERCENT, SESSIONS_PER_YEAR, VAR_LEVEL, VAR_MULTIPLE
from etf_pipeline.panel import Floats


@dataclass(frozen=True)
class GroupLimit:
    """Bounds on what some funds weigh together: an asset class, an issuer, a cluster of near-duplicates.

    Attributes
    ----------
    name : str
        How the limit is called in certificates and refusals: ``group bond``, ``issuer Vanguard``, ``cluster SPY``.
    members : ndarray of bool of shape (n_assets,)
        Funds that count.
    lower, upper : float
        Smallest and largest sum of their weights. [fraction of net asset value]
    """

    name: str
    members: npt.NDArray[np.bool_]
    lower: float = 0.0
    upper: float = 1.0


@dataclass(frozen=True)
class Views:
    """Opinions for the Black-Litterman blend: each row says what a combination of funds earns beyond cash.

    Attributes
    ----------
    combinations : ndarray of shape (n_views, n_assets)
        A one for an absolute view; +1 and -1 for one fund against another.
    returns : ndarray of shape (n_views,)
        What the combination is expected to earn beyond cash. [fraction per year]
    uncertainty : ndarray of shape (n_views,), optional
        Variance of each view's error; that of the prior along the same combination if not given. [fraction squared per year]
    """

    combinations: Floats
    returns: Floats
    uncertainty: Floats | None = None


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
    groups : tuple of GroupLimit
        Bounds on sums of weights: asset classes, issuers, clusters (`limits` makes them from labels).
    turnover_limit : float
        Largest turnover, half the sum of absolute trades with that of cash; ``inf`` for none. [fraction]
    benchmark : ndarray of shape (n_assets,), optional
        Weights that tracking error and active weights are measured from; also the market of Black-Litterman. [fraction]
    tracking_error_limit : float
        Largest annual volatility of the difference to the benchmark; ``inf`` for none. [fraction per year]
    active_limit : float
        Largest distance of a weight from its benchmark weight, held or not; ``inf`` for none. [fraction]
    scenarios : ndarray of shape (n_scenarios, n_assets), optional
        Equally likely simple returns of one session, for expected shortfall. [fraction]
    cvar_limit : float
        Largest expected shortfall over the scenarios, a positive loss; ``inf`` for none. [fraction]
    cvar_level : float
        Its level. [fraction]
    budgets : ndarray of shape (n_assets,), optional
        Shares of the variance for risk budgeting, rescaled to one; equal if not given. [fraction]
    risk_aversion : float
        Price of variance in mean-variance utility, ``net excess - risk_aversion / 2 * variance``, and of the market in
        Black-Litterman's prior. Four holds equities at a Sharpe ratio of 0.6 and a volatility of 15 %. [ratio]
    views : Views, optional
        For Black-Litterman; an absolute view per fund, its expected return, if not given.
    benchmark_covariance : ndarray of shape (n_assets,), optional
        Covariance of each fund with the benchmark, where that holds funds that are not here.
    benchmark_variance : float, optional
        Variance of such a benchmark.
    sold, sold_cost : float
        Holdings in funds that are not here, which are sold whatever is chosen, and what that costs. [fraction],
        [fraction per year]
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
    groups: tuple[GroupLimit, ...] = ()
    turnover_limit: float = math.inf
    benchmark: Floats | None = None
    tracking_error_limit: float = math.inf
    active_limit: float = math.inf
    scenarios: Floats | None = None
    cvar_limit: float = math.inf
    cvar_level: float = VAR_LEVEL
    budgets: Floats | None = None
    risk_aversion: float = 4.0
    views: Views | None = None
    benchmark_covariance: Floats | None = None
    benchmark_variance: float | None = None
    sold: float = 0.0
    sold_cost: float = 0.0

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
        """Amortised cost of going from `previous` to `weights`, with what is sold elsewhere. [fraction per year]"""
        d = np.abs(weights - self.previous)
        return float(self.linear_cost @ d + self.impact_cost @ d**1.5) + self.sold_cost

    def turnover(self, weights: Floats) -> float:
        """Half the sum of absolute trades, that of cash and of what is sold elsewhere included. [fraction]"""
        trades = np.abs(weights - self.previous).sum() + self.sold
        return float(trades + abs(weights.sum() - self.previous.sum() - self.sold)) / 2.0

    def to_benchmark(self) -> tuple[Floats, float]:
        """Covariance of each fund with the benchmark, and the benchmark's variance. Zeros without one."""
        if self.benchmark_covariance is not None and self.benchmark_variance is not None:
            return self.benchmark_covariance, self.benchmark_variance
        if self.benchmark is None:
            return np.zeros(self.n), 0.0
        covariance = self.covariance @ self.benchmark
        return covariance, float(self.benchmark @ covariance)

    def tracking_error(self, weights: Floats) -> float:
        """Annual volatility of the difference to the benchmark. [fraction per year]"""
        covariance, variance = self.to_benchmark()
        return math.sqrt(max(float(weights @ self.covariance @ weights - 2.0 * weights @ covariance) + variance, 0.0))

    def shortfall(self, weights: Floats) -> float:
        """Expected shortfall over the scenarios, a positive loss; zero without scenarios. [fraction]"""
        if self.scenarios is None:
            return 0.0
        losses = np.sort(-(self.scenarios @ weights))[::-1]
        size = (1.0 - self.cvar_level) * len(losses)
        whole = min(int(size), len(losses) - 1)
        return float((losses[:whole].sum() + (size - whole) * losses[whole]) / size)

    def utility(self, weights: Floats) -> float:
        """Net excess return less half the risk aversion times the variance. [fraction per year]"""
        return self.net_excess(weights) - self.risk_aversion / 2.0 * self.volatility(weights) ** 2

    def net_excess(self, weights: Floats) -> float:
        """Expected return beyond cash, after amortised costs. [fraction per year]"""
        return float(self.excess @ weights) - self.trading_cost(weights)

    def net_sharpe(self, weights: Floats) -> float:
        """Net excess return over volatility: what max Sharpe maximises. [ratio]"""
        return self.net_excess(weights) / self.volatility(weights)


@dataclass(frozen=True)
class ShadowPrice:
    """What a little more of an active limit is worth.

    Attributes
    ----------
    limit : str
        Name of the limit, as in `GroupLimit.name`, or ``var``, ``turnover``, ``cap AGG`` ...
    bound : float
        Where it is set. [unit of the limit]
    price : float
        Gain of the objective per unit of the bound. [objective per unit]
    words : str
        The same in a sentence.
    """

    limit: str
    bound: float
    price: float
    words: str


@dataclass(frozen=True)
class Attempt:
    """One step of the fall-back chain.

    Attributes
    ----------
    step : str
        ``optimal`` for the problem as posed, or a key of `fallback.FALLBACKS`.
    outcome : str
        ``accepted``, ``infeasible`` or ``failed``.
    reason : str
        Why it was not accepted, or which limits are active.
    """

    step: str
    outcome: str
    reason: str


@dataclass(frozen=True)
class Solution:
    """Weights, how they were found, and the proof.

    Attributes
    ----------
    weights : ndarray of shape (n_assets,)
        Fund weights; what they lack to one is cash. [fraction of net asset value]
    engine : str
        ``clarabel``, ``ccd``, ``tree``, ``riskfolio`` or ``none``.
    status : str
        ``optimal``, or the fall-back that was taken (a key of `fallback.FALLBACKS`).
    reason : str
        Which limits bind, or why the fall-back was taken.
    kkt_residual : float
        Largest violation of the optimality conditions, relative; NaN where nothing was optimised. [ratio]
    shadow_prices : tuple of ShadowPrice
        Of the active limits, dearest first.
    attempts : tuple of Attempt
        Every step that was tried, in order; the last one is the answer.
    """

    weights: Floats
    engine: str
    status: str
    reason: str
    kkt_residual: float = field(default=float("nan"))
    shadow_prices: tuple[ShadowPrice, ...] = ()
    attempts: tuple[Attempt, ...] = ()
