"""Proof that weights are optimal: the conditions of Karush, Kuhn and Tucker, computed without the solver that found them.

The conditions are those of `optimality`. The residual is the smallest violation of them that any choice of multipliers
allows, a small linear programme, over the largest marginal value. Its multipliers are the shadow prices: what one more
percent of a binding limit would add.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from etf_pipeline.panel import Floats
from etf_pipeline.portfolio.cone import COSTED, Objective
from etf_pipeline.portfolio.constraints import percent
from etf_pipeline.portfolio.limits import DAILY_PER_ANNUAL, Limit, active_limits, fund_bounds
from etf_pipeline.portfolio.optimality import before_costs, cost_slope, tail
from etf_pipeline.portfolio.problem import Problem, ShadowPrice

PROVEN = 1e-6
"""Largest residual of weights that are called optimal. [ratio]"""

TOUCH = 1e-9
"""Distance at which a weight is on a bound. [fraction]"""

SMALLEST_SCALE = 1e-12
"""Residuals are compared with the largest marginal value, but with no less: nothing over nothing would prove anything."""

WORTHLESS = 1e-9
"""A shadow price below this, relative to the largest marginal value, is rounding."""


class Certificate(NamedTuple):
    """Relative residual, zero at an exact optimum; the active limits in words; and what they cost."""

    residual: float
    active: str
    prices: tuple[ShadowPrice, ...] = ()


def certify(problem: Problem, weights: Floats, support: npt.NDArray[np.bool_], objective: Objective = "sharpe") -> Certificate:
    """KKT residual of weights on their support, the active limits in words, and their shadow prices.

    Parameters
    ----------
    problem : Problem
        What was solved.
    weights : ndarray of shape (n_assets,)
        The answer. [fraction]
    support : ndarray of bool of shape (n_assets,)
        Funds that the conditions speak of; the others are at zero by choice of the support.
    objective : {"sharpe", "utility", "variance", "cvar"}
        What was optimised.

    Returns
    -------
    Certificate
        Active limits read, for instance, ``var_limit; at 15 %: AGG, TLT; at 2 %: GLD``, or ``interior``.
    """
    inside = np.flatnonzero(support)
    plain, slope = before_costs(problem, weights, objective), cost_slope(problem, weights, objective)
    trade = weights - problem.previous
    still = np.abs(trade) <= TOUCH
    least = np.where((trade > 0) | still, plain - slope, plain + slope)
    most = np.where((trade < 0) | still, plain + slope, plain - slope)
    low, high = fund_bounds(problem, problem.lower if (weights[inside] >= problem.lower - TOUCH).all() else 0.0)
    floored, capped = weights <= low + TOUCH, weights >= high - TOUCH
    limits = active_limits(problem, weights)
    system = _System(problem, weights, limits, objective)
    worth = np.where(capped, -np.inf, least), np.where(floored, np.inf, most)
    violation, charged, prices = system.fit(worth[0][inside], worth[1][inside], inside)
    scale = max(float(np.abs(problem.excess if objective in COSTED else plain).max()), SMALLEST_SCALE)
    floors, caps = np.where(floored & (low > 0), low, np.nan), np.where(capped, high, np.nan)
    bounds = _bound_prices(problem, inside, least, most, charged, floors, caps)
    active = describe(problem, weights, limits)
    return Certificate(violation / scale, active, _shadow(problem, weights, objective, limits, prices, bounds, scale))


def describe(problem: Problem, weights: Floats, limits: tuple[Limit, ...] = ()) -> str:
    """The active limits in words."""
    parts = [limit.reason if limit.kind == "var" else str(limit) for limit in limits]
    for level in (problem.upper, problem.lower):
        at = [t for t, w in zip(problem.tickers, weights, strict=True) if w > TOUCH and abs(w - level) <= TOUCH]
        if at:
            parts.append(f"at {percent(level)}: {', '.join(at)}")
    return "; ".join(parts) if parts else "interior"


class _System:
    """Columns of the multipliers: one per active limit, and one per scenario at the edge of a tail."""

    def __init__(self, problem: Problem, weights: Floats, limits: tuple[Limit, ...], objective: Objective) -> None:
        self.count = len(limits)
        still = np.abs(weights - problem.previous) <= TOUCH
        low: list[Floats] = []
        high: list[Floats] = []
        self.tails: list[tuple[int | None, int, float]] = []  # owner (None: the objective), ties, room
        edges: list[Floats] = []
        for j, limit in enumerate(limits):
            slope = limit.gradient(problem, weights) if limit.kind != "tail" else np.zeros(problem.n)
            if limit.kind == "tail":
                sure, ties, room, size = tail(problem, weights)
                slope = -sure / size
                edges.append(-ties / size)
                self.tails.append((j, len(ties), room))
            half = np.where(still, 0.5, 0.0) if limit.kind == "turnover" else np.zeros(problem.n)
            low.append(np.where(half > 0, half, slope))
            high.append(np.where(half > 0, -half, slope))
        if objective == "cvar":
            _, ties, room, size = tail(problem, weights)
            edges.append(-ties / size)
            self.tails.append((None, len(ties), room))
        self.low = np.vstack([*low, *edges]) if low or edges else np.zeros((0, problem.n))
        self.high = np.vstack([*high, *edges]) if high or edges else np.zeros((0, problem.n))

    def fit(self, least: Floats, most: Floats, inside: npt.NDArray[np.intp]) -> tuple[float, Floats, Floats]:
        """Smallest t with ``least - t <= nu + charges <= most + t``; what each fund is charged in all; the multipliers."""
        low, high = self.low[:, inside].T, self.high[:, inside].T
        if not low.shape[1]:
            top, bottom = least.max(), most.min()
            ends = [end for end in (top, bottom) if np.isfinite(end)]
            nu = float(np.mean(ends)) if ends else 0.0
            return float(max(0.0, (top - bottom) / 2.0)), np.full(len(inside), nu), np.zeros(0)
        answer = self._solve(least, most, low, high)
        return float(answer[1]), answer[0] + low @ answer[2:], answer[2 : 2 + self.count]

    def _solve(self, least: Floats, most: Floats, low: Floats, high: Floats) -> Floats:
        from scipy.optimize import linprog

        below, above, one = np.isfinite(least), np.isfinite(most), np.ones(len(least))
        rows = np.vstack([np.column_stack([-one, -one, -low])[below], np.column_stack([one, -one, high])[above]])
        right = np.concatenate([-least[below], most[above]])
        edge_rows, edge_right, equal, equal_right = self._edges(rows.shape[1])
        unit = max(float(np.abs(right).max(initial=0.0)), 1e-300)  # the programme's tolerances are absolute
        answer: Any = linprog(
            np.eye(rows.shape[1])[1],
            A_ub=np.vstack([rows, edge_rows]),
            b_ub=np.concatenate([right, edge_right]) / unit,
            A_eq=equal if len(equal) else None,
            b_eq=equal_right / unit if len(equal) else None,
            bounds=[(None, None)] + [(0, None)] * (rows.shape[1] - 1),
            options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
        )
        if answer.x is None:
            return np.concatenate([[0.0, np.inf], np.zeros(rows.shape[1] - 2)])
        return np.asarray(answer.x * unit, dtype=np.float64)

    def _edges(self, width: int) -> tuple[Floats, Floats, Floats, Floats]:
        """Each scenario at a tail's edge counts with at most its owner's multiplier, all together with what room there is."""
        upper, upper_right, equal, equal_right = [], [], [], []
        at = 2 + self.count
        for owner, ties, room in self.tails:
            total = np.zeros(width)
            total[at : at + ties] = 1.0
            if owner is not None:
                total[2 + owner] = -room
            for tie in range(at, at + ties):
                row = np.zeros(width)
                row[tie] = 1.0
                if owner is not None:
                    row[2 + owner] = -1.0
                upper.append(row)
                upper_right.append(1.0 if owner is None else 0.0)
            equal.append(total)
            equal_right.append(room if owner is None else 0.0)
            at += ties
        empty = np.zeros((0, width))
        return (
            np.array(upper) if upper else empty,
            np.array(upper_right),
            np.array(equal) if equal else empty,
            np.array(equal_right),
        )


def _bound_prices(
    problem: Problem,
    inside: npt.NDArray[np.intp],
    least: Floats,
    most: Floats,
    charged: Floats,
    floors: Floats,
    caps: Floats,
) -> list[tuple[str, float, float]]:
    """Name, bound and multiplier of every fund on its cap or its floor; these are unknown for all others."""
    found = []
    for i, charge in zip(inside, charged, strict=True):
        if not np.isnan(caps[i]) and least[i] > charge:
            found.append((f"cap {problem.tickers[i]}", float(caps[i]), float(least[i] - charge)))
        elif not np.isnan(floors[i]) and most[i] < charge:
            found.append((f"floor {problem.tickers[i]}", float(floors[i]), float(charge - most[i])))
    return found


def _shadow(
    problem: Problem,
    weights: Floats,
    objective: Objective,
    limits: tuple[Limit, ...],
    multipliers: Floats,
    bounds: list[tuple[str, float, float]],
    scale: float,
) -> tuple[ShadowPrice, ...]:
    """Dearest first, in units of the objective per unit of the bound as the user set it."""
    named = []
    for limit, multiplier in zip(limits, multipliers, strict=True):
        daily = DAILY_PER_ANNUAL if limit.kind == "var" else 1.0
        bound = limit.bound * daily if not limit.floor else -limit.bound
        named.append((limit.name if not limit.floor else f"{limit.name} floor", bound, float(multiplier) / daily))
    named += bounds
    volatility = problem.volatility(weights)
    per_unit = 1.0 / volatility if objective in ("sharpe", "variance") else 1.0
    prices = [
        ShadowPrice(name, bound, price * per_unit, _words(name, bound, price, price * per_unit, objective))
        for name, bound, price in named
        if price > WORTHLESS * scale
    ]
    return tuple(sorted(prices, key=lambda p: (-p.price, p.limit)))


def _words(name: str, bound: float, multiplier: float, price: float, objective: Objective) -> str:
    loosened = "less" if "floor" in name else "more"
    start = f"one percent {loosened} than {percent(bound)} for {name} would"
    if objective == "sharpe":
        return f"{start} be worth {percent(multiplier / 100)} a year at unchanged risk: Sharpe ratio +{price / 100:.3g}"
    if objective == "utility":
        return f"{start} add {percent(price / 100)} a year to utility"
    what = "volatility" if objective == "variance" else "expected shortfall"
    return f"{start} take {percent(price / 100)} off {what}"
