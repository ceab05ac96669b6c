"""Least squares with errors that survive dependence: the one regression of betas, exposures, sensitivities and tests.

.. [1] W. Newey, K. West, "A simple, positive semi-definite, heteroskedasticity and autocorrelation consistent covariance
   matrix," Econometrica 55 (3), 1987. doi:10.2307/1913610
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import numpy as np

from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats


@dataclass(frozen=True)
class Fit:
    """A least-squares fit.

    Attributes
    ----------
    coefficients : ndarray of shape (n_regressors,)
    covariance : ndarray of shape (n_regressors, n_regressors)
        Of the coefficients, by Newey and West.
    residuals : ndarray of shape (n,)
    r_squared : float
        Centred. NaN where the target never moves.
    n, lags : int
        Observations, and autocovariances in the kernel.
    """

    coefficients: Floats
    covariance: Floats
    residuals: Floats
    r_squared: float
    n: int
    lags: int

    @property
    def errors(self) -> Floats:
        """Standard errors of the coefficients."""
        return cast(Floats, np.sqrt(np.diag(self.covariance)))

    @property
    def t(self) -> Floats:
        """Coefficients over their standard errors."""
        return self.coefficients / self.errors


def newey_west_lags(n: int) -> int:
    """The usual bandwidth, ``floor(4 (n / 100)^(2/9))`` [1]_.

    Examples
    --------
    >>> newey_west_lags(100), newey_west_lags(1000)
    (4, 6)
    """
    return int(4.0 * math.pow(n / 100.0, 2.0 / 9.0))


def ols(y: Floats, x: Floats, *, lags: int | None = None, correct: bool = False) -> Fit:
    """Least squares of one target with heteroskedasticity- and autocorrelation-consistent errors.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Known values, in order of time.
    x : ndarray of shape (n, n_regressors)
        Known regressors; give a column of ones for an intercept.
    lags : int, optional
        Autocovariances in the Bartlett kernel, 0 for White's errors; `newey_west_lags` where omitted.
    correct : bool, default False
        Whether the covariance is scaled by ``n / (n - n_regressors)``.

    Returns
    -------
    Fit

    Raises
    ------
    DataError
        If an input is unknown, there are too few observations, or the regressors are collinear.

    Notes
    -----
    Equals statsmodels' ``OLS(y, x).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": correct})``.

    Examples
    --------
    >>> x = np.column_stack([np.ones(5), np.arange(5.0)])
    >>> ols(np.array([1.0, 3.0, 5.0, 7.0, 9.0]), x, lags=0).coefficients.round(12).tolist()
    [1.0, 2.0]
    """
    n, k = x.shape
    if len(y) != n or n <= k or not (np.isfinite(y).all() and np.isfinite(x).all()):
        raise DataError(
            f"ols needs more than {k} known observations; found {len(y)} and {n} rows, some perhaps unknown. Drop them."
        )
    lags = newey_west_lags(n) if lags is None else lags
    q, r = np.linalg.qr(x)
    if (np.abs(np.diag(r)) <= 1e-12 * np.linalg.norm(r, axis=0)).any():  # beside its length: units do not matter
        raise DataError(f"ols needs independent regressors; of {k} some are combinations of others. Drop one.")
    coefficients = np.linalg.solve(r, q.T @ y)
    residuals = y - x @ coefficients
    inverse = np.linalg.solve(r, q.T)  # (X'X)^-1 X'
    covariance = long_run(inverse.T * residuals[:, None], lags) * (n / (n - k) if correct else 1.0)
    total = float(np.sum((y - y.mean()) ** 2))
    r_squared = 1.0 - float(residuals @ residuals) / total if total > 0.0 else np.nan
    return Fit(coefficients, covariance, residuals, r_squared, n, lags)


def long_run(scores: Floats, lags: int) -> Floats:
    """Sum of the scores' autocovariances under the Bartlett kernel [1]_.

    Parameters
    ----------
    scores : ndarray of shape (n, k)
        In order of time, adding up to zero.
    lags : int
        Autocovariances in the kernel.

    Returns
    -------
    ndarray of shape (k, k)
        The variance of the scores' sum. Positive semi-definite.

    Examples
    --------
    >>> long_run(np.array([[1.0], [-1.0], [1.0], [-1.0]]), 1).tolist()
    [[1.0]]
    """
    total = scores.T @ scores
    for lag in range(1, min(lags, len(scores) - 1) + 1):
        cross = scores[lag:].T @ scores[:-lag]
        total = total + (1.0 - lag / (lags + 1.0)) * (cross + cross.T)
    return total
