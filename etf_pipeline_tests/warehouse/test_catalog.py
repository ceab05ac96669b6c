from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import duckdb
import pyarrow as pa
import pytest

from etf_pipeline.errors import WarehouseError

BETA, BOOK = ("risk", "beta"), ("portfolio", "book")


def table(*values):
    return pa.table({"x": pa.array(values, pa.int64())})


def ask(path, sql):
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def ask_elsewhere(path, sql):
    """Within one process DuckDB shares the file that is open already; another process opens what is there now."""
    code = "import duckdb, sys; print(duckdb.connect(sys.argv[1], read_only=True).execute(sys.argv[2]).fetchall())"
    return subprocess.run([sys.executable, "-c", code, str(path), sql], capture_output=True, text=True, check=True).stdout


def test_tables_are_visible_with_and_without_their_schema(warehouse, run):
    run("monday", {BETA: table(1, 2), BOOK: table()})
    path = warehouse.publish("monday")
    assert ask(path, "select sum(x) from risk.beta") == ask(path, "select sum(x) from beta") == [(3,)]
    assert ask(path, "select count(*) from portfolio.book") == [(0,)]
    assert path.stat().st_mode & 0o777 == 0o444
    assert warehouse.tags() == {"published": 1}


def test_a_name_that_two_schemas_share_needs_its_schema(warehouse, run):
    run("monday", {BETA: table(1), ("live", "beta"): table(2)})
    path = warehouse.publish()
    assert ask(path, "select x from live.beta") == [(2,)]
    with pytest.raises(duckdb.CatalogException):
        ask(path, "select x from beta")


def test_the_catalog_works_when_another_client_attaches_it(warehouse, run):
    run("monday", {BETA: table(1, 2)})
    path = warehouse.publish()
    with duckdb.connect() as connection:
        connection.execute(f"attach '{path}' as etf (read_only)")
        assert connection.execute("select sum(x) from etf.risk.beta").fetchall() == [(3,)]
        assert connection.execute("select sum(x) from etf.beta").fetchall() == [(3,)]


def test_older_clients_can_open_the_catalog(warehouse, run):
    run("monday", {BETA: table(1)})
    path = warehouse.publish()
    header = path.read_bytes()[:100]
    assert header[8:12] == b"DUCK"
    assert int.from_bytes(header[12:20], "little") <= 65  # storage version of DuckDB 1.2


def test_the_catalog_holds_the_registrys_own_tables(warehouse, run, clock):
    run("monday", {BETA: table(1)})
    run("broken", {BETA: table(2)}, succeeded=False)
    path = warehouse.publish()
    sql = """
        select r.run_id, r.status, v.rows, v.content_hash, c.committed_at
        from _catalog.versions v join _catalog.commits c using (commit_id) join _catalog.runs r using (run_id)
        order by commit_id"""
    monday, broken = ask(path, sql)
    assert monday[:4] == ("monday", "succeeded", 1, warehouse.content_hash(*BETA))
    assert broken[:2] == ("broken", "failed")
    assert timedelta(0) < clock.now - monday[4] < timedelta(seconds=1)
    assert ask(path, "select tag, commit_id from _catalog.tags") == [("published", 1)]
    assert all(len(ask(path, f"from _catalog.{name} limit 0")) == 0 for name in ("files", "commit_inputs"))


def test_a_reader_with_the_old_catalog_open_goes_on_while_new_ones_see_the_new(warehouse, run):
    run("monday", {BETA: table(1), BOOK: table(1)})
    path = warehouse.publish()
    with duckdb.connect(str(path), read_only=True) as old:
        both = "select beta.x, book.x from beta, book"
        assert old.execute(both).fetchall() == [(1, 1)]
        run("tuesday", {BETA: table(2), BOOK: table(2)})
        warehouse.publish()
        warehouse.gc(keep_days=0)
        assert old.execute(both).fetchall() == [(1, 1)]
        assert ask_elsewhere(path, both) == "[(2, 2)]\n"


def test_only_a_succeeded_run_can_be_published(warehouse):
    warehouse.begin_run("monday")
    with pytest.raises(WarehouseError, match="only succeeded runs"):
        warehouse.publish("monday")
    assert not warehouse.catalog_path.exists()


def test_a_slow_publisher_never_turns_back(warehouse, run):
    run("monday", {BETA: table(1)})
    run("tuesday", {BETA: table(2)})
    assert ask(warehouse.publish("monday"), "select x from beta") == [(2,)]


def test_an_empty_warehouse_can_be_published(warehouse):
    assert ask(warehouse.publish(), "select count(*) from _catalog.runs") == [(0,)]


def test_litter_and_a_stale_log_are_removed(warehouse, run):
    run("monday", {BETA: table(1)})
    litter = warehouse.home / ".catalog-123-abcd.duckdb"
    for path in (litter, warehouse.home / ".catalog-123-abcd.duckdb.wal", warehouse.home / "catalog.duckdb.wal"):
        path.write_bytes(b"left by a killed publisher")
    assert ask(warehouse.publish(), "select x from beta") == [(1,)]
    assert sorted(path.name for path in warehouse.home.glob("*catalog*")) == ["catalog.duckdb"]


def test_a_catalog_of_the_past_shows_that_state(warehouse, run):
    run("monday", {BETA: table(1), BOOK: table(1)})
    run("tuesday", {BETA: table(2)})
    warehouse.publish()
    for at in ("monday", 1):
        past = warehouse.catalog_at(at)
        assert ask(past, "select beta.x, book.x from beta, book") == [(1, 1)]
    assert ask(warehouse.catalog_path, "select beta.x, book.x from beta, book") == [(2, 1)]


def test_a_catalog_is_not_replaced_by_one_with_a_hole(warehouse, run):
    run("monday", {BETA: table(1), BOOK: table(1)})
    warehouse.publish()
    run("tuesday", {BETA: table(2)})
    lost = next(warehouse.home.glob("tables/risk/beta/*/part-0.parquet"))
    newest = max(warehouse.home.glob("tables/risk/beta/*/part-0.parquet"), key=lambda path: path.stat().st_mtime_ns)
    assert lost.exists()
    newest.unlink()
    with pytest.raises(WarehouseError, match=r"risk.beta cannot be published.*is gone"):
        warehouse.publish()
    assert ask(warehouse.catalog_path, "select beta.x, book.x from beta, book") == [(1, 1)]
    assert warehouse.tags() == {"published": 1}
