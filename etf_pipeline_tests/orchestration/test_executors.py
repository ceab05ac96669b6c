"""A run in processes of its own: every step finds the warehouse, and the result is published by whoever looks next."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from etf_pipeline.orchestration.runner import prepare_home
from etf_pipeline.orchestration.runs import settle_finished_runs
from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.settings import Settings


@pytest.mark.timeout(240)
def test_a_job_runs_with_the_multiprocess_executor_and_is_published_afterwards(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, profile="demo", executor="multiprocess")
    environment = {
        **os.environ,
        "ETF_HOME": str(tmp_path),
        "ETF_PROFILE": "demo",
        "ETF_PROVIDER": "simulated",
        "ETF_EXECUTOR": "multiprocess",
        "DAGSTER_HOME": str(prepare_home(settings)),
    }
    command = [str(Path(sys.executable).parent / "dagster"), "job", "execute", "-m", "etf_pipeline.definitions", "-j", "ingest"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]

    tables = TableStore.for_settings(settings)
    assert tables.head("universe_membership") is None  # nobody has closed the run yet
    with dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance:
        assert len(settle_finished_runs(settings, instance)) == 1
    assert tables.read("universe_membership").num_rows > 10_000
    assert settings.catalog.exists()
