"""Kernels of the rolling beta: power sums of a window as a fixed tree of its own values.

A running sum that adds the newest value and subtracts the oldest keeps every rounding error, and one absurd value spoils all that
follow. Here a window of L is put together from two shorter ones that stand end to end, by the binary digits of L: the sum depends
on the window's values alone, what has left it leaves no trace, and a history that starts earlier or later gives the same bits.
With a decay the older half is weighted down as it is joined, which gives exponential weights by the same tree.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from etf_pipeline.panel import Floats

COLUMNS = ("beta", "beta_error", "beta_error_robust", "r_squared", "residual_variance", "n")
"""What `regress` gives, row by row."""

DROWNED = 1e-12
"""A centred sum below this share of the uncentred one is rounding, not movement."""


@njit(cache=True, error_model="numpy")
def window_sum(values: Floats, length: int, decay: float, out: Floats, spare: Floats) -> None:
    """Sum of ``decay**i * values[t - i]`` over ``i < length``, values before the first counting as zero, into `out`."""
    n, top = values.size, 1
    while 2 * top <= length:
        top *= 2
    now, then, swapped = out, spare, False
    now[:] = values
    last, bit = 1, top // 2
    while bit:
        _join(now, now[: max(n - last, 0)], decay**last, then)
        now, then, swapped = then, now, not swapped
        last *= 2
        if length & bit:
            _join(now, values[: max(n - last, 0)], decay**last, then)
            now, then, swapped = then, now, not swapped
            last += 1
        bit //= 2
    if swapped:
        out[:] = spare


@njit(cache=True, error_model="numpy")
def _join(newer: Floats, older: Floats, weight: float, out: Floats) -> None:
    """Each sum and, weighted, the one that ends where it begins; `older` is shorter by that distance."""
    last = newer.size - older.size
    out[:last] = newer[:last]
    tail, end = newer[last:], out[last:]
    for i in range(older.size):
        end[i] = tail[i] + weight * older[i]


@njit(cache=True, error_model="numpy")
def regress(excess: Floats, market: Floats, window: int, min_sessions: int) -> Floats:
    """Each fund on the market over the last `window` sessions, of shape (n_funds, 6, n_sessions); see `COLUMNS`.

    The slope is covariance over variance, both over the same sessions and with one ddof, which cancels. The error is that of
    least squares, the robust one White's times ``sqrt(n / (n - 2))``.
    """
    n_funds, n = excess.shape
    out = np.full((n_funds, 6, n), np.nan)
    powers, sums, spare = np.empty((12, n)), np.empty((12, n)), np.empty(n)
    for f in range(n_funds):
        _powers(excess[f], market, powers)
        for k in range(12):
            window_sum(powers[k], window, 1.0, sums[k], spare)
        for t in range(n):
            out[f, 5, t] = sums[0, t]
            if sums[0, t] >= min_sessions:
                _slope(sums[:, t], out[f, :, t])
    return out


@njit(cache=True, error_model="numpy")
def weighted_beta(excess: Floats, market: Floats, reach: int, decay: float, min_sessions: int) -> Floats:
    """Exponentially weighted covariance over variance, the last `reach` sessions, of shape (n_funds, n_sessions)."""
    n_funds, n = excess.shape
    out = np.full((n_funds, n), np.nan)
    powers, sums, spare = np.empty((12, n)), np.empty((5, n)), np.empty(n)
    count = np.empty(n)
    for f in range(n_funds):
        _powers(excess[f], market, powers)
        for k in range(5):
            window_sum(powers[k], reach, decay, sums[k], spare)
        window_sum(powers[0], reach, 1.0, count, spare)
        for t in range(n):
            if count[t] >= min_sessions:
                w, x, y, xx, xy = sums[0, t], sums[1, t], sums[2, t], sums[3, t], sums[4, t]
                spread = xx - x * x / w
                if spread > DROWNED * xx:
                    out[f, t] = (xy - x * y / w) / spread
    return out


@njit(cache=True, error_model="numpy")
def _powers(y: Floats, x: Floats, out: Floats) -> None:
    """Products of a pair up to the fourth order; an unknown pair counts as nothing."""
    for t in range(x.size):
        a, b = x[t], y[t]
        known = 1.0
        if not (abs(a) < np.inf and abs(b) < np.inf):
            a = b = known = 0.0
        out[0, t], out[1, t], out[2, t] = known, a, b
        out[3, t], out[4, t], out[5, t] = a * a, a * b, b * b
        out[6, t], out[7, t], out[8, t] = a * a * a, a * a * b, a * b * b
        out[9, t], out[10, t], out[11, t] = a * a * a * a, a * a * a * b, a * a * b * b


@njit(cache=True, error_model="numpy")
def _slope(s: Floats, out: Floats) -> None:
    """Slope, errors, R squared and residual variance from the power sums of one window."""
    n = s[0]
    x, y = s[1] / n, s[2] / n
    uu, uv, vv = s[3] - n * x * x, s[4] - n * x * y, s[5] - n * y * y
    if not uu > DROWNED * s[3]:
        return
    b = uv / uu
    left = vv - b * uv
    left = left if left > DROWNED * vv else 0.0
    out[0] = b
    out[1] = np.sqrt(left / (n - 2.0) / uu)
    out[2] = np.sqrt(n / (n - 2.0) * _meat(s, x, y, b)) / uu if left > 0.0 else 0.0
    out[3] = 1.0 - left / vv if vv > DROWNED * s[5] else np.nan
    out[4] = left / (n - 2.0)


@njit(cache=True, error_model="numpy")
def _meat(s: Floats, x: float, y: float, b: float) -> float:
    """Sum of squared scores ``(u e)^2`` with ``e = v - b u``, from raw moments, never negative."""
    n = s[0]
    uuvv = s[11] - 2 * y * s[7] + y * y * s[3] - 2 * x * s[8] + 4 * x * y * s[4]
    uuvv += x * x * s[5] - 3 * n * x * x * y * y
    uuuv = s[10] - 3 * x * s[7] + 3 * x * x * s[4] - y * s[6] + 3 * x * y * s[3] - 3 * n * x * x * x * y
    uuuu = s[9] - 4 * x * s[6] + 6 * x * x * s[3] - 3 * n * x * x * x * x
    meat: float = max(uuvv - 2 * b * uuuv + b * b * uuuu, 0.0)
    return meat
