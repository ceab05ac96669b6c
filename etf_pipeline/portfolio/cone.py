"""The cone programme of max Sharpe, and of minimum variance, in Clarabel's own form.

The ratio is made convex by Charnes and Cooper's scaling [1]_: with ``y = k w`` and the net excess return fixed at one, the
largest Sharpe ratio is the smallest variance::

    minimise    y' S y
    subject to  excess' y - linear' |y - k w0| - impact' m - sold * k  >=  1       (net excess return)
                sum(y) = invested * k,   lower * k <= y <= upper * k
                m_i**(2/3) k**(1/3) >= |y_i - k w0_i|                              (3/2-power impact: a power cone)
                |L' y| <= volatility_limit * k                                     (VaR: a second-order cone)

With ``k = 1`` in place of the return row it is the minimum-variance programme.

A covariance in factor form, ``F F' + diag(s**2)``, enters as ``f = F' y``, so that 500 funds on 20 factors stay sparse [2]_.

References
----------
.. [1] A. Charnes and W. W. Cooper, "Programming with linear fractional functionals," Naval Res. Logist. 9, 1962;
   G. Cornuejols and R. Tutuncu, *Optimization Methods in Finance*, 2007, section 8.2.
.. [2] S. Boyd et al., "Multi-period trading via convex optimization," Found. Trends Optim. 3(1), 2017.
   P. J. Goulart and Y. Chen, "Clarabel: an interior-point solver for conic programs," arXiv:2405.12762.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from etf_pipeline.errors import EstimationError
from etf_pipeline.panel import Floats
from etf_pipeline.portfolio.problem import Problem

Objective = Literal["sharpe", "variance"]

TOLERANCE = 1e-11
"""Feasibility and gap that the solver is asked for; it may stop short of it, and the certificate says what was reached."""


@dataclass(frozen=True)
class Factor:
    """A covariance in factor form.

    Attributes
    ----------
    loadings : ndarray of shape (n_assets, n_factors)
        F.
    specific : ndarray of shape (n_assets,)
        Specific volatility s; zeros where the loadings say it all.
    triangular : bool
        Whether the loadings are a lower triangle, half of which need not be stored.
    """

    loadings: Floats
    specific: Floats
    triangular: bool = False

    @classmethod
    def of(cls, covariance: Floats) -> Factor:
        """The Cholesky factor, which is a factor form without specific risk.

        Raises
        ------
        EstimationError
            If the covariance is not positive definite.
        """
        try:
            return cls(np.linalg.cholesky(covariance).astype(np.float64), np.zeros(len(covariance)), triangular=True)
        except np.linalg.LinAlgError as error:
            smallest = float(np.linalg.eigvalsh(covariance)[0])
            raise EstimationError(
                f"an optimiser needs a positive definite covariance; the smallest eigenvalue is {smallest:.3g}. "
                f"Shrink or repair it in `risk`."
            ) from error


@dataclass(frozen=True)
class Programme:
    """Arguments of a Clarabel solver: ``min x'Px/2 + q'x`` with ``Ax + s = b``, ``s`` in the cones."""

    P: Any
    q: Floats
    A: Any
    b: Floats
    cones: list[Any]
    n: int

    def weights(self, x: Floats) -> Floats:
        """Weights of a solution vector."""
        return np.asarray(x[: self.n] / x[self.n], dtype=np.float64)


@dataclass(frozen=True)
class _Layout:
    """Where each variable stands: y (n), k, f (one per factor), d (one per kink), m (one per power cone)."""

    n: int
    factors: int
    kink: npt.NDArray[np.intp]
    power: npt.NDArray[np.intp]

    @property
    def k(self) -> int:
        return self.n

    @property
    def f(self) -> npt.NDArray[np.intp]:
        return self.n + 1 + np.arange(self.factors)

    @property
    def d(self) -> npt.NDArray[np.intp]:
        return self.n + 1 + self.factors + np.arange(len(self.kink))

    @property
    def m(self) -> npt.NDArray[np.intp]:
        return self.n + 1 + self.factors + len(self.kink) + np.arange(len(self.power))

    @property
    def width(self) -> int:
        return self.n + 1 + self.factors + len(self.kink) + len(self.power)


class _Rows:
    """Collects the rows of A as (row, column, value) triplets, explicit zeros kept: the pattern depends on sizes alone."""

    def __init__(self) -> None:
        self.entries: list[tuple[Any, Any, Any]] = []
        self.b: list[Floats] = []
        self.height = 0

    def add(self, count: int, b: float, *blocks: tuple[Any, Any, Any]) -> None:
        """Append `count` rows with right-hand side `b`."""
        for rows, columns, values in blocks:
            rows, columns, values = np.broadcast_arrays(rows, columns, np.asarray(values, dtype=np.float64))
            self.entries.append((rows.ravel() + self.height, columns.ravel(), values.ravel()))
        self.b.append(np.full(count, b))
        self.height += count

    def matrix(self, width: int) -> tuple[Any, Floats]:
        """A in columns, and b."""
        import scipy.sparse as sp

        rows, columns, values = (np.concatenate(parts) for parts in zip(*self.entries, strict=True))
        return sp.csc_matrix((values, (rows, columns)), shape=(self.height, width)), np.concatenate(self.b)


def programme(
    problem: Problem,
    factor: Factor,
    *,
    lower: float,
    objective: Objective = "sharpe",
    sold_cost: float = 0.0,
    with_var: bool = False,
    kinked: bool = False,
) -> Programme:
    """Assemble the cone programme over all funds of `problem`.

    Parameters
    ----------
    problem : Problem
        Funds, costs and limits.
    factor : Factor
        Its covariance.
    lower : float
        Smallest weight here: 0 for the relaxation, `problem.lower` on a chosen support. [fraction]
    objective : {"sharpe", "variance"}
        What is optimised.
    sold_cost : float
        Amortised cost of selling holdings left out of this support. [fraction per year]
    with_var : bool
        Whether the value-at-risk cone is written out.
    kinked : bool
        Give every fund a variable for its trade, held or not, so that another date has the same pattern and
        ``solver.update`` applies.
    """
    import clarabel
    import scipy.sparse as sp

    at = _layout(problem, factor, objective, kinked)
    rows = _Rows()
    _equalities(rows, at, problem, factor, objective)
    zeros = rows.height
    if objective == "sharpe":
        _return_row(rows, at, problem, sold_cost)
        _kinks(rows, at, problem)
    _bounds(rows, at, problem, lower)
    cones = [clarabel.ZeroConeT(zeros), clarabel.NonnegativeConeT(rows.height - zeros)]
    if with_var:
        cones.append(clarabel.SecondOrderConeT(_var_cone(rows, at, problem, factor)))
    if len(at.power):
        _impact_cones(rows, at, problem)
        cones += [clarabel.PowerConeT(2.0 / 3.0)] * len(at.power)
    A, b = rows.matrix(at.width)
    quadratic = np.zeros(at.width)
    quadratic[: at.n], quadratic[at.f] = factor.specific**2, 1.0
    return Programme(sp.diags(quadratic, format="csc"), np.zeros(at.width), A, b, cones, at.n)


def _layout(problem: Problem, factor: Factor, objective: Objective, kinked: bool) -> _Layout:
    none = np.array([], dtype=np.intp)
    if objective == "variance":
        return _Layout(problem.n, factor.loadings.shape[1], none, none)
    # a fund that is not held can only be bought: its linear cost lowers its return and needs no variable
    kink = np.arange(problem.n) if kinked else np.flatnonzero(problem.previous > 0)
    power = np.flatnonzero(problem.impact_cost > 0)
    return _Layout(problem.n, factor.loadings.shape[1], kink, power)


def _equalities(rows: _Rows, at: _Layout, problem: Problem, factor: Factor, objective: Objective) -> None:
    """Factor exposures ``F' y = f``, the budget, and ``k = 1`` where no return row fixes the scale."""
    fund, j = np.nonzero(factor.loadings) if factor.triangular else np.indices(factor.loadings.shape).reshape(2, -1)
    rows.add(at.factors, 0.0, (j, fund, factor.loadings[fund, j]), (np.arange(at.factors), at.f, -1.0))
    rows.add(1, 0.0, (0, np.arange(at.n), 1.0), (0, at.k, -problem.invested))
    if objective == "variance":
        rows.add(1, 1.0, (0, at.k, 1.0))


def _return_row(rows: _Rows, at: _Layout, problem: Problem, sold_cost: float) -> None:
    gain = problem.excess - problem.linear_cost
    gain[at.kink] = problem.excess[at.kink]
    costs = ((0, at.d, problem.linear_cost[at.kink]), (0, at.m, problem.impact_cost[at.power]))
    rows.add(1, -1.0, (0, np.arange(at.n), -gain), (0, at.k, sold_cost), *costs)


def _kinks(rows: _Rows, at: _Layout, problem: Problem) -> None:
    j, held, count = np.arange(len(at.kink)), problem.previous[at.kink], len(at.kink)
    if count:
        rows.add(count, 0.0, (j, at.kink, 1.0), (j, at.k, -held), (j, at.d, -1.0))
        rows.add(count, 0.0, (j, at.kink, -1.0), (j, at.k, held), (j, at.d, -1.0))


def _bounds(rows: _Rows, at: _Layout, problem: Problem, lower: float) -> None:
    i = np.arange(at.n)
    rows.add(at.n, 0.0, (i, i, -1.0), (i, at.k, lower))
    rows.add(at.n, 0.0, (i, i, 1.0), (i, at.k, -problem.upper))


def _var_cone(rows: _Rows, at: _Layout, problem: Problem, factor: Factor) -> int:
    smooth = np.flatnonzero(factor.specific > 0)
    size = 1 + at.factors + len(smooth)
    specific = (1 + at.factors + np.arange(len(smooth)), smooth, -factor.specific[smooth])
    rows.add(size, 0.0, (0, at.k, -problem.volatility_limit), (1 + np.arange(at.factors), at.f, -1.0), specific)
    return size


def _impact_cones(rows: _Rows, at: _Layout, problem: Problem) -> None:
    j, held = 3 * np.arange(len(at.power)), problem.previous[at.power]
    trade = ((j + 2, at.power, -1.0), (j + 2, at.k, held))
    rows.add(3 * len(at.power), 0.0, (j, at.m, -1.0), (j + 1, at.k, -1.0), *trade)


def solver(programme: Programme, tolerance: float = TOLERANCE) -> Any:
    """A Clarabel solver on one thread, without presolve so that it can be updated."""
    import clarabel

    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.presolve_enable = False
    settings.max_threads = 1
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = tolerance
    return clarabel.DefaultSolver(programme.P, programme.q, programme.A, programme.b, programme.cones, settings)


def solve(programme: Programme, tolerance: float = TOLERANCE) -> Floats | None:
    """Weights of the optimum, or None where the programme is infeasible.

    Raises
    ------
    EstimationError
        If the solver ends without an answer.
    """
    answer = solver(programme, tolerance).solve()
    status = str(answer.status)
    if status in ("Solved", "AlmostSolved") or (status == "InsufficientProgress" and answer.x[programme.n] > 0):
        return programme.weights(np.asarray(answer.x))
    if status in ("PrimalInfeasible", "AlmostPrimalInfeasible"):
        return None
    raise EstimationError(f"Clarabel ended with {status} after {answer.iterations} iterations; see the scale of the inputs.")
