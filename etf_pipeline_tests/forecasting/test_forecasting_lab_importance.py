"""Importance: what predicts is found on sessions never trained on, what does not is not, and twins cover for each other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab_market import IMPORTANCE, CountingCache, panel_frames
from pandas.testing import assert_frame_equal

from etf_pipeline.forecasting.lab import feature_importance
from etf_pipeline.forecasting.lab.importance import Group, _within_sessions, shuffled_losses
from etf_pipeline.schemas import TABLES

FAMILIES = {"clue": "signals", "noise": "noise"}


def importance(frames, families=FAMILIES, parameters=IMPORTANCE, cache=None) -> pd.DataFrame:
    return feature_importance(*panel_frames(frames), families, parameters, cache)


@pytest.fixture(scope="module")
def made(predictable) -> pd.DataFrame:
    return importance(predictable)


def test_the_table_keeps_its_contract(made):
    TABLES["feature_importance"].check(TABLES["feature_importance"].to_arrow(made))


def test_what_predicts_matters_and_what_does_not_does_not(made):
    features = made[made["kind"] == "feature"].set_index("name")
    assert features.loc["clue", "ic_loss"] > 0.1
    assert features.loc["clue", "ic_p_adjusted"] < 0.05
    assert features.loc["clue", "mse_gain"] > 0
    assert abs(features.loc["noise", "ic_loss"]) < 0.05
    assert features.loc["noise", "ic_p_adjusted"] > 0.05


def test_where_nothing_predicts_nothing_matters(unpredictable):
    # Holm over four features: a claim once in twenty seeds; the seed is fixed.
    assert (importance(unpredictable)["ic_p_adjusted"].dropna() > 0.05).all()


def test_twins_cover_for_each_other_until_they_are_shuffled_together(predictable):
    twin = predictable | {"features": predictable["features"].assign(twin=predictable["features"]["clue"] * 2)}
    made = importance(twin, {**FAMILIES, "twin": "signals"}).set_index(["kind", "name"])
    assert made.loc[("cluster", "clue+1"), "members"] == "clue, twin"
    assert made.loc[("family", "signals"), "ic_loss"] > 1.3 * made.loc[("feature", "clue"), "ic_loss"]
    assert made.loc[("family", "signals"), "ic_loss"] == made.loc[("cluster", "clue+1"), "ic_loss"]


def test_equal_inputs_give_equal_importance_with_and_without_the_cache(made, predictable):
    cache = CountingCache()
    assert_frame_equal(importance(predictable, cache=cache), made, check_exact=True)
    assert_frame_equal(importance(predictable, cache=cache), made, check_exact=True)
    assert cache.hits == len(cache.pieces) == made["windows"].max()


def test_losses_by_hand():
    # Two sessions of four funds whose label is the first column: the forecast is perfect. Shuffled, it ranks by a permutation.
    class First:
        def predict(self, X):
            return X[:, 0].astype(float)

    rows = np.array([[1.0, 5], [2, 5], [3, 5], [4, 5], [1, 5], [2, 5], [3, 5], [4, 5]])
    cells = (np.repeat([0, 1], 4), np.tile(np.arange(4), 2))
    groups = [Group("feature", "first", ("first",), (0,)), Group("feature", "second", ("second",), (1,))]
    losses = shuffled_losses(First(), rows, rows[:, 0], cells, groups, IMPORTANCE, 3)
    assert losses[1].tolist() == [0.0, 0.0]
    rng = np.random.default_rng([IMPORTANCE.seed, 3])
    orders = [_within_sessions(cells[0], rng) for _ in range(IMPORTANCE.repeats)]
    squares = [np.mean((rows[o, 0] - rows[:, 0]) ** 2) for o in orders]
    # Spearman's formula on four ranks: 1 - 6 sum(d^2) / (4 * 15), so the loss is a tenth of the sum of squares per session
    assert losses[0, 1] == pytest.approx(np.mean(squares))
    assert losses[0, 0] == pytest.approx(np.mean([4 * s / 10 for s in squares]))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(0, 1000))
def test_a_shuffle_is_a_permutation_that_leaves_no_session(sessions, seed):
    days = np.sort(np.array(sessions))
    order = _within_sessions(days, np.random.default_rng(seed))
    assert sorted(order) == list(range(len(days)))
    assert (days[order] == days).all()
