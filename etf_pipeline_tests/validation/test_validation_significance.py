"""HAC tests: equal to statsmodels, right by simulation where the normal value is not, calm where there is nothing."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import spearmanr
from statsmodels.stats.multitest import multipletests

from etf_pipeline.errors import DataError
from etf_pipeline.validation import (
    bandwidth,
    bartlett_variance,
    clustered_mean,
    diebold_mariano,
    effective_sample_size,
    fixed_b_critical_value,
    fixed_b_p_value,
    holm,
    information_coefficient,
    mean_test,
)


def overlapping(rng: np.random.Generator, n: int, horizon: int = 21) -> np.ndarray:
    """Sums of `horizon` neighbouring shocks: what errors of overlapping labels look like. Mean zero, variance one."""
    return np.convolve(rng.standard_normal(n + horizon - 1), np.ones(horizon), "valid") / math.sqrt(horizon)


@pytest.mark.parametrize("width", [1, 5, 21, 80])
def test_the_bartlett_variance_is_that_of_statsmodels(width):
    x = overlapping(np.random.default_rng(0), 400)
    fit = sm.OLS(x, np.ones(400)).fit(cov_type="HAC", cov_kwds={"maxlags": width - 1, "use_correction": False})
    ours = math.sqrt(bartlett_variance(x - x.mean(), width) / 400)
    assert ours == pytest.approx(float(fit.bse[0]), rel=1e-10)


def test_the_lag_always_covers_the_overlap():
    for n in (40, 60, 252, 1000, 5000):
        assert bandwidth(n, 21) - 1 >= 20 or n < 42


def test_critical_values_are_those_of_the_published_table_and_of_simulation():
    # Kiefer and Vogelsang 2005, table 1. By simulation of 20,000 series at b = 0.2 the quantile's error is about 0.03.
    assert fixed_b_critical_value(0.0) == 1.96
    rng, n = np.random.default_rng(5), 200
    x = rng.standard_normal((20_000, n))
    means = x.mean(axis=1)
    sums = np.cumsum(np.pad(x - means[:, None], ((0, 0), (40, 39))), axis=1)
    variance = ((sums[:, 40:] - sums[:, :-40]) ** 2).sum(axis=1) / (40 * n)
    t = means / np.sqrt(variance / n)
    for level in (0.9, 0.95, 0.975, 0.99):
        assert np.quantile(t, level) == pytest.approx(fixed_b_critical_value(0.2, level), abs=0.1)


def test_p_values_hit_the_table_fall_with_t_and_are_symmetric():
    for level in (0.9, 0.95, 0.975, 0.99):
        assert fixed_b_p_value(fixed_b_critical_value(0.3, level), 0.3) == pytest.approx(1 - level, abs=1e-4)
    p = [fixed_b_p_value(t, 0.1) for t in np.linspace(-6, 6, 101)]
    assert all(a > b for a, b in itertools.pairwise(p))
    assert p[0] + p[-1] == pytest.approx(1)
    assert fixed_b_p_value(0.0, 0.1) == 0.5


def test_the_interval_covers_a_planted_mean_where_the_naive_one_does_not():
    # 200 draws of 1,000 sessions with 21-session overlap. At 95 % true cover the band 90-98 % fails once in 400 seeds.
    rng, cover, naive = np.random.default_rng(1), 0, 0
    for _ in range(200):
        x = 0.3 + overlapping(rng, 1000)
        test = mean_test(x, 21)
        cover += test.ci_low <= 0.3 <= test.ci_high
        naive += abs(x.mean() - 0.3) <= 1.96 * x.std() / math.sqrt(1000)
    assert 180 <= cover <= 196
    assert naive < 120


def test_the_interval_reaches_as_far_as_the_fixed_b_critical_value_says():
    # bandwidth 63 of 600 sessions: 2.28 standard errors to either side, where the normal law has 1.96
    test = mean_test(overlapping(np.random.default_rng(3), 600), 21)
    reach = fixed_b_critical_value(63 / 600) * test.standard_error
    assert reach > 2.25 * test.standard_error
    assert (test.ci_high - test.mean, test.mean - test.ci_low) == pytest.approx((reach, reach), rel=1e-12)


def test_an_overlap_of_21_leaves_about_a_twenty_first_of_the_sample():
    n = np.mean([effective_sample_size(overlapping(np.random.default_rng(s), 4200), 21) for s in range(20)])
    assert 180 < n < 260


def test_clusters_equal_a_regression_on_rows_with_errors_summed_by_session():
    rng = np.random.default_rng(2)
    counts = rng.integers(1, 9, 300)
    session = np.repeat(np.arange(300), counts)
    x = overlapping(rng, 300)[session] + rng.standard_normal(len(session)) + 0.1
    totals = np.bincount(session, x)
    ours = clustered_mean(totals, counts.astype(float), 21)
    fit = sm.OLS(x, np.ones(len(x))).fit(
        cov_type="hac-groupsum", cov_kwds={"time": session, "maxlags": bandwidth(300, 21) - 1, "use_correction": False}
    )
    assert ours.mean == pytest.approx(x.mean(), rel=1e-12)
    assert ours.standard_error == pytest.approx(float(fit.bse[0]), rel=1e-10)


def test_empty_sessions_before_a_fund_existed_are_no_evidence():
    x = overlapping(np.random.default_rng(3), 200)
    late = np.concatenate([np.zeros(2000), x])
    counts = np.concatenate([np.zeros(2000), np.ones(200)])
    assert clustered_mean(late, counts, 21) == mean_test(x, 21)


def test_diebold_mariano_tells_the_better_forecast_and_is_calm_between_equal_ones():
    rng = np.random.default_rng(4)
    y, signal = overlapping(rng, 2000), overlapping(rng, 2000)
    good, bad = (y - 0.0) ** 2, (y - 0.7 * signal) ** 2
    assert diebold_mariano(bad, good, 21).p_positive < 0.01
    assert diebold_mariano(good, bad, 21).p_positive > 0.99
    # equal skill: 5 % true size; more than 16 of 150 claims happen once in 400 seeds
    claims = 0
    for _ in range(150):
        y, a, b = (overlapping(rng, 600) for _ in range(3))
        claims += diebold_mariano((y - a) ** 2, (y - b) ** 2, 21).p_positive < 0.05
    assert claims <= 16


def test_without_any_difference_nothing_is_claimed():
    x = np.random.default_rng(0).random(100)
    assert math.isnan(diebold_mariano(x, x, 21).p_positive)


def test_rank_correlation_per_session_is_scipys_and_unknown_for_pairs():
    rng = np.random.default_rng(6)
    session = pd.Series(np.repeat([0, 1, 2, 3], [8, 5, 2, 4]))
    f, y = pd.Series(rng.integers(0, 5, 19).astype(float)), pd.Series(rng.standard_normal(19))
    f[session == 3] = 1.0
    ours = information_coefficient(f, y, session)
    for s in (0, 1):
        assert ours[s] == pytest.approx(spearmanr(f[session == s], y[session == s]).statistic, abs=1e-12)
    assert ours[[2, 3]].isna().all()


def test_gaps_and_emptiness_are_refused():
    with pytest.raises(DataError, match="without gaps"):
        bartlett_variance(np.array([1.0, np.nan]), 1)
    with pytest.raises(DataError, match="at least one observation"):
        clustered_mean(np.zeros(3), np.zeros(3), 21)
    with pytest.raises(DataError, match="knows levels"):
        fixed_b_critical_value(0.1, 0.8)


@pytest.mark.parametrize("seed", range(5))
def test_holm_equals_statsmodels_and_leaves_unknown_tests_out(seed):
    p = np.random.default_rng(seed).beta(0.5, 2.0, 21)
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1], rtol=1e-14)
    gaps = np.insert(p, [0, 10], np.nan)
    np.testing.assert_allclose(holm(gaps)[~np.isnan(gaps)], holm(p))
    assert np.isnan(holm(gaps)[[0, 11]]).all()
