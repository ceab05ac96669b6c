"""Numba kernels: trailing figures along each fund's bars, and the newest AUM that was published by each close.

Tickers lie one after another, sessions ascending within each; `code` changes where the next ticker starts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from etf_pipeline.panel import Floats
from etf_pipeline.universe.bars import Flags, Ints


@njit(cache=True)
def trailing(
    code: Ints, number: Ints, volume: Floats, value: Floats, adjusted: Flags, window: int, stale: int
) -> tuple[Any, Any, Any, Any, Any, Any]:
    """Figures of each bar from the bars of its fund up to it.

    Every mean is summed afresh, newest bar first: no error and no absurd value outlives its window.

    Parameters
    ----------
    code, number : ndarray of shape (n,)
        Fund, and number of the session in its exchange's calendar.
    volume, value : ndarray of shape (n,)
        Shares and value traded.
    adjusted : ndarray of shape (n,)
        Volume is in later shares.
    window, stale : int
        Bars of the means, and bars without any trade that make a fund idle.

    Returns
    -------
    history, mean_volume, mean_value, presence, idle, ahead : ndarray of shape (n,)
        Bars so far; means over `window` bars, unknown before there are as many; bars over sessions along them; whether
        nothing was traded in the last `stale` bars; whether one of the last `window` bars is in later shares.
    """
    n = len(code)
    history = np.empty(n, dtype=np.int64)
    mean_volume, mean_value, presence = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
    idle, ahead = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
    count, last_trade, last_adjusted = 0, -1, -1
    for i in range(n):
        if i == 0 or code[i] != code[i - 1]:
            count, last_trade, last_adjusted = 0, i - 1, -1
        count += 1
        history[i] = count
        if volume[i] > 0:
            last_trade = i
        if adjusted[i]:
            last_adjusted = i
        idle[i] = count >= stale and i - last_trade >= stale
        ahead[i] = last_adjusted >= 0 and i - last_adjusted < window
        if count >= window:
            shares, money = 0.0, 0.0
            for lag in range(window):
                shares += volume[i - lag]
                money += value[i - lag]
            mean_volume[i], mean_value[i] = shares / window, money / window
            presence[i] = window / max(number[i] - number[i - window + 1] + 1, 1)
    return history, mean_volume, mean_value, presence, idle, ahead


@njit(cache=True)
def published(
    code: Ints, close_at: Ints, day: Ints, aum_code: Ints, aum_at: Ints, aum_day: Ints, aum_value: Floats, max_age: int
) -> Any:
    """Of the AUM published by each close the one of the newest date, unless that is older than `max_age` days.

    AUM rows are sorted by fund, publication and date. A late revision of an older date does not hide a newer one; of one date the
    value published last counts.
    """
    n, m = len(code), len(aum_code)
    out = np.full(n, np.nan)
    j, best = 0, -1
    for i in range(n):
        if i == 0 or code[i] != code[i - 1]:
            best = -1
            while j < m and aum_code[j] < code[i]:
                j += 1
        while j < m and aum_code[j] == code[i] and aum_at[j] <= close_at[i]:
            if best < 0 or aum_day[j] >= aum_day[best]:
                best = j
            j += 1
        if best >= 0 and day[i] - aum_day[best] <= max_age:
            out[i] = aum_value[best]
    return out
