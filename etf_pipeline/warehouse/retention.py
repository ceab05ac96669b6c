"""Forgetting: the rows of versions that nobody needs any more, then files that no version holds, then litter.

A version is needed while it is the visible head, a tag or a running run sees it, or it was superseded less than `keep_days`
ago (so a reader with an old catalog open is safe for that long). The versions of a failed run are kept as long, for a look.
What is dropped is a version's list of files: that it existed, its hash and its origin stay, so that reading a dropped state
fails instead of showing an older one, and lineage has no holes.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path

from etf_pipeline.warehouse.catalog import catalog_path, past_catalogs, publish_lock, publish_locked
from etf_pipeline.warehouse.files import TABLES
from etf_pipeline.warehouse.registry import Registry, all_runs, exclusive
from etf_pipeline.warehouse.snapshot import EVERY_COMMIT, Snapshot, heads, resolve

# A version of a succeeded run is superseded when the next one of its table became visible; a failed run's when it failed.
_SUPERSEDED = """
    select version_id from (
        select v.version_id, r.status, r.finished_at, lead(r.finished_at) over (
            partition by v.schema_name, v.table_name, r.status order by r.finish_order, v.commit_id) as superseded_at
        from versions v join commits c using (commit_id) join runs r using (run_id))
    where version_id in (select version_id from manifests)
      and ((status = 'succeeded' and superseded_at <= :cutoff) or (status = 'failed' and finished_at <= :cutoff))
"""


@dataclass(frozen=True)
class Collected:
    """What `gc` removed: versions forgotten, registered files and their bytes, and orphans."""

    versions: int
    files: int
    bytes: int
    orphans: int


def gc(registry: Registry, keep_days: float, grace_seconds: float) -> Collected:
    """Drop what nobody needs."""
    with exclusive(publish_lock(registry.home)):
        if catalog_path(registry.home).exists():
            publish_locked(registry)  # what the catalog shows and the tag `published` are the same from here on
        age = max(timedelta(days=keep_days), timedelta(seconds=grace_seconds))
        cutoff = (registry.clock().astimezone(UTC) - age).isoformat(timespec="microseconds")
        with registry.write() as db:
            orphans = _remove_orphans(db, registry.home, grace_seconds)
            versions = _drop_versions(db, cutoff)
            files = _drop_files(db)
        # Only now: had the transaction failed, the files would still be needed. A kill here leaves orphans for next time.
        _unlink(registry.home / path for path, _ in files)
        _unlink(path for path in past_catalogs(registry.home) if _age(path) >= grace_seconds)
    return Collected(versions, len(files), sum(size for _, size in files), orphans)


def orphans_of(db: sqlite3.Connection, home: Path) -> list[Path]:
    """Files under ``tables/`` that the registry does not know."""
    found = [path for path in (home / TABLES).rglob("*") if path.is_file()]
    known = {row[0] for row in db.execute("select path from files")}
    return [path for path in found if path.relative_to(home).as_posix() not in known]


def _needed(db: sqlite3.Connection) -> set[int]:
    states = [resolve(db)]
    states += [resolve(db, at=row[0]) for row in db.execute("select commit_id from tags").fetchall()]
    states += [Snapshot(run.base, run.run_id, EVERY_COMMIT) for run in all_runs(db) if run.status == "running"]
    return {version.version_id for state in states for version in heads(db, state)}


def _drop_versions(db: sqlite3.Connection, cutoff: str) -> int:
    needed = _needed(db)
    superseded = [row[0] for row in db.execute(_SUPERSEDED, {"cutoff": cutoff}) if row[0] not in needed]
    for version_id in superseded:
        db.execute("delete from manifests where version_id = ?", (version_id,))
    return len(superseded)


def _drop_files(db: sqlite3.Connection) -> list[tuple[str, int]]:
    unheld = "file_id not in (select file_id from manifests)"
    rows = [(row["path"], row["bytes"]) for row in db.execute(f"select path, bytes from files where {unheld}")]
    db.execute(f"delete from files where {unheld}")
    return rows


def _remove_orphans(db: sqlite3.Connection, home: Path, grace_seconds: float) -> int:
    """Inside the write transaction: nothing can be committed between the look and the removal."""
    old = [path for path in orphans_of(db, home) if _age(path) >= grace_seconds]
    _unlink(old)
    return len(old)


def _unlink(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # its folder still holds other parts
            path.parent.rmdir()


def _age(path: Path) -> float:
    """Seconds since a file was written, by the clock that wrote it: the file system's."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
