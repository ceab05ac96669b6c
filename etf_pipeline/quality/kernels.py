"""Numba kernels: the walk along accepted closes, and a rolling median.

Tickers lie one after another, sessions ascending within each; `code` changes where the next ticker starts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from etf_pipeline.panel import Floats
from etf_pipeline.quality.bars import Flags, Ints

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
) -> tuple[Any, Any, Any, Any]:
    """Judge each close against the last accepted one, in the value of one share held since then.

    Once a close is refused, the next ones stay refused as long as they continue it rather than the accepted level: nearer, in
    logarithms, to the close refused last. Otherwise a missed split of two would be accepted as soon as the market had moved it
    off the ratio.

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
    verdict, growth, previous, origin : ndarray of shape (n,)
        Verdict; (shares * close + cash) over the last accepted close, unknown where there is none; row of that close or -1;
        row at which the refused move began, or -1.
    """
    n = len(close)
    verdict, growth = np.full(n, NOT_JUDGED), np.full(n, np.nan)
    previous, origin = np.full(n, -1), np.full(n, -1)
    held, refused = -1, -1  # rows of the last accepted close and, while a move is unexplained, of the last refused one
    shares, cash, shares_since, cash_since = 1.0, 0.0, 1.0, 0.0
    for i in range(n):
        if i == 0 or code[i] != code[i - 1]:
            held, refused = -1, -1
        shares, shares_since = shares * split[i], shares_since * split[i]
        cash, cash_since = cash + dividend[i] * shares, cash_since + dividend[i] * shares_since
        previous[i] = held
        if held >= 0:
            growth[i] = (shares * close[i] + cash) / close[held]
        if not usable[i]:
            continue
        verdict[i] = ACCEPTED
        if held >= 0 and not confirmed[i]:
            move = np.log(growth[i])
            if refused >= 0 and abs(move) >= abs(np.log((shares_since * close[i] + cash_since) / close[refused])):
                verdict[i], origin[i] = verdict[refused], origin[refused]
            elif np.min(np.abs(np.abs(move) - np.log(ratios))) <= tolerance:
                verdict[i], origin[i] = MISSED_SPLIT, i
            elif abs(move) > np.log(jump_factor):
                verdict[i], origin[i] = PRICE_JUMP, i
        shares_since, cash_since = 1.0, 0.0
        if verdict[i] == ACCEPTED:
            held, refused, shares, cash = i, -1, 1.0, 0.0
        else:
            refused = i
    return verdict, growth, previous, origin


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
