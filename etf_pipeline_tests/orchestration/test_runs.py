"""Runs end: when Dagster says so, or when the process that carried them is gone."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from etf_pipeline.orchestration import runs
from etf_pipeline.orchestration.runner import prepare_home
from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.schemas import TABLES
from etf_pipeline.settings import Settings

REPORT = pd.DataFrame({"report": ["r"], "file_name": ["sheet.html"], "bytes": [3], "simulated": [True], "html": ["<p>"]})
CARRIER = """
import sys, time
from pathlib import Path
from etf_pipeline.orchestration import runs
from etf_pipeline.settings import Settings
runs.carry(Settings(home=Path(sys.argv[1])), sys.argv[2])
print("carrying", flush=True)
time.sleep(60)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(home=tmp_path)
    prepare_home(made)
    return made


@pytest.fixture
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(settings.dagster_home)) as found:
        yield found


def begin(settings: Settings, instance: dg.DagsterInstance, status: dg.DagsterRunStatus) -> str:
    """A run that Dagster and the warehouse know, with one table committed."""
    job = dg.define_asset_job("nightly", "*")
    dagster_run = instance.create_run_for_job(
        dg.Definitions(assets=[dg.AssetSpec("x"), _asset()], jobs=[job]).resolve_job_def("nightly"), status=status
    )
    tables = TableStore.for_settings(settings)
    tables.open_run(dagster_run.run_id)
    tables.write(dagster_run.run_id, "report", {"tear_sheet": TABLES["tear_sheet"].to_arrow(REPORT)})
    return dagster_run.run_id


def _asset() -> dg.AssetsDefinition:
    @dg.asset
    def something() -> None:
        return None

    return something


def carrier(settings: Settings, run_id: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CARRIER, str(settings.home), run_id]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "carrying\n"
    return process


def killed(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def status_of(settings: Settings, run_id: str) -> str:
    return next(run.status for run in TableStore.for_settings(settings).warehouse.runs() if run.run_id == run_id)


def test_a_run_goes_on_while_its_process_lives_and_has_failed_once_that_is_killed(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    run_id = begin(settings, instance, dg.DagsterRunStatus.STARTED)
    process = carrier(settings, run_id)
    runs.settle_finished_runs(settings, instance)
    assert status_of(settings, run_id) == "running"

    killed(process)
    runs.settle_finished_runs(settings, instance)
    assert status_of(settings, run_id) == "failed"
    assert instance.get_run_by_id(run_id).status == dg.DagsterRunStatus.FAILURE  # type: ignore[union-attr]
    assert TableStore.for_settings(settings).head("tear_sheet") is None
    assert not list((settings.warehouse / "alive").glob("*.lock"))


def test_a_run_killed_after_its_success_but_before_its_publication_is_published_with_its_report(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    run_id = begin(settings, instance, dg.DagsterRunStatus.SUCCESS)
    killed(carrier(settings, run_id))
    assert runs.settle_finished_runs(settings, instance) == [run_id]
    assert TableStore.for_settings(settings).warehouse.is_published()
    assert (settings.reports / "sheet.html").read_text() == "<p>"


def test_a_run_that_no_single_process_carries_is_left_to_dagster(settings: Settings, instance: dg.DagsterInstance) -> None:
    run_id = begin(settings, instance, dg.DagsterRunStatus.STARTED)
    runs.settle_finished_runs(settings, instance)
    assert status_of(settings, run_id) == "running"


def test_a_dead_run_gives_back_its_place_in_a_pool(settings: Settings, instance: dg.DagsterInstance) -> None:
    run_id = begin(settings, instance, dg.DagsterRunStatus.STARTED)
    log = instance.event_log_storage
    log.initialize_concurrency_limit_to_default("provider")
    assert log.claim_concurrency_slot("provider", run_id, "fetch").is_claimed
    killed(carrier(settings, run_id))
    runs.settle_finished_runs(settings, instance)
    assert log.claim_concurrency_slot("provider", "another", "fetch").is_claimed


def test_a_run_put_down_by_its_process_is_never_taken_for_dead(settings: Settings) -> None:
    runs.carry(settings, "mine")
    assert not runs.is_dead(settings, "mine")
    runs.put_down(settings, "mine")
    assert not runs.is_dead(settings, "mine")


def test_what_was_never_published_is_known(settings: Settings, instance: dg.DagsterInstance) -> None:
    run_id = begin(settings, instance, dg.DagsterRunStatus.SUCCESS)
    warehouse = TableStore.for_settings(settings).warehouse
    assert warehouse.is_published()  # nothing to show yet
    warehouse.finish_run(run_id, succeeded=True)
    assert not warehouse.is_published()
    warehouse.publish()
    assert warehouse.is_published()
