"""Were the adjustments of any use? Two crises replayed fund by fund, and the rank correlation with what came after."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.panel import Floats, wide
from etf_pipeline.regression import newey_west_lags, ols

REPLAY_COLUMNS = [
    "event",
    "ticker",
    "title",
    "before",
    "peak",
    "after",
    "macro_before",
    "geo_before",
    "macro_peak",
    "geo_peak",
    "macro_after",
    "geo_after",
    "rank_before",
    "rank_peak",
    "rank_after",
    "move",
    "return_following",
    "macro_as_of",
    "geo_as_of",
    "vintage",
    "reason",
]
PARTS = {"macro": ["macro_multiplier"], "geopolitics": ["geo_multiplier"], "both": ["macro_multiplier", "geo_multiplier"]}
"""What is judged: each multiplier, and their product."""


@dataclass(frozen=True)
class Event:
    """A window of the past.

    Attributes
    ----------
    name, title : str
    start, end : str
        First and last day. [ISO date]
    source : str
        Where the dates come from.
    """

    name: str
    title: str
    start: str
    end: str
    source: str


EVENTS: tuple[Event, ...] = (
    Event(
        "covid_2020",
        "COVID-19 crash and first recovery",
        "2020-02-14",
        "2020-04-30",
        "NBER, business cycle peak of February and trough of April 2020, announced 2020-06-08 and 2021-07-19",
    ),
    Event(
        "ukraine_2022",
        "Russian invasion of Ukraine",
        "2022-02-01",
        "2022-04-29",
        "United Nations General Assembly, resolution ES-11/1 of 2022-03-02 on the invasion of 2022-02-24",
    ),
)


@dataclass(frozen=True)
class ReplayParameters:
    """How adjustments are judged.

    Attributes
    ----------
    exchange : str
        Main exchange, whose months' ends are judged.
    horizon : int
        Sessions of the return that follows, from the open after the adjustment. [sessions]
    min_funds : int
        Fewer funds have no rank correlation. [count]
    min_effective : float
        Fewer independent dates decide nothing. [count]
    """

    exchange: str = "XNYS"
    horizon: int = 21
    min_funds: int = 5
    min_effective: float = 24.0


def macro_replays(adjustments: pd.DataFrame, returns: pd.DataFrame, parameters: ReplayParameters | None = None) -> pd.DataFrame:
    """Multipliers of each fund before, at the peak of and after each event, and the return that followed the peak.

    Parameters
    ----------
    adjustments : DataFrame
        `macro_adjustments`.
    returns : DataFrame
        `fct_returns`.
    parameters : ReplayParameters, optional
        Defaults where omitted.

    Returns
    -------
    DataFrame
        `macro_replays`; no rows for an event outside the data.

    Notes
    -----
    `before` and `after` are the event's first and last session; `peak` is the session on which the logarithms of both
    multipliers' product had moved furthest from there, in the mean over funds. Rank 1 is the most favoured. `move` is the
    change of the product's logarithm to the peak.
    """
    p = parameters or ReplayParameters()
    frames = [_replay(event, adjustments, returns, p) for event in EVENTS]
    made = [frame for frame in frames if len(frame)]
    return pd.concat(made, ignore_index=True) if made else pd.DataFrame(columns=REPLAY_COLUMNS)


def macro_skill(adjustments: pd.DataFrame, returns: pd.DataFrame, parameters: ReplayParameters | None = None) -> pd.DataFrame:
    """Rank correlation across funds between an adjustment and the return that followed, over all months' ends and in each event.

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
    sessions = pd.DatetimeIndex(np.sort(adjustments["session"].unique()))
    rows = [_judge("all", calendars.month_ends(_main(sessions, p), p.exchange), 1.0, adjustments, returns, p)]
    for event in EVENTS:
        inside = sessions[(sessions >= pd.Timestamp(event.start)) & (sessions <= pd.Timestamp(event.end))]
        rows.append(_judge(event.name, inside, float(p.horizon), adjustments, returns, p))
    return pd.concat(rows, ignore_index=True)


def following(returns: pd.DataFrame, horizon: int) -> pd.Series[Any]:
    """Return of each fund from the open after a session to the close `horizon` sessions after it, in the row order of `returns`.

    Examples
    --------
    >>> rows = pd.DataFrame({"session": pd.to_datetime(["2024-01-02", "2024-01-03", "2024-01-04"]), "ticker": "SPY",
    ...                      "index_open": [1.0, 1.0, 1.1], "index_close": [1.0, 1.05, 1.2]})
    >>> following(rows, 2).round(6).tolist()
    [0.2, nan, nan]
    """
    ordered = returns.sort_values(["ticker", "session"], kind="stable")
    funds = ordered.groupby("ticker", sort=False)
    gained = funds["index_close"].shift(-horizon) / funds["index_open"].shift(-1) - 1.0
    return gained.reindex(returns.index)


def _main(sessions: pd.DatetimeIndex, p: ReplayParameters) -> pd.DatetimeIndex:
    if not len(sessions):
        return sessions
    return sessions.intersection(calendars.sessions(p.exchange, sessions[0], sessions[-1]))


def _replay(event: Event, adjustments: pd.DataFrame, returns: pd.DataFrame, p: ReplayParameters) -> pd.DataFrame:
    rows = adjustments[adjustments["session"].between(pd.Timestamp(event.start), pd.Timestamp(event.end))]
    rows = rows.assign(tilt=_tilt(rows, PARTS["both"]))
    counts = rows.groupby("session")["tilt"].count()
    days = counts.index[counts >= p.min_funds]
    if len(days) < 3:
        return pd.DataFrame(columns=REPLAY_COLUMNS)
    start = rows[rows["session"] == days[0]].set_index("ticker")["tilt"]
    moved = (rows["tilt"] - rows["ticker"].map(start)).abs().groupby(rows["session"]).mean()
    moments = {"before": days[0], "peak": moved.loc[days].idxmax(), "after": days[-1]}
    out = rows[rows["session"] == moments["peak"]].set_index("ticker")
    out = out[["macro_as_of", "geo_as_of", "vintage", "reason"]].assign(event=event.name, title=event.title, **moments)
    tilts = {}
    for name, day in moments.items():
        at = rows[rows["session"] == day].set_index("ticker")
        out[f"macro_{name}"] = at["macro_multiplier"].reindex(out.index)
        out[f"geo_{name}"] = at["geo_multiplier"].reindex(out.index)
        tilts[name] = at["tilt"].reindex(out.index)
        out[f"rank_{name}"] = at["tilt"].rank(ascending=False, method="average").reindex(out.index)
    out["move"] = tilts["peak"] - tilts["before"]
    near = returns[returns["session"].between(moments["peak"], moments["peak"] + pd.Timedelta(days=3 * p.horizon))]
    gained = near.assign(gained=following(near, p.horizon))
    out["return_following"] = gained[gained["session"] == moments["peak"]].set_index("ticker")["gained"].reindex(out.index)
    return pd.DataFrame(out.reset_index()[REPLAY_COLUMNS])


def _tilt(rows: pd.DataFrame, columns: list[str]) -> pd.Series[Any]:
    """Logarithm of the product of some multipliers."""
    total = pd.Series(0.0, index=rows.index)
    for name in columns:
        total = total + np.log(rows[name])
    return total


def _judge(
    scope: str,
    days: pd.DatetimeIndex,
    overlap: float,
    adjustments: pd.DataFrame,
    returns: pd.DataFrame,
    p: ReplayParameters,
) -> pd.DataFrame:
    """Mean rank correlation over some days for each part."""
    rows = adjustments[adjustments["session"].isin(days)]
    tickers = pd.Index(np.sort(rows["ticker"].unique()))
    gained = returns.loc[returns["ticker"].isin(tickers), ["session", "ticker", "index_open", "index_close"]]
    after = wide(gained.assign(gained=following(gained, p.horizon)), "gained", days, tickers)
    latest = bool((rows["vintage"] == "latest").any())
    told = []
    for part, columns in PARTS.items():
        tilt = wide(rows.assign(tilt=_tilt(rows, columns)), "tilt", days, tickers)
        told.append({"scope": scope, "part": part} | _mean_correlation(tilt, after, overlap, p))
    return pd.DataFrame(told).assign(vintage="latest" if latest else "first", claim_allowed=not latest)


def _mean_correlation(tilt: Floats, after: Floats, overlap: float, p: ReplayParameters) -> dict[str, object]:
    found = np.array([_rank_correlation(x, y, p.min_funds) for x, y in zip(tilt, after, strict=True)], dtype=np.float64)
    found = found[np.isfinite(found)]
    n = len(found)
    error = math.nan
    if n > 2:
        lags = newey_west_lags(n) if overlap == 1.0 else min(int(overlap), n - 1)
        error = float(ols(found, np.ones((n, 1)), lags=lags, correct=True).errors[0])
    mean = float(found.mean()) if n else math.nan
    t = mean / error if error > 0 else math.nan
    return {"mean_ic": mean, "error": error, "t": t, "n": n, "n_effective": n / overlap, "verdict": _verdict(t, n / overlap, p)}


def _verdict(t: float, n_effective: float, p: ReplayParameters) -> str:
    if n_effective < p.min_effective or math.isnan(t):
        return "insufficient"
    return "no_skill" if abs(t) < 1.96 else "skill" if t > 0 else "wrong_way"


def _rank_correlation(x: Floats, y: Floats, min_funds: int) -> float:
    """Spearman's, over what both know; unknown where one of them is the same for all."""
    both = np.isfinite(x) & np.isfinite(y)
    if both.sum() < min_funds:
        return math.nan
    a, b = (pd.Series(v[both]).rank().to_numpy(dtype=np.float64) for v in (x, y))
    a, b = a - a.mean(), b - b.mean()
    size = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / size if size > 0 else math.nan
