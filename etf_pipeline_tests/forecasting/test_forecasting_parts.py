"""Labels, ranks, models, the correction line and the weights: by hand, and against libraries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from etf_pipeline.errors import SettingsError
from etf_pipeline.forecasting.bias import CorrectionLine, SessionSums, correct, fit_line
from etf_pipeline.forecasting.design import cross_sectional_rank, established_classes, total_return_from_fill
from etf_pipeline.forecasting.ensemble import ensemble_weights, inverse_error_weights
from etf_pipeline.forecasting.models import StandardisedRidge, make_model
from etf_pipeline.forecasting.parameters import ForecastParameters
from etf_pipeline.validation import bandwidth, fixed_b_critical_value

NAN = np.nan


def test_a_label_runs_from_the_next_open_for_the_horizon():
    opens = np.array([[1.0], [2.0], [3.0], [5.0], [7.0]])
    label = total_return_from_fill(opens, opens * 1.1, 2)
    np.testing.assert_allclose(label[:, 0], [5 / 2 - 1, 7 / 3 - 1, NAN, NAN, NAN])


def test_a_fund_that_dies_is_worth_its_last_close_and_one_that_cannot_be_bought_has_no_label():
    opens = np.array([[1.0], [2.0], [NAN], [NAN], [NAN]])
    closes = np.array([[1.0], [1.5], [NAN], [NAN], [NAN]])
    np.testing.assert_allclose(total_return_from_fill(opens, closes, 2)[:, 0], [1.5 / 2 - 1, NAN, NAN, NAN, NAN])


def test_ranks_spread_evenly_among_members_and_ties_share():
    values = np.array([[3.0, 1.0, 1.0, 99.0, NAN]])
    member = np.array([[True, True, True, False, True]])
    np.testing.assert_allclose(cross_sectional_rank(values, member)[0], [1 / 3, -1 / 6, -1 / 6, NAN, NAN])


@given(st.lists(st.integers(-50, 50), min_size=2, max_size=12))
def test_ranks_do_not_depend_on_scale_and_are_centred(x):
    row, everyone = np.array([x], dtype=float), np.ones((1, len(x)), dtype=bool)
    rank = cross_sectional_rank(row, everyone)
    np.testing.assert_array_equal(rank, cross_sectional_rank(np.exp(row / 10), everyone))
    assert abs(rank.sum()) < 1e-12


def test_ridge_equals_scikit_learns_on_standardised_features():
    rng = np.random.default_rng(0)
    X, y = rng.normal(3, [1, 5, 0.1], (300, 3)), rng.standard_normal(300)
    X = np.column_stack([X, np.ones(300)])  # a class nobody else belongs to
    ours = StandardisedRidge(0.1).fit(X, y).predict(X[:50])
    theirs = make_pipeline(StandardScaler(), Ridge(alpha=0.1 * 300)).fit(X, y).predict(X[:50])
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-13)


def test_any_scikit_learn_regressor_plugs_in_by_its_dotted_name_and_nothing_else_does():
    model = make_model("sklearn.ensemble.HistGradientBoostingRegressor", ForecastParameters(seed=5), 1)
    assert model.get_params()["random_state"] == 5
    for wrong in ("forest", "os.system", "sklearn.ensemble.Nothing"):
        with pytest.raises(SettingsError, match=wrong.split(".")[-1]):
            make_model(wrong, ForecastParameters(), 1)


def panel(seed: int = 0, n: int = 400, funds: int = 5, bias: float = 0.0, slope: float = 1.0):
    rng = np.random.default_rng(seed)
    forecast = 0.01 + 0.02 * rng.standard_normal((n, funds))
    return forecast, slope * forecast - bias + 0.01 * rng.standard_normal((n, 1)) + 0.01 * rng.standard_normal((n, funds))


def test_the_line_and_its_t_statistics_are_those_of_a_clustered_regression():
    forecast, label = panel(bias=0.004, slope=0.6)
    line = fit_line(SessionSums.of(forecast, label), 21)
    x, y = forecast.ravel(), (label - forecast).ravel()
    design = np.column_stack([np.ones_like(x), x - x.mean()])
    width = bandwidth(400, 21)
    fit = sm.OLS(y, design).fit(
        cov_type="hac-groupsum",
        cov_kwds={"time": np.repeat(np.arange(400), 5), "maxlags": width - 1, "use_correction": False},
    )
    t = fit.tvalues * 1.96 / fixed_b_critical_value(width / 400)
    assert [line.t_shift, line.t_tilt] == pytest.approx(list(t), rel=1e-8)
    assert line.shift == pytest.approx(fit.params[0] * t[0] ** 2 / (1 + t[0] ** 2), rel=1e-8)
    assert line.tilt == pytest.approx(fit.params[1] * t[1] ** 2 / (1 + t[1] ** 2), rel=1e-8)


def test_a_clear_bias_is_taken_out_and_a_doubtful_one_hardly():
    forecast, label = panel(bias=0.01)
    clear = fit_line(SessionSums.of(forecast, label), 21)
    assert (clear.apply(forecast) - label).mean() == pytest.approx(0, abs=3e-4)
    doubtful = fit_line(SessionSums.of(*panel(seed=2, bias=1e-5)), 21)
    mean_error = float((panel(seed=2, bias=1e-5)[0] - panel(seed=2, bias=1e-5)[1]).mean())
    assert abs(doubtful.shift) < 0.8 * abs(mean_error) or abs(doubtful.t_shift) > 2


def test_constant_forecasts_are_shifted_and_never_tilted():
    label = panel()[1]
    line = fit_line(SessionSums.of(np.full_like(label, 0.02), label), 21)
    assert line.tilt == 0
    assert line.shift < 0


def test_a_correction_never_trades_against_the_model():
    line = fit_line(SessionSums.of(*panel(slope=-2.0)), 21)
    assert line.tilt == -1.0


def test_too_little_evidence_corrects_nothing():
    assert fit_line(SessionSums.of(np.full((3, 1), 0.1), np.zeros((3, 1))), 21) == CorrectionLine()


def corrected(forecast, label, warm=None, groups=None, **settings):
    groups = np.array(["equity"] * 3 + ["bond"] * 2, dtype=object) if groups is None else groups
    starts = np.arange(0, len(forecast), 10)
    warm = warm or (SessionSums.of(forecast[:0], label[:0]), {})
    return correct(
        forecast,
        label,
        groups,
        starts,
        [warm] * len(starts),
        **({"label_sessions": 6, "train_every": 2, "min_realised": 50, "min_class_funds": 2} | settings),
    )


def test_a_block_is_corrected_by_the_labels_that_had_ended_when_it_began():
    forecast, label = panel(bias=0.01, n=200)
    ours = corrected(forecast, label)
    # the block of session 100 sees labels of sessions up to 94, which ended at 100; equity funds have their own line
    line = fit_line(SessionSums.of(forecast[:95, :3], label[:95, :3]), 6)
    np.testing.assert_allclose(ours[100:110, :3], line.apply(forecast[100:110, :3]), rtol=1e-12)
    poisoned = label.copy()
    poisoned[95:] = 1e6
    np.testing.assert_array_equal(corrected(forecast, poisoned)[:110], ours[:110])
    assert not np.allclose(corrected(forecast, poisoned)[110:], ours[110:])


def test_inner_folds_serve_until_enough_has_realised_and_a_small_class_borrows_from_all():
    forecast, label = panel(bias=0.01, n=200)
    warm = (SessionSums.of(*panel(seed=9, bias=-0.01)), {})
    ours = corrected(forecast, label, warm)
    line = fit_line(warm[0], 3)
    np.testing.assert_allclose(ours[:50], line.apply(forecast[:50]), rtol=1e-12)
    sparse = label.copy()
    sparse[:180, 3:] = NAN
    pooled = corrected(forecast, sparse)
    shared = fit_line(SessionSums.of(forecast[:95], sparse[:95]), 6)
    np.testing.assert_allclose(pooled[100:110, 3:], shared.apply(forecast[100:110, 3:]), rtol=1e-12)


def test_a_class_of_too_few_funds_is_corrected_by_the_line_of_all():
    forecast, label = panel(bias=0.01, n=200)
    label[:, 3:] += 0.03  # two bond funds whose past was better than forecast
    ours = corrected(forecast, label, min_class_funds=3)
    shared = fit_line(SessionSums.of(forecast[:95], label[:95]), 6)
    own = fit_line(SessionSums.of(forecast[:95, :3], label[:95, :3]), 6)
    np.testing.assert_allclose(ours[100:110, 3:], shared.apply(forecast[100:110, 3:]), rtol=1e-12)
    np.testing.assert_allclose(ours[100:110, :3], own.apply(forecast[100:110, :3]), rtol=1e-12)


def test_a_class_gets_its_line_when_enough_of_its_funds_have_realised_and_not_before():
    forecast, label = panel(bias=0.01, n=200)
    grown = label.copy()
    label[:, 2] = NAN  # the third equity fund never realises
    grown[:100, 2] = NAN  # or its first label is that of session 100, which ends at 106
    without, later = corrected(forecast, label, min_class_funds=3), corrected(forecast, grown, min_class_funds=3)
    np.testing.assert_array_equal(later[:110], without[:110])
    own = fit_line(SessionSums.of(forecast[:105, :3], grown[:105, :3]), 6)
    np.testing.assert_allclose(later[110:120, :3], own.apply(forecast[110:120, :3]), rtol=1e-12)


def test_funds_count_once_and_the_unknown_are_never_a_class():
    classes = np.array(["equity", "equity", "alternative", "unknown", "unknown", "unknown"], dtype=object)
    seen = np.array([0, 0, 1, 2, 2, 2, 3, 4, 5])
    assert established_classes(classes, seen, 2) == {"equity"}
    assert established_classes(classes, seen[2:], 2) == frozenset()
    assert established_classes(classes, seen, 1) == {"equity", "alternative"}


def test_the_better_model_weighs_more_but_never_far_from_equal():
    np.testing.assert_allclose(inverse_error_weights(np.array([1.0, 3.0]), 0.5), [0.625, 0.375])
    np.testing.assert_allclose(inverse_error_weights(np.array([1.0, NAN]), 0.5), [0.5, 0.5])


def test_weights_rest_on_errors_that_had_ended_and_on_inner_folds_before():
    forecast, label = panel(n=100)
    worse = forecast + 0.05
    starts = np.arange(0, 100, 10)
    given = {"label_sessions": 6, "min_realised": 20, "shrinkage": 0.5}
    weights = ensemble_weights([forecast, worse], label, starts, [np.array([1.0, 3.0])] * 10, **given)
    np.testing.assert_allclose(weights[:20], np.tile([0.625, 0.375], (20, 1)))
    known = slice(0, 45)  # at session 50 the labels of sessions up to 44 have ended
    errors = np.array([((f[known] - label[known]) ** 2).mean() for f in (forecast, worse)])
    np.testing.assert_allclose(weights[50], inverse_error_weights(errors, 0.5), rtol=1e-10)
    poisoned = label.copy()
    poisoned[45:] = 1e3
    again = ensemble_weights([forecast, worse], poisoned, starts, [np.array([1.0, 3.0])] * 10, **given)
    np.testing.assert_array_equal(again[:60], weights[:60])
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-14)


def test_parameters_are_plain_and_frozen():
    with pytest.raises(AttributeError):
        ForecastParameters().seed = 1  # type: ignore[misc]
    assert replace(ForecastParameters(), horizon=5).label_sessions == 6
