from __future__ import annotations

import os
import shutil
import subprocess

import duckdb
import pytest

from etf_pipeline.errors import WarehouseError
from etf_pipeline.warehouse import Warehouse

from .writers import numbered, processes, write_under_a_file_limit

LEFT = ("core", "left")


@pytest.fixture
def small_disk(tmp_path):
    """A file system of six megabytes."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small disk needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(disk)], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"mounting is not permitted here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture
def small_warehouse(small_disk):
    warehouse = Warehouse(small_disk / "warehouse")
    write(warehouse, "good", 1)
    warehouse.publish()
    yield warehouse
    warehouse.close()


def write(warehouse, run_id, version, rows=1000):
    warehouse.begin_run(run_id)
    warehouse.commit(run_id, "step", [warehouse.stage(*LEFT, numbered(version, rows))])
    warehouse.finish_run(run_id, succeeded=True)


def fill(disk):
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as handle:
        for size in (65_536, 4096, 512):
            try:
                while handle.write(bytes(size)) == size:
                    pass
            except OSError:
                continue
    return ballast


def published(warehouse):
    with duckdb.connect(str(warehouse.catalog_path), read_only=True) as connection:
        return connection.execute("select count(*), min(version), max(version) from core.left").fetchall()


def test_a_table_too_large_for_the_disk_is_refused_and_leaves_nothing(small_warehouse):
    small_warehouse.begin_run("large")
    with pytest.raises(WarehouseError, match=r"core.left .*could not be written.*No space left.*MB are free.*etf gc"):
        small_warehouse.stage(*LEFT, numbered(2, rows=2_000_000))
    assert small_warehouse.read(*LEFT).equals(numbered(1, 1000))
    assert published(small_warehouse) == [(1000, 1, 1)]
    report = small_warehouse.doctor()
    assert report.ok
    assert report.orphans == ()
    assert len(list((small_warehouse.home / "tables/core/left").iterdir())) == 1  # not even an empty folder
    write(small_warehouse, "smaller", 3)
    assert small_warehouse.read(*LEFT).equals(numbered(3, 1000))


def test_a_commit_on_a_full_disk_happens_wholly_or_not_at_all(small_warehouse, small_disk):
    small_warehouse.begin_run("full")
    staged = small_warehouse.stage(*LEFT, numbered(2, 1000))
    ballast = fill(small_disk)
    settings = {"large": "x" * 500_000}  # more than the log's spare pages hold
    with pytest.raises(WarehouseError, match=r"registry.sqlite could not be used.*nothing was changed"):
        small_warehouse.commit("full", "step", [staged], settings=settings)
    assert small_warehouse.read(*LEFT).equals(numbered(1, 1000))
    ballast.unlink()
    assert small_warehouse.versions("left")[0].run_id == "good"
    small_warehouse.commit("full", "step", [staged], settings=settings)
    small_warehouse.finish_run("full", succeeded=True)
    assert small_warehouse.read(*LEFT).equals(numbered(2, 1000))
    assert small_warehouse.doctor().ok


def test_publishing_on_a_full_disk_keeps_the_catalog_that_is_there(small_warehouse, small_disk):
    write(small_warehouse, "next", 2)
    ballast = fill(small_disk)
    with pytest.raises(WarehouseError):
        small_warehouse.publish()
    assert published(small_warehouse) == [(1000, 1, 1)]
    ballast.unlink()
    small_warehouse.publish()
    assert published(small_warehouse) == [(1000, 2, 2)]
    assert list(small_warehouse.home.glob(".catalog-*")) == []


def test_a_disk_that_refuses_a_large_file_takes_a_small_one(tmp_path):
    journal = tmp_path / "journal"
    process = processes.Process(target=write_under_a_file_limit, args=(tmp_path / "home", journal))
    process.start()
    process.join(60)
    refused, went_on = journal.read_text().splitlines()
    assert "core.left (500000 rows" in refused
    assert "could not be written" in refused
    assert went_on == "went on"
    warehouse = Warehouse(tmp_path / "home")
    assert warehouse.read(*LEFT).equals(numbered(2, 10))
    assert warehouse.doctor().orphans == ()
