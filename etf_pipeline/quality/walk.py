"""The walk along accepted closes: which moves are missed splits or jumps, and which given actions prices contradict."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from etf_pipeline.panel import Floats
from etf_pipeline.quality.bars import Flags, Ints

ACCEPTED, MISSED_SPLIT, PRICE_JUMP, NOT_JUDGED, SPLIT_IN_DOUBT = 0, 1, 2, 3, 4
SPLIT_NOT_SEEN, LARGE_DIVIDEND, SPECIAL_DIVIDEND = 1, 2, 4

SMALLEST_SPLIT = float(np.log(1.2))
"""Splits nearer to one than this cannot be told from a day's move, and are believed. [log ratio]"""
REMEMBERED_DIVIDENDS, FEWEST_DIVIDENDS = 12, 3
RAW, SPLIT_ADJUSTED = 0, 1


@njit(cache=True)
def _contradicted(before: float, value: float, plain_value: float) -> bool:
    """Whether a close lies so much nearer to no split that the split cannot have happened."""
    return bool(2 * abs(np.log(plain_value / before)) < abs(np.log(value / before)))


@njit(cache=True)
def _judge_dividend(share: float, fall: float, paid: Floats, n_paid: int, limits: Floats) -> int:
    """Outcome of a dividend that is a share of the price, which fell by a part of itself."""
    looked_at, multiple, first_limit = limits[2], limits[3], limits[4]
    if share <= looked_at:
        return 0
    limit = first_limit
    if n_paid >= FEWEST_DIVIDENDS:
        limit = multiple * np.median(paid[: min(n_paid, REMEMBERED_DIVIDENDS)])
    return LARGE_DIVIDEND if share > limit and fall < share / 2 else SPECIAL_DIVIDEND


@njit(cache=True)
def _judge_move(move: float, ratios: Floats, limits: Floats) -> int:
    """Verdict on a move of the value held. [log ratio]"""
    if np.min(np.abs(abs(move) - np.log(ratios))) <= limits[1]:
        return MISSED_SPLIT
    return PRICE_JUMP if abs(move) > np.log(limits[0]) else ACCEPTED


@njit(cache=True)
def walk_closes(
    code: Ints,
    close: Floats,
    usable: Flags,
    confirmed: Flags,
    adjustment: Any,
    at: Ints,
    split: Floats,
    dividend: Floats,
    ratios: Floats,
    limits: Floats,
    patience: int,
    believe: Flags,
) -> tuple[Any, Any, Any, Any, Any, Any]:
    """Judge each close against the last accepted one, in the value of one share held since then.

    Once a close is refused, the next ones stay refused as long as they continue it rather than the accepted level: nearer, in
    logarithms, to the close refused last. Otherwise a missed split of two would be accepted as soon as the market had moved it
    off the ratio. A split that the close contradicts refuses `patience` bars first, then itself. All that is remembered of a
    ticker is its last accepted close, the last refused one, what took effect since, and twelve dividends.

    Parameters
    ----------
    code : ndarray of shape (n,)
        Ticker of each row.
    usable : ndarray of shape (n,)
        Rows that broke no rule so far, one a session at most; the others are `NOT_JUDGED`.
    confirmed : ndarray of shape (n,)
        Moves that are known to be true.
    adjustment : ndarray of shape (n,)
        0 raw, 1 split, 2 split and dividend: which effects the prices contain already.
    at : ndarray of shape (n_effects,)
        Rows at which actions take effect, ascending; they count at the first usable row from there on.
    split, dividend : ndarray of shape (n_effects,)
        New shares per old, and cash per share. [ratio, listing currency]
    ratios : ndarray
        Usual split ratios, above 1.
    limits : ndarray of shape (5,)
        Jump factor, split tolerance, dividend yield that is looked at, its multiple of the median, and the limit without one.
    believe : ndarray of shape (4,)
        Whether missed splits and jumps are accepted, and unseen splits and large dividends credited: settings may say so.

    Returns
    -------
    verdict, growth, previous, origin : ndarray of shape (n,)
        Verdict; (shares * close + cash) over the last accepted close, unknown where there is none; row of that close or -1;
        row at which the refused move began, or -1.
    settled, outcome : ndarray of shape (n_effects,)
        Row at which it was settled what becomes of the actions, or -1; bits of `SPLIT_NOT_SEEN`, `LARGE_DIVIDEND` and
        `SPECIAL_DIVIDEND`.
    """
    n, m = len(close), len(at)
    verdict, growth = np.full(n, NOT_JUDGED, dtype=np.int8), np.full(n, np.nan)
    previous, origin = np.full(n, -1, dtype=np.int32), np.full(n, -1, dtype=np.int32)
    settled, outcome, paid = np.full(m, -1), np.zeros(m, dtype=np.int8), np.empty(REMEMBERED_DIVIDENDS)
    held, refused, n_paid, doubts = -1, -1, 0, 0  # rows of the last accepted close and, in an unexplained move, the last refused
    shares, cash = 1.0, 0.0  # per share held, up to the last usable row
    ratio, coupons, plain = 1.0, 0.0, 0.0  # since then: split ratio, dividends per old share, and their plain sum
    begin, end = 0, 0  # actions that wait to be settled
    for i in range(n):
        if i == 0 or code[i] != code[i - 1]:
            held, refused, n_paid, doubts, begin = -1, -1, 0, 0, end
            shares, cash, ratio, coupons, plain = 1.0, 0.0, 1.0, 0.0, 0.0
        while end < m and at[end] == i:
            ratio, plain = ratio * split[end], plain + dividend[end]
            coupons, end = coupons + dividend[end] * ratio, end + 1
        if not usable[i]:
            continue
        previous[i], verdict[i], flags = held, ACCEPTED, 0
        new = ratio if adjustment[i] == RAW else 1.0  # shares and cash that these prices still need
        fresh = coupons if adjustment[i] == RAW else (plain if adjustment[i] == SPLIT_ADJUSTED else 0.0)
        judged = held >= 0 and not confirmed[i]
        if judged and abs(np.log(new)) >= SMALLEST_SPLIT:
            value, plain_value = cash + shares * (new * close[i] + fresh), cash + shares * (close[i] + plain)
            if _contradicted(close[held], value, plain_value):
                flags = SPLIT_NOT_SEEN
                if doubts < patience and not believe[2]:
                    verdict[i], doubts, growth[i] = SPLIT_IN_DOUBT, doubts + 1, value / close[held]
                    continue
                if not believe[2]:
                    new, fresh = 1.0, plain
        if judged and fresh > 0:
            share, fall = shares * fresh / close[held], 1 - (cash + shares * new * close[i]) / close[held]
            odd = _judge_dividend(share, fall, paid, n_paid, limits)
            flags |= odd
            if odd != LARGE_DIVIDEND:
                paid[n_paid % REMEMBERED_DIVIDENDS], n_paid = share, n_paid + 1
            elif not believe[3]:
                fresh = 0.0
        settled[begin:end], outcome[begin:end] = i, flags
        begin, doubts = end, 0
        if held >= 0:
            growth[i] = (cash + shares * (new * close[i] + fresh)) / close[held]
        if judged and refused >= 0 and abs(np.log(growth[i])) >= abs(np.log((new * close[i] + fresh) / close[refused])):
            verdict[i], origin[i] = verdict[refused], origin[refused]
        elif judged:
            verdict[i], origin[i] = _judge_move(np.log(growth[i]), ratios, limits), i
        cash, shares, ratio, coupons, plain = cash + shares * fresh, shares * new, 1.0, 0.0, 0.0
        if verdict[i] == ACCEPTED or (verdict[i] == MISSED_SPLIT and believe[0]) or (verdict[i] == PRICE_JUMP and believe[1]):
            held, refused, shares, cash = i, -1, 1.0, 0.0
        else:
            refused = i
    return verdict, growth, previous, origin, settled, outcome
