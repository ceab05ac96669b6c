"""The grid: every model at every horizon, over every walk-forward window, with expanding and rolling training spans."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline.forecasting.baselines import BASELINES
from etf_pipeline.forecasting.design import Design
from etf_pipeline.forecasting.lab.parameters import LabParameters
from etf_pipeline.forecasting.lab.pieces import PROGRESS
from etf_pipeline.forecasting.windows import WindowCache, WindowFit, fit_window
from etf_pipeline.panel import Floats
from etf_pipeline.validation import rank_correlations, walk_forward


@dataclass(frozen=True)
class Cell:
    """One line of the grid.

    Attributes
    ----------
    model : str
    horizon : int
        [sessions]
    scheme : str
        ``pooled`` or ``per_fund``.
    span : str
        ``expanding`` or ``rolling``.
    """

    model: str
    horizon: int
    scheme: str = "pooled"
    span: str = "expanding"

    def head(self) -> dict[str, Any]:
        """The key columns of the lab's tables."""
        return {"model": self.model, "horizon": self.horizon, "scheme": self.scheme, "span": self.span}


@dataclass(frozen=True)
class CellForecasts:
    """What a cell said out of sample.

    Attributes
    ----------
    cell : Cell
    forecast : ndarray of shape (n_sessions, n_assets)
        On the design's axes; NaN before the first window and where a fund is no member. [fraction per horizon]
    windows : DataFrame
        Rows of `lab_windows`; none for a baseline, which has no windows.
    """

    cell: Cell
    forecast: Floats
    windows: pd.DataFrame


def cells(p: LabParameters) -> list[Cell]:
    """Every line of the grid, baselines last of their horizon."""
    out = []
    for horizon in p.horizons:
        out += [Cell(model, horizon, "pooled", span) for model in p.models for span in p.spans]
        out += [Cell(m, horizon, "per_fund", p.spans[0]) for m in p.per_fund_models if horizon in p.per_fund_horizons]
        out += [Cell(name, horizon) for name in p.baselines]
    return out


def forecast_cells(designs: dict[int, Design], p: LabParameters, cache: WindowCache | None = None) -> Iterator[CellForecasts]:
    """Fit the grid, line by line; a window that was fitted on the same numbers before is read.

    Notes
    -----
    While history is shorter than the rolling span, both spans are the same numbers and are fitted once.
    """
    for cell in cells(p):
        design = designs[cell.horizon]
        yield _baseline(cell, design, p) if cell.model in BASELINES else _walked(cell, design, p, cache)


def _walked(cell: Cell, design: Design, p: LabParameters, cache: WindowCache | None) -> CellForecasts:
    parameters = p.forecast(cell.horizon, cell.span, cell.scheme)
    windows = walk_forward(design.sessions, parameters.windows)
    forecast, rows = np.full(design.label.shape, np.nan), []
    for window in windows:
        fit = fit_window(cell.model, window, design, parameters, cache)
        forecast[fit.test] = fit.forecast
        rows.append({**cell.head(), **_row(fit, design)})
        PROGRESS.info(
            "%s %s, %d sessions, %s: window %d of %d", cell.model, cell.scheme, cell.horizon, cell.span, len(rows), len(windows)
        )
    return CellForecasts(cell, forecast, pd.DataFrame(rows))


def _baseline(cell: Cell, design: Design, p: LabParameters) -> CellForecasts:
    first = walk_forward(design.sessions, p.forecast(cell.horizon).windows)[0].test_start
    out = np.where(design.member, BASELINES[cell.model](design), np.nan)
    out[:first] = np.nan
    return CellForecasts(cell, out, pd.DataFrame())


def _row(fit: WindowFit, design: Design) -> dict[str, Any]:
    window, label = fit.window, design.label[fit.train]
    sessions = design.sessions
    return {
        "window": window.number,
        "train_start": sessions[window.train_start],
        "train_end": sessions[window.train_stop - 1],
        "test_start": sessions[window.test_start],
        "test_end": sessions[window.test_stop - 1],
        "n_train": len(label),
        "in_sample_bias": float(np.mean(fit.in_sample - label)),
        "out_of_fold_bias": float(np.mean(fit.out_of_fold - label)),
        **scores(fit, design),
    }


def scores(fit: WindowFit, design: Design) -> dict[str, Any]:
    """How a window's forecasts did on the labels that have ended."""
    span = slice(fit.window.test_start, fit.window.test_stop)
    label, forecast = design.label[span], np.full(design.label[span].shape, np.nan)
    forecast[fit.test[0] - fit.window.test_start, fit.test[1]] = fit.forecast
    known = ~(np.isnan(forecast) | np.isnan(label))
    f, y = forecast[known], label[known]
    if not len(y):
        unknown = ("test_bias", "mse", "mse_zero", "information_coefficient", "hit_rate")
        return {"n_test": 0, **dict.fromkeys(unknown, np.nan)}
    ic = rank_correlations(forecast, label)
    return {
        "n_test": len(y),
        "test_bias": float(np.mean(f - y)),
        "mse": float(np.mean((f - y) ** 2)),
        "mse_zero": float(np.mean(y**2)),
        "information_coefficient": float(np.mean(ic[~np.isnan(ic)])) if (~np.isnan(ic)).any() else np.nan,
        "hit_rate": float(np.mean((f > 0) == (y > 0))),
    }
