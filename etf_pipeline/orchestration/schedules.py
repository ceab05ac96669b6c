"""The nightly schedule, in exchange time, on nights that follow a session."""

from datetime import timedelta

import dagster as dg
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.orchestration.jobs import nightly
from etf_pipeline.orchestration.resources import settings

TIMEZONE = "America/New_York"


@dg.schedule(
    job=nightly, cron_schedule="30 1 * * *", execution_timezone=TIMEZONE, default_status=dg.DefaultScheduleStatus.STOPPED
)
def nightly_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """At 01:30 exchange time: run for the session that closed the evening before, if there was one."""
    day = pd.Timestamp((context.scheduled_execution_time - timedelta(days=1)).date())
    exchange = settings().exchange
    if not calendars.is_session(exchange, day):
        return dg.SkipReason(f"{day.date()} was no session of {exchange}")
    key = day.date().isoformat()
    return dg.RunRequest(run_key=key, tags={"etf/session": key})


SCHEDULES = [nightly_schedule]
