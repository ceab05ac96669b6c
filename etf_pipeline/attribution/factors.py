"""Returns explained by priced factors, with loadings that were estimated before the month they explain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.attribution.brinson import common
from etf_pipeline.attribution.linking import has_logarithm, linked
from etf_pipeline.attribution.parameters import BILL, FactorParameters
from etf_pipeline.panel import Floats, wide
from etf_pipeline.regression import ols

SPECIFIC = "specific"

COLUMNS = [
    "strategy", "benchmark", "month", "factor", "value", "error", "loading", "loading_error", "portfolio_return",
    "benchmark_return", "link", "available_at",
]  # fmt: skip


def factor_contributions(ledger: pd.DataFrame, factors: pd.DataFrame, parameters: FactorParameters) -> pd.DataFrame:
    """What factors explain of every strategy's monthly return over each benchmark.

    Parameters
    ----------
    ledger : DataFrame
        `backtest_ledger`: columns `session`, `strategy`, `cost_basis`, `daily_return`.
    factors : DataFrame
        `raw_factors`: columns `session`, `factor`, `value`, `available_at`.
    parameters : FactorParameters

    Returns
    -------
    DataFrame
        `factor_attribution`: months whose every session has all factors and which `window` such sessions precede. A month's
        contributions sum to its active return to 1e-12.

    Notes
    -----
    Per session ``r - b = sum_k beta_k f_k + specific``, where the active loadings ``beta`` are those of ``r - b`` on the factors
    over the sessions before the month, with an intercept and Newey-West errors. Loadings of the same month would explain chance.
    Sessions are linked by Carino's coefficients; the error of a contribution is its loading's times the linked factor return.
    """
    net = ledger[ledger["cost_basis"] == "net"]
    library = _Library.of(factors, parameters.factors)
    tracks = {
        str(name): pd.Series(rows["daily_return"].to_numpy(dtype=np.float64), index=pd.DatetimeIndex(rows["session"])).iloc[1:]
        for name, rows in net.sort_values("session").groupby("strategy", observed=True, sort=True)
    }
    tracks[BILL] = library.bill
    frames = [
        _monthly(track, tracks[other], library, parameters).assign(strategy=name, benchmark=other)
        for other in parameters.names()
        if other in tracks
        for name, track in tracks.items()
        if name not in (other, BILL)
    ]
    kept = [frame for frame in frames if len(frame)]
    return pd.concat(kept, ignore_index=True)[COLUMNS] if kept else pd.DataFrame(columns=COLUMNS)


def explained(active: Floats, factors: Floats, loadings: Floats) -> Floats:
    """Contributions of single sessions: loading times return of each factor, and what they leave.

    Parameters
    ----------
    active : ndarray of shape (n_sessions,)
        Return over the benchmark. [fraction]
    factors : ndarray of shape (n_sessions, n_factors)
        [fraction]
    loadings : ndarray of shape (n_factors,)
        [ratio]

    Returns
    -------
    ndarray of shape (n_sessions, n_factors + 1)
        Each row sums to the active return. [fraction]

    Examples
    --------
    >>> explained(np.array([0.02]), np.array([[0.01]]), np.array([1.5])).round(6).tolist()
    [[0.015, 0.005]]
    """
    daily = factors * loadings
    return np.column_stack([daily, active - daily.sum(axis=1)])


class _Library:
    """Factor returns on the sessions that have all of them, and since when each session was known."""

    def __init__(self, sessions: pd.DatetimeIndex, values: Floats, bill: Floats, known: pd.Series[Any], names: tuple[str, ...]):
        self.sessions, self.values, self.known, self.names = sessions, values, known, names
        self.bill = pd.Series(bill, index=sessions)

    @classmethod
    def of(cls, factors: pd.DataFrame, names: tuple[str, ...]) -> _Library:
        rows = factors[factors["factor"].isin([*names, "RF"])]
        sessions = pd.DatetimeIndex(np.sort(rows["session"].unique()))
        table = wide(rows.rename(columns={"factor": "ticker"}), "value", sessions, pd.Index([*names, "RF"]))
        whole = np.flatnonzero(np.isfinite(table).all(axis=1))
        known = rows.groupby("session")["available_at"].max().reindex(sessions[whole])
        return cls(sessions[whole], table[whole, :-1], table[whole, -1], known, names)


def _monthly(track: pd.Series[float], other: pd.Series[float], library: _Library, parameters: FactorParameters) -> pd.DataFrame:
    days, mine, theirs = common(pd.DatetimeIndex(track.index), pd.DatetimeIndex(other.index))
    months = _whole_months(days, library.sessions, parameters)
    own, base = track.to_numpy()[mine], other.to_numpy()[theirs]
    position = library.sessions.get_indexer(days)
    parts = []
    for month, start, stop in months:
        before, inside = slice(start - parameters.window, start), slice(start, stop)
        if not has_logarithm(own[inside], base[inside]):
            continue
        design = np.column_stack([np.ones(parameters.window), library.values[position[before]]])
        fit = ols((own - base)[before], design)
        values = library.values[position[inside]]
        parts.append(_month(month, own[inside], base[inside], values, (fit.coefficients[1:], fit.errors[1:]), library))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _whole_months(
    days: pd.DatetimeIndex, known: pd.DatetimeIndex, parameters: FactorParameters
) -> list[tuple[pd.Period, int, int]]:
    """Months that are over, and whose every session and the `window` sessions before have factors: first row, end row."""
    ends = np.flatnonzero(days.isin(calendars.month_ends(days, parameters.exchange))) + 1
    has, window = days.isin(known), parameters.window
    starts = np.r_[0, ends[:-1]] if len(ends) else ends
    return [
        (days[int(b) - 1].to_period("M"), int(a), int(b))
        for a, b in zip(starts, ends, strict=True)
        if a >= window and has[a - window : b].all()
    ]


def _month(
    month: pd.Period, own: Floats, base: Floats, factors: Floats, loadings: tuple[Floats, Floats], library: _Library
) -> pd.DataFrame:
    beta, error = loadings
    values, link = linked(np.column_stack([explained(own - base, factors, beta), factors]), own, base)
    n = len(beta)
    return pd.DataFrame(
        {
            "month": month.start_time,
            "factor": [*library.names, SPECIFIC],
            "value": values[: n + 1],
            "error": np.append(np.abs(values[n + 1 :]) * error, np.nan),
            "loading": np.append(beta, np.nan),
            "loading_error": np.append(error, np.nan),
            "portfolio_return": np.prod(1.0 + own) - 1.0,
            "benchmark_return": np.prod(1.0 + base) - 1.0,
            "link": link,
            "available_at": library.known[month.start_time : month.end_time].max(),
        }
    )
