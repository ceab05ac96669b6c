"""Dagster without secrets: what a process of ours logs, stores or shows of an error is redacted first.

Dagster turns every exception, whoever raised it, into one picture (`SerializableErrorInfo`) that goes to its event log, to the
UI and to the failure sensor. It has a switch that hides errors altogether and none that keeps the reason but not the key, so
the one method that draws this picture is wrapped here; a test looks for the secret in every file of a home after a failed run.
"""

import traceback

from dagster_shared.error import SerializableErrorInfo

from etf_pipeline.redaction import protect_logging, redact
from etf_pipeline.secrets import remember_environment


def protect() -> None:
    """From now on this process writes no secret into logs or Dagster's storage. Calling it again changes nothing."""
    remember_environment()
    protect_logging()
    draw = SerializableErrorInfo.from_traceback.__func__  # type: ignore[attr-defined]
    if getattr(draw, "redacts", False):
        return

    def redacted(cls: type[SerializableErrorInfo], tb: traceback.TracebackException) -> SerializableErrorInfo:
        drawn: SerializableErrorInfo = draw(cls, tb)  # causes come through here as well
        return drawn._replace(message=redact(drawn.message), stack=[redact(line) for line in drawn.stack])

    redacted.redacts = True  # type: ignore[attr-defined]
    SerializableErrorInfo.from_traceback = classmethod(redacted)  # type: ignore[assignment,method-assign]
