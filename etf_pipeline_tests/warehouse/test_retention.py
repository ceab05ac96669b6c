from __future__ import annotations

import os
import time

import duckdb
import pyarrow as pa
import pytest

from etf_pipeline.errors import WarehouseError

BETA, BOOK = ("risk", "beta"), ("portfolio", "book")


def one(value):
    return pa.table({"x": [value]})


def value(warehouse, **where):
    return warehouse.read(*BETA, **where).column("x")[0].as_py()


def parquet_files(warehouse):
    return len(list(warehouse.home.glob("tables/**/*.parquet")))


def test_heads_and_tagged_states_are_kept_and_the_rest_goes(warehouse, run, clock):
    for i in range(5):
        run(f"run-{i}", {BETA: one(i), BOOK: one(-i)})
    warehouse.tag("quarter", "run-1")
    clock.advance(days=91)
    collected = warehouse.gc()
    assert (collected.versions, collected.files) == (6, 6)
    assert (value(warehouse), value(warehouse, at="quarter")) == (4, 1)
    assert parquet_files(warehouse) == 4
    assert warehouse.doctor().ok
    with pytest.raises(WarehouseError, match="were dropped by gc"):
        warehouse.read(*BETA, at="run-2")  # and not what run-1 had made
    with pytest.raises(WarehouseError, match="were dropped by gc"):
        warehouse.catalog_at("run-2")
    assert [version.run_id for version in warehouse.versions("beta")] == ["run-4", "run-1"]


def test_what_was_superseded_lately_is_kept(warehouse, run, clock):
    run("monday", {BETA: one(1)})
    clock.advance(days=200)  # old, but the visible head all that time
    run("tuesday", {BETA: one(2)})
    clock.advance(days=89)
    assert warehouse.gc().versions == 0
    clock.advance(days=2)
    assert warehouse.gc().versions == 1
    assert value(warehouse) == 2


def test_a_file_that_a_kept_version_shares_stays(warehouse, run, clock):
    run("monday", {BETA: one(1)})
    run("tuesday", {BETA: one(2)})
    run("wednesday", {BETA: one(1)})
    clock.advance(days=91)
    collected = warehouse.gc()
    assert (collected.versions, collected.files) == (2, 1)
    assert value(warehouse) == 1


def test_a_running_run_keeps_the_state_in_which_it_began(warehouse, run, clock):
    run("monday", {BETA: one(1)})
    warehouse.begin_run("long")
    warehouse.commit("long", "step", [warehouse.stage(*BOOK, one(1))])
    run("tuesday", {BETA: one(2)})
    clock.advance(days=91)
    assert warehouse.gc().versions == 0
    assert value(warehouse, run_id="long") == 1
    warehouse.finish_run("long", succeeded=True)
    assert warehouse.gc().versions == 1


def test_a_failed_run_is_forgotten_after_the_same_time(warehouse, run, clock):
    run("broken", {BETA: one(1)}, succeeded=False)
    assert warehouse.gc().versions == 0
    assert value(warehouse, at="broken") == 1
    clock.advance(days=91)
    assert warehouse.gc().versions == 1
    assert parquet_files(warehouse) == 0


def test_the_published_catalog_can_be_read_after_gc_though_it_was_not_published_lately(warehouse, run, clock):
    run("monday", {BETA: one(1)})
    path = warehouse.publish()
    run("tuesday", {BETA: one(2)})
    clock.advance(days=91)
    assert warehouse.gc().versions == 1
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.execute("select x from beta").fetchall() == [(2,)]


def test_litter_of_killed_steps_goes_after_its_grace_period(warehouse, run):
    run("monday", {BETA: one(1)})
    warehouse.stage(*BETA, one(2))  # never committed
    unfinished = warehouse.home / "tables/risk/beta/20250101T000000Z-abc/part-0.parquet.tmp"
    unfinished.parent.mkdir()
    unfinished.write_bytes(b"half")
    assert warehouse.gc().orphans == 0
    orphans = [path for path in warehouse.home.glob("tables/**/part-*") if str(path) in warehouse.doctor().orphans]
    for path in orphans:
        os.utime(path, (time.time() - 90_000, time.time() - 90_000))
    assert len(orphans) == 2
    assert warehouse.gc().orphans == 2
    assert not unfinished.parent.exists()
    assert value(warehouse) == 1


def test_an_old_catalog_of_the_past_goes_too(warehouse, run):
    run("monday", {BETA: one(1)})
    past = warehouse.catalog_at("monday")
    warehouse.gc()
    assert past.exists()
    warehouse.gc(grace_seconds=0)
    assert not past.exists()
