"""Windows and folds: nothing is trained on that was not over, and appended sessions move no boundary."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etf_pipeline.errors import DataError, SettingsError
from etf_pipeline.validation import WalkForwardParameters, purged_folds, walk_forward

parameters = st.builds(
    WalkForwardParameters,
    first_train=st.integers(30, 80),
    step=st.integers(1, 40),
    max_train=st.sampled_from([0, 25, 60]),
    label_sessions=st.integers(1, 22),
    embargo=st.integers(0, 5),
)


def days(n: int) -> pd.DatetimeIndex:
    return pd.bdate_range("2010-01-04", periods=n)


@settings(deadline=None)
@given(p=parameters, n=st.integers(100, 300))
def test_every_training_label_is_over_before_the_test_begins_and_the_tests_cover_all_later_sessions_once(p, n):
    windows = walk_forward(days(n), p)
    covered = [s for w in windows for s in range(w.test_start, w.test_stop)]
    assert covered == list(range(p.first_train, n))
    for w in windows:
        last_label_end = (w.train_stop - 1) + p.label_sessions
        assert last_label_end < w.test_start - p.embargo
        assert w.train_start < w.train_stop
        assert not p.max_train or w.train_stop - w.train_start <= p.max_train


@settings(deadline=None)
@given(p=parameters, n=st.integers(100, 200), more=st.integers(1, 100))
def test_sessions_that_arrive_later_move_no_boundary(p, n, more):
    before, after = walk_forward(days(n), p), walk_forward(days(n + more), p)
    assert after[: len(before) - 1] == before[:-1]
    last, again = before[-1], after[len(before) - 1]
    assert (last.train_start, last.train_stop, last.test_start) == (again.train_start, again.train_stop, again.test_start)


@settings(deadline=None)
@given(
    n=st.integers(30, 120), stride=st.integers(1, 5), folds=st.integers(2, 4), label=st.integers(1, 5), embargo=st.integers(0, 3)
)
def test_no_fold_is_judged_by_a_model_that_saw_an_overlapping_label(n, stride, folds, label, embargo):
    positions = np.arange(0, n * stride, stride)
    made = purged_folds(positions, folds, label, embargo)
    assert np.concatenate([f.test for f in made]).tolist() == positions.tolist()
    for fold in made:
        spans = np.abs(fold.train[:, None] - fold.test[None, :])
        assert spans.min() > label
        after = fold.train[fold.train > fold.test[-1]]
        assert (after > fold.test[-1] + label + embargo).all()


def test_the_purge_on_either_side_of_a_fold_equals_skfolios():
    # skfolio tests at least two folds of three at once; what is left to train on lies on one side of our middle fold.
    from skfolio.model_selection import CombinatorialPurgedCV

    n, label = 90, 5
    peer = CombinatorialPurgedCV(n_folds=3, n_test_folds=2, purged_size=label, embargo_size=0)
    theirs = [train.tolist() for train, _ in peer.split(np.zeros((n, 1)))]
    middle = purged_folds(np.arange(n), 3, label, 0)[1]
    assert middle.train[middle.train > middle.test[-1]].tolist() in theirs
    assert middle.train[middle.train < middle.test[0]].tolist() in theirs


def test_too_little_history_is_refused_with_what_to_do():
    with pytest.raises(DataError, match="shorten first_train"):
        walk_forward(days(100), WalkForwardParameters(first_train=100))
    with pytest.raises(SettingsError, match="first_train above"):
        walk_forward(days(100), WalkForwardParameters(first_train=20))
    with pytest.raises(DataError, match="sorted"):
        walk_forward(days(100)[::-1], WalkForwardParameters(first_train=50))
    with pytest.raises(DataError, match="too few"):
        purged_folds(np.arange(9), 3, 22, 5)
