"""What Dagster is given: loadable, complete, tidy; the schedule follows the exchange, sensors remember what they saw."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from etf_pipeline.definitions import defs
from etf_pipeline.errors import SettingsError
from etf_pipeline.orchestration.assets.raw import OUTPUTS
from etf_pipeline.orchestration.executors import executor
from etf_pipeline.orchestration.schedules import nightly_schedule
from etf_pipeline.orchestration.sensors import inbox_sensor
from etf_pipeline.recipes import RECIPES
from etf_pipeline.schemas import TABLES


@pytest.fixture(scope="module")
def specs() -> dict[str, dg.AssetSpec]:
    return {spec.key.path[-1]: spec for spec in defs.resolve_all_asset_specs()}


def test_the_definitions_load() -> None:
    dg.Definitions.validate_loadable(defs)
    assert {"nightly", "research", "ingest", "backfill"} <= set(defs.get_repository_def().job_names)


def test_every_table_of_the_contracts_is_an_asset_and_the_other_way_round(specs: dict[str, dg.AssetSpec]) -> None:
    assert set(specs) == set(TABLES)
    made = {name for recipe in RECIPES.values() for name in recipe.outputs} | set(OUTPUTS)
    assert made == set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_an_asset_shows_group_description_owner_columns_and_query(name: str, specs: dict[str, dg.AssetSpec]) -> None:
    spec = specs[name]
    assert spec.group_name == TABLES[name].room
    assert spec.description
    assert spec.owners
    schema = spec.metadata["dagster/column_schema"]
    schema = schema.value if hasattr(schema, "value") else schema
    assert [c.name for c in schema.columns] == TABLES[name].arrow_schema.names
    assert all("[" in c.description for c in schema.columns)
    assert "query" in spec.metadata


def test_sql_assets_show_their_column_lineage(specs: dict[str, dg.AssetSpec]) -> None:
    for recipe in RECIPES.values():
        if recipe.sql:
            assert "dagster/column_lineage" in specs[recipe.name].metadata


def test_every_table_has_a_blocking_contract_check() -> None:
    keys = {(key.asset_key.path[-1], key.name) for key in defs.resolve_asset_graph().asset_check_keys}
    assert {(name, "contract") for name in TABLES} <= keys
    assert {("target_weights", "limits"), ("backtest_ledger", "identity"), ("features", "causality")} <= keys


@pytest.mark.parametrize(
    ("day", "key"),
    [
        ("2026-11-24", "2026-11-23"),  # Tuesday morning: Monday's session
        ("2026-11-22", None),  # Sunday morning: Saturday
        ("2026-11-27", None),  # Friday morning: Thanksgiving
        ("2026-11-28", "2026-11-27"),  # Saturday morning: the half-day
    ],
)
def test_the_nightly_schedule_follows_the_exchange(day: str, key: str | None) -> None:
    moment = dt.datetime.fromisoformat(day + "T01:30").replace(tzinfo=ZoneInfo("America/New_York"))
    answer = nightly_schedule(dg.build_schedule_context(scheduled_execution_time=moment))
    assert (answer.run_key if isinstance(answer, dg.RunRequest) else None) == key


def test_the_inbox_starts_one_run_per_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETF_HOME", str(tmp_path))
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "prices.ready").touch()
    first = inbox_sensor(dg.build_sensor_context())
    assert isinstance(first, dg.SensorResult)
    assert len(first.run_requests or []) == 1
    assert "prices.ready" in json.loads(first.cursor or "")
    assert isinstance(inbox_sensor(dg.build_sensor_context(cursor=first.cursor)), dg.SkipReason)


def test_an_executor_whose_package_is_absent_says_what_to_install() -> None:
    assert executor("in_process") is dg.in_process_executor
    with pytest.raises(SettingsError, match="dagster-celery"):
        executor("celery")
