"""Runs of Dagster and of the warehouse: tables become visible when, and only when, Dagster says that their run succeeded."""

import dagster as dg

from etf_pipeline.warehouse import Warehouse

FAILED = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


def settle_finished_runs(warehouse: Warehouse, instance: dg.DagsterInstance, *, but: str | None = None) -> list[str]:
    """Close every warehouse run whose Dagster run has ended, and publish what succeeded.

    A step calls this before it looks at the warehouse, and a sensor calls it every few seconds, so that a run is visible to
    the next one even if the daemon was down when it ended.

    Parameters
    ----------
    but : str, optional
        The run that asks: it goes on.

    Returns
    -------
    list of str
        Runs that became visible.
    """
    succeeded = []
    for run in warehouse.runs():
        if run.status != "running" or run.run_id == but:
            continue
        known = instance.get_run_by_id(run.run_id)
        if known is not None and known.status == dg.DagsterRunStatus.SUCCESS:
            warehouse.finish_run(run.run_id, succeeded=True)
            succeeded.append(run.run_id)
        elif known is not None and known.status in FAILED:
            warehouse.finish_run(run.run_id, succeeded=False, note=f"Dagster says {known.status.value}")
    if succeeded:
        warehouse.publish()
    return succeeded
