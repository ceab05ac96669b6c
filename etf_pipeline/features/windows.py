"""Windows over one fund's consecutive bars by adding up: nothing is subtracted, and nothing depends on where a history begins.

A running sum that adds the newest value and subtracts the oldest keeps every rounding error it ever made, and one infinite or
absurd value spoils all that follow. Here the sum of a window is made of two shorter ones that stand end to end, those of shorter
ones again, along an addition chain such as 1, 2, 3, 6, 7, 14, 21, 42, 63, 126 [1]_. A value at bar t is then a fixed tree of the
window's own values:

- what left the window leaves no trace, an unknown or infinite value included; rounding grows with the logarithm of its length;
- later bars change no earlier bit, and a history that starts one window earlier or later gives the same bits (a night can extend
  the table);
- every loop adds one array to another, so that the processor does several bars at a time.

Maxima overlap instead (a sparse table) [2]_. Means with their squared deviations merge by Chan's formula, which does not cancel
where the level is large beside its movement [3]_.

References
----------
.. [1] A. Brauer, "On addition chains," Bulletin of the AMS 45 (10), 1939. doi:10.1090/S0002-9904-1939-07068-7
.. [2] M. Bender, M. Farach-Colton, "The LCA problem revisited," LATIN 2000. doi:10.1007/10719839_9
.. [3] T. Chan, G. Golub, R. LeVeque, "Algorithms for computing the sample variance: analysis and recommendations,"
   American Statistician 37 (3), 1983. doi:10.1080/00031305.1983.10483115
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Spread = tuple[Floats, Floats, Floats]


TO_MONTH = (2, 3, 6, 7, 14, 21)
TO_QUARTER = (*TO_MONTH, 42, 63)
TO_HALF = (*TO_QUARTER, 126)
TO_YEAR = (*TO_HALF, 252)


@njit(cache=True, error_model="numpy")
def window_sums(values: Floats, chain: Ints) -> Floats:
    """Sums of the last ``chain[k]`` values in row k, of shape (n_lengths, n); NaN until there are as many.

    Each length of the chain is the one before plus another that comes earlier, or 1 (a Brauer chain).
    """
    n, sums = values.size, np.empty((chain.size, values.size))
    newer, last = values, 1
    for k in range(chain.size):
        rest = chain[k] - last
        older = values
        for j in range(k):
            if chain[j] == rest:
                older = sums[j]
        out = sums[k]
        out[: min(n, chain[k] - 1)] = np.nan
        if chain[k] <= n:
            add(newer[chain[k] - 1 :], older[rest - 1 : n - last], out[chain[k] - 1 :])
        newer, last = out, chain[k]
    return sums


@njit(cache=True, error_model="numpy")
def window_sum(values: Floats, chain: Ints) -> Floats:
    """Sum of the last ``chain[-1]`` values; NaN until there are as many."""
    total: Floats = window_sums(values, chain)[-1]
    return total


@njit(cache=True, error_model="numpy")
def add(newer: Floats, older: Floats, out: Floats) -> None:
    """Sum of two arrays, value by value."""
    for i in range(out.size):
        out[i] = newer[i] + older[i]


@njit(cache=True, error_model="numpy")
def times(one: Floats, other: Floats) -> Floats:
    """Product of two arrays, value by value."""
    out = np.empty(one.size)
    for i in range(out.size):
        out[i] = one[i] * other[i]
    return out


@njit(cache=True, error_model="numpy")
def window_max(values: Floats, window: int, out: Floats) -> None:
    """Largest of the last `window` values; NaN until there are as many. An unknown value is passed over."""
    n, half = values.size, 1
    level, longer, spare = values, np.empty(n), np.empty(n)
    while 2 * half <= window:
        longer[: min(n, half)] = np.nan
        if half < n:
            _larger(level[half:], level[:-half], longer[half:])
        level, longer, spare = longer, spare, longer
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
def window_spread(values: Floats, chain: Ints) -> Floats:
    """Mean, squared deviations and products with centred time, summed, of the last ``chain[-1]`` values; of shape (3, n)."""
    n, made = values.size, np.empty((chain.size + 1, 3, values.size))
    made[0, 0], made[0, 1], made[0, 2] = values, 0.0, 0.0
    last = 1
    for k in range(chain.size):
        rest, length, j = chain[k] - last, chain[k], 0
        for m in range(k):
            j = m + 1 if chain[m] == rest else j
        made[k + 1, :, : min(n, length - 1)] = np.nan
        if length <= n:
            new, old, out = made[k], made[j], made[k + 1]
            _merge(
                (new[0, length - 1 :], new[1, length - 1 :], new[2, length - 1 :]),
                last,
                (old[0, rest - 1 : n - last], old[1, rest - 1 : n - last], old[2, rest - 1 : n - last]),
                rest,
                (out[0, length - 1 :], out[1, length - 1 :], out[2, length - 1 :]),
            )
        last = length
    spread: Floats = made[-1]
    return spread


@njit(cache=True, error_model="numpy")
def _merge(newer: Spread, n_newer: int, older: Spread, n_older: int, out: Spread) -> None:
    """Chan's merge of two neighbouring stretches; their middles lie half of both lengths apart in time."""
    weight = n_newer * n_older / (n_newer + n_older)
    share, apart = n_older / (n_newer + n_older), weight * (n_newer + n_older) / 2
    mean, squares, slope = out
    mean_a, squares_a, slope_a = newer
    mean_b, squares_b, slope_b = older
    for i in range(mean.size):
        gap = mean_a[i] - mean_b[i]
        squares[i] = squares_a[i] + squares_b[i] + gap * gap * weight
        slope[i] = slope_a[i] + slope_b[i] + gap * apart
        mean[i] = mean_a[i] - gap * share


@njit(cache=True, error_model="numpy")
def known(value: float) -> float:
    """The value, or NaN where absurd input made it infinite."""
    return value if abs(value) <= 1.7976931348623157e308 else np.nan


@njit(cache=True, error_model="numpy")
def scatter(total: float, squares: float, n: int) -> float:
    """Sum of squared deviations from sums; zero where it drowns in rounding, so that ratios to it are unknown."""
    centred = squares - total * total / n
    return centred if centred > 1e-12 * squares or squares != squares else 0.0
