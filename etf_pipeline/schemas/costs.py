"""Costs room: what trading each fund costs, as known at the close."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Table, column, table


@table(room="costs", key=("ticker", "session"), causality="causal", chunk="session")
class Liquidity(Table):
    """Inputs of the transaction-cost function per fund and session, and the cost of a reference ticket."""

    session: pl.Date = column("Exchange session", unit="date")
    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    daily_value: pl.Float64 = column("Mean traded value, 20 sessions", unit="listing currency", nullable=True, ge=0)
    daily_volatility: pl.Float64 = column(
        "Volatility of a session, from `volatilities.volatility`", unit="fraction", nullable=True, ge=0
    )
    amihud_rank: pl.Float64 = column(
        "Rank of mean |return| per traded value among the session's members, 0 most liquid",
        unit="fraction",
        nullable=True,
        ge=0,
        le=1,
    )
    half_spread: pl.Float64 = column("Half of the bid-ask spread", unit="fraction", nullable=True, ge=0)
    reference_cost: pl.Float64 = column("Spread, impact and commission of a 100,000 order", unit="fraction", nullable=True, ge=0)


ESTIMATORS = ["edge", "abdi_ranaldo", "corwin_schultz"]


@table(room="costs", key=("ticker", "session", "estimator"), causality="causal", allow_empty=True)
class SpreadEstimates(Table):
    """Full bid-ask spread of each fund at each month's end, as its last 60 bars tell it, beside the one that is charged."""

    session: pl.Date = column("Last session of a month", unit="date")
    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    estimator: pl.String = column("As in `costs.SPREAD_ESTIMATORS`", unit="category", isin=ESTIMATORS)
    spread: pl.Float64 = column(
        "Estimate, zero where the raw one is negative; unknown where a bar is", unit="fraction", nullable=True, ge=0
    )
    resolution: pl.Float64 = column(
        "Smallest spread that the bars could tell from zero, one-sided 95 %", unit="fraction", nullable=True, ge=0
    )
    model_spread: pl.Float64 = column("Twice `liquidity.half_spread`", unit="fraction", nullable=True, ge=0)
