"""From tables to forecasts, in five steps.

1. The panel is ranked and labelled (`design`).
2. Each model is fitted in each walk-forward window and forecasts what follows (`windows`).
3. At the first session of each block, errors that have realised by then give the correction line (`bias`).
4. The same errors, corrected, weigh the models (`ensemble`).
5. Long tables and what one may conclude from them (`tables`, `verdicts`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.forecasting import tables
from etf_pipeline.forecasting.bias import SessionSums, correct
from etf_pipeline.forecasting.design import Design, build_design, established_classes
from etf_pipeline.forecasting.ensemble import ensemble_weights
from etf_pipeline.forecasting.parameters import ForecastParameters
from etf_pipeline.forecasting.verdicts import bias_table
from etf_pipeline.forecasting.windows import WindowCache, WindowFit, fit_window
from etf_pipeline.panel import Floats
from etf_pipeline.validation import Window, walk_forward

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ForecastResult:
    """The room's five tables.

    Attributes
    ----------
    members : DataFrame
        `member_forecasts`: every model's forecast, before and after correction, with its weight.
    forecasts : DataFrame
        `forecasts`: the ensemble.
    errors : DataFrame
        `realised_errors`.
    windows : DataFrame
        `forecast_windows`.
    bias : DataFrame
        `forecast_bias`; without rows until the first label has ended.
    """

    members: pd.DataFrame
    forecasts: pd.DataFrame
    errors: pd.DataFrame
    windows: pd.DataFrame
    bias: pd.DataFrame


def walk_forward_forecasts(
    features: pd.DataFrame,
    returns: pd.DataFrame,
    membership: pd.DataFrame,
    reference: pd.DataFrame,
    parameters: ForecastParameters | None = None,
    cache: WindowCache | None = None,
) -> ForecastResult:
    """Forecast every member at every session after the first training span, by what was known at its close.

    Parameters
    ----------
    features, returns, membership, reference : DataFrame
        `features`, `fct_returns`, `universe_membership` and `dim_etf`.
    cache : WindowCache, optional
        Reuses windows whose inputs and settings are the same; results do not depend on it.

    Returns
    -------
    ForecastResult

    Raises
    ------
    DataError
        If there are no members, or not enough sessions for one window.
    """
    p = parameters or ForecastParameters()
    design = build_design(features, returns, membership, reference, p)
    windows = walk_forward(design.sessions, p.windows)
    fits = {name: [fit_window(name, window, design, p, cache) for window in windows] for name in p.judged}
    raw = {name: _scatter(fits[name], design) for name in p.judged}
    corrected, weights = correct_and_weigh(raw, fits, windows, design, p)
    panel = tables.ForecastPanel(design, windows, raw, corrected, weights, p)
    return ForecastResult(
        members=tables.member_forecasts(panel),
        forecasts=tables.forecasts(panel),
        errors=tables.realised_errors(panel),
        windows=tables.forecast_windows(panel, fits),
        bias=bias_table(panel, fits),
    )


def correct_and_weigh(
    raw: dict[str, Floats],
    fits: dict[str, list[WindowFit]],
    windows: list[Window],
    design: Design,
    p: ForecastParameters,
) -> tuple[dict[str, Floats], Floats]:
    """Corrected forecasts of everything judged and the models' weights, on the design's axes; NaN before the first forecast."""
    first = windows[0].test_start
    blocks = [(start, w.number) for w in windows for start in range(w.test_start, w.test_stop, p.estimate_every)]
    starts = np.array([start - first for start, _ in blocks])
    label = design.label[first:]
    corrected, warm_errors = {}, {}
    for name in p.judged:
        per_window = [_fold_sums(fit, design, p.min_class_funds) for fit in fits[name]]
        corrected[name] = np.full(design.label.shape, np.nan)
        corrected[name][first:] = correct(
            raw[name][first:],
            label,
            design.classes,
            starts,
            [per_window[number] for _, number in blocks],
            label_sessions=p.label_sessions,
            train_every=p.train_every,
            min_realised=p.min_realised,
            min_class_funds=p.min_class_funds,
        )
        warm_errors[name] = [float(s.squared_error.sum() / s.n.sum()) for s, _ in per_window]
    weights = np.full((len(design.sessions), len(p.models)), np.nan)
    weights[first:] = ensemble_weights(
        [corrected[name][first:] for name in p.models],
        label,
        starts,
        [np.array([warm_errors[name][number] for name in p.models]) for _, number in blocks],
        label_sessions=p.label_sessions,
        min_realised=p.min_realised,
        shrinkage=p.shrink_weights,
    )
    return corrected, weights


def _scatter(fits: list[WindowFit], design: Design) -> Floats:
    out = np.full(design.label.shape, np.nan)
    for fit in fits:
        out[fit.test] = fit.forecast
    return out


def _fold_sums(fit: WindowFit, design: Design, min_class_funds: int) -> tuple[SessionSums, dict[str, SessionSums]]:
    """Inner-fold forecasts and labels summed per training session, over all funds and per established asset class."""
    sessions, rows = np.unique(fit.train[0], return_inverse=True)
    forecast = np.full((len(sessions), len(design.tickers)), np.nan)
    label = forecast.copy()
    forecast[rows, fit.train[1]] = fit.out_of_fold
    label[rows, fit.train[1]] = design.label[fit.train]
    established = sorted(established_classes(design.classes, fit.train[1], min_class_funds))
    groups = {g: SessionSums.of(forecast[:, design.classes == g], label[:, design.classes == g]) for g in established}
    return SessionSums.of(forecast, label), groups
