"""Runs of Dagster and of the warehouse: tables become visible when, and only when, Dagster says that their run succeeded.

Dagster believes a run to be at work until told otherwise, so a process that was killed leaves a run that never ends. A process
that carries a whole run therefore holds a lock, which the kernel releases however the process dies: a run that is unfinished
while its lock is free has nobody left to finish it.
"""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import IO

import dagster as dg

from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.settings import Settings

FAILED = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
DIED = "the process that carried this run is gone"
_held: dict[Path, IO[str]] = {}


def settle_finished_runs(settings: Settings, instance: dg.DagsterInstance, *, but: str | None = None) -> list[str]:
    """Close every warehouse run that has ended or whose process died, and publish what succeeded.

    A step calls this before it looks at the warehouse, `etf run` before it starts, and a sensor every few seconds, so that a
    run is visible to the next one even if nobody was there when it ended.

    Parameters
    ----------
    but : str, optional
        The run that asks: it goes on.

    Returns
    -------
    list of str
        Runs that became visible.
    """
    tables = TableStore.for_settings(settings)
    warehouse, succeeded = tables.warehouse, []
    for run in warehouse.runs():
        if run.status != "running" or run.run_id == but:
            continue
        dead = is_dead(settings, run.run_id)  # asked first: what Dagster says of a dead process's run is its last word
        known = instance.get_run_by_id(run.run_id)
        status = known.status if known is not None else None
        if status == dg.DagsterRunStatus.SUCCESS:
            warehouse.finish_run(run.run_id, succeeded=True)
            succeeded.append(run.run_id)
        elif status is not None and status in FAILED:
            warehouse.finish_run(run.run_id, succeeded=False, note=f"Dagster says {status.value}")
        elif dead:
            warehouse.finish_run(run.run_id, succeeded=False, note=DIED)
    bury_dead_runs(settings, instance)
    if succeeded:
        publish(settings, tables)
    return succeeded


def bury_dead_runs(settings: Settings, instance: dg.DagsterInstance) -> None:
    """Tell Dagster which runs have died, and free the places in its pools that they hold."""
    for lock in sorted(_locks(settings).glob("*.lock")):
        if not is_dead(settings, lock.stem):
            continue
        run = instance.get_run_by_id(lock.stem)
        if run is not None and not run.is_finished:
            instance.report_run_failed(run, DIED)
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        lock.unlink(missing_ok=True)


def publish(settings: Settings, tables: TableStore) -> None:
    """Show everybody what succeeded: the catalog, and the newest report where a browser finds it."""
    tables.warehouse.publish()
    write_report(settings, tables)


def write_report(settings: Settings, tables: TableStore) -> Path | None:
    """Copy the newest tear sheet out of the warehouse; one that is encrypted gives it only to who asks, by `etf report`."""
    if tables.head("tear_sheet") is None or tables.warehouse.encrypted:
        return None
    sheet = tables.read("tear_sheet").to_pylist()[0]
    return write_page(settings.reports / str(sheet["file_name"]), sheet["html"])


def write_page(path: Path, html: str) -> Path:
    """Put a page where it is asked for, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.tmp")
    partial.write_text(html, encoding="utf-8")
    partial.replace(path)
    return path


def carry(settings: Settings, run_id: str) -> None:
    """Hold the run's lock for as long as this process lives, or until `put_down`."""
    path = _lock(settings, run_id)
    if path in _held:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unlocked = path.with_suffix(f".{os.getpid()}")
    handle = unlocked.open("w")
    fcntl.flock(handle, fcntl.LOCK_EX)
    unlocked.rename(path)  # so that nobody ever sees the lock free while its process lives
    _held[path] = handle


def put_down(settings: Settings, run_id: str) -> None:
    """The run has ended as it should: nobody needs to ask whether its process lives."""
    path = _lock(settings, run_id)
    if handle := _held.pop(path, None):
        path.unlink(missing_ok=True)  # before the lock is free, so that nobody takes the end for a death
        handle.close()


def is_dead(settings: Settings, run_id: str) -> bool:
    """Whether a process carried the run and is gone; False of a run that no single process carries."""
    path = _lock(settings, run_id)
    if path in _held:
        return False
    with contextlib.suppress(FileNotFoundError, BlockingIOError), path.open() as handle:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return path.exists()
    return False


def _locks(settings: Settings) -> Path:
    return settings.warehouse / "alive"


def _lock(settings: Settings, run_id: str) -> Path:
    return _locks(settings) / f"{run_id}.lock"
