"""What an estimator is given, and what it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from etf_pipeline.panel import Floats
from etf_pipeline.risk.covariance.parameters import CovarianceParameters


@dataclass(frozen=True)
class Sample:
    """What was known at one session's close about funds with a complete window.

    Attributes
    ----------
    returns : ndarray of shape (n_sessions, n_assets)
        Complete. [fraction per session]
    volatilities : ndarray of shape (n_sessions, n_assets), optional
        Forecasts made at each close, NaN where unknown. [fraction per year]
    factors : ndarray of shape (n_sessions, n_factors), optional
        Priced factor returns, NaN where not released by the sample's last close. [fraction per session]
    bill : ndarray of shape (n_sessions,), optional
        The bill's return, released as the factors are. [fraction per session]
    """

    returns: Floats
    volatilities: Floats | None = None
    factors: Floats | None = None
    bill: Floats | None = None


@dataclass(frozen=True)
class Estimate:
    """A covariance and how it came about.

    Attributes
    ----------
    covariance : ndarray of shape (n_assets, n_assets)
        [fraction squared per session]
    shrinkage : float
        Intensity, NaN where the estimator does not shrink. [fraction]
    repaired : bool
        Whether it had to be made positive definite.
    n_sessions : int
        Sessions that went into it.
    """

    covariance: Floats
    shrinkage: float
    n_sessions: int
    repaired: bool = False


Estimator = Callable[[Sample, CovarianceParameters], Estimate]


def scales(returns: Floats) -> Floats:
    """Volatility of each fund with ddof 0; one where it never moved. [fraction per session]"""
    scale = np.asarray(returns.std(axis=0), dtype=np.float64)
    scale[scale == 0] = 1.0
    return scale
