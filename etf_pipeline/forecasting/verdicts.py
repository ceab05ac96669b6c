"""What one may conclude about bias: its interval under overlap, and whether correcting it lowered squared error."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.forecasting.tables import ForecastPanel
from etf_pipeline.forecasting.windows import WindowFit
from etf_pipeline.panel import Floats
from etf_pipeline.validation import clustered_mean, diebold_mariano, holm

SIZE = 0.05
"""Chance that any row of the table claims an improvement where there is none; the same for a deterioration."""

ENSEMBLE, ALL = "ensemble", "all"


def bias_table(panel: ForecastPanel, fits: dict[str, list[WindowFit]]) -> pd.DataFrame:
    """`forecast_bias`: one row per model (and the ensemble) and asset class (and all), where a label has ended.

    Notes
    -----
    Of twenty rows without any difference about one would claim some at 5 %: verdicts rest on Holm's correction for all rows.
    """
    forecasts = {name: (panel.raw[name], panel.corrected[name]) for name in panel.parameters.models}
    forecasts[ENSEMBLE] = (panel.ensemble(panel.raw), panel.ensemble(panel.corrected))
    first = panel.windows[0].test_start
    stop = max(len(panel.design.sessions) - panel.parameters.label_sessions, first)
    classes, label = panel.design.classes, panel.design.label[first:stop]
    rows = []
    for model, (raw, corrected) in forecasts.items():
        in_sample = _in_sample(panel, [f for name in fits if model in (name, ENSEMBLE) for f in fits[name]])
        for group in [ALL, *sorted(set(classes))]:
            funds = np.ones(len(classes), dtype=bool) if group == ALL else classes == group
            judged = judge(raw[first:stop, funds], corrected[first:stop, funds], label[:, funds], panel.parameters.horizon)
            if judged:
                head = {"model": model, "asset_class": group, "horizon": panel.parameters.horizon}
                rows.append({**head, "in_sample_bias": in_sample.get(group, math.nan), **judged})
    return with_verdicts(pd.DataFrame(rows, columns=_COLUMNS))


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


def judge(raw: Floats, corrected: Floats, label: Floats, horizon: int) -> dict[str, Any]:
    """Bias before and after, its 95 % interval, and a one-sided Diebold-Mariano test on identical rows.

    Parameters
    ----------
    raw, corrected, label : ndarray of shape (n_sessions, n_assets)
        Contiguous sessions whose labels have ended; rows count where all three are known.

    Returns
    -------
    dict
        Columns of `forecast_bias` from `n` to `dm_p_value`; empty where nothing can be judged.
    """
    known = ~(np.isnan(raw) | np.isnan(corrected) | np.isnan(label))
    n = int(known.sum())
    if n == 0:
        return {}

    def total(values: Floats) -> Floats:
        return np.asarray(np.where(known, values, 0.0).sum(axis=1))

    counts = known.sum(axis=1).astype(np.float64)
    before, after = total((raw - label) ** 2), total((corrected - label) ** 2)
    bias = clustered_mean(total(raw - label), counts, horizon)
    gain = diebold_mariano(before, after, horizon, counts=counts)
    return {
        "n": n,
        "n_effective": bias.n_effective,
        "out_of_fold_bias": bias.mean,
        "standard_error": bias.standard_error,
        "ci_low": bias.ci_low,
        "ci_high": bias.ci_high,
        "corrected_bias": float(total(corrected - label).sum() / n),
        "mse_raw": float(before.sum() / n),
        "mse_corrected": float(after.sum() / n),
        "dm_p_value": gain.p_positive,
    }


def _in_sample(panel: ForecastPanel, fits: list[WindowFit]) -> dict[str, float]:
    """The plan's figure per asset class: mean of forecast less label over all training rows of all windows."""
    errors = np.concatenate([fit.in_sample - panel.design.label[fit.train] for fit in fits])
    groups: npt.NDArray[Any] = np.concatenate([panel.design.classes[fit.train[1]] for fit in fits])
    out = {str(g): float(errors[groups == g].mean()) for g in set(groups)}
    return {**out, ALL: float(errors.mean())}


_COLUMNS = [
    "model",
    "asset_class",
    "horizon",
    "n",
    "n_effective",
    "in_sample_bias",
    "out_of_fold_bias",
    "standard_error",
    "ci_low",
    "ci_high",
    "corrected_bias",
    "mse_raw",
    "mse_corrected",
    "dm_p_value",
]
