"""Measures of a return series beside its benchmark's, of the same form as `definitions`."""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt

from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.measures.definitions import ratio, variance
from etf_pipeline.panel import Floats


def beta(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """Slope of the excess return on the benchmark's. [ratio]"""
    return _slope(returns - risk_free, benchmark - risk_free)


def alpha(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """Mean excess return that beta does not explain, times 252; not compounded, as an intercept is. [fraction per year]"""
    own, market = returns - risk_free, benchmark - risk_free
    left = np.mean(own, axis=-1) - _slope(own, market) * np.mean(market, axis=-1)
    return cast(Floats, SESSIONS_PER_YEAR * left)


def r_squared(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """Squared correlation with the benchmark. [fraction]"""
    product = np.mean(_centred(returns) * _centred(benchmark), axis=-1)
    return ratio(product * product, variance(returns) * variance(benchmark))


def up_capture(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """Annual growth over the benchmark's in the sessions in which the benchmark gained. [ratio]"""
    return _capture(returns, benchmark, benchmark > 0.0)


def down_capture(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """Annual growth over the benchmark's in the sessions in which the benchmark lost. [ratio]"""
    return _capture(returns, benchmark, benchmark < 0.0)


def batting_average(returns: Floats, risk_free: Floats, benchmark: Floats) -> Floats:
    """Share of the sessions that beat the benchmark. [fraction]"""
    active = returns - benchmark
    return np.where(np.isnan(active).any(axis=-1), np.nan, np.mean(active > 0.0, axis=-1))


def _centred(values: Floats) -> Floats:
    return cast(Floats, values - np.mean(values, axis=-1, keepdims=True))


def _slope(own: Floats, market: Floats) -> Floats:
    return ratio(np.mean(_centred(market) * own, axis=-1), variance(market))


def _capture(returns: Floats, benchmark: Floats, sessions: npt.NDArray[np.bool_]) -> Floats:
    count = np.sum(sessions, axis=-1)
    own, market = (_growth(np.where(sessions, x, 0.0), count) for x in (returns, benchmark))
    unknown = np.isnan(returns).any(axis=-1) | np.isnan(benchmark).any(axis=-1)
    return np.where(unknown, np.nan, ratio(own, market))


def _growth(returns: Floats, count: Floats) -> Floats:
    """Annual growth of `count` sessions, the others being zero; unknown where none is, everything was lost or it has no bound."""
    years = np.where(count > 0, count, np.nan) / SESSIONS_PER_YEAR
    with np.errstate(over="ignore"):
        wealth = np.prod(1.0 + returns, axis=-1)
        grown = np.where(wealth < 0.0, np.nan, np.abs(wealth)) ** (1.0 / years) - 1.0
    return np.where(np.isfinite(grown), grown, np.nan)
