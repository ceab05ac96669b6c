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
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from etf_pipeline.errors import WarehouseError
from etf_pipeline.warehouse.chunks import split
from etf_pipeline.warehouse.content import content_hash, joined_hash
from etf_pipeline.warehouse.records import Staged, StoredFile, TableName, dotted
from etf_pipeline.warehouse.registry import Registry
from etf_pipeline.warehouse.snapshot import stored_file

TABLES = "tables"
ROW_GROUP = 122_880
"""Rows per group: DuckDB's own size, its unit of parallel work."""


def stage(registry: Registry, name: TableName, table: pa.Table, chunk: str | None, kept: Sequence[StoredFile] = ()) -> Staged:
    """Put a table's files on disk, writing only chunks whose values no file of the table holds yet; `kept` files come first."""
    table = table.replace_schema_metadata(None)
    table = table.cast(pa.schema([field.remove_metadata() for field in table.schema]))
    pieces = split(table, chunk)
    folder = f"{TABLES}/{name[0]}/{name[1]}/{_folder_name(registry.clock())}"
    files: list[StoredFile] = list(kept)
    hashes = [content_hash(piece) for _, piece in pieces]
    with _cleared_on_error(registry.home, folder, name, table):
        for (label, piece), digest in zip(pieces, hashes, strict=True):
            known = _known_file(registry, name, digest)
            files.append(known or _write(registry.home, f"{folder}/part-{len(files)}.parquet", piece, digest, label))
        if any(file.file_id is None for file in files):
            _flush_folders(registry.home, folder)
    whole = joined_hash([*(file.content_hash for file in kept), *hashes])
    return Staged(*name, table.schema, whole, table.num_rows + sum(file.rows for file in kept), tuple(files))


def read(home: Path, files: Sequence[StoredFile], columns: Sequence[str] | None) -> pa.Table:
    """Rows of a version, file after file.

    Raises
    ------
    WarehouseError
        If a file is gone or damaged, naming it and the way back.
    """
    tables = []
    for file in files:
        try:
            with pq.ParquetFile(home / file.path, page_checksum_verification=True) as parquet:
                tables.append(parquet.read(columns=None if columns is None else list(columns)))
        except (OSError, pa.ArrowException) as error:
            raise WarehouseError(
                f"{home / file.path} should hold {file.rows} rows and cannot be read: {error}. Restore it from a backup, or "
                "delete it and materialise the table again; `etf doctor` lists every such file."
            ) from error
    table = pa.concat_tables(tables)
    return table if columns is None else table.select(list(columns))


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write one Parquet file as the store does: zstd, with a checksum on every page."""
    pq.write_table(table, path, compression="zstd", row_group_size=ROW_GROUP, write_page_checksum=True)


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


def _folder_name(now: datetime) -> str:
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(6)}"


def _known_file(registry: Registry, name: TableName, digest: str) -> StoredFile | None:
    with registry.read() as db:
        rows = db.execute(
            "select * from files where schema_name = ? and table_name = ? and content_hash = ? order by file_id desc",
            (*name, digest),
        ).fetchall()
    return next((file for file in map(stored_file, rows) if is_whole(registry.home, file)), None)


def _write(home: Path, relative: str, piece: pa.Table, digest: str, label: str) -> StoredFile:
    path = home / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".parquet.tmp")
    write_parquet(piece, unfinished)
    flush(unfinished)
    size, bytes_hash = unfinished.stat().st_size, sha256(unfinished)
    unfinished.rename(path)
    return StoredFile(None, relative, piece.num_rows, size, bytes_hash, digest, label)


def _flush_folders(home: Path, folder: str) -> None:
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
