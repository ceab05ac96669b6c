"""Numba kernels over bars that lie ticker after ticker, sessions ascending within each; `code` changes with the ticker."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from etf_pipeline.panel import Floats
from etf_pipeline.quality.bars import Flags, Ints

ALONE = (
    "missing_price",
    "nonpositive_price",
    "missing_volume",
    "negative_volume",
    "high_below_low",
    "outside_range",
    "wild_range",
)
"""Rules that a bar breaks by itself, by the number of their bit."""


@njit(cache=True)
def judge_alone(first: Floats, high: Floats, low: Floats, close: Floats, volume: Floats, slack: float, factor: float) -> Any:
    """Bits of `ALONE` that each bar breaks; unknown values break only the rules that look for them."""
    out = np.zeros(len(close), dtype=np.uint8)
    for i in range(len(close)):
        o, h, w, c, v, bits = first[i], high[i], low[i], close[i], volume[i], 0
        if np.isnan(o + h + w + c) and (np.isnan(o) or np.isnan(h) or np.isnan(w) or np.isnan(c)):
            bits |= 1
        if min(o, h, w, c) <= 0 or max(o, h, w, c) == np.inf:
            bits |= 2
        if np.isnan(v):
            bits |= 4
        if v < 0 or v == np.inf:
            bits |= 8
        if h < w * (1 - slack):
            bits |= 16
        if max(o, c) > h * (1 + slack) or min(o, c) < w * (1 - slack):
            bits |= 32
        for x in (o, h, w):
            if x > c * factor or c > x * factor:
                bits |= 64
        out[i] = bits
    return out


@njit(cache=True)
def trailing_median(code: Ints, values: Floats, window: int, history: int) -> Any:
    """Median of the last `window` known values before each row, of its own ticker; unknown under `history` values.

    The row's own value does not count: an outlier must not widen the scale that it is held against.
    """
    n = len(values)
    out = np.full(n, np.nan)
    ordered, ring = np.empty(window), np.empty(window)
    count, head = 0, 0
    for i in range(n):
        if i == 0 or code[i] != code[i - 1]:
            count, head = 0, 0
        if count >= history:
            half = count // 2
            out[i] = ordered[half] if count % 2 else 0.5 * (ordered[half - 1] + ordered[half])
        value = values[i]
        if np.isnan(value):
            continue
        if count < window:
            at = count
            count += 1
        else:
            at = np.searchsorted(ordered, ring[head])
        while at > 0 and ordered[at - 1] > value:  # the freed place walks to where the value belongs
            ordered[at] = ordered[at - 1]
            at -= 1
        while at < count - 1 and ordered[at + 1] < value:
            ordered[at] = ordered[at + 1]
            at += 1
        ordered[at] = value
        ring[head] = value
        head = (head + 1) % window
    return out


@njit(cache=True)
def run_lengths(code: Ints, close: Floats, volume: Floats, accepted: Flags) -> Any:
    """How many accepted closes up to each row are the same, with volume zero or unchanged; 0 for other rows."""
    n = len(close)
    out = np.zeros(n, dtype=np.int32)
    last = -1
    for i in range(n):
        if i == 0 or code[i] != code[i - 1]:
            last = -1
        if not accepted[i]:
            continue
        same = last >= 0 and close[i] == close[last] and (volume[i] == 0 or volume[i] == volume[last])
        out[i] = out[last] + 1 if same else 1
        last = i
    return out


@njit(cache=True)
def group_quantile(group: Ints, order: Ints, values: Floats, share: float, fewest: int) -> Any:
    """Quantile of each group's known values, linear between them; unknown in groups of fewer than `fewest`.

    Parameters
    ----------
    group : ndarray of shape (n,)
        Number of each row's group, from 0.
    order : ndarray of shape (n,)
        Rows sorted by group.

    Returns
    -------
    ndarray of shape (n_groups,)
        By number of the group.
    """
    n = len(order)
    out = np.full(group[order[n - 1]] + 1 if n else 0, np.nan)
    known = np.empty(n)
    count = 0
    for k in range(n):
        if k and group[order[k]] != group[order[k - 1]]:
            count = 0
        value = values[order[k]]
        if not np.isnan(value):
            known[count] = value
            count += 1
        if count >= fewest and (k == n - 1 or group[order[k + 1]] != group[order[k]]):
            known[:count].sort()
            place = share * (count - 1)
            low = int(place)
            high = min(low + 1, count - 1)
            out[group[order[k]]] = known[low] + (place - low) * (known[high] - known[low])
    return out
