"""A registered lookback is all that a value depends on: what a night reads again gives the same bits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from etf_pipeline.features import FEATURES, LOOKBACK, Bars, evaluate

N = 2000


@pytest.fixture(scope="module")
def fund() -> Bars:
    """Eight years of one fund that pays, splits, rests for a month now and then, and sometimes does not trade."""
    rng = np.random.default_rng(17)
    days = pd.bdate_range("2010-01-04", periods=N + 200)
    days = days[np.sort(rng.choice(len(days), N, replace=False))]
    returns = 0.01 * rng.standard_t(4, N) * (rng.random(N) > 0.02)
    returns[0] = np.nan
    index = np.cumprod(1 + np.nan_to_num(returns))
    split = np.where(rng.random(N) < 0.004, 2.0, 1.0)
    close = 50 * index / np.cumprod(split)
    return Bars(
        starts=np.array([0, N]),
        total_return=returns,
        open_return=0.3 * returns + 0.002 * rng.standard_normal(N),
        index=index,
        high=close * np.exp(np.abs(rng.normal(0, 0.01, N))),
        low=close / np.exp(np.abs(rng.normal(0, 0.01, N))),
        close=close,
        traded_value=np.exp(rng.normal(14, 1, N)) * (rng.random(N) > 0.05),
        dividend=np.where(rng.random(N) < 0.02, 0.3, 0.0),
        split_ratio=split,
        market=0.008 * rng.standard_normal(N),
        months=np.asarray(days.year * 12 + days.month - 1, dtype=np.int64),
    )


def part(x: Bars, first: int, last: int) -> Bars:
    """Bars `first` to `last`, as if there were no others."""
    fields = {name: getattr(x, name)[first : last + 1] for name in vars(x) if name != "starts"}
    return Bars(starts=np.array([0, last + 1 - first]), **fields)


@pytest.mark.parametrize("name", FEATURES)
def test_a_value_is_made_of_its_lookback_alone(name, fund):
    whole, lookback, known = evaluate(fund)[name], FEATURES[name].lookback, 0
    for last in (*range(lookback, N, 61), N - 1):
        again = evaluate(part(fund, last - lookback, last))[name][-1]
        np.testing.assert_array_equal(again, whole[last])
        known += int(np.isfinite(again))
    assert known > 5


@pytest.mark.parametrize("name", [name for name, feature in FEATURES.items() if feature.lookback < 300])
def test_a_lookback_says_no_more_than_it_must(name, fund):
    # With a tenth less, and at least six bars less, values are unknown or others.
    whole, lookback = evaluate(fund)[name], FEATURES[name].lookback
    short = min(lookback - lookback // 10, max(lookback - 6, 0))
    again = np.array([evaluate(part(fund, last - short, last))[name][-1] for last in range(900, N, 91)])
    assert not np.array_equal(again, whole[900:N:91])


def test_a_night_reads_as_far_as_the_longest(fund):
    assert max(feature.lookback for feature in FEATURES.values()) == LOOKBACK
    night, whole = evaluate(part(fund, N - 1 - LOOKBACK, N - 1)), evaluate(fund)
    for name, values in night.items():
        np.testing.assert_array_equal(values[-1], whole[name][-1], err_msg=name)
