"""Rules that let a bar or an action through and list it: stale runs, zero volume, gaps, outliers, large dividends."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from etf_pipeline.panel import Floats
from etf_pipeline.quality.bars import Bars, Flags, Ints, days_of, instants_of, last_true
from etf_pipeline.quality.parameters import QualityParameters
from etf_pipeline.quality.refusals import Judgement

MAD_TO_SIGMA = 1.4826
"""Median absolute deviation to standard deviation of a normal variable (Rousseeuw and Croux, JASA 88, 1993)."""

Odd = tuple[str, Flags, Callable[[int], str]]


def odd_bars(
    bars: Bars, verdict: Judgement, actions: pd.DataFrame, reference: pd.DataFrame, parameters: QualityParameters
) -> list[Odd]:
    """Each warning rule with the bars that break it and how to describe one."""
    from etf_pipeline.quality.kernels import run_lengths

    accepted, volume, close = verdict.accepted, bars.column("volume"), bars.column("close")
    runs = run_lengths(bars.code, close, volume, accepted)
    missing = _missing_sessions(bars, verdict)
    score, widened = return_scores(bars, verdict, parameters)
    limit = parameters.outlier_multiple * np.maximum(widened, 1)
    with np.errstate(invalid="ignore"):
        far = accepted & (score > limit)
    return [
        ("unknown_ticker", _first_of_unknown(bars, reference), lambda i: "no reference row, or none that says what it is"),
        ("after_ending", _first_after_end(bars, actions), lambda i: "the first bar after a merger or liquidation"),
        # once per run, when it becomes one: how long it lasts is not known then
        ("stale_run", runs == parameters.stale_sessions, lambda i: f"{runs[i]} closes at {close[i]:g}, volume {volume[i]:g}"),
        ("zero_volume", accepted & (volume == 0), lambda i: f"volume 0, close {close[i]:g}"),
        ("calendar_gap", missing > parameters.max_gap_sessions, lambda i: f"{missing[i]} sessions missing before it"),
        (
            "outlier_return",
            far,
            lambda i: f"{verdict.growth[i] - 1:+.2%}, {score[i]:.1f} deviations; limit that day {limit[i]:.1f}",
        ),
    ]


def return_scores(bars: Bars, verdict: Judgement, parameters: QualityParameters) -> tuple[Floats, Floats]:
    """How far each accepted return lies from zero, and how much the market's median return did that session.

    Returns
    -------
    score : ndarray of shape (n,)
        |log return| over the fund's robust daily scale before that session and the root of the sessions elapsed; unknown
        without enough history. [ratio]
    widened : ndarray of shape (n,)
        Median score of the session over that of a normal variable; 1 with too few funds. [ratio]

    Notes
    -----
    A fixed threshold drowns in alarms in October 2008 and March 2020, when every fund moves by many of its trailing deviations.
    The session's cross-section is known at its close, so that dividing by it looks at nothing later. Bars without volume carry
    a quote: they are no observations, otherwise a thin fund's scale would collapse to the floor and every trade be an outlier.
    """
    from etf_pipeline.quality.kernels import trailing_median

    traded = verdict.accepted & (bars.column("volume") > 0)
    before = np.append(-1, last_true(traded)[:-1])
    judged = traded & (verdict.previous >= 0) & (before >= 0)
    judged[judged] = bars.code[before[judged]] == bars.code[judged]
    elapsed = np.maximum(bars.position[judged] - bars.position[before[judged]], 1)
    daily = np.full(len(judged), np.nan)
    daily[judged] = np.abs(np.log(verdict.growth[judged])) / np.sqrt(elapsed)
    scale = MAD_TO_SIGMA * trailing_median(bars.code, daily, parameters.outlier_window, parameters.outlier_history)
    score = daily / np.maximum(scale, parameters.outlier_floor)
    session = pd.Series(score).groupby(bars.day)
    enough = session.transform("count") >= parameters.outlier_peers
    widened = (session.transform("median") * MAD_TO_SIGMA).where(enough, 1.0).to_numpy()
    return score, widened


def _missing_sessions(bars: Bars, verdict: Judgement) -> Ints:
    """Sessions of the calendar between each accepted bar and the accepted bar before it."""
    judged = verdict.accepted & (verdict.previous >= 0)
    return np.where(judged, bars.position - bars.position[np.where(judged, verdict.previous, 0)] - 1, 0)


def _first_of_unknown(bars: Bars, reference: pd.DataFrame) -> Flags:
    known = set(reference.loc[reference["asset_class"] != "unknown", "ticker"])
    strange = np.array([ticker not in known for ticker in bars.tickers], dtype=bool)
    first = np.append(True, bars.code[1:] != bars.code[:-1])
    return np.asarray(first & strange[bars.code])


def _first_after_end(bars: Bars, actions: pd.DataFrame) -> Flags:
    """First bar after a ticker's last session, once the ending was known."""
    ended = actions[actions["kind"].isin(["merger", "liquidation"])]
    code = bars.tickers.get_indexer(pd.Index(ended["ticker"])).astype(np.int64)
    row = np.maximum(bars.first_row_from(code, days_of(ended["ex_date"]) + 1), bars.first_row_known(code, instants_of(ended)))
    inside = (code >= 0) & (row < len(bars.frame))
    inside[inside] = bars.code[row[inside]] == code[inside]
    flags = np.zeros(len(bars.frame), dtype=bool)
    flags[row[inside]] = True
    return flags
