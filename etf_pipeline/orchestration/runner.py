"""Runs a job in this process, with progress for people: what `etf run` does."""

import logging
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
from rich.console import Console
from rich.markup import escape

from etf_pipeline.errors import SettingsError
from etf_pipeline.orchestration.resources import SCHEMA_CHANGE_TAG
from etf_pipeline.orchestration.runs import carry, publish, put_down, settle_finished_runs
from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.settings import Settings

INSTANCE = """\
# Local Dagster instance of the pipeline; made by `etf run` and `etf ui`.
telemetry:
  enabled: false
nux:
  enabled: false
retention:
  schedule:
    purge_after_days: 90
  sensor:
    purge_after_days:
      skipped: 7
      failure: 30
      success: 90
concurrency:
  pools:
    default_limit: 1
"""
PIECES = "etf_pipeline.progress"
"""Logger to which long steps tell each piece that is done."""

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Dagster's own log goes to its storage, where `etf ui` shows it; the console shows progress."""


@dataclass
class RunOutcome:
    """How a run ended.

    Attributes
    ----------
    computed, kept : int
        Steps that computed, and steps whose tables were still right.
    failed_steps, message
        Where and why it failed.
    """

    run_id: str
    success: bool = False
    seconds: float = 0.0
    computed: int = 0
    kept: int = 0
    failed_steps: list[str] = field(default_factory=list)
    message: str = ""


def prepare_home(settings: Settings) -> Path:
    """Make the home's folders and Dagster's instance file; returns Dagster's home.

    Raises
    ------
    SettingsError
        If the home cannot be written.
    """
    instance = settings.dagster_home / "dagster.yaml"
    try:
        for folder in (settings.warehouse, settings.dagster_home, settings.reports, settings.inbox):
            folder.mkdir(parents=True, exist_ok=True)
        if not instance.exists():
            instance.write_text(INSTANCE, encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"the home {settings.home} needs to be a folder that may be written; found: {error.strerror} ({error.filename}). "
            "Set ETF_HOME to one."
        ) from error
    return settings.dagster_home


def run_job(settings: Settings, job: str, console: Console, *, accept_schema_change: bool = False) -> RunOutcome:
    """Run a job to its end, publish it if it succeeded, and write the report.

    Raises
    ------
    SettingsError
        If there is no such job.
    """
    os.environ["DAGSTER_HOME"] = str(prepare_home(settings))
    from etf_pipeline.definitions import defs
    from etf_pipeline.orchestration.jobs import JOBS

    names = [definition.name for definition in JOBS]
    if job not in names:
        raise SettingsError(f"'{job}' is no job; choose one of {', '.join(names)}.")
    outcome = RunOutcome(str(uuid.uuid4()))
    started = time.perf_counter()
    with dg.DagsterInstance.get() as instance:
        settle_finished_runs(settings, instance)  # a killed run must not keep its place in a pool
        carry(settings, outcome.run_id)
        instance.add_event_listener(outcome.run_id, _progress(outcome, console))
        tags = {SCHEMA_CHANGE_TAG: "true"} if accept_schema_change else {}
        try:
            with _pieces_shown(console):
                outcome.success = (
                    defs.resolve_job_def(job)
                    .execute_in_process(
                        instance=instance, run_id=outcome.run_id, tags=tags, raise_on_error=False, run_config=QUIET
                    )
                    .success
                )
        finally:  # an interrupted run is a failed one
            outcome.seconds = time.perf_counter() - started
            close_run(settings, outcome)
            put_down(settings, outcome.run_id)
    return outcome


def settle(settings: Settings) -> None:
    """Close runs that have ended or died, where nothing else is about to look."""
    os.environ["DAGSTER_HOME"] = str(prepare_home(settings))
    with dg.DagsterInstance.get() as instance:
        settle_finished_runs(settings, instance)


def close_run(settings: Settings, outcome: RunOutcome) -> None:
    """Make a succeeded run visible, or a failed one final."""
    tables = TableStore.for_settings(settings)
    if all(run.run_id != outcome.run_id for run in tables.warehouse.runs()):
        return
    tables.warehouse.finish_run(outcome.run_id, succeeded=outcome.success, note=outcome.message)
    if outcome.success:
        publish(settings, tables)


@contextmanager
def _pieces_shown(console: Console) -> Iterator[None]:
    """Print what long steps say of their pieces (windows, splits, configurations), with the seconds since the first."""
    logger, started = logging.getLogger(PIECES), time.perf_counter()
    handler = logging.Handler()
    handler.emit = lambda record: console.print(  # type: ignore[method-assign]
        f"    [dim]{time.perf_counter() - started:7.1f} s  {escape(record.getMessage())}[/]", highlight=False
    )
    level, passes_on = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = passes_on


def _progress(outcome: RunOutcome, console: Console) -> Any:
    begun: dict[str, float] = {}
    kept: dict[str, bool] = {}

    def listen(entry: Any) -> None:
        event = entry.dagster_event
        if event is None or event.step_key is None:
            return
        step, kind = event.step_key, event.event_type
        if kind == dg.DagsterEventType.STEP_START:
            begun[step] = time.perf_counter()
        elif kind == dg.DagsterEventType.ASSET_MATERIALIZATION:
            reused = event.event_specific_data.materialization.metadata.get("reused")
            kept[step] = bool(reused is not None and reused.value)
        elif kind == dg.DagsterEventType.STEP_SUCCESS:
            if step in kept:
                outcome.kept += kept[step]
                outcome.computed += not kept[step]
            how = "kept, nothing changed" if kept.get(step) else ""
            console.print(f"  [green]✓[/] {step:<40} {time.perf_counter() - begun[step]:6.1f} s  [dim]{how}[/]", highlight=False)
        elif kind == dg.DagsterEventType.STEP_FAILURE:
            outcome.failed_steps.append(step)
            outcome.message = outcome.message or _cause(event)
            console.print(f"  [red]✗[/] {step}", highlight=False)

    return listen


def _cause(event: Any) -> str:
    """The project's own error where there is one, which says what to do next; otherwise the first cause."""
    error = event.event_specific_data.error
    while error is not None and error.cause is not None and not error.message.startswith("etf_pipeline."):
        error = error.cause
    if error is None:
        return "no reason given"
    if error.cls_name == "DagsterExecutionInterruptedError":
        return "interrupted"
    name, colon, words = error.message.strip().partition(": ")
    return f"{name.rsplit('.', 1)[-1]}{colon}{words}"
