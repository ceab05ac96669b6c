"""Which of several sources speaks for a fund: the kernel that walks its sessions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from etf_pipeline.panel import Floats
from etf_pipeline.quality.bars import Flags, Ints
from etf_pipeline.quality.walk import RAW, SPLIT_ADJUSTED

SILENT, SPEAKS, SECOND, BREAK = 0, 1, 2, 3
UNKNOWN, LEVEL, APART = 0, 1, 2


@njit(cache=True)
def source_growth(
    code: Ints, source: Ints, n_sources: int, close: Floats, usable: Flags, adjustment: Any, at: Ints, split: Floats, cash: Floats
) -> Any:
    """Log of a held share's value over the close of the fund's usable row before in the same source; unknown at its first.

    Parameters
    ----------
    at, split, cash : ndarray of shape (n_effects,)
        Rows at which actions take effect, ascending, with new shares per old and cash per share.
    """
    out = np.full(len(code), np.nan)
    row = np.full(n_sources, -1)  # the source's last usable row, and what had taken effect by then
    ratio_then, coupons_then, plain_then = np.ones(n_sources), np.zeros(n_sources), np.zeros(n_sources)
    ratio, coupons, plain, e = 1.0, 0.0, 0.0, 0
    for i in range(len(code)):
        if i and code[i] != code[i - 1]:
            ratio, coupons, plain = 1.0, 0.0, 0.0
        while e < len(at) and at[e] == i:
            ratio, plain = ratio * split[e], plain + cash[e]
            coupons, e = coupons + cash[e] * ratio, e + 1
        if not usable[i]:
            continue
        s = source[i]
        if row[s] >= 0 and code[row[s]] == code[i]:
            value = close[i]
            if adjustment[i] == RAW:
                value = (ratio * close[i] + coupons - coupons_then[s]) / ratio_then[s]
            elif adjustment[i] == SPLIT_ADJUSTED:
                value = close[i] + plain - plain_then[s]
            out[i] = np.log(value / close[row[s]])
        row[s], ratio_then[s], coupons_then[s], plain_then[s] = i, ratio, coupons, plain
    return out


@njit(cache=True)
def choose_speakers(
    code: Ints, day: Ints, source: Ints, rank: Ints, close: Floats, usable: Flags, growth: Floats, tolerance: float, gap: float
) -> tuple[Any, Any, Any]:
    """One row per ticker and session, by what was known at its close.

    Of the sources that have the session the first by (rank, first session in this fund, number) speaks, unless it would change
    the level of the series: a source may follow the one that spoke last if their closes agree, or agreed when last seen
    together; where they were never seen together nothing speaks against it. Where none may follow, all are `BREAK`. All that
    is remembered of a fund is the last speaker and, per source, its first session and where it stood to the series.

    Parameters
    ----------
    code, day, source : ndarray of shape (n,)
        Ticker, session and source of each row, sorted so.
    rank : ndarray of shape (n_sources,)
        Preference, the smallest first.
    usable : ndarray of shape (n,)
        Rows that broke no rule so far.
    growth : ndarray of shape (n,)
        From `source_growth`.
    tolerance, gap : float
        See `QualityParameters.source_tolerance` and `source_gap`. [log ratio]

    Returns
    -------
    part : ndarray of shape (n,)
        `SPEAKS`, `SECOND`, `BREAK`, or `SILENT` for unusable rows.
    apart : ndarray of shape (n,)
        For a row that speaks: how far another source's return since both last agreed lies from its own; else 0. [log ratio]
    other : ndarray of shape (n,)
        Row of that source, or -1.
    """
    n, n_sources = len(code), len(rank)
    part, apart, other = np.zeros(n, dtype=np.int8), np.zeros(n, dtype=np.float32), np.full(n, -1, dtype=np.int32)
    fund, first, state = np.full(n_sources, -1), np.zeros(n_sources, dtype=np.int64), np.zeros(n_sources, dtype=np.int8)
    index = np.zeros(n_sources)  # sum of the source's growth
    partner, base, moved = np.full(n_sources, -1), np.zeros(n_sources), np.zeros(n_sources)
    last, stop = -1, 0
    for start in range(n):
        if start < stop:
            continue
        if start and code[start] != code[start - 1]:
            last = -1
        stop = start + 1
        while stop < n and code[stop] == code[start] and day[stop] == day[start]:
            stop += 1
        for i in range(start, stop):
            s = source[i]
            if usable[i] and fund[s] != code[i]:
                fund[s], first[s], state[s], index[s], partner[s] = code[i], day[i], UNKNOWN, 0.0, -1
            elif usable[i]:
                index[s] += growth[i]
        best = _best(start, stop, source, rank, close, usable, first, state, last, tolerance)
        for i in range(start, stop):
            s = source[i]
            if not usable[i]:
                continue
            part[i] = BREAK if best < 0 else (SPEAKS if i == best else SECOND)
            if best < 0 or i == best:
                continue
            state[s] = LEVEL if abs(np.log(close[i] / close[best])) <= tolerance else APART
            distance = _distance(s, source[best], index, partner, base, moved, gap)
            if distance > apart[best]:
                apart[best], other[best] = distance, i
        if best >= 0:
            last = source[best]
            state[last] = LEVEL
    return part, apart, other


@njit(cache=True)
def _best(
    start: int, stop: int, source: Ints, rank: Ints, close: Floats, usable: Flags, first: Ints, state: Any, last: int, tol: float
) -> int:
    """Row of the most preferred source that may follow the last speaker, or -1."""
    anchor = np.nan  # close of the source that spoke last, if it is here
    for i in range(start, stop):
        if usable[i] and source[i] == last:
            anchor = close[i]
    best = -1
    for i in range(start, stop):
        s = source[i]
        if not usable[i]:
            continue
        level = state[s] != APART if np.isnan(anchor) else abs(np.log(close[i] / anchor)) <= tol
        if last >= 0 and s != last and not level:
            continue
        b = source[best] if best >= 0 else s
        if best < 0 or (rank[s], first[s], s) < (rank[b], first[b], b):
            best = i
    return best


@njit(cache=True)
def _distance(s: int, speaker: int, index: Floats, partner: Ints, base: Floats, moved: Floats, gap: float) -> float:
    """How far a source's growth since it last agreed with the speaker lies from the speaker's; 0 if it agrees.

    A difference that stays is told once, and one that goes away again is not told a second time.
    """
    now = index[s] - index[speaker]
    if partner[s] != speaker:  # never compared, or with another speaker
        partner[s], base[s], moved[s] = speaker, now, np.nan
        return 0.0
    distance = abs(now - base[s])
    if distance <= gap or abs(now - moved[s]) <= gap:
        base[s], moved[s] = now, np.nan
        return 0.0
    moved[s] = now
    return float(distance)
