"""The lab: planted skill is found, none is claimed where there is none, nothing leaks, and a night costs the open window."""

from __future__ import annotations

import logging
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
from lab_market import LAB, CountingCache, lab_frames, panel_frames
from pandas.testing import assert_frame_equal

from etf_pipeline.forecasting.design import established_classes
from etf_pipeline.forecasting.lab import METRICS, LabParameters, LabResult, run_lab
from etf_pipeline.forecasting.lab.claims import rank_claim
from etf_pipeline.forecasting.lab.grid import Cell, cells, forecast_cells
from etf_pipeline.forecasting.lab.metrics import Judged, Prices, metric_rows
from etf_pipeline.forecasting.lab.paths import combinatorial_paths, path_figures, purged_splits
from etf_pipeline.forecasting.lab.pieces import cells_of, designs, thinned
from etf_pipeline.forecasting.models import StandardisedRidge
from etf_pipeline.schemas import TABLES
from etf_pipeline.validation import rank_correlations, walk_forward

NAMES = {"windows": "lab_windows", "metrics": "lab_metrics", "tests": "lab_tests", "paths": "lab_paths"}
RIDGE = replace(LAB, models=("ridge",), spans=("expanding",), baselines=(), cpcv_models=())


@pytest.fixture(scope="module")
def made(predictable) -> LabResult:
    return run_lab(**lab_frames(predictable), parameters=LAB)


def same(a: LabResult, b: LabResult) -> None:
    for field in fields(LabResult):
        assert_frame_equal(getattr(a, field.name), getattr(b, field.name), check_exact=True)


@pytest.mark.parametrize("part", NAMES)
def test_each_table_of_the_lab_keeps_its_contract(part, made):
    table = TABLES[NAMES[part]]
    table.check(table.to_arrow(getattr(made, part)))


def test_every_line_of_the_grid_is_judged_by_every_metric_in_all_and_by_regime(made):
    lines = {tuple(cell.head().values()) for cell in cells(LAB)}
    assert set(made.metrics[["model", "horizon", "scheme", "span"]].itertuples(index=False, name=None)) == lines
    per_line = made.metrics.groupby(["model", "span"])[["metric", "regime"]].agg(set)
    assert all(found == set(METRICS) for found in per_line["metric"])
    assert all(found == {"all", "bull", "bear", "unknown"} for found in per_line["regime"])


def test_planted_skill_is_found_and_stands_after_correction_for_the_whole_grid(made):
    tests = made.tests.set_index(["model", "span", "test"])
    for model in LAB.models:
        assert tests.loc[(model, "expanding", "ic"), "decision"] == "significant"
    mean_ic = made.metrics.query("metric == 'mean_ic' and regime == 'all' and model == 'ridge'")["value"]
    assert mean_ic.min() > 0.15
    assert made.paths.query("metric == 'mean_ic'")["value"].min() > 0.1


def test_a_model_that_adds_to_each_funds_mean_is_told_from_one_that_does_not(made, predictable):
    tests = made.tests.set_index(["model", "span", "test"])
    assert tests.loc[("ridge", "expanding", "ic_mean"), "decision"] == "significant"
    design = designs(panel_frames(predictable), (5,), RIDGE.forecast(5))[5]
    mean, label = design.fund_mean[120:], design.label[120:]
    copied = rank_claim("ic_mean", "copy", mean, np.where(np.isnan(label), np.nan, 3 * mean - 1), label, 5)
    assert copied.estimate == pytest.approx(0.0, abs=1e-12)
    assert not copied.p_value < 0.05
    rng = np.random.default_rng(2)
    worse = rank_claim("ic_mean", "worse", mean, rng.standard_normal(label.shape) - label, label, 5)
    assert worse.p_value > 0.95


def test_nothing_is_claimed_where_there_is_no_skill(unpredictable):
    # Holm bounds the chance of any claim over the grid at 5 %; the seed is fixed.
    nothing = run_lab(**lab_frames(unpredictable), parameters=LAB)
    assert not (nothing.tests["decision"] == "significant").any()
    assert nothing.metrics.query("metric == 'mean_ic' and regime == 'all'")["value"].abs().max() < 0.13
    assert nothing.paths.query("metric == 'mean_ic'")["value"].abs().max() < 0.13


def test_labels_shuffled_within_their_session_leave_no_rank_correlation_and_true_ones_do(predictable):
    # A model that saw its test labels would rank them. 0.12 is three errors of the mean of 300 sessions of 13 funds, five
    # of which overlap: sqrt(5 / (300 * 12)) = 0.037; passed once in 400 seeds on either side.
    design = designs(panel_frames(predictable), (5,), RIDGE.forecast(5))[5]
    rng, label = np.random.default_rng(4), design.label.copy()
    for row in range(len(label)):
        known = np.flatnonzero(~np.isnan(label[row]) & design.member[row])
        label[row, known] = label[row, rng.permutation(known)]

    def mean_ic(d):
        (line,) = forecast_cells({5: d}, RIDGE)
        return np.nanmean(rank_correlations(line.forecast, d.label))

    assert abs(mean_ic(replace(design, label=label))) < 0.12
    assert mean_ic(design) > 0.15


def test_every_training_label_ends_an_embargo_before_its_test(made, predictable):
    days = pd.DatetimeIndex(np.sort(predictable["returns"]["session"].unique()))
    for row in made.windows.itertuples():
        assert days.get_loc(row.train_end) + 1 + row.horizon + LAB.embargo <= days.get_loc(row.test_start)
    rolling = made.windows[made.windows["span"] == "rolling"]
    lengths = days.get_indexer(rolling["train_end"]) - days.get_indexer(rolling["train_start"]) + 1
    assert lengths.max() == LAB.rolling_train


def test_no_combinatorial_training_label_meets_a_tested_session_or_its_label(predictable):
    design = designs(panel_frames(predictable), (5,), LAB.forecast(5))[5]
    splits, positions = purged_splits(design, LAB)
    assert len(splits) == 6
    for split in splits:
        for test in split.tests:
            assert not np.any((split.train + 6 >= test[0]) & (split.train <= test[-1] + 6 + LAB.embargo))
    assert len(positions) % LAB.step == 0


def test_a_combinatorial_forecast_is_that_of_a_ridge_on_the_purged_rows(predictable):
    design = designs(panel_frames(predictable), (5,), LAB.forecast(5))[5]
    made = combinatorial_paths(design, LAB)
    assert sorted(made["path"].unique()) == [0, 1, 2]
    splits, positions = purged_splits(design, LAB)
    path = np.full((len(positions), len(design.tickers)), np.nan)
    for split in splits:
        train = cells_of(thinned(split.train, LAB.train_every), design, ended=True)
        known = established_classes(design.classes, train[1], 5)
        model = StandardisedRidge(0.1).fit(design.rows(train, known), design.label[train])
        for test, number in zip(split.tests, split.paths, strict=True):
            if number == 0:
                at = cells_of(test, design, ended=False)
                path[at] = model.predict(design.rows(at, known))
    figures = {row["metric"]: row["value"] for row in path_figures(path, design.label[positions], LAB)}
    found = made[made["path"] == 0].set_index("metric")["value"].to_dict()
    assert found == pytest.approx(figures, rel=1e-9)


def test_the_cache_changes_time_and_nothing_else(made, predictable):
    cache = CountingCache()
    same(run_lab(**lab_frames(predictable), parameters=LAB, cache=cache), made)
    pieces = len(cache.pieces)
    same(run_lab(**lab_frames(predictable), parameters=LAB, cache=cache), made)
    assert len(cache.pieces) == pieces


def test_one_more_session_fits_only_the_open_window(predictable):
    cache = CountingCache()
    frames = lab_frames(predictable)
    day = frames["returns"]["session"].max()
    yesterday = {n: f[f["session"] < day] if "session" in f else f for n, f in frames.items()}
    run_lab(**yesterday, parameters=LAB, cache=cache)
    before = dict(cache.pieces)
    run_lab(**frames, parameters=LAB, cache=cache)
    new = [kind for kind, key in cache.pieces if (kind, key) not in before]
    assert len(new) == len(LAB.models) * len(LAB.spans)  # and no combinatorial split
    assert set(new) == {"forecast_fit"}


def test_windows_that_have_ended_do_not_change_when_the_future_is_cut_off_or_poisoned(predictable):
    frames = lab_frames(predictable)
    whole = run_lab(**frames, parameters=RIDGE).windows
    days = np.sort(frames["returns"]["session"].unique())
    day = pd.Timestamp(days[330])
    ended = whole["test_end"] < pd.Timestamp(days[330 - 7])
    assert ended.sum() >= 2
    wild = {n: f.copy() for n, f in frames.items()}
    for frame in wild.values():
        if "session" in frame:
            numbers = frame.select_dtypes("float").columns
            later = frame["session"] > day
            frame.loc[later, numbers] = frame.loc[later, numbers] * 1e3
    short = {n: f[f["session"] <= day] if "session" in f else f for n, f in frames.items()}
    for other in (wild, short):
        again = run_lab(**other, parameters=RIDGE).windows
        assert_frame_equal(again[: ended.sum()], whole[: ended.sum()], rtol=1e-12)


def test_per_fund_lines_stand_beside_pooled_ones(predictable):
    p = replace(RIDGE, per_fund_models=("ridge",), per_fund_horizons=(5,))
    tests = run_lab(**lab_frames(predictable), parameters=p).tests
    assert set(tests["scheme"]) == {"pooled", "per_fund"}


def test_each_piece_is_told_as_it_is_done(predictable, caplog):
    with caplog.at_level(logging.INFO, logger="etf_pipeline.progress"):
        run_lab(**lab_frames(predictable), parameters=RIDGE)
    told = [r.getMessage() for r in caplog.records if r.name == "etf_pipeline.progress"]
    assert "ridge pooled, 5 sessions, expanding: window 1 of 5" in told
    assert told[-1] == "ridge, 5 sessions, expanding: judged"


def judged(forecast: np.ndarray, label: np.ndarray) -> Judged:
    flat = np.ones_like(label)
    return Judged(forecast, label, Prices(flat, flat, flat * 0.9, flat), 1, 0.34)


def test_metrics_by_hand_on_three_funds():
    # Two sessions of three funds. Squared errors 1, 0, 1 and 0, 0, 4 over labels' squares 1, 4, 1 and 1, 4, 1.
    forecast = np.array([[2.0, 2.0, 0.0001], [1.0, -2.0, 1.0]])
    label = np.array([[1.0, 2.0, 1.0001], [1.0, -2.0, -1.0]])
    states = np.array(["bull", "bear"], dtype=object)
    rows = metric_rows(judged(forecast, label), states).set_index(["metric", "regime"])["value"]
    assert rows["mse_ratio_to_zero", "all"] == pytest.approx(6 / (12 + 1.0001**2 - 1), rel=1e-4)
    assert rows["mse_ratio_to_zero", "bull"] == pytest.approx(2 / (6 + 1.0001**2 - 1), rel=1e-9)
    assert rows["hit_rate", "all"] == pytest.approx(5 / 6)
    assert rows["hit_rate", "bear"] == pytest.approx(2 / 3)
    assert rows["trade_drawdown", "bull"] == pytest.approx((0.1 * 3) / 3)


def test_a_figure_on_few_effective_observations_says_so_and_has_no_interval(made):
    few = made.metrics[made.metrics["status"] == "insufficient"]
    assert len(few)
    assert few["ci_low"].isna().all()
    assert (few["n_effective"].fillna(0) < 30).all()
    assert (made.metrics.loc[made.metrics["status"] == "ok", "n_effective"] >= 30).all()


def test_baselines_have_no_windows_and_are_judged_on_the_same_sessions(made):
    assert "historical_mean" not in set(made.windows["model"])
    n = made.metrics.query("metric == 'hit_rate' and regime == 'all' and span == 'expanding'").set_index("model")["n"]
    assert n.nunique() == 1


def test_defaults_cut_twenty_years_into_more_than_twenty_two_windows():
    from etf_pipeline import calendars

    sessions = calendars.sessions("XNYS", "2006-01-03", "2024-06-28")
    assert len(walk_forward(sessions, LabParameters().forecast(21).windows)) >= 22
    assert Cell("ridge", 21) in cells(LabParameters())
