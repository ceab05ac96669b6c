"""Log-likelihood, gradient and information of the GARCH with t errors."""

from __future__ import annotations

import numpy as np
import pytest
from risk_samples import garch_returns
from scipy import integrate, special, stats

from etf_pipeline.risk.volatility import garch_likelihood as kernels

THETAS = [
    (0.04, 0.02, 0.08, 0.9, 6.0, 0.08),
    (0.0, 0.5, 0.3, 0.2, 3.0, 0.3),
    (0.1, 0.01, 0.0, 0.99, 400.0, 0.0),
    (0.0, 1.0, 0.6, 0.0, 2.1, 0.6),
    (0.04, 0.02, 0.02, 0.9, 6.0, 0.14),
    (0.04, 0.02, 0.08, 0.9, np.inf, 0.08),
    (0.04, 0.02, 0.02, 0.9, np.inf, 0.14),
]
"""mu, omega, alpha, beta, nu, fall: symmetric, asymmetric, with t and with normal errors."""


def value(x: np.ndarray, point: np.ndarray, backcast: float) -> float:
    """Log-likelihood at (mu, omega, alpha, beta, 1 / nu, fall)."""
    nu = 1 / point[4] if point[4] else np.inf
    return float(kernels.log_likelihoods(x, point[0], nu, point[[1, 2, 3, 5]].reshape(4, 1), backcast)[0])


def scores(x: np.ndarray, theta: tuple[float, ...], backcast: float, asymmetric: bool) -> tuple[float, np.ndarray]:
    gradient = np.empty(6)
    return kernels.scores(x, np.array(theta), backcast, asymmetric, gradient, np.empty((6, 6))), gradient


@pytest.mark.parametrize("theta", THETAS)
def test_the_log_likelihood_is_the_sum_of_scipy_densities(theta):
    x, (mu, omega, alpha, beta, nu, fall) = garch_returns(777, seed=4), theta
    h, total = omega + ((alpha + fall) / 2 + beta) * 1.3, 0.0
    for r in x:
        density = stats.norm(mu, np.sqrt(h)) if np.isinf(nu) else stats.t(nu, mu, np.sqrt(h * (nu - 2) / nu))
        total += density.logpdf(r)
        h = omega + (fall if r < mu else alpha) * (r - mu) ** 2 + beta * h
    assert value(x, np.array([*theta[:4], 1 / nu, fall]), 1.3) == pytest.approx(total, rel=1e-11)
    for asymmetric in (False, True):
        assert scores(x, theta, 1.3, asymmetric)[0] == pytest.approx(total, rel=1e-11)


@pytest.mark.parametrize("theta", THETAS)
@pytest.mark.parametrize("asymmetric", [False, True])
def test_the_gradient_is_the_slope_of_the_log_likelihood(theta, asymmetric):
    x = garch_returns(600, seed=5)
    gradient = scores(x, theta, 1.0, asymmetric)[1]
    point = np.array([*theta[:4], 1 / theta[4], theta[5]])
    for i in range(6):
        step = np.zeros(6)
        step[i] = 1e-6
        if i == 2 and not asymmetric:
            step[5] = 1e-6  # one response for both
        if (i == 4 and np.isinf(theta[4])) or (i == 5 and not asymmetric):
            assert gradient[i] == 0.0
            continue
        if i == 0 and np.abs(x - theta[0]).min() < 1e-6:
            continue
        slope = (value(x, point + step, 1.0) - value(x, point - step, 1.0)) / 2e-6
        assert gradient[i] == pytest.approx(slope, rel=2e-5, abs=3e-4)


@pytest.mark.parametrize("nu", [2.5, 4.0, 7.0, 30.0])
def test_the_information_is_the_expected_square_of_the_score(nu):
    # One observation with h = 1: quadrature of the squared scores in (h, nu) over the t density of unit variance.
    def log_density(x: float, h: float, df: float) -> float:
        return float(stats.t.logpdf(x, df, 0.0, np.sqrt(h * (df - 2) / df)))

    def score(x: float) -> tuple[float, float]:  # in h and in 1 / nu
        in_h = (log_density(x, 1 + 1e-5, nu) - log_density(x, 1 - 1e-5, nu)) / 2e-5
        return in_h, -nu * nu * (log_density(x, 1.0, nu + 1e-4) - log_density(x, 1.0, nu - 1e-4)) / 2e-4

    def expected(i: int, j: int) -> float:
        return 2 * integrate.quad(lambda x: score(x)[i] * score(x)[j] * np.exp(log_density(x, 1, nu)), 0, np.inf, epsrel=1e-7)[0]

    assert kernels._unit_information(1 / nu) == pytest.approx((expected(0, 0), expected(0, 1), expected(1, 1)), rel=1e-3)


@pytest.mark.parametrize("x", [0.51, 1.0, 3.3, 12.0, 250.5])
def test_digamma_and_trigamma_equal_scipy(x):
    assert kernels._digamma(x) == pytest.approx(special.digamma(x), rel=1e-11)
    assert kernels._trigamma(x) == pytest.approx(special.polygamma(1, x), rel=1e-9)


def test_many_equations_at_once_equal_one_at_a_time():
    x = garch_returns(533, seed=6)
    equations = np.array([[0.1, 0.5, 1.0], [0.05, 0.2, 0.0], [0.9, 0.3, 0.0], [0.05, 0.3, 0.0]])
    together = kernels.log_likelihoods(x, 0.0, 5.0, equations, 1.0)
    alone = [kernels.log_likelihoods(x, 0.0, 5.0, equations[:, k : k + 1].copy(), 1.0)[0] for k in range(3)]
    assert together == pytest.approx(alone, rel=1e-13)
