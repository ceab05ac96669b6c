"""When to ask again: after a random part of a doubling delay [1]_, and never before the source said.

References
----------
.. [1] M. Brooker, "Exponential Backoff And Jitter," AWS Architecture Blog, 2015: full jitter keeps clients that failed together
   from coming back together.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import numpy as np

from etf_pipeline.errors import SourceUnreachable

Answer = TypeVar("Answer")


@dataclass
class Retries:
    """How often a source that did not answer is asked again.

    Attributes
    ----------
    attempts : int
        Times it is asked, the first included.
    base, cap : float
        Longest wait before the second attempt, which doubles each time, and its bound. [seconds]
    patience : float
        A source that asks to be left alone for longer is not waited for. [seconds]
    sleep : callable
        How to wait.
    rng : Generator
        Source of the jitter.
    """

    attempts: int = 4
    base: float = 2.0
    cap: float = 60.0
    patience: float = 300.0
    sleep: Callable[[float], None] = time.sleep
    rng: np.random.Generator = field(default_factory=np.random.default_rng)

    def run(self, ask: Callable[[], Answer]) -> Answer:
        """Ask until there is an answer.

        Raises
        ------
        SourceUnreachable
            The last one, when no attempt is left or the source asked for more patience than there is. Any other error at once.
        """
        for attempt in range(self.attempts - 1):
            try:
                return ask()
            except SourceUnreachable as error:
                if error.wait is not None and error.wait > self.patience:
                    raise
                self.sleep((error.wait or 0.0) + self.delay(attempt))
        return ask()

    def delay(self, attempt: int) -> float:
        """Seconds to wait after the failed attempt of that number, from 0."""
        return float(self.rng.uniform(0.0, min(self.cap, self.base * 2.0**attempt)))


def retry_after(header: str | None, now: datetime | None = None) -> float | None:
    """Seconds that a ``Retry-After`` header asks for: a number, or an instant; None where it says neither.

    Examples
    --------
    >>> retry_after("120"), retry_after("soon"), retry_after(None)
    (120.0, None, None)
    >>> retry_after("Wed, 21 Oct 2015 07:28:00 GMT", datetime(2015, 10, 21, 7, 27, 30, tzinfo=UTC))
    30.0
    """
    text = (header or "").strip()
    if text.isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (aware - (now or datetime.now(UTC))).total_seconds())
