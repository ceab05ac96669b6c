"""An asset that somebody writes by hand: DataFrames in and out, under the same contracts, versions and lineage."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from etf_pipeline.errors import ContractError, NotMaterialised
from etf_pipeline.orchestration.resources import WarehouseIOManager
from etf_pipeline.orchestration.runs import settle_finished_runs
from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.settings import load_settings

INSTANT = pd.Timestamp("2024-01-05 21:00", tz="UTC")


def assets(size: int) -> list[dg.AssetsDefinition]:
    @dg.asset
    def raw_source() -> pd.DataFrame:
        return pd.DataFrame(
            {"provider": ["hand"], "origin": ["hand"], "simulated": [True], "label": ["made here"], "fetched_until": [INSTANT]}
        )

    @dg.asset
    def tear_sheet(raw_source: pd.DataFrame) -> pd.DataFrame:
        simulated = raw_source["simulated"].tolist()
        return pd.DataFrame({"report": ["r"], "file_name": ["f"], "bytes": [size], "simulated": simulated, "html": ["<p>"]})

    return [raw_source, tear_sheet]


def materialise(
    size: int, instance: dg.DagsterInstance, selection: list[str] | None = None, *, check: bool = True
) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        assets(size), selection=selection, resources={"io_manager": WarehouseIOManager()}, instance=instance, raise_on_error=check
    )


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dg.DagsterInstance:
    monkeypatch.setenv("ETF_HOME", str(tmp_path))
    return dg.DagsterInstance.ephemeral()


def visible(instance: dg.DagsterInstance) -> TableStore:
    settle_finished_runs(load_settings(), instance)
    return TableStore.for_settings(load_settings())


def test_frames_go_through_the_warehouse_and_leave_their_lineage(instance: dg.DagsterInstance) -> None:
    made = materialise(10, instance)
    assert made.asset_materializations_for_node("tear_sheet")[0].metadata["dagster/row_count"].value == 1
    tables = visible(instance)
    assert tables.read("tear_sheet")["simulated"].to_pylist() == [True]
    assert [node.table_name for node in tables.warehouse.lineage("reports", "tear_sheet").inputs] == ["raw_source"]


def test_an_asset_alone_reads_what_an_earlier_run_left(instance: dg.DagsterInstance) -> None:
    materialise(10, instance)
    visible(instance)
    materialise(11, instance, ["tear_sheet"])
    assert visible(instance).read("tear_sheet")["bytes"].to_pylist() == [11]


def test_a_frame_that_breaks_its_contract_is_refused_and_never_seen(instance: dg.DagsterInstance) -> None:
    with pytest.raises(ContractError, match="bytes"):
        materialise(-1, instance)
    with pytest.raises(NotMaterialised):
        visible(instance).read("tear_sheet")
