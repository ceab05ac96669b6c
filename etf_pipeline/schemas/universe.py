"""Universe room: which funds existed and qualified in each session, and why the others did not."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Instant, Table, column, table
from etf_pipeline.schemas.raw import BASES

FATES = ["listed", "closure", "merger", "rename", "unknown"]
DETECTED_KINDS = ["missing_split", "unseen_split"]
WITNESS = ["split", "no_split", "nothing"]

REASONS = [
    "member",
    "not_listed",
    "other_exchange",
    "geared",
    "ended",
    "ending",
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
    mean_volume: pl.Float64 = column(
        "Mean shares traded, 20 sessions; unknown where a bar of them is in later shares", unit="shares", nullable=True
    )
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
    announced_at: Instant = column("When its end was announced; unknown where bars just stop", unit="UTC instant", nullable=True)
    last_session: pl.Date = column(
        "Last session it trades, perhaps still to come; unknown while it goes on", unit="date", nullable=True
    )
    fate: pl.String = column("`listed`, or how it ends; `unknown` where nobody says how", unit="category", isin=FATES)
    liquidation_value: pl.Float64 = column("Paid per share at the end", unit="listing currency", nullable=True, ge=0)
    pay_date: pl.Date = column("When cash or shares arrive", unit="date", nullable=True)
    successor: pl.String = column("Fund that the holding becomes", unit="identifier", nullable=True)
    ratio: pl.Float64 = column("Successor shares per share", unit="ratio", nullable=True, gt=0)
    basis: pl.String = column(
        "Who says how it ends: the provider (`given`), a `curated` document, or nobody: `inferred` from bars that stop",
        unit="category",
        isin=BASES,
    )
    evidence: pl.String = column("Everything that the row rests on, in words, oldest first", unit="text")


@table(
    room="universe",
    key=("ticker", "session", "kind"),
    causality="causal",
    available="available_at",
    allow_empty=True,
)
class DetectedActions(Table):
    """Splits that prices show but no action tells, with what volume says of it, and splits that are told but prices do not show.

    Proposals for a person: nothing is adjusted by them.
    """

    ticker: pl.String = column("Permanent name of the fund", unit="identifier")
    session: pl.Date = column(
        "First session at the new price level; of an unseen split the first bar from its ex-date on", unit="date"
    )
    kind: pl.String = column("`missing_split` or `unseen_split`", unit="category", isin=DETECTED_KINDS)
    ratio: pl.Float64 = column("New shares per old: proposed, or as the action has it", unit="ratio", gt=0)
    price_ratio: pl.Float64 = column("Close before over close, after the splits that are told", unit="ratio", gt=0)
    volume_ratio: pl.Float64 = column("Median volume after over median volume before, in shares", unit="ratio", nullable=True)
    value_ratio: pl.Float64 = column("The same of traded value: about 1 across a split", unit="ratio", nullable=True)
    volume_says: pl.String = column(
        "`split` where volume made up for the move, `no_split` where it did not, `nothing` where too few bars trade",
        unit="category",
        isin=WITNESS,
    )
    available_at: Instant = column("Close of the session that confirmed the level", unit="UTC instant")
    evidence: pl.String = column("What speaks for it, in words", unit="text")
    proposal: pl.String = column("Line to add to, or to check in, `actions.csv`: ticker,ex_date,kind,value", unit="text")
