"""Redaction: whatever is written for people or kept for later loses its secrets on the way.

Every value that `secrets` hands out is remembered here, in each form in which it turns up (as it is, in a URL, in JSON, in a
``repr``), and `redact` puts ``***`` in its place. Credentials that nobody registered are caught by their surroundings: query
parameters, headers, the user part of a URL. `redact` is called at few, narrow places and nowhere else: the errors of the
project, log records, what the warehouse notes about a run, raw tables, Dagster's picture of an error, and the console.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from typing import Any, TextIO
from urllib.parse import quote, quote_plus

import pyarrow as pa
import pyarrow.compute as pc

MASK = "***"
SHORTEST = 6
"""Shorter values are no secrets: to blank them would shred ordinary text."""

_PARAMETERS = (
    r"api[-_]?key|apikey|access[-_]?key|(?:access|auth|refresh|id)[-_]?token|token|client[-_]?secret|secret|password|passwd|"
    r"signature|crumb"
)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"(?i)(?<![\w-])({_PARAMETERS})=(?!\*\*\*)[^&\s\"'<>#;,)\\]+"), rf"\1={MASK}"),
    (
        re.compile(
            r"(?i)\b((?:proxy-)?authorization|x-api-key|[a-z-]*api-key(?:-id)?|[a-z-]*secret-key)(['\"]?\s*[:=]\s*['\"]?)"
            r"(?:(?:bearer|basic|token|digest)\s+)?(?!\*\*\*)[^\s'\",;)}\\]+"
        ),
        rf"\1\2{MASK}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{12,}"), rf"\1 {MASK}"),
    (re.compile(r"(?<=://)[^/\s:@\"'\\]+:[^/\s@\"'\\]+@"), f"{MASK}@"),
)

_forms: set[str] = set()
_known: re.Pattern[str] | None = None


def remember(value: str) -> None:
    """Let `redact` know a secret, in every form in which a text may hold it."""
    global _known
    if len(value) < SHORTEST:
        return
    forms = {value, quote(value, safe=""), quote(value), quote_plus(value), repr(value)[1:-1]}
    forms |= {json.dumps(form)[1:-1] for form in list(forms)}
    if not forms <= _forms:
        _forms.update(forms)
        _known = re.compile("|".join(re.escape(form) for form in sorted(_forms, key=lambda form: (-len(form), form))))


def redact_known(text: str) -> str:
    """The text without any value that was handed out."""
    return text if _known is None else _known.sub(MASK, text)


def redact(text: str) -> str:
    """The text without any value that was handed out, and without what looks like a credential.

    Examples
    --------
    >>> redact("GET https://api.example.com/prices?symbol=SPY&api_key=0123abcd failed")
    'GET https://api.example.com/prices?symbol=SPY&api_key=*** failed'
    >>> redact("headers {'Authorization': 'Bearer 0123abcd'}")
    "headers {'Authorization': '***'}"
    """
    text = redact_known(text)
    for pattern, substitute in _PATTERNS:
        text = pattern.sub(substitute, text)
    return text


def redact_table(table: pa.Table) -> pa.Table:
    """The table without any value that was handed out; its other texts are data and stay as they are.

    Costs nothing while no secret is known: only distinct texts are looked at.
    """
    if _known is None:
        return table
    for i, field in enumerate(table.schema):
        if not (pa.types.is_string(field.type) or pa.types.is_large_string(field.type)):
            continue
        texts = pc.unique(table.column(i)).to_pylist()
        unclean = {text: clean for text in texts if text is not None and (clean := redact_known(text)) != text}
        if unclean:
            column = pa.array([unclean.get(text, text) for text in table.column(i).to_pylist()], field.type)
            table = table.set_column(i, field, column)
    return table


def protect_logging() -> None:
    """From now on no log record of this process, whoever writes it, holds a secret. Calling it again changes nothing."""
    make = logging.getLogRecordFactory()
    if getattr(make, "redacts", False):
        return

    def redacted_record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        return _redacted(make(*args, **kwargs))

    redacted_record.redacts = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(redacted_record)


def _redacted(record: logging.LogRecord) -> logging.LogRecord:
    try:
        message = record.getMessage()
    except (TypeError, ValueError, KeyError):  # a format that does not fit its arguments is reported by the handler
        message = f"{record.msg} {record.args}"
    if (clean := redact(message)) != message:
        record.msg, record.args = clean, ()
    if record.exc_info and record.exc_info[0] is not None:
        told = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        if (clean := redact(told)) != told:
            record.exc_text, record.exc_info = clean, None
    if record.stack_info:
        record.stack_info = redact(record.stack_info)
    return record


class RedactedStream:
    """A text stream that writes no secret, for the console of a command.

    Parameters
    ----------
    stream : text stream
        Where the text goes; everything but writing is left to it.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the redacted text; says how much of the original was taken, as a stream does."""
        self._stream.write(redact(text))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Write several redacted texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
