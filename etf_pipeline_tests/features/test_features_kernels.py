"""Rolling kernels: equal to pandas on any series, without memory beyond their window."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from etf_pipeline.features.kernels import cumulative_product, lagged, rolling_max, rolling_sum, same_month_mean

values = st.lists(st.one_of(st.just(np.nan), st.floats(-1e6, 1e6)), min_size=1, max_size=60)
windows = st.integers(1, 12)


def known(x: list[float], function) -> np.ndarray:
    """Apply to the known values alone and put the answers back where they came from."""
    series = pd.Series(x)
    return function(series.dropna()).reindex(series.index).to_numpy()


@settings(deadline=None)
@given(x=values, window=windows)
def test_sum_maximum_and_lag_equal_pandas_over_the_known_values(x, window):
    column = np.array(x)[:, None]
    exact = known(x, lambda s: s.rolling(window).apply(lambda w: sum(sorted(w, key=abs)), raw=True))
    np.testing.assert_allclose(rolling_sum(column, window)[:, 0], exact, rtol=1e-12, atol=1e-8)
    np.testing.assert_array_equal(rolling_max(column, window)[:, 0], known(x, lambda s: s.rolling(window).max()))
    np.testing.assert_array_equal(lagged(column, window)[:, 0], known(x, lambda s: s.shift(window)))


@settings(deadline=None)
@given(x=values, window=windows, position=st.integers(0, 59))
def test_an_infinite_value_leaves_with_its_window(x, window, position):
    clean = np.array(x)
    clean = clean[~np.isnan(clean)]
    if position >= len(clean):
        return
    spoiled = clean.copy()
    spoiled[position] = np.inf
    a, b = rolling_sum(clean[:, None], window)[:, 0], rolling_sum(spoiled[:, None], window)[:, 0]
    outside = (np.arange(len(clean)) < position) | (np.arange(len(clean)) >= position + window)
    np.testing.assert_array_equal(a[outside], b[outside])


def test_rounding_does_not_accumulate_over_a_long_series():
    # A running difference loses about sqrt(n) * 1e-16 * 1e9 here; pandas needs Kahan summation to survive it.
    x = np.full(200_000, 0.1)
    x[::1000] = 1e9
    last = rolling_sum(x[:, None], 50)[-1, 0]
    assert abs(last - 5.0) < 1e-12


def test_a_product_skips_unknown_values():
    column = np.array([[2.0], [np.nan], [3.0]])
    np.testing.assert_array_equal(cumulative_product(column)[:, 0], [2.0, np.nan, 6.0])


def test_the_mean_of_a_month_uses_earlier_years_and_whole_months_only():
    # January 2019 begins without a December value: it is no whole month. January 2020 returns 10 %, January 2021 20 %.
    months = np.array([2019 * 12, 2019 * 12 + 11, 2020 * 12, 2020 * 12 + 11, 2021 * 12, 2021 * 12, 2022 * 12], dtype=np.int64)
    index = np.array([[1.0], [2.0], [2.2], [5.0], [5.5], [6.0], [6.0]])
    out = same_month_mean(index, months, 1)[:, 0]
    np.testing.assert_allclose(out, [np.nan, np.nan, np.nan, np.nan, 0.1, 0.1, 0.15])
