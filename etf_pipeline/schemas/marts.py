"""Marts room: clean prices, total returns, funds and macro state, made by SQL from staging less the quarantine."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Instant, Table, column, table
from etf_pipeline.schemas.raw import ADJUSTMENTS, ASSET_CLASSES, VINTAGES


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
