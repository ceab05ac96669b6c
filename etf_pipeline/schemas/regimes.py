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


@table(room="regimes", key=("session",), causality="causal")
class RegimeProbabilities(Table):
    """Filtered probabilities of a hidden Markov model on the market's returns: what was known at each close, never smoothed."""

    session: pl.Date = column("Exchange session", unit="date")
    stressed: pl.Float64 = column(
        "Probability of the state with the larger variance, given returns up to this close; unknown before the first fit",
        unit="fraction",
        nullable=True,
        ge=0,
        le=1,
    )
    stressed_21: pl.Float64 = column("The same, 21 sessions ahead", unit="fraction", nullable=True, ge=0, le=1)
    fit_session: pl.Date = column("Last session that the parameters have seen", unit="date", nullable=True)
