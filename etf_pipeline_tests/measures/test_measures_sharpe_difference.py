"""The test of two Sharpe ratios: closed forms, an established kernel estimator, its size under memory, and its power."""

from __future__ import annotations

import math

import numpy as np
import pytest

from etf_pipeline.errors import DataError
from etf_pipeline.measures import measure, sharpe_difference
from etf_pipeline.measures.sharpe_difference import Kernel, _bandwidth, long_run_covariance


def pair(n: int, seed: int, memory: float = 0.0, gap: float = 0.0, correlation: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Two series with equal Sharpe ratios per session, less `gap`, fat tails where there is memory, and first-order memory."""
    rng = np.random.default_rng(seed)
    shocks = rng.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], n + 100)
    if memory:
        shocks /= np.sqrt(rng.chisquare(6, n + 100) / 6)[:, None]
    x = np.zeros((n + 100, 2))
    for t in range(1, n + 100):
        x[t] = memory * x[t - 1] + shocks[t]
    deviation = math.sqrt((1.5 if memory else 1.0) / (1 - memory**2))  # a t with 6 degrees has variance 1.5
    x = 0.01 * (x[100:] + deviation * np.array([0.05 + gap, 0.05]))
    return x[:, 0], 2.0 * x[:, 1]


def test_the_difference_is_that_of_the_measure():
    one, other = pair(300, 0)
    bill = np.full(300, 0.0001)
    found = sharpe_difference(one, other, bill, seed=1, resamples=99)
    assert found.difference == pytest.approx(measure("sharpe", one, bill) - measure("sharpe", other, bill), rel=1e-12)


def memmel(one: float, other: float, rho: float, n: int) -> float:
    """Standard error of the difference per session of normal series without memory."""
    return math.sqrt((2 - 2 * rho + 0.5 * (one**2 + other**2 - 2 * one * other * rho**2)) / n)


@pytest.mark.parametrize("prewhiten", [True, False])
@pytest.mark.parametrize("kernel", ["quadratic_spectral", "parzen"])
def test_without_memory_the_error_is_memmels(kernel: Kernel, prewhiten: bool):
    # the error's own error at 8,000 sessions is about 1 %; ratios of 0.3 a session make the second-moment terms count
    one, other = pair(8_000, 3, gap=0.25)
    one = one + 0.25 * one.std()
    found = sharpe_difference(one, other, seed=1, resamples=19, block=1, kernel=kernel, prewhiten=prewhiten)
    ratios = [x.mean() / x.std() for x in (one, other)]
    expected = memmel(*ratios, float(np.corrcoef(one, other)[0, 1]), len(one))
    assert found.standard_error / math.sqrt(252) == pytest.approx(expected, rel=0.05)


def test_the_error_by_hand_on_four_moments():
    # the second series has mean zero: of its part of the gradient only -1/deviation is left
    rng = np.random.default_rng(0)
    x = rng.standard_normal((500, 2)) @ np.array([[1.0, 0.3], [0.0, 1.0]])
    x[:, 1] -= x[:, 1].mean()
    x /= x.std(axis=0)
    powers = np.column_stack([x, x * x])
    centred = powers - powers.mean(axis=0)
    psi = long_run_covariance(centred)
    a, c, d = x[:, 0].mean(), (x[:, 0] ** 2).mean(), (x[:, 1] ** 2).mean()
    gradient = np.array([c / (c - a * a) ** 1.5, -1 / math.sqrt(d), -a / (2 * (c - a * a) ** 1.5), 0.0])
    expected = math.sqrt(gradient @ psi @ gradient / 500) * math.sqrt(252 * 499 / 500)
    assert sharpe_difference(x[:, 0], x[:, 1], seed=1, resamples=19).standard_error == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(("kernel", "peer"), [("quadratic_spectral", "QuadraticSpectral"), ("parzen", "Parzen")])
def test_the_kernel_sum_is_that_of_arch(kernel: Kernel, peer: str):
    from arch.covariance import kernel as kernels

    x = np.column_stack(pair(400, 5, memory=0.4))
    x = 100 * (x - x.mean(axis=0))
    for bandwidth in (3.0, 7.0):
        width = bandwidth + 1.0 if kernel == "parzen" else bandwidth  # there arch divides a lag by one more
        ours = long_run_covariance(x, kernel=kernel, prewhiten=False, bandwidth=width) * (398 / 400)
        theirs = np.asarray(getattr(kernels, peer)(x, bandwidth=bandwidth, center=False).cov.long_run)
        np.testing.assert_allclose(ours, theirs, rtol=1e-8)


def test_prewhitening_finds_the_long_run_variance_of_an_autoregression():
    rng = np.random.default_rng(2)
    x = np.zeros(20_000)
    for t in range(1, len(x)):
        x[t] = 0.7 * x[t - 1] + rng.standard_normal()
    found = long_run_covariance((x - x.mean())[:, None])[0, 0]
    assert found == pytest.approx(1 / 0.3**2, rel=0.1)
    assert _bandwidth(x[:, None], "quadratic_spectral") > 10


def test_a_seed_gives_one_answer_and_another_seed_nearly_the_same():
    one, other = pair(400, 7, memory=0.2)
    found = sharpe_difference(one, other, seed=1)
    assert found == sharpe_difference(one, other, seed=1)
    again = sharpe_difference(one, other, seed=2)
    assert found != again
    assert again.bootstrap_p_value == pytest.approx(found.bootstrap_p_value, abs=0.03)
    assert (found.low, found.high) == pytest.approx((again.low, again.high), abs=0.1 * found.standard_error)


def test_exchanging_the_series_changes_the_sign_alone():
    one, other = pair(400, 8, memory=0.2)
    found, swapped = sharpe_difference(one, other, seed=1), sharpe_difference(other, one, seed=1)
    assert swapped.difference == pytest.approx(-found.difference)
    assert swapped.bootstrap_p_value == pytest.approx(found.bootstrap_p_value, abs=1e-12)
    assert (swapped.low, swapped.high) == pytest.approx((-found.high, -found.low))


def test_leverage_does_not_matter():
    one, other = pair(400, 9)
    found, levered = sharpe_difference(one, other, seed=1), sharpe_difference(3 * one, other, seed=1)
    assert levered.difference == pytest.approx(found.difference)
    assert levered.standard_error == pytest.approx(found.standard_error, rel=1e-9)


def test_a_series_and_its_multiple_do_not_differ_and_no_p_value_pretends_to_know():
    one, _ = pair(300, 1)
    found = sharpe_difference(one, 2 * one, seed=1)
    assert found.difference == pytest.approx(0, abs=1e-9)
    assert math.isnan(found.p_value)
    assert math.isnan(found.bootstrap_p_value)


def test_its_size_under_equal_ratios_with_memory_and_fat_tails():
    # 300 histories of 500 sessions, first-order memory 0.2; a true size of 5 % leaves 1.5 to 9 % with a chance below 0.5 %.
    # The classical test rejects about 10 % of them.
    rejected, classical = [], []
    for seed in range(300):
        one, other = pair(500, seed, memory=0.2)
        found = sharpe_difference(one, other, seed=seed, resamples=199)
        rejected.append((found.p_value < 0.05, found.bootstrap_p_value <= 0.05))
        ratios = [x.mean() / x.std() for x in (one, other)]
        error = memmel(*ratios, float(np.corrcoef(one, other)[0, 1]), 500)
        classical.append(abs(ratios[0] - ratios[1]) > 1.96 * error)
    hac, bootstrap = np.mean(rejected, axis=0)
    assert 0.015 < bootstrap < 0.09
    assert 0.015 < hac < 0.10
    assert np.mean(classical) > bootstrap


def test_it_finds_a_difference_that_is_there():
    # an annual gap of 0.12 * sqrt(252) = 1.9 over eight years: the error is about 0.35
    found = sharpe_difference(*pair(2000, 4, memory=0.1, gap=0.12), seed=1, resamples=999)
    assert found.bootstrap_p_value <= 0.002
    assert found.low > 0.5


def test_what_cannot_be_tested_is_refused():
    one, other = pair(100, 0)
    with pytest.raises(DataError, match=r"shapes \(100,\) and \(99,\)"):
        sharpe_difference(one, other[1:], seed=1)
    with pytest.raises(DataError, match="1 are not"):
        sharpe_difference(np.append(one, np.nan), np.append(other, 0.0), seed=1)
    with pytest.raises(DataError, match="constant"):
        sharpe_difference(one, np.zeros(100), seed=1)
    with pytest.raises(DataError, match="asked for 26"):
        sharpe_difference(one, other, seed=1, block=26)
