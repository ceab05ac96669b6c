"""Numba kernels: the walk along accepted closes, and a rolling median.

Tickers lie one after another, sessions ascending within each; `code` changes where the next ticker starts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from etf_pipeline.quality.bars import Flags, Floats, Ints

ACCEPTED, MISSED_SPLIT, PRICE_JUMP, NOT_JUDGED = 0, 1, 2, 3


@njit(cache=True)
def walk_closes(
    code: Ints,
    close: Floats,
    usable: Flags,
    confirmed: Flags,
    split: Floats,
    dividend: Floats,
    ratios: Floats,
    jump_factor: float,
    tolerance: float,
) -> tuple[Any, Any, Any]:
    """Judge each close against the last accepted one, in the value of one share held since then.

    Parameters
    ----------
    code : ndarray of shape (n,)
        Ticker of each row.
    usable : ndarray of shape (n,)
        Rows that broke no rule so far; the others are `NOT_JUDGED`, but their splits and dividends still count.
    confirmed : ndarray of shape (n,)
        Moves that are known to be true.
    split, dividend : ndarray of shape (n,)
        New shares per old, and cash per share, taking effect at the row. [ratio, listing currency]
    ratios : ndarray
        Usual split ratios, above 1.

    Returns
    -------
    verdict, growth, previous : ndarray of shape (n,)
        Verdict; (shares * close + cash) over the last accepted close, unknown where there is none; row of that close or -1.
    """
    n = len(close)
    verdict, growth, previous = np.full(n, NOT_JUDGED), np.full(n, np.nan), np.full(n, -1)
    last, shares, cash = -1, 1.0, 0.0
    for i in range(n):
        if i == 0 or code[i] != code[i - 1]:
            last, shares, cash = -1, 1.0, 0.0
        shares *= split[i]
        cash += dividend[i] * shares
        previous[i] = last
        if last >= 0:
            growth[i] = (shares * close[i] + cash) / close[last]
        if not usable[i]:
            continue
        verdict[i] = ACCEPTED
        if last >= 0 and not confirmed[i]:
            move = np.log(growth[i])
            if np.min(np.abs(np.abs(move) - np.log(ratios))) <= tolerance:
                verdict[i] = MISSED_SPLIT
            elif abs(move) > np.log(jump_factor):
                verdict[i] = PRICE_JUMP
        if verdict[i] == ACCEPTED:
            last, shares, cash = i, 1.0, 0.0
    return verdict, growth, previous


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
        if count == window:
            at = np.searchsorted(ordered[:count], ring[head])
            ordered[at : count - 1] = ordered[at + 1 : count].copy()
            count -= 1
        at = np.searchsorted(ordered[:count], value)
        ordered[at + 1 : count + 1] = ordered[at:count].copy()
        ordered[at] = value
        ring[head] = value
        count, head = count + 1, (head + 1) % window
    return out


@njit(cache=True)
def run_lengths(code: Ints, close: Floats, volume: Floats, accepted: Flags) -> Any:
    """How many accepted closes up to each row are the same, with volume zero or unchanged; 0 for other rows."""
    n = len(close)
    out = np.zeros(n, dtype=np.int64)
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
