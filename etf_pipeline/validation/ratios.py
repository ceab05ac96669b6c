"""What a mean over its deviation is worth under overlap: the information ratio of an IC, the Sharpe ratio of prediction returns.

The error of a ratio holds the error of its deviation too. Both come from one influence function per session, whose long-run
variance is estimated as that of a mean is (`significance`), so that overlap and fixed-b critical values carry over.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from etf_pipeline.errors import DataError
from etf_pipeline.measures import block_length, percentile_interval, stationary_indices
from etf_pipeline.panel import Floats
from etf_pipeline.validation.significance import MeanTest, clustered_mean, fixed_b_critical_value, fixed_b_p_value


@dataclass(frozen=True)
class BootstrapParameters:
    """How chance is drawn.

    Attributes
    ----------
    resamples : int
        Draws of the stationary bootstrap.
    seed : int
        Equal seeds give equal intervals.
    confidence : float
        Of intervals. [probability]
    """

    resamples: int = 2000
    seed: int = 20
    confidence: float = 0.95


@dataclass(frozen=True)
class RatioTest:
    """A mean over its standard deviation, with its HAC error.

    Attributes
    ----------
    ratio, standard_error, ci_low, ci_high : float
        Per square root of a session, or annual where an annualiser was given; the interval is two-sided at 95 %.
    t, p_positive : float
        Ratio over error, and the one-sided p value against "not above zero".
    b, n_effective : float
        Bandwidth over sample length; independent observations that the mean rests on.
    n : int
        Known observations.
    """

    ratio: float
    standard_error: float
    ci_low: float
    ci_high: float
    t: float
    p_positive: float
    b: float
    n_effective: float
    n: int


def ratio_test(x: Floats, horizon: int, *, annualiser: float = 1.0) -> RatioTest:
    """Mean over standard deviation (ddof 1) of one observation per session, with a delta-method HAC interval.

    Parameters
    ----------
    x : ndarray of shape (n_sessions,)
        NaN where a session has none; a series of ICs makes this the ICIR.
    horizon : int
        Sessions over which labels overlap.
    annualiser : float
        Factor on ratio and error: ``sqrt(252 / horizon)`` for returns over a horizon.

    Notes
    -----
    The influence of a session on m/s is ``(x - m) / s - m ((x - m)^2 - s^2) / (2 s^3)``; without serial correlation its variance
    is the ``1 - skew SR + (kurtosis - 1) SR^2 / 4`` of the Sharpe ratio's [1]_. The p value tests the mean, whose sign the ratio
    shares and whose null needs no deviation.

    References
    ----------
    .. [1] A. Lo, "The statistics of Sharpe ratios," Financial Analysts J. 58 (4), 2002. doi:10.2469/faj.v58.n4.2453
    """
    x = np.asarray(x, dtype=np.float64)
    known = ~np.isnan(x)
    n = int(known.sum())
    if n < 2:
        return RatioTest(*(math.nan,) * 8, n)
    mean = clustered_mean(np.where(known, x, 0.0), known.astype(np.float64), horizon)
    deviation = float(np.std(x[known], ddof=1))
    if not deviation > 0 or math.isnan(mean.t):
        return RatioTest(*(math.nan,) * 8, n)
    z = np.where(known, (x - mean.mean) / deviation, 0.0)
    influence = z - mean.mean / deviation * np.where(known, z * z - 1.0, 0.0) / 2.0
    error = annualiser * clustered_mean(influence, known.astype(np.float64), horizon).standard_error
    ratio = annualiser * mean.mean / deviation
    half = fixed_b_critical_value(mean.b) * error
    return RatioTest(
        ratio, error, ratio - half, ratio + half, ratio / error, fixed_b_p_value(mean.t, mean.b), mean.b, mean.n_effective, n
    )


def bootstrap_ratio(x: Floats, horizon: int, parameters: BootstrapParameters | None = None) -> tuple[float, float]:
    """Percentile interval of mean over deviation by the stationary bootstrap.

    Parameters
    ----------
    x : ndarray of shape (n_sessions,)
        Unknown sessions are left out. Blocks are as long as the data ask for, and at least `horizon`.
    """
    p = parameters or BootstrapParameters()
    x = np.asarray(x, dtype=np.float64)
    x = x[~np.isnan(x)]
    drawn = x[stationary_indices(len(x), max(block_length(x), float(horizon)), p.resamples, p.seed)]
    low, high = percentile_interval(drawn.mean(axis=1) / drawn.std(axis=1, ddof=1), p.confidence)
    return float(low), float(high)


@dataclass(frozen=True)
class ICSummary:
    """How well forecasts ranked the funds.

    Attributes
    ----------
    mean : MeanTest
        Mean rank correlation with its HAC error.
    icir : RatioTest
        Mean over deviation, per session.
    bootstrap : tuple of float
        Block-bootstrap interval of the ICIR.
    positive : float
        Share of sessions with a positive IC. [fraction]
    """

    mean: MeanTest
    icir: RatioTest
    bootstrap: tuple[float, float]
    positive: float


def ic_summary(ic: Floats, horizon: int, parameters: BootstrapParameters | None = None) -> ICSummary:
    """Mean IC, its information ratio and what both are worth.

    Parameters
    ----------
    ic : ndarray of shape (n_sessions,)
        Rank correlation per session, NaN where it is unknown (as `rank_correlations` gives). [correlation]
    horizon : int
        Sessions over which labels overlap.

    Raises
    ------
    DataError
        If under 10 sessions are known.
    """
    ic = np.asarray(ic, dtype=np.float64)
    known = ~np.isnan(ic)
    if known.sum() < 10:
        raise DataError(
            f"ic_summary needs at least 10 sessions with a known IC; found {int(known.sum())}. Forecast more sessions."
        )
    mean = clustered_mean(np.where(known, ic, 0.0), known.astype(np.float64), horizon)
    return ICSummary(mean, ratio_test(ic, horizon), bootstrap_ratio(ic, horizon, parameters), float(np.mean(ic[known] > 0)))
