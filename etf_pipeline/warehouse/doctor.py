"""The doctor: is everything there that the registry promises, byte for byte?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from etf_pipeline.warehouse.cache import CACHE
from etf_pipeline.warehouse.catalog import catalog_path, is_published, publish
from etf_pipeline.warehouse.files import TABLES, is_whole, sha256
from etf_pipeline.warehouse.protection import protection
from etf_pipeline.warehouse.registry import Registry, all_runs
from etf_pipeline.warehouse.retention import orphans_of
from etf_pipeline.warehouse.snapshot import stored_file
from etf_pipeline.warehouse.vault import is_encrypted_file


@dataclass(frozen=True)
class Report:
    """What the doctor found.

    Attributes
    ----------
    integrity : str
        SQLite's own verdict on the registry, ``ok`` if sound.
    missing, damaged : tuple of str
        Registered files that are gone, or whose size or SHA-256 differs.
    exposed : tuple of str
        Files in clear in a warehouse that is encrypted: a copy put there by hand, or litter from before.
    orphans : tuple of str
        Files that no commit registered: litter of a killed step, or a step at work. `gc` removes them.
    running : tuple of str
        Runs that nobody has finished: at work, or dead.
    catalog : str
        ``ok``, ``missing``, ``behind`` (a run has succeeded since and was not published), ``elsewhere`` (it shows another
        folder: the warehouse was moved) or ``damaged``.
    files : int
        How many files were read.
    key_id : str
        Which key the files are encrypted under; empty for files in clear.
    """

    integrity: str
    missing: tuple[str, ...]
    damaged: tuple[str, ...]
    exposed: tuple[str, ...]
    orphans: tuple[str, ...]
    running: tuple[str, ...]
    catalog: str
    files: int
    key_id: str

    @property
    def ok(self) -> bool:
        """Whether every promise holds; orphans, running runs and an unpublished catalog are no illness."""
        wounds = self.missing + self.damaged + self.exposed
        return self.integrity == "ok" and not wounds and self.catalog in ("ok", "missing", "behind")

    def render(self) -> str:
        """The findings as text, each with what to do next."""
        again = "restore it from a backup, or delete it and materialise its table again"
        kept = f"encrypted under key {self.key_id}" if self.key_id else "in clear"
        lines = [f"registry: {self.integrity}; {self.files} files read, {kept}; catalog: {self.catalog}"]
        lines += (
            ["catalog: publish again with `etf doctor --relocate`"] if self.catalog in ("behind", "elsewhere", "damaged") else []
        )
        lines += [f"missing: {path}: {again}" for path in self.missing]
        lines += [f"damaged: {path}: {again}" for path in self.damaged]
        lines += [f"exposed: {path}: it is in clear; delete it, the warehouse does not need it" for path in self.exposed]
        lines += [f"orphan: {path}: `etf gc` removes it after its grace period" for path in self.orphans]
        lines += [f"running: {run}: if it is dead, `etf doctor --fail {run}`" for run in self.running]
        return "\n".join(lines)


def examine(registry: Registry, relocate: bool = False) -> Report:
    """Verify the registry, every file and the catalog; `relocate` publishes again first, for a folder that was moved."""
    if relocate:
        publish(registry)
    with registry.read() as db:
        integrity = "; ".join(row[0] for row in db.execute("pragma integrity_check"))
        files = [stored_file(row) for row in db.execute("select * from files order by path")]
        running = tuple(run.run_id for run in all_runs(db) if run.status == "running")
        orphans = tuple(sorted(str(path) for path in orphans_of(db, registry.home)))
        key_id = protection(db)
    missing, damaged = [], []
    for file in files:
        path = registry.home / file.path
        if not path.exists():
            missing.append(str(path))
        elif not is_whole(registry.home, file) or sha256(path) != file.sha256:
            damaged.append(str(path))
    return Report(
        integrity=integrity,
        missing=tuple(missing),
        damaged=tuple(damaged),
        exposed=tuple(_in_clear(registry.home)) if key_id else (),
        orphans=orphans,
        running=running,
        catalog=_catalog_state(registry),
        files=len(files),
        key_id=key_id,
    )


def _in_clear(home: Path) -> list[str]:
    parquet = [path for folder in (TABLES, CACHE) for path in (home / folder).rglob("*.parquet*")]
    return sorted(str(path) for path in parquet if not is_encrypted_file(path))


def _catalog_state(registry: Registry) -> str:
    path = catalog_path(registry.home)
    if not path.exists():
        return "missing"
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            row = connection.execute("select path from _catalog.files limit 1").fetchone()
    except duckdb.Error:
        return "damaged"
    if row is not None and not Path(row[0]).is_relative_to(registry.home):
        return "elsewhere"
    return "ok" if is_published(registry) else "behind"
