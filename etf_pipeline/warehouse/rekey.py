"""Rekeying: the same rows under another key.

New files are written beside the old ones, and one transaction lets every version point to them and the registry remember the
new key. A process that is killed before leaves the old state and litter; killed after, the new state and litter. Content
hashes are those of the rows, so that memo keys, tags and lineage hold on.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from etf_pipeline.errors import WarehouseError
from etf_pipeline.secrets import Secret
from etf_pipeline.warehouse.cache import CACHE
from etf_pipeline.warehouse.catalog import catalog_path, past_catalogs, publish_lock, publish_locked
from etf_pipeline.warehouse.content import content_hash
from etf_pipeline.warehouse.files import flush_folders, new_folder, read, write
from etf_pipeline.warehouse.protection import protect, require_same
from etf_pipeline.warehouse.records import StoredFile
from etf_pipeline.warehouse.registry import Registry, all_runs, exclusive
from etf_pipeline.warehouse.retention import orphans_of
from etf_pipeline.warehouse.snapshot import stored_file
from etf_pipeline.warehouse.vault import Vault, key_of


def rekey(registry: Registry, key: Secret | None) -> int:
    """Write every file anew under `key`, or in clear; returns how many."""
    registry.vault.require_open()
    vault = Vault(key_of(key)) if key else Vault()
    if vault.key_id == registry.vault.key_id:
        raise WarehouseError("the new key is the one that the files have already. Set another, or leave everything as it is.")
    with exclusive(publish_lock(registry.home)):
        with registry.read() as db:
            _require_rest(db, registry.vault)
            old = _registered(db)
        new: list[StoredFile] = []
        try:
            for file, (schema_name, table_name) in old:
                new.append(_rewritten(registry, vault, file, new_folder(registry, (schema_name, table_name))))
            _point_to(registry, vault, old, new)
        except BaseException:
            for file in new:
                shutil.rmtree((registry.home / file.path).parent, ignore_errors=True)
            raise
        registry.vault = vault
        _clear_away(registry)
        if catalog_path(registry.home).exists():
            publish_locked(registry)
    return len(new)


def _require_rest(db: sqlite3.Connection, vault: Vault) -> None:
    require_same(db, vault)
    working = [run.run_id for run in all_runs(db) if run.status == "running"]
    if working:
        raise WarehouseError(
            f"the key can be changed while nothing runs; running are {working}. Wait, or declare a dead one so: "
            f"`etf doctor --fail {working[0]}`."
        )


def _registered(db: sqlite3.Connection) -> list[tuple[StoredFile, tuple[str, str]]]:
    rows = db.execute("select * from files order by file_id").fetchall()
    return [(stored_file(row), (row["schema_name"], row["table_name"])) for row in rows]


def _rewritten(registry: Registry, vault: Vault, file: StoredFile, folder: str) -> StoredFile:
    table = read(registry, [file], None)
    if content_hash(table) != file.content_hash:
        raise WarehouseError(
            f"{registry.home / file.path} does not hold the rows that it was written with, and is not carried over. "
            "Restore it from a backup, or delete it and materialise its table again; `etf doctor` lists every such file."
        )
    try:
        written = write(registry, vault, f"{folder}/part-0.parquet", table, file.content_hash, file.chunk)
        flush_folders(registry.home, folder)
    except (OSError, pa.ArrowException) as error:
        shutil.rmtree(registry.home / folder, ignore_errors=True)
        free = shutil.disk_usage(registry.home).free
        raise WarehouseError(
            f"{registry.home / folder} could not be written: {error}. {free / 1e6:.1f} MB are free there; a change of key needs "
            "as much as all tables take (`etf gc` first). Nothing was changed."
        ) from error
    return replace(written, file_id=file.file_id)


def _point_to(
    registry: Registry, vault: Vault, old: Sequence[tuple[StoredFile, tuple[str, str]]], new: Sequence[StoredFile]
) -> None:
    with registry.write() as db:
        _require_rest(db, registry.vault)
        if _registered(db) != list(old):
            raise WarehouseError("files were committed or collected while the key was changed. Nothing was changed; try again.")
        for file in new:
            db.execute(
                "update files set path = ?, bytes = ?, sha256 = ? where file_id = ?",
                (file.path, file.bytes, file.sha256, file.file_id),
            )
        protect(db, vault.key_id)


def _clear_away(registry: Registry) -> None:
    """The old files, litter of dead steps, and the cache: nothing stays behind under the old key, or in clear."""
    with registry.read() as db:
        for path in orphans_of(db, registry.home):
            path.unlink(missing_ok=True)
            if not any(path.parent.iterdir()):
                path.parent.rmdir()
    shutil.rmtree(registry.home / CACHE, ignore_errors=True)
    for path in past_catalogs(registry.home):
        path.unlink(missing_ok=True)
