"""Windows by doubling: equal to pandas on any series, without memory beyond the window, and wherever a history begins."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etf_pipeline.features import comovement, moments, trend
from etf_pipeline.features import windows as module
from etf_pipeline.features.windows import window_max, window_spread, window_sum, window_sums

values = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=80)
windows = st.sampled_from([1, 2, 3, 5, 7, 14, 20, 21, 63])

CHAINS = [module.TO_YEAR, comovement.TO_SPAN, moments.TO_WEEK, moments.TO_STRENGTH, trend.TO_BAND, trend.TO_AVERAGES]


def chain(window: int) -> np.ndarray:
    """The shortest lengths first: doubled, and one more where the next digit says so."""
    lengths = []
    for digit in bin(window)[3:]:
        lengths.append(2 * (lengths[-1] if lengths else 1))
        lengths += [lengths[-1] + 1] if digit == "1" else []
    return np.array(lengths or [1])


def sums(x: np.ndarray, window: int) -> np.ndarray:
    return np.asarray(x, dtype=float) if window == 1 else window_sum(np.asarray(x, dtype=float), chain(window))


def maximum(x: np.ndarray, window: int) -> np.ndarray:
    out = np.empty(len(x))
    window_max(np.asarray(x, dtype=float), window, out)
    return out


def spread(x: np.ndarray, window: int) -> np.ndarray:
    return window_spread(np.asarray(x, dtype=float), chain(window))


@settings(deadline=None)
@given(x=values, window=windows)
def test_sums_and_maximum_equal_pandas(x, window):
    series = pd.Series(x)
    exact = series.rolling(window).apply(lambda w: float(np.sum(w.astype(np.longdouble))), raw=True)
    np.testing.assert_allclose(sums(x, window), exact, rtol=1e-12, atol=1e-8)
    np.testing.assert_array_equal(maximum(x, window), series.rolling(window).max())


@pytest.mark.parametrize("lengths", CHAINS, ids=str)
def test_a_chain_gives_the_sum_of_each_of_its_lengths(lengths):
    x = np.random.default_rng(5).standard_normal(300)
    found = window_sums(x, np.array(lengths))
    for k, length in enumerate(lengths):
        np.testing.assert_allclose(found[k], pd.Series(x).rolling(length).sum(), rtol=1e-9, atol=1e-12)


@settings(deadline=None)
@given(x=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=80), window=windows.filter(lambda w: w > 1))
def test_mean_squares_and_slope_equal_two_passes(x, window):
    mean, squares, slope = spread(x, window)
    time = np.arange(window) - (window - 1) / 2
    for i in range(window - 1, len(x)):
        part = np.array(x[i - window + 1 : i + 1])
        exact = part.mean(), ((part - part.mean()) ** 2).sum(), (time * part).sum()
        np.testing.assert_allclose((mean[i], squares[i], slope[i]), exact, rtol=1e-10, atol=1e-8)
    assert np.isnan(mean[: window - 1]).all()


@settings(deadline=None)
@given(x=values, window=windows, position=st.integers(0, 79), absurd=st.sampled_from([np.inf, np.nan, 1e300]))
def test_an_absurd_value_leaves_with_its_window(x, window, position, absurd):
    clean = np.array(x)
    if position >= len(clean):
        return
    spoiled = clean.copy()
    spoiled[position] = absurd
    outside = (np.arange(len(clean)) < position) | (np.arange(len(clean)) >= position + window)
    for function in (sums, maximum, spread) if window > 1 else (maximum,):
        a, b = function(clean, window), function(spoiled, window)
        np.testing.assert_array_equal(a[..., outside], b[..., outside])
    inside = ~outside & (np.arange(len(clean)) >= window - 1)
    assert not np.isfinite(sums(np.where(clean == spoiled, clean, np.nan), window)[inside]).any()


@settings(deadline=None)
@given(
    x=st.lists(st.floats(-1e6, 1e6), min_size=50, max_size=120), window=windows, first=st.integers(0, 60), last=st.integers(1, 50)
)
def test_a_part_of_history_gives_the_same_bits(x, window, first, last):
    part = x[first : len(x) - last]
    for function in (sums, maximum, spread) if window > 1 else (sums, maximum):
        whole = np.atleast_2d(function(x, window))[:, first : len(x) - last]
        np.testing.assert_array_equal(np.atleast_2d(function(part, window))[:, window - 1 :], whole[:, window - 1 :])


def test_rounding_does_not_accumulate_over_a_long_series():
    # A running difference loses about sqrt(n) * 1e-16 * 1e9 here; pandas needs Kahan summation to survive it.
    x = np.full(200_000, 0.1)
    x[::1000] = 1e9
    assert abs(sums(x, 50)[-1] - 5.0) < 1e-12


def test_a_small_movement_of_a_large_level_keeps_its_digits():
    # Levels of 1e6 that move by 1e-3: squares less mean squared would keep no digit of a variance near 1e-6.
    movement = 1e-3 * np.random.default_rng(3).standard_normal(60)
    level = 1e6 + movement
    exact = ((level - 1e6) - (level - 1e6)[-20:].mean())[-20:]
    assert abs(spread(level, 20)[1, -1] / (exact**2).sum() - 1) < 1e-6
