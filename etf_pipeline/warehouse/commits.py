"""Commits: one transaction makes a step's tables appear together, or not at all."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from etf_pipeline.errors import Conflict, SchemaDrift, WarehouseError
from etf_pipeline.redaction import redact
from etf_pipeline.warehouse.files import is_whole
from etf_pipeline.warehouse.protection import require_same
from etf_pipeline.warehouse.records import (
    Commit,
    Run,
    Staged,
    StoredFile,
    TableName,
    Version,
    dotted,
    schema_hash,
    schema_json,
)
from etf_pipeline.warehouse.registry import Registry, find_run
from etf_pipeline.warehouse.snapshot import (
    EVERY_COMMIT,
    Snapshot,
    files_of,
    find_commit,
    head,
    inputs_of,
    version_of,
)


@dataclass(frozen=True)
class Origin:
    """Where a commit's tables come from: what `Warehouse.lineage` shows."""

    inputs: Mapping[TableName, int]
    code_version: str = ""
    settings: Mapping[str, Any] | None = None
    note: str = ""


def commit(
    registry: Registry,
    run_id: str,
    step_key: str,
    staged: Sequence[Staged],
    origin: Origin,
    *,
    memo_key: str | None = None,
    schema_change: bool = False,
    expect: Mapping[TableName, int | None] | None = None,
) -> Commit:
    """Record staged tables as a step's result; a step that has committed before keeps its first result."""
    _require_tables(step_key, [table.name for table in staged])
    with registry.write() as db:
        run = find_run(db, run_id)
        if earlier := find_commit(db, run_id, step_key):
            return earlier
        _require_running(run, step_key)
        require_same(db, registry.vault)
        _require_heads(db, run, expect or {})
        commit_id = _insert_commit(registry, db, run_id, step_key, origin)
        for table in staged:
            if not schema_change:
                _require_schema(db, run, table.name, table.arrow_schema)
            _insert_version(registry, db, commit_id, table, memo_key)
        return _recorded(db, run_id, step_key)


def reuse(
    registry: Registry,
    run_id: str,
    step_key: str,
    tables: Sequence[TableName],
    memo_key: str,
    inputs: Mapping[TableName, int] | None = None,
) -> Commit | None:
    """Record the visible versions again as this step's result, if they carry `memo_key` and their files are whole."""
    _require_tables(step_key, list(tables))
    with registry.write() as db:
        run = find_run(db, run_id)
        if earlier := find_commit(db, run_id, step_key):
            return earlier
        _require_running(run, step_key)
        versions = [version for name in tables if (version := head(db, _seen_by(run), name))]
        if len(versions) < len(tables) or any(version.memo_key != memo_key for version in versions):
            return None
        if not all(is_whole(registry.home, file) for version in versions for file in files_of(db, version)):
            return None
        commit_id = _insert_commit(registry, db, run_id, step_key, _origin_again(db, versions[0], inputs))
        for version in versions:
            _copy_version(db, commit_id, version)
        return _recorded(db, run_id, step_key)


def _require_tables(step_key: str, names: list[TableName]) -> None:
    if not names or len(set(names)) < len(names):
        raise WarehouseError(
            f"step {step_key!r} commits one or more different tables; found {[dotted(name) for name in names]}. "
            "Name every table once."
        )


def _require_running(run: Run, step_key: str) -> None:
    if run.status != "running":
        raise WarehouseError(
            f"step {step_key!r} needs a running run; {run.run_id!r} {run.status} at {run.finished_at}. Begin a new run."
        )


def _require_heads(db: sqlite3.Connection, run: Run, expect: Mapping[TableName, int | None]) -> None:
    """Compare-and-swap: the first committer wins, though its run be still running."""
    for name, expected in expect.items():
        other = db.execute(
            "select c.commit_id, c.run_id, r.status from versions v join commits c using (commit_id) join runs r using (run_id) "
            "where v.schema_name = ? and v.table_name = ? and c.run_id <> ? and (r.status = 'running' or r.finish_order > ?) "
            "order by c.commit_id desc limit 1",
            (*name, run.run_id, run.base),
        ).fetchone()
        if other:
            raise Conflict(
                f"{dotted(name)} was read at commit {expected}; run {other['run_id']!r} ({other['status']}) has committed "
                f"{other['commit_id']} since run {run.run_id!r} began. Read again in a new run; if that run is dead, "
                f"`finish_run({other['run_id']!r}, succeeded=False)` first."
            )
        seen = head(db, _seen_by(run), name)
        if (seen and seen.commit_id) != expected:
            raise Conflict(
                f"{dotted(name)} was expected at commit {expected}; run {run.run_id!r} sees commit {seen and seen.commit_id}. "
                "Read it again and repeat the step."
            )


def require_schema(registry: Registry, run_id: str, name: TableName, schema: pa.Schema) -> None:
    """Refuse columns that `commit` would refuse, before anybody computes for minutes."""
    with registry.read() as db:
        _require_schema(db, find_run(db, run_id), name, schema)


def _require_schema(db: sqlite3.Connection, run: Run, name: TableName, schema: pa.Schema) -> None:
    seen = head(db, _seen_by(run), name)
    if seen is None or seen.schema_hash == schema_hash(schema):
        return
    text = db.execute("select arrow_schema from table_schemas where schema_hash = ?", (seen.schema_hash,)).fetchone()[0]
    old, new = _columns(text), _columns(schema_json(schema))
    raise SchemaDrift(
        f"{dotted(name)} changed its columns since commit {seen.commit_id}: "
        f"gone {_texts(old, new)}, new {_texts(new, old)}; it was {_texts(old)} and would be {_texts(new)}. "
        "If that is meant, `etf run --accept-schema-change` (in the UI: tag etf/schema_change = true); "
        "if not, mend what makes it."
    )


def column_names(text: str) -> list[str]:
    """Names of the columns in a registered schema."""
    return [name for name, _, _ in json.loads(text)]


def _columns(text: str) -> list[str]:
    return [f"{name} {kind}{'' if nullable else ' not null'}" for name, kind, nullable in json.loads(text)]


def _texts(columns: list[str], without: Sequence[str] = ()) -> str:
    return "(" + ", ".join(column for column in columns if column not in without) + ")"


def _insert_commit(registry: Registry, db: sqlite3.Connection, run_id: str, step_key: str, origin: Origin) -> int:
    settings = None if origin.settings is None else redact(json.dumps(dict(origin.settings), sort_keys=True, default=str))
    hashed = None if settings is None else hashlib.sha256(settings.encode()).hexdigest()[:16]
    cursor = db.execute(
        "insert into commits(run_id, step_key, committed_at, code_version, settings_hash, settings, note) values (?,?,?,?,?,?,?)",
        (run_id, step_key, registry.now(), origin.code_version, hashed, settings, redact(origin.note)),
    )
    commit_id = int(cursor.lastrowid or 0)
    for name, input_commit in origin.inputs.items():
        if version_of(db, name, input_commit) is None:
            raise WarehouseError(
                f"step {step_key!r} says it read {dotted(name)} of commit {input_commit}, which holds no such table. "
                "Pass the `commit_id` of the version that was read."
            )
        db.execute("insert into commit_inputs values (?, ?, ?, ?)", (commit_id, *name, input_commit))
    return commit_id


def _insert_version(registry: Registry, db: sqlite3.Connection, commit_id: int, table: Staged, memo_key: str | None) -> None:
    hashed = schema_hash(table.arrow_schema)
    db.execute("insert or ignore into table_schemas values (?, ?)", (hashed, schema_json(table.arrow_schema)))
    cursor = db.execute(
        "insert into versions(commit_id, schema_name, table_name, schema_hash, content_hash, rows, memo_key) "
        "values (?, ?, ?, ?, ?, ?, ?)",
        (commit_id, *table.name, hashed, table.content_hash, table.rows, memo_key),
    )
    for ordinal, file in enumerate(table.files):
        file_id = _registered(registry, db, table.name, file)
        db.execute("insert into manifests values (?, ?, ?)", (cursor.lastrowid, ordinal, file_id))


def _registered(registry: Registry, db: sqlite3.Connection, name: TableName, file: StoredFile) -> int:
    row = db.execute("select file_id from files where path = ?", (file.path,)).fetchone()
    collected = file.file_id is not None and row is None
    if collected or not is_whole(registry.home, file):
        raise Conflict(f"{file.path} of {dotted(name)} was collected after it was staged. Stage the table again.")
    if row:
        return int(row["file_id"])
    cursor = db.execute(
        "insert into files(schema_name, table_name, path, rows, bytes, sha256, content_hash, chunk) "
        "values (?, ?, ?, ?, ?, ?, ?, ?)",
        (*name, file.path, file.rows, file.bytes, file.sha256, file.content_hash, file.chunk),
    )
    return int(cursor.lastrowid or 0)


def _copy_version(db: sqlite3.Connection, commit_id: int, version: Version) -> None:
    cursor = db.execute(
        "insert into versions(commit_id, schema_name, table_name, schema_hash, content_hash, rows, memo_key) "
        "select ?, schema_name, table_name, schema_hash, content_hash, rows, memo_key from versions where version_id = ?",
        (commit_id, version.version_id),
    )
    db.execute(
        "insert into manifests select ?, ordinal, file_id from manifests where version_id = ?",
        (cursor.lastrowid, version.version_id),
    )


def _origin_again(db: sqlite3.Connection, version: Version, inputs: Mapping[TableName, int] | None) -> Origin:
    row = db.execute("select settings from commits where commit_id = ?", (version.commit_id,)).fetchone()
    settings = json.loads(row["settings"]) if row["settings"] else None
    kept = {n: c for n, c in inputs_of(db, version.commit_id).items() if version_of(db, n, c)} if inputs is None else inputs
    return Origin(kept, version.code_version, settings, f"reused from commit {version.commit_id}")


def _recorded(db: sqlite3.Connection, run_id: str, step_key: str) -> Commit:
    commit = find_commit(db, run_id, step_key)
    assert commit is not None
    return commit


def _seen_by(run: Run) -> Snapshot:
    return Snapshot(run.base, run.run_id, EVERY_COMMIT)
