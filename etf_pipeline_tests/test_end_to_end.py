"""The front door from end to end: `etf` in a home of its own, on the demo market and on a folder of files.

Everything runs as a person runs it, in processes of their own, and in this order: a first run, a run that is killed, a run with
nothing new. The home is shared; no test changes what a later one reads.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from etf_pipeline.orchestration.config import default_parameters
from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.recipes import RECIPES
from etf_pipeline.warehouse import Warehouse
from etf_pipeline_tests.conftest import recipe_order
from etf_pipeline_tests.providers import files_market

REPORTS = ("rpt_current_weights", "rpt_performance", "rpt_stress", "rpt_data_quality", "forecast_bias")
WIDE = "500"
"""Columns of the terminal, so that a message is one line."""
LAYOUT = files_market.LAYOUT.replace("bars.csv", "bars.parquet")
CONTENT = """
    select v.table_name, arg_max(v.content_hash, r.finished_at) as content
    from _catalog.versions as v join _catalog.commits as c using (commit_id) join _catalog.runs as r using (run_id)
    where r.status = 'succeeded' group by v.table_name"""
"""What the published tables hold, by content hash."""


@dataclass(frozen=True)
class FrontDoor:
    """A home, and what its commands say.

    Attributes
    ----------
    home : Path
        `ETF_HOME`.
    settings : dict of str to str
        Other variables of the environment.
    """

    home: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Ours, less whatever else is set on this machine."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("ETF_", "DAGSTER"))}
        return plain | {"ETF_HOME": str(self.home), "COLUMNS": WIDE, "OMP_NUM_THREADS": "1", **self.settings}

    def etf(self, *words: str, code: int = 0, **settings: str) -> str:
        """Run a command to its end; what it printed."""
        command = [sys.executable, "-m", "etf_pipeline.cli", *words]
        done = subprocess.run(command, env=self.environment | settings, capture_output=True, text=True, check=False)
        assert done.returncode == code, (
            f"etf {' '.join(words)} ended with {done.returncode}\n{done.stdout}\n{done.stderr[-4000:]}"
        )
        return done.stdout

    def sql(self, query: str, *words: str) -> list[dict[str, Any]]:
        """Rows of an answer."""
        return [json.loads(line) for line in self.etf("sql", query, "--format", "json", *words).splitlines() if line]

    def content(self) -> dict[str, str]:
        """Content hash of every table as it is published."""
        rows = self.sql(CONTENT)
        return {row["table_name"]: row["content"] for row in rows}

    def newest_steps(self) -> dict[str, float]:
        """Seconds of every step of Dagster's newest run."""
        with dg.DagsterInstance.from_config(str(self.home / "dagster")) as instance:
            (run,) = instance.get_runs(limit=1)
            steps = instance.get_run_step_stats(run.run_id)
        return {step.step_key: step.end_time - step.start_time for step in steps if step.end_time and step.start_time}


def tally(printed: str) -> tuple[int, int]:
    """Steps computed and steps kept, as the end of `etf run` says."""
    found = re.search(r"(\d+) steps computed, (\d+) kept", printed)
    assert found, printed
    return int(found[1]), int(found[2])


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> FrontDoor:
    return FrontDoor(tmp_path_factory.mktemp("home"), {"ETF_PROFILE": "demo", "ETF_PROVIDER": "simulated"})


@dataclass(frozen=True)
class Run:
    """What a run printed, how long its steps took, and what it left."""

    printed: str
    steps: dict[str, float]
    content: dict[str, str]


def run(door: FrontDoor) -> Run:
    printed = door.etf("run")
    return Run(printed, door.newest_steps(), door.content())


@pytest.fixture(scope="module")
def first(door: FrontDoor) -> Run:
    """The first run of the demo market."""
    return run(door)


@pytest.fixture(scope="module")
def killed(door: FrontDoor, first: Run) -> str:
    """The newest weights, read after a run that recomputes everything was killed in the middle of its work."""
    command = [sys.executable, "-u", "-m", "etf_pipeline.cli", "run", "backfill"]
    with subprocess.Popen(
        command, env=door.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if " features " in line:  # committed, but its run is not done
                os.killpg(process.pid, signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    return door.etf("sql", "select * from rpt_current_weights", "--format", "csv")


@pytest.fixture(scope="module")
def again(door: FrontDoor, killed: str) -> Run:
    """The run after the killed one; nothing is new."""
    return run(door)


def test_the_first_run_computes_everything_and_says_that_the_market_is_simulated(first: Run) -> None:
    computed, kept = tally(first.printed)
    assert computed > 25
    assert kept == 0
    assert "SIMULATED MARKET" in first.printed


@pytest.mark.parametrize("table", REPORTS)
def test_the_published_tables_answer(table: str, door: FrontDoor, first: Run) -> None:
    (row,) = door.sql(f"select count(*) as n from {table}")
    expected = 0 if table == "rpt_data_quality" else 1  # the demo market may be flawless
    assert row["n"] >= expected


def test_the_tear_sheet_is_a_file_that_says_simulated(door: FrontDoor, first: Run) -> None:
    text = (door.home / "reports" / "tear_sheet.html").read_text(encoding="utf-8")
    assert "simulated" in text.lower()
    assert len(text) > 20_000
    assert "no real prices" in text


def test_the_run_says_that_it_is_simulated_in_the_catalog(door: FrontDoor, first: Run) -> None:
    (row,) = door.sql("select labels from _catalog.runs where status = 'succeeded' order by started_at limit 1")
    labels = json.loads(row["labels"]) if isinstance(row["labels"], str) else row["labels"]
    assert (labels["provider"], labels["simulated"]) == ("simulated", True)


def test_the_newest_weights_sum_to_one(door: FrontDoor, first: Run) -> None:
    rows = door.sql("select strategy, sum(weight) as total from rpt_current_weights group by strategy")
    assert {row["strategy"] for row in rows} >= {"max_sharpe", "max_sharpe_no_rule", "risk_parity", "equal_weight"}
    assert [row["total"] for row in rows] == pytest.approx([1.0] * len(rows), abs=1e-8)


def test_a_killed_run_leaves_the_last_good_catalog(door: FrontDoor, first: Run, killed: str) -> None:
    assert killed.count("\n") > 3
    assert door.content() == first.content


def test_the_run_after_a_killed_one_succeeds_and_computes_nothing(first: Run, again: Run) -> None:
    computed, kept = tally(again.printed)
    assert computed == 1, "only the fetch asks anew"
    assert kept + 1 == sum(tally(first.printed))


def test_a_run_with_nothing_new_changes_no_table(first: Run, again: Run) -> None:
    assert again.content == first.content


def test_finding_that_nothing_is_new_takes_a_fifth_of_computing_at_most(door: FrontDoor, first: Run, again: Run) -> None:
    # CPU seconds of the store, against the first run's steps: Dagster's own work on a step is the same in both.
    store = TableStore(Warehouse(door.home / "warehouse"))
    order = [name for name in recipe_order() if store.head(RECIPES[name].outputs[0])]  # the lab is a job of its own
    store.open_run("timing")
    started = time.process_time()
    kept = [store.materialise(RECIPES[name], "timing", parameters_of(name)).reused for name in order]
    spent = time.process_time() - started
    store.warehouse.finish_run("timing", succeeded=False)
    assert all(kept)
    assert sum(first.steps[name] for name in order) > 5 * spent


def parameters_of(name: str) -> object:
    kind = RECIPES[name].parameters
    return default_parameters(kind, name, "demo") if kind else None


def test_explain_leads_from_a_weight_to_prices_code_and_settings(door: FrontDoor, again: Run) -> None:
    held = door.sql("select ticker from rpt_current_weights where strategy = 'max_sharpe' and weight > 0 and ticker <> 'CASH'")
    text = door.etf("explain", "target_weights", "max_sharpe", held[0]["ticker"])
    assert held[0]["ticker"] in text
    for upstream in ("raw.raw_prices @ commit", "marts.fct_returns @ commit", "forecasting.forecasts @ commit"):
        assert upstream in text
    assert re.search(r"code [0-9a-f]{16}", text)
    assert '"keep_rank": 12' in text, "the profile's setting"


def test_versions_doctor_tag_and_gc_work(door: FrontDoor, again: Run) -> None:
    assert "target_weights" in door.etf("versions", "target_weights")
    assert "catalog: ok" in door.etf("doctor")
    assert "before-gc" in door.etf("tag", "before-gc")
    door.etf("gc", "--keep-days", "0")
    assert "catalog: ok" in door.etf("doctor")
    assert door.content() == again.content


def test_sql_looks_back_at_a_commit_and_at_a_tag(door: FrontDoor, again: Run) -> None:
    (newest,) = door.sql("select max(commit_id) as n from _catalog.versions where table_name = 'target_weights'")
    now = door.sql("select * from target_weights order by all")
    assert door.sql("select * from target_weights order by all", "--at", str(newest["n"])) == now
    door.etf("tag", "looked-at")
    assert door.sql("select * from target_weights order by all", "--at", "looked-at") == now


@pytest.mark.parametrize(
    ("words", "settings", "names"),
    [
        (("sql", "select * from nosuchtable"), {}, ("nosuchtable", "rpt_data_dictionary")),
        (("explain", "nosuchtable"), {}, ("nosuchtable", "rpt_data_dictionary")),
        (("versions", "nosuchtable"), {}, ("nosuchtable", "rpt_data_dictionary")),
        (("explain", "target_weights", "NOPE"), {}, ("NOPE", "strategy")),
        (("sql", "select 1", "--at", "nosuchtag"), {}, ("nosuchtag",)),
        (("run", "nightli"), {}, ("nightli", "nightly, research, ingest, backfill")),
        (("run",), {"ETF_PROVIDER": "simulatd"}, ("simulatd", "simulated, files")),
        (("run",), {"ETF_PROFILE": "dmo"}, ("dmo", "full, demo")),
        (("run",), {"ETF_PROVIDER": "files"}, ("ETF_FILES_ROOT",)),
    ],
    ids=lambda x: "-".join(x) if isinstance(x, tuple) else "",
)
def test_a_mistake_is_answered_by_one_readable_line(
    words: tuple[str, ...], settings: dict[str, str], names: tuple[str, ...], door: FrontDoor, again: Run
) -> None:
    lines = door.etf(*words, code=1, **settings).splitlines()
    assert len(lines) == 1, lines
    for name in names:
        assert name in lines[0]


PLANTED = """
from dataclasses import replace
from rich.console import Console
from etf_pipeline.orchestration.assets import features
from etf_pipeline.orchestration.runner import run_job
from etf_pipeline.recipes import RECIPES
from etf_pipeline.schemas import TABLES, from_arrow
from etf_pipeline.settings import load_settings

honest = RECIPES["features"]

def peeking(inputs, parameters, cache):
    frame = from_arrow(honest.run(inputs, parameters, cache)["features"])
    later = frame.groupby("ticker")["momentum_12_1"].shift(-5)
    frame["momentum_12_1"] += 1e-6 * later.fillna(0.0)
    return {"features": TABLES["features"].to_arrow(frame)}

RECIPES["features"] = replace(honest, run=peeking, version="peeks five sessions ahead")
outcome = run_job(load_settings(), "research", Console(quiet=True))
print(outcome.success, "member_forecasts" in outcome.failed_steps, outcome.failed_steps, outcome.computed)
"""


def test_a_look_ahead_in_a_feature_stops_the_run_before_anything_is_forecast(door: FrontDoor, again: Run) -> None:
    done = subprocess.run([sys.executable, "-c", PLANTED], env=door.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout.startswith("False"), done.stdout
    with dg.DagsterInstance.from_config(str(door.home / "dagster")) as instance:
        (run,) = instance.get_runs(limit=1)
        records = instance.event_log_storage.get_latest_asset_check_execution_by_key(
            [dg.AssetCheckKey(dg.AssetKey("features"), "causality")]
        )
    (record,) = records.values()
    verdict = record.event.dagster_event.event_specific_data
    assert record.run_id == run.run_id
    assert not verdict.passed
    assert "momentum_12_1" in str(verdict.metadata["differences"])
    assert "member_forecasts" not in door.newest_steps()
    assert door.content() == again.content


def spoilt(how: str) -> pd.DataFrame:
    """The bars of the small market; `faulty` has a missed split, a price of cents and a date in the year 2999 among them."""
    frame = files_market.bars()
    if how == "faulty":
        prices = ["open", "high", "low", "close"]
        split = (frame["ticker"] == "F03") & (frame["date"] >= files_market.SESSIONS[-4])
        cents = (frame["ticker"] == "F05") & (frame["date"] == files_market.SESSIONS[60])
        frame.loc[split, prices] /= 2
        frame.loc[cents, prices] *= 100
        frame["date"] = frame["date"].astype("datetime64[us]")
        frame.loc[frame.index[-1], "date"] = pd.Timestamp("2999-12-31")
    return frame


def write_bars(folder: Path, how: str) -> None:
    files_market.write(folder, files_market.as_text(files_market.bars()), LAYOUT)
    (folder / "bars.csv").unlink()
    spoilt(how).to_parquet(folder / "bars.parquet")
    if how == "truncated":
        content = (folder / "bars.parquet").read_bytes()
        (folder / "bars.parquet").write_bytes(content[: len(content) // 2])


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> FrontDoor:
    """A home fed from a folder; its first run found a good folder."""
    folder = tmp_path_factory.mktemp("files")
    door = FrontDoor(tmp_path_factory.mktemp("files-home"), {"ETF_PROVIDER": "files", "ETF_FILES_ROOT": str(folder)})
    write_bars(folder, "good")
    door.etf("run", "ingest")
    return door


def source_of(door: FrontDoor) -> list[dict[str, Any]]:
    return door.sql("select provider, simulated from raw_source")


def test_files_fill_the_marts_and_are_not_called_simulated(files: FrontDoor) -> None:
    (row,) = files.sql("select count(*) as n, count(distinct ticker) as funds, count(distinct session) as days from fct_prices")
    assert row == {"n": 12 * len(files_market.SESSIONS), "funds": 12, "days": len(files_market.SESSIONS)}
    assert source_of(files) == [{"provider": "files", "simulated": False}]
    assert files.sql("select * from quarantine") == []


def test_a_truncated_file_fails_the_run_by_name_and_the_last_good_tables_stay(files: FrontDoor) -> None:
    before = files.content()
    write_bars(Path(files.settings["ETF_FILES_ROOT"]), "truncated")
    printed = files.etf("run", "ingest", code=1)
    assert "bars.parquet" in printed
    assert "again" in printed, "what to do next"
    assert "last good tables stay readable" in printed
    assert files.content() == before
    (row,) = files.sql("select count(*) as n from fct_prices")
    assert row["n"] == 12 * len(files_market.SESSIONS)
    assert source_of(files) == [{"provider": "files", "simulated": False}], "no other source stepped in"


def test_a_missed_split_and_a_price_in_cents_are_refused_with_rule_and_remedy_and_the_rest_stands(files: FrontDoor) -> None:
    write_bars(Path(files.settings["ETF_FILES_ROOT"]), "faulty")
    files.etf("run", "ingest")
    refused = files.sql("select ticker, rule, remedy, count(*) as n from quarantine group by all order by ticker")
    found = [(row["ticker"], row["rule"], row["n"]) for row in refused]
    assert found == [("F03", "missed_split", 4), ("F05", "price_jump", 1), ("F11", "not_a_date", 1)]
    for row, words in zip(refused, ("actions.csv", "unit", "YYYY-MM-DD"), strict=True):
        assert words in row["remedy"]
    (row,) = files.sql("select count(*) as n, min(total_return) as low, max(total_return) as high from fct_returns")
    assert row["n"] == 12 * len(files_market.SESSIONS) - 6
    assert -0.2 < row["low"] < row["high"] < 0.2
    (row,) = files.sql("select count(*) as n from universe_membership")
    assert row["n"] > 0


def test_a_folder_that_is_not_there_is_an_error_and_no_reason_to_simulate(tmp_path: Path) -> None:
    door = FrontDoor(tmp_path / "home", {"ETF_PROVIDER": "files", "ETF_FILES_ROOT": str(tmp_path / "absent")})
    printed = door.etf("run", "ingest", code=1)
    assert "absent" in printed
    assert "simulated" not in printed.lower()
    assert "nothing is published" in door.etf("sql", "select * from raw_prices", code=1)
