"""Raw room: what does the chosen provider have? One fetch fills every raw table, so that they belong together."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pandas as pd
import polars as pl
import pyarrow as arrow

from etf_pipeline import calendars
from etf_pipeline.errors import EtfPipelineError, NotMaterialised, SettingsError
from etf_pipeline.orchestration.materialise import OWNERS, check_specs, results
from etf_pipeline.orchestration.metadata import definition_metadata
from etf_pipeline.orchestration.resources import SCHEMA_CHANGE_TAG, joined, settings
from etf_pipeline.orchestration.tables import Outcome, TableStore
from etf_pipeline.providers import PROVIDERS, Known, RawMarket
from etf_pipeline.providers.restatements import WATCHED, restate
from etf_pipeline.schemas import TABLES
from etf_pipeline.settings import Settings, override

LAID_OVER = {
    "raw_prices",
    "raw_actions",
    "raw_reference",
    "raw_aum",
    "raw_macro",
    "raw_factors",
    "raw_ticker_history",
    "raw_lifecycle",
}
"""Raw tables in which a partial fetch is laid over what is stored; the others speak of the newest fetch."""

Tables = dict[str, arrow.Table]
OUTPUTS = tuple(name for name, contract in TABLES.items() if contract.room == "raw")


class IngestConfig(dg.Config):
    """Where the data come from; empty means what the environment says. There is no silent fallback to another source."""

    provider: str = ""
    files_root: str = ""


@dg.multi_asset(
    name="fetch",
    specs=[
        dg.AssetSpec(
            name,
            group_name="raw",
            description=TABLES[name].description,
            metadata=definition_metadata(name),
            kinds={"python", "parquet"},
            owners=OWNERS,
        )
        for name in OUTPUTS
    ],
    check_specs=[spec for name in OUTPUTS for spec in check_specs(name)],
    retry_policy=dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS),
    pool="provider",
)
def fetch(context: dg.AssetExecutionContext, config: IngestConfig) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Fetch everything that the provider has, as it has it; bad rows come along and are judged by `quality`."""
    chosen = override(settings(), provider=config.provider, files_root=config.files_root)
    tables = joined(context.instance, context.run_id)
    stored = stored_tables(tables, context.run_id, chosen)
    market = _fetched(chosen, known_from(stored))
    context.log.info(market.label)
    tables.open_run(context.run_id, {"provider": chosen.provider, "simulated": market.simulated, "label": market.label})
    fetched = {name: TABLES[name].to_arrow(frame) for name, frame in frames_of(market, chosen).items()}
    made = laid_over(fetched, stored, datetime.now(UTC), whole=market.whole)
    restated = made["raw_corrections"].num_rows - stored["raw_corrections"].num_rows if stored else 0
    context.log.info(f"{restated} values of the history were restated")
    versions = tables.write(context.run_id, "fetch", made, schema_change=context.run.tags.get(SCHEMA_CHANGE_TAG) == "true")
    yield from results(tables, context.run_id, Outcome(versions, made, reused=False), OUTPUTS)


def _fetched(chosen: Settings, known: Known | None) -> RawMarket:
    """What the provider has. A source that is there but wrong is not asked again: only a network may do better later."""
    try:
        market: RawMarket = provider_of(chosen).fetch(known)
    except EtfPipelineError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
    return market


def stored_tables(tables: TableStore, run_id: str, chosen: Settings) -> Tables:
    """Raw tables of an earlier fetch from the same provider; none where another provider, or nobody, made them."""
    if tables.head("raw_source", run_id) is None:
        return {}
    if tables.read("raw_source", run_id)["provider"][0].as_py() != chosen.provider:
        return {}
    try:
        return {name: tables.read(name, run_id) for name in (*LAID_OVER, "raw_corrections")}
    except NotMaterialised:  # made before histories were watched
        return {}


def known_from(stored: Tables) -> Known | None:
    """What the stored tables hold, for a provider that fetches only what is missing."""
    if not stored:
        return None
    bars = pl.from_arrow(stored["raw_prices"])
    macro = pl.from_arrow(stored["raw_macro"])
    assert isinstance(bars, pl.DataFrame)
    assert isinstance(macro, pl.DataFrame)
    spans = bars.group_by("ticker", "exchange").agg(
        pl.col("session").min().alias("first_session"), pl.col("session").max().alias("last_session"), pl.col("session")
    )
    return Known(
        spans=spans.drop("session", "exchange").sort("ticker").to_pandas(),
        gaps=_gaps(spans),
        macro=macro.group_by("series").agg(pl.col("period").max().alias("last_period")).sort("series").to_pandas(),
    )


def _gaps(spans: pl.DataFrame) -> pd.DataFrame:
    """Sessions inside each ticker's span without a bar."""
    parts = [pd.DataFrame({"ticker": pd.Series(dtype=object), "session": pd.Series(dtype="datetime64[ns]")})]
    for ticker, exchange, first, last, held in spans.sort("ticker").rows():
        days = calendars.sessions(exchange, first, last)
        if len(held) < len(days):
            missing = days.difference(pd.DatetimeIndex(held))
            parts.append(pd.DataFrame({"ticker": ticker, "session": missing}))
    return pd.concat(parts, ignore_index=True)


def laid_over(fetched: Tables, stored: Tables, known_at: datetime, *, whole: bool) -> Tables:
    """The raw tables after a fetch: the newest values, and the log of every stored value that the source restated.

    Parameters
    ----------
    fetched : dict of str to pyarrow.Table
        All raw tables but `raw_corrections`.
    stored : dict of str to pyarrow.Table
        `LAID_OVER` and `raw_corrections` as they were; empty where there is nothing to compare with.
    whole : bool
        Whether the fetch brought all that the source has; otherwise other rows stay as they were.
    """
    made, log = dict(fetched), [stored["raw_corrections"]] if stored else []
    for name in stored.keys() & set(WATCHED):
        restated = restate(name, stored[name], fetched[name], known_at, whole=whole)
        made[name] = restated.rows
        log.append(restated.corrections)
    if not whole:
        made |= {name: newest(name, stored[name], fetched[name]) for name in stored.keys() & (LAID_OVER - set(WATCHED))}
    made["raw_corrections"] = arrow.concat_tables(log) if log else TABLES["raw_corrections"].arrow_schema.empty_table()
    return made


def newest(name: str, stored: arrow.Table, fetched: arrow.Table) -> arrow.Table:
    """Stored rows, of equal keys the fetched one."""
    contract = TABLES[name]
    rows = pl.concat([pl.from_arrow(stored), pl.from_arrow(fetched)])  # type: ignore[type-var]
    assert isinstance(rows, pl.DataFrame)
    return contract.conform(rows.unique(contract.key, keep="last", maintain_order=True).sort(contract.key).to_arrow())


def provider_of(chosen: Settings) -> Any:
    """The provider that the settings name."""
    if chosen.provider not in PROVIDERS:
        raise SettingsError(
            f"provider must be one of {sorted(PROVIDERS)}; found '{chosen.provider}'. "
            "Choose one in the launchpad or in ETF_PROVIDER."
        )
    return PROVIDERS[chosen.provider](chosen)


def frames_of(market: RawMarket, chosen: Settings) -> dict[str, pd.DataFrame]:
    """One frame per raw table, the sessions of every exchange that the prices name included."""
    return {
        "raw_prices": market.prices,
        "raw_actions": market.actions,
        "raw_reference": market.reference,
        "raw_sessions": session_table(market.prices, chosen.exchange),
        "raw_aum": market.aum,
        "raw_macro": market.macro,
        "raw_factors": market.factors,
        "raw_rejects": market.rejects,
        "raw_ticker_history": market.ticker_history,
        "raw_lifecycle": market.lifecycle,
        "raw_source": source_table(market, chosen),
    }


def source_table(market: RawMarket, chosen: Settings) -> pd.DataFrame:
    """One row that says where the data come from."""
    days = pd.DatetimeIndex(market.prices["session"].dropna().unique())
    last = days.intersection(calendars.sessions(chosen.exchange, days.min(), days.max())).sort_values()[-1:]
    return pd.DataFrame(
        {
            "provider": [chosen.provider],
            "simulated": [market.simulated],
            "label": [market.label],
            "fetched_until": calendars.closes(chosen.exchange, last),
        }
    )


def session_table(prices: pd.DataFrame, main: str) -> pd.DataFrame:
    """Sessions of every exchange over the span of the prices, to the end of the last month."""
    dates = prices["session"].dropna()
    middle = dates.sort_values().iloc[len(dates) // 2]  # a date in the year 2999 must not stretch the calendar
    plausible = dates[(dates >= pd.Timestamp(calendars.FIRST_SESSION)) & (dates <= middle + pd.Timedelta(days=366 * 25))]
    end = plausible.max() + pd.offsets.MonthEnd(0)
    parts = []
    for exchange in sorted({main, *prices["exchange"].dropna().unique()}):
        days = calendars.sessions(exchange, plausible.min(), end)
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
