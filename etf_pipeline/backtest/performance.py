"""What the ledgers say: every measure of every strategy, before and after costs, with the interval that chance leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from etf_pipeline.backtest.parameters import BacktestParameters
from etf_pipeline.conventions import BPS, SESSIONS_PER_YEAR
from etf_pipeline.measures import MEASURES, common_block_length, measure, percentile_interval, resample, stationary_indices
from etf_pipeline.panel import Floats

MINIMUM = 30
"""Sessions below which no interval is given."""

REFERENCES = ("equal_weight",)
"""Strategies, beside the first benchmark, against which Sharpe ratios are compared."""

Row = dict[str, object]


@dataclass(frozen=True)
class Window:
    """Sessions that every strategy shares, and what the bill earned in them."""

    sessions: pd.DatetimeIndex
    risk_free: Floats


@dataclass(frozen=True)
class Track:
    """One strategy on one cost basis in the window: session returns, and half of traded value over net asset value."""

    strategy: str
    cost_basis: str
    returns: Floats
    turnover: Floats


def performance_table(tracks: list[Track], window: Window, parameters: BacktestParameters) -> pd.DataFrame:
    """`performance`: measures with block-bootstrap intervals, turnover, cost drag, and differences of Sharpe ratios.

    Notes
    -----
    All strategies are resampled by the same sessions, so that a difference of two Sharpe ratios keeps their dependence. Blocks
    are as long as the most dependent excess return, or squared excess return, asks for; the row ``bootstrap_block`` states
    it. The intervals are percentile intervals: that of a maximum drawdown is wide and leans to milder falls, since a
    resample breaks the one long fall that was.
    """
    drawn, block = _draws(tracks, window, parameters)
    by_key = {(track.strategy, track.cost_basis): q for q, track in enumerate(tracks)}
    rows: list[Row] = []
    for q, track in enumerate(tracks):
        benchmark = _benchmark(tracks, by_key, track, parameters)
        low, high = _interval(drawn[q], parameters)
        for k, (name, entry) in enumerate(MEASURES.items()):
            value = measure(name, track.returns, window.risk_free, benchmark)
            rows.append(_row(track, name, value, low[k], high[k], entry.unit))
        rows.append(
            _row(track, "turnover", SESSIONS_PER_YEAR * float(track.turnover.mean()), np.nan, np.nan, "fraction per year")
        )
        rows.append(_row(track, "bootstrap_block", block, np.nan, np.nan, "sessions"))
        if track.cost_basis == "net":
            rows.extend(_net_rows(q, tracks, by_key, drawn, window, parameters))
    frame = pd.DataFrame(rows).sort_values(["strategy", "cost_basis", "measure"], ignore_index=True)
    return frame.assign(start=window.sessions[0], end=window.sessions[-1], n_sessions=len(window.sessions))


def _draws(tracks: list[Track], window: Window, parameters: BacktestParameters) -> tuple[Floats, float]:
    """Resampled measures of shape (n_tracks, n_measures, n_resamples), and the mean block length."""
    n = len(window.sessions)
    if n < MINIMUM or parameters.resamples == 0:
        return np.full((len(tracks), len(MEASURES), 1), np.nan), np.nan
    block = parameters.block or common_block_length([track.returns - window.risk_free for track in tracks])
    indices = stationary_indices(n, block, parameters.resamples, parameters.seed)
    functions = [entry.function for entry in MEASURES.values()]
    by_key = {(track.strategy, track.cost_basis): q for q, track in enumerate(tracks)}
    drawn = [
        resample(functions, track.returns, window.risk_free, _benchmark(tracks, by_key, track, parameters), indices)
        for track in tracks
    ]
    return np.stack(drawn), block


def _benchmark(tracks: list[Track], by_key: dict[tuple[str, str], int], track: Track, parameters: BacktestParameters) -> Floats:
    if not parameters.benchmarks:
        return np.full_like(track.returns, np.nan)
    return tracks[by_key[parameters.benchmarks[0], track.cost_basis]].returns


def _net_rows(
    q: int, tracks: list[Track], by_key: dict[tuple[str, str], int], drawn: Floats, window: Window, parameters: BacktestParameters
) -> list[Row]:
    """What costs took a year, and how far the Sharpe ratio is from those of the references."""
    track, place = tracks[q], list(MEASURES).index("sharpe")
    gross = tracks[by_key[track.strategy, "gross"]]
    drag = (measure("cagr", gross.returns) - measure("cagr", track.returns)) / BPS
    rows = [_row(track, "cost_drag", drag, np.nan, np.nan, "bps per year")]
    for reference in (*parameters.benchmarks[:1], *REFERENCES):
        other = by_key.get((reference, "net"), q)
        if other == q:
            continue
        low, high = _interval(drawn[q, place] - drawn[other, place], parameters)
        value = measure("sharpe", track.returns, window.risk_free) - measure("sharpe", tracks[other].returns, window.risk_free)
        rows.append(_row(track, f"sharpe_minus_{reference}", value, float(low), float(high), "ratio, annual"))
    return rows


def _interval(draws: Floats, parameters: BacktestParameters) -> tuple[Floats, Floats]:
    return percentile_interval(draws, parameters.confidence)


def _row(track: Track, name: str, value: float, low: float, high: float, unit: str) -> Row:
    return {
        "strategy": track.strategy,
        "cost_basis": track.cost_basis,
        "measure": name,
        "value": value,
        "ci_low": low,
        "ci_high": high,
        "unit": unit,
    }
