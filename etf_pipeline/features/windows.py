"""Windows over one fund's consecutive bars by doubling: nothing is subtracted, and nothing depends on where a history begins.

A running sum that adds the newest value and subtracts the oldest keeps every rounding error it ever made, and one infinite or
absurd value spoils all that follow. Here the sums of 2, 4, 8 ... values are each made from two of half the length; a window is
put together from those its binary digits name: 21 = 1 + 4 + 16. A value at bar t is then a fixed tree of the window's own values:

- what left the window leaves no trace, an unknown or infinite value included; rounding grows with the logarithm of its length;
- later bars change no earlier bit, and a history that starts one window earlier or later gives the same bits (a night can extend
  the table);
- every loop adds one array to another, so that the processor does eight bars at a time.

Maxima overlap instead (a sparse table) [1]_. Means with their squared deviations merge by Chan's formula, which does not cancel
where the level is large beside its movement [2]_.

References
----------
.. [1] M. Bender, M. Farach-Colton, "The LCA problem revisited," LATIN 2000. doi:10.1007/10719839_9
.. [2] T. Chan, G. Golub, R. LeVeque, "Algorithms for computing the sample variance: analysis and recommendations,"
   American Statistician 37 (3), 1983. doi:10.1080/00031305.1983.10483115
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@njit(cache=True, error_model="numpy")
def window_sums(values: Floats, windows: Ints, sums: Floats) -> None:
    """Sums of the last ``windows[k]`` values into ``sums[k]``, of shape (n_windows, n); NaN until there are as many."""
    n, half = values.size, 1
    level, longer = values.copy(), np.empty(n)
    filled = np.zeros(windows.size, np.int64)
    while half <= windows.max():
        for k in range(windows.size):
            if windows[k] & half:
                _put(level, filled[k], sums[k])
                filled[k] += half
        if half < n:
            _pairs(level[half:], level[:-half], longer[half:])
        longer[:half] = np.nan
        level, longer = longer, level
        half *= 2
    for k in range(windows.size):
        sums[k, : min(n, windows[k] - 1)] = np.nan


@njit(cache=True, error_model="numpy")
def _put(level: Floats, filled: int, total: Floats) -> None:
    """Add the part of the window that ends `filled` values ago."""
    n = total.size
    if filled == 0:
        for i in range(n):
            total[i] = level[i]
    elif filled < n:
        _grow(total[filled:], level[: n - filled])


@njit(cache=True, error_model="numpy")
def _grow(total: Floats, part: Floats) -> None:
    for i in range(total.size):
        total[i] += part[i]


@njit(cache=True, error_model="numpy")
def _pairs(newer: Floats, older: Floats, out: Floats) -> None:
    for i in range(out.size):
        out[i] = newer[i] + older[i]


@njit(cache=True, error_model="numpy")
def window_max(values: Floats, window: int, out: Floats) -> None:
    """Largest of the last `window` values; NaN until there are as many. An unknown value is passed over."""
    n, half = values.size, 1
    level, longer = values.copy(), np.empty(n)
    while 2 * half <= window:
        longer[: min(n, half)] = np.nan
        if half < n:
            _larger(level[half:], level[:-half], longer[half:])
        level, longer = longer, level
        half *= 2
    lag = window - half
    out[: min(n, window - 1)] = np.nan
    if window - 1 < n:
        _larger(level[window - 1 :], level[window - 1 - lag : n - lag], out[window - 1 :])


@njit(cache=True, error_model="numpy")
def _larger(newer: Floats, older: Floats, out: Floats) -> None:
    for i in range(out.size):
        out[i] = older[i] if older[i] > newer[i] or newer[i] != newer[i] else newer[i]


@njit(cache=True, error_model="numpy")
def window_spread(values: Floats, window: int, mean: Floats, squares: Floats, slope: Floats) -> None:
    """Mean, sum of squared deviations, and sum of products with centred time of the last `window` values."""
    n, half, filled = values.size, 1, 0
    level, longer = np.zeros((3, n)), np.empty((3, n))
    level[0] = values
    made = np.full((3, n), np.nan)
    while half <= window:
        if window & half:
            if filled == 0:
                made[:] = level
            elif filled < n:
                _merge(made[:, filled:], filled, level[:, : n - filled], half, made[:, filled:])
            filled += half
        longer[:, : min(n, half)] = np.nan
        if half < n:
            _merge(level[:, half:], half, level[:, :-half], half, longer[:, half:])
        level, longer = longer, level
        half *= 2
    made[:, : min(n, window - 1)] = np.nan
    mean[:], squares[:], slope[:] = made[0], made[1], made[2]


@njit(cache=True, error_model="numpy")
def _merge(newer: Floats, n_newer: int, older: Floats, n_older: int, out: Floats) -> None:
    """Chan's merge of two neighbouring stretches; their middles lie half of both lengths apart in time."""
    share, weight = n_older / (n_newer + n_older), n_newer * n_older / (n_newer + n_older)
    apart = weight * (n_newer + n_older) / 2
    for i in range(out.shape[1]):
        gap = newer[0, i] - older[0, i]
        squares = newer[1, i] + older[1, i] + gap * gap * weight
        slope = newer[2, i] + older[2, i] + gap * apart
        out[0, i], out[1, i], out[2, i] = newer[0, i] - gap * share, squares, slope


@njit(cache=True, error_model="numpy")
def known(value: float) -> float:
    """The value, or NaN where absurd input made it infinite."""
    return value if abs(value) <= 1.7976931348623157e308 else np.nan


@njit(cache=True, error_model="numpy")
def scatter(total: float, squares: float, n: int) -> float:
    """Sum of squared deviations from sums; zero where it drowns in rounding, so that ratios to it are unknown."""
    centred = squares - total * total / n
    return centred if centred > 1e-12 * squares or squares != squares else 0.0
