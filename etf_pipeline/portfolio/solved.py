"""Problems that were solved before: the answer is a function of the problem's numbers, so a night solves that night's alone.

Answers are kept one page per portfolio and year. A page is found by the year's first problem, which is known before anything is
solved, and each answer on it by its own problem: whatever changed in between is solved anew and the page written again. Losing
a page costs time, never truth.
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from etf_pipeline.portfolio.optimizer import BENCHMARKS, PortfolioOptimizer
from etf_pipeline.portfolio.problem import Attempt, Problem, ShadowPrice, Solution

KIND = "solved_portfolios"
"""Kind of the cached pieces."""

_TEXT, _NUMBER = pa.string(), pa.float64()

PAGE = pa.schema(
    {
        "problem": _TEXT,
        "weights": pa.list_(_NUMBER),
        "engine": _TEXT,
        "status": _TEXT,
        "reason": _TEXT,
        "kkt_residual": _NUMBER,
        "shadow_prices": pa.list_(pa.struct({"limit": _TEXT, "bound": _NUMBER, "price": _NUMBER, "words": _TEXT})),
        "attempts": pa.list_(pa.struct({"step": _TEXT, "outcome": _TEXT, "reason": _TEXT})),
    }
)
"""One row per answer: a `Solution` under the digest of its problem."""


class SolutionCache(Protocol):
    """Where pages are kept: tables by kind and by a hash."""

    def get(self, kind: str, key: str) -> pa.Table | None:
        """The page, or None."""

    def put(self, kind: str, key: str, table: pa.Table) -> None:
        """Keep a page."""


@dataclass
class Solver:
    """Solves one portfolio's problems in the order of time, or finds that it did.

    Attributes
    ----------
    name : str
        The portfolio.
    strategy : str
        A key of `optimizer.OPTIMIZERS`.
    optimizer : PortfolioOptimizer
    cache : SolutionCache or None
        Where pages come from and go to.
    shared : dict of str to Solution
        Answers of this run, of all portfolios: two that hold the same ask the same.
    """

    name: str
    strategy: str
    optimizer: PortfolioOptimizer
    cache: SolutionCache | None = None
    shared: dict[str, Solution] = field(default_factory=dict)
    _year: int | None = None
    _key: str = ""
    _stored: dict[str, Solution] = field(default_factory=dict)
    _used: dict[str, Solution] = field(default_factory=dict)

    def solve(self, problem: Problem, year: int) -> Solution:
        """As `PortfolioOptimizer.solve`, to the bit."""
        if self.strategy in BENCHMARKS:
            return self.optimizer.solve(self.strategy, problem)
        key = self._digest(problem)
        if year != self._year:
            self.close()
            self._open(year, key)
        found = self._stored.get(key) or self.shared.get(key)
        if found is None:
            found = self.optimizer.solve(self.strategy, problem)
        self._used[key] = self.shared[key] = found
        return found

    def close(self) -> None:
        """Keep the page, if it holds other answers than were stored."""
        if self.cache is not None and self._used.keys() != self._stored.keys():
            self.cache.put(KIND, self._key, page(self._used))
        self._stored, self._used = {}, {}

    def _open(self, year: int, first: str) -> None:
        self._year, self._key = year, digest((self.name, year, first))
        found = self.cache.get(KIND, self._key) if self.cache is not None else None
        self._stored = {} if found is None else answers(found)

    def _digest(self, problem: Problem) -> str:
        p = self.optimizer.parameters
        return digest((self.strategy, p.engine, p.twin_correlation, p.fallbacks, problem))


def page(solutions: dict[str, Solution]) -> pa.Table:
    """Answers by the digest of their problem, as a table."""
    rows = [{"problem": key, **dataclasses.asdict(found)} for key, found in solutions.items()]
    return pa.Table.from_pylist(rows, schema=PAGE)


def answers(table: pa.Table) -> dict[str, Solution]:
    """What `page` wrote."""
    return {row.pop("problem"): _solution(row) for row in table.to_pylist()}


def _solution(row: dict[str, Any]) -> Solution:
    row["weights"] = np.array(row["weights"], dtype=np.float64)
    row["shadow_prices"] = tuple(ShadowPrice(**price) for price in row["shadow_prices"])
    row["attempts"] = tuple(Attempt(**attempt) for attempt in row["attempts"])
    return Solution(**row)


def digest(value: Any) -> str:
    """Hash of nested dataclasses, tuples, arrays and plain values; equal only where all of them are, to the bit.

    Examples
    --------
    >>> digest((1.0, np.array([0.1]))) == digest((1.0, np.array([0.1])))
    True
    >>> digest((1.0, np.array([0.1]))) == digest((1.0, np.array([0.1 + 1e-17, 0.0])))
    False
    """
    state = hashlib.sha256()
    _feed(state, value)
    return state.hexdigest()


def _feed(state: Any, value: Any) -> None:
    if dataclasses.is_dataclass(value):
        value = (type(value).__name__, *(getattr(value, f.name) for f in dataclasses.fields(value)))
    if isinstance(value, tuple):
        state.update(f"({len(value)}".encode())
        for item in value:
            _feed(state, item)
    elif isinstance(value, np.ndarray):
        state.update(f"[{value.dtype.str}{value.shape}".encode())
        state.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, float):  # numpy's own are as well
        state.update(f"<{float(value)!r}>".encode())
    else:
        state.update(f"<{type(value).__name__}:{value!r}>".encode())
