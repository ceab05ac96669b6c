"""`Warehouse`: the one object through which the rest of the project meets the store.

Longer than the house likes, because it holds every public docstring of the room; each method is one call into a module below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from etf_pipeline.errors import WarehouseError
from etf_pipeline.secrets import Secret
from etf_pipeline.warehouse import (
    catalog,
    commits,
    doctor,
    files,
    lineage,
    protection,
    query,
    registry,
    rekey,
    retention,
    snapshot,
)
from etf_pipeline.warehouse.cache import CACHE, Cache
from etf_pipeline.warehouse.chunks import within
from etf_pipeline.warehouse.records import Commit, Run, Staged, StoredFile, TableName, Version, checked_name, dotted


class Warehouse:
    """Versioned tables in one folder.

    Parameters
    ----------
    home : Path
        The folder, made if it is not there: ``registry.sqlite``, ``tables/``, ``cache/`` and ``catalog.duckdb``.
    clock : callable, optional
        Gives the current UTC instant; tests pass their own.
    key : Secret, optional
        Encrypts every file. A warehouse remembers its key: without it nothing is read or written, with another it does not open.

    Raises
    ------
    WarehouseError
        If the key is not the warehouse's, or its files are in clear.

    Attributes
    ----------
    cache : Cache
        Expensive pieces by the hash of what they are a function of.

    Notes
    -----
    One object may serve many threads, and processes that were forked from its own.

    Examples
    --------
    >>> import tempfile
    >>> warehouse = Warehouse(Path(tempfile.mkdtemp()))
    >>> _ = warehouse.begin_run("monday")
    >>> staged = warehouse.stage("risk", "beta", pa.table({"ticker": ["VAS.AX"], "beta": [1.02]}))
    >>> _ = warehouse.commit("monday", "beta", [staged])
    >>> warehouse.head("risk", "beta") is None  # nobody sees a run before it has succeeded
    True
    >>> _ = warehouse.finish_run("monday", succeeded=True)
    >>> warehouse.read("risk", "beta").to_pylist()
    [{'ticker': 'VAS.AX', 'beta': 1.02}]
    """

    def __init__(self, home: Path, clock: registry.Clock = registry.utc_now, key: Secret | None = None) -> None:
        self._registry = registry.Registry(Path(home), clock)
        self._registry.vault = protection.vault_of(self._registry, key)
        self.cache = Cache(self.home / CACHE, self._registry.vault)

    @property
    def home(self) -> Path:
        """The warehouse's folder, absolute."""
        return self._registry.home

    @property
    def catalog_path(self) -> Path:
        """The DuckDB file that `publish` replaces."""
        return catalog.catalog_path(self.home)

    @property
    def encrypted(self) -> bool:
        """Whether the files are encrypted at rest."""
        return self._registry.vault.encrypted

    def close(self) -> None:
        """Close this thread's connection to the registry; the next call opens another."""
        self._registry.close()

    # Writing

    def begin_run(self, run_id: str, labels: Mapping[str, Any] | None = None) -> Run:
        """Open a run, pinned to the state that is visible now. Opening it again changes nothing.

        Parameters
        ----------
        run_id : str
            Any name that nobody uses twice.
        labels : mapping, optional
            What a person must know about its numbers, such as ``{"provider": "simulated", "simulated": True}``.
        """
        return registry.begin_run(self._registry, run_id, labels)

    def label_run(self, run_id: str, labels: Mapping[str, Any]) -> Run:
        """Give a running run other labels, when it learns only later what its numbers stand on.

        Raises
        ------
        WarehouseError
            If the run was never begun, or has ended with others.
        """
        return registry.label_run(self._registry, run_id, labels)

    def finish_run(self, run_id: str, succeeded: bool, note: str = "") -> Run:
        """Close a run: everything that it committed becomes visible at once, or never. Repeating the verdict changes nothing.

        Raises
        ------
        WarehouseError
            If the run was never begun, or ended with the other verdict.
        """
        return registry.finish_run(self._registry, run_id, succeeded, note)

    def runs(self) -> list[Run]:
        """Every run, the oldest first."""
        with self._registry.read() as db:
            return registry.all_runs(db)

    def stage(
        self,
        schema_name: str,
        table_name: str,
        table: pa.Table,
        *,
        chunk: str | None = None,
        onto: Version | None = None,
        since: date | None = None,
    ) -> Staged:
        """Put a table safely on disk, without making it visible.

        Parameters
        ----------
        schema_name, table_name : str
            Lower-case snake case; table names are unique in the project.
        table : pyarrow.Table of shape (n_rows, n_columns)
            Rows in the order of their key. An empty table is a table.
        chunk : str, optional
            Date column to cut by: a year per file, and in the newest year a month.
        onto, since : Version and date, optional
            The table holds the rows from `since` on; those before stay as they are in `onto`. `chunks.seam` says where.

        Returns
        -------
        Staged
            For `commit`. A file of the table that already holds the same values is pointed to, not written again.

        Raises
        ------
        WarehouseError
            If the disk refuses, a name is unfit, or `chunk` is no date that every row has.

        Notes
        -----
        A chunk reads back in the order of its date, so a key that begins with another column keeps its order only inside a
        chunk. The content hash is that of the rows as they read back.
        """
        kept = [file for file in self.files_of(onto) if within(file.chunk, before=since)] if onto else []
        return files.stage(self._registry, checked_name(schema_name, table_name), table, chunk, kept)

    def commit(
        self,
        run_id: str,
        step_key: str,
        staged: Sequence[Staged],
        *,
        inputs: Mapping[TableName, int] | None = None,
        code_version: str = "",
        settings: Mapping[str, Any] | None = None,
        memo_key: str | None = None,
        note: str = "",
        schema_change: bool = False,
        expect: Mapping[TableName, int | None] | None = None,
    ) -> Commit:
        """Record staged tables as the result of one step, all of them or none.

        Parameters
        ----------
        run_id, step_key : str
            Who commits. A step that has committed before keeps its first result, which is returned: a retry is safe.
        staged : sequence of Staged
            One or more different tables.
        inputs : mapping of (schema, table) to commit, optional
            The `commit_id` of every version that was read.
        code_version, settings, note : optional
            What `lineage` shows; settings are stored as JSON with their hash.
        memo_key : str, optional
            Hash of everything that the rows are a function of; `reuse` compares it.
        schema_change : bool, default False
            Declares that the columns may differ from the visible version's.
        expect : mapping of (schema, table) to commit or None, optional
            Compare-and-swap: heads that must not have moved since they were read.

        Raises
        ------
        Conflict
            If another run has committed a table of `expect` since this run began, or a staged file was collected.
        SchemaDrift
            If the columns differ and `schema_change` is not set.
        WarehouseError
            If the run is not running, an input does not exist, or the disk refuses.
        """
        origin = commits.Origin(inputs or {}, code_version, settings, note)
        return commits.commit(
            self._registry,
            run_id,
            step_key,
            staged,
            origin,
            memo_key=memo_key,
            schema_change=schema_change,
            expect=expect,
        )

    def require_schema(self, run_id: str, schema_name: str, table_name: str, schema: pa.Schema) -> None:
        """Refuse columns that `commit` would refuse, before anybody computes for minutes.

        Raises
        ------
        SchemaDrift
            If the version that the run sees has other columns.
        """
        commits.require_schema(self._registry, run_id, checked_name(schema_name, table_name), schema)

    def reuse(
        self,
        run_id: str,
        step_key: str,
        tables: Sequence[TableName],
        memo_key: str,
        *,
        inputs: Mapping[TableName, int] | None = None,
    ) -> Commit | None:
        """Record the visible versions again as a step's result, writing no file.

        Parameters
        ----------
        run_id, step_key : str
            Who commits.
        tables : sequence of (schema, table)
            The step's tables.
        memo_key : str
            Must equal the visible versions' own.
        inputs : mapping of (schema, table) to commit, optional
            What the step would have read now; by default what the first commit had read.

        Returns
        -------
        Commit or None
            None if a table is not visible, carries another key, or has lost a file: then compute and `commit`.
        """
        return commits.reuse(self._registry, run_id, step_key, tables, memo_key, inputs)

    # Reading

    def head(
        self, schema_name: str, table_name: str, run_id: str | None = None, *, at: snapshot.At | None = None
    ) -> Version | None:
        """The visible version of a table, or None.

        Parameters
        ----------
        schema_name, table_name : str
            The table.
        run_id : str, optional
            Look as this run does: the state in which it began, and its own commits over it.
        at : int or str, optional
            Look at the past: a commit's number, a tag, or a run.
        """
        with self._registry.read() as db:
            return snapshot.head(db, snapshot.resolve(db, run_id, at), (schema_name, table_name))

    def tables(self, run_id: str | None = None, *, at: snapshot.At | None = None) -> list[Version]:
        """The visible version of every table, by schema and name; parameters as in `head`."""
        with self._registry.read() as db:
            return snapshot.heads(db, snapshot.resolve(db, run_id, at))

    def read(
        self,
        schema_name: str,
        table_name: str,
        *,
        run_id: str | None = None,
        at: snapshot.At | None = None,
        columns: Sequence[str] | None = None,
    ) -> pa.Table:
        """Rows of the visible version; `run_id` and `at` as in `head`.

        Raises
        ------
        NotMaterialised
            Saying who made the table, if anybody did, and why it is not visible.
        WarehouseError
            If a column does not exist, or a file is gone or damaged.
        """
        with self._registry.read() as db:
            version = snapshot.required_head(db, snapshot.resolve(db, run_id, at), (schema_name, table_name))
        return self.read_version(version, columns)

    def files_of(self, version: Version) -> list[StoredFile]:
        """The files that hold a version, in the order of their rows.

        Raises
        ------
        WarehouseError
            If the version was dropped.
        """
        with self._registry.read() as db:
            return snapshot.files_of(db, version)

    def origin_of(self, version: Version) -> tuple[dict[TableName, Version], Mapping[str, Any] | None]:
        """The versions that a version was made from, as far as they are kept, and the settings it was made with."""
        with self._registry.read() as db:
            commit = snapshot.find_commit(db, version.run_id, version.step_key)
            found = {name: snapshot.version_of(db, name, at) for name, at in snapshot.inputs_of(db, version.commit_id).items()}
            kept = {name: one for name, one in found.items() if one is not None and snapshot.is_kept(db, one)}
        return kept, commit.settings if commit else None

    def read_version(
        self,
        version: Version,
        columns: Sequence[str] | None = None,
        *,
        since: date | None = None,
        before: date | None = None,
    ) -> pa.Table:
        """Rows of exactly this version, which `head` or `versions` gave.

        Parameters
        ----------
        since, before : date, optional
            Only files that begin on or after, and before, this day: for tables that are cut by date.

        Raises
        ------
        WarehouseError
            If the version was dropped, a column does not exist, or a file is gone or damaged.
        """
        with self._registry.read() as db:
            stored = [file for file in snapshot.files_of(db, version) if within(file.chunk, since, before)]
            text = db.execute("select arrow_schema from table_schemas where schema_hash = ?", (version.schema_hash,))
            names = commits.column_names(text.fetchone()[0])
        unknown = [name for name in columns or () if name not in names]
        if unknown:
            raise WarehouseError(f"{dotted(version.name)} has no columns {unknown}; it has {names}. Ask for those.")
        return files.read(self._registry, stored, columns)

    def content_hash(self, schema_name: str, table_name: str, *, run_id: str | None = None, at: snapshot.At | None = None) -> str:
        """Hash of the visible version's values; equal wherever the rows are equal.

        Raises
        ------
        NotMaterialised
            If the table is not visible.
        """
        with self._registry.read() as db:
            return snapshot.required_head(db, snapshot.resolve(db, run_id, at), (schema_name, table_name)).content_hash

    def query(
        self,
        sql: str,
        run_id: str | None = None,
        *,
        tables: Iterable[str | TableName] | None = None,
        at: snapshot.At | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> pa.Table:
        """Run SQL over the visible tables, deterministically: one thread, in UTC.

        Parameters
        ----------
        sql : str
            One statement; tables are named with or without their schema.
        run_id, at : optional
            As in `head`.
        tables : iterable of str or (schema, table), optional
            What the statement reads; by default every visible table is offered.
        values : mapping, optional
            Values of the ``$names`` in the statement: it never holds them itself.

        Raises
        ------
        NotMaterialised
            If one of `tables` is not visible.
        WarehouseError
            If the statement fails.
        """
        return query.query(self._registry, sql, run_id, tables, at, values)

    def connect(self, at: snapshot.At | None = None) -> duckdb.DuckDBPyConnection:
        """A DuckDB connection that shows what the catalog shows, or a past state; close it after use.

        Where the files are encrypted the tables come through this process, which holds the key; the connection never does.
        """
        return query.connect(self._registry, at)

    # Publishing and the past

    def publish(self, run_id: str | None = None) -> Path:
        """Replace the catalog by one that shows the newest state of all succeeded runs.

        Parameters
        ----------
        run_id : str, optional
            A run that must have succeeded. Whatever succeeded after it is shown too: a slow publisher never turns back.

        Returns
        -------
        Path
            The DuckDB file.

        Raises
        ------
        WarehouseError
            If the run has not succeeded, or the disk refuses; the catalog before is still there.

        Notes
        -----
        Within one process DuckDB shares a file that is open already: who keeps a connection to the catalog must close it
        to see the next one. `query` and `read` need no catalog and always see the newest state.
        """
        return catalog.publish(self._registry, run_id)

    def is_published(self) -> bool:
        """Whether the catalog shows the newest state: False between the end of a run and its publication."""
        return catalog.is_published(self._registry)

    def catalog_at(self, at: snapshot.At) -> Path:
        """Write a catalog of a past state (a commit, tag or run) beside the published one; tag what must stay readable."""
        return catalog.catalog_at(self._registry, at)

    def tag(self, name: str, at: snapshot.At) -> int:
        """Name a past state (a commit, tag or run) and protect it from `gc`.

        Returns
        -------
        int
            Number of the commit that the tag points to.

        Raises
        ------
        WarehouseError
            If the state holds no commit, or the name would be taken for a commit's number or a run.
        """
        with self._registry.write() as db:
            taken = name.isdigit() or db.execute("select 1 from runs where run_id = ?", (name,)).fetchone()
            if taken or not name or name == catalog.PUBLISHED:
                raise WarehouseError(f"tag {name!r} is a number, a run, or reserved. Choose another word.")
            commit_id = snapshot.last_commit(db, snapshot.resolve(db, at=at))
            if commit_id is None:
                raise WarehouseError(f"tag {name!r} needs a commit; there was none yet at {at!r}.")
            catalog.set_tag(db, name, commit_id)
            return commit_id

    def tags(self) -> dict[str, int]:
        """Every tag and the number of its commit."""
        with self._registry.read() as db:
            return {row["tag"]: row["commit_id"] for row in db.execute("select tag, commit_id from tags order by tag")}

    def versions(self, table: str | None = None) -> list[Version]:
        """Every version that is kept, the newest first; `table` may be ``table`` or ``schema.table``."""
        with self._registry.read() as db:
            return snapshot.history(db, table)

    def lineage(
        self, schema_name: str, table_name: str, at: snapshot.At | None = None, *, run_id: str | None = None
    ) -> lineage.Lineage:
        """Which exact versions, code and settings the visible version was made from, down to the sources.

        Raises
        ------
        NotMaterialised
            If the table is not visible.
        """
        return lineage.lineage(self._registry, (schema_name, table_name), at, run_id)

    # Care

    def doctor(self, relocate: bool = False) -> doctor.Report:
        """Verify the registry, every file's hash and the catalog.

        Parameters
        ----------
        relocate : bool, default False
            Publish again first, for a warehouse that was moved to another folder.
        """
        return doctor.examine(self._registry, relocate)

    def gc(self, keep_days: float = 90, grace_seconds: float = 86_400) -> retention.Collected:
        """Drop versions superseded long ago, files that no version holds, orphans, and unused cache pieces.

        Parameters
        ----------
        keep_days : float, default 90
            How long a superseded version or an unused piece is kept. [days]
        grace_seconds : float, default one day
            How old an orphan must be (a step may be about to commit it); also the least age of a superseded version. [seconds]
        """
        self.cache.gc(keep_days)
        return retention.gc(self._registry, keep_days, grace_seconds)

    def rekey(self, key: Secret | None) -> int:
        """Write every file anew under another key, or in clear; versions, hashes, tags and lineage stay as they are.

        Parameters
        ----------
        key : Secret or None
            The new key; None decrypts.

        Returns
        -------
        int
            How many files were written.

        Raises
        ------
        WarehouseError
            If a run is at work, a file is gone or damaged, or the disk refuses: then nothing has changed.

        Notes
        -----
        The cache is emptied. This object goes on under the new key; others must be opened anew.
        """
        written = rekey.rekey(self._registry, key)
        self.cache = Cache(self.home / CACHE, self._registry.vault)
        return written
