"""What a mean of dependent observations is worth: HAC errors with fixed-b critical values, and the tests made of them.

The usual normal critical value treats the long-run variance as known; with overlapping labels its estimate is noisy and biased
down. Fixed-b asymptotics keep the bandwidth's share of the sample, b, in the distribution of the t statistic [1]_.

References
----------
.. [1] N. Kiefer, T. Vogelsang, "A new asymptotic theory for heteroskedasticity-autocorrelation robust tests,"
   Econometric Theory 21 (6), 2005. doi:10.1017/S0266466605050565
.. [2] W. Newey, K. West, "A simple, positive semi-definite, heteroskedasticity and autocorrelation consistent covariance
   matrix," Econometrica 55 (3), 1987. doi:10.2307/1913610
.. [3] E. Lazarus, D. Lewis, J. Stock, M. Watson, "HAR inference: recommendations for practice," J. Business & Economic
   Statistics 36 (4), 2018. doi:10.1080/07350015.2018.1506926
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.errors import DataError

Floats = npt.NDArray[np.float64]

FIXED_B_BARTLETT = {
    0.900: (1.2816, 1.3040, 0.5135, -0.3386),
    0.950: (1.6449, 2.1859, 0.3142, -0.3427),
    0.975: (1.9600, 2.9694, 0.4160, -0.5324),
    0.990: (2.3263, 4.1618, 0.5368, -0.9060),
}
"""Quantile of the t statistic as a cubic in b, for the Bartlett kernel ([1]_, table 1)."""


@dataclass(frozen=True)
class MeanTest:
    """A mean with its HAC error.

    Attributes
    ----------
    mean, standard_error, ci_low, ci_high : float
        In the unit of the observations; the interval is two-sided at 95 %.
    t : float
        Mean over standard error.
    b : float
        Bandwidth over sample length.
    n_effective : float
        Independent observations that the sample is worth.
    p_positive : float
        One-sided p value against "the mean is not above zero".
    """

    mean: float
    standard_error: float
    ci_low: float
    ci_high: float
    t: float
    b: float
    n_effective: float
    p_positive: float


def bandwidth(n: int, horizon: int) -> int:
    """Bartlett bandwidth for `n` observations whose labels overlap over `horizon`.

    ``max(3 * horizon, 1.3 * sqrt(n))``, at most half the sample: the second is the rule of [3]_, the first keeps the kernel's
    downward bias on an overlap of h, about h / (3 * bandwidth), near a tenth. The lag, bandwidth - 1, is at least horizon - 1.

    Examples
    --------
    >>> bandwidth(4000, 21), bandwidth(500, 21), bandwidth(60, 21)
    (83, 63, 30)
    """
    return max(1, min(max(3 * horizon, math.ceil(1.3 * math.sqrt(n))), max(n // 2, min(horizon, n))))


def bartlett_variance(x: Floats, width: int) -> float:
    """Long-run variance of a series taken around zero: ``sum_j (1 - |j| / width) * gamma_j``.

    Parameters
    ----------
    x : ndarray of shape (n,)
        Centred observations; NaN is refused, since a gap would shift every lag behind it.
    width : int
        Bandwidth; the lag is ``width - 1``.

    Notes
    -----
    The Bartlett kernel is the triangle that a box of `width` makes with itself, so the estimate equals the mean square of
    moving sums of the zero-padded series, ``sum_k S_k**2 / (width * n)``: one pass, never negative.

    Examples
    --------
    >>> float(bartlett_variance(np.array([1.0, -1.0, 1.0, -1.0]), 1))
    1.0
    """
    if np.isnan(x).any():
        raise DataError(f"bartlett_variance needs a series without gaps; {int(np.isnan(x).sum())} of {len(x)} are NaN.")
    padded = np.concatenate([np.zeros(width), x, np.zeros(width - 1)])
    sums = np.cumsum(padded)
    moving = sums[width:] - sums[:-width]
    return float(moving @ moving) / (width * len(x))


def fixed_b_critical_value(b: float, level: float = 0.975) -> float:
    """Quantile of the HAC t statistic when the bandwidth is a share `b` of the sample.

    Examples
    --------
    >>> round(fixed_b_critical_value(0.0), 2), round(fixed_b_critical_value(0.1), 3)
    (1.96, 2.261)
    """
    if level not in FIXED_B_BARTLETT or not 0 <= b <= 1:
        raise DataError(f"fixed_b_critical_value knows levels {sorted(FIXED_B_BARTLETT)} and b in [0, 1]; found {level}, {b}.")
    return float(np.polynomial.polynomial.polyval(b, FIXED_B_BARTLETT[level]))


def fixed_b_p_value(t: float, b: float) -> float:
    """One-sided p value of a HAC t statistic.

    Notes
    -----
    The distribution is symmetric with tabulated quantiles. Between them, and beyond the last, normal quantiles are
    interpolated linearly in t, so that p is exact at 10, 5, 2.5 and 1 % and continuous elsewhere.

    Examples
    --------
    >>> round(fixed_b_p_value(fixed_b_critical_value(0.2, 0.95), 0.2), 4)
    0.05
    """
    if math.isnan(t):
        return math.nan
    levels = sorted(FIXED_B_BARTLETT)
    knots = [0.0, *(fixed_b_critical_value(b, level) for level in levels)]
    normal = [0.0, *(FIXED_B_BARTLETT[level][0] for level in levels)]
    size = abs(t)
    beyond = normal[-1] + (size - knots[-1]) * (normal[-1] - normal[-2]) / (knots[-1] - knots[-2])
    z = beyond if size > knots[-1] else float(np.interp(size, knots, normal))
    upper = 0.5 * math.erfc(z / math.sqrt(2))
    return upper if t >= 0 else 1 - upper


def mean_test(x: Floats, horizon: int) -> MeanTest:
    """Mean of one observation per session, whose labels overlap over `horizon` sessions.

    Parameters
    ----------
    x : ndarray of shape (n_sessions,)
        Contiguous sessions.
    """
    return clustered_mean(np.asarray(x, dtype=np.float64), np.ones(len(x)), horizon)


def clustered_mean(totals: Floats, counts: Floats, horizon: int) -> MeanTest:
    """Mean over all rows, where each session contributes a total over its funds.

    Parameters
    ----------
    totals, counts : ndarray of shape (n_sessions,)
        Sum of the observations of each session and their number; a session without any holds zeros. Empty sessions at
        either end are left out: a fund's history before its inception is no evidence.
    horizon : int
        Sessions over which labels overlap.

    Notes
    -----
    Funds of one session move together, so a session is one cluster. The mean is the ratio ``sum(totals) / sum(counts)``, and
    its influence per session is ``(totals - mean * counts) / mean(counts)``; their Bartlett variance over n is the squared error.
    """
    active = np.flatnonzero(counts > 0)
    if not len(active):
        raise DataError("a mean needs at least one observation; found none. Wait until the first label has ended.")
    span = slice(active[0], active[-1] + 1)
    totals, counts = totals[span], counts[span]
    n, share = len(totals), len(active) / len(totals)
    mean = float(totals.sum() / counts.sum())
    influence = (totals - mean * counts) / counts.mean()
    width = bandwidth(n, horizon)
    b = width / n
    # the influence of an active session is inflated by 1 / share, since empty ones pull down the mean count
    long_run, short_run = bartlett_variance(influence, width), float(influence @ influence) / len(active) * share**2
    if n < 2 or long_run <= 1e-300:
        return MeanTest(mean, math.nan, math.nan, math.nan, math.nan, b, math.nan, math.nan)
    error = math.sqrt(long_run / n)
    half = fixed_b_critical_value(b) * error
    effective = min(n * short_run / long_run, float(len(active)))
    return MeanTest(mean, error, mean - half, mean + half, mean / error, b, effective, fixed_b_p_value(mean / error, b))


def effective_sample_size(x: Floats, horizon: int) -> float:
    """Independent observations that a contiguous series is worth: its length over the HAC inflation of its variance."""
    return mean_test(x, horizon).n_effective


def diebold_mariano(loss_before: Floats, loss_after: Floats, horizon: int, *, counts: Floats | None = None) -> MeanTest:
    """Whether the second forecast loses less than the first, one-sided: `p_positive` is the p value.

    Parameters
    ----------
    loss_before, loss_after : ndarray of shape (n_sessions,)
        Loss per session; with `counts`, the session's total over its rows.
    horizon : int
        Sessions over which labels overlap.
    counts : ndarray of shape (n_sessions,), optional
        Rows per session.

    Notes
    -----
    The mean loss difference over its HAC error [1]_. The small-sample remedy of [2]_ (a factor and Student's t) assumes
    errors that are exactly MA(h-1); fixed-b critical values do the same work without that assumption.

    References
    ----------
    .. [1] F. Diebold, R. Mariano, "Comparing predictive accuracy," J. Business & Economic Statistics 13 (3), 1995.
       doi:10.1080/07350015.1995.10524599
    .. [2] D. Harvey, S. Leybourne, P. Newbold, "Testing the equality of prediction mean squared errors," Int. J. Forecasting
       13 (2), 1997. doi:10.1016/S0169-2070(96)00719-4
    """
    difference = np.asarray(loss_before, dtype=np.float64) - np.asarray(loss_after, dtype=np.float64)
    return clustered_mean(difference, np.ones(len(difference)) if counts is None else counts, horizon)


def information_coefficient(forecast: pd.Series[Any], outcome: pd.Series[Any], session: pd.Series[Any]) -> pd.Series[Any]:
    """Spearman correlation across funds, per session; unknown under three funds or where either side is constant.

    Parameters
    ----------
    forecast, outcome, session : Series of shape (n_rows,)
        On one index; rows with an unknown forecast or outcome are left out.

    Returns
    -------
    Series of shape (n_sessions,)
        By session. [correlation]
    """
    rows = pd.DataFrame({"f": forecast, "y": outcome, "session": session}).dropna()
    ranks = rows.groupby("session")[["f", "y"]].rank()
    ranks = ranks - ranks.groupby(rows["session"]).transform("mean")
    products = pd.DataFrame({"fy": ranks["f"] * ranks["y"], "ff": ranks["f"] ** 2, "yy": ranks["y"] ** 2, "n": 1.0})
    sums = products.groupby(rows["session"]).sum()
    scale = (sums["ff"] * sums["yy"]) ** 0.5
    return (sums["fy"] / scale.where(scale > 0)).where(sums["n"] >= 3)
