"""Figures within groups, against pandas and scipy one group at a time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata, zscore

from etf_pipeline.scoring.cross_section import descending_ranks, mean_ranks, means, standardised

seeds = st.integers(0, 2**32 - 1)


def sample(seed: int, unknown: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 7, 120)
    values = np.round(rng.normal(0, 2, 120), 1)  # rounded: ties
    return np.where(rng.random(120) < unknown, np.nan, values), groups


@given(seed=seeds)
def test_ranks_are_those_of_scipy_group_by_group(seed):
    values, groups = sample(seed)
    mean, ordinal = mean_ranks(values, groups), descending_ranks(values, groups)
    for group in range(7):
        inside = groups == group
        np.testing.assert_array_equal(mean[inside], rankdata(values[inside]))
        np.testing.assert_array_equal(ordinal[inside], rankdata(-values[inside], method="ordinal"))


@given(seed=seeds)
def test_z_scores_are_those_of_scipy_and_then_clipped(seed):
    values, groups = sample(seed, unknown=0.2)
    z = standardised(values, groups, 7, 1.5)
    for group in range(7):
        inside = groups == group
        expected = zscore(values[inside], nan_policy="omit") if np.nanstd(values[inside]) > 0 else values[inside] * 0
        np.testing.assert_allclose(z[inside], np.clip(expected, -1.5, 1.5), rtol=1e-9, atol=1e-12)


@given(seed=seeds)
def test_means_leave_unknown_values_out(seed):
    values, groups = sample(seed, unknown=0.5)
    expected = pd.Series(values).groupby(groups).mean().reindex(range(8))
    np.testing.assert_allclose(means(values, groups, 8), expected, rtol=1e-12, atol=1e-15)


@given(seed=seeds)
def test_a_group_is_not_touched_by_the_values_of_another(seed):
    values, groups = sample(seed, unknown=0.1)
    alone = groups == 3
    poisoned = np.where(alone, values, np.inf)
    whole, part = standardised(poisoned, groups, 7, 3.0)[alone], standardised(values[alone], groups[alone], 7, 3.0)
    np.testing.assert_array_equal(whole, part)


@pytest.mark.parametrize("value", [0.1, 1e-320, -1e300, 0.0])
def test_equal_values_stand_at_zero_whatever_their_size(value):
    assert standardised(np.full(7, value), np.zeros(7, dtype=int), 1, 3.0).tolist() == [0.0] * 7


def test_more_groups_than_sixteen_bits_hold_are_ranked_alike():
    groups = np.repeat(np.arange(40_000), 2)
    assert descending_ranks(np.tile([1.0, 2.0], 40_000), groups).tolist() == [2, 1] * 40_000
