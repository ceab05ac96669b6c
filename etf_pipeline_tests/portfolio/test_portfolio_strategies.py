"""Each strategy against a peer library or a closed form, and every strategy against every limit."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from portfolio_market import make_problem

from etf_pipeline.errors import DataError, Infeasible
from etf_pipeline.portfolio import Problem, Views
from etf_pipeline.portfolio.black_litterman import TAU, black_litterman, implied_excess, posterior
from etf_pipeline.portfolio.certificate import PROVEN, certify
from etf_pipeline.portfolio.constraints import restrict
from etf_pipeline.portfolio.fallback import solve_or_fall_back
from etf_pipeline.portfolio.hrp import hierarchical_risk_parity, tree_weights
from etf_pipeline.portfolio.limits import broken_limits, group_limits
from etf_pipeline.portfolio.mean_variance import least_shortfall, least_variance, mean_variance
from etf_pipeline.portfolio.optimizer import OPTIMIZERS
from etf_pipeline.portfolio.risk_parity import risk_budgeting


def scenarios(problem: Problem, count: int = 500, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.multivariate_normal(np.full(problem.n, 3e-4), problem.covariance / 252, count)


def peer(problem: Problem):
    """The same problem in riskfolio-lib."""
    import riskfolio

    names = list(problem.tickers)
    port = riskfolio.Portfolio(returns=pd.DataFrame(problem.scenarios, columns=names))
    port.mu = pd.DataFrame(problem.expected_return[None], columns=names)
    port.cov = pd.DataFrame(problem.covariance, index=names, columns=names)
    port.upperlng, port.alpha, port.solvers = problem.upper, 1 - problem.cvar_level, ["CLARABEL"]
    return port


def rich(n: int, seed: int, lower: float = 0.0) -> Problem:
    """A problem with every kind of limit at once."""
    plain = make_problem(n, seed, held=8, lower=lower)
    labels = [("equity", "bond", "real")[i % 3] for i in range(n)]
    return dataclasses.replace(
        plain,
        groups=group_limits(labels, {"bond": (0.3, 0.5), "equity": (0.0, 0.4)}),
        turnover_limit=0.5,
        benchmark=np.full(n, 1 / n),
        tracking_error_limit=0.05,
        active_limit=0.13,
        scenarios=scenarios(plain, 250, seed),
        cvar_limit=0.025,
        var_limit=0.018,
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("name", "measure", "objective"),
    [
        ("min_variance", "MV", "MinRisk"),
        ("cvar", "CVaR", "MinRisk"),
        ("mean_variance", "MV", "Utility"),
        ("max_sharpe", "MV", "Sharpe"),
    ],
)
def test_weights_and_objective_equal_riskfolio(name, measure, objective, seed):
    plain = make_problem(20, seed, costs=False, lower=0.0)
    problem = dataclasses.replace(plain, scenarios=scenarios(plain))
    found = OPTIMIZERS[name](problem)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        aversion = problem.risk_aversion / 2 if objective == "Utility" else 0
        answer = peer(problem).optimization("Classic", measure, objective, rf=problem.risk_free, l=aversion, hist=True)
    theirs = answer["weights"].to_numpy()
    np.testing.assert_allclose(found.weights, theirs, atol=2e-5)
    value = {
        "min_variance": lambda w: -problem.volatility(w),
        "cvar": lambda w: -problem.shortfall(w),
        "mean_variance": problem.utility,
        "max_sharpe": problem.net_sharpe,
    }[name]
    assert value(found.weights) >= value(theirs / theirs.sum()) - 1e-8
    assert found.kkt_residual < 1e-9


def test_hrp_equals_riskfolio_and_skfolio_with_and_without_bounds():
    import riskfolio
    from skfolio import RiskMeasure
    from skfolio.cluster import HierarchicalClustering, LinkageMethod
    from skfolio.optimization import HierarchicalRiskParity

    plain = make_problem(20, 0)
    frame = pd.DataFrame(scenarios(plain), columns=list(plain.tickers))
    covariance = frame.cov().to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = riskfolio.HCPortfolio(returns=frame)
        theirs = tree.optimization("HRP", codependence="pearson", rm="MV", linkage="single", leaf_order=True)["weights"]
    np.testing.assert_allclose(tree_weights(covariance), theirs.to_numpy(), atol=1e-14)
    for lower, upper in ((0.0, 1.0), (0.02, 0.15), (0.0, 0.08)):
        with warnings.catch_warnings():  # it renames its own arguments
            warnings.simplefilter("ignore")
            other = HierarchicalRiskParity(
                risk_measure=RiskMeasure.VARIANCE,
                hierarchical_clustering_estimator=HierarchicalClustering(linkage_method=LinkageMethod.SINGLE),
                min_weights=lower,
                max_weights=upper,
            ).fit(frame)
        np.testing.assert_allclose(tree_weights(covariance, lower=lower, upper=upper), other.weights_, atol=1e-12)


@settings(deadline=None)
@given(n=st.integers(7, 60), seed=st.integers(0, 10_000))
def test_the_tree_obeys_the_bounds_whatever_the_covariance(n, seed):
    found = hierarchical_risk_parity(make_problem(n, seed))
    w = found.weights
    assert w.sum() == pytest.approx(1.0, abs=1e-12)
    assert ((w == 0) | ((w >= 0.02 - 1e-15) & (w <= 0.15 + 1e-15))).all()


def test_black_litterman_equals_riskfolio_and_the_form_with_precisions():
    import riskfolio

    plain = make_problem(12, 3, costs=False, lower=0.0)
    market = np.arange(1.0, 13.0) / 78
    P = np.zeros((2, 12))
    P[0, 0], P[1, 1], P[1, 2] = 1.0, 1.0, -1.0
    q = np.array([0.09, 0.02])
    problem = dataclasses.replace(plain, benchmark=market, views=Views(P, q))
    found = posterior(problem)
    S, tau_S = problem.covariance, TAU * problem.covariance
    omega = np.diag(np.diag(P @ tau_S @ P.T))
    precision = np.linalg.inv(tau_S) + P.T @ np.linalg.inv(omega) @ P
    by_hand = np.linalg.solve(precision, np.linalg.solve(tau_S, 4.0 * S @ market) + P.T @ np.linalg.solve(omega, q))
    np.testing.assert_allclose(found.excess, by_hand, rtol=1e-9)
    np.testing.assert_allclose(found.error, np.linalg.inv(precision), rtol=1e-7, atol=1e-12)
    # riskfolio takes tau as one over the number of its returns, and estimates the covariance from them
    frame = pd.DataFrame(scenarios(plain, int(1 / TAU)), columns=list(plain.tickers))
    sample = dataclasses.replace(problem, covariance=frame.cov().to_numpy() + 1e-9 * np.eye(12), risk_free=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mean, _, _ = riskfolio.black_litterman(
            frame, pd.DataFrame(market), pd.DataFrame(P), pd.DataFrame(q[:, None]), delta=4.0, rf=0.0, eq=True
        )
    np.testing.assert_allclose(posterior(sample).excess, np.ravel(mean), rtol=1e-3)


def test_without_views_the_market_portfolio_is_the_answer_to_its_own_prior():
    plain = make_problem(10, 1, costs=False, lower=0.0, upper=1.0)
    market = np.full(10, 0.1)
    agreed = dataclasses.replace(plain, benchmark=market, expected_return=0.02 + 4.0 * plain.covariance @ market)
    np.testing.assert_allclose(black_litterman(agreed).weights, market, atol=1e-6)


def test_a_market_keeps_its_prior_when_some_of_its_funds_cannot_be_chosen():
    problem = dataclasses.replace(make_problem(10, 1), benchmark=np.full(10, 0.1))
    part = restrict(problem, np.arange(4))
    np.testing.assert_allclose(implied_excess(part), implied_excess(problem)[:4], rtol=1e-12)


def test_views_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match=r"shape \(1, 8\)"):
        posterior(dataclasses.replace(make_problem(8, 0), views=Views(np.ones((1, 3)), np.ones(1))))


def test_risk_budgets_are_met_and_a_fund_without_a_budget_is_not_held():
    budgets = np.array([4.0, 3.0, 2.0, 1.0, 0.0])
    problem = make_problem(5, 0, lower=0.0, upper=1.0)
    found = risk_budgeting(dataclasses.replace(problem, budgets=budgets))
    parts = found.weights * (problem.covariance @ found.weights)
    np.testing.assert_allclose(parts / parts.sum(), budgets / 10, atol=1e-12)
    assert found.kkt_residual < 1e-12


def test_the_shortfall_of_twenty_scenarios_by_hand():
    # ten scenarios at a level of 75 %: the two worst and half of the third
    problem = make_problem(2, 0)
    losses = np.arange(10.0)
    held = dataclasses.replace(problem, scenarios=-np.column_stack([losses, losses]), cvar_level=0.75)
    assert held.shortfall(np.array([0.5, 0.5])) == pytest.approx((9 + 8 + 0.5 * 7) / 2.5)


def test_cvar_without_scenarios_is_refused():
    with pytest.raises(DataError, match="cvar needs scenarios"):
        least_shortfall(make_problem(10, 0))


@pytest.mark.parametrize("name", ["max_sharpe", "mean_variance", "min_variance", "cvar"])
@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), lower=st.sampled_from([0.0, 0.02]))
@example(seed=6982, lower=0.02)  # Newton's steps diverge
def test_weights_obey_every_limit_of_any_problem_or_a_limit_is_named(name, seed, lower):
    problem = rich(20, seed, lower)
    found = solve_or_fall_back(problem, OPTIMIZERS[name], ("hold",))
    if found.status == "hold":
        assert found.attempts[0].reason.split(":")[0] in (
            *("var_limit", "group_limit", "turnover_limit", "tracking_error_limit", "cvar_limit", "conflict"),
            *("active_limit", "smallest_weight", "solver"),
        )
        return
    w = found.weights
    assert w.sum() == pytest.approx(1.0, abs=1e-9)
    assert ((w == 0) | ((w >= lower - 1e-9) & (w <= 0.15 + 1e-9))).all()
    assert (np.abs(w - problem.benchmark) <= 0.13 + 1e-9).all()
    assert broken_limits(problem, w, 1e-6) == ()
    assert found.kkt_residual < PROVEN


def test_nearly_every_problem_with_all_limits_is_solved_and_proved():
    names = ("max_sharpe", "mean_variance", "min_variance", "cvar")
    solved = 0
    for seed in range(8):
        for name in names:
            try:
                solved += OPTIMIZERS[name](rich(20, seed)).kkt_residual < PROVEN
            except Infeasible as refusal:
                pytest.fail(f"{name} {seed}: {refusal}")
    assert solved >= 8 * len(names) - 1


@pytest.mark.parametrize("seed", range(3))
def test_with_groups_turnover_and_tracking_error_no_start_of_scipy_finds_a_higher_sharpe(seed):
    from scipy.optimize import minimize

    problem = dataclasses.replace(
        rich(12, seed),
        linear_cost=np.zeros(12),
        impact_cost=np.zeros(12),
        cvar_limit=np.inf,
        var_limit=0.02,
        turnover_limit=np.inf,
        previous=np.zeros(12),
    )
    found = OPTIMIZERS["max_sharpe"](problem)
    assert found.kkt_residual < PROVEN
    rules = [{"type": "eq", "fun": lambda w: w.sum() - 1}]
    rules += [{"type": "ineq", "fun": lambda w, g=g: w[g.members].sum() - g.lower} for g in problem.groups]
    rules += [{"type": "ineq", "fun": lambda w, g=g: g.upper - w[g.members].sum()} for g in problem.groups]
    rules += [{"type": "ineq", "fun": lambda w: problem.tracking_error_limit - problem.tracking_error(w)}]
    rules += [{"type": "ineq", "fun": lambda w: problem.volatility_limit - problem.volatility(w)}]
    rng, best = np.random.default_rng(seed), -np.inf
    for _ in range(4):
        answer = minimize(
            lambda w: -problem.net_sharpe(w),
            rng.dirichlet(np.ones(12)),
            bounds=[(0, 0.15)] * 12,
            constraints=rules,
            options={"maxiter": 300, "ftol": 1e-14},
            method="SLSQP",
        )
        w = np.clip(answer.x, 0, 0.15)
        if abs(w.sum() - 1) < 1e-9 and not broken_limits(problem, w, 1e-8):
            best = max(best, -answer.fun)
    assert np.isfinite(best)
    assert problem.net_sharpe(found.weights) == pytest.approx(best, abs=1e-6)


def test_the_strategy_of_least_variance_trades_only_what_takes_away_more_risk_than_it_costs():
    problem = make_problem(20, 4, held=10, lower=0.0)
    found = OPTIMIZERS["min_variance"](problem)
    assert found.kkt_residual < 1e-9

    def value(w: np.ndarray) -> float:
        return -problem.risk_aversion / 2 * problem.volatility(w) ** 2 - problem.trading_cost(w)

    free = least_variance(problem).weights
    rng = np.random.default_rng(0)
    others = [
        problem.previous,
        free,
        *(found.weights + s * (rng.dirichlet(np.ones(20)) - found.weights) for s in rng.random(200)),
    ]
    assert all(value(found.weights) >= value(w) - 1e-12 for w in others if w.max() <= problem.upper)
    assert problem.turnover(found.weights) < 0.7 * problem.turnover(free)
    cheap = dataclasses.replace(problem, linear_cost=np.zeros(20), impact_cost=np.zeros(20))
    np.testing.assert_allclose(OPTIMIZERS["min_variance"](cheap).weights, free, atol=1e-8)


def test_the_certificate_of_every_objective_rejects_weights_that_are_not_optimal():
    problem = dataclasses.replace(make_problem(20, 1, lower=0.0), scenarios=scenarios(make_problem(20, 1)))
    everything = np.ones(20, dtype=bool)
    for objective, optimise in (("utility", mean_variance), ("variance", least_variance), ("cvar", least_shortfall)):
        best = optimise(problem).weights
        assert certify(problem, best, everything, objective).residual < 1e-8
        assert certify(problem, np.full(20, 0.05), everything, objective).residual > 1e-2
