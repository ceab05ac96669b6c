"""Each covariance estimator against a peer, an obvious second implementation, or the truth that made the returns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import covariance as peer
from statsmodels.stats.correlation_tools import corr_nearest, cov_nearest

from etf_pipeline.errors import EstimationError, SettingsError
from etf_pipeline.risk.covariance import (
    COVARIANCE_ESTIMATORS,
    CovarianceParameters,
    Sample,
    ledoit_wolf,
    nearest_psd,
    oas,
    pairwise_covariance,
    sample_covariance,
)
from etf_pipeline.risk.covariance.dynamic import vol_times_correlation
from etf_pipeline.risk.covariance.factor import n_factors, observed_factor_covariance, statistical_factor_covariance
from etf_pipeline.risk.covariance.weighted import ewma_covariance

samples = st.tuples(st.integers(0, 2**32 - 1), st.integers(2, 60), st.integers(2, 40), st.floats(0, 3))
PARAMETERS = CovarianceParameters(min_factor_sessions=20)


def returns_of(seed: int, n: int, p: int, factor: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 0.01 * (rng.standard_normal((n, p)) * rng.uniform(0.2, 3, p) + factor * rng.standard_normal((n, 1)))


def full_sample(n: int = 300, p: int = 12, seed: int = 3) -> Sample:
    rng = np.random.default_rng(seed)
    factors = 0.01 * rng.standard_normal((n, 6))
    returns = factors @ rng.normal(0.5, 0.4, (6, p)) + 0.005 * rng.standard_normal((n, p))
    volatilities = np.sqrt(252) * returns.std(axis=0) * rng.uniform(0.5, 2, (n, p))
    return Sample(returns, volatilities, factors, np.full(n, 1e-4))


@given(case=samples)
@settings(max_examples=60, deadline=None)
def test_shrunk_estimates_are_those_of_scikit_learn(case):
    x = returns_of(*case)
    for ours, theirs in ((ledoit_wolf(x), peer.ledoit_wolf(x)), (oas(x), peer.oas(x))):
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-12, atol=1e-12 * np.abs(theirs[0]).max())
        assert ours[1] == pytest.approx(theirs[1], rel=1e-10, abs=1e-12)


@given(case=samples)
@settings(max_examples=40, deadline=None)
def test_the_sample_covariance_is_that_of_scikit_learn(case):
    x = returns_of(*case)
    theirs = peer.empirical_covariance(x)
    np.testing.assert_allclose(sample_covariance(x), theirs, rtol=1e-12, atol=1e-12 * np.abs(theirs).max())


def test_funds_without_any_variance_need_no_shrinkage():
    covariance, shrinkage = ledoit_wolf(np.zeros((10, 3)))
    assert shrinkage == peer.ledoit_wolf(np.zeros((10, 3)))[1] == 0.0
    assert not covariance.any()


@pytest.mark.parametrize("decay", [0.5, 0.94, 0.97, 0.999])
def test_ewma_is_the_weighted_covariance_of_numpy(decay):
    x = returns_of(5, 200, 6, 1.0)
    weights = decay ** np.arange(199, -1, -1)
    theirs = np.cov(x, rowvar=False, aweights=weights, ddof=0)
    np.testing.assert_allclose(ewma_covariance(x, decay), theirs, rtol=1e-10, atol=1e-14)
    with pytest.raises(SettingsError, match=r"found 1\.5"):
        ewma_covariance(x, 1.5)


@given(case=samples, gaps=st.floats(0, 0.7))
@settings(max_examples=40, deadline=None)
def test_pairwise_covariance_is_that_of_pandas(case, gaps):
    x = returns_of(*case)
    x[np.random.default_rng(case[0]).random(x.shape) < gaps] = np.nan
    ours, common = pairwise_covariance(x)
    theirs = pd.DataFrame(x).cov(min_periods=2).to_numpy()
    known = np.isfinite(x).astype(int)
    np.testing.assert_array_equal(common, known.T @ known)
    np.testing.assert_array_equal(np.isnan(ours), common == 0)
    some = common > 1
    np.testing.assert_allclose(ours[some], theirs[some] * (common[some] - 1) / common[some], rtol=1e-9, atol=1e-16)


def test_the_factors_above_the_noise_edge_are_counted():
    """Three planted factors; independent returns have none above the edge, and one is used."""
    rng = np.random.default_rng(8)
    noise = rng.standard_normal((1000, 50))
    planted = noise + rng.standard_normal((1000, 3)) @ rng.normal(0, 1, (3, 50))
    for x, expected in ((planted, 3), (noise, 1)):
        assert n_factors(np.linalg.eigvalsh(np.corrcoef(x, rowvar=False)), 1000) == expected


def test_a_statistical_factor_model_keeps_variances_and_is_definite_with_few_sessions():
    x = returns_of(2, 30, 60, 1.0)
    made = statistical_factor_covariance(x)
    np.testing.assert_allclose(np.diag(made), x.var(axis=0), rtol=1e-12)
    assert np.linalg.eigvalsh(made)[0] > 0


def test_observed_factors_give_least_squares_loadings_and_the_sample_ends_where_they_are_known():
    sample = full_sample()
    assert sample.factors is not None
    factors = sample.factors.copy()
    factors[250:] = np.nan
    made, count = observed_factor_covariance(sample.returns, factors, sample.bill, 100)
    assert count == 250
    import statsmodels.api as sm

    excess = sample.returns[:250] - 1e-4
    fits = [sm.OLS(excess[:, j], sm.add_constant(factors[:250])).fit() for j in range(12)]
    loadings = np.array([fit.params[1:] for fit in fits])
    own = np.diag([fit.ssr / 250 for fit in fits])
    expected = loadings @ np.cov(factors[:250], rowvar=False, ddof=0) @ loadings.T + own
    np.testing.assert_allclose(made, expected, rtol=1e-9)
    np.testing.assert_allclose(np.diag(made), excess.var(axis=0), rtol=1e-9)
    with pytest.raises(EstimationError, match="needs 100 sessions with released factors in the sample; found 0"):
        observed_factor_covariance(sample.returns, np.full_like(factors, np.nan), sample.bill, 100)


def test_current_volatilities_stand_around_correlations_of_scaled_returns():
    sample = full_sample()
    made, _ = vol_times_correlation(sample.returns, sample.volatilities)
    np.testing.assert_allclose(np.sqrt(252 * np.diag(made)), sample.volatilities[-1], rtol=1e-12)
    unknown = sample.volatilities.copy()
    unknown[:, 4] = np.nan
    made, _ = vol_times_correlation(sample.returns, unknown)
    assert np.sqrt(made[4, 4]) == pytest.approx(sample.returns[:, 4].std(), rel=1e-12)


def test_scaled_returns_find_a_correlation_that_one_crisis_would_decide():
    """Two funds unrelated for 450 sessions that fall together, five times as volatile, for 50: all count alike once scaled."""
    rng = np.random.default_rng(0)
    calm, crisis = rng.standard_normal((450, 2)), rng.standard_normal((50, 1)) @ np.ones((1, 2))
    sigma = np.repeat([0.01, 0.10], [450, 50])[:, None]
    returns, volatilities = np.vstack([calm, crisis]) * sigma, np.sqrt(252) * np.roll(sigma, -1) * np.ones((1, 2))
    made, _ = vol_times_correlation(returns, volatilities)
    scaled = made[0, 1] / np.sqrt(made[0, 0] * made[1, 1])
    assert scaled < 0.25 < 0.8 < np.corrcoef(returns, rowvar=False)[0, 1]


@pytest.mark.parametrize("name", COVARIANCE_ESTIMATORS)
def test_every_estimator_is_symmetric_definite_and_follows_its_funds(name):
    sample, estimate = full_sample(), COVARIANCE_ESTIMATORS[name]
    made = estimate(sample, PARAMETERS).covariance
    np.testing.assert_allclose(made, made.T, rtol=1e-12)
    assert np.linalg.eigvalsh(made)[0] > 0
    order = np.random.default_rng(1).permutation(12)
    turned = Sample(sample.returns[:, order], sample.volatilities[:, order], sample.factors, sample.bill)
    np.testing.assert_allclose(estimate(turned, PARAMETERS).covariance, made[np.ix_(order, order)], rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("name", ["sample", "ewma"])
def test_a_sample_shorter_than_wide_is_repaired_and_says_so(name):
    made = COVARIANCE_ESTIMATORS[name](Sample(returns_of(4, 20, 30, 1.0)), PARAMETERS)
    assert made.repaired
    assert np.linalg.eigvalsh(made.covariance)[0] > 0
    assert not COVARIANCE_ESTIMATORS[name](full_sample(), PARAMETERS).repaired


@pytest.mark.parametrize(("name", "lacks"), [("fama_french_factor", "raw_factors"), ("vol_times_correlation", "volatilities")])
def test_an_estimator_names_the_table_that_it_lacks(name, lacks):
    with pytest.raises(EstimationError, match=lacks):
        COVARIANCE_ESTIMATORS[name](Sample(returns_of(4, 60, 5, 1.0)), PARAMETERS)


@pytest.mark.filterwarnings("ignore::statsmodels.tools.sm_exceptions.IterationLimitWarning")
@given(seed=st.integers(0, 2**32 - 1), p=st.integers(3, 12))
@settings(max_examples=40, deadline=None)
def test_repair_keeps_variances_and_comes_close_to_the_nearest_definite_matrix(seed, p):
    rng = np.random.default_rng(seed)
    correlation = np.tril(rng.uniform(-1, 1, (p, p)), -1)
    correlation += correlation.T + np.eye(p)
    sigma = rng.uniform(0.01, 0.3, p)
    made, repaired = nearest_psd(correlation * np.outer(sigma, sigma))
    assert repaired == (np.linalg.eigvalsh(correlation)[0] < 1e-8)
    np.testing.assert_allclose(np.diag(made), sigma**2, rtol=1e-12)
    scaled = made / np.outer(sigma, sigma)
    assert np.linalg.eigvalsh(scaled)[0] > 0
    nearest = corr_nearest(correlation, threshold=1e-10, n_fact=500)
    distance = np.linalg.norm(nearest - correlation)
    assert np.linalg.norm(scaled - correlation) <= 1.25 * distance + 1e-6


def test_a_definite_matrix_is_left_as_it_is():
    made = sample_covariance(returns_of(1, 50, 5, 1.0))
    kept, repaired = nearest_psd(made)
    assert kept is made
    assert not repaired
    np.testing.assert_allclose(cov_nearest(made), made, rtol=1e-9)
