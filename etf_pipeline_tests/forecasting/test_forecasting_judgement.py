"""What is concluded from forecasts before and after correction: every figure by hand, and what chance makes of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from etf_pipeline.forecasting import ForecastParameters, walk_forward_forecasts
from etf_pipeline.forecasting.bias import SessionSums, correct, fit_line
from etf_pipeline.forecasting.design import build_design
from etf_pipeline.forecasting.judgement import judge, session_draws
from etf_pipeline.forecasting.windows import fit_window
from etf_pipeline.measures import stationary_indices
from etf_pipeline.validation import bandwidth, diebold_mariano, robust_pesaran_timmermann, walk_forward
from etf_pipeline_tests.prove import forecast_bias_study


@pytest.fixture(scope="module")
def panel() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Forecasts that are 1.3 % too high, and what is left of that once corrected; some rows unknown on each side."""
    rng = np.random.default_rng(8)
    label = 0.01 + 0.03 * rng.standard_normal((300, 6))
    raw = 0.02 + 0.3 * label + 0.02 * rng.standard_normal((300, 6))
    corrected = raw - 0.013 - 0.002 * rng.standard_normal((1, 6))
    raw[rng.random((300, 6)) < 0.05] = np.nan
    label[-4:] = np.nan
    label[:, 5] = np.where(np.arange(300) < 200, np.nan, label[:, 5])
    return raw, corrected, label


def test_every_figure_is_taken_over_the_rows_that_both_forecasts_share(panel):
    raw, corrected, label = panel
    found = judge(raw, corrected, label, 5)
    known = ~np.isnan(raw * corrected * label)
    y = label[known]
    for which, forecast in (("raw", raw), ("corrected", corrected)):
        f = forecast[known]
        assert found[f"mse_{which}"] == pytest.approx(np.mean((f - y) ** 2), rel=1e-12)
        assert found[f"hit_rate_{which}"] == pytest.approx(np.mean(np.sign(f) == np.sign(y)), rel=1e-12)
        daily = [spearmanr(forecast[t, k], label[t, k])[0] for t, k in enumerate(known) if k.sum() >= 3]
        assert found[f"ic_{which}"] == pytest.approx(np.mean(daily), rel=1e-9)
        assert found[f"icir_{which}"] == pytest.approx(np.mean(daily) / np.std(daily, ddof=1), rel=1e-9)
        assert found[f"pt_p_value_{which}"] == pytest.approx(
            robust_pesaran_timmermann(np.where(known, forecast, np.nan), label, 5).p_positive, rel=1e-9
        )
    assert found["n"] == known.sum()
    assert found["corrected_bias"] == pytest.approx(np.mean(corrected[known] - y), rel=1e-12)
    assert found["dm_p_value"] < 1e-3


def test_draws_count_the_sessions_of_the_stationary_bootstrap():
    draws = session_draws(200, 5, seed=3, resamples=40)
    drawn = stationary_indices(200, bandwidth(200, 5), 40, 3)
    np.testing.assert_array_equal(draws, [np.bincount(row, minlength=200) for row in drawn])
    assert not np.array_equal(session_draws(200, 5, seed=4, resamples=40), draws)


def test_the_interval_of_the_gain_is_that_of_resampled_sessions(panel):
    raw, corrected, label = panel
    found = judge(raw, corrected, label, 5, session_draws(300, 5, seed=3, resamples=200))
    gain, known = (raw - label) ** 2 - (corrected - label) ** 2, ~np.isnan(raw * corrected * label)
    means = [
        np.nansum(np.where(known, gain, 0.0)[rows]) / known[rows].sum()
        for rows in stationary_indices(300, bandwidth(300, 5), 200, 3)
    ]
    low, high = np.quantile(means, [0.025, 0.975])
    assert (found["mse_gain_low"], found["mse_gain_high"]) == pytest.approx((low, high), rel=1e-10)
    assert found["mse_gain_low"] < found["mse_raw"] - found["mse_corrected"] < found["mse_gain_high"]


def test_the_interval_of_the_gain_covers_and_agrees_with_the_test_of_it():
    # A correction by a known bias of three standard errors: the true gain is the bias squared. Of 60 intervals at 95 % fewer
    # than 50 cover once in 400 seeds.
    rng, covered = np.random.default_rng(5), 0
    draws = session_draws(400, 5, seed=3, resamples=300)
    for _ in range(60):
        shocks = rng.standard_normal((404, 3))
        label = np.stack([shocks[k : k + 400] for k in range(5)]).sum(axis=0)
        found = judge(label * 0 + 0.5, label * 0, label, 5, draws)
        covered += found["mse_gain_low"] <= 0.25 <= found["mse_gain_high"]
    assert 50 <= covered <= 60


def test_a_forecast_that_never_varies_has_neither_rank_nor_timing_and_zero_has_no_sign(panel):
    _, corrected, label = panel
    found = judge(np.zeros(label.shape), np.full(label.shape, 0.01), label, 5)
    for figure in ("ic_raw", "icir_raw", "hit_rate_raw", "pt_p_value_raw", "ic_corrected", "pt_p_value_corrected"):
        assert np.isnan(found[figure]), figure
    assert found["hit_rate_corrected"] == pytest.approx(np.mean(label[~np.isnan(label)] > 0))
    assert judge(corrected * np.nan, corrected, label, 5) == {}


def test_without_draws_the_interval_is_unknown(panel):
    assert np.isnan(judge(*panel, 5)["mse_gain_low"])


def short(bias: float, n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """So few sessions that a line's t, and with it how far it corrects, depends on the overlap that is assumed."""
    rng = np.random.default_rng(seed)
    forecast = 0.01 + 0.02 * rng.standard_normal((n, 5))
    walk = np.cumsum(0.01 * rng.standard_normal((n + 4, 1)), axis=0)
    return forecast, forecast - bias + walk[4:] - walk[:-4] + 0.01 * rng.standard_normal((n, 5))


def test_thinned_inner_folds_overlap_over_as_many_of_their_sessions_as_a_label_reaches():
    # Labels of 7 sessions, every second one kept: a label reaches into the fourth after it (3.5 rounded up).
    warm = (SessionSums.of(*short(0.01, 40)), {})
    forecast, label = short(0.01, 60, seed=2)
    groups, settings = np.full(5, "equity", dtype=object), {"label_sessions": 7, "min_realised": 100, "min_class_funds": 2}
    ours = correct(forecast, label, groups, np.array([0]), [warm], train_every=2, **settings)
    lines = {overlap: fit_line(warm[0], overlap).apply(forecast) for overlap in (3, 4, 5, 7)}
    np.testing.assert_array_equal(ours, lines[4])
    for wrong in (3, 5, 7):
        assert np.abs(ours - lines[wrong]).max() > 1e-5


@pytest.mark.parametrize(("sessions", "own"), [(49, False), (50, True)])
def test_thinned_inner_folds_need_fewer_sessions_for_a_class_of_its_own(sessions, own):
    everyone, bonds = SessionSums.of(*short(0.01, 80)), SessionSums.of(*short(-0.03, sessions, seed=3))
    forecast, label = short(0.01, 60, seed=2)
    ours = correct(
        forecast,
        label,
        np.full(5, "bond", dtype=object),
        np.array([0]),
        [(everyone, {"bond": bonds})],
        train_every=2,
        label_sessions=6,
        min_realised=100,
        min_class_funds=2,
    )
    np.testing.assert_array_equal(ours, fit_line(bonds if own else everyone, 3).apply(forecast))


def test_the_first_forecasts_are_corrected_by_inner_folds_at_their_own_overlap(predictable, quick):
    p = replace(quick, models=("ridge",), horizon=10, min_class_funds=99)
    made = walk_forward_forecasts(**predictable, parameters=p).members
    design = build_design(**predictable, parameters=p)
    window = walk_forward(design.sessions, p.windows)[0]
    fit = fit_window("ridge", window, design, p)
    shape = (len(design.sessions), len(design.tickers))
    forecast, label = np.full(shape, np.nan), np.full(shape, np.nan)
    forecast[fit.train], label[fit.train] = fit.out_of_fold, design.label[fit.train]
    kept = np.unique(fit.train[0])
    sums = SessionSums.of(forecast[kept], label[kept])
    first = made[made["session"] == design.sessions[window.test_start]]
    lines = {overlap: fit_line(sums, overlap).apply(first["raw_forecast"].to_numpy()) for overlap in (5, 6, 11)}
    np.testing.assert_allclose(first["forecast"], lines[6], rtol=1e-9)  # 11 sessions, every second one kept
    assert all(np.abs(lines[wrong] - lines[6]).max() > 1e-7 for wrong in (5, 11))


def test_a_known_correction_is_seen_at_half_the_t_of_the_bias():
    # The derivation at the head of the study: the same errors, once as a bias and once as what taking it out gains.
    bias, (forecast, label) = 0.01, forecast_bias_study.simulate(np.random.default_rng(0), 0.01, 21)
    of_bias = judge(forecast, forecast - bias, label, 21)
    t = of_bias["out_of_fold_bias"] / of_bias["standard_error"]
    losses = [((f - label) ** 2).sum(axis=1) for f in (forecast, forecast - bias)]
    gain = diebold_mariano(*losses, 21, counts=np.full(len(label), float(label.shape[1])))
    # 2 b (e - b / 2) over 2 b SE: half a bias less in the numerator, whatever the draw
    assert gain.t == pytest.approx(t - bias / (2 * of_bias["standard_error"]), rel=1e-9)
    seen = forecast_bias_study.expected_oracle_power(0.005, 0.0040, 21)
    assert 0.10 < seen < 0.20


@pytest.mark.parametrize("horizon", [5, 63])
def test_the_interval_covers_and_nothing_is_claimed_at_other_horizons(horizon):
    # As at 21 sessions: forty draws, of which fewer than 34 cover once in 800 seeds.
    found = forecast_bias_study.study(draws=40, seed=2, horizons=(horizon,))
    assert found[f"coverage_{horizon}"] >= 34 / 40
    assert found[f"false_claims_{horizon}"] <= 6 / 40


def test_horizons_are_other_parameters_and_other_tables(predictable, quick):
    ridge = replace(quick, models=("ridge",), baselines=())
    longer = walk_forward_forecasts(**predictable, parameters=replace(ridge, horizon=10))
    for table in (longer.members, longer.forecasts, longer.bias):
        assert (table["horizon"] == 10).all()
    assert not longer.errors["realised_return"].equals(
        walk_forward_forecasts(**predictable, parameters=ridge).errors["realised_return"]
    )
    assert ForecastParameters().horizon == 21
    assert isinstance(longer.bias, pd.DataFrame)
