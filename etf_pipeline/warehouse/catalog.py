"""The catalog: a DuckDB file of views that anybody may open, replaced whole after every successful run.

It is derived and disposable. A new file is built beside the old one and renamed over it; a reader who has the old one open
keeps it (the kernel keeps an unlinked file alive) and goes on seeing the old state, because Parquet files are never rewritten.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from etf_pipeline.errors import WarehouseError
from etf_pipeline.warehouse.files import flush
from etf_pipeline.warehouse.records import TableName, Version, dotted
from etf_pipeline.warehouse.registry import Registry, exclusive, find_run
from etf_pipeline.warehouse.snapshot import At, Snapshot, files_of, heads, last_commit, resolve

PUBLISHED = "published"
"""The tag of the state that the catalog shows."""

STORAGE_VERSION = "v1.2.0"
"""Oldest DuckDB whose clients can open the file."""

REGISTRY_SCHEMA = "_catalog"
"""Where the catalog keeps copies of the registry's tables."""

_PAST_PREFIX = "catalog-at-"
_LITTER_PREFIX = ".catalog-"

# Registry tables that users may query, with the types that SQLite does not keep; the others stay BIGINT or VARCHAR.
COPIED = {
    "runs": "select run_id, started_at, finished_at, status, note, labels from runs order by started_at",
    "commits": "select commit_id, run_id, step_key, committed_at, code_version, settings_hash, settings, note from commits",
    "versions": "select version_id, commit_id, schema_name, table_name, schema_hash, content_hash, rows, memo_key from versions",
    "files": "select file_id, schema_name, table_name, path, rows, bytes, sha256, content_hash, chunk from files",
    "commit_inputs": "select commit_id, schema_name, table_name, input_commit from commit_inputs",
    "tags": "select tag, commit_id from tags",
}
_INTEGERS = frozenset({"commit_id", "version_id", "file_id", "rows", "bytes", "input_commit"})
_INSTANTS = frozenset({"started_at", "finished_at", "committed_at"})

Views = list[tuple[TableName, list[Path]]]
Rows = Callable[[TableName, list[Path]], str]
"""The `select` that gives a table's rows."""


def publish(registry: Registry, run_id: str | None = None) -> Path:
    """Show the newest state of all succeeded runs to everybody."""
    with exclusive(publish_lock(registry.home)):
        return publish_locked(registry, run_id)


def publish_lock(home: Path) -> Path:
    """File whose lock is held while the catalog is replaced."""
    return home / ".publish.lock"


def catalog_path(home: Path) -> Path:
    """Where the catalog is."""
    return home / "catalog.duckdb"


def publish_locked(registry: Registry, run_id: str | None = None) -> Path:
    """`publish`, for a caller who holds the lock."""
    _sweep(registry.home)
    with registry.write() as db:
        if run_id is not None and (run := find_run(db, run_id)).status != "succeeded":
            raise WarehouseError(f"run {run_id!r} is {run.status}; only succeeded runs are published. Finish it first.")
        snapshot = resolve(db)
        if (commit_id := last_commit(db, snapshot)) is not None:
            set_tag(db, PUBLISHED, commit_id)
        shown = _shown(registry, db, snapshot)
        # inside the transaction: the tag moves when the file has been replaced, and not if it could not be
        return _replace(catalog_path(registry.home), shown)


def is_published(registry: Registry) -> bool:
    """Whether the catalog shows the newest state."""
    with registry.read() as db:
        shown = db.execute("select commit_id from tags where tag = ?", (PUBLISHED,)).fetchone()
        newest = last_commit(db, resolve(db))
    return newest is None or (shown is not None and shown[0] == newest and catalog_path(registry.home).exists())


def catalog_at(registry: Registry, at: At) -> Path:
    """Write a catalog of a past state beside the published one."""
    with registry.read() as db:
        snapshot = resolve(db, at=at)
        shown = _shown(registry, db, snapshot)
        commit_id = last_commit(db, snapshot) or 0
    return _replace(registry.home / f"{_PAST_PREFIX}{commit_id}.duckdb", shown)


def past_catalogs(home: Path) -> list[Path]:
    """Catalogs that `catalog_at` has written."""
    return sorted(home.glob(f"{_PAST_PREFIX}*.duckdb"))


def set_tag(db: sqlite3.Connection, tag: str, commit_id: int) -> None:
    """Let a name point to a commit."""
    db.execute("insert into tags values (?, ?) on conflict(tag) do update set commit_id = excluded.commit_id", (tag, commit_id))


def create_views(connection: duckdb.DuckDBPyConnection, views: Views, rows_of: Rows) -> None:
    """Views over Parquet files, in their schema and, where the table's name is unique, without it too."""
    names = [table_name for (_, table_name), _ in views]
    for schema_name in sorted({schema_name for (schema_name, _), _ in views}):
        connection.execute(f'create schema if not exists "{schema_name}"')
    for (schema_name, table_name), paths in views:
        rows = rows_of((schema_name, table_name), paths)
        connection.execute(f'create view "{schema_name}"."{table_name}" as {rows}')
        if names.count(table_name) == 1:
            connection.execute(f'create view main."{table_name}" as {rows}')


def parquet_rows(name: TableName, paths: list[Path]) -> str:
    """DuckDB reads the files itself."""
    listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
    return f"select * from read_parquet([{listed}], hive_partitioning = false)"


def _locked_rows(columns: dict[TableName, list[str]]) -> Rows:
    """Views that say how to read what DuckDB by itself cannot."""

    def rows_of(name: TableName, paths: list[Path]) -> str:
        why = f"{dotted(name)} is encrypted: read it with `etf sql`, which takes the key from the environment or the keyring"
        listed = ", ".join(f'why as "{column}"' for column in columns[name])
        return f"select {listed} from (select error('{why}') as why)"

    return rows_of


def views_of(db: sqlite3.Connection, home: Path, versions: Sequence[Version]) -> Views:
    """Which files each version's view reads."""
    return [(v.name, [home / file.path for file in files_of(db, v)]) for v in versions]


@dataclass(frozen=True)
class _Shown:
    """What a catalog holds: views on tables, and copies of the registry's own."""

    views: Views
    rows_of: Rows
    copies: dict[str, pa.Table]


def _shown(registry: Registry, db: sqlite3.Connection, snapshot: Snapshot) -> _Shown:
    versions = heads(db, snapshot)
    rows_of = _locked_rows(_columns(db, versions)) if registry.vault.encrypted else parquet_rows
    return _Shown(_views(db, registry.home, versions), rows_of, _copies(db, registry.home))


def _columns(db: sqlite3.Connection, versions: Sequence[Version]) -> dict[TableName, list[str]]:
    text = "select arrow_schema from table_schemas where schema_hash = ?"
    return {v.name: [column[0] for column in json.loads(db.execute(text, (v.schema_hash,)).fetchone()[0])] for v in versions}


def _views(db: sqlite3.Connection, home: Path, versions: Sequence[Version]) -> Views:
    views = views_of(db, home, versions)
    gone = [(name, path) for name, paths in views for path in paths if not path.exists()]
    if gone:
        name, path = gone[0]
        raise WarehouseError(
            f"{dotted(name)} cannot be published: {path} is gone ({len(gone)} such files). "
            "Restore it from a backup, or materialise the table again; `etf doctor` lists every such file."
        )
    return views


def _copies(db: sqlite3.Connection, home: Path) -> dict[str, pa.Table]:
    return {name: _copy(db, query, home) for name, query in COPIED.items()}


def _copy(db: sqlite3.Connection, query: str, home: Path) -> pa.Table:
    cursor = db.execute(query)
    names = [column[0] for column in cursor.description]
    rows = cursor.fetchall()
    arrays = [
        pa.array([row[i] for row in rows], pa.int64() if name in _INTEGERS else pa.string()) for i, name in enumerate(names)
    ]
    table = pa.table(arrays, names=names)
    if "path" in names:  # relative in the registry, so that a warehouse can be moved; absolute for users
        paths = pa.array([str(home / path) for path in table.column("path").to_pylist()], pa.string())
        table = table.set_column(names.index("path"), "path", paths)
    return table


def _replace(target: Path, shown: _Shown) -> Path:
    unfinished = target.parent / f"{_LITTER_PREFIX}{os.getpid()}-{secrets.token_hex(4)}.duckdb"
    try:
        _build(unfinished, shown)
        unfinished.chmod(0o444)
        flush(unfinished)
        Path(f"{target}.wal").unlink(missing_ok=True)  # before the swap: no reader may replay it into the new file
        unfinished.replace(target)
        flush(target.parent)
    except (duckdb.Error, OSError) as error:
        for litter in (unfinished, Path(f"{unfinished}.wal")):
            litter.unlink(missing_ok=True)
        raise WarehouseError(
            f"the catalog {target} could not be replaced: {error}. The one that is there still shows the state before. "
            "Free space or mend what is named, and call `publish` again."
        ) from error
    return target


def _build(path: Path, shown: _Shown) -> None:
    with duckdb.connect(config={"threads": 1}) as connection:
        location = str(path).replace("'", "''")
        connection.execute(f"attach '{location}' as catalog (storage_version '{STORAGE_VERSION}')")
        connection.execute("use catalog")
        connection.execute("begin")
        create_views(connection, shown.views, shown.rows_of)
        connection.execute(f"create schema {REGISTRY_SCHEMA}")
        for name, table in shown.copies.items():
            connection.register("copied", table)
            columns = [f"{c}::timestamptz as {c}" if c in _INSTANTS else c for c in table.column_names]
            connection.execute(f"create table {REGISTRY_SCHEMA}.{name} as select {', '.join(columns)} from copied")
            connection.unregister("copied")
        connection.execute("commit")
        connection.execute("checkpoint catalog")


def _sweep(home: Path) -> None:
    """Remove what killed publishers left; whoever holds the lock is the only one alive."""
    for litter in home.glob(f"{_LITTER_PREFIX}*"):
        litter.unlink(missing_ok=True)
