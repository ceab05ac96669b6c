"""Is a Sharpe ratio luck? Its probability given the sample, deflated by how many were tried.

All ratios here are per session, never annual; kurtosis is not in excess (3 for a normal law).

References
----------
.. [1] D. Bailey, M. Lopez de Prado, "The Sharpe ratio efficient frontier," J. Risk 15 (2), 2012. doi:10.21314/JOR.2012.255
.. [2] D. Bailey, M. Lopez de Prado, "The deflated Sharpe ratio: correcting for selection bias, backtest overfitting and
   non-normality," J. Portfolio Management 40 (5), 2014. doi:10.3905/jpm.2014.40.5.094
.. [3] N. Galwey, "A new measure of the effective number of tests, a practical tool for comparing families of non-independent
   significance tests," Genetic Epidemiology 33 (7), 2009. doi:10.1002/gepi.20408
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats

EULER_GAMMA = 0.5772156649015329
_NORMAL = NormalDist()


@dataclass(frozen=True)
class SharpeMoments:
    """What the inference needs to know of a return series.

    Attributes
    ----------
    sharpe : float
        Mean over standard deviation (ddof 1), per session.
    n_obs : int
        Known returns.
    skewness, kurtosis : float
        Standardised third and fourth moments; the kurtosis is 3 for a normal law.
    """

    sharpe: float
    n_obs: int
    skewness: float
    kurtosis: float


def sharpe_moments(excess_returns: Floats) -> SharpeMoments:
    """Sharpe ratio, skewness and kurtosis of returns over the bill; unknown without dispersion.

    Parameters
    ----------
    excess_returns : ndarray of shape (n_sessions,)
        NaN is left out. [fraction]

    Examples
    --------
    >>> moments = sharpe_moments(np.array([0.01, -0.02, 0.03, 0.02]))
    >>> round(moments.sharpe, 4), round(moments.kurtosis, 4)
    (0.4629, 2.0)
    """
    x = np.asarray(excess_returns, dtype=np.float64)
    x = x[~np.isnan(x)]
    if len(x) < 2:
        raise DataError(f"sharpe_moments needs at least two known returns; found {len(x)}. Take a longer window.")
    centred = x - x.mean()
    variance = float(np.mean(centred**2))
    if not variance > 0:
        return SharpeMoments(math.nan, len(x), math.nan, math.nan)
    return SharpeMoments(
        float(x.mean() / x.std(ddof=1)),
        len(x),
        float(np.mean(centred**3)) / variance**1.5,
        float(np.mean(centred**4)) / variance**2,
    )


def probabilistic_sharpe(
    sharpe: float, n_obs: float, skewness: float = 0.0, kurtosis: float = 3.0, *, benchmark: float = 0.0
) -> float:
    """Probability that the true Sharpe ratio is above `benchmark`.

    Parameters
    ----------
    sharpe, benchmark : float
        Per session.
    n_obs : float
        Sessions; give the effective number where returns are serially correlated, since the formula takes them for independent.
    skewness, kurtosis : float
        Of the returns, kurtosis not in excess.

    Notes
    -----
    ``Phi((SR - SR*) sqrt(n - 1) / sqrt(1 - skew SR + (kurtosis - 1) / 4 SR^2))`` [1]_.

    Examples
    --------
    >>> round(probabilistic_sharpe(0.1, 253), 4)
    0.9433
    """
    spread = 1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe**2
    if not (spread > 0 and n_obs > 1):
        return math.nan
    return _NORMAL.cdf((sharpe - benchmark) * math.sqrt(n_obs - 1) / math.sqrt(spread))


def expected_maximum_sharpe(n_trials: float, variance: float) -> float:
    """Sharpe ratio that the best of `n_trials` without any skill is expected to show.

    Parameters
    ----------
    n_trials : float
        Independent trials; one trial selects nothing and gives zero.
    variance : float
        Of the Sharpe ratios across trials, in the unit of the answer squared.

    Notes
    -----
    ``sqrt(V) ((1 - g) z(1 - 1/N) + g z(1 - 1/(N e)))`` with g Euler's constant [2]_: within 3 % of the true mean of a normal
    maximum from N = 5 on, 8 % low at N = 2.

    Examples
    --------
    >>> round(expected_maximum_sharpe(100, 0.5 / 250), 5)
    0.11317
    """
    if math.isnan(n_trials) or not variance >= 0:
        return math.nan
    if n_trials <= 1:
        return 0.0
    first, second = _NORMAL.inv_cdf(1 - 1 / n_trials), _NORMAL.inv_cdf(1 - 1 / (n_trials * math.e))
    return max(0.0, math.sqrt(variance) * ((1 - EULER_GAMMA) * first + EULER_GAMMA * second))


def deflated_sharpe(sharpe: float, n_obs: float, skewness: float, kurtosis: float, *, n_trials: float, variance: float) -> float:
    """Probability that the true Sharpe ratio is above what luck gives the best of all that was tried [2]_.

    Parameters
    ----------
    sharpe, n_obs, skewness, kurtosis : float
        Of the selected record, per session (see `probabilistic_sharpe`).
    n_trials, variance : float
        Of all trials (see `expected_maximum_sharpe`); the trial ledger counts them.

    Examples
    --------
    The published case: an annual 2.5 over 1250 sessions of a 250-session year, the best of 100.

    >>> round(deflated_sharpe(2.5 / 250**0.5, 1250, -3, 10, n_trials=100, variance=0.5 / 250), 5)
    0.9004
    """
    return probabilistic_sharpe(sharpe, n_obs, skewness, kurtosis, benchmark=expected_maximum_sharpe(n_trials, variance))


def minimum_track_record(
    sharpe: float, skewness: float = 0.0, kurtosis: float = 3.0, *, benchmark: float = 0.0, confidence: float = 0.95
) -> float:
    """Sessions after which such a record would be above `benchmark` with the given confidence; infinite if it is not above.

    Notes
    -----
    `probabilistic_sharpe` solved for n: ``1 + (1 - skew SR + (kurtosis - 1) / 4 SR^2) (z / (SR - SR*))^2`` [1]_. [sessions]

    Examples
    --------
    >>> round(minimum_track_record(0.1))
    273
    """
    if math.isnan(sharpe) or math.isnan(benchmark):
        return math.nan
    if sharpe <= benchmark:
        return math.inf
    spread = 1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe**2
    return 1 + spread * (_NORMAL.inv_cdf(confidence) / (sharpe - benchmark)) ** 2


def effective_trials(returns: Floats) -> float:
    """Independent trials that correlated ones are worth, for use beside the variance *across* trials.

    Parameters
    ----------
    returns : ndarray of shape (n_sessions, n_trials)
        On common sessions, no gaps; trials without dispersion do not count.

    Returns
    -------
    float
        Between 1 and the number of trials.

    Notes
    -----
    ``1 + (sum sqrt(l))^2 / sum l`` over the eigenvalues of the covariance of standardised returns once the trials' mean is taken
    out [3]_. The mean comes out because the variance across trials has lost it too: for equal correlations the maximum of N is
    ``sqrt(V)`` times that of N *independent* normals, N counted in full, while copies of one trial count once. The usual
    ``(sum l)^2 / sum l^2`` forgets that near copies still add to a maximum: in ten families of ten with correlation .97 it gives
    ten trials and a threshold 13 % too low, this one 22 and 8 % too high.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((2000, 4))
    >>> round(effective_trials(np.hstack([x, x, x])), 1)
    4.0
    """
    x = np.asarray(returns, dtype=np.float64)
    if x.ndim != 2 or len(x) < 3 or not np.isfinite(x).all():
        raise DataError(
            f"effective_trials needs known returns of shape (n_sessions, n_trials) over at least 3 sessions; found "
            f"{x.shape} with {int((~np.isfinite(x)).sum())} unknown. Cut the trials to common sessions."
        )
    deviation = x.std(axis=0)
    x = (x[:, deviation > 0] - x[:, deviation > 0].mean(axis=0)) / deviation[deviation > 0]
    if x.shape[1] < 2:
        return 1.0
    x = x - x.mean(axis=1, keepdims=True)
    # singular values are the roots of the eigenvalues; those of copies are rounding, not zero
    roots = np.linalg.svd(x, compute_uv=False)
    roots = roots[roots > 1e-8 * np.sqrt(x.size)]
    return min(1.0 + float(roots.sum()) ** 2 / float(roots @ roots), float(x.shape[1])) if len(roots) else 1.0
