"""Recipes as Dagster assets: one step per recipe, contracts and room checks riding in it, metadata a person would want."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import dagster as dg
import pyarrow as arrow

from etf_pipeline.errors import ContractError
from etf_pipeline.orchestration.checks import ROOM_CHECKS, RoomCheck
from etf_pipeline.orchestration.config import config_for, default_parameters, parameters_from
from etf_pipeline.orchestration.metadata import definition_metadata, lineage_metadata, run_metadata
from etf_pipeline.orchestration.resources import SCHEMA_CHANGE_TAG, joined, settings
from etf_pipeline.orchestration.tables import Outcome, TableStore
from etf_pipeline.recipes import Recipe
from etf_pipeline.reporting import PLOTS, draw, plots_version
from etf_pipeline.schemas import TABLES
from etf_pipeline.warehouse import Version

RECOMPUTE_TAG = "etf/recompute"
OWNERS = ["team:research"]
Events = Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]


def asset_of(recipe: Recipe) -> dg.AssetsDefinition:
    """The asset of a recipe: its inputs are upstream assets, its parameters a launchpad form."""
    here = settings()
    kind = recipe.parameters
    defaults = default_parameters(kind, recipe.name, here.profile, here.exchange, here.parameters) if kind else None

    def plain(context: dg.AssetExecutionContext) -> Events:
        yield from _materialise(context, recipe, None)

    def configured(context: dg.AssetExecutionContext, config: Any) -> Events:
        yield from _materialise(context, recipe, parameters_from(config, type(defaults)))

    if defaults is not None:
        configured.__annotations__["config"] = config_for(defaults)
    return dg.multi_asset(
        name=recipe.name,
        specs=[spec_of(recipe, name) for name in recipe.outputs],
        check_specs=[spec for name in recipe.outputs for spec in check_specs(name)],
        description=recipe.description,
        op_tags={"dagster/compute_kind": "duckdb" if recipe.sql else "python"},
    )(plain if defaults is None else configured)


def spec_of(recipe: Recipe, name: str) -> dg.AssetSpec:
    """How one output of a recipe stands in the asset graph."""
    contract = TABLES[name]
    metadata = definition_metadata(name) | (lineage_metadata(recipe) if recipe.sql else {})
    marts = contract.room in ("marts", "staging", "reports")
    return dg.AssetSpec(
        name,
        deps=list(recipe.inputs),
        description=f"{contract.description}\n\n{recipe.description}".strip(),
        group_name=contract.room,
        metadata=metadata,
        code_version=recipe.version,
        kinds={"duckdb", "sql"} if recipe.sql else {"python", "parquet"},
        owners=OWNERS,
        automation_condition=dg.AutomationCondition.eager() if marts and recipe.sql else None,
        freshness_policy=_freshness() if name in ("fct_prices", "target_weights") else None,
    )


def _freshness() -> Any:
    return dg.FreshnessPolicy.cron(deadline_cron="0 7 * * 2-6", lower_bound_delta=timedelta(hours=9), timezone="America/New_York")


def check_specs(name: str) -> list[dg.AssetCheckSpec]:
    """The contract, and what the room adds."""
    contract = dg.AssetCheckSpec(
        "contract", asset=name, blocking=True, description="Columns, types, key and ranges are those of the table's contract."
    )
    return [
        contract,
        *(
            dg.AssetCheckSpec(c.name, asset=name, blocking=c.blocking, description=c.description)
            for c in ROOM_CHECKS.get(name, [])
        ),
    ]


def _materialise(context: dg.AssetExecutionContext, recipe: Recipe, parameters: Any) -> Events:
    tables = joined(context.instance, context.run_id)
    tables.open_run(context.run_id)
    tags = context.run.tags
    try:
        outcome = tables.materialise(
            recipe,
            context.run_id,
            parameters,
            recompute=tags.get(RECOMPUTE_TAG) == "true",
            schema_change=tags.get(SCHEMA_CHANGE_TAG) == "true",
        )
    except ContractError as error:
        for name in recipe.outputs:
            yield dg.AssetCheckResult(passed=False, asset_key=name, check_name="contract", metadata={"why": str(error)})
        raise
    how = "nothing changed, kept" if outcome.reused else f"rows since {outcome.since}" if outcome.since else "computed"
    context.log.info(f"{recipe.name}: {how}")
    yield from results(tables, context.run_id, outcome, recipe.outputs)


def results(tables: TableStore, run_id: str, outcome: Outcome, names: Sequence[str]) -> Events:
    """Materialisations and check results of a step, in the order Dagster wants them."""
    for name in names:
        version = outcome.versions[name]
        table = outcome.tables.get(name)
        locked = tables.warehouse.encrypted  # Dagster keeps rows and pictures in clear
        plot = _plot(tables, name, version, table, run_id) if name in PLOTS and not locked else None
        yield dg.MaterializeResult(
            asset_key=name,
            metadata=run_metadata(name, version, None if locked else table, reused=outcome.reused, plot=plot),
            data_version=dg.DataVersion(version.content_hash),
        )
        yield dg.AssetCheckResult(passed=True, asset_key=name, check_name="contract", metadata={"rows": version.rows})
        if name in ROOM_CHECKS:
            whole = table if table is not None else tables.read(name, run_id)
            for check in ROOM_CHECKS[name]:
                yield _room_check(name, check, whole)


def _plot(tables: TableStore, name: str, version: Version, table: arrow.Table | None, run_id: str) -> bytes:
    """The picture of a version, drawn once for equal content."""
    key = f"{name}-{version.content_hash}-{plots_version()}"
    kept = tables.warehouse.cache.get("plots", key)
    if kept is not None:
        return bytes(kept["png"][0].as_py())
    png = draw(name, table if table is not None else tables.read(name, run_id))
    tables.warehouse.cache.put("plots", key, arrow.table({"png": arrow.array([png], arrow.binary())}))
    return png


def _room_check(name: str, check: RoomCheck, table: Any) -> dg.AssetCheckResult:
    passed, facts = check.run(table)
    severity = dg.AssetCheckSeverity.ERROR if check.blocking else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(passed=passed, asset_key=name, check_name=check.name, severity=severity, metadata=facts)
