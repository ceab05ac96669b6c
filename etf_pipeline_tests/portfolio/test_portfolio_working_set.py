"""Many funds: the working set finds the optimum of the whole, and the certificate speaks of every fund."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from portfolio_market import make_problem

from etf_pipeline.portfolio import Problem, cone
from etf_pipeline.portfolio.convex import tidy
from etf_pipeline.portfolio.limits import group_limits
from etf_pipeline.portfolio.max_sharpe import max_sharpe
from etf_pipeline.portfolio.mean_variance import least_variance, mean_variance
from etf_pipeline.portfolio.working_set import solve_by_parts


def many(seed: int, n: int = 200, **changes) -> Problem:
    return dataclasses.replace(make_problem(n, seed, held=15, lower=0.0, var_limit=0.012), **changes)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("objective", ["sharpe", "utility", "variance"])
def test_the_parts_give_the_optimum_of_the_whole(objective, seed):
    problem = many(seed)
    whole = tidy(cone.optimum(problem, lower=0.0, objective=objective), problem, 0.0)
    parts = tidy(solve_by_parts(problem, objective), problem, 0.0)
    np.testing.assert_allclose(parts, whole, atol=1e-6)


def test_a_group_s_floor_and_cap_bind_across_the_parts_too():
    labels = [("bond", "equity")[i % 2] for i in range(200)]
    problem = many(0, groups=group_limits(labels, {"bond": (0.0, 0.3)}))
    whole = tidy(cone.optimum(problem, lower=0.0, objective="sharpe"), problem, 0.0)
    np.testing.assert_allclose(tidy(solve_by_parts(problem, "sharpe"), problem, 0.0), whole, atol=1e-6)


def test_any_first_set_leads_to_the_same_weights():
    problem = many(1)
    usual = solve_by_parts(problem, "sharpe")
    odd = solve_by_parts(problem, "sharpe", start=np.arange(0, 200, 7))
    np.testing.assert_allclose(odd, usual, atol=1e-6)


def test_limits_without_an_answer_are_found_to_have_none():
    assert solve_by_parts(many(0, var_limit=0.001), "sharpe") is None


@pytest.mark.parametrize("optimise", [max_sharpe, mean_variance, least_variance])
def test_the_certificate_of_a_relaxation_covers_funds_that_are_not_held(optimise):
    found = optimise(many(2))
    assert (found.weights > 0).sum() < 100
    assert found.kkt_residual < 1e-8
