"""Forecasts before and after correction on identical rows: bias, squared error, ranking and direction, each with its error."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from etf_pipeline.measures import percentile_interval, stationary_indices
from etf_pipeline.panel import Floats
from etf_pipeline.validation import (
    bandwidth,
    clustered_mean,
    diebold_mariano,
    hits,
    rank_correlations,
    ratio_test,
    robust_pesaran_timmermann,
)

RESAMPLES = 1000


def session_draws(n: int, horizon: int, seed: int, resamples: int = RESAMPLES) -> Floats:
    """How often each session comes up in resamples by the stationary bootstrap [1]_.

    Parameters
    ----------
    n, horizon : int
        Sessions, and over how many labels overlap; blocks are as long as the HAC kernel is wide. [sessions]

    Returns
    -------
    ndarray of shape (resamples, n)
        Rows sum to n. Totals over resamples are one matrix product, for however many figures. [count]

    References
    ----------
    .. [1] D. Politis, J. Romano, "The stationary bootstrap," J. American Statistical Association 89 (428), 1994.
       doi:10.1080/01621459.1994.10476870
    """
    drawn = stationary_indices(n, float(bandwidth(n, horizon)), resamples, seed)
    places = drawn + n * np.arange(resamples, dtype=np.int64)[:, None]
    return np.bincount(places.ravel(), minlength=resamples * n).reshape(resamples, n).astype(np.float64)


def judge(raw: Floats, corrected: Floats, label: Floats, horizon: int, draws: Floats | None = None) -> dict[str, Any]:
    """Every figure before and after correction, with its error under overlap.

    Parameters
    ----------
    raw, corrected, label : ndarray of shape (n_sessions, n_assets)
        Contiguous sessions whose labels have ended; rows count where all three are known.
    draws : ndarray of shape (resamples, n_sessions), optional
        As `session_draws` gives them; without, the bootstrap interval is unknown.

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
    low, high = _resampled(before - after, counts, draws)
    outcome = np.where(known, label, np.nan)
    return {
        "n": n,
        "n_effective": bias.n_effective,
        "out_of_fold_bias": bias.mean,
        "standard_error": bias.standard_error,
        "ci_low": bias.ci_low,
        "ci_high": bias.ci_high,
        "corrected_bias": float(total(corrected - label).sum() / n),
        **_skill(raw, outcome, horizon, "raw"),
        **_skill(corrected, outcome, horizon, "corrected"),
        "mse_raw": float(before.sum() / n),
        "mse_corrected": float(after.sum() / n),
        "mse_gain_low": low,
        "mse_gain_high": high,
        "dm_p_value": diebold_mariano(before, after, horizon, counts=counts).p_positive,
    }


def _skill(forecast: Floats, outcome: Floats, horizon: int, which: str) -> dict[str, float]:
    """Ranking across funds, and direction against independence; unknown where a forecast says neither."""
    ic, right = rank_correlations(forecast, outcome), hits(forecast, outcome)
    calls = bool(np.any(~np.isnan(right)))
    return {
        f"ic_{which}": float(np.nanmean(ic)) if np.any(~np.isnan(ic)) else math.nan,
        f"icir_{which}": ratio_test(ic, horizon).ratio,
        f"hit_rate_{which}": float(np.nanmean(right)) if calls else math.nan,
        f"pt_p_value_{which}": robust_pesaran_timmermann(forecast, outcome, horizon).p_positive if calls else math.nan,
    }


def _resampled(gain: Floats, counts: Floats, draws: Floats | None) -> tuple[float, float]:
    """95 % interval of the mean gain per row."""
    if draws is None:
        return math.nan, math.nan
    rows = draws @ counts
    low, high = percentile_interval(np.divide(draws @ gain, rows, out=np.full(len(rows), np.nan), where=rows > 0))
    return float(low), float(high)
