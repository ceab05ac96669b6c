"""Validation beside the way it is usually written: rank correlations per date, overfitting per combination, trades in a loop."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata, spearmanr
from statsmodels.duration.survfunc import SurvfuncRight

from etf_pipeline.validation import backtest_overfitting, kaplan_meier, rank_correlations, trade_drawdowns

SESSIONS, FUNDS, HORIZON = 3780, 500, 21


def run() -> list[dict[str, Any]]:
    """Time each pair on the same arrays; where the slow side runs on a part and is scaled up, the note says so."""
    rng = np.random.default_rng(3)
    forecast, outcome = rng.standard_normal((SESSIONS, FUNDS)), rng.standard_normal((SESSIONS, FUNDS))
    return [_ranks(forecast, outcome), _overfitting(rng), _drawdowns(rng), _survival(rng)]


def _row(name: str, ours: float, peer: float, accuracy: float, gate: float, n: int, note: str) -> dict[str, Any]:
    figures = {"ours_s": ours, "peer_s": peer, "ratio": peer / ours, "accuracy": accuracy, "gate": gate}
    return {"name": name, **figures, "n": n, "note": note}


def _ranks(forecast: Any, outcome: Any) -> dict[str, Any]:
    ours, made = _timed(lambda: rank_correlations(forecast, outcome))
    peer, theirs = _timed(lambda: np.array([spearmanr(f, y).statistic for f, y in zip(forecast, outcome, strict=True)]))
    error = float(np.abs(made - theirs).max())
    return _row(
        "rank correlation per session", ours, peer, error, 1e-12, forecast.size, "scipy.stats.spearmanr session by session"
    )


def _overfitting(rng: np.random.Generator) -> dict[str, Any]:
    returns = 0.01 * rng.standard_normal((2520, 50))
    ours, made = _timed(lambda: backtest_overfitting(returns, 12))
    peer, theirs = _timed(lambda: np.array(_slow_logits(returns, 12)))
    note = "each of 924 combinations by itself, numpy"
    return _row(
        "probability of backtest overfitting", ours, peer, float(np.abs(made.logits - theirs).max()), 1e-9, returns.size, note
    )


def _slow_logits(returns: Any, blocks: int) -> list[float]:
    parts, logits = np.array_split(returns, blocks), []
    for chosen in itertools.combinations(range(blocks), blocks // 2):
        here = np.vstack([parts[k] for k in chosen])
        there = np.vstack([parts[k] for k in range(blocks) if k not in chosen])
        inside, outside = (x.mean(axis=0) / x.std(axis=0, ddof=1) for x in (here, there))
        rank = rankdata(outside)[inside.argmax()] / (returns.shape[1] + 1)
        logits.append(math.log(rank / (1 - rank)))
    return logits


def _drawdowns(rng: np.random.Generator) -> dict[str, Any]:
    close = 100 * np.exp(np.cumsum(0.01 * rng.standard_normal((SESSIONS, FUNDS)), axis=0))
    trade_drawdowns(close[:30], close[:30], HORIZON)
    ours, made = _timed(lambda: trade_drawdowns(close, close, HORIZON))
    part, theirs = _timed(lambda: _slow_drawdowns(close[:, 0]))
    error = float(np.nanmax(np.abs(made[:, 0] - theirs)))
    note = "pandas cummax per trade, timed on one fund and multiplied"
    return _row("largest fall of every trade", ours, part * FUNDS, error, 1e-12, close.size, note)


def _slow_drawdowns(close: Any) -> Any:
    out = np.full(len(close), np.nan)
    for t in range(len(close) - HORIZON):
        path = pd.Series(close[t + 1 : t + HORIZON + 1])
        out[t] = (1 - path / path.cummax()).max()
    return out


def _survival(rng: np.random.Generator) -> dict[str, Any]:
    durations, events = rng.integers(1, 22, 200_000).astype(float), rng.random(200_000) < 0.6
    ours, made = _timed(lambda: kaplan_meier(durations, events))
    peer, theirs = _timed(lambda: SurvfuncRight(durations, events.astype(float)))
    error = float(np.abs(made.survival - theirs.surv_prob).max())
    return _row("Kaplan-Meier curve", ours, peer, error, 1e-12, len(durations), "statsmodels SurvfuncRight")


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    made = call()
    return time.perf_counter() - start, made
