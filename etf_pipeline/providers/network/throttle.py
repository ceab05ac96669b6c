"""How fast a source may be asked: a bucket that fills with permits at a steady rate [1]_.

References
----------
.. [1] J. S. Turner, "New directions in communications (or which way to the information age?)," IEEE Communications Magazine
   24(10), 1986: the leaky bucket as a meter.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class TokenBucket:
    """Permits for requests.

    Attributes
    ----------
    rate : float
        Permits that arrive. [per second]
    burst : int
        Permits that it holds: as many requests may follow each other at once after a pause.
    clock, sleep : callable
        Monotonic seconds, and how to wait.

    Examples
    --------
    >>> waited = []
    >>> bucket = TokenBucket(rate=2.0, burst=1, clock=lambda: sum(waited), sleep=waited.append)
    >>> for _ in range(3):
    ...     bucket.take()
    >>> waited
    [0.5, 0.5]
    """

    rate: float
    burst: int = 1
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _permits: float = field(init=False)
    _seen: float = field(init=False)

    def __post_init__(self) -> None:
        self._permits, self._seen = float(self.burst), self.clock()

    def take(self) -> None:
        """Take one permit, waiting for it where there is none."""
        self._fill()
        while self._permits < 1 - 1e-9:  # a sleep may end early, and halves of a permit may not add up to one
            self.sleep((1 - self._permits) / self.rate)
            self._fill()
        self._permits -= 1

    def _fill(self) -> None:
        now = self.clock()
        self._permits = min(float(self.burst), self._permits + (now - self._seen) * self.rate)
        self._seen = now
