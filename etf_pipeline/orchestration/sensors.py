"""Sensors: publish what succeeded, react to files in the inbox, report failures, and refresh SQL marts."""

import json

import dagster as dg

from etf_pipeline.orchestration.jobs import nightly
from etf_pipeline.orchestration.resources import settings, store
from etf_pipeline.orchestration.runs import publish, settle_finished_runs


@dg.sensor(
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Makes the tables of a finished run visible to everybody.",
)
def publish_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Close warehouse runs whose Dagster run has ended, and publish the catalog and the report."""
    succeeded = settle_finished_runs(settings(), context.instance)
    if not store().warehouse.is_published():  # a process was killed between the end of its run and its publication
        publish(settings(), store())
    return dg.SkipReason(f"published {', '.join(succeeded)}" if succeeded else "nothing new to publish")


@dg.sensor(job=nightly, minimum_interval_seconds=30, description="A file `*.ready` in the inbox starts a run.")
def inbox_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """One run per new or touched file; the cursor remembers which were seen."""
    inbox = settings().inbox
    found = {path.name: path.stat().st_mtime_ns for path in sorted(inbox.glob("*.ready"))} if inbox.exists() else {}
    seen = json.loads(context.cursor) if context.cursor else {}
    requests = [
        dg.RunRequest(run_key=f"inbox:{name}:{stamp}", tags={"etf/inbox": name})
        for name, stamp in found.items()
        if seen.get(name) != stamp
    ]
    if not requests:
        return dg.SkipReason(f"nothing new in {inbox.name}")
    return dg.SensorResult(run_requests=requests, cursor=json.dumps(found))


@dg.run_failure_sensor(
    default_status=dg.DefaultSensorStatus.RUNNING, description="Keeps one line per failed run where people look for it."
)
def failure_sensor(context: dg.RunFailureSensorContext) -> None:
    """Append the failure to `failures.jsonl` in the home; nothing of the failed run becomes visible."""
    run = context.dagster_run
    row = {"run_id": run.run_id, "job": run.job_name, "message": context.failure_event.message}
    log = settings().home / "failures.jsonl"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    context.log.error(f"run {run.run_id} of {run.job_name} failed: {context.failure_event.message}")


sql_refresh = dg.AutomationConditionSensorDefinition(
    "sql_refresh",
    target=dg.AssetSelection.groups("staging", "marts", "reports"),
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Rebuilds SQL marts and reports when what they read has changed outside a whole run.",
)

SENSORS = [publish_sensor, inbox_sensor, failure_sensor, sql_refresh]
