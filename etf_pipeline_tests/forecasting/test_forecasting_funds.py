"""Terms per fund: shrunk means, the baselines made of them, and one model per fund."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from etf_pipeline.errors import SettingsError
from etf_pipeline.forecasting import walk_forward_forecasts
from etf_pipeline.forecasting.design import CLASS_COLUMNS, UNKNOWN, build_design, cross_sectional_rank
from etf_pipeline.forecasting.fund_effects import shrunk_fund_means
from etf_pipeline.forecasting.models import StandardisedRidge
from etf_pipeline.forecasting.windows import fit_window
from etf_pipeline.validation import walk_forward

CLASSES = np.array(["bond"] * 3 + ["equity"] * 2 + ["unknown"] * 4, dtype=object)
GIVEN = {"label_sessions": 4, "prior_labels": 6.0, "min_class_funds": 3, "unlearnt": UNKNOWN}


@pytest.fixture(scope="module")
def label() -> np.ndarray:
    rng = np.random.default_rng(2)
    out = rng.normal(0.01, 0.05, (60, 9))
    out[:25, 0] = np.nan  # a bond fund that lists late: until then bonds are too few for a class
    out[rng.random((60, 9)) < 0.1] = np.nan
    return out


def slowly(label: np.ndarray, session: int, fund: int) -> tuple[float, float]:
    """The same by its definition, one fund and session at a time."""
    ended = label[: max(session - 4 + 1, 0)]

    def mean(columns: np.ndarray) -> float:
        values = ended[:, columns]
        return float(np.nanmean(values)) if np.any(~np.isnan(values)) else 0.0

    own = CLASSES[fund] == CLASSES
    seen = sum(np.any(~np.isnan(ended[:, k])) for k in np.flatnonzero(own))
    centre = mean(own if CLASSES[fund] != UNKNOWN and seen >= 3 else np.ones(9, dtype=bool))
    n = np.sum(~np.isnan(ended[:, fund])) / 4
    effect = n / (n + 6.0) * (mean(np.arange(9) == fund) - centre) if n else 0.0
    return centre + effect, effect


def test_fund_means_are_drawn_to_their_class_as_far_as_little_history_asks(label):
    mean, effect = shrunk_fund_means(label, CLASSES, **GIVEN)
    for session in (0, 3, 4, 10, 27, 30, 59):
        for fund in range(9):
            ours = (mean[session, fund], effect[session, fund])
            assert ours == pytest.approx(slowly(label, session, fund), rel=1e-12, abs=1e-16)


def test_fund_means_read_no_label_before_it_ends_and_no_fund_that_is_yet_to_come(label):
    whole = shrunk_fund_means(label, CLASSES, **GIVEN)
    later = label.copy()
    later[37:] = 1e9
    for a, b in zip(whole, shrunk_fund_means(later, CLASSES, **GIVEN), strict=True):
        np.testing.assert_array_equal(a[:41], b[:41])  # the label of session 37 ends at 41
    assert not np.array_equal(shrunk_fund_means(later, CLASSES, **GIVEN)[0][41], whole[0][41])
    without = shrunk_fund_means(label[:, 1:], CLASSES[1:], **GIVEN)
    for a, b in zip(whole, without, strict=True):
        np.testing.assert_array_equal(a[:28, 1:], b[:28])  # to the bit: fund 0 has its first label at 25


def test_a_fund_effect_is_a_feature_before_the_classes_and_moves_no_other(predictable, quick):
    plain = build_design(**predictable, parameters=quick)
    with_effect = build_design(**predictable, parameters=replace(quick, fund_effect=True))
    n = len(CLASS_COLUMNS)
    np.testing.assert_array_equal(with_effect.features[:, :, -n:], plain.features[:, :, -n:])
    np.testing.assert_array_equal(with_effect.features[:, :, :2], plain.features[:, :, :2])
    effect = shrunk_fund_means(
        np.where(plain.member, plain.label, np.nan),
        plain.classes,
        label_sessions=6,
        prior_labels=quick.prior_labels,
        min_class_funds=quick.min_class_funds,
        unlearnt=UNKNOWN,
    )[1]
    rank = np.nan_to_num(cross_sectional_rank(effect, plain.member))
    np.testing.assert_allclose(with_effect.features[:, :, 2], rank, atol=1e-7)


@pytest.fixture(scope="module")
def judged(predictable, quick):
    return walk_forward_forecasts(**predictable, parameters=replace(quick, models=("ridge",)))


def test_baselines_are_judged_like_models_and_weigh_nothing(judged, predictable, quick):
    assert set(judged.members["model"]) == {"ridge"}
    assert (judged.members["weight"] == 1).all()
    assert set(judged.windows["model"]) == {"ridge", "historical_mean", "zero"}
    assert set(judged.bias["model"]) == {"ridge", "historical_mean", "zero", "ensemble"}
    in_sample = judged.bias.query("asset_class == 'all'").set_index("model")["in_sample_bias"].abs()
    assert in_sample["ensemble"] < 1e-15  # that of its members, without baselines
    assert in_sample["zero"] > 1e-5
    without = walk_forward_forecasts(**predictable, parameters=replace(quick, models=("ridge",), baselines=()))
    pd.testing.assert_frame_equal(without.forecasts, judged.forecasts, check_exact=True)


def test_a_baseline_that_is_named_a_model_weighs_like_one(predictable, quick):
    made = walk_forward_forecasts(**predictable, parameters=replace(quick, models=("ridge", "historical_mean")))
    weight = made.members.groupby("model")["weight"].mean()
    assert 0.3 < weight["historical_mean"] < 0.6
    assert set(made.windows["model"]) == {"ridge", "historical_mean", "zero"}


def test_zero_loses_what_the_outcomes_are_and_calls_no_direction(judged):
    zero = judged.windows[judged.windows["model"] == "zero"]
    np.testing.assert_array_equal(zero["mse"], zero["mse_zero"])
    assert zero["hit_rate"].isna().all()
    row = judged.bias.set_index(["model", "asset_class"]).loc[("zero", "all")]
    assert row["out_of_fold_bias"] == pytest.approx(-judged.errors["realised_return"].mean(), rel=1e-9)
    assert np.isnan(row["ic_raw"])
    assert np.isnan(row["pt_p_value_raw"])


def test_the_historical_mean_forecasts_what_had_been_earned(judged, predictable, quick):
    design = build_design(**predictable, parameters=quick)
    window = walk_forward(design.sessions, quick.windows)[2]
    fit = fit_window("historical_mean", window, design, quick)
    np.testing.assert_array_equal(fit.forecast, design.fund_mean[fit.test])
    np.testing.assert_array_equal(fit.in_sample, design.fund_mean[fit.train])


@pytest.fixture(scope="module")
def alone(quick):
    return replace(quick, models=("ridge",), scheme="per_fund", min_fund_rows=30)


def test_one_model_per_fund_learns_from_that_fund_alone(predictable, alone):
    design = build_design(**predictable, parameters=alone)
    window = walk_forward(design.sessions, alone.windows)[2]
    fit = fit_window("ridge", window, design, alone)
    X = design.rows(fit.train, frozenset({"equity"}))  # constant within a fund
    for fund in (0, 9):
        own, asked = fit.train[1] == fund, fit.test[1] == fund
        model = StandardisedRidge(alone.ridge_penalty).fit(X[own], design.label[fit.train][own])
        rows = design.rows((fit.test[0][asked], fit.test[1][asked]), frozenset({"equity"}))
        np.testing.assert_allclose(fit.forecast[asked], model.predict(rows), rtol=1e-9, atol=1e-14)
        np.testing.assert_allclose(fit.in_sample[own], model.predict(X[own]), rtol=1e-9, atol=1e-14)


def test_a_fund_with_too_short_a_history_has_its_shrunk_mean(predictable, alone):
    design = build_design(**predictable, parameters=alone)
    window = walk_forward(design.sessions, alone.windows)[2]
    fit = fit_window("ridge", window, design, alone)
    rows = np.bincount(fit.train[1], minlength=len(design.tickers))
    assert rows[5] < 30 <= rows[0]  # fund 5 lists after 200 sessions
    young, old = fit.test[1] == 5, fit.test[1] == 0
    assert young.any()
    np.testing.assert_array_equal(fit.forecast[young], design.fund_mean[fit.test][young])
    assert not np.any(fit.forecast[old] == design.fund_mean[fit.test][old])


@pytest.mark.parametrize(("asked_for", "own"), [(0, True), (1, False)])
def test_the_rows_that_a_model_of_its_own_needs_are_enough_exactly(asked_for, own, predictable, alone):
    design = build_design(**predictable, parameters=alone)
    window = walk_forward(design.sessions, alone.windows)[2]
    rows = int(np.sum(fit_window("ridge", window, design, alone).train[1] == 0))
    fit = fit_window("ridge", window, design, replace(alone, min_fund_rows=rows + asked_for))
    mine = fit.test[1] == 0
    assert np.array_equal(fit.forecast[mine], design.fund_mean[fit.test][mine]) is not own


def test_some_funds_alone_are_forecast_as_they_are_among_all(predictable, alone):
    design = build_design(**predictable, parameters=alone)
    window = walk_forward(design.sessions, alone.windows)[1]
    whole = fit_window("ridge", window, design, alone)
    some = fit_window("ridge", window, design, alone, funds=np.array([2, 8]))
    chosen = np.isin(whole.test[1], [2, 8])
    np.testing.assert_array_equal(some.test[1], whole.test[1][chosen])
    np.testing.assert_allclose(some.forecast, whole.forecast[chosen], rtol=1e-12)


class Kept(dict):
    """A cache in memory."""

    def get(self, kind, key):
        return super().get((kind, key))

    def put(self, kind, key, table):
        self[(kind, key)] = table


def test_both_schemes_run_through_the_same_tables_and_never_share_a_cached_window(predictable, alone, judged):
    cache = Kept()
    per_fund = walk_forward_forecasts(**predictable, parameters=alone, cache=cache)
    pooled = walk_forward_forecasts(**predictable, parameters=replace(alone, scheme="pooled"), cache=cache)
    again = walk_forward_forecasts(**predictable, parameters=alone, cache=cache)
    pd.testing.assert_frame_equal(again.forecasts, per_fund.forecasts, check_exact=True)
    pd.testing.assert_frame_equal(pooled.forecasts, judged.forecasts, check_exact=True)
    key = ["ticker", "session"]
    pd.testing.assert_frame_equal(per_fund.forecasts[key], pooled.forecasts[key])
    skill = {
        n: r.windows.query("model == 'ridge'")["information_coefficient"].mean() for n, r in (("own", per_fund), ("all", pooled))
    }
    assert skill["all"] > skill["own"] > 0.05  # all funds share one law here


def test_a_funds_other_past_is_another_window(predictable, alone):
    design = build_design(**predictable, parameters=alone)
    window = walk_forward(design.sessions, alone.windows)[2]
    cache = Kept()
    fit_window("ridge", window, design, alone, cache)
    moved = replace(design, fund_mean=design.fund_mean + 0.01)
    young = fit_window("ridge", window, moved, alone, cache).test[1] == 5
    np.testing.assert_array_equal(
        fit_window("ridge", window, moved, alone, cache).forecast[young],
        moved.fund_mean[window.test_start : window.test_stop, 5][: young.sum()],
    )
    assert len(cache) == 4


def test_an_unknown_scheme_is_refused(predictable, quick):
    with pytest.raises(SettingsError, match="per_fund"):
        walk_forward_forecasts(**predictable, parameters=replace(quick, scheme="per_class"))
