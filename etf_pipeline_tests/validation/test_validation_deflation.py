"""Sharpe inference: the published example, solved equations, simulated luck."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kurtosis, norm, skew

from etf_pipeline.errors import DataError
from etf_pipeline.validation import (
    deflated_sharpe,
    effective_trials,
    expected_maximum_sharpe,
    minimum_track_record,
    probabilistic_sharpe,
    sharpe_moments,
)

ratios = st.floats(0.01, 0.3)
skews = st.floats(-3, 1)
kurtoses = st.floats(11, 30)  # a kurtosis is at least one more than the squared skewness


def test_the_published_example_comes_out():
    # Bailey and Lopez de Prado 2014: the best of 100 with annual variance 1/2, over 1250 sessions of a 250-session year
    threshold = expected_maximum_sharpe(100, 0.5 / 250)
    assert threshold == pytest.approx(0.11317, abs=1e-5)
    assert deflated_sharpe(2.5 / math.sqrt(250), 1250, -3, 10, n_trials=100, variance=0.5 / 250) == pytest.approx(
        0.90040, abs=1e-5
    )


def test_the_published_example_needs_fewer_trials_to_convince():
    # the same paper: 46 independent trials would have left 95 %
    assert deflated_sharpe(2.5 / math.sqrt(250), 1250, -3, 10, n_trials=46, variance=0.5 / 250) == pytest.approx(0.95, abs=2e-3)


def test_moments_are_scipys():
    x = np.random.default_rng(0).standard_t(5, 500) * 0.01 + 0.001
    m = sharpe_moments(np.append(x, np.nan))
    assert m.n_obs == 500
    assert m.sharpe == pytest.approx(x.mean() / x.std(ddof=1), rel=1e-12)
    assert m.skewness == pytest.approx(skew(x), rel=1e-10)
    assert m.kurtosis == pytest.approx(kurtosis(x, fisher=False), rel=1e-10)


@settings(deadline=None)
@given(sharpe=ratios, skewness=skews, kurt=kurtoses, share=st.floats(0.0, 0.9))
def test_at_the_minimum_track_record_the_probability_is_the_confidence(sharpe, skewness, kurt, share):
    benchmark = share * sharpe
    n = minimum_track_record(sharpe, skewness, kurt, benchmark=benchmark, confidence=0.95)
    assert probabilistic_sharpe(sharpe, n, skewness, kurt, benchmark=benchmark) == pytest.approx(0.95, abs=1e-6)


@settings(deadline=None)
@given(sharpe=ratios, skewness=skews, kurt=kurtoses, n=st.integers(100, 5000), trials=st.integers(1, 2000))
def test_more_trials_never_make_a_record_more_convincing(sharpe, skewness, kurt, n, trials):
    less = deflated_sharpe(sharpe, n, skewness, kurt, n_trials=trials, variance=1 / n)
    more = deflated_sharpe(sharpe, n, skewness, kurt, n_trials=trials + 50, variance=1 / n)
    assert more <= less <= probabilistic_sharpe(sharpe, n, skewness, kurt)


@pytest.mark.parametrize("n", [2, 5, 20, 100, 1000])
def test_the_expected_maximum_is_that_of_simulated_normals(n):
    drawn = np.random.default_rng(1).standard_normal((20_000, n)).max(axis=1).mean()
    assert expected_maximum_sharpe(n, 1.0) == pytest.approx(drawn, rel=0.035 if n > 2 else 0.1)


def test_probabilities_are_right_for_skewed_fat_tailed_records():
    # 1,500 records of 500 returns with a true ratio of .1: "it is above .1" is said with 95 % confidence in 5 % of them.
    # The third-moment expansion is off by about a point; outside 3-8 % chance alone leads once in 1,000 seeds.
    rng = np.random.default_rng(2)
    shocks = -(rng.gamma(4.0, 1.0, (1500, 500)) - 4.0) / 2.0
    said = []
    for x in 0.1 + shocks:
        m = sharpe_moments(x)
        said.append(probabilistic_sharpe(m.sharpe, m.n_obs, m.skewness, m.kurtosis, benchmark=0.1) > 0.95)
    assert 0.03 < np.mean(said) < 0.08


def test_deflation_keeps_the_best_of_many_lucky_records_from_being_believed():
    # 200 searches of 50 records without skill: undeflated, the best convinces nearly always; deflated, more than 20 of
    # 200 do so once in 700 seeds at a true 5 %.
    rng, plain, deflated = np.random.default_rng(3), 0, 0
    for _ in range(200):
        x = rng.standard_normal((500, 50)) * 0.01
        ratio = x.mean(axis=0) / x.std(axis=0, ddof=1)
        m = sharpe_moments(x[:, ratio.argmax()])
        plain += probabilistic_sharpe(m.sharpe, 500, m.skewness, m.kurtosis) > 0.95
        said = deflated_sharpe(m.sharpe, 500, m.skewness, m.kurtosis, n_trials=50, variance=float(ratio.var(ddof=1)))
        deflated += said > 0.95
    assert plain > 150
    assert deflated <= 20


def test_a_normal_record_has_the_textbook_probability():
    assert probabilistic_sharpe(0.0, 100) == 0.5
    assert probabilistic_sharpe(0.1, 401) == pytest.approx(norm.cdf(0.1 * 20 / math.sqrt(1.005)))


def test_edge_cases_say_what_they_are():
    assert expected_maximum_sharpe(1, 0.5) == 0.0
    assert math.isnan(expected_maximum_sharpe(10, math.nan))
    assert minimum_track_record(0.05, benchmark=0.05) == math.inf
    assert math.isnan(minimum_track_record(math.nan))
    assert math.isnan(sharpe_moments(np.full(5, 0.01)).kurtosis)
    assert math.isnan(probabilistic_sharpe(math.nan, 100))
    with pytest.raises(DataError, match="two known returns"):
        sharpe_moments(np.array([0.01, np.nan]))


def test_copies_count_once_and_independent_trials_in_full():
    rng = np.random.default_rng(4)
    x = rng.standard_normal((4000, 8))
    assert effective_trials(x) == pytest.approx(8, rel=0.05)
    assert effective_trials(np.repeat(x, 5, axis=1)) == pytest.approx(8, rel=0.05)
    assert effective_trials(x[:, :1]) == 1.0
    assert effective_trials(np.repeat(x[:, :1], 3, axis=1)) == 1.0
    with pytest.raises(DataError, match="common sessions"):
        effective_trials(np.array([[1.0, np.nan]] * 5))


@pytest.mark.parametrize("kind", ["equal correlation", "ten families of ten"])
def test_the_effective_number_with_the_variance_across_trials_gives_the_maximum_of_correlated_luck(kind):
    # 100 correlated trials without skill, 300 searches: the mean of the best ratio has an error of about 2 % here
    rng, best, variance, n = np.random.default_rng(5), [], [], []
    for k in range(300):
        common = (
            rng.standard_normal((250, 1))
            if kind == "equal correlation"
            else np.repeat(rng.standard_normal((250, 10)), 10, axis=1)
        )
        weight = 0.5 if kind == "equal correlation" else 0.97
        x = math.sqrt(weight) * common + math.sqrt(1 - weight) * rng.standard_normal((250, 100))
        ratio = x.mean(axis=0) / x.std(axis=0)
        best.append(ratio.max())
        variance.append(ratio.var(ddof=1))
        if k < 10:
            n.append(effective_trials(x))
    predicted = expected_maximum_sharpe(float(np.mean(n)), float(np.mean(variance)))
    assert predicted == pytest.approx(float(np.mean(best)), rel=0.1)
