"""Limits that leave hardly any portfolio: what is attainable is found, and what is refused has no answer."""

from __future__ import annotations

import dataclasses
import itertools

import cvxpy as cp
import numpy as np
import pytest
from portfolio_market import make_problem

from etf_pipeline.errors import EstimationError, Infeasible
from etf_pipeline.portfolio import GroupLimit, Problem
from etf_pipeline.portfolio.constraints import daily_var
from etf_pipeline.portfolio.convex import solve_on
from etf_pipeline.portfolio.max_sharpe import max_sharpe
from etf_pipeline.portfolio.mean_variance import least_variance, min_variance
from etf_pipeline.portfolio.ratio import by_price_of_variance


def tight(seed: int, above: float) -> Problem:
    """A VaR limit a little above the smallest reachable, with some funds behind cash, so that hardly any return is left."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(12, 40))
    problem = make_problem(n, seed, held=int(rng.choice([0, 8])), costs=bool(rng.integers(2)), lower=0.0)
    volatility = np.sqrt(np.diag(problem.covariance))
    expected = problem.risk_free + rng.normal(rng.choice([-0.02, 0.01]), 0.03, n) + volatility * rng.choice([0.0, 0.3])
    limit = daily_var(problem.volatility(min_variance(problem))) * (1.0 + above)
    return dataclasses.replace(problem, expected_return=expected, var_limit=limit)


def net_excess(problem: Problem, w: cp.Variable) -> cp.Expression:
    trade = cp.abs(w - problem.previous)
    impact = cp.sum(cp.multiply(problem.impact_cost, cp.power(trade, 1.5)))
    return problem.excess @ w - problem.linear_cost @ trade - impact


def best_by_peer(problem: Problem) -> float:
    """Largest net Sharpe ratio by Dinkelbach's method in cvxpy; zero if nothing within the limits earns more than cash."""
    w, price = cp.Variable(problem.n), cp.Parameter(nonneg=True, value=0.0)
    risk = cp.norm(np.linalg.cholesky(problem.covariance).T @ w)
    rules = [cp.sum(w) == 1, w >= 0, w <= problem.upper, risk <= problem.volatility_limit]
    posed = cp.Problem(cp.Maximize(net_excess(problem, w) - price * risk), rules)
    for _ in range(8):
        posed.solve(solver="CLARABEL")
        price.value = max(problem.net_sharpe(w.value), 0.0)
    return float(price.value)


@pytest.mark.filterwarnings("ignore:Solution may be inaccurate")  # of the peer, 1e-5 above the smallest reachable
@pytest.mark.parametrize("above", [1e-5, 1e-3, 0.05])
@pytest.mark.parametrize("seed", [1, 7, 13, 59, 68])
def test_a_var_limit_just_above_the_smallest_reachable_is_met_with_the_peer_s_sharpe_ratio(seed, above):
    problem = tight(seed, above)
    best = best_by_peer(problem)
    if best <= 0.0:
        with pytest.raises(Infeasible, match="above cash"):
            max_sharpe(problem)
        return
    found = max_sharpe(problem)
    assert found.kkt_residual < 1e-6
    assert problem.net_sharpe(found.weights) == pytest.approx(best, abs=1e-5)
    assert problem.volatility(found.weights) <= problem.volatility_limit * (1 + 1e-9)


@pytest.mark.parametrize("seed", [4, 12, 22])
def test_a_var_limit_that_some_support_meets_is_not_refused_because_those_of_the_relaxation_do_not(seed):
    n, rng = 10, np.random.default_rng(seed)
    problem = make_problem(n, seed, held=int(rng.choice([0, 5])), lower=0.08, upper=0.22)
    drift = rng.normal(0.01, 0.03, n) + 0.2 * np.sqrt(np.diag(problem.covariance))
    problem = dataclasses.replace(problem, expected_return=problem.risk_free + drift)
    calmest = daily_var(problem.volatility(min_variance(problem)))
    problem = dataclasses.replace(problem, var_limit=calmest * 1.003)
    supports = [np.isin(np.arange(n), chosen) for k in range(5, n + 1) for chosen in itertools.combinations(range(n), k)]
    answers = [solve_on(problem, support, "sharpe", problem.lower) for support in supports]
    best = max(problem.net_sharpe(weights) for weights in answers if weights is not None)
    found = max_sharpe(problem)
    assert problem.net_sharpe(found.weights) == pytest.approx(best, abs=1e-7)
    least = least_variance(problem)
    assert daily_var(problem.volatility(least.weights)) == pytest.approx(calmest, rel=1e-7)


def test_the_search_by_the_price_of_variance_agrees_with_the_ratio_s_own_programme():
    for seed in range(4):
        problem = make_problem(20, seed, held=8, lower=0.0)
        weights = by_price_of_variance(problem, lower=0.0)
        np.testing.assert_allclose(weights, max_sharpe(problem).weights, atol=2e-6)
    behind = dataclasses.replace(problem, expected_return=np.full(20, 0.01))
    assert by_price_of_variance(behind, lower=0.0) is None


@pytest.mark.parametrize("seed", [0, 4])
def test_a_solver_that_stalls_on_limits_without_an_answer_names_them(seed, monkeypatch):
    problem = dataclasses.replace(
        make_problem(20, seed, lower=0.0), groups=(GroupLimit("group bond", np.arange(20) < 8, 0.6, 0.7),), var_limit=1e-3
    )
    from etf_pipeline.portfolio import diagnosis

    def stalls(*_):
        raise EstimationError("Clarabel ended with InsufficientProgress.")

    monkeypatch.setattr(diagnosis, "optimal", stalls)
    with pytest.raises(Infeasible, match="VaR") as refusal:
        least_variance(problem)
    assert refusal.value.reason == "var_limit"
    with pytest.raises(EstimationError, match="InsufficientProgress"):  # an answer exists: the solver is to blame
        least_variance(dataclasses.replace(problem, var_limit=0.5))


def test_the_price_of_an_active_weight_is_told_with_the_bound_that_it_belongs_to():
    problem = make_problem(20, 2, lower=0.0)
    problem = dataclasses.replace(problem, benchmark=np.full(20, 0.05), active_limit=0.03)
    prices = {price.limit: price for price in max_sharpe(problem).shadow_prices}
    caps, floors = ([p.bound for name, p in prices.items() if name.startswith(word)] for word in ("cap", "floor"))
    assert caps
    assert floors
    np.testing.assert_allclose(caps, 0.08, rtol=1e-12)
    np.testing.assert_allclose(floors, 0.02, rtol=1e-12)
