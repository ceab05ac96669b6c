"""Max Sharpe: beside SciPy and riskfolio-lib, against enumeration, and with its certificate."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from portfolio_market import make_problem
from scipy.optimize import minimize

from etf_pipeline.errors import EstimationError, Infeasible
from etf_pipeline.portfolio import cone
from etf_pipeline.portfolio.certificate import certify
from etf_pipeline.portfolio.convex import solve_on
from etf_pipeline.portfolio.max_sharpe import max_sharpe
from etf_pipeline.portfolio.mean_variance import min_variance
from etf_pipeline.portfolio.problem import Problem
from etf_pipeline.portfolio.riskfolio_engine import reference_weights, riskfolio_max_sharpe


def slsqp(problem: Problem, start: np.ndarray) -> np.ndarray:
    """SciPy on the ratio itself, restarted from its own answer until it stands still."""
    w = start
    for _ in range(6):
        answer = minimize(
            lambda x: -problem.net_sharpe(x),
            w,
            method="SLSQP",
            bounds=[(problem.lower, problem.upper)] * problem.n,
            constraints={"type": "eq", "fun": lambda x: x.sum() - problem.invested},
            options={"maxiter": 2000, "ftol": 1e-16},
        )
        w = answer.x
    return w


@pytest.mark.parametrize("seed", range(6))
def test_weights_between_0_and_15_percent_equal_scipy_and_riskfolio(seed):
    problem = make_problem(20, seed, costs=False, lower=0.0)
    ours = max_sharpe(problem).weights
    riskfolio = reference_weights(problem)
    scipy = slsqp(problem, riskfolio / riskfolio.sum())
    np.testing.assert_allclose(ours, riskfolio, atol=5e-6)
    np.testing.assert_allclose(ours, scipy, atol=1e-6)
    for peer in (riskfolio / riskfolio.sum(), scipy / scipy.sum()):
        assert problem.net_sharpe(ours) >= problem.net_sharpe(peer) - 1e-8


@pytest.mark.parametrize("held", [0, 8])
@pytest.mark.parametrize("seed", range(3))
def test_with_spread_and_impact_no_start_of_scipy_finds_a_higher_net_sharpe(seed, held):
    problem = make_problem(15, seed, held=held, lower=0.0)
    best = problem.net_sharpe(max_sharpe(problem).weights)
    rng = np.random.default_rng(seed)
    for start in (np.full(15, 1 / 15), rng.dirichlet(np.ones(15))):
        peer = np.clip(slsqp(problem, start), 0, None)
        assert best >= problem.net_sharpe(peer / peer.sum()) - 1e-8


@pytest.mark.parametrize(
    ("seed", "held", "costs"), [(0, 0, False), (1, 0, True), (2, 4, True), (3, 4, False), (4, 5, True), (5, 3, True)]
)
def test_the_search_over_supports_finds_what_enumeration_finds(seed, held, costs):
    problem = make_problem(9, seed, held=held, costs=costs, lower=0.12, upper=0.35)
    best = -np.inf
    for size in range(3, 9):
        for names in itertools.combinations(range(9), size):
            support = np.isin(np.arange(9), names)
            weights = solve_on(problem, support, "sharpe", problem.lower)
            if weights is not None:
                best = max(best, problem.net_sharpe(weights))
    assert problem.net_sharpe(max_sharpe(problem).weights) == pytest.approx(best, rel=1e-8)


@pytest.mark.parametrize("seed", range(8))
def test_on_thirty_funds_the_search_stays_near_the_bound_of_the_relaxation(seed):
    problem = make_problem(30, seed, held=8)
    relaxed = solve_on(problem, np.ones(30, dtype=bool), "sharpe", 0.0)
    found = problem.net_sharpe(max_sharpe(problem).weights)
    assert problem.net_sharpe(relaxed) >= found - 1e-9
    assert found >= 0.99 * problem.net_sharpe(relaxed)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    n=st.integers(8, 40),
    seed=st.integers(0, 10_000),
    held=st.integers(0, 8),
    costs=st.booleans(),
    var_limit=st.sampled_from([0.012, 0.02, np.inf]),
)
def test_weights_of_any_problem_with_an_answer_obey_every_limit_and_prove_it(n, seed, held, costs, var_limit):
    problem = make_problem(n, seed, held=held, costs=costs, var_limit=var_limit)
    try:
        found = max_sharpe(problem)
    except Infeasible as refusal:
        assert refusal.reason in ("var_limit", "no_excess_return")  # noqa: PT017
        return
    w = found.weights
    assert w.sum() == pytest.approx(1.0, abs=1e-12)
    assert ((w == 0) | ((w >= 0.02 - 1e-15) & (w <= 0.15 + 1e-15))).all()
    assert problem.volatility(w) <= problem.volatility_limit * (1 + 1e-9)
    assert found.kkt_residual < 1e-6


def test_the_certificate_rejects_weights_that_are_not_optimal():
    problem = make_problem(20, 1, lower=0.0)
    best = max_sharpe(problem).weights
    assert certify(problem, best, best > 0)[0] < 1e-9
    tilted = best.copy()
    free = np.flatnonzero((best > 0.02) & (best < 0.13))[:2]
    tilted[free] += [0.005, -0.005]
    assert certify(problem, tilted, tilted > 0)[0] > 1e-3
    assert certify(problem, np.full(20, 0.05), np.ones(20, dtype=bool))[0] > 1e-2


def test_the_certificate_names_what_binds():
    problem = make_problem(30, 3, held=10)
    found = max_sharpe(problem)
    for ticker, weight in zip(problem.tickers, found.weights, strict=True):
        listed = [part for part in found.reason.split("; ") if ticker in part]
        expected = "at 15 %" if weight >= 0.15 else "at 2 %" if 0 < weight <= 0.02 else None
        assert ([part.split(":")[0] for part in listed] == [expected]) if expected else not listed


def test_a_binding_var_limit_is_met_exactly_and_costs_sharpe():
    free = make_problem(30, 3, held=10)
    loose = max_sharpe(free)
    limit = 0.97 * free.volatility(loose.weights) * 1.6448536269514722 / np.sqrt(252)
    tight = dataclasses.replace(free, var_limit=limit)
    found = max_sharpe(tight)
    assert found.reason.startswith("var_limit")
    assert tight.volatility(found.weights) == pytest.approx(tight.volatility_limit, rel=1e-9)
    assert free.net_sharpe(found.weights) < free.net_sharpe(loose.weights)
    assert found.kkt_residual < 1e-6


def test_higher_costs_mean_smaller_trades_and_prohibitive_ones_none():
    problem = make_problem(15, 2, lower=0.0, upper=0.2)
    previous = max_sharpe(make_problem(15, 7, lower=0.0, upper=0.2)).weights
    traded = []
    for factor in (0.0, 1.0, 10.0, 1000.0):
        priced = dataclasses.replace(
            problem,
            previous=previous,
            linear_cost=problem.linear_cost * factor,
            impact_cost=problem.impact_cost * factor,
        )
        traded.append(np.abs(max_sharpe(priced).weights - previous).sum())
    assert traded == sorted(traded, reverse=True)
    assert traded[-1] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_an_optimal_trade_smaller_than_the_solver_sees_is_found(seed):
    problem = make_problem(12, seed, held=12, lower=0.0, upper=1.0)
    fund = int(np.argmax(max_sharpe(problem).weights))
    dear = problem.linear_cost.copy()
    dear[fund] = 1.0  # at this price it is not traded, and its marginal value shows what would move it
    still = dataclasses.replace(problem, linear_cost=dear)
    weights = max_sharpe(still).weights
    assert weights[fund] == problem.previous[fund]
    price = still.net_excess(weights) / still.volatility(weights) ** 2
    trade = weights - still.previous
    slope = np.sign(trade) * (still.linear_cost + 1.5 * still.impact_cost * np.sqrt(np.abs(trade)))
    values = still.excess - price * (still.covariance @ weights)
    nu = np.median((values - slope)[(weights > 1e-6) & (trade != 0)])
    gap = values[fund] - nu
    # where impact of a trade of 3e-8 and the linear cost make up the gap together, that trade is the optimum
    cheap = dear.copy()
    cheap[fund] = abs(gap) - 1.5 * problem.impact_cost[fund] * np.sqrt(3e-8)
    found = max_sharpe(dataclasses.replace(problem, linear_cost=cheap))
    assert found.kkt_residual < 1e-9
    assert found.weights[fund] - problem.previous[fund] == pytest.approx(np.sign(gap) * 3e-8, rel=0.01)


def test_a_covariance_in_factor_form_and_an_updated_solver_give_the_same_weights():
    rng = np.random.default_rng(5)
    loadings, specific = rng.normal(0.08, 0.06, (40, 4)), rng.uniform(0.02, 0.1, 40)
    base = make_problem(40, 5, held=10, lower=0.0, var_limit=0.02)
    problem = dataclasses.replace(base, covariance=loadings @ loadings.T + np.diag(specific**2))
    factor = cone.Factor(loadings, specific)
    by_factor = cone.solve(cone.programme(problem, factor, lower=0.0, with_var=True))
    by_cholesky = cone.solve(cone.programme(problem, cone.Factor.of(problem.covariance), lower=0.0, with_var=True))
    np.testing.assert_allclose(by_factor, by_cholesky, atol=1e-6)
    other = dataclasses.replace(problem, expected_return=base.expected_return + rng.normal(0, 0.005, 40))
    running = cone.solver(cone.programme(other, factor, lower=0.0, with_var=True, kinked=True))
    running.solve()
    target = cone.programme(problem, factor, lower=0.0, with_var=True, kinked=True)
    running.update(P=target.P, A=target.A, b=target.b)
    np.testing.assert_allclose(target.weights(np.asarray(running.solve().x)), by_factor, atol=1e-6)


def test_the_smallest_variance_of_uncorrelated_funds_is_inverse_to_their_variances():
    problem = make_problem(8, 0, lower=0.0, upper=1.0)
    variance = np.linspace(0.01, 0.08, 8)
    weights = min_variance(dataclasses.replace(problem, covariance=np.diag(variance)))
    np.testing.assert_allclose(weights, (1 / variance) / (1 / variance).sum(), atol=1e-7)


def test_a_covariance_that_is_not_positive_definite_is_refused_with_its_smallest_eigenvalue():
    problem = make_problem(8, 0)
    with pytest.raises(EstimationError, match=r"positive definite.*-1"):
        max_sharpe(dataclasses.replace(problem, covariance=np.diag([1.0] * 7 + [-1.0])))


def test_the_riskfolio_engine_obeys_the_bounds_and_comes_near_ours():
    problem = make_problem(25, 4, costs=False)
    theirs, ours = riskfolio_max_sharpe(problem), max_sharpe(problem)
    assert theirs.engine == "riskfolio"
    w = theirs.weights
    assert w.sum() == pytest.approx(1.0, abs=1e-6)
    assert ((w == 0) | ((w >= 0.02 - 1e-6) & (w <= 0.15 + 1e-6))).all()
    assert problem.net_sharpe(ours.weights) >= problem.net_sharpe(w / w.sum()) - 1e-8
    assert problem.net_sharpe(w) >= 0.98 * problem.net_sharpe(ours.weights)
