"""Numba kernels: least squares of a fund on factors over one window, with Newey-West errors [1]_.

A window is rows ``[start, stop)`` of one fund. A row's return runs from the fund's close before to its own; the factors of
that stretch are those of the factor sessions in between, compounded: one session for nearly all rows, none where a foreign
exchange traded on a New York holiday, several where a fund rested.

References
----------
.. [1] W. Newey, K. West, "A simple, positive semi-definite, heteroskedasticity and autocorrelation consistent covariance
   matrix," Econometrica 55 (3), 1987. doi:10.2307/1913610
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from etf_pipeline.panel import Floats

Ints = npt.NDArray[np.int64]

SINGULAR = 1e-9
"""Share of a scaled regressor's square that the others leave; below it they explain it and nothing can be fitted."""


@njit(cache=True)
def gather(
    returns: Floats,
    places: Ints,
    start: int,
    stop: int,
    factors: Floats,
    available: Ints,
    now: int,
    x: Floats,
    y: Floats,
    at: Ints,
) -> int:
    """Known rows of a window: constant and factors in `x`, excess return in `y`, factor position in `at`; their number.

    Parameters
    ----------
    returns : ndarray of shape (n_rows,)
        Total returns. [fraction]
    places : ndarray of shape (n_rows,)
        Last factor session that had closed at each row's close, -1 before the first.
    start, stop : int
        Rows of the window; row ``start - 1`` is the same fund's.
    factors : ndarray of shape (n_factor_sessions, n_factors + 1)
        Factor returns, the risk-free rate last. [fraction]
    available : ndarray of shape (n_factor_sessions,)
        When each became known. [nanoseconds]
    now : int
        When the fit is made: later factors do not count. [nanoseconds]
    x, y, at : ndarray
        Buffers with at least ``stop - start`` rows.
    """
    n, k = 0, factors.shape[1] - 1
    for r in range(start, stop):
        before, place = places[r - 1], places[r]
        if before < 0 or not math.isfinite(returns[r]):
            continue
        known, rate = True, 1.0
        x[n, :] = 1.0
        for p in range(before + 1, place + 1):
            known = known and available[p] <= now
            rate *= 1.0 + factors[p, k]
            for j in range(k):
                x[n, 1 + j] *= 1.0 + factors[p, j]
        if place == before + 1:  # as it stands, without the rounding of 1 + f - 1
            rate = factors[place, k]
            for j in range(k):
                x[n, 1 + j] = factors[place, j]
        else:
            rate -= 1.0
            for j in range(k):
                x[n, 1 + j] -= 1.0
        y[n] = returns[r] - rate
        at[n] = place
        for j in range(k):
            known = known and math.isfinite(x[n, 1 + j])
        if known and math.isfinite(y[n]):
            n += 1
    return n


@njit(cache=True)
def bandwidth(n: int, lags: int) -> int:
    """`lags`, or the usual bandwidth where negative."""
    return lags if lags >= 0 else int(4.0 * math.pow(n / 100.0, 2.0 / 9.0))


@njit(cache=True)
def inverse(matrix: Floats) -> tuple[bool, Floats]:
    """Inverse of a positive definite matrix with unit diagonal, by Cholesky; False where a pivot vanishes."""
    k = len(matrix)
    lower, found = np.zeros((k, k)), np.zeros((k, k))
    for i in range(k):
        for j in range(i + 1):
            total = matrix[i, j]
            for m in range(j):
                total -= lower[i, m] * lower[j, m]
            if i == j:
                if not total > SINGULAR:
                    return False, found
                lower[i, i] = math.sqrt(total)
            else:
                lower[i, j] = total / lower[j, j]
    for column in range(k):
        for i in range(k):
            total = 1.0 if i == column else 0.0
            for m in range(i):
                total -= lower[i, m] * found[m, column]
            found[i, column] = total / lower[i, i]
        for i in range(k - 1, -1, -1):
            total = found[i, column]
            for m in range(i + 1, k):
                total -= lower[m, i] * found[m, column]
            found[i, column] = total / lower[i, i]
    return True, found


@njit(cache=True)
def least_squares(x: Floats, y: Floats, n: int) -> tuple[bool, Floats, Floats, Floats]:
    """Coefficients, residuals and ``(X'X)^-1`` of the first `n` rows; False where regressors are collinear.

    Notes
    -----
    Normal equations of columns scaled to unit length, and one step of refinement on the residuals.
    """
    k = x.shape[1]
    scale, gram, beta, residual = np.zeros(k), np.empty((k, k)), np.zeros(k), np.empty(n)
    for t in range(n):
        residual[t] = y[t]
        for i in range(k):
            scale[i] += x[t, i] * x[t, i]
    scale = np.sqrt(scale)
    if not scale.min() > 0.0:
        return False, beta, residual, gram
    gram[:] = 0.0
    for t in range(n):
        for i in range(k):
            for j in range(i + 1):
                gram[i, j] += x[t, i] * x[t, j]
    for i in range(k):
        for j in range(i + 1):
            gram[i, j] /= scale[i] * scale[j]
    good, bread = inverse(gram)
    for i in range(k):
        for j in range(k):
            bread[i, j] /= scale[i] * scale[j]
    for _ in range(2 if good else 0):
        moment = np.zeros(k)
        for t in range(n):
            for i in range(k):
                moment[i] += x[t, i] * residual[t]
        step = np.zeros(k)
        for i in range(k):
            for j in range(k):
                step[i] += bread[i, j] * moment[j]
        beta += step
        for t in range(n):
            for i in range(k):
                residual[t] -= x[t, i] * step[i]
    return good, beta, residual, bread


@njit(cache=True)
def long_run(scores: Floats, n: int, lags: int) -> Floats:
    """Sum of the autocovariances of the first `n` scores under the Bartlett kernel, shape (k, k).

    Notes
    -----
    Each score is multiplied once, by half of itself plus the weighted ones before it, and the sum made symmetric.
    """
    k = scores.shape[1]
    total, past = np.zeros((k, k)), np.empty(k)
    for t in range(n):
        for i in range(k):
            past[i] = 0.5 * scores[t, i]
        for lag in range(1, min(lags, t) + 1):
            weight = 1.0 - lag / (lags + 1.0)
            for i in range(k):
                past[i] += weight * scores[t - lag, i]
        for i in range(k):
            for j in range(k):
                total[i, j] += scores[t, i] * past[j]
    return total + total.T


@njit(cache=True)
def influences(x: Floats, residual: Floats, bread: Floats, n: int) -> Floats:
    """What each row adds to the estimate, ``(X'X)^-1 x_t e_t``, scaled for the coefficients fitted; shape (n, k)."""
    k = x.shape[1]
    out, scale = np.zeros((n, k)), math.sqrt(n / (n - k))
    for t in range(n):
        for i in range(k):
            total = 0.0
            for j in range(k):
                total += bread[i, j] * x[t, j]
            out[t, i] = scale * total * residual[t]
    return out


@njit(cache=True)
def first_at(places: Ints, low: int, high: int, place: int) -> int:
    """First row of ``[low, high)`` whose place is at least `place`; `high` where none is."""
    while low < high:
        middle = (low + high) // 2
        if places[middle] < place:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True)
def fit_windows(
    returns: Floats,
    places: Ints,
    funds: Ints,
    ends: Ints,
    pairs: Ints,
    factors: Floats,
    available: Ints,
    instants: Ints,
    window: int,
    minimum: int,
    lags: int,
) -> tuple[Ints, Floats, Floats, Floats]:
    """Fit every (fund, moment) pair.

    Parameters
    ----------
    funds : ndarray of shape (n_funds + 1,)
        First row of each fund, and the end.
    ends : ndarray of shape (n_moments,)
        Last factor session of each moment's window, -1 where there is none.
    pairs : ndarray of shape (n_pairs, 2)
        Fund and moment.
    instants : ndarray of shape (n_moments,)
        When each fit is made. [nanoseconds]
    window, minimum : int
        Factor sessions in the window, and known rows that a fit needs.
    lags : int
        See `bandwidth`.

    Returns
    -------
    counts : ndarray of shape (n_pairs,)
        Rows of each fit; 0 where nothing could be fitted.
    coefficients : ndarray of shape (n_pairs, n_factors + 1)
        Intercept first.
    covariances : ndarray of shape (n_pairs, n_factors + 1, n_factors + 1)
    quality : ndarray of shape (n_pairs, 2)
        Share explained, and residual variance with the degrees of freedom left.
    """
    m, k = len(pairs), factors.shape[1]
    counts, coefficients = np.zeros(m, np.int64), np.full((m, k), np.nan)
    covariances, quality = np.full((m, k, k), np.nan), np.full((m, 2), np.nan)
    longest = max((funds[1:] - funds[:-1]).max(), 1)
    x, y, at = np.empty((longest, k)), np.empty(longest), np.empty(longest, np.int64)
    for i in range(m):
        fund, moment = pairs[i]
        end = ends[moment]
        start = first_at(places, funds[fund] + 1, funds[fund + 1], end - window + 1)
        stop = first_at(places, start, funds[fund + 1], end + 1)
        if end < 0 or stop - start < minimum:
            continue
        n = gather(returns, places, start, stop, factors, available, instants[moment], x, y, at)
        if n < max(minimum, k + 1):
            continue
        good, beta, residual, bread = least_squares(x, y, n)
        if not good:
            continue
        counts[i], coefficients[i] = n, beta
        covariances[i] = long_run(influences(x, residual, bread, n), n, bandwidth(n, lags))
        mean, total, left = y[:n].mean(), 0.0, 0.0
        for t in range(n):
            total += (y[t] - mean) ** 2
            left += residual[t] ** 2
        quality[i, 0] = 1.0 - left / total if total > 0.0 else np.nan
        quality[i, 1] = left / (n - k)
    return counts, coefficients, covariances, quality


@njit(cache=True)
def add_up(
    returns: Floats,
    places: Ints,
    funds: Ints,
    members: Ints,
    weights: Floats,
    end: int,
    factors: Floats,
    available: Ints,
    now: int,
    window: int,
    minimum: int,
) -> tuple[npt.NDArray[np.bool_], Floats, Floats]:
    """Fit the funds of some portfolios at one moment and add them up.

    Parameters
    ----------
    members : ndarray of shape (n_members,)
        Funds.
    weights : ndarray of shape (n_portfolios, n_members)
        [fraction]

    Returns
    -------
    known : ndarray of shape (n_members,)
        Which funds could be fitted; the others add nothing.
    loadings : ndarray of shape (n_portfolios, n_factors + 1)
        Weighted sums of coefficients.
    influence : ndarray of shape (n_portfolios, window, n_factors + 1)
        Weighted sums of what each factor session adds to the estimates: errors that funds share do not cancel.
    """
    p, k = len(weights), factors.shape[1]
    known, loadings, influence = np.zeros(len(members), np.bool_), np.zeros((p, k)), np.zeros((p, window, k))
    longest = max((funds[1:] - funds[:-1]).max(), 1)
    x, y, at = np.empty((longest, k)), np.empty(longest), np.empty(longest, np.int64)
    for m in range(len(members)):
        fund = members[m]
        start = first_at(places, funds[fund] + 1, funds[fund + 1], end - window + 1)
        stop = first_at(places, start, funds[fund + 1], end + 1)
        n = gather(returns, places, start, stop, factors, available, now, x, y, at)
        if n < max(minimum, k + 1):
            continue
        good, beta, residual, bread = least_squares(x, y, n)
        if not good:
            continue
        known[m] = True
        rows = influences(x, residual, bread, n)
        for s in range(p):
            if weights[s, m] == 0.0:
                continue
            for j in range(k):
                loadings[s, j] += weights[s, m] * beta[j]
                for t in range(n):
                    influence[s, at[t] - (end - window + 1), j] += weights[s, m] * rows[t, j]
    return known, loadings, influence
