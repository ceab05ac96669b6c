"""Combinatorial purged cross-validation of a model: one figure per path through history, so that luck has a width."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from etf_pipeline.forecasting.design import Design
from etf_pipeline.forecasting.lab.parameters import LabParameters
from etf_pipeline.forecasting.lab.pieces import PROGRESS, Array, cells_of, content, fit_and_forecast, kept, key_of, thinned
from etf_pipeline.forecasting.parameters import ForecastParameters
from etf_pipeline.forecasting.windows import WindowCache
from etf_pipeline.panel import Floats
from etf_pipeline.validation import (
    CombinatorialParameters,
    CombinatorialSplit,
    backtest_paths,
    clustered_mean,
    combinatorial_purged,
    hits,
    mean_by_regime,
    prediction_sharpe,
    quantile_long_short,
    rank_correlations,
    ratio_test,
    sign_timed,
)


def combinatorial_paths(design: Design, p: LabParameters, cache: WindowCache | None = None) -> pd.DataFrame:
    """`lab_paths`: every model's figures on every path.

    Notes
    -----
    Folds are cut from whole steps of the walk-forward: sessions since the last one wait, so that a night moves no boundary and
    fits nothing anew. Forecasts within a fold are of every session; training is thinned as everywhere.
    """
    parameters = p.forecast(p.cpcv_horizon)
    splits, positions = purged_splits(design, p)
    rows: list[dict[str, Any]] = []
    for model in p.cpcv_models:
        outcomes = []
        for number, split in enumerate(splits):
            outcomes.append(_forecasts(model, split, design, parameters, cache))
            PROGRESS.info("%s, %d sessions: combinatorial split %d of %d", model, p.cpcv_horizon, number + 1, len(splits))
        for path, forecast in enumerate(backtest_paths(splits, outcomes, positions)):
            head = {"model": model, "horizon": p.cpcv_horizon, "path": path}
            rows += [{**head, **figure} for figure in path_figures(forecast, design.label[positions], p)]
    return pd.DataFrame(rows)


def purged_splits(design: Design, p: LabParameters) -> tuple[list[CombinatorialSplit], Array]:
    """The splits and the sessions that they are cut from."""
    parameters = p.forecast(p.cpcv_horizon)
    steps = (len(design.sessions) - parameters.label_sessions) // p.step
    positions = np.arange(steps * p.step)
    cut = CombinatorialParameters(p.cpcv_folds, p.cpcv_test_folds, parameters.label_sessions, p.embargo)
    return combinatorial_purged(positions, cut), positions


def path_figures(forecast: Floats, label: Floats, p: LabParameters) -> list[dict[str, Any]]:
    """Skill on one path, by the names of `metrics.METRICS`."""
    horizon = p.cpcv_horizon
    ic = rank_correlations(forecast, label)
    icir = ratio_test(ic, horizon)
    spread = prediction_sharpe(quantile_long_short(forecast, label, p.quantile), horizon)
    timed = prediction_sharpe(sign_timed(forecast, label), horizon)
    right = mean_by_regime(hits(forecast, label), np.full(len(label), "all", dtype=object), horizon).loc["all"]
    known = ~(np.isnan(forecast) | np.isnan(label))
    lost, zero = (np.where(known, x**2, 0.0).sum(axis=1) for x in (forecast - label, label))
    error = clustered_mean(lost, zero, horizon)
    mean_ic = float(np.mean(ic[~np.isnan(ic)])) if (~np.isnan(ic)).any() else np.nan
    figures = {
        "hit_rate": (right["mean"], right["n"], right["n_effective"]),
        "mean_ic": (mean_ic, icir.n, icir.n_effective),
        "icir": (icir.ratio, icir.n, icir.n_effective),
        "sharpe_long_short": (spread.ratio, spread.n, spread.n_effective),
        "sharpe_sign_timed": (timed.ratio, timed.n, timed.n_effective),
        "mse_ratio_to_zero": (error.mean, int(known.sum()), error.n_effective),
    }
    return [
        {"metric": name, "value": float(value), "n": int(n), "n_effective": float(effective)}
        for name, (value, n, effective) in figures.items()
    ]


def _forecasts(
    model: str, split: CombinatorialSplit, design: Design, parameters: ForecastParameters, cache: WindowCache | None
) -> list[Floats]:
    """Forecasts of each tested fold, wide on its own sessions."""
    train = cells_of(thinned(split.train, parameters.train_every), design, ended=True)
    tests = np.concatenate(split.tests)
    test = cells_of(tests, design, ended=False)
    key = key_of(model, parameters, content(design, train, labels=True), content(design, test, labels=False))
    piece = kept(
        cache,
        "lab_split",
        key,
        lambda: pa.table({"prediction": fit_and_forecast(model, parameters, design, train, test)}),
    )
    wide = np.full(design.label.shape, np.nan)
    wide[test] = piece["prediction"].to_numpy()
    return [wide[fold] for fold in split.tests]
