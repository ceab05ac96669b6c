"""What a portfolio promises on the day it is chosen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from etf_pipeline.conventions import VAR_LEVEL, VAR_MULTIPLE
from etf_pipeline.panel import Floats
from etf_pipeline.portfolio.constraints import daily_var

CVAR_RATIO = float(np.exp(-0.5 * VAR_MULTIPLE**2) / np.sqrt(2.0 * np.pi) / (1.0 - VAR_LEVEL) / VAR_MULTIPLE)
"""Expected shortfall over value at risk of a zero-mean Gaussian at `VAR_LEVEL`: ``phi(z) / (1 - level) / z``."""


@dataclass(frozen=True)
class ExAnte:
    """Ex-ante figures, named and with units as in table `optimizer_solutions`."""

    expected_return: float
    volatility: float
    sharpe: float
    var_1d: float
    cvar_1d: float
    effective_names: float


def ex_ante(weights: Floats, expected_return: Floats, covariance: Floats, risk_free: float) -> ExAnte:
    """Annual return, volatility and Sharpe ratio, one-day VaR and expected shortfall, and effective names.

    Parameters
    ----------
    weights : ndarray of shape (n_assets,)
        Fund weights; the rest to one is cash at `risk_free`. [fraction]
    expected_return : ndarray of shape (n_assets,)
        [fraction per year]
    covariance : ndarray of shape (n_assets, n_assets)
        [fraction squared per year]
    risk_free : float
        [fraction per year]

    Returns
    -------
    ExAnte
        Sharpe ratio and effective names are unknown for a portfolio of cash.

    Examples
    --------
    >>> figures = ex_ante(np.array([0.5, 0.5]), np.array([0.06, 0.08]), np.diag([0.04, 0.04]), 0.02)
    >>> round(figures.volatility, 6), round(figures.sharpe, 6), round(figures.effective_names, 6)
    (0.141421, 0.353553, 2.0)
    """
    invested = float(weights.sum())
    mean = float(weights @ expected_return + (1.0 - invested) * risk_free)
    volatility = math.sqrt(max(float(weights @ covariance @ weights), 0.0))
    value_at_risk = daily_var(volatility)
    return ExAnte(
        expected_return=mean,
        volatility=volatility,
        sharpe=(mean - risk_free) / volatility if volatility > 0 else np.nan,
        var_1d=value_at_risk,
        cvar_1d=CVAR_RATIO * value_at_risk,
        effective_names=invested**2 / float(weights @ weights) if invested > 0 else np.nan,
    )


def risk_contributions(weights: Floats, covariance: Floats) -> Floats:
    """Each fund's share of the variance, ``w_i (S w)_i / w' S w``; they sum to one. Unknown for a portfolio of cash."""
    parts = weights * (covariance @ weights)
    total = parts.sum()
    return parts / total if total > 0 else np.full(len(weights), np.nan)
