"""The search stays inside training spans, goes on after it was killed, forgets no trial, and is judged where it did not look."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lab_market import SEARCH, CountingCache, panel_frames
from pandas.testing import assert_frame_equal

from etf_pipeline.errors import SettingsError
from etf_pipeline.forecasting.design import Design, established_classes
from etf_pipeline.forecasting.lab import SPACES, SearchParameters, search_hyper_parameters
from etf_pipeline.forecasting.lab.pieces import cells_of, designs, thinned
from etf_pipeline.forecasting.lab.search import draw_configurations, inner_folds, search_window
from etf_pipeline.forecasting.models import StandardisedRidge
from etf_pipeline.schemas import TABLES, from_arrow
from etf_pipeline.validation import append_trials, walk_forward

NOTHING = from_arrow(TABLES["search_trials"].arrow_schema.empty_table())
NAMES = ("search_trials", "search_windows", "search_results")


def searched(frames, parameters: SearchParameters = SEARCH, cache=None, previous: pd.DataFrame = NOTHING):
    features, returns, membership, reference = panel_frames(frames)
    return search_hyper_parameters(features, returns, membership, reference, previous, parameters, cache)


@pytest.fixture(scope="module")
def made(predictable):
    return searched(predictable)


@pytest.fixture(scope="module")
def design(predictable) -> Design:
    return designs(panel_frames(predictable), (5,), SEARCH.forecast())[5]


@pytest.fixture(scope="module")
def windows(design):
    return walk_forward(design.sessions, SEARCH.forecast().windows)


def test_each_table_of_the_search_keeps_its_contract(made):
    for name, frame in zip(NAMES, made, strict=True):
        TABLES[name].check(TABLES[name].to_arrow(frame))


def test_every_configuration_is_one_trial_whatever_it_scored(made):
    trials = made[0]
    assert len(trials) == SEARCH.configurations + 1
    assert (trials["kind"] == "search").all()
    assert trials["value"].notna().all()
    assert set(made[1]["trial_id"]) <= set(trials["trial_id"])


def test_inner_folds_stay_inside_the_training_span_and_are_purged(windows):
    for window in windows:
        for fold in inner_folds(window, SEARCH):
            assert window.train_start <= fold.train.min()
            assert fold.test.max() < window.train_stop
            assert fold.train.max() + 6 + SEARCH.embargo < fold.test.min()


@pytest.mark.parametrize("what", ["features", "label"])
def test_a_search_reads_nothing_from_its_test_window_on(what, design, windows):
    window = windows[2]
    wild = getattr(design, what).copy()
    wild[window.train_stop :] = 1e6
    assert search_window("ridge", window, replace(design, **{what: wild}), SEARCH) == search_window(
        "ridge", window, design, SEARCH
    )


def test_a_score_is_that_of_a_ridge_on_the_inner_folds(design, windows):
    found = search_window("ridge", windows[1], design, SEARCH)
    configuration = draw_configurations("ridge", SEARCH)[found.chosen]
    lost = zero = 0.0
    for fold in inner_folds(windows[1], SEARCH):
        train, test = (cells_of(thinned(part, 2), design, ended=True) for part in (fold.train, fold.test))
        known = established_classes(design.classes, train[1], 5)
        model = StandardisedRidge(configuration["ridge_penalty"]).fit(design.rows(train, known), design.label[train])
        lost += np.sum((model.predict(design.rows(test, known)) - design.label[test]) ** 2)
        zero += np.sum(design.label[test] ** 2)
    assert found.last(found.chosen).score == pytest.approx(1 - lost / zero, rel=1e-9)


def test_halving_keeps_the_best_and_always_the_default(design, windows):
    found = search_window("ridge", windows[0], design, SEARCH)
    first = sorted((e for e in found.evaluations if e.rung == 0), key=lambda e: -e.score)
    last = {e.number for e in found.evaluations if e.rung == 1}
    assert last == {0, *(e.number for e in first[:3])}  # 0.34 of six configurations, rounded up
    assert found.last(found.chosen).score == max(found.last(n).score for n in last)
    assert found.last(found.chosen).score >= found.last(0).score


@pytest.mark.parametrize("killed_after", [1, 4, 9])
def test_a_killed_search_goes_on_where_it_was(killed_after, made, predictable):
    cache = CountingCache(dies_after=killed_after)
    with pytest.raises(KeyboardInterrupt):
        searched(predictable, cache=cache)
    assert len(cache.pieces) == killed_after
    cache.dies_after = 0
    again = searched(predictable, cache=cache)
    assert cache.hits == killed_after + made[1]["is_default"].sum()  # there the chosen and the default are one forecast
    for a, b in zip(again, made, strict=True):
        assert_frame_equal(a, b)


def test_equal_seeds_draw_equal_configurations_and_other_seeds_others():
    for model in SPACES:
        drawn = draw_configurations(model, SEARCH)
        assert drawn == draw_configurations(model, SEARCH)
        assert drawn[0] == draw_configurations(model, replace(SEARCH, seed=8))[0]
        assert drawn[1:] != draw_configurations(model, replace(SEARCH, seed=8))[1:]
        for name, (_, low, high) in SPACES[model].items():
            assert all(low * 0.99 <= c[name] <= high * 1.01 for c in drawn[1:])


def test_a_search_with_nothing_new_adds_no_trial_and_another_seed_forgets_none(made, predictable):
    assert_frame_equal(searched(predictable, previous=made[0])[0], made[0])
    more = searched(predictable, replace(SEARCH, seed=8), previous=made[0])[0]
    assert set(made[0]["trial_id"]) < set(more["trial_id"])
    assert len(more) == 2 * SEARCH.configurations + 1  # the default is the same trial
    assert_frame_equal(append_trials(more, []), more)


def test_one_more_session_searches_nothing_anew(predictable):
    cache = CountingCache()
    day = predictable["returns"]["session"].max()
    yesterday = {n: f[f["session"] < day] if "session" in f else f for n, f in predictable.items()}
    searched(yesterday, cache=cache)
    before = set(cache.pieces)
    searched(predictable, cache=cache)
    assert {kind for kind, _ in set(cache.pieces) - before} == {"lab_outer"}
    assert len(cache.pieces) - len(before) <= 2


def test_an_absurd_default_is_improved_upon_outside_the_spans_that_were_searched(predictable, monkeypatch):
    # 30 penalties of the best leave of the clue's slope a fraction; the search finds it and the test windows confirm it.
    monkeypatch.setattr(SearchParameters, "forecast", _overpenalised)
    _, windows, results = searched(predictable)
    assert not windows["is_default"].any()
    assert results["outer_gain"][0] > 0.01
    assert results["verdict"][0] == "improved"


def _overpenalised(self, **changed):
    from etf_pipeline.forecasting.lab.parameters import _forecast

    return _forecast(self, horizon=self.horizon, max_train=0, **{"ridge_penalty": 299.0} | changed)


def test_where_the_default_is_always_chosen_there_is_no_difference(predictable):
    alone = searched(predictable, replace(SEARCH, configurations=0, rungs=1))
    assert alone[1]["is_default"].all()
    assert alone[2]["outer_gain"][0] == 0
    assert alone[2]["verdict"][0] in ("no_difference", "insufficient")


def test_a_model_without_a_space_is_refused(predictable):
    with pytest.raises(SettingsError, match="historical_mean"):
        searched(predictable, replace(SEARCH, models=("historical_mean",)))
