"""VaR and shortfall tests: published regions, likelihoods by hand, true sizes by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import binom, chi2, norm, t

from etf_pipeline.errors import DataError
from etf_pipeline.validation import (
    ShortfallParameters,
    acerbi_szekely,
    christoffersen_coverage,
    christoffersen_independence,
    kupiec,
    standard_tail,
    violations,
)


def hits(n: int, x: int) -> np.ndarray:
    return np.arange(n) < x


@pytest.mark.parametrize(
    ("level", "n", "low", "high"),
    [
        (0.99, 510, 1, 11),
        (0.99, 1000, 4, 17),
        (0.95, 255, 6, 21),
        (0.95, 510, 16, 36),
        (0.95, 1000, 37, 65),
        (0.975, 1000, 15, 36),
    ],
)
def test_the_regions_that_kupiec_published_are_those_not_rejected_at_five_percent(level, n, low, high):
    # Kupiec 1995, table: a model is kept while low < violations < high
    kept = [x for x in range(n // 8) if kupiec(hits(n, x), level).p_value > 0.05]
    assert (kept[0] - 1, kept[-1] + 1) == (low, high)


def test_the_likelihood_ratio_is_that_of_binomials():
    ratio = 2 * (binom.logpmf(20, 250, 0.08) - binom.logpmf(20, 250, 0.05))
    test = kupiec(hits(250, 20))
    assert test.statistic == pytest.approx(ratio, rel=1e-9)
    assert test.p_value == pytest.approx(chi2.sf(ratio, 1))
    assert (test.violations, test.expected, test.n) == (20, pytest.approx(12.5), 250)
    assert kupiec(hits(100, 0)).statistic == pytest.approx(-200 * math.log(0.95))
    assert kupiec(hits(5, 5)).statistic == pytest.approx(-10 * math.log(0.05))


def test_independence_by_hand():
    # 0 0 1 1 0 0 0 1 0 0: transitions 00 x4, 01 x2, 11 x1, 10 x2
    chain = np.array([0, 0, 1, 1, 0, 0, 0, 1, 0, 0], dtype=bool)
    free = 4 * math.log(4 / 6) + 2 * math.log(2 / 6) + math.log(1 / 3) + 2 * math.log(2 / 3)
    tied = 6 * math.log(6 / 9) + 3 * math.log(3 / 9)
    assert christoffersen_independence(chain).statistic == pytest.approx(max(0, 2 * (free - tied)), abs=1e-12)
    more = np.array([0, 0, 0, 1, 1, 1, 0, 0, 0, 0], dtype=bool)
    free = 5 * math.log(5 / 6) + math.log(1 / 6) + 2 * math.log(2 / 3) + math.log(1 / 3)
    tied = 6 * math.log(6 / 9) + 3 * math.log(3 / 9)
    assert christoffersen_independence(more).statistic == pytest.approx(2 * (free - tied))
    whole = christoffersen_coverage(more)
    assert whole.statistic == pytest.approx(kupiec(more).statistic + christoffersen_independence(more).statistic)
    assert whole.p_value == pytest.approx(chi2.sf(whole.statistic, 2))


def test_a_right_model_is_rejected_about_as_often_as_stated():
    # 2,000 records of 1,000 sessions at 95 %. The likelihood ratios are chi-square only in large samples: true sizes are 5-8 %,
    # and the bounds below leave four standard errors (0.5 % each) around them.
    rng = np.random.default_rng(0)
    records = rng.random((2000, 1000)) < 0.05
    size = {
        f: np.mean([f(h).p_value < 0.05 for h in records]) for f in (kupiec, christoffersen_independence, christoffersen_coverage)
    }
    assert all(0.03 < value < 0.10 for value in size.values()), size


def test_too_many_violations_and_clustered_ones_are_told_apart():
    rng = np.random.default_rng(1)
    many = rng.random(1000) < 0.09
    assert kupiec(many).p_value < 0.001
    state = np.repeat(rng.random(100) < 0.1, 10)  # one spell of ten sessions in ten, in which violations are likely
    clustered = state & (rng.random(1000) < 0.5)
    assert christoffersen_independence(clustered).p_value < 0.001
    assert christoffersen_coverage(clustered).p_value < 0.001


def test_without_violations_independence_cannot_be_told():
    assert math.isnan(christoffersen_independence(hits(100, 0)).p_value)
    assert math.isnan(christoffersen_coverage(hits(100, 0)).p_value)
    assert kupiec(hits(100, 0)).p_value < 0.01
    with pytest.raises(DataError, match="at least one session"):
        kupiec(np.array([], dtype=bool))


@pytest.mark.parametrize(("level", "nu"), [(0.95, 0.0), (0.975, 0.0), (0.975, 4.0), (0.99, 8.0)])
def test_the_standard_tail_is_the_mean_beyond_the_quantile_by_integration(level, nu):
    law = norm if nu == 0 else t(nu)
    var, shortfall = standard_tail(level, nu)
    assert var == pytest.approx(law.ppf(level))
    assert shortfall == pytest.approx(quad(lambda u: law.isf(u), 0, 1 - level)[0] / (1 - level), rel=1e-6)
    with pytest.raises(DataError, match="more than one degree"):
        standard_tail(0.95, 1.0)


def test_the_shortfall_statistic_by_hand():
    loss, var, shortfall = np.array([0.03, 0.01, 0.05, 0.0]), np.full(4, 0.02), np.full(4, 0.025)
    test = acerbi_szekely(loss, var, shortfall, 0.75, ShortfallParameters(simulations=200))
    assert test.statistic == pytest.approx(1 - (0.03 + 0.05) / 0.025 / (4 * 0.25))
    assert (test.violations, test.expected) == (2, 1.0)


def test_the_shortfall_test_knows_its_published_critical_values():
    # Acerbi and Szekely 2014: at 97.5 % and 250 sessions the 5 % critical value is near -0.70 for a normal law
    from etf_pipeline.validation.var_tests import _simulated_z

    drawn = _simulated_z(250, 0.975, ShortfallParameters(simulations=100_000, seed=3))
    assert np.quantile(drawn, 0.05) == pytest.approx(-0.70, abs=0.02)
    assert drawn.mean() == pytest.approx(0.0, abs=0.01)
    fat = _simulated_z(250, 0.975, ShortfallParameters(degrees_of_freedom=5, simulations=100_000, seed=3))
    assert np.quantile(fat, 0.05) == pytest.approx(-0.74, abs=0.04)


def test_the_shortfall_test_is_right_under_changing_volatility_and_finds_understated_risk():
    # 300 records of 500 sessions whose claimed model is true: more than 27 rejections at 5 % happen once in 400 seeds
    rng, claims, found = np.random.default_rng(4), 0, 0
    sigma = 0.01 * np.exp(np.sin(np.arange(500) / 40))
    var, shortfall = standard_tail(0.975)
    draw = ShortfallParameters(simulations=1000, seed=5)
    for _ in range(300):
        loss = sigma * rng.standard_normal(500)
        claims += acerbi_szekely(loss, var * sigma, shortfall * sigma, 0.975, draw).p_value < 0.05
        fat = sigma * rng.standard_t(3, 500)
        found += acerbi_szekely(fat, var * sigma, shortfall * sigma, 0.975, draw).p_value < 0.05
    assert 4 <= claims <= 27
    assert found > 270


def test_unknown_sessions_are_left_out_and_a_shortfall_is_positive():
    loss = np.array([0.01, np.nan, 0.05])
    assert violations(loss, np.array([0.02, 0.02, np.nan])).tolist() == [False]
    assert acerbi_szekely(loss, np.full(3, 0.02), np.full(3, 0.03), parameters=ShortfallParameters(simulations=50)).n == 2
    with pytest.raises(DataError, match="positive shortfall"):
        acerbi_szekely(loss, np.full(3, 0.02), np.zeros(3))
