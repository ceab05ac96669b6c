"""Universe room: which funds existed and qualified in each session, and why the others did not."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Instant, Table, column, table
from etf_pipeline.schemas.raw import BASES

FATES = ["listed", "closure", "merger", "rename", "unknown"]

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


@table(room="universe", key=("ticker", "known_from"), causality="causal", available="known_from")
class Lifecycle(Table):
    """What was known of each fund's life, and since when: a row is added each time something more is known.

    The state at an instant is the last row known by then: valid time in the columns, known time in `known_from`.
    """

    ticker: pl.String = column("Permanent name of the fund", unit="identifier")
    known_from: Instant = column("Since when the row's facts were known", unit="UTC instant")
    traded_ticker: pl.String = column("Ticker it trades under", unit="identifier")
    inception: pl.Date = column("First day of the fund; unknown where no source says so", unit="date", nullable=True)
    first_session: pl.Date = column("First bar", unit="date")
    announced_at: Instant = column("When its end was announced", unit="UTC instant", nullable=True)
    last_session: pl.Date = column("Last session it trades; unknown while it goes on", unit="date", nullable=True)
    fate: pl.String = column("`listed`, or how it ends; `unknown` where a series just ends", unit="category", isin=FATES)
    liquidation_value: pl.Float64 = column("Paid per share at the end", unit="listing currency", nullable=True, ge=0)
    pay_date: pl.Date = column("When cash or shares arrive", unit="date", nullable=True)
    successor: pl.String = column("Fund that the holding becomes", unit="identifier", nullable=True)
    ratio: pl.Float64 = column("Successor shares per share", unit="ratio", nullable=True, gt=0)
    basis: pl.String = column("`given`, `curated` or `inferred` from bars that stop", unit="category", isin=BASES)
    evidence: pl.String = column("What the row rests on, in words", unit="text")
