"""What acting on the forecasts would have earned before costs, and every figure split by regime.

Wide arrays ``(n_sessions, n_assets)``; outcomes are returns over a horizon, so that neighbouring sessions overlap: their Sharpe
ratio is annualised by ``sqrt(252 / horizon)`` and its error is HAC.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats
from etf_pipeline.validation.ratios import RatioTest, ratio_test
from etf_pipeline.validation.significance import clustered_mean

MINIMUM_EFFECTIVE = 30.0
"""Fewer independent observations than this in a regime say `insufficient`."""


def rank_correlations(forecast: Floats, outcome: Floats) -> Floats:
    """Spearman correlation across funds, per session: `information_coefficient` on wide arrays.

    Parameters
    ----------
    forecast, outcome : ndarray of shape (n_sessions, n_assets)
        NaN on either side leaves the fund out of that session.

    Returns
    -------
    ndarray of shape (n_sessions,)
        Unknown under three funds or where either side is constant. [correlation]

    Examples
    --------
    >>> rank_correlations(np.array([[1.0, 2, 3, 4]]), np.array([[1.0, 3, 2, np.nan]])).tolist()
    [0.5]
    """
    f, y = _centred_ranks(*_both(forecast, outcome))
    n = (~np.isnan(f)).sum(axis=1)
    fy, ff, yy = (np.nansum(product, axis=1) for product in (f * y, f * f, y * y))
    scale = np.sqrt(ff * yy)
    return np.where((n >= 3) & (scale > 0), fy / np.where(scale > 0, scale, 1.0), np.nan)


def quantile_long_short(forecast: Floats, outcome: Floats, quantile: float = 0.2) -> Floats:
    """Mean outcome of the best-forecast funds less that of the worst, per session.

    Parameters
    ----------
    forecast, outcome : ndarray of shape (n_sessions, n_assets)
        NaN on either side leaves the fund out. [outcome: fraction per horizon]
    quantile : float
        Share of funds on each side, at most one half.

    Returns
    -------
    ndarray of shape (n_sessions,)
        Unknown where a side is empty. [fraction per horizon]

    Notes
    -----
    Long where the average rank among n is above ``n (1 - q) + 1/2``, short where it is below ``n q + 1/2``.
    """
    if not 0 < quantile <= 0.5:
        raise DataError(f"quantile_long_short needs a quantile above 0 and at most 0.5; found {quantile}.")
    f, y = _both(forecast, outcome)
    rank = _ranks(f)
    n = (~np.isnan(f)).sum(axis=1, keepdims=True)
    return _mean_where(y, rank > n * (1 - quantile) + 0.5) - _mean_where(y, rank < n * quantile + 0.5)


def sign_timed(forecast: Floats, outcome: Floats) -> Floats:
    """Mean over funds of the outcome held in the forecast's direction, per session. [fraction per horizon]"""
    f, y = _both(forecast, outcome)
    return _mean_where(np.sign(f) * y, ~np.isnan(f))


def prediction_sharpe(returns: Floats, horizon: int) -> RatioTest:
    """Annual Sharpe ratio of overlapping prediction returns with its HAC interval.

    Parameters
    ----------
    returns : ndarray of shape (n_sessions,)
        One return over `horizon` per session, NaN where unknown. [fraction per horizon]
    """
    return ratio_test(returns, horizon, annualiser=math.sqrt(SESSIONS_PER_YEAR / horizon))


def mean_by_regime(values: Floats, regimes: npt.NDArray[Any], horizon: int) -> pd.DataFrame:
    """A figure's mean in each regime, sessions as clusters, overlap counted.

    Parameters
    ----------
    values : ndarray of shape (n_sessions,) or (n_sessions, n_assets)
        One observation per session or cell, NaN where unknown: hits, ICs, drawdowns, returns.
    regimes : ndarray of shape (n_sessions,)
        Name of each session's state, as known at its close.
    horizon : int
        Sessions over which labels overlap.

    Returns
    -------
    DataFrame of shape (n_regimes, 7)
        By regime: mean, standard_error, ci_low, ci_high, n, n_effective, status. Under 30 effective observations the status is
        `insufficient` and the interval unknown.
    """
    x = np.asarray(values, dtype=np.float64)
    x = x.reshape(len(x), -1)
    rows = {}
    for name, inside in _states(regimes, len(x)):
        known = ~np.isnan(x) & inside[:, None]
        counts = known.sum(axis=1).astype(np.float64)
        rows[name] = _mean_row(np.where(known, x, 0.0).sum(axis=1), counts, horizon)
    return _table(rows, "mean")


def sharpe_by_regime(returns: Floats, regimes: npt.NDArray[Any], horizon: int) -> pd.DataFrame:
    """Annual Sharpe ratio of prediction returns in each regime: `mean_by_regime` with `sharpe` for the mean."""
    x = np.asarray(returns, dtype=np.float64)
    rows = {}
    for name, inside in _states(regimes, len(x)):
        test = prediction_sharpe(np.where(inside, x, np.nan), horizon)
        rows[name] = (test.ratio, test.standard_error, test.ci_low, test.ci_high, test.n, test.n_effective)
    return _table(rows, "sharpe")


def _mean_row(totals: Floats, counts: Floats, horizon: int) -> tuple[float, float, float, float, int, float]:
    if not counts.any():
        return (*(math.nan,) * 4, 0, 0.0)
    test = clustered_mean(totals, counts, horizon)
    return test.mean, test.standard_error, test.ci_low, test.ci_high, int(counts.sum()), test.n_effective


def _table(rows: Mapping[str, tuple[float, ...]], figure: str) -> pd.DataFrame:
    columns = [figure, "standard_error", "ci_low", "ci_high", "n", "n_effective"]
    table = pd.DataFrame.from_dict(dict(rows), orient="index", columns=columns).rename_axis("regime")
    enough = table["n_effective"] >= MINIMUM_EFFECTIVE
    table["status"] = np.where(enough, "ok", "insufficient")
    table[["standard_error", "ci_low", "ci_high"]] = table[["standard_error", "ci_low", "ci_high"]].where(enough)
    table["n"] = table["n"].astype("int64")
    return table


def _states(regimes: npt.NDArray[Any], n: int) -> list[tuple[str, npt.NDArray[np.bool_]]]:
    names = np.asarray(regimes, dtype=object)
    if names.shape != (n,):
        raise DataError(f"figures by regime need one state per session; found {names.shape} for {n} sessions.")
    return [(str(name), cast(npt.NDArray[np.bool_], names == name)) for name in sorted(set(names.tolist()))]


def _both(forecast: Floats, outcome: Floats) -> tuple[Floats, Floats]:
    f, y = np.asarray(forecast, dtype=np.float64), np.asarray(outcome, dtype=np.float64)
    if f.shape != y.shape or f.ndim != 2:
        raise DataError(f"forecasts and outcomes need one shape (n_sessions, n_assets); found {f.shape} and {y.shape}.")
    unknown = np.isnan(f) | np.isnan(y)
    return np.where(unknown, np.nan, f), np.where(unknown, np.nan, y)


def _ranks(x: Floats) -> Floats:
    return pd.DataFrame(x).rank(axis=1).to_numpy()


def _centred_ranks(f: Floats, y: Floats) -> tuple[Floats, Floats]:
    middle = (~np.isnan(f)).sum(axis=1, keepdims=True) / 2 + 0.5
    return _ranks(f) - middle, _ranks(y) - middle


def _mean_where(x: Floats, inside: npt.NDArray[np.bool_]) -> Floats:
    count = inside.sum(axis=1)
    return np.where(count > 0, np.where(inside, x, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)
