"""Thresholds of the quality rules."""

from __future__ import annotations

from dataclasses import dataclass

from etf_pipeline.conventions import BPS


@dataclass(frozen=True)
class QualityParameters:
    """Where a bar stops being plausible.

    Attributes
    ----------
    price_tolerance : float
        Rounding allowed when open and close are held against low and high. [fraction]
    range_factor : float
        Open, high and low may be this many times the close, or its inverse. Real prints of 2010-05-06 and 2015-08-24 reach
        2.9 times in the reference data. [ratio]
    jump_factor : float
        The close may be this many times the last accepted one, or its inverse; the largest move of 160 real funds in 20 years,
        three-times leveraged ones included, is 1.63. [ratio]
    split_tolerance : float
        A move this close to a usual split ratio, in logarithms, is called a missed split. [log ratio]
    confirmed_jumps : tuple of str
        Moves that somebody checked and found true, as ``TICKER:YYYY-MM-DD``: they are accepted.
    stale_sessions : int
        Identical closes with no or unchanging volume that make a stale run. [sessions]
    max_gap_sessions : int
        Missing sessions that go without a finding. [sessions]
    outlier_multiple : float
        Robust standard deviations beyond which a return is an outlier, widened when the whole market moves. At 8 the reference
        data give 11 alarms per 100,000 bars (2008: 88, March 2020: 164; unwidened 220, 670 and 23,800), bond funds in a
        dislocation most of them. [ratio]
    outlier_window, outlier_history : int
        Trailing returns that set a fund's scale, and how many it takes at least. [sessions]
    outlier_floor : float
        Smallest daily scale of a fund: bill funds hardly move. [fraction]
    outlier_peers : int
        Funds that a session needs before its median says how much the market moved. [count]
    max_dividend_yield : float
        Dividend over the last accepted close before it that is still plausible. [fraction]
    """

    price_tolerance: float = 1 * BPS
    range_factor: float = 5.0
    jump_factor: float = 3.0
    split_tolerance: float = 0.06
    confirmed_jumps: tuple[str, ...] = ()
    stale_sessions: int = 5
    max_gap_sessions: int = 5
    outlier_multiple: float = 8.0
    outlier_window: int = 252
    outlier_history: int = 60
    outlier_floor: float = 5 * BPS
    outlier_peers: int = 10
    max_dividend_yield: float = 0.15
