"""What is visible: succeeded runs in the order in which they finished, overlaid with one run's own commits.

A run is a transaction, so the state of the warehouse is a number: how many runs had succeeded. A running run is pinned to the
number at which it began (snapshot isolation): whatever finishes beside it, all of its steps read one consistent state.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from etf_pipeline.errors import NotMaterialised, WarehouseError
from etf_pipeline.warehouse.records import Commit, StoredFile, TableName, Version, dotted
from etf_pipeline.warehouse.registry import find_run

At = int | str
"""A moment of the past: a commit's number, a tag, or a run."""

EVERY_COMMIT = 2**62

_VERSIONS = """
    select v.*, c.run_id, c.step_key, c.committed_at, c.code_version
    from versions v join commits c using (commit_id) join runs r using (run_id)
"""
_HEADS = """
    select * from (
        select v.*, c.run_id, c.step_key, c.committed_at, c.code_version, row_number() over (
            partition by v.schema_name, v.table_name
            order by c.run_id = :run_id desc, r.finish_order desc, c.commit_id desc) as place
        from versions v join commits c using (commit_id) join runs r using (run_id)
        where (r.finish_order <= :finished or (c.run_id = :run_id and c.commit_id <= :commit_id))
          and (:schema_name is null or (v.schema_name = :schema_name and v.table_name = :table_name)))
    where place = 1 order by schema_name, table_name
"""


@dataclass(frozen=True)
class Snapshot:
    """Runs that succeeded up to `finished`, and over them the commits of `run_id` up to `commit_id`."""

    finished: int
    run_id: str = ""
    commit_id: int = 0


def resolve(db: sqlite3.Connection, run_id: str | None = None, at: At | None = None) -> Snapshot:
    """Which state is asked for: the newest, the one that a run sees, or one of the past.

    Raises
    ------
    WarehouseError
        If both `run_id` and `at` are given, or if either is unknown.
    """
    if run_id is not None and at is not None:
        raise WarehouseError(f"read either inside run {run_id!r} or at {at!r}, not both. Leave one of them out.")
    if run_id is not None:
        return Snapshot(find_run(db, run_id).base, run_id, EVERY_COMMIT)
    if at is not None:
        return _past(db, at)
    return Snapshot(db.execute("select coalesce(max(finish_order), 0) from runs").fetchone()[0])


def last_commit(db: sqlite3.Connection, snapshot: Snapshot) -> int | None:
    """Number of the commit that completed a state; None before the first."""
    row = db.execute(
        "select c.commit_id from commits c join runs r using (run_id) "
        "where r.finish_order <= :finished or (c.run_id = :run_id and c.commit_id <= :commit_id) "
        "order by c.run_id = :run_id desc, r.finish_order desc, c.commit_id desc limit 1",
        vars(snapshot),
    ).fetchone()
    return None if row is None else int(row[0])


def heads(db: sqlite3.Connection, snapshot: Snapshot) -> list[Version]:
    """The visible version of every table."""
    return [_version(row) for row in db.execute(_HEADS, {**vars(snapshot), "schema_name": None, "table_name": None})]


def head(db: sqlite3.Connection, snapshot: Snapshot, name: TableName) -> Version | None:
    """The visible version of one table, or None."""
    row = db.execute(_HEADS, {**vars(snapshot), "schema_name": name[0], "table_name": name[1]}).fetchone()
    return None if row is None else _version(row)


def required_head(db: sqlite3.Connection, snapshot: Snapshot, name: TableName) -> Version:
    """The visible version of one table.

    Raises
    ------
    NotMaterialised
        Saying who made the table, if anybody did, and why it is not visible here.
    """
    version = head(db, snapshot, name)
    if version is None:
        raise NotMaterialised(f"{dotted(name)} is needed here and not there. {_why_invisible(db, snapshot, name)}")
    return version


def history(db: sqlite3.Connection, table: str | None = None) -> list[Version]:
    """Every version that is kept, the newest first; `table` may be ``table`` or ``schema.table``."""
    chosen = ":table is null or :table in (v.table_name, v.schema_name || '.' || v.table_name)"
    where = f"where version_id in (select version_id from manifests) and ({chosen})"
    return [_version(row) for row in db.execute(f"{_VERSIONS} {where} order by version_id desc", {"table": table})]


def version_of(db: sqlite3.Connection, name: TableName, commit_id: int) -> Version | None:
    """The version of a table that one commit left, or None."""
    row = db.execute(f"{_VERSIONS} where schema_name = ? and table_name = ? and v.commit_id = ?", (*name, commit_id))
    found = row.fetchone()
    return None if found is None else _version(found)


def files_of(db: sqlite3.Connection, version: Version) -> list[StoredFile]:
    """The files of a version, in the order of its rows.

    Raises
    ------
    WarehouseError
        If `gc` has dropped them; an empty table has a file too.
    """
    sql = "select f.* from manifests m join files f using (file_id) where m.version_id = ? order by m.ordinal"
    rows = db.execute(sql, (version.version_id,)).fetchall()
    if not rows:
        raise WarehouseError(
            f"the rows of {dotted(version.name)} at commit {version.commit_id} ({version.committed_at:%Y-%m-%d}) "
            "were dropped by gc. Read a later state; tag what must stay."
        )
    return [stored_file(row) for row in rows]


def is_kept(db: sqlite3.Connection, version: Version) -> bool:
    """Whether `gc` has left a version its files."""
    return db.execute("select 1 from manifests where version_id = ?", (version.version_id,)).fetchone() is not None


def find_commit(db: sqlite3.Connection, run_id: str, step_key: str) -> Commit | None:
    """What a step of a run has committed, or None."""
    row = db.execute("select * from commits where run_id = ? and step_key = ?", (run_id, step_key)).fetchone()
    if row is None:
        return None
    found = db.execute(f"{_VERSIONS} where v.commit_id = ? order by version_id", (row["commit_id"],))
    return Commit(
        commit_id=row["commit_id"],
        run_id=run_id,
        step_key=step_key,
        committed_at=datetime.fromisoformat(row["committed_at"]),
        code_version=row["code_version"],
        settings=json.loads(row["settings"]) if row["settings"] else None,
        note=row["note"],
        versions=tuple(_version(version) for version in found),
    )


def inputs_of(db: sqlite3.Connection, commit_id: int) -> Mapping[TableName, int]:
    """The commits of the tables that a commit read."""
    rows = db.execute("select * from commit_inputs where commit_id = ? order by schema_name, table_name", (commit_id,))
    return {(row["schema_name"], row["table_name"]): row["input_commit"] for row in rows}


def stored_file(row: sqlite3.Row) -> StoredFile:
    """A row of ``files`` as a value."""
    return StoredFile(**{key: row[key] for key in ("file_id", "path", "rows", "bytes", "sha256", "content_hash", "chunk")})


def _version(row: sqlite3.Row) -> Version:
    values = {key: row[key] for key in Version.__dataclass_fields__}
    return Version(**{**values, "committed_at": datetime.fromisoformat(row["committed_at"])})


def _past(db: sqlite3.Connection, at: At) -> Snapshot:
    commit_id = _commit_id(db, at)
    if commit_id is None:
        run_id, commit_id = str(at), EVERY_COMMIT
    else:
        run_id = db.execute("select run_id from commits where commit_id = ?", (commit_id,)).fetchone()[0]
    run = find_run(db, run_id)
    return Snapshot(run.base if run.finish_order is None else run.finish_order - 1, run_id, commit_id)


def _commit_id(db: sqlite3.Connection, at: At) -> int | None:
    """Number of the commit that `at` names; None if it names a run."""
    if isinstance(at, str):
        row = db.execute("select commit_id from tags where tag = ?", (at,)).fetchone()
        if row:
            return int(row[0])
        if db.execute("select 1 from runs where run_id = ?", (at,)).fetchone():
            return None
    if str(at).isdigit() and db.execute("select 1 from commits where commit_id = ?", (int(at),)).fetchone():
        return int(at)
    tags = [row[0] for row in db.execute("select tag from tags order by tag limit 10")]
    last = db.execute("select coalesce(max(commit_id), 0) from commits").fetchone()[0]
    raise WarehouseError(
        f"{at!r} names no commit (1 to {last}), tag ({', '.join(tags) or 'none yet'}) or run. "
        "See `etf versions` for what is kept."
    )


def _why_invisible(db: sqlite3.Connection, snapshot: Snapshot, name: TableName) -> str:
    row = db.execute(
        "select c.run_id, r.status, r.finish_order from versions v join commits c using (commit_id) join runs r using (run_id) "
        "where v.schema_name = ? and v.table_name = ? order by c.commit_id desc limit 1",
        name,
    ).fetchone()
    if row is None:
        known = [dotted(version.name) for version in heads(db, snapshot)]
        return f"No run has made it; visible are {known or 'no tables yet'}. Materialise the asset that makes {name[1]} first."
    if row["status"] == "succeeded":
        return f"Run {row['run_id']!r} made it later than this state. Start a new run, or read at a later commit."
    word = "has failed" if row["status"] == "failed" else "has not finished"
    return f"Run {row['run_id']!r} made it but {word}, so nobody else sees it. Let that run succeed, or run it again."
