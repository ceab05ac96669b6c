"""Resources: the warehouse in the home that the settings name, and the IO manager for assets that people write themselves."""

from typing import Any

import dagster as dg
import pandas as pd

from etf_pipeline.errors import SettingsError
from etf_pipeline.orchestration.metadata import run_metadata
from etf_pipeline.orchestration.runs import carry, settle_finished_runs
from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.schemas import TABLES, from_arrow
from etf_pipeline.settings import Settings, load_settings

SCHEMA_CHANGE_TAG = "etf/schema_change"


def settings() -> Settings:
    """The deployment settings, read anew: a test may move the home between runs."""
    return load_settings()


def store() -> TableStore:
    """The table store of the current settings."""
    return TableStore.for_settings(settings())


def joined(instance: dg.DagsterInstance, run_id: str) -> TableStore:
    """The table store, once what ended before is settled and this process answers for the run where it carries all of it."""
    if settings().executor == "in_process":
        carry(settings(), run_id)
    settle_finished_runs(settings(), instance, but=run_id)
    return store()


class WarehouseIOManager(dg.IOManager):
    """Reads and writes tables as DataFrames, each checked against its contract, for plain ``@dg.asset`` functions.

    The project's own assets are recipes and reuse what did not change; an asset of yours that takes DataFrames named after
    tables and returns one gets the same contracts, versions and lineage through this class.
    """

    def load_input(self, context: dg.InputContext) -> pd.DataFrame:
        """The input's table as this run sees it."""
        step = context.step_context
        tables = joined(step.instance, step.run_id)
        tables.open_run(step.run_id)
        return from_arrow(tables.read(_table(context.asset_key), step.run_id))

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Check, stage and commit the frame."""
        if obj is None:
            return
        name = _table(context.asset_key)
        step = context.step_context
        tables = joined(step.instance, step.run_id)
        tables.open_run(step.run_id)
        table = TABLES[name].to_arrow(obj)
        version = tables.write(
            step.run_id,
            name,
            {name: table},
            inputs=_upstream(context),
            code_version=context.version or "",
            schema_change=step.dagster_run.tags.get(SCHEMA_CHANGE_TAG) == "true",
        )[name]
        context.add_output_metadata(run_metadata(name, version, table, reused=False, plot=None))


def _table(key: dg.AssetKey) -> str:
    name = key.path[-1]
    if name not in TABLES:
        raise SettingsError(f"asset {name} has no contract; declare a model of that name in schemas/ with @table(...).")
    return name


def _upstream(context: dg.OutputContext) -> list[str]:
    step = context.step_context
    layer = step.job_def.asset_layer
    return sorted(key.path[-1] for key in layer.get(context.asset_key).parent_keys if key.path[-1] in TABLES)
