"""The registry: one SQLite database that is the truth about runs, commits, versions and files.

Every change is one ``BEGIN IMMEDIATE`` transaction: the write lock is taken first, so that waiting works and two writers never
deadlock on an upgrade. WAL lets readers go on meanwhile; ``synchronous=FULL`` makes an acknowledged commit survive a power cut.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from etf_pipeline.errors import WarehouseError
from etf_pipeline.redaction import redact
from etf_pipeline.warehouse.records import Run
from etf_pipeline.warehouse.vault import Vault

Clock = Callable[[], datetime]

BUSY_SECONDS = 60
LAYOUT = 1
"""Number of the layout below, kept in ``PRAGMA user_version``."""

ENCRYPTED_LAYOUT = 2
"""The same layout where the files are encrypted: `protection` keeps one table more."""

DDL = """
create table if not exists runs(
    run_id text primary key, started_at text not null, finished_at text,
    status text not null check(status in ('running', 'succeeded', 'failed')),
    base integer not null,              -- the run sees what had succeeded up to this number
    finish_order integer unique,        -- its own number, given when it succeeds
    note text not null default '', labels text not null default '{}',
    check((status = 'succeeded') = (finish_order is not null)));
create table if not exists commits(
    commit_id integer primary key autoincrement, run_id text not null references runs, step_key text not null,
    committed_at text not null, code_version text not null, settings_hash text, settings text, note text not null,
    unique(run_id, step_key));          -- the retry of a step is a no-op
create table if not exists table_schemas(schema_hash text primary key, arrow_schema text not null);
create table if not exists versions(
    version_id integer primary key autoincrement, commit_id integer not null references commits,
    schema_name text not null, table_name text not null, schema_hash text not null references table_schemas,
    content_hash text not null, rows integer not null, memo_key text,
    unique(commit_id, schema_name, table_name));
create index if not exists versions_by_table on versions(schema_name, table_name);
create table if not exists files(
    file_id integer primary key autoincrement, schema_name text not null, table_name text not null,
    path text not null unique, rows integer not null, bytes integer not null,
    sha256 text not null, content_hash text not null, chunk text not null);
create index if not exists files_by_content on files(schema_name, table_name, content_hash);
create table if not exists manifests(
    version_id integer not null references versions, ordinal integer not null, file_id integer not null references files,
    primary key(version_id, ordinal)) without rowid;
create index if not exists manifests_by_file on manifests(file_id);
create table if not exists commit_inputs(
    commit_id integer not null references commits, schema_name text not null, table_name text not null,
    input_commit integer not null references commits, check(input_commit < commit_id),
    primary key(commit_id, schema_name, table_name)) without rowid;
create table if not exists tags(tag text primary key, commit_id integer not null references commits);
"""


def utc_now() -> datetime:
    """The current instant."""
    return datetime.now(UTC)


class Registry:
    """Connections and transactions of one warehouse, safe to share between threads and across a fork.

    Parameters
    ----------
    home : Path
        Folder of the warehouse; made if it is not there.
    clock : callable
        Gives the current UTC instant.
    """

    def __init__(self, home: Path, clock: Clock = utc_now) -> None:
        self.home = home.resolve()
        self.clock = clock
        self.vault = Vault()  # until `protection` knows better
        self._local = threading.local()
        self._create()

    @property
    def path(self) -> Path:
        """The database file."""
        return self.home / "registry.sqlite"

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """One consistent look at the registry."""
        with self._transaction("begin") as db:
            yield db

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One change: everything inside happens, or nothing."""
        with self._transaction("begin immediate") as db:
            yield db

    def now(self) -> str:
        """The current instant as the registry writes it; such texts sort like the instants."""
        return self.clock().astimezone(UTC).isoformat(timespec="microseconds")

    def close(self) -> None:
        """Close this thread's connection; the next use opens another."""
        held = getattr(self._local, "held", None)
        if held and held[0] == os.getpid():
            held[1].close()
        self._local.held = None

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        try:
            db = self._connection()
            db.execute(begin)
            try:
                yield db
                db.execute("commit")
            except BaseException:
                if db.in_transaction:
                    db.execute("rollback")
                raise
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            raise WarehouseError(_explain(self.path, error)) from error

    def _connection(self) -> sqlite3.Connection:
        held = getattr(self._local, "held", None)
        if held is None or held[0] != os.getpid():
            self._local.inherited = held  # after a fork the parent's connection may be neither used nor closed
            held = self._local.held = (os.getpid(), self._connect())
        connection: sqlite3.Connection = held[1]
        return connection

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
        db.row_factory = sqlite3.Row
        db.execute("pragma synchronous=full")
        db.execute("pragma foreign_keys=on")
        return db

    def _create(self) -> None:
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            with exclusive(self.home / ".registry.lock"):  # switching to WAL does not wait for a lock by itself
                db = self._connection()
                layout = int(db.execute("pragma user_version").fetchone()[0])
                if layout == 0:
                    db.execute("pragma journal_mode=wal")
                    db.executescript(f"begin immediate; {DDL} pragma user_version={LAYOUT}; commit;")
        except (sqlite3.Error, OSError) as error:
            raise WarehouseError(_explain(self.path, error)) from error
        if layout > ENCRYPTED_LAYOUT:
            raise WarehouseError(
                f"{self.path} has layout {layout}; this version of the project knows up to {ENCRYPTED_LAYOUT}. "
                "Update the project."
            )


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock between processes; the kernel releases it when its holder is killed."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def begin_run(registry: Registry, run_id: str, labels: Mapping[str, Any] | None = None) -> Run:
    """Open a run, or return it as it is if it was opened before."""
    with registry.write() as db:
        base = db.execute("select coalesce(max(finish_order), 0) from runs").fetchone()[0]
        db.execute(
            "insert or ignore into runs(run_id, started_at, status, base, labels) values (?, ?, 'running', ?, ?)",
            (run_id, registry.now(), base, _noted(labels or {})),
        )
        return find_run(db, run_id)


def label_run(registry: Registry, run_id: str, labels: Mapping[str, Any]) -> Run:
    """Give a running run other labels; one that has ended keeps its own."""
    with registry.write() as db:
        run = find_run(db, run_id)
        text = _noted(labels)
        if run.status != "running" and dict(run.labels) != json.loads(text):
            raise WarehouseError(
                f"run {run_id!r} cannot be labelled anew: it {run.status} at {run.finished_at}. Start a new run."
            )
        db.execute("update runs set labels = ? where run_id = ?", (text, run_id))
        return find_run(db, run_id)


def finish_run(registry: Registry, run_id: str, succeeded: bool, note: str = "") -> Run:
    """Close a run: its commits become visible together, or never."""
    verdict = "succeeded" if succeeded else "failed"
    with registry.write() as db:
        run = find_run(db, run_id)
        if run.status not in ("running", verdict):
            raise WarehouseError(
                f"run {run_id!r} cannot be marked {verdict}: it {run.status} at {run.finished_at}. Start a new run."
            )
        if run.status == "running":
            order = "(select coalesce(max(finish_order), 0) + 1 from runs)" if succeeded else "null"
            db.execute(
                f"update runs set status = ?, finished_at = ?, note = ?, finish_order = {order} where run_id = ?",
                (verdict, registry.now(), redact(note), run_id),
            )
        return find_run(db, run_id)


def find_run(db: sqlite3.Connection, run_id: str) -> Run:
    """One run by its name.

    Raises
    ------
    WarehouseError
        If nobody has begun it.
    """
    row = db.execute("select * from runs where run_id = ?", (run_id,)).fetchone()
    if row is None:
        raise WarehouseError(f"run {run_id!r} is unknown to the warehouse. Call `begin_run({run_id!r})` first.")
    return _run(row)


def all_runs(db: sqlite3.Connection) -> list[Run]:
    """Every run, the oldest first."""
    return [_run(row) for row in db.execute("select * from runs order by started_at, run_id")]


def _run(row: sqlite3.Row) -> Run:
    finished = row["finished_at"]
    return Run(
        run_id=row["run_id"],
        started_at=datetime.fromisoformat(row["started_at"]),
        finished_at=datetime.fromisoformat(finished) if finished else None,
        status=row["status"],
        base=row["base"],
        finish_order=row["finish_order"],
        note=row["note"],
        labels=json.loads(row["labels"]),
    )


def _noted(labels: Mapping[str, Any]) -> str:
    """Labels as JSON, without secrets."""
    return redact(json.dumps(dict(labels), sort_keys=True, default=str))


def _explain(path: Path, error: Exception) -> str:
    """A database error with what to do about it."""
    text = str(error)
    if "full" in text or "No space" in text or "disk I/O" in text:
        advice = "The disk may be full: nothing was changed. Free space (`etf gc`, or a larger disk) and repeat the step."
    elif "locked" in text or "busy" in text:
        advice = f"Another process held the lock for {BUSY_SECONDS} s. See which one is stuck, end it, and repeat the step."
    elif "malformed" in text or "not a database" in text:
        advice = "Restore registry.sqlite from a backup; the Parquet files under tables/ are untouched."
    else:
        advice = "See that the folder exists and may be written, and run `etf doctor`."
    return f"the registry {path} could not be used: {text}. {advice}"
