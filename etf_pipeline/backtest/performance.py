"""What the ledgers say: every measure of every strategy, before and after costs, with the interval that chance leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from etf_pipeline.backtest.parameters import BacktestParameters
from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.measures import (
    MEASURES,
    common_block_length,
    measure,
    percentile_interval,
    resample,
    sharpe_difference,
    stationary_indices,
)
from etf_pipeline.panel import Floats

MINIMUM = 30
"""Sessions below which no interval is given."""

REFERENCES = ("equal_weight", "max_sharpe_no_rule", "score_ranking")
"""Strategies, beside the first benchmark, against which Sharpe ratios are compared where they exist: the same funds without
optimisation, the optimiser without its rebalancing rule, and scores without an optimiser."""

Row = dict[str, object]


@dataclass(frozen=True)
class Window:
    """Sessions that every strategy shares, what the bill earned in them, and how the index of each benchmark fund grew."""

    sessions: pd.DatetimeIndex
    risk_free: Floats
    index_growth: dict[str, float]


@dataclass(frozen=True)
class Track:
    """One strategy on one cost basis in the window.

    Session returns are time-weighted, turnover is half of traded value over net asset value; `money_weighted` is what the money
    earned that came and went, unknown where none did. [fraction per year]
    """

    strategy: str
    cost_basis: str
    returns: Floats
    turnover: Floats
    money_weighted: float = np.nan


@dataclass(frozen=True)
class Study:
    """Tracks side by side.

    Attributes
    ----------
    tracks : dict
        By (strategy, cost basis).
    window : Window
    parameters : BacktestParameters
    """

    tracks: dict[tuple[str, str], Track]
    window: Window
    parameters: BacktestParameters

    def benchmark(self, track: Track) -> Floats:
        """Returns of the first benchmark on the track's cost basis; NaN where there is none."""
        names = self.parameters.benchmark_funds
        return self.tracks[names[0], track.cost_basis].returns if names else np.full_like(track.returns, np.nan)

    def value(self, name: str, track: Track) -> float:
        """One measure of one track."""
        return measure(name, track.returns, self.window.risk_free, self.benchmark(track))

    def draws(self) -> tuple[dict[tuple[str, str], Floats], float]:
        """Resampled measures of shape (n_measures, n_resamples) per track, and the mean block length."""
        n, p = len(self.window.sessions), self.parameters
        if n < MINIMUM or p.resamples == 0:
            return {key: np.full((len(MEASURES), 1), np.nan) for key in self.tracks}, np.nan
        block = p.block or common_block_length([track.returns - self.window.risk_free for track in self.tracks.values()])
        indices = stationary_indices(n, block, p.resamples, p.seed)
        functions = [entry.function for entry in MEASURES.values()]
        drawn = {
            key: resample(functions, track.returns, self.window.risk_free, self.benchmark(track), indices)
            for key, track in self.tracks.items()
        }
        return drawn, block


def performance_table(study: Study) -> pd.DataFrame:
    """`performance`: measures with block-bootstrap intervals, turnover, cost drag, and differences of Sharpe ratios.

    Notes
    -----
    Differences of Sharpe ratios have the studentised bootstrap interval of Ledoit and Wolf (`measures.sharpe_difference`), and
    rows ``sharpe_minus_<reference>_p`` with its two-sided p-value. Each row is one test: of twenty, one claims by chance.

    All strategies are resampled by the same sessions. Blocks are as long as the most dependent excess return, or squared excess
    return, asks for; the row ``bootstrap_block`` states it. The intervals are percentile intervals: that of a maximum drawdown
    is wide and leans to milder falls, since a resample breaks the one long fall that was; those of the best and worst session
    never reach beyond them.
    """
    drawn, block = study.draws()
    rows: list[Row] = []
    for key, track in study.tracks.items():
        low, high = percentile_interval(drawn[key], study.parameters.confidence)
        for k, (name, entry) in enumerate(MEASURES.items()):
            rows.append(_row(track, name, study.value(name, track), entry.unit, float(low[k]), float(high[k])))
        rows.append(_row(track, "turnover", SESSIONS_PER_YEAR * float(track.turnover.mean()), "fraction per year"))
        rows.append(_row(track, "bootstrap_block", block, "sessions"))
        rows.extend(_index_rows(track, study))
        if not np.isnan(track.money_weighted):
            rows.append(_row(track, "money_weighted_return", track.money_weighted, "fraction per year"))
        if track.cost_basis == "net":
            rows.append(_cost_drag(track, study))
        rows.extend(_sharpe_rows(track, study))
    frame = pd.DataFrame(rows).sort_values(["strategy", "cost_basis", "measure"], ignore_index=True)
    sessions = study.window.sessions
    return frame.assign(start=sessions[0], end=sessions[-1], n_sessions=len(sessions))


def _cost_drag(track: Track, study: Study) -> Row:
    """What costs took a year."""
    gross = study.tracks[track.strategy, "gross"]
    return _row(track, "cost_drag", study.value("cagr", gross) - study.value("cagr", track), "fraction per year")


def _index_rows(track: Track, study: Study) -> list[Row]:
    """How far the ledger of a fund held alone is from its total-return index: cash drag until dividends are reinvested."""
    growth = study.window.index_growth.get(track.strategy)
    if growth is None:
        return []
    index = growth ** (SESSIONS_PER_YEAR / len(track.returns)) - 1.0
    return [_row(track, "cagr_minus_index", study.value("cagr", track) - index, "fraction per year")]


def _sharpe_rows(track: Track, study: Study) -> list[Row]:
    """How far the Sharpe ratio is from those of the references, and how likely chance alone would take it there."""
    rows: list[Row] = []
    for reference in (*study.parameters.benchmark_funds[:1], *REFERENCES):
        other = study.tracks.get((reference, track.cost_basis))
        if other is None or reference == track.strategy:
            continue
        value, (low, high, p_value) = study.value("sharpe", track) - study.value("sharpe", other), _test(track, other, study)
        rows.append(_row(track, f"sharpe_minus_{reference}", value, "ratio, annual", low, high))
        rows.append(_row(track, f"sharpe_minus_{reference}_p", p_value, "probability"))
    return rows


def _test(track: Track, other: Track, study: Study) -> tuple[float, float, float]:
    """Interval and p-value of the difference; unknown in short windows and for a series that never moves."""
    p, excess = study.parameters, [x.returns - study.window.risk_free for x in (track, other)]
    n = len(study.window.sessions)
    if n < MINIMUM or p.resamples == 0 or any(not np.ptp(x) > 0.0 for x in excess):
        return np.nan, np.nan, np.nan
    block = min(max(1, round(p.block)), n // 4) if p.block else None
    found = sharpe_difference(*excess, seed=p.seed, resamples=p.resamples, block=block, confidence=p.confidence)
    return found.low, found.high, found.bootstrap_p_value


def _row(track: Track, name: str, value: float, unit: str, low: float = np.nan, high: float = np.nan) -> Row:
    return {
        "strategy": track.strategy,
        "cost_basis": track.cost_basis,
        "measure": name,
        "value": value,
        "ci_low": low,
        "ci_high": high,
        "unit": unit,
    }
