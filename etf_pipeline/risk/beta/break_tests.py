"""Kernels: has a regression line moved within a window? Recursive residuals added up, and the largest of all break tests.

The two watch different things. The sum of recursive residuals (CUSUM) drifts when the level moves; a slope that shifts beside a
regressor with mean zero, as a market's daily return nearly is, leaves it at rest [1]_. The largest Wald statistic over all break
dates watches the slope itself.

.. [1] W. Ploberger, W. Kramer, "The local power of the CUSUM and CUSUM of squares tests," Econometric Theory 6 (3), 1990.
   doi:10.1017/S0266466600005302
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from etf_pipeline.panel import Floats

RESULTS = 7
"""Numbers per fund and end."""


@njit(cache=True, error_model="numpy")
def trailing_tests(
    y: Floats,
    x: Floats,
    traded: npt.NDArray[np.bool_],
    ends: npt.NDArray[np.intp],
    window: int,
    min_sessions: int,
    trim: float,
) -> Floats:
    """Both tests of each fund on the market over the sessions up to each end, of shape (n_funds, n_ends, 7).

    Along the last axis: n; CUSUM statistic and the session where it is largest; sup-F statistic, the first session after the
    break, slope before and after it. Sessions are places on the grid; NaN where nothing was tested.
    """
    out = np.full((y.shape[0], ends.size, RESULTS), np.nan)
    a, b, place = np.empty(window), np.empty(window), np.empty(window)
    for f in range(y.shape[0]):
        for e in range(ends.size):
            n, end = 0, ends[e]
            if not traded[f, end]:
                continue
            for t in range(max(0, end - window + 1), end + 1):
                if abs(x[t]) < np.inf and abs(y[f, t]) < np.inf:
                    a[n], b[n], place[n] = x[t], y[f, t], t
                    n += 1
            out[f, e, 0] = n
            if n < min_sessions:
                continue
            at, out[f, e, 1] = cusum(recursive_residuals(b[:n], a[:n]))
            out[f, e, 2] = place[at + 2]
            first, out[f, e, 3], out[f, e, 5], out[f, e, 6] = sup_wald(b[:n], a[:n], trim)
            out[f, e, 4] = place[first]
    return out


@njit(cache=True, error_model="numpy")
def recursive_residuals(y: Floats, x: Floats) -> Floats:
    """Standardised one-step errors of the line fitted to all earlier observations, from the third on, of shape (n - 2,).

    ``w_t = (y_t - a - b x_t) / sqrt(1 + 1/(t-1) + (x_t - mean)^2 / S_xx)``, all from observations before t; see `cusum`.
    """
    n = y.size
    out = np.empty(n - 2)
    mean_x, mean_y, xx, xy = 0.0, 0.0, 0.0, 0.0
    for t in range(n):
        gap_x, gap_y = x[t] - mean_x, y[t] - mean_y
        if t >= 2:
            out[t - 2] = (gap_y - xy / xx * gap_x) / np.sqrt(1.0 + 1.0 / t + gap_x * gap_x / xx)
        mean_x += gap_x / (t + 1)
        mean_y += gap_y / (t + 1)
        xx += gap_x * (x[t] - mean_x)
        xy += gap_y * (x[t] - mean_x)
    return out


@njit(cache=True, error_model="numpy")
def cusum(residuals: Floats) -> tuple[int, float]:
    """Largest ``|W_t|`` over ``sqrt(m) + 2 j / sqrt(m)``, and where: the multiple of the boundary that is reached [1]_.

    ``W_t`` adds up the m recursive residuals over their standard deviation; j counts them.

    References
    ----------
    .. [1] R. Brown, J. Durbin, J. Evans, "Techniques for testing the constancy of regression relationships over time,"
       J. Royal Statistical Society B 37 (2), 1975.
    """
    m = residuals.size
    sigma = np.sqrt(np.sum(residuals**2) / m)
    total, largest, at = 0.0, -1.0, 0
    for j in range(m):
        total += residuals[j]
        reached = abs(total) / sigma / (np.sqrt(m) + 2.0 * (j + 1) / np.sqrt(m))
        if reached > largest:
            largest, at = reached, j
    return at, largest if sigma > 0.0 else np.nan


@njit(cache=True, error_model="numpy")
def sup_wald(y: Floats, x: Floats, trim: float) -> tuple[int, float, float, float]:
    """Largest Wald statistic of a shift in the slope, over breaks that leave a share `trim` on either side [1]_.

    ``(b_2 - b_1)^2 / (v_1 + v_2)``: each side has its own line and White's variance times ``n / (n - 2)``, so that quiet and wild
    stretches of the residuals do not pass for a break. Returns the first observation after it, the statistic, and both slopes.

    References
    ----------
    .. [1] D. Andrews, "Tests for parameter instability and structural change with unknown change point," Econometrica 61 (4),
       1993. doi:10.2307/2951764
    """
    n = y.size
    sums = _power_sums(y - np.mean(y), x - np.mean(x))
    at, largest, before, after = 0, np.nan, np.nan, np.nan
    for k in range(max(int(np.ceil(trim * n)), 3), min(int(np.floor((1.0 - trim) * n)), n - 3) + 1):
        left, left_variance = _slope(sums[:, k])
        right, right_variance = _slope(sums[:, n] - sums[:, k])
        wald = (right - left) ** 2 / (left_variance + right_variance)
        if not wald <= largest and wald == wald:
            at, largest, before, after = k, wald, left, right
    return at, largest, before, after


@njit(cache=True, error_model="numpy")
def _power_sums(y: Floats, x: Floats) -> Floats:
    """Sums over the first k observations of the moments up to the fourth order, in column k."""
    n = y.size
    out = np.zeros((12, n + 1))
    for t in range(n):
        a, b = x[t], y[t]
        moments = (1.0, a, b, a * a, a * b, b * b, a**3, a * a * b, a * b * b, a**4, a**3 * b, a * a * b * b)
        for i in range(12):
            out[i, t + 1] = out[i, t] + moments[i]
    return out


@njit(cache=True, error_model="numpy")
def _slope(s: Floats) -> tuple[float, float]:
    """Slope and White variance of one stretch from its sums of moments."""
    n = s[0]
    x, y = s[1] / n, s[2] / n
    uu, uv = s[3] - n * x * x, s[4] - n * x * y
    b = uv / uu
    uuvv = s[11] - 2 * y * s[7] + y * y * s[3] - 2 * x * s[8] + 4 * x * y * s[4] + x * x * s[5] - 3 * n * x * x * y * y
    uuuv = s[10] - 3 * x * s[7] + 3 * x * x * s[4] - y * s[6] + 3 * x * y * s[3] - 3 * n * x**3 * y
    uuuu = s[9] - 4 * x * s[6] + 6 * x * x * s[3] - 3 * n * x**4
    meat = uuvv - 2 * b * uuuv + b * b * uuuu
    return b, max(meat, 0.0) * n / (n - 2.0) / (uu * uu)
