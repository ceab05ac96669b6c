"""The cone programme of max Sharpe, and of its relatives, in Clarabel's own form.

The ratio is made convex by Charnes and Cooper's scaling [1]_: with ``y = k w`` and the net excess return fixed at one, the
largest Sharpe ratio is the smallest variance::

    minimise    y' S y
    subject to  excess' y - linear' |y - k w0| - impact' m - sold * k  >=  1       (net excess return)
                sum(y) = invested * k,   lower * k <= y <= upper * k
                m_i**2 k >= |y_i - k w0_i|**3                                      (3/2-power impact: a power cone)
                |L' y| <= volatility_limit * k                                     (VaR: a second-order cone)

With ``k = 1`` in place of the return row it is the programme of minimum variance, of mean-variance utility, of the smallest
expected shortfall [3]_, or of the smallest breach of limits. Sums of weights, turnover, tracking error and expected shortfall
are further rows, all of degree one in ``(y, k)``. The power cone reaches the last digits, but can stall where many limits
meet; then it is written as two second-order cones, which do not stall but stop earlier.

A covariance in factor form, ``F F' + diag(s**2)``, enters as ``f = F' y``, so that 500 funds on 20 factors stay sparse [2]_.

References
----------
.. [1] A. Charnes and W. W. Cooper, "Programming with linear fractional functionals," Naval Res. Logist. 9, 1962;
   G. Cornuejols and R. Tutuncu, *Optimization Methods in Finance*, 2007, section 8.2.
.. [2] S. Boyd et al., "Multi-period trading via convex optimization," Found. Trends Optim. 3(1), 2017.
   P. J. Goulart and Y. Chen, "Clarabel: an interior-point solver for conic programs," arXiv:2405.12762.
.. [3] R. T. Rockafellar and S. Uryasev, "Optimization of conditional value-at-risk," J. Risk 2(3), 2000.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from etf_pipeline.errors import EstimationError
from etf_pipeline.panel import Floats
from etf_pipeline.portfolio.limits import Limit, fund_bounds, limits_of
from etf_pipeline.portfolio.problem import Problem
from etf_pipeline.portfolio.rows import Layout, Rows, diagonal

Objective = Literal["sharpe", "utility", "variance", "cvar", "breach"]
"""What is optimised; ``breach`` is the sum of the slacks, each relative to its limit."""

COSTED = ("sharpe", "utility")
"""Objectives in units of return, from which costs are taken."""

TOLERANCE = 1e-11
"""Feasibility and gap that the solver is asked for; it may stop short of it, and the certificate says what was reached."""

LOOSER = (1e-9, 1e-7)
"""What a solver that stalls is asked for, in turn; Newton steps and the certificate follow."""


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


def programme(
    problem: Problem,
    factor: Factor,
    *,
    lower: float,
    objective: Objective = "sharpe",
    with_var: bool = False,
    kinked: bool = False,
    slack: tuple[str, ...] = (),
    squares: bool = False,
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
    objective : {"sharpe", "utility", "variance", "cvar", "breach"}
        What is optimised.
    with_var : bool
        Whether the value-at-risk cone is written out.
    kinked : bool
        Give every fund a variable for its trade, held or not, so that another date has the same pattern and
        ``solver.update`` applies.
    slack : tuple of str
        `str` of the limits that may be exceeded, at a price.
    squares : bool
        Write impact with second-order cones instead of power cones.
    """
    import clarabel

    limits = tuple(limit for limit in limits_of(problem) if with_var or limit.kind != "var")
    at = _layout(problem, factor, objective, limits, kinked=kinked, slack=slack, squares=squares)
    rows = Rows()
    if at.factors:
        _exposures(rows, at, factor)
    _scale(rows, at, problem, objective)
    zeros = rows.height
    if objective == "sharpe":
        _return_row(rows, at, problem)
    _kinks(rows, at, problem)
    _bounds(rows, at, problem, lower)
    _linear_limits(rows, at, problem, limits)
    cones = [clarabel.ZeroConeT(zeros), clarabel.NonnegativeConeT(rows.height - zeros)]
    cones += [clarabel.SecondOrderConeT(_risk_cone(rows, at, problem, factor, limit)) for limit in limits if _is_cone(limit)]
    if len(at.power) and squares:
        _square_cones(rows, at, problem)
        cones += [clarabel.SecondOrderConeT(3)] * (2 * len(at.power))
    elif len(at.power):
        _power_cones(rows, at, problem)
        cones += [clarabel.PowerConeT(2.0 / 3.0)] * len(at.power)
    A, b = rows.matrix(at.width)
    P, q = _objective(at, problem, factor, objective, limits)
    return Programme(P, q, A, b, cones, at.n)


def _is_cone(limit: Limit) -> bool:
    return limit.kind in ("var", "tracking")


def _layout(
    problem: Problem,
    factor: Factor,
    objective: Objective,
    limits: tuple[Limit, ...],
    *,
    kinked: bool,
    slack: tuple[str, ...],
    squares: bool,
) -> Layout:
    kinds = {limit.kind for limit in limits}
    kink = power = np.array([], dtype=np.intp)
    if objective in COSTED or "turnover" in kinds:
        # a fund that is not held can only be bought: its linear cost lowers its return and needs no variable
        kink = np.arange(problem.n) if kinked else np.flatnonzero(problem.previous > 0)
    if objective in COSTED:
        power = np.flatnonzero(problem.impact_cost > 0)
    risky = objective not in ("cvar", "breach") or kinds & {"var", "tracking"}
    tail = len(problem.scenarios) if problem.scenarios is not None and (objective == "cvar" or "tail" in kinds) else 0
    return Layout(problem.n, factor.loadings.shape[1] if risky else 0, kink, power, tail, slack, squares)


def _objective(
    at: Layout, problem: Problem, factor: Factor, objective: Objective, limits: tuple[Limit, ...]
) -> tuple[Any, Floats]:
    quadratic, linear = np.zeros(at.width), np.zeros(at.width)
    if objective in ("sharpe", "variance", "utility"):
        quadratic[: at.n], quadratic[at.f] = factor.specific**2, 1.0
    if objective == "utility":
        quadratic *= problem.risk_aversion
        linear[: at.n] = -_gain(at, problem)
        linear[at.d], linear[at.m] = problem.linear_cost[at.kink], problem.impact_cost[at.power]
    if objective == "cvar":
        linear[at.a], linear[at.u] = 1.0, _tail_weight(at, problem)
    if objective == "breach":
        linear[at.e] = [1.0 / limit.scale for name in at.slack for limit in limits if str(limit) == name]
    return diagonal(quadratic), linear


def _exposures(rows: Rows, at: Layout, factor: Factor) -> None:
    """``F' y = f``."""
    fund, j = np.nonzero(factor.loadings) if factor.triangular else np.indices(factor.loadings.shape).reshape(2, -1)
    rows.add(at.factors, 0.0, (j, fund, factor.loadings[fund, j]), (np.arange(at.factors), at.f, -1.0))


def _scale(rows: Rows, at: Layout, problem: Problem, objective: Objective) -> None:
    """The budget, and ``k = 1`` where no return row fixes the scale."""
    rows.add(1, 0.0, (0, np.arange(at.n), 1.0), (0, at.k, -problem.invested))
    if objective != "sharpe":
        rows.add(1, 1.0, (0, at.k, 1.0))


def _gain(at: Layout, problem: Problem) -> Floats:
    """Excess return, after the linear cost of funds that can only be bought."""
    gain = problem.excess - problem.linear_cost
    gain[at.kink] = problem.excess[at.kink]
    return gain


def _return_row(rows: Rows, at: Layout, problem: Problem) -> None:
    costs = ((0, at.d, problem.linear_cost[at.kink]), (0, at.m, problem.impact_cost[at.power]))
    rows.add(1, -1.0, (0, np.arange(at.n), -_gain(at, problem)), (0, at.k, problem.sold_cost), *costs)


def _kinks(rows: Rows, at: Layout, problem: Problem) -> None:
    j, held, count = np.arange(len(at.kink)), problem.previous[at.kink], len(at.kink)
    if count:
        rows.add(count, 0.0, (j, at.kink, 1.0), (j, at.k, -held), (j, at.d, -1.0))
        rows.add(count, 0.0, (j, at.kink, -1.0), (j, at.k, held), (j, at.d, -1.0))


def _bounds(rows: Rows, at: Layout, problem: Problem, lower: float) -> None:
    i = np.arange(at.n)
    low, high = fund_bounds(problem, lower)
    rows.add(at.n, 0.0, (i, i, -1.0), (i, at.k, low))
    rows.add(at.n, 0.0, (i, i, 1.0), (i, at.k, -high))
    if at.slack:
        rows.add(len(at.slack), 0.0, (np.arange(len(at.slack)), at.e, -1.0))


def _linear_limits(rows: Rows, at: Layout, problem: Problem, limits: tuple[Limit, ...]) -> None:
    """Sums of weights, turnover, and the tail with its limit."""
    for limit in limits:
        slack = at.slack_block(str(limit))
        if limit.coefficients is not None:
            rows.add(1, 0.0, (0, np.arange(at.n), limit.coefficients), (0, at.k, -limit.bound), *slack)
        elif limit.kind == "turnover":
            bought = np.ones(at.n)
            bought[at.kink] = 0.0
            elsewhere = problem.sold + abs(problem.invested - problem.previous.sum() - problem.sold)
            trades = ((0, np.arange(at.n), bought / 2.0), (0, at.d, 0.5))
            rows.add(1, 0.0, *trades, (0, at.k, elsewhere / 2.0 - limit.bound), *slack)
        elif limit.kind == "tail":
            rows.add(1, 0.0, (0, at.a, 1.0), (0, at.u, _tail_weight(at, problem)), (0, at.k, -limit.bound), *slack)
    if at.tail and problem.scenarios is not None:
        t, i = np.indices(problem.scenarios.shape)
        each = np.arange(at.tail)
        rows.add(at.tail, 0.0, (t, i, -problem.scenarios), (each, at.a, -1.0), (each, at.u, -1.0))
        rows.add(at.tail, 0.0, (each, at.u, -1.0))


def _tail_weight(at: Layout, problem: Problem) -> float:
    return 1.0 / ((1.0 - problem.cvar_level) * at.tail)


def _risk_cone(rows: Rows, at: Layout, problem: Problem, factor: Factor, limit: Limit) -> int:
    """``|risk of y - k benchmark| <= bound * k``; the benchmark's own part that no fund here can hedge is a row of its own."""
    smooth = np.flatnonzero(factor.specific > 0)
    size = 1 + at.factors + len(smooth)
    parts = (1 + np.arange(at.factors), at.f, -1.0), (1 + at.factors + np.arange(len(smooth)), smooth, -factor.specific[smooth])
    top = ((0, at.k, -limit.bound), *at.slack_block(str(limit)))
    if limit.kind == "var":
        rows.add(size, 0.0, *top, *parts)
        return size
    covariance, variance = problem.to_benchmark()
    hedge = np.linalg.solve(problem.covariance, covariance)
    exposure = np.concatenate([factor.loadings.T @ hedge, (factor.specific * hedge)[smooth]])
    rest = np.sqrt(max(variance - float(covariance @ hedge), 0.0))
    rows.add(size + 1, 0.0, *top, *parts, (1 + np.arange(size - 1), at.k, exposure), (size, at.k, -rest))
    return size + 1


def _power_cones(rows: Rows, at: Layout, problem: Problem) -> None:
    j, held = 3 * np.arange(len(at.power)), problem.previous[at.power]
    trade = ((j + 2, at.power, -1.0), (j + 2, at.k, held))
    rows.add(3 * len(at.power), 0.0, (j, at.m, -1.0), (j + 1, at.k, -1.0), *trade)


def _square_cones(rows: Rows, at: Layout, problem: Problem) -> None:
    """``(y - k w0)**2 <= m h`` and ``h**2 <= k d``, each as a cone of three: ``(a + b, 2 c, a - b)`` says ``c**2 <= a b``."""
    j, held, trade = 6 * np.arange(len(at.power)), problem.previous[at.power], at.size_of_trade
    first = (
        (j, at.m, -1.0),
        (j, at.h, -1.0),
        (j + 1, at.power, -2.0),
        (j + 1, at.k, 2.0 * held),
        (j + 2, at.m, -1.0),
        (j + 2, at.h, 1.0),
    )
    second = ((j + 3, trade, -1.0), (j + 3, at.k, -1.0), (j + 4, at.h, -2.0), (j + 5, trade, -1.0), (j + 5, at.k, 1.0))
    rows.add(6 * len(at.power), 0.0, *first, *second)


def solver(programme: Programme, tolerance: float = TOLERANCE) -> Any:
    """A Clarabel solver on one thread, without presolve so that it can be updated."""
    import clarabel

    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.presolve_enable = False
    settings.max_threads = 1
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = tolerance
    settings.reduced_tol_gap_abs = settings.reduced_tol_gap_rel = settings.reduced_tol_feas = 10.0 * tolerance
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
    if status in ("Solved", "AlmostSolved"):
        return programme.weights(np.asarray(answer.x))
    if status in ("PrimalInfeasible", "AlmostPrimalInfeasible"):
        return None
    raise EstimationError(f"Clarabel ended with {status} after {answer.iterations} iterations; see the scale of the inputs.")


def optimum(
    problem: Problem,
    *,
    lower: float,
    objective: Objective,
    slack: tuple[str, ...] = (),
    tolerance: float = TOLERANCE,
) -> Floats | None:
    """Weights of the optimum under all limits, or None where there are none; a solver that stalls is asked for less.

    Parameters
    ----------
    problem, lower, objective, slack
        As `programme` takes them.
    tolerance : float
        What is asked for first.

    Raises
    ------
    EstimationError
        If the covariance is not positive definite, or the solver ends without an answer each time.
    """
    factor = Factor.of(problem.covariance)
    with_var = bool(np.isfinite(problem.var_limit))
    for asked in (tolerance, *LOOSER):
        squares = asked != tolerance
        posed = programme(problem, factor, lower=lower, objective=objective, with_var=with_var, slack=slack, squares=squares)
        try:
            return solve(posed, asked)
        except EstimationError as error:
            failure = error
    raise failure
