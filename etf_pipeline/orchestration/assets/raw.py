"""Raw room: what does the chosen provider have? One fetch fills every raw table, so that they belong together."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from etf_pipeline.errors import EtfPipelineError, SettingsError, SourceUnreachable
from etf_pipeline.orchestration.ingestion import ingest, known_from, stored_versions
from etf_pipeline.orchestration.materialise import OWNERS, check_specs, results
from etf_pipeline.orchestration.metadata import definition_metadata
from etf_pipeline.orchestration.resources import SCHEMA_CHANGE_TAG, joined, settings
from etf_pipeline.orchestration.tables import Outcome
from etf_pipeline.providers import PROVIDERS, Known, RawMarket
from etf_pipeline.providers.curated import add_curated
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
    stored = stored_versions(tables, chosen)
    market = _fetched(chosen, known_from(tables, stored))
    context.log.info(market.label)
    tables.open_run(context.run_id, {"provider": chosen.provider, "simulated": market.simulated, "label": market.label})
    made = ingest(tables, stored, market, chosen, datetime.now(UTC))
    context.log.info(f"{made.restated} values of the history were restated")
    versions = tables.write(
        context.run_id,
        "fetch",
        made.tables,
        schema_change=context.run.tags.get(SCHEMA_CHANGE_TAG) == "true",
        extends=made.extends,
    )
    outcome = Outcome(versions, {} if made.extends else made.tables, reused=False)
    yield from results(tables, context.run_id, outcome, OUTPUTS)


def _fetched(chosen: Settings, known: Known | None) -> RawMarket:
    """What the provider has. A source that is there but wrong is not asked again: only a network may do better later."""
    try:
        market = add_curated(provider_of(chosen).fetch(known), known=known)
    except EtfPipelineError as error:
        raise dg.Failure(description=str(error), allow_retries=isinstance(error, SourceUnreachable)) from error
    return market


def provider_of(chosen: Settings) -> Any:
    """The provider that the settings name."""
    if chosen.provider not in PROVIDERS:
        raise SettingsError(
            f"provider must be one of {sorted(PROVIDERS)}; found '{chosen.provider}'. "
            "Choose one in the launchpad or in ETF_PROVIDER."
        )
    return PROVIDERS[chosen.provider](chosen)
