"""Bias at other horizons: what the night's own function says of them, one table."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from etf_pipeline.forecasting import ForecastParameters, walk_forward_forecasts
from etf_pipeline.orchestration.config import default_parameters
from etf_pipeline.schemas import TABLES, from_arrow


def test_the_demo_run_judges_every_model_and_baseline_at_both_horizons(demo) -> None:
    made = from_arrow(demo.read("lab_bias"))
    assert set(made["horizon"]) == {5, 63}
    assert {"lightgbm_rf", "ridge", "ensemble", "historical_mean", "zero"} <= set(made["model"])
    night = from_arrow(demo.read("forecast_bias"))
    assert set(night["horizon"]) == {21}
    assert list(made.columns) == list(night.columns)


def test_a_horizon_is_judged_as_the_night_would_judge_it(demo) -> None:
    names = ("features", "fct_returns", "universe_membership", "dim_etf")
    frames = [from_arrow(demo.read(name)) for name in names]
    parameters = replace(default_parameters(ForecastParameters, "lab_bias", "demo"), horizon=5)
    alone = from_arrow(TABLES["forecast_bias"].to_arrow(walk_forward_forecasts(*frames, parameters).bias))
    made = from_arrow(demo.read("lab_bias"))
    pd.testing.assert_frame_equal(made[made["horizon"] == 5].reset_index(drop=True), alone)
