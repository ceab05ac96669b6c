"""What each measure is: one formula per function, along the last axis, so that a bootstrap runs the same code as the estimate.

`returns`, `risk_free` and `benchmark` are simple session returns of one shape ``(..., n_sessions)``; the answer has the
leading shape. A NaN anywhere in a series makes its measure NaN.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from etf_pipeline.conventions import SESSIONS_PER_YEAR, VAR_LEVEL, VAR_MULTIPLE
from etf_pipeline.panel import Floats

ROOT_YEAR = float(np.sqrt(SESSIONS_PER_YEAR))
TAIL = 1.0 - VAR_LEVEL
ROUNDING = 1e-12
"""Deviation over mean, in size, below which a series does not move: what sums of equal numbers leave is a thousand times less."""


def total_return(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """Compounded return of the whole sample. [fraction]"""
    return cast(Floats, np.prod(1.0 + returns, axis=-1) - 1.0)


def cagr(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """Compound annual growth: ``(1 + total)^(252 / n) - 1``; unknown after a loss of more than everything. [fraction per year]"""
    wealth = np.prod(1.0 + returns, axis=-1)
    return cast(Floats, np.where(wealth < 0.0, np.nan, np.abs(wealth)) ** (SESSIONS_PER_YEAR / returns.shape[-1]) - 1.0)


def volatility(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """Annual standard deviation: ``std * sqrt(252)``, ddof 1. [fraction per year]"""
    return _std(returns) * ROOT_YEAR


def sharpe(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """Mean over standard deviation of the returns in excess of the bill, times sqrt(252), ddof 1. [ratio]"""
    return _mean_over_deviation(returns - risk_free)


def sortino(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """Mean excess return over the root mean square of its negative part (over all sessions), times sqrt(252). [ratio]"""
    excess = returns - risk_free
    shortfall = np.minimum(excess, 0.0)
    return ratio(np.mean(excess, axis=-1), np.sqrt(np.mean(shortfall * shortfall, axis=-1))) * ROOT_YEAR


def downside_risk(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """Root mean square of the negative part of the excess return, over all sessions, times sqrt(252). [fraction per year]"""
    shortfall = np.minimum(returns - risk_free, 0.0)
    return cast(Floats, np.sqrt(np.mean(shortfall * shortfall, axis=-1)) * ROOT_YEAR)


def omega(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """Sum of the gains over the bill divided by the sum of the losses below it. [ratio]"""
    excess = returns - risk_free
    return ratio(np.sum(np.maximum(excess, 0.0), axis=-1), -np.sum(np.minimum(excess, 0.0), axis=-1))


def tail_ratio(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """Size of the 95 % quantile over that of the 5 % quantile: above 1 where gains reach further than losses. [ratio]"""
    return ratio(np.abs(_lowest(-returns)[0]), np.abs(_lowest(returns)[0]))


def stability(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """R-squared of log wealth on time: 1 for steady growth or steady loss. Unknown after a total loss. [fraction]"""
    n = returns.shape[-1]
    growth = np.where(returns > -1.0, 1.0 + returns, np.nan)
    wealth = np.cumsum(np.log(growth), axis=-1)
    time = np.arange(n) - 0.5 * (n - 1)
    away = wealth - np.mean(wealth, axis=-1, keepdims=True)
    product = away @ time
    return np.minimum(ratio(product * product, np.sum(away * away, axis=-1) * float(time @ time)), 1.0)


def ulcer_index(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """Root mean square of the drawdown over the sessions, ddof 1. [fraction]"""
    fall = _falls(returns)
    return cast(Floats, np.sqrt(np.sum(fall * fall, axis=-1) / (returns.shape[-1] - 1)))


def best_session(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """Largest session return. [fraction]"""
    return cast(Floats, np.max(returns, axis=-1))


def worst_session(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """Smallest session return. [fraction]"""
    return cast(Floats, np.min(returns, axis=-1))


def calmar(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """Compound annual growth over the largest drawdown. [ratio]"""
    return ratio(cagr(returns, risk_free, benchmark), max_drawdown(returns, risk_free, benchmark))


def max_drawdown(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """Largest fall from a previous high, the starting value included; positive. [fraction]"""
    return cast(Floats, np.max(_falls(returns), axis=-1))


def win_rate(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """Sessions that gained over sessions that moved. [fraction]"""
    share = ratio(np.sum(returns > 0, axis=-1), np.sum(returns != 0, axis=-1))
    return np.where(np.isnan(returns).any(axis=-1), np.nan, share)


def tracking_error(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """Annual standard deviation of the returns less the benchmark's, ddof 1. [fraction per year]"""
    return _std(returns - benchmark) * ROOT_YEAR


def information_ratio(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """Mean over standard deviation of the returns less the benchmark's, times sqrt(252), ddof 1. [ratio]"""
    return _mean_over_deviation(returns - benchmark)


def var_95(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """One-session historical value at risk: minus the 5 % quantile, linear between order statistics; positive. [fraction]"""
    return -_lowest(returns)[0]


def cvar_95(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """One-session historical expected shortfall: minus the mean of the returns up to the 5 % quantile; positive. [fraction]"""
    return -_lowest(returns)[1]


def var_95_gaussian(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """One-session value at risk of a normal law with the sample's mean and deviation, ddof 1; positive. [fraction]"""
    return cast(Floats, VAR_MULTIPLE * _std(returns) - np.mean(returns, axis=-1))


def cvar_95_gaussian(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """One-session expected shortfall of that normal law: ``sigma * phi(z) / 0.05 - mean``; positive. [fraction]"""
    density = np.exp(-0.5 * VAR_MULTIPLE**2) / np.sqrt(2.0 * np.pi)
    return cast(Floats, _std(returns) * (density / TAIL) - np.mean(returns, axis=-1))


def skewness(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """Third standardised moment, corrected for bias as in pandas. [ratio]"""
    n = returns.shape[-1]
    deviation = returns - np.mean(returns, axis=-1, keepdims=True)
    second, third = variance(returns), np.mean(deviation * deviation * deviation, axis=-1)
    return cast(Floats, ratio(third, second**1.5) * (np.sqrt(n * (n - 1.0)) / (n - 2.0)))


def kurtosis(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """Fourth standardised moment less 3, corrected for bias as in pandas: 0 for a normal law. [ratio]"""
    n = returns.shape[-1]
    deviation = returns - np.mean(returns, axis=-1, keepdims=True)
    second, fourth = variance(returns), np.mean((deviation * deviation) ** 2, axis=-1)
    excess = ratio(fourth, second * second) - 3.0
    return cast(Floats, ((n + 1.0) * excess + 6.0) * ((n - 1.0) / ((n - 2.0) * (n - 3.0))))


def ratio(numerator: Any, denominator: Any) -> Floats:
    """Quotient, unknown where the denominator is zero: a series that never moves has no Sharpe ratio."""
    bottom = np.asarray(denominator, dtype=np.float64)
    return np.asarray(numerator / np.where(bottom == 0.0, np.nan, bottom), dtype=np.float64)


def _falls(returns: Floats) -> Floats:
    """Fall from the highest wealth so far, the starting value included, per session; positive."""
    wealth = np.cumprod(1.0 + returns, axis=-1)
    high = np.maximum(np.maximum.accumulate(wealth, axis=-1), 1.0)
    return np.asarray(1.0 - wealth / high, dtype=np.float64)


def _mean_over_deviation(values: Floats) -> Floats:
    return ratio(np.mean(values, axis=-1), _std(values)) * ROOT_YEAR


def _std(values: Floats) -> Floats:
    return np.sqrt(variance(values, ddof=1))


def variance(values: Floats, ddof: int = 0) -> Floats:
    """Variance, exactly zero where all that moved is the last bits: a constant series has no Sharpe ratio and no beta to it."""
    mean, square = np.mean(values, axis=-1), np.var(values, axis=-1, ddof=ddof)
    return np.where(square <= (ROUNDING * mean) ** 2, 0.0, square)


def _lowest(returns: Floats) -> tuple[Floats, Floats]:
    """5 % quantile, and mean of the order statistics up to it (empyrical and quantstats agree on both)."""
    place = TAIL * (returns.shape[-1] - 1)
    k = int(place)
    tail = np.partition(returns, (k, k + 1), axis=-1)[..., : k + 2] if returns.shape[-1] > 1 else np.repeat(returns, 2, axis=-1)
    low, high = tail[..., k], tail[..., k + 1]
    unknown = np.where(np.isnan(returns).any(axis=-1), np.nan, 0.0)
    return low + (place - k) * (high - low) + unknown, np.mean(tail[..., : k + 1], axis=-1) + unknown
