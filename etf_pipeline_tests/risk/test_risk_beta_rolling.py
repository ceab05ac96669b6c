"""Rolling betas beside statsmodels and brute force; what left the window leaves no trace."""

from __future__ import annotations

import numpy as np
import pytest
from beta_samples import garch
from hypothesis import given, settings
from hypothesis import strategies as st

from etf_pipeline.risk.beta.rolling import COLUMNS, regress, weighted_beta, window_sum
from etf_pipeline.risk.beta.shrinkage import vasicek


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(3)
    market = garch(rng, 1, 700)[0] + 3e-4
    return 1.2 * market + 0.5 * garch(rng, 1, 700)[0], market


def fit(fund, market, window=252, least=252):
    return dict(zip(COLUMNS, regress(fund[None], market, window, least)[0], strict=True))


def rolling_ols(fund, market, window, kind):
    from statsmodels.regression.rolling import RollingOLS

    x = np.column_stack([np.ones(len(market)), market])
    return RollingOLS(fund, x, window=window).fit(cov_type=kind)


def test_slope_error_and_r_squared_equal_statsmodels_with_the_last_window_included(pair):
    fund, market = pair
    ours, theirs = fit(fund, market), rolling_ols(fund, market, 252, "nonrobust")
    known = slice(251, None)
    assert np.isfinite(ours["beta"][known]).all()
    assert np.isnan(ours["beta"][:251]).all()
    np.testing.assert_allclose(ours["beta"][known], theirs.params[known, 1], rtol=1e-10)
    np.testing.assert_allclose(ours["beta_error"][known], theirs.bse[known, 1], rtol=1e-10)
    np.testing.assert_allclose(ours["r_squared"][known], theirs.rsquared[known], rtol=1e-10)
    np.testing.assert_allclose(ours["residual_variance"][known], theirs.mse_resid[known], rtol=1e-10)


def test_the_robust_error_is_whites_with_the_small_sample_factor(pair):
    fund, market = pair
    theirs = rolling_ols(fund, market, 126, "HC0").bse[125:, 1] * np.sqrt(126 / 124)
    np.testing.assert_allclose(fit(fund, market, 126, 126)["beta_error_robust"][125:], theirs, rtol=1e-9)


def test_one_ddof_above_and_below_gives_the_slope_and_a_mix_would_not(pair):
    fund, market = pair
    f, m = fund[-252:], market[-252:]
    beta = fit(fund, market)["beta"][-1]
    assert beta == pytest.approx(np.cov(f, m)[0, 1] / np.var(m, ddof=1), rel=1e-10)
    assert abs(beta / (np.cov(f, m)[0, 1] / np.var(m)) - 1) > 1e-3


@settings(max_examples=60, deadline=None)
@given(
    length=st.integers(1, 70),
    n=st.integers(1, 90),
    decay=st.sampled_from([1.0, 0.97, 0.5]),
    seed=st.integers(0, 1000),
)
def test_a_window_sum_is_the_sum_of_the_window(length, n, decay, seed):
    values = np.random.default_rng(seed).normal(size=n)
    out, spare = np.empty(n), np.empty(n)
    window_sum(values, length, decay, out, spare)
    expected = [sum(decay**i * values[t - i] for i in range(min(length, t + 1))) for t in range(n)]
    np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(gaps=st.lists(st.integers(0, 119), max_size=60), seed=st.integers(0, 1000))
def test_unknown_pairs_are_left_out_as_least_squares_would(gaps, seed):
    rng = np.random.default_rng(seed)
    market, fund = rng.normal(size=(2, 120)) * 0.01
    fund[gaps] = np.nan
    known = np.isfinite(fund[-60:])
    found = fit(fund, market, 60, 20)
    assert found["n"][-1] == known.sum()
    if known.sum() < 20:
        assert np.isnan(found["beta"][-1])
    else:
        slope = np.polyfit(market[-60:][known], fund[-60:][known], 1)[0]
        assert found["beta"][-1] == pytest.approx(slope, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("absurd", [1e6, -1e12, np.inf, np.nan])
def test_an_absurd_value_is_forgotten_to_the_bit_once_it_leaves(pair, absurd):
    fund, market = pair
    spoiled = fund.copy()
    spoiled[100] = absurd
    clean, after = regress(fund[None], market, 252, 100), regress(spoiled[None], market, 252, 100)
    assert not np.array_equal(clean[0, 0, 300], after[0, 0, 300])
    assert np.array_equal(clean[0, :, 352:], after[0, :, 352:])
    one, other = (weighted_beta(f[None], market, 160, 0.97, 100)[0] for f in (fund, spoiled))
    assert np.array_equal(one[260:], other[260:])


def test_a_history_that_starts_later_gives_the_same_bits(pair):
    fund, market = pair
    whole, late = regress(fund[None], market, 252, 252), regress(fund[None, 300:], market[300:], 252, 252)
    assert np.array_equal(whole[0, :, 300 + 251 :], late[0, :, 251:])


def test_the_market_against_itself_is_one_without_error(pair):
    found = fit(pair[1], pair[1])
    np.testing.assert_allclose(found["beta"][251:], 1.0, rtol=1e-12)
    assert (found["beta_error"][251:] == 0).all()
    assert (found["beta_error_robust"][251:] == 0).all()
    assert (found["r_squared"][251:] == 1).all()


def test_a_market_that_stands_still_has_no_beta(pair):
    assert np.isnan(fit(pair[0], np.full(700, 1e-4))["beta"]).all()


def test_the_weighted_beta_is_the_weighted_covariance_over_the_weighted_variance(pair):
    fund, market = pair
    decay = 0.5 ** (1 / 20)
    weights = decay ** np.arange(160)[::-1]
    both = np.cov(fund[-160:], market[-160:], aweights=weights)
    found = weighted_beta(fund[None], market, 160, decay, 100)[0, -1]
    assert found == pytest.approx(both[0, 1] / both[1, 1], rel=1e-10)


def test_shrinkage_by_hand():
    # Members 0, 1 and 2: mean 1, variance 1. An error of 1 moves half-way, an exact estimate stays, a useless one is the mean.
    session, member = np.zeros(4, dtype=np.intp), np.array([True, True, True, False])
    beta, error = np.array([0.0, 1.0, 2.0, 5.0]), np.array([1.0, 1.0, 0.0, 1e9])
    np.testing.assert_allclose(vasicek(beta, error, member, session, min_members=3), [0.5, 1.0, 2.0, 1.0])
    assert np.isnan(vasicek(beta, error, member, session, min_members=4)).all()


@given(st.floats(-3, 3), st.floats(1e-3, 5))
def test_the_shrunk_beta_lies_between_estimate_and_prior(b, e):
    beta, error = np.array([0.5, 1.0, 1.5, b]), np.array([0.1, 0.1, 0.1, e])
    member = np.array([True, True, True, False])
    shrunk = vasicek(beta, error, member, np.zeros(4, dtype=np.intp), min_members=3)[3]
    assert min(b, 1.0) - 1e-12 <= shrunk <= max(b, 1.0) + 1e-12
