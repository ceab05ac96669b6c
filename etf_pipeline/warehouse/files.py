"""Files: write once, durably, under a name that nobody else has; then only read.

A file is written as ``.tmp``, flushed to the disk, renamed, and its folders are flushed as well. Whatever kills the process
leaves either a complete file or litter that `gc` removes; a reader never sees half a file.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from etf_pipeline.errors import WarehouseError
from etf_pipeline.warehouse.chunks import split
from etf_pipeline.warehouse.content import content_hash, joined_hash
from etf_pipeline.warehouse.protection import require_same
from etf_pipeline.warehouse.records import Staged, StoredFile, TableName, dotted
from etf_pipeline.warehouse.registry import Registry
from etf_pipeline.warehouse.snapshot import stored_file
from etf_pipeline.warehouse.vault import Vault

TABLES = "tables"


def stage(registry: Registry, name: TableName, table: pa.Table, chunk: str | None, kept: Sequence[StoredFile] = ()) -> Staged:
    """Put a table's files on disk, writing only chunks whose values no file of the table holds yet; `kept` files come first."""
    registry.vault.require_open()
    table = table.replace_schema_metadata(None)
    table = table.cast(pa.schema([field.remove_metadata() for field in table.schema]))
    pieces = split(table, chunk) if table.num_rows or not kept else []  # no new rows: the kept files are the table
    folder = new_folder(registry, name)
    files: list[StoredFile] = list(kept)
    hashes = [content_hash(piece) for _, piece in pieces]
    with _cleared_on_error(registry.home, folder, name, table):
        for (label, piece), digest in zip(pieces, hashes, strict=True):
            known = _known_file(registry, name, digest)
            files.append(known or write(registry, registry.vault, f"{folder}/part-{len(files)}.parquet", piece, digest, label))
        if any(file.file_id is None for file in files):
            flush_folders(registry.home, folder)
    whole = joined_hash([*(file.content_hash for file in kept), *hashes])
    return Staged(*name, table.schema, whole, table.num_rows + sum(file.rows for file in kept), tuple(files))


def read(registry: Registry, files: Sequence[StoredFile], columns: Sequence[str] | None) -> pa.Table:
    """Rows of a version, file after file.

    Raises
    ------
    WarehouseError
        If a file is gone or damaged, naming it and the way back.
    """
    tables = []
    for file in files:
        try:
            tables.append(registry.vault.read(registry.home / file.path, file.path, columns))
        except (OSError, pa.ArrowException) as error:
            with registry.read() as db:
                require_same(db, registry.vault)
            raise WarehouseError(
                f"{registry.home / file.path} should hold {file.rows} rows and cannot be read: {error}. Restore it from a "
                "backup, or delete it and materialise the table again; `etf doctor` lists every such file."
            ) from error
    table = pa.concat_tables(tables)
    return table if columns is None else table.select(list(columns))


def flush(path: Path) -> None:
    """Make a file or folder survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(path: Path) -> str:
    """Hash of a file's bytes."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def is_whole(home: Path, file: StoredFile) -> bool:
    """Whether a file is there with all of its bytes (their values are the doctor's job)."""
    try:
        return (home / file.path).stat().st_size == file.bytes
    except FileNotFoundError:
        return False


def new_folder(registry: Registry, name: TableName) -> str:
    """A folder that no other version has."""
    return f"{TABLES}/{name[0]}/{name[1]}/{registry.clock():%Y%m%dT%H%M%SZ}-{secrets.token_hex(6)}"


def _known_file(registry: Registry, name: TableName, digest: str) -> StoredFile | None:
    with registry.read() as db:
        rows = db.execute(
            "select * from files where schema_name = ? and table_name = ? and content_hash = ? order by file_id desc",
            (*name, digest),
        ).fetchall()
    return next((file for file in map(stored_file, rows) if is_whole(registry.home, file)), None)


def write(registry: Registry, vault: Vault, relative: str, piece: pa.Table, digest: str, label: str) -> StoredFile:
    """Write one file durably under a name that nobody has yet."""
    path = registry.home / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".parquet.tmp")
    vault.write(piece, unfinished, relative)
    flush(unfinished)
    size, bytes_hash = unfinished.stat().st_size, sha256(unfinished)
    unfinished.rename(path)
    return StoredFile(None, relative, piece.num_rows, size, bytes_hash, digest, label)


def flush_folders(home: Path, folder: str) -> None:
    """Make the names in a folder, and in every folder above it, survive a power cut."""
    here = home / folder
    while here != home.parent:
        flush(here)
        here = here.parent


@contextlib.contextmanager
def _cleared_on_error(home: Path, folder: str, name: TableName, table: pa.Table) -> Iterator[None]:
    """Leave nothing behind when the disk refuses, and say what happened."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        shutil.rmtree(home / folder, ignore_errors=True)
        free = shutil.disk_usage(home).free
        raise WarehouseError(
            f"{dotted(name)} ({table.num_rows} rows, about {table.nbytes / 1e6:.1f} MB before compression) could not be written "
            f"under {home / folder}: {error}. {free / 1e6:.1f} MB are free there. Nothing was changed; free space "
            "(`etf gc`, or a larger disk) and repeat the step."
        ) from error
