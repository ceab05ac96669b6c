"""What a fetch brings, laid over what earlier fetches brought: the newest values, a log of what was restated, and news.

A provider that fetches only what is missing gets told what there is (`Known`); its rows then extend the stored prices from their
first day on, so that a night's work does not grow with history.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd
import polars as pl
import pyarrow as arrow
import pyarrow.compute as pc

from etf_pipeline import calendars
from etf_pipeline.errors import NotMaterialised
from etf_pipeline.orchestration.increments import Extension
from etf_pipeline.orchestration.portfolio_files import read_portfolio_files, tables_of
from etf_pipeline.orchestration.scenario_files import read_scenarios
from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.providers import Known, RawMarket
from etf_pipeline.providers.restatements import WATCHED, restate
from etf_pipeline.redaction import redact, redact_table
from etf_pipeline.schemas import TABLES
from etf_pipeline.schemas.contract import to_polars
from etf_pipeline.settings import Settings
from etf_pipeline.warehouse import Version
from etf_pipeline.warehouse.chunks import seam

PRICES, LOG = "raw_prices", "raw_corrections"
LAID_OVER = (
    PRICES,
    "raw_actions",
    "raw_reference",
    "raw_aum",
    "raw_macro",
    "raw_factors",
)
"""Tables in which a partial fetch is laid over what is stored. The others are told whole each time: who was called what, and what
happened to whom, are small, and a corrected date must not stand beside the wrong one."""

Tables = dict[str, arrow.Table]


@dataclass(frozen=True)
class Ingested:
    """The raw tables of a run.

    Attributes
    ----------
    tables : dict of str to pyarrow.Table
        To be written; prices from the extension's day on.
    extends : Extension or None
        Stored prices that stay as they are before that day.
    restated : int
        Values of the history that the source gave otherwise than before.
    """

    tables: Tables
    extends: Extension | None
    restated: int


def stored_versions(tables: TableStore, chosen: Settings) -> dict[str, Version]:
    """Raw tables of an earlier fetch from the same origin, as they are visible; none where they came from elsewhere."""
    made = tables.head("raw_source")
    if made is None or tables.warehouse.read_version(made).to_pylist()[0].get("origin") != origin_of(chosen):
        return {}
    found = {name: version for name in LAID_OVER if (version := tables.head(name))}
    return found if len(found) == len(LAID_OVER) else {}


def origin_of(chosen: Settings) -> str:
    """Fingerprint of where data come from: the provider, its folder, and the size of the simulated market.

    Another origin is another history: its rows are no restatements of those that are stored.
    """
    profile = chosen.profile if chosen.provider == "simulated" else ""
    told = f"{chosen.provider}|{chosen.files_root or ''}|{profile}"
    return f"{chosen.provider}-{hashlib.sha256(told.encode()).hexdigest()[:12]}"


def known_from(tables: TableStore, stored: Mapping[str, Version]) -> Known | None:
    """What the stored tables hold, for a provider that fetches only what is missing."""
    if not stored:
        return None
    bars = to_polars(tables.warehouse.read_version(stored[PRICES], ["ticker", "exchange", "session"]))
    macro = to_polars(tables.warehouse.read_version(stored["raw_macro"], ["series", "period"]))
    span = bars.group_by("ticker", "exchange").agg(
        pl.col("session").min().alias("first_session"),
        pl.col("session").max().alias("last_session"),
        pl.col("session").n_unique().alias("sessions"),
    )
    return Known(
        spans=span.select("ticker", "first_session", "last_session").sort("ticker").to_pandas(),
        gaps=_gaps(bars, span),
        macro=macro.group_by("series").agg(pl.col("period").max().alias("last_period")).sort("series").to_pandas(),
    )


def _gaps(bars: pl.DataFrame, spans: pl.DataFrame) -> pd.DataFrame:
    """Sessions inside each ticker's span without a bar."""
    parts = [pd.DataFrame({"ticker": pd.Series(dtype=object), "session": pd.Series(dtype="datetime64[ns]")})]
    for ticker, exchange, first, last, held in spans.sort("ticker").rows():
        days = calendars.sessions(exchange, first, last)
        if held < len(days):
            there = pd.DatetimeIndex(bars.filter(pl.col("ticker") == ticker)["session"].to_list())
            parts.append(pd.DataFrame({"ticker": ticker, "session": days.difference(there)}))
    return pd.concat(parts, ignore_index=True)


def ingest(
    tables: TableStore, stored: Mapping[str, Version], market: RawMarket, chosen: Settings, known_at: datetime
) -> Ingested:
    """Lay a fetch over the stored tables.

    Parameters
    ----------
    stored : mapping of str to Version
        As `stored_versions` gives them.
    known_at : datetime
        Instant of the fetch, which every correction carries. [UTC]

    Raises
    ------
    ContractError
        If a frame of the provider lacks columns or holds other types than its contract says.
    NotMaterialised
        If a partial fetch has nothing to be laid over.
    """
    made = {name: redact_table(TABLES[name].to_arrow(frame)) for name, frame in frames_of(market).items()}
    if not market.whole and not stored:
        raise NotMaterialised(
            f"provider '{chosen.provider}' brought only part of its history and nothing is stored. Fetch all of it."
        )
    extends = _extension(tables, stored, made[PRICES]) if stored and not market.whole else None
    log = []
    for name in WATCHED if stored else ():
        stretch = extends if name == PRICES else None
        before = tables.warehouse.read_version(stored[name], since=stretch.since if stretch else None)
        taken = tables.warehouse.read_version(stored[name], ["source", "source_row"]) if stretch else before
        result = restate(name, before, made[name], known_at, whole=market.whole, taken=taken)
        made[name] = result.rows
        log.append(result.corrections)
    if not market.whole:
        for name in set(LAID_OVER) - set(WATCHED):
            made[name] = newest(name, tables.warehouse.read_version(stored[name]), made[name])
    head = tables.head(LOG)
    earlier = [tables.warehouse.read_version(head)] if head else []  # the log only grows, whoever is asked
    made[LOG] = TABLES[LOG].conform(arrow.concat_tables([TABLES[LOG].arrow_schema.empty_table(), *earlier, *log]))
    made["raw_sessions"] = _sessions(tables, stored, made[PRICES], chosen, extends)
    made["raw_source"] = TABLES["raw_source"].to_arrow(source_table(market, made[PRICES], chosen))
    made |= _portfolios(made, chosen)
    until = made["raw_source"]["fetched_until"].to_pylist()[0]
    made["raw_scenarios"] = read_scenarios(chosen, made["raw_sessions"], until)
    return Ingested(made, extends, sum(part.num_rows for part in log))


def _portfolios(made: Tables, chosen: Settings) -> Tables:
    """Mandates, holdings and flows, and the rejects with those rows of them that cannot be used."""
    files = read_portfolio_files(chosen, frozenset(made["raw_reference"]["ticker"].to_pylist()))
    refused = TABLES["raw_rejects"].to_arrow(files.rejects)
    return dict(tables_of(files)) | {
        "raw_rejects": TABLES["raw_rejects"].in_key_order(arrow.concat_tables([made["raw_rejects"], refused]))
    }


def _extension(tables: TableStore, stored: Mapping[str, Version], prices: arrow.Table) -> Extension | None:
    days = prices["session"].to_pylist() or [date.max]
    labels = [file.chunk for file in tables.warehouse.files_of(stored[PRICES])]
    since = seam(labels, min(days), max(days)) if prices.num_rows else None
    return Extension({PRICES: stored[PRICES]}, since) if since else None


def newest(name: str, stored: arrow.Table, fetched: arrow.Table) -> arrow.Table:
    """Stored rows and fetched ones; of equal keys the fetched."""
    contract = TABLES[name]
    rows = pl.concat([to_polars(stored), to_polars(fetched)]).unique(list(contract.key), keep="last", maintain_order=True)
    return contract.conform(rows.to_arrow())


def frames_of(market: RawMarket) -> dict[str, pd.DataFrame]:
    """The provider's frames by raw table."""
    return {
        PRICES: market.prices,
        "raw_actions": market.actions,
        "raw_reference": market.reference,
        "raw_aum": market.aum,
        "raw_macro": market.macro,
        "raw_factors": market.factors,
        "raw_rejects": market.rejects,
        "raw_ticker_history": market.ticker_history,
        "raw_lifecycle": market.lifecycle,
    }


def source_table(market: RawMarket, prices: arrow.Table, chosen: Settings) -> pd.DataFrame:
    """One row that says where the data come from."""
    days = pd.DatetimeIndex(prices["session"].unique().to_pandas()).dropna().sort_values()
    last = days.intersection(calendars.sessions(chosen.exchange, days.min(), days.max())).sort_values()[-1:]
    return pd.DataFrame(
        {
            "provider": [chosen.provider],
            "origin": [origin_of(chosen)],
            "simulated": [market.simulated],
            "label": [redact(market.label)],
            "fetched_until": calendars.closes(chosen.exchange, last),
        }
    )


def _sessions(
    tables: TableStore, stored: Mapping[str, Version], prices: arrow.Table, chosen: Settings, extends: Extension | None
) -> arrow.Table:
    contract, version = TABLES["raw_sessions"], tables.head("raw_sessions")
    made = contract.to_arrow(session_table(prices, chosen.exchange))
    if extends is None or version is None:
        return made
    before = tables.warehouse.read_version(version)
    if pc.all(pc.equal(before["is_main"], pc.equal(before["exchange"], chosen.exchange))).as_py():
        return newest("raw_sessions", before, made)
    columns = ["session", "exchange"]  # another main exchange than before: nothing stands as it was
    earlier = tables.warehouse.read_version(stored[PRICES], columns, before=extends.since)
    return contract.to_arrow(session_table(arrow.concat_tables([earlier, prices.select(columns)]), chosen.exchange))


def session_table(prices: arrow.Table, main: str) -> pd.DataFrame:
    """Sessions of every exchange over the span of the prices, to the end of the last month."""
    bars = to_polars(prices.select(["session", "exchange"])).drop_nulls()
    days = pd.DatetimeIndex(bars["session"].sort().to_list())
    middle = days[len(days) // 2]  # a date in the year 2999 must not stretch the calendar
    days = days[(days >= pd.Timestamp(calendars.FIRST_SESSION)) & (days <= middle + pd.Timedelta(days=366 * 25))]
    begin, end = days[0], days[-1] + pd.offsets.MonthEnd(0)
    parts = []
    for exchange in sorted({main, *bars["exchange"].unique()}):
        days = calendars.sessions(exchange, begin, end)
        parts.append(
            pd.DataFrame(
                {
                    "exchange": exchange,
                    "session": days,
                    "opens_at": calendars.opens(exchange, days),
                    "closes_at": calendars.closes(exchange, days),
                    "is_month_end": days.isin(calendars.month_ends(days, exchange)),
                    "is_main": exchange == main,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
