"""Limits beyond the bounds of one fund: each has a name, a measure that must stay under its bound, and a gradient.

Groups, issuers and clusters limit sums of weights; value at risk and tracking error limit volatilities; turnover and
expected shortfall are piecewise linear. The cone programme, Newton's steps, the certificate and the diagnosis all read them
from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from etf_pipeline.conventions import SESSIONS_PER_YEAR, VAR_MULTIPLE
from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats
from etf_pipeline.portfolio.constraints import clusters, percent
from etf_pipeline.portfolio.problem import GroupLimit, Problem

Kind = Literal["linear", "var", "tracking", "turnover", "tail"]

BINDING = 1e-6
"""Distance from its bound, relative to the larger of the bound and 1 %, at which a limit is active."""

SMALLEST_SCALE = 0.01
"""Bounds are compared on their own scale, but none finer than of 1 %."""

DAILY_PER_ANNUAL = float(VAR_MULTIPLE / np.sqrt(SESSIONS_PER_YEAR))
"""One-day 95 % value at risk of an annual volatility of one."""


@dataclass(frozen=True)
class Limit:
    """One limit: ``measure(weights) <= bound``.

    Attributes
    ----------
    name : str
        Its name in words: ``VaR``, ``turnover``, ``group bond``.
    kind : {"linear", "var", "tracking", "turnover", "tail"}
        What is measured.
    bound : float
        Largest measure; an annual volatility for ``var`` and ``tracking``.
    coefficients : ndarray of shape (n_assets,), optional
        Of a linear limit.
    reason : str
        What a refusal because of this limit is filed under.
    """

    name: str
    kind: Kind
    bound: float
    reason: str
    coefficients: Floats | None = None

    @property
    def scale(self) -> float:
        """What a violation is compared with."""
        return max(abs(self.bound), SMALLEST_SCALE)

    def measure(self, problem: Problem, weights: Floats) -> float:
        """What is limited."""
        if self.coefficients is not None:
            return float(self.coefficients @ weights)
        if self.kind == "var":
            return problem.volatility(weights)
        if self.kind == "tracking":
            return problem.tracking_error(weights)
        return problem.turnover(weights) if self.kind == "turnover" else problem.shortfall(weights)

    def excess(self, problem: Problem, weights: Floats) -> float:
        """How far the measure is above its bound, relative to `scale`; negative inside."""
        return (self.measure(problem, weights) - self.bound) / self.scale

    def gradient(self, problem: Problem, weights: Floats) -> Floats:
        """Derivative of the measure; for turnover that of the funds that trade, zero for the others."""
        if self.coefficients is not None:
            return self.coefficients
        if self.kind == "turnover":
            return np.sign(weights - problem.previous) / 2.0
        return _risk(problem, weights, self.kind) / max(self.measure(problem, weights), 1e-300)

    def hessian(self, problem: Problem, weights: Floats) -> Floats:
        """Second derivative; zero for what is piecewise linear."""
        if self.kind not in ("var", "tracking"):
            return np.zeros((problem.n, problem.n))
        slope, level = self.gradient(problem, weights), self.measure(problem, weights)
        return np.asarray((problem.covariance - np.outer(slope, slope)) / max(level, 1e-300), dtype=np.float64)

    def shown(self, measure: float) -> str:
        """A measure in the words a user set it in: a value at risk is of one day, a floor counts upwards."""
        if self.kind == "var":
            return percent(DAILY_PER_ANNUAL * measure)
        return percent(-measure if self.floor else measure)

    @property
    def floor(self) -> bool:
        """Whether it is a smallest rather than a largest sum of weights."""
        return self.coefficients is not None and bool((self.coefficients < 0).any())

    def __str__(self) -> str:
        sign = ">=" if self.floor else "<="
        return f"{self.name} {sign} {self.shown(self.bound)}"


def limits_of(problem: Problem) -> tuple[Limit, ...]:
    """Every finite limit of a problem, in a fixed order: value at risk, groups, turnover, tracking error, expected shortfall."""
    found: list[Limit] = []
    if np.isfinite(problem.var_limit):
        found.append(Limit("VaR", "var", problem.volatility_limit, "var_limit"))
    for group in problem.groups:
        ones = group.members.astype(np.float64)
        kind = f"{group.name.split(' ')[0]}_limit"
        if group.upper < problem.invested:
            found.append(Limit(group.name, "linear", group.upper, kind, ones))
        if group.lower > 0:
            found.append(Limit(group.name, "linear", -group.lower, kind, -ones))
    if np.isfinite(problem.turnover_limit):
        found.append(Limit("turnover", "turnover", problem.turnover_limit, "turnover_limit"))
    if np.isfinite(problem.tracking_error_limit):
        found.append(Limit("tracking error", "tracking", problem.tracking_error_limit, "tracking_error_limit"))
    if np.isfinite(problem.cvar_limit):
        found.append(Limit("CVaR", "tail", problem.cvar_limit, "cvar_limit"))
    return tuple(found)


def active_limits(problem: Problem, weights: Floats, tolerance: float = BINDING) -> tuple[Limit, ...]:
    """The limits that weights touch, to within `tolerance`, relative."""
    return tuple(limit for limit in limits_of(problem) if limit.excess(problem, weights) > -tolerance)


def broken_limits(problem: Problem, weights: Floats, tolerance: float = BINDING) -> tuple[Limit, ...]:
    """The limits that weights break by more than `tolerance`, relative."""
    return tuple(limit for limit in limits_of(problem) if limit.excess(problem, weights) > tolerance)


def fund_bounds(problem: Problem, lower: float) -> tuple[Floats, Floats]:
    """Smallest and largest weight of each fund: the bounds, and the benchmark weight less and plus the active limit."""
    if problem.benchmark is None or not np.isfinite(problem.active_limit):
        return np.full(problem.n, lower), np.full(problem.n, problem.upper)
    low = np.maximum(lower, problem.benchmark - problem.active_limit)
    return low, np.minimum(problem.upper, problem.benchmark + problem.active_limit)


def group_limits(labels: Iterable[str], bounds: Mapping[str, tuple[float, float]], kind: str = "group") -> tuple[GroupLimit, ...]:
    """Bounds on the sum of the weights that share a label.

    Parameters
    ----------
    labels : iterable of str of length n_assets
        Each fund's asset class.
    bounds : mapping of str to (float, float)
        Smallest and largest sum by label; a label without funds is kept, so that a floor on it is refused by name.
    kind : str
        First word of the limit's name.

    Examples
    --------
    >>> [limit] = group_limits(["equity", "bond", "bond"], {"bond": (0.3, 0.6)})
    >>> limit.name, limit.members.tolist(), limit.lower, limit.upper
    ('group bond', [False, True, True], 0.3, 0.6)
    """
    held = np.array(list(labels), dtype=object)
    return tuple(GroupLimit(f"{kind} {label}", held == label, low, high) for label, (low, high) in bounds.items())


def issuer_limits(issuers: Iterable[str], upper: float) -> tuple[GroupLimit, ...]:
    """One cap on what the funds of each issuer weigh together; an unknown issuer (empty) has none."""
    names = list(issuers)
    return group_limits(names, {name: (0.0, upper) for name in sorted(set(names)) if name}, "issuer")


def cluster_limits(tickers: tuple[str, ...], correlation: Floats, threshold: float, upper: float) -> tuple[GroupLimit, ...]:
    """One cap per cluster of near-duplicates, named after its first fund; a fund of its own has only its own cap.

    Examples
    --------
    >>> twins = np.array([[1.0, 0.2, 0.999], [0.2, 1.0, 0.3], [0.999, 0.3, 1.0]])
    >>> [(limit.name, limit.members.tolist()) for limit in cluster_limits(("SPY", "AGG", "VOO"), twins, 0.995, 0.15)]
    [('cluster SPY', [True, False, True])]
    """
    label = clusters(correlation, threshold)
    shared = [k for k in np.unique(label) if (label == k).sum() > 1]
    return tuple(GroupLimit(f"cluster {tickers[k]}", label == k, 0.0, upper) for k in shared)


def check_limits(problem: Problem) -> None:
    """Refuse a problem whose parts do not fit together.

    Raises
    ------
    DataError
        If an array has another number of funds, a limit lacks what it is measured with, or a scenario is unknown.
    """
    n = problem.n
    shapes = {
        "benchmark": (problem.benchmark, (n,)),
        "budgets": (problem.budgets, (n,)),
        "scenarios": (problem.scenarios, (len(problem.scenarios), n) if problem.scenarios is not None else ()),
        **{group.name: (group.members, (n,)) for group in problem.groups},
    }
    for name, (values, shape) in shapes.items():
        if values is not None and values.shape != shape:
            raise DataError(f"{name} needs shape {shape} for {n} funds; found {values.shape}.")
    if problem.scenarios is None and np.isfinite(problem.cvar_limit):
        raise DataError("cvar_limit needs scenarios: equally likely one-session returns of every fund. Set Problem.scenarios.")
    if problem.scenarios is not None and not (len(problem.scenarios) and np.isfinite(problem.scenarios).all()):
        bad = np.flatnonzero(~np.isfinite(problem.scenarios).all(axis=0))
        unknown = [problem.tickers[i] for i in bad[:5]]
        raise DataError(f"scenarios need at least one row and no unknown return; {unknown} have some. Drop those sessions.")
    without = problem.benchmark is None and problem.benchmark_covariance is None
    if without and np.isfinite(problem.tracking_error_limit):
        raise DataError("tracking_error_limit needs Problem.benchmark, the weights it is measured from.")
    if problem.benchmark is None and np.isfinite(problem.active_limit):
        raise DataError("active_limit needs Problem.benchmark, the weights it is measured from.")


def _risk(problem: Problem, weights: Floats, kind: Kind) -> Floats:
    risk = problem.covariance @ weights
    return risk if kind == "var" else risk - problem.to_benchmark()[0]
