"""Raw room: what a provider delivered, as it delivered it. Nothing is repaired here; `quality` decides what is fit for use."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Instant, Table, column, table

ADJUSTMENTS = ["raw", "split", "split_dividend"]
ACTION_KINDS = ["split", "dividend", "rename", "merger", "liquidation"]
ASSET_CLASSES = ["equity", "bond", "commodity", "real_estate", "currency", "alternative", "unknown"]
VINTAGES = ["first", "latest"]
LIFE_EVENTS = ["inception", "announcement", "last_trade", "liquidation", "merger", "ticker_change"]
BASES = ["given", "curated", "inferred"]


@table(room="raw", key=("ticker", "session", "source", "source_row"), causality="source", chunk="session")
class RawPrices(Table):
    """Daily bars as the source gives them, one row per line of the source; bad rows included."""

    session: pl.Date = column("Exchange session as the source dates it", unit="date")
    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    open: pl.Float64 = column("First price", unit="listing currency", nullable=True)
    high: pl.Float64 = column("Highest price", unit="listing currency", nullable=True)
    low: pl.Float64 = column("Lowest price", unit="listing currency", nullable=True)
    close: pl.Float64 = column("Last price", unit="listing currency", nullable=True)
    volume: pl.Float64 = column("Shares traded, in the share basis that `adjustment` names", unit="shares", nullable=True)
    currency: pl.String = column("Currency of the prices", unit="ISO 4217")
    exchange: pl.String = column("Exchange calendar of the listing", unit="ISO 10383")
    adjustment: pl.String = column(
        "What the source already applied to prices and volume: nothing, splits, or splits and dividends",
        unit="category",
        isin=ADJUSTMENTS,
    )
    source: pl.String = column("File or feed of the row", unit="identifier")
    source_row: pl.Int64 = column("Row within the source, from 0", unit="count", ge=0)


@table(
    room="raw",
    key=("ticker", "ex_date", "kind", "source"),
    causality="source",
    available="available_at",
    allow_empty=True,
)
class RawActions(Table):
    """Corporate actions: splits, dividends, renames, mergers and liquidations."""

    ticker: pl.String = column("Ticker the action applies to", unit="identifier")
    ex_date: pl.Date = column(
        "First session that trades without the entitlement; for merger, rename and liquidation the last session of the old ticker",
        unit="date",
    )
    kind: pl.String = column("What happens", unit="category", isin=ACTION_KINDS)
    value: pl.Float64 = column(
        "Split: new shares per old. Dividend and liquidation: amount per share. Merger: successor shares per share. Rename: 1",
        unit="ratio or listing currency per share",
        ge=0,
    )
    pay_date: pl.Date = column("When cash or shares arrive", unit="date", nullable=True)
    successor: pl.String = column("Ticker that the holding becomes (rename, merger)", unit="identifier", nullable=True)
    currency: pl.String = column("Currency of a cash amount", unit="ISO 4217")
    available_at: Instant = column(
        "When the action was announced; the ex-date's open where the source does not say", unit="UTC instant"
    )
    value_known_at: Instant = column(
        "When `value` was known, where later than the announcement: a liquidation's is settled at the end", unit="UTC instant"
    )
    source: pl.String = column("File or feed of the row", unit="identifier")
    source_row: pl.Int64 = column("Number of the action within the source, from 0", unit="count", ge=0)


@table(room="raw", key=("ticker", "valid_from"), causality="source", available="available_at", allow_empty=True)
class RawTickerHistory(Table):
    """Which fund traded under a ticker, and when. A ticker that is not listed here is the fund's own name throughout."""

    ticker: pl.String = column("Ticker as the exchange showed it", unit="identifier")
    valid_from: pl.Date = column("First session under the ticker", unit="date")
    valid_to: pl.Date = column("Last session under it; unknown while it goes on", unit="date", nullable=True)
    fund: pl.String = column(
        "Permanent name: that of the listing, kept through renames; an earlier owner of a reused ticker ends in .1, .2",
        unit="identifier",
    )
    available_at: Instant = column("When the ticker was known to be the fund's", unit="UTC instant")
    source: pl.String = column("File or feed of the row", unit="identifier")


@table(room="raw", key=("ticker", "event", "event_date", "source"), causality="source", available="known_at", allow_empty=True)
class RawLifecycle(Table):
    """Events in the life of funds that prices and actions do not carry: curated from public sources, or given by the provider."""

    ticker: pl.String = column("Permanent name of the fund", unit="identifier")
    event: pl.String = column("What happened", unit="category", isin=LIFE_EVENTS)
    event_date: pl.Date = column(
        "When it took effect: of a last trade and a merger the last session, of a ticker change the first under the new one",
        unit="date",
    )
    value: pl.Float64 = column(
        "Liquidation: amount per share; merger: successor shares per share", unit="ratio or listing currency", nullable=True, ge=0
    )
    pay_date: pl.Date = column("When cash or shares arrive", unit="date", nullable=True)
    successor: pl.String = column(
        "Fund that the holding becomes; the new ticker of a ticker change", unit="identifier", nullable=True
    )
    reason: pl.String = column("Why, in the source's words", unit="text", nullable=True)
    known_at: Instant = column("When it was public", unit="UTC instant")
    basis: pl.String = column("`given` by the provider, or `curated`", unit="category", isin=BASES)
    source: pl.String = column("Where it stands: publisher and document", unit="text")


@table(
    room="raw",
    key=("dataset", "ticker", "session", "source", "source_row", "field", "known_at"),
    causality="source",
    available="known_at",
    allow_empty=True,
)
class RawCorrections(Table):
    """Every value of the stored history that the source later gave otherwise: an append-only log. `raw_prices` holds the newest."""

    dataset: pl.String = column("Table of the value", unit="identifier")
    ticker: pl.String = column("Ticker as the source has it", unit="identifier")
    session: pl.Date = column("Session of the bar, ex-date of the action", unit="date")
    source: pl.String = column("File or feed of the row", unit="identifier")
    source_row: pl.Int64 = column("Row within the source at the time of the correction", unit="count", ge=0)
    field: pl.String = column(
        "Column that changed; `row` where the source added a row to what it had delivered before, or withdrew one",
        unit="identifier",
    )
    old_value: pl.String = column("Value before; unknown for an added row", unit="see the column", nullable=True)
    new_value: pl.String = column("Value since; unknown for a withdrawn row", unit="see the column", nullable=True)
    known_at: Instant = column("When the change was fetched", unit="UTC instant")


@table(room="raw", key=("ticker",), causality="source", available="snapshot_at")
class RawReference(Table):
    """One row per fund: what it is. A snapshot; `snapshot_at` says of when."""

    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    name: pl.String = column("Fund name", unit="text", nullable=True)
    asset_class: pl.String = column("Broad class", unit="category", isin=ASSET_CLASSES)
    category: pl.String = column("Finer category as the source has it", unit="category", nullable=True)
    family: pl.String = column("Issuer", unit="identifier", nullable=True)
    currency: pl.String = column("Listing currency", unit="ISO 4217")
    exchange: pl.String = column("Exchange calendar of the listing", unit="ISO 10383")
    inception: pl.Date = column("First day of the fund", unit="date", nullable=True)
    expense_ratio: pl.Float64 = column(
        "Annual expense ratio, already inside the fund's prices", unit="fraction per year", nullable=True, ge=0
    )
    leverage: pl.Float64 = column("Daily target multiple: 1 plain, 2 leveraged, -1 inverse", unit="ratio")
    aum_value: pl.Float64 = column(
        "Assets under management at `snapshot_at`: never use on an earlier date", unit="USD", nullable=True, ge=0
    )
    snapshot_at: Instant = column("When this row was true", unit="UTC instant")
    source: pl.String = column("File or feed of the row", unit="identifier")


@table(room="raw", key=("exchange", "session"), causality="source", available="opens_at")
class RawSessions(Table):
    """Exchange calendar: every session of every exchange that the prices name, known in advance."""

    exchange: pl.String = column("Exchange calendar", unit="ISO 10383")
    session: pl.Date = column("Exchange session", unit="date")
    opens_at: Instant = column("Open", unit="UTC instant")
    closes_at: Instant = column("Close; early on half-days", unit="UTC instant")
    is_month_end: pl.Boolean = column("Last session of its month", unit="flag")
    is_main: pl.Boolean = column("Belongs to the main exchange (`ETF_EXCHANGE`)", unit="flag")


@table(room="raw", key=("ticker", "as_of"), causality="source", available="available_at", allow_empty=True, chunk="as_of")
class RawAum(Table):
    """Assets under management, point in time. Empty where the source has none."""

    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    as_of: pl.Date = column("Date the value refers to", unit="date")
    aum_value: pl.Float64 = column("Assets under management", unit="USD", ge=0)
    available_at: Instant = column("When it was published", unit="UTC instant")


@table(room="raw", key=("series", "period", "available_at"), causality="source", available="available_at")
class RawMacro(Table):
    """Macro, rates, volatility and geopolitical series with the instant each value became public."""

    series: pl.String = column("Series code, as in `providers.macro_series`", unit="identifier")
    period: pl.Date = column("Reference period as the publisher dates it (monthly: its first day)", unit="date")
    value: pl.Float64 = column("Value in the series' own unit", unit="see `unit`")
    unit: pl.String = column("Unit of the value", unit="text")
    available_at: Instant = column("Release instant, by publication lag where no vintage exists", unit="UTC instant")
    vintage: pl.String = column(
        "`first` as published; `latest` final revision: no claim of skill rests on it", unit="category", isin=VINTAGES
    )
    source: pl.String = column("File or feed of the row", unit="identifier")


@table(room="raw", key=("factor", "session"), causality="source", available="available_at", allow_empty=True)
class RawFactors(Table):
    """Priced factor returns (market, size, value, profitability, investment, momentum) and the French risk-free rate."""

    session: pl.Date = column("Exchange session", unit="date")
    factor: pl.String = column("MKT_RF, SMB, HML, RMW, CMA, MOM or RF", unit="identifier")
    value: pl.Float64 = column("Simple return of the session", unit="fraction")
    available_at: Instant = column("When the library was updated: weeks after the month", unit="UTC instant")


@table(room="raw", key=("dataset", "source", "source_row", "rule"), causality="source", allow_empty=True)
class RawRejects(Table):
    """Lines that could not even be read into their table: text in a price, a wrong encoding, a truncated file."""

    dataset: pl.String = column("Table the line was meant for", unit="identifier")
    source: pl.String = column("File or feed", unit="identifier")
    source_row: pl.Int64 = column("Row within the source, from 0; -1 for the whole file", unit="count", ge=-1)
    session: pl.Date = column("Session, where it could be read", unit="date", nullable=True)
    ticker: pl.String = column("Ticker, where it could be read", unit="identifier", nullable=True)
    rule: pl.String = column("Rule that the line broke", unit="identifier")
    found: pl.String = column("What stood there", unit="text")
    remedy: pl.String = column("What to do next", unit="text")


@table(room="raw", key=("provider",), causality="source", available="fetched_until")
class RawSource(Table):
    """Where this run's data come from, and whether a real market stands behind them."""

    provider: pl.String = column("Provider", unit="identifier")
    origin: pl.String = column(
        "Fingerprint of provider, folder and profile: another origin is another history", unit="identifier"
    )
    simulated: pl.Boolean = column("True: no real market stands behind the numbers", unit="flag")
    label: pl.String = column("What was read, in one line", unit="text")
    fetched_until: Instant = column("Close of the last session delivered", unit="UTC instant")


@table(room="raw", key=("mandate",), causality="source", available="settings", allow_empty=True)
class RawMandates(Table):
    """Portfolios with their own universe, limits, benchmark, currency and schedule, as their files say. Settings, not data."""

    mandate: pl.String = column("Name: the portfolio's `strategy` in every table", unit="identifier")
    settings: pl.String = column("Checked settings, every value in its unit", unit="JSON")
    settings_hash: pl.String = column("SHA-256 of the settings", unit="identifier")
    source: pl.String = column("File", unit="identifier")


@table(room="raw", key=("strategy", "as_of", "ticker"), causality="source", available="available_at", allow_empty=True)
class RawHoldings(Table):
    """What is really held, from statements that people put into the holdings folder."""

    strategy: pl.String = column("Portfolio: a strategy or a mandate", unit="identifier")
    as_of: pl.Date = column("Held at this day's close", unit="date")
    ticker: pl.String = column("Fund, or CASH", unit="identifier")
    shares: pl.Float64 = column("Shares; of CASH an amount", unit="shares or listing currency")
    price: pl.Float64 = column("Price in the statement, where it gives one", unit="listing currency", nullable=True, gt=0)
    available_at: Instant = column("Since when it counts: the beginning of the day", unit="UTC instant")
    source: pl.String = column("File", unit="identifier")
    source_row: pl.Int64 = column("Row within the file, from 0", unit="count", ge=0)


@table(room="raw", key=("strategy", "date", "source_row"), causality="source", available="available_at", allow_empty=True)
class RawFlows(Table):
    """Money that came to a portfolio or went from it."""

    strategy: pl.String = column("Portfolio: a strategy or a mandate", unit="identifier")
    date: pl.Date = column("Day; it counts in the first session on or after it", unit="date")
    amount: pl.Float64 = column("Positive: paid in; negative: paid out", unit="base currency")
    available_at: Instant = column("Since when it counts: the beginning of the day", unit="UTC instant")
    source: pl.String = column("File", unit="identifier")
    source_row: pl.Int64 = column("Row within the file, from 0", unit="count", ge=0)


@table(room="raw", key=("scenario", "factor"), causality="source", available="source", allow_empty=True)
class RawScenarios(Table):
    """People's own stress scenarios, as their files say: a row per shock, or one for a window. Settings, not data."""

    scenario: pl.String = column("Name: the file's stem", unit="identifier")
    factor: pl.String = column("Shocked factor, see `stress.FACTORS`; `window` where only dates are given", unit="identifier")
    title: pl.String = column("In words", unit="text")
    start: pl.Date = column("Close before the window", unit="date", nullable=True)
    end: pl.Date = column("Close that ends it", unit="date", nullable=True)
    horizon: pl.Int64 = column("Sessions that shocks without dates take", unit="sessions", gt=0)
    alone: pl.Boolean = column("Factors that are not named stand still; else they are propagated", unit="flag")
    size: pl.Float64 = column("Size of the shock", unit="see `unit`", nullable=True)
    unit: pl.String = column("Unit of the size: fraction, bp or points", unit="text")
    source: pl.String = column("Whose view it is, or where dates and sizes come from", unit="text")
    file: pl.String = column("File", unit="identifier")
