"""Wide forecasts to the room's long tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.forecasting.design import Design
from etf_pipeline.forecasting.parameters import ForecastParameters
from etf_pipeline.forecasting.windows import WindowFit
from etf_pipeline.panel import Floats
from etf_pipeline.validation import Window, hits, information_coefficient


@dataclass(frozen=True)
class ForecastPanel:
    """Everything that the tables are made of; arrays are (n_sessions, n_assets) on the design's axes.

    Attributes
    ----------
    raw, corrected : dict of ndarray
        Forecasts by model; NaN where none was made. [fraction per horizon]
    weights : ndarray of shape (n_sessions, n_models)
        Ensemble weights in the order of the models. [fraction]
    """

    design: Design
    windows: list[Window]
    raw: dict[str, Floats]
    corrected: dict[str, Floats]
    weights: Floats
    parameters: ForecastParameters

    def ensemble(self, forecasts: dict[str, Floats]) -> Floats:
        """Weighted sum over models, in their order."""
        out = np.zeros(self.design.label.shape)
        for k, name in enumerate(self.parameters.models):
            out += self.weights[:, k, None] * forecasts[name]
        return out

    def cells(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """(session, fund) positions of every forecast."""
        rows, funds = np.nonzero(~np.isnan(self.raw[self.parameters.models[0]]))
        return rows, funds

    def head(self, rows: npt.NDArray[np.intp], funds: npt.NDArray[np.intp]) -> pd.DataFrame:
        """The key columns at given cells."""
        return pd.DataFrame({"session": self.design.sessions[rows], "ticker": self.design.tickers[funds]})


def member_forecasts(panel: ForecastPanel) -> pd.DataFrame:
    """`member_forecasts`, sorted by model, ticker and session."""
    rows, funds = panel.cells()
    number = np.zeros(len(panel.design.sessions), dtype=np.int64)
    for window in panel.windows:
        number[window.test_start : window.test_stop] = window.number
    frames = [
        panel.head(rows, funds).assign(
            model=name,
            horizon=panel.parameters.horizon,
            window=number[rows],
            raw_forecast=panel.raw[name][rows, funds],
            forecast=panel.corrected[name][rows, funds],
            weight=panel.weights[rows, k],
        )
        for k, name in enumerate(panel.parameters.models)
    ]
    return _sorted(pd.concat(frames), ["model", "ticker", "session"])


def forecasts(panel: ForecastPanel) -> pd.DataFrame:
    """`forecasts`, sorted by ticker and session."""
    rows, funds = panel.cells()
    stacked = np.stack([panel.corrected[name][rows, funds] for name in panel.parameters.models])
    frame = panel.head(rows, funds).assign(
        horizon=panel.parameters.horizon,
        raw_forecast=panel.ensemble(panel.raw)[rows, funds],
        expected_return=panel.ensemble(panel.corrected)[rows, funds],
        spread=stacked.max(axis=0) - stacked.min(axis=0),
    )
    return _sorted(frame, ["ticker", "session"])


def realised_errors(panel: ForecastPanel) -> pd.DataFrame:
    """`realised_errors`: forecasts whose label has ended, visible from the close of its last session."""
    rows, funds = panel.cells()
    ended = ~np.isnan(panel.design.label[rows, funds])
    rows, funds = rows[ended], funds[ended]
    label = panel.design.label[rows, funds]
    closes = calendars.closes(panel.parameters.exchange, panel.design.sessions)
    frame = panel.head(rows, funds).assign(
        realised_return=label,
        raw_error=panel.ensemble(panel.raw)[rows, funds] - label,
        error=panel.ensemble(panel.corrected)[rows, funds] - label,
        available_at=closes.iloc[rows + panel.parameters.label_sessions].reset_index(drop=True),
    )
    return _sorted(frame, ["ticker", "session"])


def forecast_windows(panel: ForecastPanel, fits: dict[str, list[WindowFit]]) -> pd.DataFrame:
    """`forecast_windows`: bias by the plan's formula, out of fold and in the test, with error, rank correlation and hits."""
    rows = []
    for name, model_fits in fits.items():
        for fit in model_fits:
            rows.append({"model": name, "window": fit.window.number, **_span(fit, panel.design), **_judged(fit, panel.design)})
    return _sorted(pd.DataFrame(rows), ["model", "window"])


def _span(fit: WindowFit, design: Design) -> dict[str, Any]:
    window, label = fit.window, design.label[fit.train]
    return {
        "train_start": design.sessions[window.train_start],
        "train_end": design.sessions[window.train_stop - 1],
        "test_start": design.sessions[window.test_start],
        "test_end": design.sessions[window.test_stop - 1],
        "n_train": len(label),
        "in_sample_bias": float(np.mean(fit.in_sample - label)),
        "out_of_fold_bias": float(np.mean(fit.out_of_fold - label)),
    }


def _judged(fit: WindowFit, design: Design) -> dict[str, Any]:
    label = design.label[fit.test]
    ended = ~np.isnan(label)
    y, f = label[ended], fit.forecast[ended]
    if not len(y):
        unknown = ("test_bias", "mse", "mse_zero", "information_coefficient", "hit_rate")
        return {"n_test": 0, **dict.fromkeys(unknown, np.nan)}
    right = hits(f, y)
    ic = information_coefficient(pd.Series(f), pd.Series(y), pd.Series(fit.test[0][ended]))
    return {
        "n_test": len(y),
        "test_bias": float(np.mean(f - y)),
        "mse": float(np.mean((f - y) ** 2)),
        "mse_zero": float(np.mean(y**2)),
        "information_coefficient": float(ic.mean()),
        "hit_rate": float(np.mean(right[~np.isnan(right)])) if np.any(~np.isnan(right)) else np.nan,
    }


def _sorted(frame: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    return frame.sort_values(key, kind="stable").reset_index(drop=True)
