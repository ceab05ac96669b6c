"""Direction tests: published forms by hand, equal to regressions, and of the stated size under overlap."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import chi2_contingency

from etf_pipeline.errors import DataError
from etf_pipeline.validation import (
    bandwidth,
    dynamic_pesaran_timmermann,
    hit_rate,
    pesaran_timmermann,
    robust_pesaran_timmermann,
)


def overlapping(rng: np.random.Generator, n: int, horizon: int = 21) -> np.ndarray:
    return np.convolve(rng.standard_normal(n + horizon - 1), np.ones(horizon), "valid") / math.sqrt(horizon)


def persistent(rng: np.random.Generator, n: int, memory: float = 0.95) -> np.ndarray:
    x = rng.standard_normal(n)
    for t in range(1, n):
        x[t] = memory * x[t - 1] + math.sqrt(1 - memory**2) * x[t]
    return x


def test_the_statistic_of_1992_is_its_formula_worked_by_hand():
    # 10 calls, 6 up; 7 rose; both up 5, both down 2: hit rate .7, P* = .6 * .7 + .4 * .3 = .54
    f = np.array([1.0] * 6 + [-1] * 4)
    y = np.array([1.0] * 5 + [-1] + [1] * 2 + [-1] * 2)
    spread = (0.4**2 * 0.6 * 0.4 + 0.2**2 * 0.7 * 0.3 + 4 * 0.6 * 0.7 * 0.4 * 0.3 / 10) / 10
    expected = (0.7 - 0.54) / math.sqrt(0.54 * 0.46 / 10 - spread)
    test = pesaran_timmermann(f, y)
    assert (test.hit_rate, test.expected, test.n) == (0.7, pytest.approx(0.54), 10)
    assert test.statistic == pytest.approx(expected, rel=1e-12)


def test_the_statistic_of_1992_tends_to_the_chi_square_of_the_two_by_two_table():
    rng = np.random.default_rng(0)
    f = rng.standard_normal(20_000) + 0.2
    y = 0.05 * f + rng.standard_normal(20_000) + 0.1
    table = [[np.sum((f > 0) == a) and np.sum(((f > 0) == a) & ((y > 0) == b)) for b in (True, False)] for a in (True, False)]
    peer = chi2_contingency(table, correction=False).statistic
    assert pesaran_timmermann(f, y).statistic ** 2 == pytest.approx(peer, rel=2e-3)


def test_the_robust_form_is_the_hac_error_of_the_covariance_that_statsmodels_gives():
    rng = np.random.default_rng(1)
    f, y = persistent(rng, 800) + 0.3, overlapping(rng, 800) + 0.2
    up, rose = (f > 0).astype(float), (y > 0).astype(float)
    products = 2 * (up - up.mean()) * (rose - rose.mean())
    peer = sm.OLS(products, np.ones(800)).fit(
        cov_type="HAC", cov_kwds={"maxlags": bandwidth(800, 21) - 1, "use_correction": False}
    )
    ours = robust_pesaran_timmermann(f, y, 21)
    assert ours.mean == pytest.approx(pesaran_timmermann(f, y).hit_rate - pesaran_timmermann(f, y).expected, abs=1e-12)
    assert ours.t == pytest.approx(float(peer.tvalues[0]), rel=1e-9)


def test_on_a_panel_each_fund_is_taken_from_its_own_frequencies_and_a_session_is_one_cluster():
    rng = np.random.default_rng(11)
    drift = np.array([1.0, 0.0, -1.0])
    f = np.column_stack([persistent(rng, 700) for _ in range(3)]) + drift
    y = np.column_stack([overlapping(rng, 700) for _ in range(3)]) + drift
    up, rose = (f > 0).astype(float), (y > 0).astype(float)
    means = (2 * (up - up.mean(axis=0)) * (rose - rose.mean(axis=0))).mean(axis=1)
    peer = sm.OLS(means, np.ones(700)).fit(cov_type="HAC", cov_kwds={"maxlags": bandwidth(700, 21) - 1, "use_correction": False})
    ours = robust_pesaran_timmermann(f, y, 21)
    assert (ours.mean, ours.t) == (pytest.approx(means.mean(), abs=1e-14), pytest.approx(float(peer.tvalues[0]), rel=1e-9))


def test_without_overlap_or_memory_the_robust_form_agrees_with_that_of_1992():
    rng = np.random.default_rng(2)
    f = rng.standard_normal(5000)
    y = 0.06 * f + rng.standard_normal(5000)
    assert robust_pesaran_timmermann(f, y, 1).t == pytest.approx(pesaran_timmermann(f, y).statistic, rel=0.2)


def test_under_overlap_the_robust_form_keeps_its_size_where_that_of_1992_does_not():
    # 200 draws of one series without skill: at a true 5 % more than 9 % are rejected once in 100 seeds (one-sided tests).
    rng, robust, plain = np.random.default_rng(3), 0, 0
    for _ in range(200):
        f, y = persistent(rng, 1500), overlapping(rng, 1500) + 0.4
        robust += robust_pesaran_timmermann(f, y, 21).p_positive < 0.05
        plain += pesaran_timmermann(f, y).p_value < 0.05
    assert robust <= 18
    assert plain >= 40


def test_a_timer_is_found_and_a_permanent_optimist_is_not():
    rng = np.random.default_rng(4)
    y = overlapping(rng, 3000) + 0.5
    timer = robust_pesaran_timmermann(y + overlapping(rng, 3000), y, 21)
    assert timer.p_positive < 0.001
    assert timer.mean > 0.1
    optimist = np.where(rng.random(3000) < 0.99, 1.0, -1.0)
    assert hit_rate(optimist, y, 21).mean > 0.6
    assert hit_rate(optimist, y, 21).p_positive < 0.05  # against one half, optimism looks like skill
    assert robust_pesaran_timmermann(optimist, y, 21).p_positive > 0.05


def test_knowing_which_funds_rise_more_often_is_no_timing():
    rng = np.random.default_rng(5)
    drift = np.array([1.5, 1.5, -1.5, -1.5])
    y = drift + rng.standard_normal((1000, 4))
    f = drift + rng.standard_normal((1000, 4))
    assert pesaran_timmermann(f, y).statistic > 20
    assert abs(robust_pesaran_timmermann(f, y, 1).t) < 3


def test_the_dynamic_form_is_the_partial_r_squared_of_a_regression():
    rng = np.random.default_rng(6)
    f, y = persistent(rng, 600, 0.7), persistent(rng, 600, 0.7)
    up, rose = (f > 0).astype(float), (y > 0).astype(float)
    past = sm.add_constant(np.column_stack([up[1:-1], rose[1:-1], up[:-2], rose[:-2]]))
    small = sm.OLS(rose[2:], past).fit()
    large = sm.OLS(rose[2:], np.column_stack([past, up[2:]])).fit()
    ours = dynamic_pesaran_timmermann(f, y, lags=2)
    assert ours.statistic == pytest.approx(598 * (1 - large.ssr / small.ssr), rel=1e-9)


def test_the_dynamic_form_keeps_its_size_for_autoregressions():
    # 300 draws; at a true 5 % (two-sided) fewer than 5 or more than 27 happen once in 400 seeds.
    rng = np.random.default_rng(7)
    claims = sum(
        dynamic_pesaran_timmermann(persistent(rng, 400, 0.8), persistent(rng, 400, 0.8), 2).p_value < 0.05 for _ in range(300)
    )
    assert 5 <= claims <= 27


def test_zeros_and_unknown_values_are_no_calls_and_hits_are_counted_by_hand():
    f = np.array([[1.0, -1.0], [0.0, 2.0], [np.nan, 1.0], [3.0, -2.0]])
    y = np.array([[1.0, 1.0], [1.0, 0.0], [1.0, 2.0], [-1.0, -2.0]])
    test = hit_rate(f, y, 1)
    assert test.mean == pytest.approx(3 / 5)  # right: (0,0), (2,1), (3,1); wrong: (0,1), (3,0)
    assert pesaran_timmermann(f, y).n == 5


def test_a_series_that_never_changes_sign_says_nothing_and_shapes_must_agree():
    ones = np.ones(50)
    assert math.isnan(pesaran_timmermann(ones, np.random.default_rng(0).standard_normal(50)).statistic)
    assert math.isnan(robust_pesaran_timmermann(ones, np.random.default_rng(0).standard_normal(50), 1).t)
    with pytest.raises(DataError, match="one wide shape"):
        hit_rate(ones, np.ones(49), 1)
    with pytest.raises(DataError, match="at least two calls"):
        pesaran_timmermann(np.zeros(5), np.ones(5))
    with pytest.raises(DataError, match="without gaps"):
        dynamic_pesaran_timmermann(np.array([1.0, np.nan] * 20), np.ones(40))
