"""Variables and rows of the cone programme: where each stands, and how rows are collected for Clarabel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from etf_pipeline.panel import Floats

Positions = npt.NDArray[np.intp]
Block = tuple[Any, Any, Any]


@dataclass(frozen=True)
class Layout:
    """Where each variable stands: y (n), k, f (factors), d (trades), m and h (impacts), a and u (tail), e (slacks).

    Attributes
    ----------
    n, factors : int
        Funds, and factors of the covariance (zero where no risk is written out).
    kink, power : ndarray
        Funds with a variable for the size of their trade, and for its impact.
    tail : int
        Scenarios of the expected shortfall.
    slack : tuple of str
        Names of the limits that may be exceeded.
    squares : bool
        Whether impact is written with two second-order cones, which take a variable more, instead of a power cone.
    """

    n: int
    factors: int
    kink: Positions
    power: Positions
    tail: int = 0
    slack: tuple[str, ...] = ()
    squares: bool = False

    @property
    def k(self) -> int:
        return self.n

    @property
    def f(self) -> Positions:
        return self.n + 1 + np.arange(self.factors)

    @property
    def d(self) -> Positions:
        return self.n + 1 + self.factors + np.arange(len(self.kink))

    @property
    def m(self) -> Positions:
        return self.n + 1 + self.factors + len(self.kink) + np.arange(len(self.power))

    @property
    def h(self) -> Positions:
        count = len(self.power) if self.squares else 0
        return self.n + 1 + self.factors + len(self.kink) + len(self.power) + np.arange(count)

    @property
    def a(self) -> int:
        return self.n + 1 + self.factors + len(self.kink) + len(self.power) * (2 if self.squares else 1)

    @property
    def size_of_trade(self) -> Positions:
        """Where the absolute trade of each fund with impact stands: a fund that is not held can only be bought."""
        column = np.arange(self.n)
        column[self.kink] = self.d
        return column[self.power]

    @property
    def u(self) -> Positions:
        return self.a + 1 + np.arange(self.tail)

    @property
    def e(self) -> Positions:
        return self.a + (1 + self.tail if self.tail else 0) + np.arange(len(self.slack))

    @property
    def width(self) -> int:
        return int(self.a + (1 + self.tail if self.tail else 0) + len(self.slack))

    def slack_block(self, name: str) -> tuple[Block, ...]:
        """The entry of a limit's slack in its first row, if it has one."""
        return ((0, self.e[self.slack.index(name)], -1.0),) if name in self.slack else ()


class Rows:
    """Collects the rows of A as (row, column, value) triplets, explicit zeros kept: the pattern depends on sizes alone."""

    def __init__(self) -> None:
        self.entries: list[Block] = []
        self.b: list[Floats] = []
        self.height = 0

    def add(self, count: int, b: Any, *blocks: Block) -> None:
        """Append `count` rows with right-hand side `b`; in a block, scalars stand for arrays of one value."""
        for block in blocks:
            rows, columns, values = (np.asarray(part) for part in block)
            size = next((part.size for part in (rows, columns, values) if part.size != 1), 1)
            self.entries.append((_spread(rows + self.height, size), _spread(columns, size), _spread(values, size)))
        self.b.append(_spread(np.asarray(b, dtype=np.float64), count))
        self.height += count

    def matrix(self, width: int) -> tuple[Any, Floats]:
        """A in columns, and b."""
        import scipy.sparse as sp

        rows, columns, values = (np.concatenate(parts) for parts in zip(*self.entries, strict=True))
        order = np.argsort(columns * self.height + rows, kind="stable")
        ends = np.concatenate([[0], np.cumsum(np.bincount(columns, minlength=width))])
        compressed = (values[order].astype(np.float64), rows[order], ends)
        return sp.csc_matrix(compressed, shape=(self.height, width)), np.concatenate(self.b)


def diagonal(values: Floats) -> Any:
    """A diagonal matrix in columns, zeros kept."""
    import scipy.sparse as sp

    size = len(values)
    return sp.csc_matrix((values, np.arange(size), np.arange(size + 1)), shape=(size, size))


def _spread(values: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    return values.ravel() if values.size == size else np.full(size, values)
