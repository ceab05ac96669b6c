"""The t copula against closed forms: marginal laws, tail dependence, and a portfolio's CVaR."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from etf_pipeline.errors import DataError
from etf_pipeline.stress import Copula, tail_loss
from etf_pipeline.stress.copula import stressed

NU = 5.0


def copula(past: np.ndarray, correlation: float = 0.6, volatility: tuple[float, float] = (0.01, 0.02)) -> Copula:
    return Copula.of(past, np.array(volatility), np.array([[1.0, correlation], [correlation, 1.0]]), NU)


def test_without_history_it_is_the_multivariate_t_law_and_its_cvar_the_closed_form():
    # one seed at three standard errors: a false alarm once in 370 choices
    found = copula(np.full((10, 2), np.nan))
    drawn = found.portfolios(np.array([[0.5], [0.5]]), 100_000, 1, np.random.default_rng(1))[0, 0]
    sigma = np.sqrt(0.25 * 1e-4 + 0.25 * 4e-4 + 0.5 * 0.6 * 2e-4)
    q = stats.t.ppf(0.95, NU)
    cvar = sigma * np.sqrt(3 / 5) * stats.t.pdf(q, NU) / 0.05 * (NU + q * q) / (NU - 1)
    tail = tail_loss(drawn)
    assert abs(tail.cvar - cvar) < 3 * tail.standard_error


def test_marginal_laws_are_those_of_the_past_with_the_volatility_that_is_asked_for():
    rng = np.random.default_rng(2)
    skewed = np.column_stack([rng.gamma(2.0, 1.0, 2000) * -1, rng.normal(size=2000)])
    drawn = copula(skewed).draw(200_000, np.random.default_rng(3))
    assert drawn.std(axis=1) == pytest.approx([0.01, 0.02], rel=0.02)
    levels = (0.05, 0.25, 0.5, 0.75, 0.95)
    made, told = np.quantile(drawn[0], levels), np.quantile(skewed[:, 0] - skewed[:, 0].mean(), levels)
    assert made / made[0] == pytest.approx(told / told[0], abs=0.02)  # but for the scale, which the heavier tails take part in


def test_the_worst_of_both_fall_together_as_often_as_a_t_copula_says():
    # P(both beyond the 1 % quantile) by numerical integration of the bivariate t law; 400,000 draws: error 2.5 %
    drawn = copula(np.full((10, 2), np.nan)).draw(400_000, np.random.default_rng(4))
    q = stats.t.ppf(0.01, NU)
    closed = stats.multivariate_t([0, 0], [[1, 0.6], [0.6, 1]], df=NU).cdf([q, q])
    limits = np.quantile(drawn, 0.01, axis=1)
    together = np.mean((drawn[0] < limits[0]) & (drawn[1] < limits[1]))
    assert together == pytest.approx(closed, rel=0.1)
    assert together > 1.3 * stats.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]]).cdf([stats.norm.ppf(0.01)] * 2)


def test_the_table_of_a_law_is_as_exact_as_a_search():
    found = copula(np.random.default_rng(5).normal(size=(1500, 2)))
    rng = np.random.default_rng(6)
    drawn = found.draw(5000, rng)
    again = np.random.default_rng(6)
    mixing = np.sqrt(NU / again.chisquare(NU, 5000))
    values = (found.root @ again.standard_normal((2, 5000))) * mixing
    for j in range(2):
        np.testing.assert_allclose(drawn[j], np.interp(values[j], found.knots, found.quantiles[j]), rtol=1e-4, atol=1e-6)


def test_stressed_correlations_stay_correlations_and_a_singular_matrix_is_refused():
    moved = stressed(np.array([[1.0, -0.9], [-0.9, 1.0]]), 0.5)
    assert np.linalg.eigvalsh(moved).min() > 0
    assert np.diag(moved).tolist() == [1.0, 1.0]
    with pytest.raises(DataError, match="smallest eigenvalue"):
        copula(np.full((10, 2), np.nan), correlation=1.5)
