"""Scoring room: one rank per fund from forecast, momentum, risk, liquidity and cost."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Table, column, table
from etf_pipeline.schemas.regimes import REGIMES


@table(room="scoring", key=("ticker", "session"), causality="causal", chunk="session")
class Scores(Table):
    """Composite score of each member with the contributions that add up to it."""

    session: pl.Date = column("Exchange session", unit="date")
    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    regime: pl.String = column("Regime whose weights were used", unit="category", isin=REGIMES)
    score: pl.Float64 = column("Sum of the contributions", unit="z-score")
    rank: pl.Int64 = column("1 is the best of the session", unit="count", ge=1)
    forecast_part: pl.Float64 = column("Weight times z-score of the expected return", unit="z-score")
    momentum_part: pl.Float64 = column("Weight times z-score of momentum 12-1", unit="z-score")
    risk_part: pl.Float64 = column("Minus weight times z-score of volatility", unit="z-score")
    liquidity_part: pl.Float64 = column("Weight times z-score of log traded value", unit="z-score")
    cost_part: pl.Float64 = column("Minus weight times z-score of the reference cost", unit="z-score")
