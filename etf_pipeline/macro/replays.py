"""Two crises replayed: what the adjustments said of each fund before, at the peak and after, and what it returned then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

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
    "settled",
]
SPAN = 3
"""Calendar days, per session of the horizon, after which a return that has not ended is unknown."""
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


def longest_event() -> int:
    """Calendar days from the first day of an event to its last, of the longest one."""
    return max((pd.Timestamp(event.end) - pd.Timestamp(event.start)).days for event in EVENTS)


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
    change of the product's logarithm to the peak. Nothing after `settled` changes a row.
    """
    p = parameters or ReplayParameters()
    frames = [_replay(event, adjustments, returns, p) for event in EVENTS]
    made = [frame for frame in frames if len(frame)]
    return pd.concat(made, ignore_index=True) if made else pd.DataFrame(columns=REPLAY_COLUMNS)


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


def _replay(event: Event, adjustments: pd.DataFrame, returns: pd.DataFrame, p: ReplayParameters) -> pd.DataFrame:
    rows = adjustments[adjustments["session"].between(pd.Timestamp(event.start), pd.Timestamp(event.end))]
    rows = rows.assign(tilt=tilt(rows, PARTS["both"]))
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
    near = returns[returns["session"].between(moments["peak"], moments["peak"] + pd.Timedelta(days=SPAN * p.horizon))]
    gained = near.assign(gained=following(near, p.horizon))
    out["return_following"] = gained[gained["session"] == moments["peak"]].set_index("ticker")["gained"].reindex(out.index)
    settled = pd.Timestamp(event.end) + pd.Timedelta(days=SPAN * p.horizon)
    return pd.DataFrame(out.reset_index().assign(settled=settled)[REPLAY_COLUMNS])


def tilt(rows: pd.DataFrame, columns: list[str]) -> pd.Series[Any]:
    """Logarithm of the product of some multipliers."""
    total = pd.Series(0.0, index=rows.index)
    for name in columns:
        total = total + np.log(rows[name])
    return total
