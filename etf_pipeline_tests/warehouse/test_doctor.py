from __future__ import annotations

import shutil

import duckdb
import pyarrow as pa
import pytest

from etf_pipeline.errors import WarehouseError
from etf_pipeline.warehouse import Warehouse

BETA, BOOK = ("risk", "beta"), ("portfolio", "book")


@pytest.fixture
def sound(warehouse, run):
    run("monday", {BETA: pa.table({"x": range(1000)}), BOOK: pa.table({"x": range(1000)})})
    warehouse.publish()
    assert warehouse.doctor().ok
    return warehouse


def file_of(warehouse, name):
    return next(warehouse.home.glob(f"tables/{'/'.join(name)}/*/part-0.parquet"))


def test_a_sound_warehouse_is_found_sound(sound):
    report = sound.doctor()
    assert (report.integrity, report.catalog, report.files) == ("ok", "ok", 2)
    assert (report.missing, report.damaged, report.orphans, report.running) == ((), (), (), ())


def test_one_flipped_bit_is_found(sound):
    path = file_of(sound, BETA)
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)
    report = sound.doctor()
    assert not report.ok
    assert report.damaged == (str(path),)
    assert "restore it from a backup" in report.render()


def test_a_flipped_bit_in_the_data_is_not_read_as_a_number(sound):
    path = file_of(sound, BETA)
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(content)
    with pytest.raises(WarehouseError, match=r"part-0.parquet should hold 1000 rows"):
        sound.read(*BETA)


def test_a_missing_file_is_found_and_its_reader_told(sound):
    path = file_of(sound, BOOK)
    path.unlink()
    assert sound.doctor().missing == (str(path),)
    with pytest.raises(WarehouseError, match=r"part-0.parquet should hold 1000 rows"):
        sound.read(*BOOK)
    assert sound.read(*BETA).num_rows == 1000


def test_a_damaged_file_is_healed_by_deleting_it_and_making_the_table_again(sound, run):
    file_of(sound, BETA).unlink()
    run("tuesday", {BETA: pa.table({"x": range(1000)})})
    assert sound.read(*BETA).num_rows == 1000
    assert sound.publish()


def test_a_truncated_file_is_found(sound):
    path = file_of(sound, BETA)
    path.write_bytes(path.read_bytes()[:-10])
    assert sound.doctor().damaged == (str(path),)


def test_orphans_and_unfinished_runs_are_listed_but_are_no_illness(sound):
    sound.begin_run("dead")
    staged = sound.stage(*BETA, pa.table({"x": [1]}))
    report = sound.doctor()
    assert report.ok
    assert report.orphans == (str(sound.home / staged.files[0].path),)
    assert report.running == ("dead",)
    assert "etf doctor --fail dead" in report.render()


def test_a_damaged_registry_is_found(sound):
    sound.close()
    content = bytearray((sound.home / "registry.sqlite").read_bytes())
    content[8192:] = bytes(len(content) - 8192)
    (sound.home / "registry.sqlite").write_bytes(content)
    with pytest.raises(WarehouseError, match=r"Restore registry.sqlite from a backup"):
        sound.doctor()


def test_a_moved_warehouse_is_found_and_relocated(sound, tmp_path):
    sound.close()
    shutil.move(sound.home, tmp_path / "elsewhere")
    moved = Warehouse(tmp_path / "elsewhere")
    assert moved.doctor().catalog == "elsewhere"
    assert not moved.doctor().ok
    assert moved.doctor(relocate=True).ok
    with duckdb.connect(str(moved.catalog_path), read_only=True) as connection:
        assert connection.execute("select count(*) from beta").fetchall() == [(1000,)]


def test_a_registry_of_a_newer_layout_is_left_alone(sound):
    with sound._registry.write() as db:
        db.execute("pragma user_version = 99")
    with pytest.raises(WarehouseError, match="has layout 99"):
        Warehouse(sound.home)


def test_a_run_that_succeeded_and_was_not_published_leaves_the_catalog_behind(sound, run):
    run("tuesday", {BETA: pa.table({"x": range(10)})})
    assert sound.doctor().catalog == "behind"
    assert sound.doctor().ok
    assert "etf doctor --relocate" in sound.doctor().render()
    assert sound.doctor(relocate=True).catalog == "ok"
