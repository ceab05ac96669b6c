"""Raw room: what does the chosen provider have? One fetch fills every raw table, so that they belong together."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.errors import EtfPipelineError, SettingsError
from etf_pipeline.orchestration.materialise import OWNERS, check_specs, results
from etf_pipeline.orchestration.metadata import definition_metadata
from etf_pipeline.orchestration.resources import SCHEMA_CHANGE_TAG, joined, settings
from etf_pipeline.orchestration.tables import Outcome
from etf_pipeline.providers import PROVIDERS, RawMarket
from etf_pipeline.schemas import TABLES
from etf_pipeline.settings import Settings, override

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
    market = _fetched(chosen)
    context.log.info(market.label)
    tables.open_run(context.run_id, {"provider": chosen.provider, "simulated": market.simulated, "label": market.label})
    made = {name: TABLES[name].to_arrow(frame) for name, frame in frames_of(market, chosen).items()}
    versions = tables.write(context.run_id, "fetch", made, schema_change=context.run.tags.get(SCHEMA_CHANGE_TAG) == "true")
    yield from results(tables, context.run_id, Outcome(versions, made, reused=False), OUTPUTS)


def _fetched(chosen: Settings) -> RawMarket:
    """What the provider has. A source that is there but wrong is not asked again: only a network may do better later."""
    try:
        market: RawMarket = provider_of(chosen).fetch()
    except EtfPipelineError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
    return market


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
