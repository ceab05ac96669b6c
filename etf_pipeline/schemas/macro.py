"""Macro room: the state of rates, credit, inflation, activity and geopolitics as released, and what it says about each fund."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Table, column, table
from etf_pipeline.schemas.raw import VINTAGES


@table(room="macro", key=("ticker", "session"), causality="causal", chunk="session")
class MacroAdjustments(Table):
    """Multipliers of each member by macro and geopolitical state, bounded, with the dates of what they rest on."""

    session: pl.Date = column("Exchange session", unit="date")
    ticker: pl.String = column("Permanent name of the fund", unit="identifier")
    macro_multiplier: pl.Float64 = column("Above 1 where the macro state favours the fund", unit="ratio", ge=0.5, le=1.5)
    geo_multiplier: pl.Float64 = column("Above 1 where the geopolitical state favours the fund", unit="ratio", ge=0.5, le=1.5)
    macro_as_of: pl.Date = column("Oldest reference period among the macro inputs", unit="date", nullable=True)
    geo_as_of: pl.Date = column("Reference period of the geopolitical input", unit="date", nullable=True)
    vintage: pl.String = column(
        "`latest` if any input is known only in its final revision: no claim of skill rests on the row",
        unit="category",
        isin=VINTAGES,
    )
    reason: pl.String = column("What moved the multipliers most, in words", unit="text")
