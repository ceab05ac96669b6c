"""Did what the adjustments favoured do better afterwards? The record session by session, and a verdict on it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.macro.replays import EVENTS, PARTS, ReplayParameters, tilt
from etf_pipeline.panel import Floats
from etf_pipeline.regression import newey_west_lags, ols

RECORD_COLUMNS = ["session", "part", "ic", "funds", "vintage", "settled", "available_at"]
PATIENCE = 10
"""Sessions beyond the horizon for funds that rest or trade elsewhere; what a fund returned later is unknown. [sessions]"""


def macro_record(adjustments: pd.DataFrame, returns: pd.DataFrame, parameters: ReplayParameters | None = None) -> pd.DataFrame:
    """Rank correlation of adjustments with the returns that followed, at each month's end and in each event's sessions.

    Parameters
    ----------
    adjustments, returns : DataFrame
        `macro_adjustments` and `fct_returns`.
    parameters : ReplayParameters, optional
        Defaults where omitted.

    Returns
    -------
    DataFrame
        `macro_record`: three rows per session that is settled: `horizon` and ten more sessions of the main exchange are over.

    Notes
    -----
    Spearman's correlation over the funds whose `horizon` rows after the session ended by then. Nothing after `settled` changes a
    row, so that a night makes the rows of that night.
    """
    p = parameters or ReplayParameters()
    judged = _judged(adjustments, returns, p)
    rows = adjustments[adjustments["session"].isin(judged.index)]
    if rows.empty:
        return pd.DataFrame(columns=RECORD_COLUMNS)
    rows = rows.sort_values(["session", "ticker"], kind="stable").reset_index(drop=True)
    after = _outcomes(rows, returns, judged["settled"], p.horizon)
    groups = rows.groupby("session").indices
    latest = (rows["vintage"] == "latest").to_numpy()
    told = []
    for part, columns in PARTS.items():
        favoured = tilt(rows, columns).to_numpy(dtype=np.float64)
        for session, at in groups.items():
            ic, funds = rank_correlation(favoured[at], after[at], p.min_funds)
            told.append((session, part, ic, funds, "latest" if latest[at].any() else "first"))
    made = pd.DataFrame(told, columns=RECORD_COLUMNS[:5])
    return made.merge(judged.reset_index(), on="session")[RECORD_COLUMNS]


def _judged(adjustments: pd.DataFrame, returns: pd.DataFrame, p: ReplayParameters) -> pd.DataFrame:
    """Sessions of the record, with the session and the instant at which each is settled."""
    present = pd.DatetimeIndex(np.sort(adjustments["session"].unique()))
    if not len(present) or returns.empty:
        return pd.DataFrame({"settled": [], "available_at": []}, index=pd.DatetimeIndex([], name="session"))
    main = calendars.sessions(p.exchange, present[0] - pd.Timedelta(days=10), returns["session"].max())
    inside = np.zeros(len(present), dtype=bool)
    for event in EVENTS:
        inside |= np.asarray((present >= pd.Timestamp(event.start)) & (present <= pd.Timestamp(event.end)))
    wanted = present[inside].union(calendars.month_ends(present.intersection(main), p.exchange))
    place = main.searchsorted(wanted, side="right") - 1 + p.horizon + PATIENCE
    over = place < len(main)
    settled = main[place[over]]
    known = {"settled": settled, "available_at": calendars.closes(p.exchange, settled).to_numpy()}
    frame = pd.DataFrame(known, index=pd.DatetimeIndex(wanted[over], name="session"))
    return frame.assign(available_at=pd.to_datetime(frame["available_at"], utc=True))


def _outcomes(rows: pd.DataFrame, returns: pd.DataFrame, settled: pd.Series[Any], horizon: int) -> Floats:
    """Return of each row's fund from the open after its session, unknown where it ends after the session is settled."""
    codes, tickers = pd.factorize(returns["ticker"], sort=True)
    days = returns["session"].to_numpy(dtype="datetime64[D]").astype(np.int64)
    order = np.lexsort((days, codes))
    key = codes[order].astype(np.int64) * 10**6 + days[order]
    fund = pd.Index(tickers).get_indexer(pd.Index(rows["ticker"]))
    day = rows["session"].to_numpy(dtype="datetime64[D]").astype(np.int64)
    limit = settled.reindex(rows["session"]).to_numpy(dtype="datetime64[D]").astype(np.int64)
    at = np.searchsorted(key, fund * 10**6 + day)
    first, last = (np.minimum(at + step, len(key) - 1) for step in (1, horizon))
    found = (fund >= 0) & (key[np.minimum(at, len(key) - 1)] == fund * 10**6 + day) & (at + horizon < len(key))
    found &= (key[last] // 10**6 == fund) & (key[last] % 10**6 <= limit)
    opened, closed = (returns[name].to_numpy(dtype=np.float64)[order] for name in ("index_open", "index_close"))
    return np.where(found, closed[last] / opened[first] - 1.0, np.nan)


def rank_correlation(x: Floats, y: Floats, min_funds: int) -> tuple[float, int]:
    """Spearman's over what both know, and how many; unknown where one of them is the same for all.

    Examples
    --------
    >>> rank_correlation(np.array([1.0, 2.0, 3.0, np.nan]), np.array([0.1, 0.3, 0.2, 0.4]), 3)
    (0.5, 3)
    """
    both = np.isfinite(x) & np.isfinite(y)
    n = int(both.sum())
    if n < min_funds:
        return math.nan, n
    a, b = (pd.Series(v[both]).rank().to_numpy(dtype=np.float64) for v in (x, y))
    a, b = a - a.mean(), b - b.mean()
    size = math.sqrt(float(a @ a) * float(b @ b))
    return (float(a @ b) / size if size > 0 else math.nan), n


def macro_skill(record: pd.DataFrame, parameters: ReplayParameters | None = None) -> pd.DataFrame:
    """Mean rank correlation between adjustments and the returns that followed, over all months' ends and in each event.

    Parameters
    ----------
    record : DataFrame
        `macro_record`.
    parameters : ReplayParameters, optional
        Defaults where omitted.

    Returns
    -------
    DataFrame
        `macro_skill`, one row per scope and part.

    Notes
    -----
    The error of the mean correlation is Newey and West's: over months' ends with the usual lags, over an event's sessions
    with `horizon` lags, since returns overlap. ``n_effective = n / horizon`` there, and an event alone is always too short
    to decide. Where inputs are known only in their final revision, even a significant figure supports no claim:
    `claim_allowed` says so.
    """
    p = parameters or ReplayParameters()
    days = pd.DatetimeIndex(np.sort(record["session"].unique()))
    main = days.intersection(calendars.sessions(p.exchange, days[0], days[-1])) if len(days) else days
    scopes = {"all": (calendars.month_ends(main, p.exchange), 1.0)}
    for event in EVENTS:
        inside = days[(days >= pd.Timestamp(event.start)) & (days <= pd.Timestamp(event.end))]
        scopes[event.name] = inside, float(p.horizon)
    told = [
        {"scope": scope, "part": part} | _mean(record[(record["part"] == part) & record["session"].isin(at)], overlap, p)
        for scope, (at, overlap) in scopes.items()
        for part in PARTS
    ]
    return pd.DataFrame(told)


def _mean(rows: pd.DataFrame, overlap: float, p: ReplayParameters) -> dict[str, object]:
    found = rows.sort_values("session")["ic"].to_numpy(dtype=np.float64)
    found = found[np.isfinite(found)]
    n, latest = len(found), bool((rows["vintage"] == "latest").any())
    error = math.nan
    if n > 2:
        lags = newey_west_lags(n) if overlap == 1.0 else min(int(overlap), n - 1)
        error = float(ols(found, np.ones((n, 1)), lags=lags, correct=True).errors[0])
    mean = float(found.mean()) if n else math.nan
    t = mean / error if error > 0 else math.nan
    figures = {"mean_ic": mean, "error": error, "t": t, "n": n, "n_effective": n / overlap}
    verdict = _verdict(t, n / overlap, p)
    return figures | {"verdict": verdict, "vintage": "latest" if latest else "first", "claim_allowed": not latest}


def _verdict(t: float, n_effective: float, p: ReplayParameters) -> str:
    if n_effective < p.min_effective or math.isnan(t):
        return "insufficient"
    return "no_skill" if abs(t) < 1.96 else "skill" if t > 0 else "wrong_way"
