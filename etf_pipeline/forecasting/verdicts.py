"""What one may conclude about bias: its interval under overlap, and whether correcting it lowered squared error."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.forecasting.judgement import judge, session_draws
from etf_pipeline.forecasting.tables import ForecastPanel
from etf_pipeline.forecasting.windows import WindowFit
from etf_pipeline.panel import Floats
from etf_pipeline.schemas import TABLES
from etf_pipeline.validation import holm

SIZE = 0.05
"""Chance that any row of the table claims an improvement where there is none; the same for a deterioration."""

ENSEMBLE, ALL = "ensemble", "all"
VERDICTS = ("dm_p_adjusted", "verdict")


def bias_table(panel: ForecastPanel, fits: dict[str, list[WindowFit]]) -> pd.DataFrame:
    """`forecast_bias`: one row per model (and the ensemble) and asset class (and all), where a label has ended.

    Notes
    -----
    Of twenty rows without any difference about one would claim some at 5 %: verdicts rest on Holm's correction for all rows.
    Even a known bias is seen at no more than half its own t, b / (2 SE): `no_difference` is the usual verdict on biases that
    decades of overlapping labels can hardly tell from zero.
    """
    first = panel.windows[0].test_start
    stop = max(len(panel.design.sessions) - panel.parameters.label_sessions, first)
    classes, label, horizon = panel.design.classes, panel.design.label[first:stop], panel.parameters.horizon
    draws = session_draws(stop - first, horizon, panel.parameters.seed) if stop > first else None
    rows = []
    for model, (raw, corrected) in _judged(panel).items():
        members = panel.parameters.models if model == ENSEMBLE else (model,)
        in_sample = _in_sample(panel, [fit for name in members for fit in fits[name]])
        for group in [ALL, *sorted(set(classes))]:
            funds = np.ones(len(classes), dtype=bool) if group == ALL else classes == group
            figures = judge(raw[first:stop, funds], corrected[first:stop, funds], label[:, funds], horizon, draws)
            if figures:
                head = {"model": model, "asset_class": group, "horizon": horizon}
                rows.append({**head, "in_sample_bias": in_sample.get(group, math.nan), **figures})
    return with_verdicts(pd.DataFrame(rows, columns=[c for c in TABLES["forecast_bias"].columns if c not in VERDICTS]))


def with_verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """Add the p-values corrected for all rows, and the verdicts that rest on them.

    Parameters
    ----------
    table : DataFrame of shape (n_rows, ...)
        With `dm_p_value`, one-sided for an improvement.
    """
    better = holm(table["dm_p_value"].to_numpy(dtype=np.float64))
    worse = holm(1.0 - table["dm_p_value"].to_numpy(dtype=np.float64))
    verdict = np.where(better < SIZE, "improved", np.where(worse < SIZE, "worse", "no_difference"))
    return table.assign(dm_p_adjusted=better, verdict=verdict)


def _judged(panel: ForecastPanel) -> dict[str, tuple[Floats, Floats]]:
    """Forecasts before and after correction, of every model, every baseline and the ensemble."""
    out = {name: (panel.raw[name], panel.corrected[name]) for name in panel.parameters.judged}
    return {**out, ENSEMBLE: (panel.ensemble(panel.raw), panel.ensemble(panel.corrected))}


def _in_sample(panel: ForecastPanel, fits: list[WindowFit]) -> dict[str, float]:
    """The plan's figure per asset class: mean of forecast less label over all training rows of all windows."""
    errors = np.concatenate([fit.in_sample - panel.design.label[fit.train] for fit in fits])
    groups: npt.NDArray[Any] = np.concatenate([panel.design.classes[fit.train[1]] for fit in fits])
    out = {str(g): float(errors[groups == g].mean()) for g in set(groups)}
    return {**out, ALL: float(errors.mean())}
