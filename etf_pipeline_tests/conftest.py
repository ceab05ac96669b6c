"""Shared fixtures: the demo market, run once through every recipe, and the reference data where they are."""

from __future__ import annotations

import fcntl
import graphlib
from dataclasses import dataclass
from pathlib import Path

import pyarrow as arrow
import pytest

REFERENCE = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass(frozen=True)
class Demo:
    """A finished run of the demo profile.

    Attributes
    ----------
    home : Path
        Its home: warehouse and reports.
    order : list of str
        Recipes in the order in which they ran.
    """

    home: Path
    order: list[str]

    def read(self, name: str) -> arrow.Table:
        """A table as the run left it, in the order of its key."""
        from etf_pipeline.orchestration.tables import TableStore
        from etf_pipeline.warehouse import Warehouse

        return TableStore(Warehouse(self.home / "warehouse")).read(name)


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """Folder of the real market data; tests that need it skip where it is absent."""
    if not (REFERENCE / "etf_daily.parquet").exists():
        pytest.skip("the reference market data (../shared/data beside the project) are not here")
    return REFERENCE


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo profile, run once for all test processes."""
    shared = tmp_path_factory.getbasetemp()
    if shared.name.startswith("popen-"):  # one process of several: meet in the folder above
        shared = shared.parent
    home = shared / "demo-home"
    home.mkdir(exist_ok=True)
    order = recipe_order()
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "done").exists():
            run_demo(home, order)
            (home / "done").touch()
    return Demo(home, order)


def recipe_order() -> list[str]:
    """Every recipe after those that make its inputs."""
    import etf_pipeline.definitions  # noqa: F401  registers every recipe
    from etf_pipeline.recipes import RECIPES

    maker = {output: recipe.name for recipe in RECIPES.values() for output in recipe.outputs}
    graph = {recipe.name: {maker[i] for i in recipe.inputs if i in maker} for recipe in RECIPES.values()}
    return list(graphlib.TopologicalSorter(graph).static_order())


def run_demo(home: Path, order: list[str]) -> None:
    """Ingest the demo market and run every recipe, without Dagster."""
    from datetime import UTC, datetime

    from etf_pipeline.orchestration.config import default_parameters
    from etf_pipeline.orchestration.ingestion import ingest
    from etf_pipeline.orchestration.tables import TableStore
    from etf_pipeline.providers import PROVIDERS
    from etf_pipeline.recipes import RECIPES
    from etf_pipeline.settings import Settings
    from etf_pipeline.warehouse import Warehouse

    settings = Settings(home=home, profile="demo")
    store = TableStore(Warehouse(home / "warehouse"))
    market = PROVIDERS["simulated"](settings).fetch()
    store.open_run("demo", {"provider": "simulated", "simulated": True})
    store.write("demo", "fetch", ingest(store, {}, market, settings, datetime.now(UTC)).tables)
    for name in order:
        recipe = RECIPES[name]
        parameters = default_parameters(recipe.parameters, name, "demo") if recipe.parameters else None
        store.materialise(recipe, "demo", parameters)
    store.warehouse.finish_run("demo", succeeded=True)
    store.warehouse.publish()
