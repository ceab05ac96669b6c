"""Staging room: raw tables with the project's names and types, one to one. SQL; nothing is filtered or repaired."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Instant, Table, column, table
from etf_pipeline.schemas.raw import ACTION_KINDS, ADJUSTMENTS, ASSET_CLASSES, VINTAGES


@table(room="staging", key=("ticker", "session", "source", "source_row"), causality="source", chunk="session")
class StgPrices(Table):
    """Daily bars under the permanent names of their funds: an earlier owner of a reused ticker is another fund."""

    session: pl.Date = column("Exchange session", unit="date")
    ticker: pl.String = column("Permanent name of the fund", unit="identifier")
    traded_ticker: pl.String = column("Ticker as the exchange showed it", unit="identifier")
    open: pl.Float64 = column("First price", unit="listing currency", nullable=True)
    high: pl.Float64 = column("Highest price", unit="listing currency", nullable=True)
    low: pl.Float64 = column("Lowest price", unit="listing currency", nullable=True)
    close: pl.Float64 = column("Last price", unit="listing currency", nullable=True)
    volume: pl.Float64 = column("Shares traded, in the share basis that `adjustment` names", unit="shares", nullable=True)
    currency: pl.String = column("Currency of the prices", unit="ISO 4217")
    exchange: pl.String = column("Exchange calendar of the listing", unit="ISO 10383")
    adjustment: pl.String = column("What the source already applied", unit="category", isin=ADJUSTMENTS)
    source: pl.String = column("File or feed of the row", unit="identifier")
    source_row: pl.Int64 = column("Row within the source, from 0", unit="count", ge=0)


@table(
    room="staging",
    key=("ticker", "ex_date", "kind", "source"),
    causality="source",
    available="available_at",
    allow_empty=True,
)
class StgActions(Table):
    """Corporate actions under the permanent names of their funds; a rename within one fund is no action."""

    ticker: pl.String = column("Permanent name of the fund", unit="identifier")
    ex_date: pl.Date = column("Ex-date, or the last session of a ticker that ends", unit="date")
    kind: pl.String = column("What happens", unit="category", isin=ACTION_KINDS)
    value: pl.Float64 = column("Ratio or amount, as `raw_actions.value`", unit="ratio or listing currency per share")
    pay_date: pl.Date = column("When cash or shares arrive", unit="date", nullable=True)
    successor: pl.String = column("Fund that the holding becomes", unit="identifier", nullable=True)
    currency: pl.String = column("Currency of a cash amount", unit="ISO 4217")
    available_at: Instant = column("When the action was announced", unit="UTC instant")
    value_known_at: Instant = column("When `value` was known, if later", unit="UTC instant")
    source: pl.String = column("File or feed of the row", unit="identifier")
    source_row: pl.Int64 = column("Number of the action within the source, from 0", unit="count", ge=0)


@table(room="staging", key=("ticker", "as_of"), causality="source", available="available_at", allow_empty=True, chunk="as_of")
class StgAum(Table):
    """Assets under management, point in time, by fund."""

    ticker: pl.String = column("Permanent name of the fund", unit="identifier")
    as_of: pl.Date = column("Date the value refers to", unit="date")
    aum_value: pl.Float64 = column("Assets under management", unit="USD", ge=0)
    available_at: Instant = column("When it was published", unit="UTC instant")


@table(room="staging", key=("ticker", "traded_ticker", "valid_from"), causality="source", allow_empty=True)
class StgTickerHistory(Table):
    """Tickers that each fund has traded under. A fund that is not listed here trades under its own name."""

    ticker: pl.String = column("Permanent name of the fund", unit="identifier")
    traded_ticker: pl.String = column("Ticker as the exchange shows it", unit="identifier")
    valid_from: pl.Date = column("First session under it", unit="date")
    valid_to: pl.Date = column("Last session under it; 2261-12-31 while it goes on", unit="date")


@table(room="staging", key=("ticker",), causality="source", available="snapshot_at")
class StgReference(Table):
    """What each fund is, with a plain flag for leveraged and inverse products."""

    ticker: pl.String = column("Permanent name of the fund", unit="identifier")
    traded_ticker: pl.String = column("Its newest ticker", unit="identifier")
    name: pl.String = column("Fund name", unit="text", nullable=True)
    asset_class: pl.String = column("Broad class", unit="category", isin=ASSET_CLASSES)
    category: pl.String = column("Finer category", unit="category", nullable=True)
    family: pl.String = column("Issuer", unit="identifier", nullable=True)
    currency: pl.String = column("Listing currency", unit="ISO 4217")
    exchange: pl.String = column("Exchange calendar of the listing", unit="ISO 10383")
    inception: pl.Date = column("First day of the fund", unit="date", nullable=True)
    expense_ratio: pl.Float64 = column("Annual expense ratio", unit="fraction per year", nullable=True)
    is_geared: pl.Boolean = column("Leveraged or inverse: its multiple is not 1", unit="flag")
    leverage: pl.Float64 = column("Daily target multiple", unit="ratio")
    aum_value: pl.Float64 = column("Assets under management at `snapshot_at`", unit="USD", nullable=True)
    snapshot_at: Instant = column("When this row was true", unit="UTC instant")


@table(room="staging", key=("series", "period", "available_at"), causality="source", available="available_at")
class StgMacro(Table):
    """Macro series by release instant."""

    series: pl.String = column("Series code", unit="identifier")
    period: pl.Date = column("Reference period", unit="date")
    value: pl.Float64 = column("Value in the series' own unit", unit="see `unit`")
    unit: pl.String = column("Unit of the value", unit="text")
    available_at: Instant = column("Release instant", unit="UTC instant")
    vintage: pl.String = column("`first` or `latest`", unit="category", isin=VINTAGES)
