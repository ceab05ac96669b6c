"""Regimes room: which market state each session was in, as far as its own close could tell."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Table, column, table

REGIMES = ["bull", "bear", "sideways", "unknown"]


@table(room="regimes", key=("session",), causality="causal")
class Regimes(Table):
    """The plan's rule on VIX and the market's 200-session mean, with warm-up, hysteresis and dwell."""

    session: pl.Date = column("Exchange session", unit="date")
    regime: pl.String = column("State", unit="category", isin=REGIMES)
    candidate: pl.String = column("State that the rule alone would give", unit="category", isin=REGIMES)
    reason: pl.String = column("Which condition decided", unit="text")
    days_in_state: pl.Int64 = column("Sessions since the state began", unit="sessions", ge=1)
    vix: pl.Float64 = column("VIX close", unit="index points", nullable=True)
    distance_200: pl.Float64 = column(
        "Market total-return index over its 200-session mean, less 1", unit="fraction", nullable=True
    )
