"""Limits that cannot be met, each by its name, and what is held instead; near-duplicate funds."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from portfolio_market import make_problem

from etf_pipeline.errors import EstimationError, Infeasible, SettingsError
from etf_pipeline.portfolio import PortfolioOptimizer, PortfolioParameters
from etf_pipeline.portfolio.constraints import check_bounds, clusters, daily_var, name_counts
from etf_pipeline.portfolio.fallback import solve_or_fall_back
from etf_pipeline.portfolio.max_sharpe import max_sharpe
from etf_pipeline.portfolio.mean_variance import min_variance

OPTIMIZER = PortfolioOptimizer(PortfolioParameters())


def risky(minimum_var: float, n: int = 20, seed: int = 0, **limits: float):
    """A problem whose fully invested portfolios have at least this one-day VaR."""
    problem = make_problem(n, seed, var_limit=0.02, **limits)
    scale = minimum_var / daily_var(problem.volatility(min_variance(problem)))
    volatility = np.sqrt(np.diag(problem.covariance)) * scale
    return dataclasses.replace(problem, covariance=problem.covariance * scale**2, expected_return=0.02 + 0.3 * volatility)


def test_a_var_limit_that_cannot_be_met_is_refused_with_the_minimum():
    with pytest.raises(Infeasible, match=r"VaR 2 % cannot be met fully invested: minimum is 2\.7 %") as refusal:
        max_sharpe(risky(0.027))
    assert refusal.value.reason == "var_limit"


def test_too_few_candidates_are_refused_with_the_number_needed():
    with pytest.raises(Infeasible, match="needs at least 7 funds at 15 % each; there are 6 candidates") as refusal:
        max_sharpe(make_problem(6, 0))
    assert refusal.value.reason == "too_few_candidates"


def test_no_fund_above_the_bill_is_refused_as_no_excess_return():
    problem = make_problem(10, 0)
    with pytest.raises(Infeasible, match=r"the best is 1\.5 %") as refusal:
        max_sharpe(dataclasses.replace(problem, expected_return=np.full(10, 0.015)))
    assert refusal.value.reason == "no_excess_return"


def test_costs_above_every_excess_return_are_no_excess_return_too():
    problem = make_problem(10, 0)
    with pytest.raises(Infeasible, match="after costs") as refusal:
        max_sharpe(dataclasses.replace(problem, linear_cost=np.full(10, 0.5)))
    assert refusal.value.reason == "no_excess_return"


@pytest.mark.parametrize(
    ("lower", "upper", "message"), [(0.2, 0.1, "0 <= lower <= upper"), (0.45, 0.49, "at least 3 are needed, at most 2 fit")]
)
def test_bounds_that_contradict_each_other_are_refused_before_solving(lower, upper, message):
    with pytest.raises(Infeasible, match=message) as refusal:
        check_bounds(make_problem(10, 0, lower=lower, upper=upper))
    assert refusal.value.reason == "bounds"


def test_two_to_fifteen_percent_means_seven_to_fifty_names():
    assert name_counts(0.02, 0.15, 1.0) == (7, 50)


def test_an_unattainable_var_limit_dilutes_the_best_portfolio_with_as_little_cash_as_possible():
    problem = risky(0.027)
    found = OPTIMIZER.solve("max_sharpe", problem)
    assert found.status == "cash_blend"
    assert found.reason.startswith("var_limit: VaR 2 % cannot be met fully invested: minimum is 2.7 %")
    w = found.weights
    assert problem.volatility(w) == pytest.approx(problem.volatility_limit, rel=1e-6)
    assert problem.volatility(w) <= problem.volatility_limit
    assert 0.5 < w.sum() < 0.75
    assert ((w == 0) | ((w >= 0.02 - 1e-12) & (w <= 0.15 + 1e-12))).all()
    assert found.kkt_residual < 1e-6


def test_too_few_candidates_hold_their_caps_and_cash():
    found = OPTIMIZER.solve("max_sharpe", make_problem(4, 0))
    assert found.status == "cash_blend"
    np.testing.assert_allclose(found.weights, 0.15, atol=1e-9)


def test_no_excess_return_holds_cash_at_once():
    problem = dataclasses.replace(make_problem(10, 0, held=5), expected_return=np.full(10, 0.0))
    found = OPTIMIZER.solve("max_sharpe", problem)
    assert (found.status, found.weights.sum()) == ("cash", 0.0)
    assert found.reason.startswith("no_excess_return")


def test_risk_parity_above_the_var_limit_is_scaled_down_with_cash():
    problem = risky(0.03)
    found = OPTIMIZER.solve("risk_parity", problem)
    assert found.status == "cash_blend"
    assert problem.volatility(found.weights) == pytest.approx(problem.volatility_limit, rel=1e-6)


def test_a_failing_solver_falls_back_to_the_smallest_variance():
    def fails(problem):
        raise EstimationError("the solver gave up")

    problem = make_problem(12, 0, held=4)
    found = solve_or_fall_back(problem, fails)
    assert found.status == "min_variance_cash"
    np.testing.assert_array_equal(found.weights, min_variance(problem))
    assert found.reason == "solver: the solver gave up | cash_blend: the solver gave up"


@pytest.mark.parametrize("residual", [2e-6, 1e84, np.inf])
def test_weights_that_are_not_proved_are_never_called_optimal(residual):
    problem = make_problem(12, 0, held=4)
    best = max_sharpe(problem)
    found = solve_or_fall_back(problem, lambda _: dataclasses.replace(best, kkt_residual=residual))
    assert found.status == "min_variance_cash"
    assert found.reason.startswith(f"solver: clarabel left a residual of {residual:.2g}")
    kept = solve_or_fall_back(problem, lambda _: dataclasses.replace(best, kkt_residual=9e-7))
    assert kept.status == "optimal"


def test_without_any_way_out_the_holdings_stay_and_the_reason_says_why():
    problem = make_problem(12, 0, held=4, lower=0.5, upper=0.3)
    found = solve_or_fall_back(problem, max_sharpe)
    assert found.status == "hold"
    np.testing.assert_array_equal(found.weights, problem.previous)
    assert found.reason.startswith("bounds:")
    assert "min_variance_cash" in found.reason


def test_correlations_link_funds_through_a_third():
    chain = np.array([[1, 0.999, 0.9, 0], [0.999, 1, 0.999, 0], [0.9, 0.999, 1, 0], [0, 0, 0, 1]])
    assert clusters(chain, 0.995).tolist() == [0, 0, 0, 3]
    assert clusters(np.array([[1, np.nan], [np.nan, 1]]), 0.995).tolist() == [0, 1]


def twins(edge: float, held: int | None):
    """Funds 0 and 1 are one index; fund 1 is expected to earn `edge` more; one of them is held with 10 %."""
    problem = make_problem(15, 0)
    covariance = problem.covariance.copy()
    covariance[1, :], covariance[:, 1] = covariance[0, :], covariance[:, 0]
    covariance[1, 1] = covariance[0, 0] * (1 + 1e-6)
    expected = problem.expected_return.copy()
    expected[0] = 0.25
    expected[1] = expected[0] + edge
    previous, cost = np.zeros(15), np.full(15, 0.006)
    if held is not None:
        previous[held] = 0.10
    return dataclasses.replace(
        problem, covariance=covariance, expected_return=expected, previous=previous, linear_cost=cost, impact_cost=np.zeros(15)
    )


def test_near_duplicates_share_one_cap():
    for edge in (-0.001, 0.001):
        weights = OPTIMIZER.solve("max_sharpe", twins(edge, None)).weights
        assert weights[:2].sum() == pytest.approx(0.15)
        assert (weights[:2] > 0).sum() == 1
    parity = OPTIMIZER.solve("risk_parity", twins(0.0, None)).weights
    assert (parity[:2] > 0).sum() == 1


def test_a_hair_s_breadth_never_swaps_the_twin_that_is_held():
    for edge in (-1e-3, -1e-6, 1e-6, 1e-3, 0.011):
        assert OPTIMIZER.solve("max_sharpe", twins(edge, 0)).weights[0] > 0
        assert OPTIMIZER.solve("max_sharpe", twins(edge, 0)).weights[1] == 0


def test_a_twin_that_gains_more_than_the_switch_costs_takes_over():
    # selling one and buying the other costs 0.6 % + 0.6 % a year
    weights = OPTIMIZER.solve("max_sharpe", twins(0.013, 0)).weights
    assert weights[0] == 0
    assert weights[1] > 0


def test_realised_correlations_find_twins_that_shrinkage_hides():
    problem = twins(0.001, None)
    shrunk = problem.covariance + 0.02 * np.eye(15)
    seen = np.corrcoef(np.random.default_rng(0).normal(size=(15, 60)))
    seen[0, 1] = seen[1, 0] = 0.999
    hidden = OPTIMIZER.solve("max_sharpe", dataclasses.replace(problem, covariance=shrunk)).weights
    found = OPTIMIZER.solve("max_sharpe", dataclasses.replace(problem, covariance=shrunk, correlation=seen)).weights
    assert (hidden[:2] > 0).sum() == 2
    assert (found[:2] > 0).sum() == 1


def test_unknown_strategies_and_engines_are_named():
    with pytest.raises(SettingsError, match=r"found \['momentum'\]"):
        PortfolioOptimizer(PortfolioParameters(strategies=("momentum",)))
    with pytest.raises(SettingsError, match="found 'gurobi'"):
        PortfolioOptimizer(PortfolioParameters(engine="gurobi"))
