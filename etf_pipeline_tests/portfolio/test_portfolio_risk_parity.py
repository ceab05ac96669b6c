"""Risk parity: beside riskfolio-lib, by its own definition, and within bounds."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from portfolio_market import make_problem
from scipy.optimize import minimize

from etf_pipeline.errors import EstimationError, Infeasible
from etf_pipeline.portfolio import parity_weights
from etf_pipeline.portfolio.risk_parity import parity_residual, risk_parity


def spread(covariance: np.ndarray, weights: np.ndarray) -> float:
    parts = weights * (covariance @ weights)
    return float(parts.max() / parts.min() - 1)


@pytest.mark.parametrize("seed", range(3))
def test_weights_equal_riskfolio(seed):
    problem = make_problem(20, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import riskfolio

        names = list(problem.tickers)
        port = riskfolio.Portfolio(returns=pd.DataFrame(np.zeros((2, 20)), columns=names))
        port.mu = pd.DataFrame(np.zeros((1, 20)), columns=names)
        port.cov = pd.DataFrame(problem.covariance, index=names, columns=names)
        port.solvers = ["CLARABEL"]
        peer = port.rp_optimization(model="Classic", rm="MV", rf=0, b=None, hist=True)
    np.testing.assert_allclose(parity_weights(problem.covariance)[0], peer.to_numpy().ravel(), atol=1e-5)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(n=st.integers(2, 60), seed=st.integers(0, 10_000))
def test_every_fund_contributes_the_same_risk_to_a_part_in_a_trillion(n, seed):
    covariance = make_problem(n, seed).covariance
    weights = parity_weights(covariance).weights
    assert weights.sum() == pytest.approx(1.0, abs=1e-14)
    assert spread(covariance, weights) < 1e-12


def test_five_hundred_funds_contribute_the_same_risk_too():
    covariance = make_problem(500, 1).covariance
    assert spread(covariance, parity_weights(covariance)[0]) < 1e-12


def test_budgets_are_met():
    covariance = make_problem(4, 2).covariance
    budgets = np.array([0.4, 0.3, 0.2, 0.1])
    weights = parity_weights(covariance, budgets=budgets).weights
    parts = weights * (covariance @ weights)
    np.testing.assert_allclose(parts / parts.sum(), budgets, rtol=1e-12)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(n=st.integers(7, 50), seed=st.integers(0, 10_000))
def test_bounds_hold_and_the_funds_between_them_still_share_risk_equally(n, seed):
    covariance = make_problem(n, seed).covariance
    scale = np.exp(np.random.default_rng(seed).normal(0, 0.8, n))  # bonds beside commodities: bounds bind
    covariance = covariance * np.outer(scale, scale)
    found = parity_weights(covariance, lower=0.02, upper=0.15)
    weights = found.weights
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert weights.min() >= 0.02 - 1e-12
    assert weights.max() <= 0.15 + 1e-12
    if n < 50:
        assert parity_residual(covariance, found, 0.02, 0.15) < 1e-9


def test_the_bounded_weights_minimise_the_penalised_variance_among_all_within_bounds():
    scale = np.exp(np.random.default_rng(3).normal(0, 0.8, 12))
    covariance = make_problem(12, 3).covariance * np.outer(scale, scale)
    found = parity_weights(covariance, lower=0.02, upper=0.15)
    weights, price = found.weights, found.price
    assert (weights == 0.15).any() or (weights == 0.02).any()

    def objective(x: np.ndarray) -> float:
        return float(x @ covariance @ x / 2 - price / 12 * np.log(x).sum()) / price

    peer = minimize(objective, np.full(12, 1 / 12), method="L-BFGS-B", bounds=[(0.02, 0.15)] * 12, options={"ftol": 1e-15})
    assert objective(weights) <= peer.fun + 1e-9
    np.testing.assert_allclose(weights, peer.x, atol=1e-4)


def test_the_solution_flags_the_funds_on_a_bound():
    problem = make_problem(9, 0)
    scale = np.ones(9)
    scale[0] = 0.05
    problem = dataclasses.replace(problem, covariance=problem.covariance * np.outer(scale, scale))
    found = risk_parity(problem)
    assert found.weights[0] == 0.15
    assert "at 15 %: T00" in found.reason
    assert found.engine == "ccd"
    assert found.kkt_residual < 1e-9


def test_a_hedge_that_outgrows_the_floors_is_charged_and_the_solution_says_so():
    covariance = np.full((30, 30), 0.015) + np.diag(np.full(30, 0.025))
    covariance[:6, 6:] = covariance[6:, :6] = -0.004  # six bond funds that fall when the others rise
    covariance[:6, :6] = 0.001 + np.diag(np.full(6, 0.002))
    found = parity_weights(covariance, lower=0.02, upper=0.15)
    assert found.shift > 0
    assert found.weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert parity_residual(covariance, found, 0.02, 0.15) < 1e-9
    problem = dataclasses.replace(make_problem(30, 0), covariance=covariance)
    assert "hedges want more than the floors leave" in risk_parity(problem).reason


@pytest.mark.parametrize(("n", "invested", "fit"), [(60, 1.0, 50), (30, 0.5, 25)])
def test_more_funds_than_fit_at_the_smallest_weight_are_cut_to_those_with_the_largest(n, invested, fit):
    problem = dataclasses.replace(make_problem(n, 0), invested=invested)
    found = risk_parity(problem)
    unbounded = parity_weights(problem.covariance).weights
    assert (found.weights > 0).sum() == fit
    assert unbounded[found.weights > 0].min() > unbounded[found.weights == 0].max()
    assert found.weights.sum() == pytest.approx(invested)
    assert found.reason.endswith(f"{n - fit} left out")


def test_a_covariance_that_is_not_positive_definite_is_refused():
    with pytest.raises(EstimationError, match="positive definite"):
        parity_weights(np.array([[1.0, -2.0], [-2.0, 1.0]]))


def test_equal_risk_above_the_var_limit_is_refused_with_its_own_figure():
    with pytest.raises(Infeasible, match=r"VaR 0.1 % cannot be met fully invested: equal risk gives [\d.]+ %") as refusal:
        risk_parity(make_problem(10, 0, var_limit=0.001))
    assert refusal.value.reason == "var_limit"
