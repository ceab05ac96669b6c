"""Universe room: which funds existed and qualified in each session, and why the others did not."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Table, column, table

REASONS = [
    "member",
    "not_listed",
    "other_exchange",
    "geared",
    "not_seasoned",
    "illiquid_shares",
    "illiquid_value",
    "small_aum",
    "stale",
    "low_price",
]


@table(room="universe", key=("ticker", "session"), causality="causal", chunk="session")
class UniverseMembership(Table):
    """One row per fund and session in which it has a bar: member or not, with the first screen that it failed."""

    session: pl.Date = column("Exchange session", unit="date")
    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    member: pl.Boolean = column("May be held from the next session on", unit="flag")
    reason: pl.String = column("`member`, or the first screen that failed", unit="category", isin=REASONS)
    aum_unknown: pl.Boolean = column("No point-in-time AUM: the AUM screen gave way to traded value", unit="flag")
    shares_look_ahead: pl.Boolean = column(
        "Volume is split-adjusted with later splits: the share screen gave way to traded value", unit="flag"
    )
    history_sessions: pl.Int64 = column("Bars so far", unit="count", ge=1)
    mean_volume: pl.Float64 = column("Mean shares traded, 20 sessions", unit="shares", nullable=True)
    mean_traded_value: pl.Float64 = column("Mean traded value, 20 sessions", unit="listing currency", nullable=True)
    aum_value: pl.Float64 = column("Latest AUM known at the close", unit="USD", nullable=True)
