"""The store between warehouse and recipes: contracts enforced, nothing computed twice, failed runs invisible."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pyarrow as arrow
import pytest

from etf_pipeline.errors import ContractError, NotMaterialised, SchemaDrift
from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.recipes import Recipe, Tables
from etf_pipeline.schemas import TABLES
from etf_pipeline.warehouse import Warehouse

SOURCE = pd.DataFrame(
    {
        "provider": ["test"],
        "origin": ["test"],
        "simulated": [True],
        "label": ["made here"],
        "fetched_until": [pd.Timestamp("2024-01-05 21:00", tz="UTC")],
    }
)


@dataclass(frozen=True)
class Size:
    """Parameters of the recipe below."""

    bytes: int = 10


class Counter:
    """A recipe that counts how often it computes."""

    def __init__(self) -> None:
        self.calls = 0

    def run(self, inputs: Tables, parameters: Size, cache: object) -> dict[str, arrow.Table]:
        self.calls += 1
        frame = pd.DataFrame(
            {"report": ["r"], "file_name": ["f"], "bytes": [parameters.bytes], "simulated": [True], "html": ["<p>"]}
        )
        return {"tear_sheet": TABLES["tear_sheet"].to_arrow(frame)}

    def recipe(self) -> Recipe:
        return Recipe("tear_sheet", "reports", ("tear_sheet",), ("raw_source",), self.run, Size, "v1", "")


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    store = TableStore(Warehouse(tmp_path))
    store.open_run("first", {"simulated": True})
    store.write("first", "ingest", {"raw_source": TABLES["raw_source"].to_arrow(SOURCE)})
    return store


def finish(tables: TableStore, run: str, succeeded: bool = True) -> None:
    tables.warehouse.finish_run(run, succeeded=succeeded)


def test_a_second_run_with_nothing_new_keeps_the_table(tables: TableStore) -> None:
    counter = Counter()
    made = tables.materialise(counter.recipe(), "first")
    finish(tables, "first")
    tables.open_run("second")
    kept = tables.materialise(counter.recipe(), "second")
    assert (made.reused, kept.reused, counter.calls) == (False, True, 1)
    assert kept.versions["tear_sheet"].content_hash == made.versions["tear_sheet"].content_hash


@pytest.mark.parametrize("change", ["parameters", "code", "input", "recompute"])
def test_anything_new_computes_again(tables: TableStore, change: str) -> None:
    counter = Counter()
    tables.materialise(counter.recipe(), "first")
    finish(tables, "first")
    tables.open_run("second")
    recipe = replace(counter.recipe(), version="v2") if change == "code" else counter.recipe()
    if change == "input":
        tables.write("second", "ingest", {"raw_source": TABLES["raw_source"].to_arrow(SOURCE.assign(label="other"))})
    tables.materialise(recipe, "second", Size(11) if change == "parameters" else None, recompute=change == "recompute")
    assert counter.calls == 2


def test_what_breaks_its_contract_is_never_committed(tables: TableStore) -> None:
    counter = Counter()
    with pytest.raises(ContractError, match="bytes"):
        tables.materialise(counter.recipe(), "first", Size(-1))
    finish(tables, "first")
    with pytest.raises(NotMaterialised):
        tables.read("tear_sheet")


def test_a_changed_contract_is_refused_before_anything_is_computed(tables: TableStore, monkeypatch: pytest.MonkeyPatch) -> None:
    counter = Counter()
    tables.materialise(counter.recipe(), "first")
    finish(tables, "first")
    tables.open_run("second")
    old = TABLES["tear_sheet"]
    wider = SimpleNamespace(room=old.room, key=old.key, arrow_schema=old.arrow_schema.append(arrow.field("pages", arrow.int64())))
    monkeypatch.setitem(TABLES, "tear_sheet", wider)
    with pytest.raises(SchemaDrift, match="pages"):
        tables.materialise(counter.recipe(), "second")
    assert counter.calls == 1


def test_a_failed_run_leaves_the_last_good_tables(tables: TableStore) -> None:
    counter = Counter()
    tables.materialise(counter.recipe(), "first")
    finish(tables, "first")
    tables.open_run("second")
    tables.materialise(counter.recipe(), "second", Size(99))
    assert tables.read("tear_sheet", "second")["bytes"].to_pylist() == [99]
    finish(tables, "second", succeeded=False)
    assert tables.read("tear_sheet")["bytes"].to_pylist() == [10]


def test_a_run_without_ingestion_inherits_that_its_prices_are_simulated(tables: TableStore) -> None:
    empty = {name: TABLES[name].arrow_schema.empty_table() for name in ("raw_rejects",)}
    tables.write("first", "rejects", empty)
    finish(tables, "first")
    tables.open_run("second")
    labels = {run.run_id: dict(run.labels) for run in tables.warehouse.runs()}
    assert labels["first"] == {"simulated": True}
    assert labels["second"] == {}  # there are no prices yet


def test_the_fetch_labels_its_run_even_if_another_step_opened_it(tables: TableStore) -> None:
    finish(tables, "first")
    tables.open_run("second")
    tables.open_run("second", {"simulated": False})
    tables.open_run("second")
    assert {run.run_id: dict(run.labels) for run in tables.warehouse.runs()}["second"] == {"simulated": False}


def test_lineage_leads_from_a_table_to_its_inputs_code_and_settings(tables: TableStore) -> None:
    tables.materialise(Counter().recipe(), "first", Size(12))
    finish(tables, "first")
    node = tables.warehouse.lineage("reports", "tear_sheet")
    assert (node.code_version, node.settings) == ("v1", {"bytes": 12})
    assert [child.table_name for child in node.inputs] == ["raw_source"]
