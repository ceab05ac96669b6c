"""Combinatorial and nested splits: equal to skfolio's, leak-free at any thinning, each session judged equally often."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etf_pipeline.errors import DataError, SettingsError
from etf_pipeline.validation import CombinatorialParameters, Window, backtest_paths, combinatorial_purged, nested


@pytest.mark.parametrize(
    ("n", "folds", "tested", "purge", "embargo"),
    [(90, 3, 2, 5, 0), (200, 6, 2, 3, 4), (127, 5, 3, 0, 0), (301, 10, 8, 7, 2), (64, 4, 2, 1, 5), (500, 8, 3, 0, 9)],
)
def test_splits_and_paths_equal_skfolios(n, folds, tested, purge, embargo):
    from skfolio.model_selection import CombinatorialPurgedCV

    peer = CombinatorialPurgedCV(n_folds=folds, n_test_folds=tested, purged_size=purge, embargo_size=embargo)
    theirs = list(peer.split(np.zeros((n, 1))))
    parameters = CombinatorialParameters(folds, tested, label_sessions=purge, embargo=embargo)
    ours = combinatorial_purged(np.arange(n), parameters)
    assert len(ours) == len(theirs) == peer.n_splits == parameters.n_splits
    for split, (train, tests) in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(split.train, train)
        assert all(np.array_equal(a, b) for a, b in zip(split.tests, tests, strict=True))
    assert [list(split.paths) for split in ours] == peer.get_path_ids().tolist()
    assert parameters.n_paths == peer.n_test_paths == math.comb(folds, tested) * tested // folds


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(40, 150),
    stride=st.integers(1, 5),
    folds=st.integers(3, 6),
    tested=st.integers(1, 2),
    label=st.integers(0, 5),
    embargo=st.integers(0, 4),
)
def test_no_split_trains_on_a_label_that_meets_a_tested_one_and_none_drops_more(n, stride, folds, tested, label, embargo):
    positions = np.arange(0, n * stride, stride)
    for split in combinatorial_purged(positions, CombinatorialParameters(folds, tested, label, embargo)):
        test = np.concatenate(split.tests)
        # by hand, pair by pair: labels meet, or training follows a tested label within the embargo
        apart = positions[:, None] - test[None, :]
        last_of_block = ~np.isin(test + stride, test)
        meets = (np.abs(apart) <= label).any(axis=1)
        soon = ((apart > 0) & (apart <= label + embargo) & last_of_block[None, :]).any(axis=1)
        expected = positions[~(np.isin(positions, test) | meets | soon)]
        np.testing.assert_array_equal(split.train, expected)


def test_each_path_judges_every_session_once_and_each_split_is_used_once_per_fold():
    positions = np.arange(0, 120, 2)
    parameters = CombinatorialParameters(6, 2, label_sessions=2, embargo=0)
    splits = combinatorial_purged(positions, parameters)
    told = [[np.full(len(test), float(number)) for test in split.tests] for number, split in enumerate(splits)]
    paths = backtest_paths(splits, told, positions)
    assert paths.shape == (parameters.n_paths, len(positions)) == (5, 60)
    assert not np.isnan(paths).any()
    for column in paths.T:
        assert len(set(column)) == parameters.n_paths  # five different models judged each session
    wide = backtest_paths(splits, [[np.ones((len(test), 3)) for test in split.tests] for split in splits], positions)
    assert wide.shape == (5, 60, 3)


def test_impossible_cuts_are_refused_with_what_to_do():
    with pytest.raises(SettingsError, match="n_test_folds < n_folds"):
        combinatorial_purged(np.arange(100), CombinatorialParameters(5, 5))
    with pytest.raises(DataError, match="one per fold"):
        combinatorial_purged(np.arange(4), CombinatorialParameters(5, 2))
    with pytest.raises(DataError, match="fewer folds or a longer history"):
        combinatorial_purged(np.arange(60), CombinatorialParameters(6, 4, label_sessions=15))


@settings(deadline=None)
@given(
    start=st.integers(0, 100),
    length=st.integers(120, 400),
    folds=st.integers(1, 6),
    label=st.integers(1, 22),
    embargo=st.integers(0, 5),
)
def test_inner_folds_stay_inside_the_window_and_learn_from_their_past_alone(start, length, folds, label, embargo):
    window = Window(0, start, start + length, start + length + label + embargo, start + length + 100)
    inner = list(nested(window, folds, label, embargo, min_train=60))
    assert np.concatenate([f.test for f in inner]).tolist() == list(range(start + 60, window.train_stop))
    for fold in inner:
        assert fold.train[0] == start
        assert fold.train[-1] + label + embargo < fold.test[0]
        assert fold.train[-1] + label + embargo == fold.test[0] - 1  # nothing usable is thrown away
        assert fold.test[-1] + label < window.test_start


def test_inner_folds_need_a_long_enough_window():
    with pytest.raises(DataError, match="fewer folds"):
        list(nested(Window(3, 0, 260, 300, 400), 20, 22, 5))
    with pytest.raises(DataError, match="min_train above"):
        list(nested(Window(3, 0, 260, 300, 400), 2, 22, 5, min_train=20))
