"""Kernel: many regressions on trailing windows with Newey-West errors, equal to `regression.ols` one by one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from etf_pipeline.panel import Floats
from etf_pipeline.regression import newey_west_lags

COLLINEAR = 1e-10
"""A regressor whose own share of its squares is smaller is a combination of those before it."""

_lags = njit(cache=True)(newey_west_lags)


@njit(cache=True, error_model="numpy")
def trailing_fits(
    y: Floats, x: Floats, traded: npt.NDArray[np.bool_], ends: npt.NDArray[np.intp], window: int, min_sessions: int
) -> Floats:
    """Regress each fund on shared regressors over the sessions up to each end.

    Parameters
    ----------
    y : ndarray of shape (n_funds, n_sessions)
        Targets; a session with an unknown target or regressor is left out.
    x : ndarray of shape (n_sessions, k)
        Regressors, a column of ones among them where an intercept is wanted.
    traded : ndarray of bool, shape (n_funds, n_sessions)
        A fund is fitted at an end only where it traded.
    ends : ndarray of int, shape (n_ends,)
        Newest session of each window.
    window, min_sessions : int
        Sessions looked back on, and known ones without which nothing is fitted. [sessions]

    Returns
    -------
    ndarray of shape (n_funds, n_ends, k * k + k + 2)
        Coefficients, their covariance row by row (times ``n / (n - k)``), centred R squared and n; NaN but for n where
        nothing was fitted.
    """
    k = x.shape[1]
    out = np.full((y.shape[0], ends.size, k * k + k + 2), np.nan)
    target, regressors = np.empty(window), np.empty((window, k))
    usable = np.ones(x.shape[0], dtype=np.bool_)
    for t in range(x.shape[0]):
        for j in range(k):
            usable[t] = usable[t] and abs(x[t, j]) < np.inf
    for f in range(y.shape[0]):
        for e in range(ends.size):
            n, end = 0, ends[e]
            if not traded[f, end]:
                continue
            for t in range(max(0, end - window + 1), end + 1):
                if usable[t] and abs(y[f, t]) < np.inf:
                    target[n] = y[f, t]
                    regressors[n] = x[t]
                    n += 1
            out[f, e, -1] = n
            if n >= max(min_sessions, k + 1):
                _fit(target[:n], regressors[:n], out[f, e])
    return out


@njit(cache=True, error_model="numpy")
def _fit(y: Floats, x: Floats, out: Floats) -> None:
    """Least squares by Cholesky on scaled regressors; see `trailing_fits` for the layout of `out`."""
    n, k = x.shape
    scale = np.empty(k)
    for j in range(k):
        scale[j] = np.sqrt(np.sum(x[:, j] ** 2))
    if not (scale > 0.0).all():
        return
    inverse = _inverse_gram(x / scale)
    if not inverse[0, 0] > 0.0:
        return
    inverse = inverse / np.outer(scale, scale)
    coefficients, residual = np.zeros(k), y.copy()
    for _ in range(2):  # once more on what is left: the normal equations square the condition
        step = _step(inverse, x, residual)
        coefficients += step
        for j in range(k):
            residual -= step[j] * x[:, j]
    total = np.sum((y - np.mean(y)) ** 2)
    middle = _long_run(x * residual.reshape(-1, 1), _lags(n))
    covariance = _product(_product(inverse, middle), inverse) * (n / (n - k))
    out[:k] = coefficients
    out[k : k + k * k] = covariance.ravel()
    out[-2] = 1.0 - np.sum(residual**2) / total if total > 0.0 else np.nan


@njit(cache=True, error_model="numpy")
def _inverse_gram(x: Floats) -> Floats:
    """Inverse of X'X of columns of length one; NaN where one is a combination of others."""
    k = x.shape[1]
    low = np.zeros((k, k))
    for i in range(k):
        for j in range(i + 1):
            value = np.sum(x[:, i] * x[:, j]) - np.sum(low[i, :j] * low[j, :j])
            if i == j:
                if not value > COLLINEAR:
                    return np.full((k, k), np.nan)
                low[i, i] = np.sqrt(value)
            else:
                low[i, j] = value / low[j, j]
    root = np.zeros((k, k))  # inverse of the factor
    for i in range(k):
        root[i, i] = 1.0 / low[i, i]
        for j in range(i):
            root[i, j] = -np.sum(low[i, j:i] * root[j:i, j]) / low[i, i]
    return _product(root.T.copy(), root)


@njit(cache=True, error_model="numpy")
def _step(inverse: Floats, x: Floats, residual: Floats) -> Floats:
    k = x.shape[1]
    moments, step = np.empty(k), np.zeros(k)
    for j in range(k):
        moments[j] = np.sum(x[:, j] * residual)
    for i in range(k):
        for j in range(k):
            step[i] += inverse[i, j] * moments[j]
    return step


@njit(cache=True, error_model="numpy")
def _product(a: Floats, b: Floats) -> Floats:
    """Product of small matrices, summed in a fixed order."""
    out = np.zeros((a.shape[0], b.shape[1]))
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            for m in range(a.shape[1]):
                out[i, j] += a[i, m] * b[m, j]
    return out


@njit(cache=True, error_model="numpy")
def _long_run(scores: Floats, lags: int) -> Floats:
    """Sum of the scores' autocovariances under the Bartlett kernel."""
    n, k = scores.shape
    total = np.zeros((k, k))
    for lag in range(min(lags, n - 1) + 1):
        weight = (1.0 - lag / (lags + 1.0)) * (0.5 if lag == 0 else 1.0)
        for i in range(k):
            for j in range(k):
                cross = 0.0
                for t in range(lag, n):
                    cross += scores[t, i] * scores[t - lag, j]
                total[i, j] += weight * cross
                total[j, i] += weight * cross
    return total
