"""Limits beyond the bounds: what they are worth, who is to blame where they cannot be met, and what is held then."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from portfolio_market import make_problem

from etf_pipeline.conventions import PERCENT
from etf_pipeline.errors import DataError, Infeasible, SettingsError
from etf_pipeline.portfolio import GroupLimit, PortfolioOptimizer, PortfolioParameters, Problem
from etf_pipeline.portfolio.constraints import restrict
from etf_pipeline.portfolio.diagnosis import relaxed
from etf_pipeline.portfolio.fallback import solve_or_fall_back
from etf_pipeline.portfolio.hrp import hierarchical_risk_parity
from etf_pipeline.portfolio.limits import (
    broken_limits,
    check_limits,
    cluster_limits,
    group_limits,
    issuer_limits,
)
from etf_pipeline.portfolio.max_sharpe import max_sharpe
from etf_pipeline.portfolio.mean_variance import least_shortfall, least_variance, mean_variance

TWO = ("bond", "equity")


def grouped(n: int = 20, seed: int = 0, costs: bool = False, **bounds: tuple[float, float]) -> Problem:
    """Every second fund a bond, weights from zero."""
    labels = [TWO[i % 2] for i in range(n)]
    return dataclasses.replace(make_problem(n, seed, lower=0.0, costs=costs), groups=group_limits(labels, bounds))


def refused(problem: Problem, optimise=max_sharpe) -> Infeasible:
    with pytest.raises(Infeasible) as refusal:
        optimise(problem)
    return refusal.value


# shadow prices


def price_of(found, name):
    return next(p.price for p in found.shadow_prices if p.limit == name)


@pytest.mark.parametrize(
    ("optimise", "value"),
    [
        (max_sharpe, Problem.net_sharpe),
        (mean_variance, Problem.utility),
        (least_variance, lambda p, w: -p.volatility(w)),
    ],
)
def test_a_shadow_price_is_what_a_little_more_of_the_limit_adds(optimise, value):
    step = 1e-5

    def best(bound: float) -> float:
        problem = grouped(costs=True, bond=(0.0, bound))
        return value(problem, optimise(problem).weights)

    loose = grouped(costs=True)
    tight = 0.8 * optimise(loose).weights[::2].sum()
    problem = grouped(costs=True, bond=(0.0, tight))
    found = optimise(problem)
    assert found.kkt_residual < 1e-8
    slope = (best(tight + step) - best(tight - step)) / (2 * step)
    assert slope > 0
    assert price_of(found, "group bond") == pytest.approx(slope, rel=1e-3)


def test_the_shadow_price_of_the_var_limit_is_in_units_of_daily_var_and_in_words():
    free = make_problem(30, 3, held=10)
    limit = 0.97 * free.volatility(max_sharpe(free).weights) * 1.6448536269514722 / np.sqrt(252)

    def solved(bound: float):
        problem = dataclasses.replace(free, var_limit=bound)
        found = max_sharpe(problem)
        return found, problem.net_sharpe(found.weights)

    found, _ = solved(limit)
    step = limit * 1e-4
    slope = (solved(limit + step)[1] - solved(limit - step)[1]) / (2 * step)
    assert price_of(found, "VaR") == pytest.approx(slope, rel=0.02)
    words = next(p.words for p in found.shadow_prices if p.limit == "VaR")
    assert words.startswith("one percent more than ")
    assert "Sharpe ratio +" in words


def test_the_shadow_price_of_an_expected_shortfall_limit_is_its_slope():
    plain = make_problem(15, 2, lower=0.0, costs=False)
    rng = np.random.default_rng(0)
    problem = dataclasses.replace(plain, scenarios=rng.multivariate_normal(np.zeros(15), plain.covariance / 252, 300))
    low, high = (problem.shortfall(o(problem).weights) for o in (least_shortfall, mean_variance))
    middle = (low + high) / 2

    def solved(bound: float):
        posed = dataclasses.replace(problem, cvar_limit=bound)
        found = mean_variance(posed)
        return found, posed.utility(found.weights)

    found, _ = solved(middle)
    assert problem.shortfall(found.weights) == pytest.approx(middle, rel=1e-6)
    assert found.kkt_residual < 1e-6
    left, right = ((solved(middle + s)[1] - solved(middle)[1]) / s for s in (-1e-5, 1e-5))
    assert min(left, right) * 0.98 <= price_of(found, "CVaR") <= max(left, right) * 1.02


def test_slack_limits_have_no_price():
    found = max_sharpe(grouped(bond=(0.0, 0.99)))
    assert all(p.limit.startswith("cap ") for p in found.shadow_prices)


# refusals by name


def test_a_group_with_too_few_funds_for_its_floor_is_named_with_the_number():
    problem = make_problem(20, 0)
    only = np.arange(20) == 3
    refusal = refused(dataclasses.replace(problem, groups=(GroupLimit("group bond", only, 0.3, 1.0),)))
    assert str(refusal).startswith("group bond >= 30 % needs 2 funds at 15 % each; there is 1 candidate")
    assert refusal.reason == "group_limit"


def test_a_turnover_limit_that_does_not_reach_the_caps_is_named_with_the_smallest_turnover():
    previous = np.zeros(10)
    previous[:2] = 0.29, 0.71  # 15 % each leaves 70 % to sell
    problem = dataclasses.replace(make_problem(10, 0), previous=previous, turnover_limit=0.1)
    refusal = refused(problem)
    assert refusal.reason == "turnover_limit"
    assert "turnover <= 10 % (reachable: at least 70 %)" in str(refusal)


def test_each_of_two_limits_that_conflict_is_named_with_what_it_would_have_to_be():
    refusal = refused(grouped(bond=(0.7, 1.0), equity=(0.4, 1.0)))
    assert "group bond >= 70 % (reachable: at most 60 %)" in str(refusal)
    assert "or group equity >= 40 % (reachable: at most 30 %)" in str(refusal)


def test_limits_that_only_fail_together_are_all_named():
    problem = grouped(bond=(0.5, 1.0), equity=(0.6, 1.0))
    elsewhere = np.arange(20) < 6
    both = dataclasses.replace(
        problem,
        groups=(*problem.groups, GroupLimit("issuer A", elsewhere, 0.9, 1.0), GroupLimit("issuer B", ~elsewhere, 0.9, 1.0)),
    )
    refusal = refused(both)
    assert refusal.reason == "conflict"
    assert "group" in str(refusal)
    assert "issuer" in str(refusal)


def test_a_tracking_error_below_the_reachable_is_named_with_the_reachable():
    # the benchmark is one fund, of which at most 15 % can be held
    benchmark = np.eye(12)[0]
    problem = dataclasses.replace(make_problem(12, 1, lower=0.0), benchmark=benchmark, tracking_error_limit=0.001)
    refusal = refused(problem)
    assert refusal.reason == "tracking_error_limit"
    needed = float(str(refusal).split("at least ")[1].split(" %")[0]) * PERCENT
    loose = dataclasses.replace(problem, tracking_error_limit=needed * 1.01)
    assert loose.tracking_error(max_sharpe(loose).weights) <= needed * 1.01 * (1 + 1e-6)
    with pytest.raises(Infeasible):
        max_sharpe(dataclasses.replace(problem, tracking_error_limit=needed * 0.98))


def test_limits_met_only_by_weights_below_the_smallest_say_so():
    # within 1 % of 5 % each: every fund must be held with at most 6 %, none may be below 10 %
    problem = dataclasses.replace(make_problem(20, 0, lower=0.1), benchmark=np.full(20, 0.05), active_limit=0.01)
    assert refused(problem).reason == "smallest_weight"


def test_rules_without_eyes_for_limits_are_refused_by_the_limit_they_break():
    refusal = refused(grouped(bond=(0.0, 0.1)), hierarchical_risk_parity)
    assert refusal.reason == "group_limit"
    assert "the tree has nothing to choose and breaks group bond <= 10 %" in str(refusal)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cvar_limit": 0.02}, "cvar_limit needs scenarios"),
        ({"tracking_error_limit": 0.02}, "needs Problem.benchmark"),
        ({"active_limit": 0.02}, "needs Problem.benchmark"),
        ({"benchmark": np.ones(3)}, r"benchmark needs shape \(10,\) for 10 funds; found \(3,\)"),
        ({"scenarios": np.full((5, 10), np.nan)}, "no unknown return"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(change, message):
    with pytest.raises(DataError, match=message):
        check_limits(dataclasses.replace(make_problem(10, 0), **change))


# the chain


def test_relaxing_moves_a_limit_no_further_than_it_must():
    problem = dataclasses.replace(grouped(bond=(0.7, 1.0), equity=(0.4, 1.0)), var_limit=0.05)
    found = solve_or_fall_back(problem, max_sharpe, ("relax",))
    assert found.status == "relax"
    moved = relaxed(problem)
    assert broken_limits(moved, found.weights) == ()
    lower = {g.name: g.lower for g in moved.groups}
    assert 0.7 - lower["group bond"] + 0.4 - lower["group equity"] == pytest.approx(0.1, abs=1e-4)
    assert moved.var_limit == problem.var_limit


def test_every_step_is_kept_with_its_reason_in_the_order_of_the_settings():
    problem = dataclasses.replace(grouped(bond=(0.7, 1.0), equity=(0.4, 1.0)), previous=np.full(20, 0.05))
    optimizer = PortfolioOptimizer(PortfolioParameters(fallbacks=("cash_blend", "min_variance_cash", "cash")))
    found = optimizer.solve("max_sharpe", problem)
    assert [(a.step, a.outcome) for a in found.attempts] == [
        ("optimal", "infeasible"),
        ("cash_blend", "infeasible"),
        ("min_variance_cash", "infeasible"),
        ("cash", "accepted"),
    ]
    assert (found.status, found.weights.sum()) == ("cash", 0.0)
    assert found.attempts[0].reason in found.reason


def test_a_shortfall_limit_is_met_with_cash():
    plain = make_problem(20, 0, costs=False)
    rng = np.random.default_rng(1)
    drawn = rng.multivariate_normal(np.zeros(20), plain.covariance / 252, 300)
    problem = dataclasses.replace(plain, scenarios=drawn, cvar_limit=0.004)
    found = solve_or_fall_back(problem, max_sharpe)
    assert found.status == "cash_blend"
    assert found.attempts[0].reason.startswith("cvar_limit")
    assert problem.shortfall(found.weights) == pytest.approx(0.004, rel=1e-5)


def test_unknown_fallbacks_are_named():
    with pytest.raises(SettingsError, match=r"fallbacks must be among .*found \['pray'\]"):
        PortfolioOptimizer(PortfolioParameters(fallbacks=("pray",)))


# twins, issuers, restriction


def test_issuers_and_clusters_are_capped_together():
    problem = make_problem(12, 4, costs=False)
    issuers = issuer_limits(["A"] * 6 + ["B"] * 5 + [""], 0.55)
    assert [g.name for g in issuers] == ["issuer A", "issuer B"]
    correlation = np.eye(12)
    correlation[0, 1] = correlation[1, 0] = 0.999
    twins = cluster_limits(problem.tickers, correlation, 0.995, 0.15)
    limited = dataclasses.replace(problem, groups=issuers + twins)
    w = max_sharpe(limited).weights
    assert w[:6].sum() <= 0.55 + 1e-9
    assert w[6:11].sum() <= 0.55 + 1e-9
    assert w[:2].sum() <= 0.15 + 1e-9


def test_holdings_sold_elsewhere_count_in_turnover_cost_and_tracking_error():
    whole = make_problem(12, 0, held=6, lower=0.0)
    whole = dataclasses.replace(whole, benchmark=np.full(12, 1 / 12))
    chosen = np.arange(8)
    part = restrict(whole, chosen)
    inside = np.random.default_rng(0).dirichlet(np.ones(8))
    weights = np.zeros(12)
    weights[chosen] = inside
    assert part.turnover(inside) == pytest.approx(whole.turnover(weights), abs=1e-14)
    assert part.trading_cost(inside) == pytest.approx(whole.trading_cost(weights), abs=1e-14)
    assert part.tracking_error(inside) == pytest.approx(whole.tracking_error(weights), abs=1e-12)


def test_noisy_twins_never_flip_over_sixty_dates():
    # SPY, VOO and IVV: one index, fees of a basis point apart, forecasts that disagree by noise every month
    rng = np.random.default_rng(7)
    base = make_problem(14, 5, costs=False)
    loading = np.vstack([np.repeat(np.eye(14)[:1], 3, axis=0), np.eye(14)[1:]])
    covariance = loading @ base.covariance @ loading.T + np.diag([1e-6] * 3 + [0.0] * 13)
    linear = np.full(16, 12 * 3e-4)
    optimizer = PortfolioOptimizer(PortfolioParameters())
    previous, held = np.zeros(16), []
    for _ in range(60):
        expected = loading @ base.expected_return + np.concatenate([rng.normal(0.06, 2e-4, 3), rng.normal(0, 0.002, 13)])
        names = ("SPY", "VOO", "IVV", *base.tickers[1:])
        problem = Problem(names, expected, covariance, previous, 0.02, linear, np.zeros(16), var_limit=np.inf)
        previous = optimizer.solve("max_sharpe", problem).weights
        held.append(tuple(np.flatnonzero(previous[:3])))
    assert all(len(twins) <= 1 for twins in held)
    used = [twins[0] for twins in held if twins]
    assert len(used) > 30
    assert len(set(used)) == 1
