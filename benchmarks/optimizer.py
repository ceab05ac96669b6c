"""Max Sharpe and risk parity beside riskfolio-lib, on one thread; accuracy is checked before speed counts.

Run ``python -m benchmarks.optimizer``. Ours solves the same problem as the peer (0-15 %, no costs), then the harder one that
the peer cannot (spread, 3/2-power impact, VaR cone): all funds at once, on a working set, and as the next date of either.
"""

from __future__ import annotations

import dataclasses
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from etf_pipeline.errors import EstimationError
from etf_pipeline.panel import Floats
from etf_pipeline.portfolio import Problem, parity_weights
from etf_pipeline.portfolio.cone import Factor, programme, solve, solver
from etf_pipeline.portfolio.convex import tidy
from etf_pipeline.portfolio.max_sharpe import max_sharpe
from etf_pipeline.portfolio.riskfolio_engine import _portfolio
from etf_pipeline.portfolio.working_set import solve_by_parts

SIZES = (50, 500)
SHARPE_GATE = 1e-6
"""Our Sharpe ratio is never below the peer's by more than this, relative."""

PARITY_GATE = 1e-5
"""Largest difference of a risk-parity weight from the peer's."""

CERTIFIED = 1e-10
"""Largest residual of the optimality conditions of the weights that the others are compared with. [ratio]"""

PEER_TOLERANCE = 1e-8
"""Clarabel's default, with which the peer solves; the pipeline itself asks for more."""

PEER_RUNS = 3
OUR_RUNS = 15


def run() -> list[dict[str, Any]]:
    """Measure everything.

    Returns
    -------
    list of dict
        `name`, `ours_s`, `peer_s` (medians of wall time), `ratio`, `accuracy` (infinite where a side condition fails), `gate`,
        `n`, `note`.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [row for n in SIZES for row in (*_sharpe(n), _parity(n))]


def factor_problem(n: int, seed: int = 0) -> tuple[Problem, Factor]:
    """A market of `n` funds on 20 factors (10 for small ones), twenty of them held."""
    rng = np.random.default_rng(seed)
    k = 20 if n >= 100 else 10
    loadings = np.column_stack([rng.normal(0.12, 0.04, n), rng.normal(0, 0.03, (n, k - 1))])
    specific = rng.uniform(0.03, 0.12, n)
    covariance = loadings @ loadings.T + np.diag(specific**2)
    expected = 0.02 + np.sqrt(np.diag(covariance)) * rng.normal(0.3, 0.15, n)
    previous = np.zeros(n)
    previous[rng.choice(n, 20, replace=False)] = 0.05
    names = tuple(f"T{i:03d}" for i in range(n))
    costs = (rng.uniform(3e-4, 1e-3, n) * 12, rng.uniform(0.005, 0.05, n))
    return Problem(names, expected, covariance, previous, 0.02, *costs, lower=0.0, var_limit=0.012), Factor(loadings, specific)


def _sharpe(n: int) -> list[dict[str, Any]]:
    problem, factor = factor_problem(n)
    plain = dataclasses.replace(problem, linear_cost=np.zeros(n), impact_cost=np.zeros(n), previous=np.zeros(n), var_limit=np.inf)
    peer_s, theirs = _timed(lambda: _peer_weights(plain), PEER_RUNS)
    ours_s, ours = _timed(lambda: _ours(plain, factor, with_var=False), OUR_RUNS)
    best = plain.net_sharpe(theirs / theirs.sum())
    shortfall = max(0.0, best - plain.net_sharpe(ours)) / best
    dense_s, dense = _timed(lambda: _ours(plain, Factor.of(plain.covariance), with_var=False), OUR_RUNS)
    dense_gap = max(0.0, best - plain.net_sharpe(dense)) / best
    whole_s, whole = _timed(lambda: _ours(problem, factor, with_var=True), OUR_RUNS)
    update_s, updated = _timed_updates(problem, factor)
    parts_s, parts = _timed(lambda: _parts(problem), OUR_RUNS)
    start = _last_date(problem)
    next_s, following = _timed(lambda: _parts(problem, start), OUR_RUNS)
    proof_s, proven = _timed(lambda: max_sharpe(problem).weights, OUR_RUNS)
    # the hard problem has no peer: every route must agree with weights whose certificate covers all funds
    exact = max_sharpe(problem)
    if exact.kkt_residual > CERTIFIED:
        raise EstimationError(f"the benchmark's own answer is not proved: residual {exact.kkt_residual:.2g}.")
    rows = [
        ("max Sharpe, dense covariance", dense_s, dense_gap, "same problem, same dense covariance"),
        ("max Sharpe, factor form", ours_s, shortfall, "same problem; ours is given the covariance in factor form"),
    ]
    hard = "ours adds spread, impact and VaR, the peer has neither; "
    for name, seconds, weights, note in (
        ("factor form", whole_s, whole, "all funds at once"),
        ("factor form, next date", update_s, updated, "next date of a running solver"),
        ("working set", parts_s, parts, "dense covariance; funds priced in"),
        ("working set, next date", next_s, following, "dense covariance; from the last date's funds"),
        ("certificate over all funds", proof_s, proven, "dense covariance; Newton steps and proof included"),
    ):
        rows.append((f"max Sharpe with costs and VaR, {name}", seconds, _gap(problem, weights, exact.weights), hard + note))
    return [_row(name, n, seconds, peer_s, gap, SHARPE_GATE, note) for name, seconds, gap, note in rows]


def _gap(problem: Problem, weights: Floats, exact: Floats) -> float:
    """Relative difference of net Sharpe ratios; infinite where the VaR limit is broken."""
    if problem.volatility(weights) > problem.volatility_limit * (1.0 + 1e-6):
        return np.inf
    return abs(problem.net_sharpe(weights) / problem.net_sharpe(exact) - 1.0)


def _parts(problem: Problem, start: Sequence[int] = ()) -> Floats:
    found = solve_by_parts(problem, "sharpe", start=start, tolerance=PEER_TOLERANCE)
    assert found is not None, "the benchmark's own problem is feasible"
    return tidy(found, problem, 0.0)


def _last_date(problem: Problem) -> Sequence[int]:
    """Funds of the optimum under last date's expected returns."""
    drift = np.random.default_rng(1).normal(0, 0.005, problem.n)
    earlier = _parts(dataclasses.replace(problem, expected_return=problem.expected_return + drift))
    return np.flatnonzero(earlier > 0).tolist()


def _parity(n: int) -> dict[str, Any]:
    problem, _ = factor_problem(n)
    peer_s, theirs = _timed(lambda: _peer_parity(problem), PEER_RUNS)
    ours_s, ours = _timed(lambda: parity_weights(problem.covariance)[0], OUR_RUNS)
    parts = ours * (problem.covariance @ ours)
    gap = float(np.abs(ours - theirs).max())
    if parts.max() / parts.min() - 1.0 >= 1e-12:
        gap = np.inf
    return _row("risk parity", n, ours_s, peer_s, gap, PARITY_GATE, "largest weight difference; own risk spread below 1e-12")


def _ours(problem: Problem, factor: Factor, *, with_var: bool) -> Floats:
    found = solve(programme(problem, factor, lower=0.0, with_var=with_var), PEER_TOLERANCE)
    assert found is not None, "the benchmark's own problem is feasible"
    return tidy(found, problem, 0.0)


def _timed_updates(problem: Problem, factor: Factor) -> tuple[float, Floats]:
    """Median time of writing a new date's numbers into a running solver and solving, and the weights of the given date."""
    rng = np.random.default_rng(1)
    first = dataclasses.replace(problem, expected_return=problem.expected_return + rng.normal(0, 0.005, problem.n))
    running = solver(programme(first, factor, lower=0.0, with_var=True, kinked=True), PEER_TOLERANCE)
    running.solve()

    def step() -> Floats:
        target = programme(problem, factor, lower=0.0, with_var=True, kinked=True)
        running.update(P=target.P, A=target.A, b=target.b)
        return target.weights(np.asarray(running.solve().x))

    seconds, weights = _timed(step, OUR_RUNS)
    return seconds, tidy(weights, problem, 0.0)


def _peer_weights(problem: Problem) -> Floats:
    found = _portfolio(problem, 0.0).optimization(model="Classic", rm="MV", obj="Sharpe", rf=problem.risk_free, l=0, hist=True)
    return np.asarray(found["weights"].reindex(list(problem.tickers)), dtype=np.float64)


def _peer_parity(problem: Problem) -> Floats:
    found = _portfolio(problem, 0.0).rp_optimization(model="Classic", rm="MV", rf=0, b=None, hist=True)
    return np.asarray(found["weights"].reindex(list(problem.tickers)), dtype=np.float64)


def _timed(work: Callable[[], Floats], runs: int) -> tuple[float, Floats]:
    answer = work()  # the first call imports and compiles
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        answer = work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), answer


def _row(name: str, n: int, ours: float, peer: float, accuracy: float, gate: float, note: str) -> dict[str, Any]:
    return {
        "name": f"{name}, {n} funds",
        "ours_s": ours,
        "peer_s": peer,
        "ratio": peer / ours,
        "accuracy": accuracy,
        "gate": gate,
        "n": n,
        "note": note,
    }


if __name__ == "__main__":
    for line in run():
        print(line)
