"""Windows over a fund's own known values, in one pass and without a running difference.

A running sum that adds the newest value and subtracts the oldest keeps every rounding error it ever made, and one infinite or
absurd value spoils all that follow. Here each series is cut at fixed checkpoints, every `window` values; a window is the tail of
one block plus the head of the next (van Herk's maximum filter, applied to sums as well) [1]_. Nothing is ever subtracted, so an
error or an absurd value leaves with its window, and appending values changes no earlier answer.

NaN marks an unknown value: it is skipped, the window holds the last `window` known values, and the answer at it is NaN.

References
----------
.. [1] M. van Herk, "A fast algorithm for local minimum and maximum filters on rectangular and octagonal kernels,"
   Pattern Recognition Letters 13 (7), 1992. doi:10.1016/0167-8655(92)90069-C
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]


@njit(cache=True)
def rolling_sum(values: Floats, window: int) -> Floats:
    """Sum of the last `window` known values of each column; NaN until there are as many."""
    out = np.full(values.shape, np.nan)
    n, assets = values.shape
    x, rows, tail = np.empty(n), np.empty(n, np.int64), np.zeros(window + 1)
    for j in range(assets):
        known = _known(values, j, x, rows)
        head = 0.0
        for i in range(known):
            k = i % window
            if k == 0:
                if i > 0:
                    _tails(x, i, window, tail)
                head = 0.0
            head += x[i]
            if k == window - 1:
                out[rows[i], j] = head
            elif i >= window:
                out[rows[i], j] = tail[k + 1] + head
    return out


@njit(cache=True)
def rolling_max(values: Floats, window: int) -> Floats:
    """Largest of the last `window` known values of each column; NaN until there are as many."""
    out = np.full(values.shape, np.nan)
    n, assets = values.shape
    x, rows, tail = np.empty(n), np.empty(n, np.int64), np.empty(window + 1)
    for j in range(assets):
        known = _known(values, j, x, rows)
        head = -np.inf
        for i in range(known):
            k = i % window
            if k == 0:
                tail[window] = head = -np.inf
                for m in range(window - 1, -1, -1):
                    tail[m] = max(tail[m + 1], x[i - window + m]) if i > 0 else -np.inf
            head = max(head, x[i])
            if i >= window - 1:
                out[rows[i], j] = head if k == window - 1 else max(tail[k + 1], head)
    return out


@njit(cache=True)
def lagged(values: Floats, lag: int) -> Floats:
    """The value known `lag` known values ago in each column."""
    out = np.full(values.shape, np.nan)
    n, assets = values.shape
    x, rows = np.empty(n), np.empty(n, np.int64)
    for j in range(assets):
        known = _known(values, j, x, rows)
        for i in range(lag, known):
            out[rows[i], j] = x[i - lag]
    return out


@njit(cache=True)
def cumulative_product(values: Floats) -> Floats:
    """Product of all known values so far in each column."""
    out = np.full(values.shape, np.nan)
    for j in range(values.shape[1]):
        product = 1.0
        for i in range(values.shape[0]):
            if not np.isnan(values[i, j]):
                product *= values[i, j]
                out[i, j] = product
    return out


@njit(cache=True)
def same_month_mean(index: Floats, months: npt.NDArray[np.int64], min_years: int) -> Floats:
    """Mean return of the session's calendar month over earlier years, per column.

    `months` counts calendar months (year * 12 + month - 1) per row. A month's return runs from the last value of the month
    before to its own last value; it is unknown where the month before has no value.
    """
    out = np.full(index.shape, np.nan)
    n, assets = index.shape
    for j in range(assets):
        total, count = np.zeros(12), np.zeros(12, np.int64)
        month, last, base = -9, np.nan, np.nan  # month under way, its latest value, the value it started from
        for i in range(n):
            if np.isnan(index[i, j]):
                continue
            if months[i] != month:
                if not np.isnan(base):
                    total[month % 12] += last / base - 1.0
                    count[month % 12] += 1
                base = last if months[i] == month + 1 else np.nan
                month = months[i]
            last = index[i, j]
            if count[month % 12] >= min_years:
                out[i, j] = total[month % 12] / count[month % 12]
    return out


@njit(cache=True)
def _known(values: Floats, column: int, x: Floats, rows: npt.NDArray[np.int64]) -> int:
    """Pack a column's known values into `x`, where they came from into `rows`; their number."""
    known = 0
    for i in range(values.shape[0]):
        if not np.isnan(values[i, column]):
            x[known] = values[i, column]
            rows[known] = i
            known += 1
    return known


@njit(cache=True)
def _tails(x: Floats, end: int, window: int, tail: Floats) -> None:
    """Sums of the block before `end` from each of its values on."""
    tail[window] = 0.0
    for m in range(window - 1, -1, -1):
        tail[m] = tail[m + 1] + x[end - window + m]
