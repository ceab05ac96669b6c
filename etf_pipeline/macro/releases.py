"""One series, release by release: its base, its state, and where that stands in everything released before."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline.macro.dimensions import Input
from etf_pipeline.panel import Floats

MEAN_DAYS = 30
"""Span of the mean in `mean_log`. [calendar days]"""


def released(series: pd.DataFrame, source: Input, min_years: float) -> pd.DataFrame:
    """Base, state and z-score of a series at each of its releases.

    Parameters
    ----------
    series : DataFrame
        Rows of `stg_macro` of one series: `period`, `value`, `available_at`.
    source : Input
        Transform.
    min_years : float
        Span of states before the first z-score. [years]

    Returns
    -------
    DataFrame
        Columns `period`, `released_at`, `value`, `base` (with the input's sign), `state`, `scale` and `z`, one row per release
        that brought a period at least as new as all before, in order of release.

    Notes
    -----
    ``z_k = (x_k - mean(x_1..x_k)) / sd(x_1..x_k)`` over releases, `sd` with ddof 1. Moments expand: what comes later changes no
    row. Lags are by calendar: the value of the newest period that is at least so many months older, as known at the release.
    """
    ordered = series.sort_values(["available_at", "period"], kind="stable").drop_duplicates("available_at", keep="last")
    ordered = ordered[ordered["period"] >= ordered["period"].cummax()].reset_index(drop=True)
    out = ordered[["period", "value"]].assign(released_at=ordered["available_at"])
    out["base"] = source.sign * _base(out, source)
    out["state"] = out["base"] - lagged(out, "base", source.change) if source.change else out["base"]
    mean, scale = expanding_moments(out["state"].to_numpy(dtype=np.float64))
    known = out["state"].notna()
    first = out["period"].where(known).cummin().ffill()
    young = (out["period"] - first) < pd.Timedelta(days=round(365.25 * min_years))
    out["scale"] = np.where(young | first.isna(), np.nan, scale)
    out["z"] = (out["state"] - mean) / out["scale"].where(out["scale"] > 0)
    return out


def lagged(rows: pd.DataFrame, column: str, months: int) -> pd.Series[Any]:
    """A column's value for the newest period at least `months` older, among rows before.

    Examples
    --------
    >>> rows = pd.DataFrame({"period": pd.to_datetime(["2020-01-01", "2020-02-01", "2020-03-01"]), "x": [1.0, 2.0, 4.0]})
    >>> lagged(rows, "x", 1).tolist()
    [nan, 1.0, 2.0]
    """
    wanted = (pd.DatetimeIndex(rows["period"]) - pd.DateOffset(months=months)).to_numpy()
    periods, values = rows["period"].to_numpy(), rows[column].to_numpy(dtype=np.float64)
    place = np.searchsorted(periods, wanted, side="right") - 1  # a period told twice: its newest row, unless that is later
    late = place >= np.arange(len(rows))
    found = np.where((place < 0) | late, np.nan, values[np.maximum(place, 0)])
    age = (wanted - periods[np.maximum(place, 0)]) / np.timedelta64(1, "D")
    return pd.Series(np.where(age > MEAN_DAYS + 1, np.nan, found), index=rows.index)


def expanding_moments(values: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation (ddof 1) of the known values up to each place; unknown values are passed over.

    Sums are of distances from the first known value, so that a large level costs no digits.

    Examples
    --------
    >>> mean, sd = expanding_moments(np.array([1.0, np.nan, 3.0]))
    >>> mean.tolist(), sd.round(6).tolist()
    ([1.0, 1.0, 2.0], [nan, nan, 1.414214])
    """
    known = np.isfinite(values)
    origin = values[known][0] if known.any() else 0.0
    distance = np.where(known, values - origin, 0.0)
    n = np.cumsum(known).astype(np.float64)
    total, squares = np.cumsum(distance), np.cumsum(distance * distance)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / n
        variance = np.maximum(squares - n * mean * mean, 0.0) / (n - 1.0)
    return np.where(n > 0, mean + origin, np.nan), np.where(n > 1, np.sqrt(np.where(n > 1, variance, 0.0)), np.nan)


def _base(rows: pd.DataFrame, source: Input) -> pd.Series[Any]:
    value = rows["value"].astype(np.float64)
    if source.base == "mean_log":
        value = _recent_mean(rows)
    if source.base in ("log", "mean_log"):
        value = pd.Series(np.log(value.where(value > 0)), index=rows.index)
    if source.growth:
        value = value - lagged(rows.assign(base=value), "base", source.growth)
    return value


def _recent_mean(rows: pd.DataFrame) -> pd.Series[Any]:
    """Mean of the releases of the last 30 days of periods, each window summed afresh."""
    periods, values = rows["period"].to_numpy(), rows["value"].to_numpy(dtype=np.float64)
    starts = np.searchsorted(periods, periods - np.timedelta64(MEAN_DAYS - 1, "D"), side="left")
    means = [values[start : end + 1].mean() for end, start in enumerate(starts)]
    return pd.Series(means, index=rows.index, dtype=np.float64)
