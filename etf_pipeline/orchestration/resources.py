"""Resources: the warehouse in the home that the settings name, and the IO manager for assets that people write themselves."""

from typing import Any

import dagster as dg
import pandas as pd

from etf_pipeline.errors import SettingsError
from etf_pipeline.orchestration.metadata import run_metadata
from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.schemas import TABLES, from_arrow
from etf_pipeline.settings import Settings, load_settings


def settings() -> Settings:
    """The deployment settings, read anew: a test may move the home between runs."""
    return load_settings()


def store() -> TableStore:
    """The table store of the current settings."""
    return TableStore.for_settings(settings())


class WarehouseIOManager(dg.IOManager):
    """Reads and writes tables as DataFrames, each checked against its contract, for plain ``@dg.asset`` functions.

    The project's own assets are recipes and reuse what did not change; an asset of yours that takes DataFrames named after
    tables and returns one gets the same contracts, versions and lineage through this class.
    """

    def load_input(self, context: dg.InputContext) -> pd.DataFrame:
        """The input's table as this run sees it."""
        return from_arrow(store().read(_table(context.asset_key), context.step_context.run_id))

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Check, stage and commit the frame."""
        if obj is None:
            return
        name = _table(context.asset_key)
        tables = store()
        tables.open_run(context.run_id)
        table = TABLES[name].to_arrow(obj)
        version = tables.write(
            context.run_id, name, {name: table}, inputs=_upstream(context), code_version=context.version or ""
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
