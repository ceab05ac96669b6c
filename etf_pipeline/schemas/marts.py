"""Marts room: clean prices, total returns, funds and macro state, made by SQL from staging less the quarantine."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Instant, Table, column, table
from etf_pipeline.schemas.raw import ACTION_KINDS, ADJUSTMENTS, ASSET_CLASSES, BASES, VINTAGES
from etf_pipeline.schemas.universe import FATES


@table(room="marts", key=("ticker", "session"), causality="causal", chunk="session")
class FctPrices(Table):
    """One clean bar per (ticker, session), with the dividend and split that take effect at its open."""

    session: pl.Date = column("Exchange session", unit="date")
    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    open: pl.Float64 = column("First price, in the source's share basis", unit="listing currency", gt=0)
    high: pl.Float64 = column("Highest price", unit="listing currency", gt=0)
    low: pl.Float64 = column("Lowest price", unit="listing currency", gt=0)
    close: pl.Float64 = column("Last price", unit="listing currency", gt=0)
    volume: pl.Float64 = column("Shares traded, in the source's share basis", unit="shares", ge=0)
    traded_value: pl.Float64 = column("close * volume: free of the share basis", unit="listing currency", ge=0)
    dividend: pl.Float64 = column(
        "Cash per share that goes ex at this open, in this session's share basis",
        unit="listing currency per share",
        ge=0,
    )
    split_ratio: pl.Float64 = column(
        "New shares per old that take effect at this open; 1 where none or already applied", unit="ratio", gt=0
    )
    currency: pl.String = column("Currency of the prices", unit="ISO 4217")
    exchange: pl.String = column("Exchange calendar", unit="ISO 10383")
    adjustment: pl.String = column(
        "What the source already applied; volume in shares looks ahead unless `raw`", unit="category", isin=ADJUSTMENTS
    )


@table(
    room="marts",
    key=("ticker", "ex_date", "kind", "source"),
    causality="realised",
    available="judged_at",
    allow_empty=True,
)
class FctActions(Table):
    """Corporate actions that take effect: staging less the quarantine. Endings are read from here, never from staging."""

    ticker: pl.String = column("Permanent name of the fund", unit="identifier")
    ex_date: pl.Date = column("Ex-date, or the last session of a ticker that ends", unit="date")
    kind: pl.String = column("What happens", unit="category", isin=ACTION_KINDS)
    value: pl.Float64 = column(
        "Split: new shares per old. Dividend and liquidation: amount per share. Merger: successor shares per share. Rename: 1",
        unit="ratio or listing currency per share",
    )
    pay_date: pl.Date = column("When cash or shares arrive", unit="date", nullable=True)
    successor: pl.String = column("Fund that the holding becomes", unit="identifier", nullable=True)
    currency: pl.String = column("Currency of a cash amount", unit="ISO 4217")
    available_at: Instant = column("When the action was announced", unit="UTC instant")
    value_known_at: Instant = column("When `value` was known: never to be used before", unit="UTC instant")
    judged_at: Instant = column(
        "When the row stood: announced, and its ex-date come, by which the quarantine has judged it", unit="UTC instant"
    )
    source: pl.String = column("File or feed of the row", unit="identifier")
    source_row: pl.Int64 = column("Number of the action within the source, from 0", unit="count", ge=0)


@table(room="marts", key=("ticker", "session"), causality="source", chunk="session")
class PricesCurrent(Table):
    """The newest known version of every clean bar, and when its source restated it."""

    session: pl.Date = column("Exchange session", unit="date")
    ticker: pl.String = column("Permanent name of the fund", unit="identifier")
    open: pl.Float64 = column("First price", unit="listing currency", gt=0)
    high: pl.Float64 = column("Highest price", unit="listing currency", gt=0)
    low: pl.Float64 = column("Lowest price", unit="listing currency", gt=0)
    close: pl.Float64 = column("Last price", unit="listing currency", gt=0)
    volume: pl.Float64 = column("Shares traded", unit="shares", ge=0)
    dividend: pl.Float64 = column("Cash per share that goes ex at this open", unit="listing currency per share", ge=0)
    split_ratio: pl.Float64 = column("New shares per old at this open", unit="ratio", gt=0)
    adjustment: pl.String = column("What the source already applied", unit="category", isin=ADJUSTMENTS)
    restated_at: Instant = column(
        "When the source last gave other values than before; unknown if never", unit="UTC instant", nullable=True
    )
    corrections: pl.Int64 = column("Values of this bar in `raw_corrections`", unit="count", ge=0)


@table(room="marts", key=("ticker", "session"), causality="causal", chunk="session")
class FctReturns(Table):
    """Total return of each session and the forward total-return index that grows from it."""

    session: pl.Date = column("Exchange session", unit="date")
    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    total_return: pl.Float64 = column(
        "(close * split_ratio + dividend * split_ratio) / previous close - 1; unknown in a ticker's first session",
        unit="fraction",
        nullable=True,
        gt=-1,
    )
    open_return: pl.Float64 = column("Same, up to this session's open", unit="fraction", nullable=True, gt=-1)
    index_close: pl.Float64 = column(
        "Forward total-return index at the close, 1 at the first close: later dividends never change it",
        unit="index",
        gt=0,
    )
    index_open: pl.Float64 = column("Forward total-return index at the open", unit="index", gt=0)
    gap_days: pl.Int64 = column("Calendar days since the previous bar", unit="days", nullable=True, ge=1)


@table(room="marts", key=("ticker",), causality="source")
class DimEtf(Table):
    """One row per fund that has a clean bar: what it is. Facts that do not change over its life, and nothing that looks ahead."""

    ticker: pl.String = column("Permanent name of the fund", unit="identifier")
    traded_ticker: pl.String = column("Its newest ticker: what an order names", unit="identifier")
    name: pl.String = column("Fund name", unit="text", nullable=True)
    asset_class: pl.String = column("Broad class; `unknown` where no reference row exists", unit="category", isin=ASSET_CLASSES)
    category: pl.String = column("Finer category", unit="category", nullable=True)
    family: pl.String = column("Issuer", unit="identifier", nullable=True)
    currency: pl.String = column("Listing currency", unit="ISO 4217")
    exchange: pl.String = column("Exchange calendar", unit="ISO 10383")
    inception: pl.Date = column("First day of the fund", unit="date", nullable=True)
    expense_ratio: pl.Float64 = column("Annual expense ratio", unit="fraction per year", nullable=True)
    is_geared: pl.Boolean = column("Leveraged or inverse", unit="flag")


@table(room="marts", key=("series", "session"), causality="causal", chunk="session")
class FctMacro(Table):
    """Each macro series as it was known at the close of each session of the main exchange."""

    session: pl.Date = column("Exchange session", unit="date")
    series: pl.String = column("Series code", unit="identifier")
    value: pl.Float64 = column("Latest value released by the close", unit="see stg_macro.unit")
    period: pl.Date = column("Reference period of that value", unit="date")
    released_at: Instant = column("When it was released", unit="UTC instant")
    vintage: pl.String = column("`first` or `latest`", unit="category", isin=VINTAGES)


@table(room="marts", key=("ticker", "known_from"), causality="summary")
class DimLifecycle(Table):
    """`lifecycle` with the span of time in which each row was the newest: the state as of an instant is the row that spans it."""

    ticker: pl.String = column("Permanent name of the fund", unit="identifier")
    known_from: Instant = column("Since when the row's facts were known", unit="UTC instant")
    traded_ticker: pl.String = column("Ticker it trades under", unit="identifier")
    inception: pl.Date = column("First day of the fund; unknown where no source says so", unit="date", nullable=True)
    first_session: pl.Date = column("First bar", unit="date")
    announced_at: Instant = column("When its end was announced; unknown where bars just stop", unit="UTC instant", nullable=True)
    last_session: pl.Date = column("Last session it trades, perhaps still to come", unit="date", nullable=True)
    fate: pl.String = column("`listed`, or how it ends; `unknown` where nobody says how", unit="category", isin=FATES)
    liquidation_value: pl.Float64 = column("Paid per share at the end", unit="listing currency", nullable=True, ge=0)
    pay_date: pl.Date = column("When cash or shares arrive", unit="date", nullable=True)
    successor: pl.String = column("Fund that the holding becomes", unit="identifier", nullable=True)
    ratio: pl.Float64 = column("Successor shares per share", unit="ratio", nullable=True, gt=0)
    basis: pl.String = column("`given`, `curated` or `inferred`", unit="category", isin=BASES)
    evidence: pl.String = column("What the row rests on, in words", unit="text")
    known_to: Instant = column("When more became known; unknown for the newest row", unit="UTC instant", nullable=True)
    is_current: pl.Boolean = column("Nothing more is known by now", unit="flag")


@table(room="marts", key=("strategy", "as_of", "ticker"), causality="causal", available="available_at", allow_empty=True)
class FctHoldings(Table):
    """Stated holdings at their price: that of the statement, else the newest close up to its day."""

    strategy: pl.String = column("Portfolio: a strategy or a mandate", unit="identifier")
    as_of: pl.Date = column("Held at this day's close", unit="date")
    ticker: pl.String = column("Permanent name of the fund, or CASH", unit="identifier")
    shares: pl.Float64 = column("Shares; of CASH an amount", unit="shares or listing currency")
    price: pl.Float64 = column("Price; unknown where nothing traded by then", unit="listing currency", nullable=True, gt=0)
    priced_on: pl.Date = column("Day of the price", unit="date", nullable=True)
    value: pl.Float64 = column("shares * price", unit="listing currency", nullable=True)
    available_at: Instant = column("Since when it counts", unit="UTC instant")
