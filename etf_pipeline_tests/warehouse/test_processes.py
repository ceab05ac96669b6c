"""Many processes, and processes that die."""

from __future__ import annotations

import random
import signal
import threading
from collections import Counter

import duckdb
import pyarrow as pa
import pytest

from etf_pipeline.warehouse import Warehouse

from .writers import COUNTER, PAIR, ROWS, count_up, numbered, processes, write_until_killed

KILLS = 50
SPAN = "select count(*), min(version), max(version) from "


def words(journal):
    """Last number that the writers acknowledged under each word."""
    said = [line.split() for line in journal.read_text().splitlines()] if journal.exists() else []
    return {word: int(number) for word, number in said}


def kill_a_writer(home, journal, first, word, delay):
    """Let one write until it is killed, `delay` seconds after it has said `word`."""
    process = processes.Process(target=write_until_killed, args=(home, journal, first, word, delay))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def visible(warehouse):
    """Number of the visible version; both tables must be whole and of one version."""
    left, right = (warehouse.read(*name) for name in PAIR)
    number = left.column("version")[0].as_py()
    assert left.equals(right)
    assert left.equals(numbered(number))
    return number


def catalogued(home):
    """The same through the catalog."""
    with duckdb.connect(str(home / "catalog.duckdb"), read_only=True) as connection:
        left, right = (connection.execute(SPAN + ".".join(name)).fetchone() for name in PAIR)
    assert left == right == (ROWS, left[1], left[1])
    return left[1]


@pytest.mark.kill
def test_nothing_acknowledged_is_lost_and_nothing_half_visible_when_writers_are_killed(tmp_path):
    home, journal, rng = tmp_path / "home", tmp_path / "journal", random.Random(20250106)
    kill_a_writer(home, journal, 0, "published", 0)  # one whole round
    phases = Counter()
    for _ in range(KILLS):
        again = words(journal)["began"]  # as an orchestrator would: the killed step once more
        word, longest = rng.choice([("began", 0.01), ("began", 0.1), ("committed", 0.002), ("finished", 0.04)])
        kill_a_writer(home, journal, again, word, rng.uniform(0, longest))
        said, warehouse = words(journal), Warehouse(home)
        phases[journal.read_text().split()[-2]] += 1
        number = visible(warehouse)
        assert said["finished"] <= number <= said["finished"] + 1
        assert said["published"] <= catalogued(home) <= number
        assert warehouse.read(*PAIR[0], at=f"run-{said['committed']}").equals(numbered(said["committed"]))
        warehouse.close()
    warehouse = Warehouse(home)
    versions = Counter(version.run_id for version in warehouse.versions())
    assert set(versions.values()) == {2}  # repeated steps committed once
    warehouse.publish()
    report = warehouse.doctor()
    assert report.ok, report.render()
    assert len(report.running) <= 1
    assert catalogued(home) == visible(warehouse)
    assert {"began", "finished"} <= set(phases), phases  # kills met commits as well as publishing
    warehouse.gc(keep_days=0, grace_seconds=0)
    assert warehouse.doctor().orphans == ()
    assert visible(warehouse) == catalogued(home)


def test_four_processes_that_count_at_once_lose_no_update(tmp_path):
    warehouse = Warehouse(tmp_path / "home")
    warehouse.begin_run("zero")
    warehouse.commit("zero", "count", [warehouse.stage(*COUNTER, pa.table({"value": [0], "pid": [0]}))])
    warehouse.finish_run("zero", succeeded=True)
    times, barrier = 12, processes.Barrier(4)
    writers = [processes.Process(target=count_up, args=(warehouse.home, times, barrier)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0] * 4
    assert warehouse.read(*COUNTER).column("value")[0].as_py() == 4 * times
    succeeded = [run for run in warehouse.runs() if run.status == "succeeded"]
    assert len(succeeded) == 4 * times + 1
    assert warehouse.doctor().ok


def test_processes_may_make_a_warehouse_at_the_same_time(tmp_path):
    barrier = processes.Barrier(4)
    writers = [processes.Process(target=count_up, args=(tmp_path / "home", 0, barrier)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0] * 4
    assert Warehouse(tmp_path / "home").doctor().ok


def test_one_warehouse_serves_many_threads(warehouse):
    def work(i):
        try:
            warehouse.begin_run(f"run-{i}")
            warehouse.commit(f"run-{i}", "step", [warehouse.stage("core", f"t{i}", numbered(i, 100))])
            warehouse.finish_run(f"run-{i}", succeeded=True)
            warehouse.publish()
        except BaseException as error:
            problems.append(error)

    problems: list[BaseException] = []
    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert [version.table_name for version in warehouse.tables()] == [f"t{i}" for i in range(8)]
