"""Rules that let a bar through and list it: stale runs, zero volume, gaps, outliers, bars of unknown or ended funds."""

from __future__ import annotations

import numpy as np
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.quality.bars import Bars, Ints, session_lengths
from etf_pipeline.quality.outliers import return_scores
from etf_pipeline.quality.parameters import QualityParameters
from etf_pipeline.quality.refusals import Judgement


def list_odd_bars(
    bars: Bars, verdict: Judgement, actions: pd.DataFrame, reference: pd.DataFrame, parameters: QualityParameters
) -> None:
    """Apply every rule that by itself only lists; a bar that one refuses, as settings may say, is not judged by the next."""
    _unknown_and_ended(bars, verdict, actions, reference)
    _stale_and_empty(bars, verdict, parameters)
    _gaps(bars, verdict, parameters)
    _outliers(bars, verdict, reference, parameters)


def _outliers(bars: Bars, verdict: Judgement, reference: pd.DataFrame, parameters: QualityParameters) -> None:
    score, widened = return_scores(bars, verdict, reference, parameters)
    widened *= parameters.outlier_multiple
    verdict.apply(
        "outlier_return",
        score > widened,
        lambda i: f"{verdict.growth[i] - 1:+.2%}, {score[i]:.1f} deviations; limit that day {widened[i]:.1f}",
    )


def _stale_and_empty(bars: Bars, verdict: Judgement, parameters: QualityParameters) -> None:
    from etf_pipeline.quality.kernels import run_lengths

    volume, close = bars.column("volume"), bars.column("close")
    runs = run_lengths(bars.code, close, volume, verdict.accepted)
    # once per run, when it becomes one: how long it lasts is not known then
    verdict.apply(
        "stale_run", runs == parameters.stale_sessions, lambda i: f"{runs[i]} closes at {close[i]:g}, volume {volume[i]:g}"
    )
    verdict.apply("zero_volume", volume == 0, lambda i: f"volume 0, close {close[i]:g}")


def _gaps(bars: Bars, verdict: Judgement, parameters: QualityParameters) -> None:
    """Sessions of the calendar, half-days among them, between an accepted bar and the accepted bar before it."""
    judged = np.flatnonzero(verdict.accepted & (verdict.previous >= 0))
    missing = np.zeros(len(bars), dtype=np.int64)
    missing[judged] = bars.position[judged] - bars.position[verdict.previous[judged]] - 1
    wide = missing > parameters.max_gap_sessions
    verdict.apply("calendar_gap", wide, lambda i: f"{missing[i]} sessions missing before it")
    verdict.apply("missing_session", (missing > 0) & ~wide, lambda i: _absent(bars, int(verdict.previous[i]), i))


def _absent(bars: Bars, before: int, after: int) -> str:
    """The sessions between two bars, with those that closed early marked."""
    number, exchanges = bars.exchange
    exchange, day = str(exchanges[number[after]]), pd.Timedelta(days=1)
    days = calendars.sessions(exchange, bars.date(before) + day, bars.date(after) - day)
    early = session_lengths(exchange, days) < 1
    return ", ".join(f"{d:%Y-%m-%d}{' (half-day)' if e else ''}" for d, e in zip(days, early, strict=True)) + " missing"


def _unknown_and_ended(bars: Bars, verdict: Judgement, actions: pd.DataFrame, reference: pd.DataFrame) -> None:
    known = set(reference.loc[reference["asset_class"] != "unknown", "ticker"])
    strange = np.array([ticker not in known for ticker in bars.tickers], dtype=bool)
    text = "no reference row, or none that says what it is"
    verdict.mark("unknown_ticker", bars.starts[strange], strange[bars.code], text)
    after = _first_after_end(bars, actions)
    gone = np.zeros(len(bars), dtype=bool)
    for row in after.tolist():
        gone[row : np.searchsorted(bars.code, bars.code[row], side="right")] = True
    verdict.mark("after_ending", after, gone, "a bar after a merger or liquidation")


def _first_after_end(bars: Bars, actions: pd.DataFrame) -> Ints:
    """First bar after a ticker's last session, once the ending was known."""
    ended = actions[actions["kind"].isin(["merger", "liquidation"])]
    rows = bars.effect_rows(ended, days_after=1)
    return np.unique(rows[rows >= 0])
