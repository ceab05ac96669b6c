"""Zero or at least 2 %: which funds to hold at all.

A weight that is zero or between two bounds makes the programme combinatorial. Threshold the relaxed optimum, re-solve on
what is left, then drop, add and swap single funds in the order of their marginal value until nothing improves. On random
problems small enough to enumerate this finds the optimum (tests); the relaxed optimum bounds what it could miss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from etf_pipeline.panel import Floats

Support = npt.NDArray[np.bool_]
Found = tuple[Floats, float, Support]

THRESHOLDS = (0.05, 0.25, 0.5, 0.75, 1.0)
"""First supports: funds whose relaxed weight reaches this share of the lower bound."""

MOVES = 3
"""How many of the worst holdings and best absentees a round of the local search tries."""

ROUNDS = 30
"""Rounds of the local search; it usually ends after two to five."""

GAIN = 1e-9
"""Relative improvement below which a move is rounding."""


@dataclass
class Search:
    """A local search over supports.

    Attributes
    ----------
    solve : callable
        Weights and value (to be maximised) of the best portfolio on a support, or None where it is infeasible.
    marginal : callable
        Marginal value of each fund at given weights: ranks what to drop and what to add.
    fewest, most : int
        Funds a support may have.
    """

    solve: Callable[[Support], tuple[Floats, float] | None]
    marginal: Callable[[Floats], Floats]
    fewest: int
    most: int
    known: dict[bytes, tuple[Floats, float] | None] = field(default_factory=dict)

    def best(self, relaxed: Floats, lower: float) -> tuple[Floats, Support] | None:
        """Weights and support of the best portfolio found from the relaxed optimum, or None."""
        found: Found | None = None
        for share in THRESHOLDS:
            found = self._better(found, self._sized(relaxed >= share * lower, relaxed))
        if found is None:
            return None
        for _ in range(ROUNDS):
            best = found
            for support in list(self._neighbours(found[0], found[2])):
                best = self._better(best, support) or best
            if best[1] <= found[1]:
                break
            found = best
        return found[0], found[2]

    def _value(self, support: Support) -> tuple[Floats, float] | None:
        key = support.tobytes()
        if key not in self.known:
            self.known[key] = self.solve(support)
        return self.known[key]

    def _better(self, found: Found | None, support: Support) -> Found | None:
        if not self.fewest <= support.sum() <= self.most:
            return found
        answer = self._value(support)
        if answer is None or (found is not None and answer[1] <= found[1] + GAIN * max(abs(found[1]), GAIN)):
            return found
        return answer[0], answer[1], support

    def _sized(self, support: Support, relaxed: Floats) -> Support:
        """The support, brought inside the number of funds that can add up, by relaxed weight."""
        size = int(np.clip(support.sum(), self.fewest, self.most))
        if size == support.sum():
            return support
        sized = np.zeros(len(relaxed), dtype=bool)
        sized[np.argsort(-relaxed, kind="stable")[:size]] = True
        return sized

    def _neighbours(self, weights: Floats, support: Support) -> Iterator[Support]:
        value = self.marginal(weights)
        inside, outside = np.flatnonzero(support), np.flatnonzero(~support)
        worst = list(inside[np.argsort(value[inside], kind="stable")][:MOVES])
        smallest = inside[np.argsort(weights[inside], kind="stable")][:MOVES]
        drops = worst + [i for i in smallest if i not in worst]
        adds = list(outside[np.argsort(-value[outside], kind="stable")][:MOVES])
        moves = [(i, None) for i in drops] + [(None, j) for j in adds] + [(i, j) for i in drops for j in adds]
        for drop, add in moves:
            changed = support.copy()
            if drop is not None:
                changed[drop] = False
            if add is not None:
                changed[add] = True
            yield changed
