"""Membership: a fund's bar passes the screens in the order of `REASONS`, and the first that fails is the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.errors import DataError
from etf_pipeline.schemas.universe import REASONS

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ScreenParameters:
    """Who may be a member.

    Attributes
    ----------
    exchange : str
        Main exchange; funds listed elsewhere have rows but are no members.
    allow_geared : bool
        Whether leveraged and inverse products may be members.
    min_history : int
        Bars that a fund needs. [sessions]
    window : int
        Length of the means of volume and traded value. [sessions]
    min_volume : float
        Mean volume, where volume is in the shares of its day. [shares]
    min_traded_value : float
        Mean traded value, where AUM is unknown or volume is in later shares. [listing currency]
    min_aum : float
        Latest published assets under management. [USD]
    max_aum_age : int
        Older AUM counts as unknown. [calendar days]
    stale_sessions : int
        Bars in a row without any trade that make a fund stale. [sessions]
    min_presence : float
        Bars over exchange sessions, along the last `window` bars, below which a fund is stale. [fraction]
    min_price : float
        Lowest close, where prices are raw. [listing currency]
    """

    exchange: str = "XNYS"
    allow_geared: bool = False
    min_history: int = 252
    window: int = 20
    min_volume: float = 10_000.0
    min_traded_value: float = 1_000_000.0
    min_aum: float = 10_000_000.0
    max_aum_age: int = 400
    stale_sessions: int = 5
    min_presence: float = 0.5
    min_price: float = 1.0


def membership(
    prices: pd.DataFrame, aum: pd.DataFrame, reference: pd.DataFrame, parameters: ScreenParameters | None = None
) -> pd.DataFrame:
    """Member or not, with the first screen that failed, for each bar.

    Parameters
    ----------
    prices : DataFrame
        `fct_prices`.
    aum : DataFrame
        `stg_aum`; may be empty.
    reference : DataFrame
        `dim_etf`, of which inception and gearing are read: facts that do not change over a fund's life.

    Returns
    -------
    DataFrame
        `universe_membership`, one row per row of `prices`, sorted by ticker and session.

    Raises
    ------
    DataError
        If a (ticker, session) has two bars.

    Notes
    -----
    `not_listed` is a bar before the fund's inception (a reused ticker's earlier owner) or of a fund without a reference row.
    Means are over a fund's own bars, each summed afresh: no error or absurd value outlives its window.
    """
    parameters = parameters or ScreenParameters()
    bars = prices.sort_values(["ticker", "session"], kind="stable").reset_index(drop=True)
    if bars.duplicated(["ticker", "session"]).any():
        first = bars.loc[bars.duplicated(["ticker", "session"]), ["ticker", "session"]].iloc[0]
        raise DataError(
            f"membership needs one bar per (ticker, session); {first['ticker']} has two on {first['session'].date()}. "
            "Quarantine one in `quality`."
        )
    facts = _facts(bars, aum, reference, parameters)
    failed = _screens(bars, facts, parameters)
    reason = np.select([failed[name] for name in REASONS[1:]], REASONS[1:], default="member")
    columns = ["aum_unknown", "shares_look_ahead", "history_sessions", "mean_volume", "mean_traded_value", "aum_value"]
    head = bars[["session", "ticker"]].assign(member=reason == "member", reason=reason)
    return pd.concat([head, facts[columns]], axis=1)


def _facts(bars: pd.DataFrame, aum: pd.DataFrame, reference: pd.DataFrame, parameters: ScreenParameters) -> pd.DataFrame:
    order = bars.groupby("ticker", sort=False).cumcount().to_numpy()
    window = parameters.window
    static = bars[["ticker"]].merge(reference[["ticker", "inception", "is_geared"]], on="ticker", how="left", indicator=True)
    aum_value = _known_aum(bars, aum, parameters)
    return pd.DataFrame(
        {
            "history_sessions": order + 1,
            "mean_volume": _trailing_mean(bars["volume"], order, window),
            "mean_traded_value": _trailing_mean(bars["traded_value"], order, window),
            "idle": _trailing_mean((bars["volume"] > 0).astype(float), order, parameters.stale_sessions) == 0,
            "presence": _presence(bars, order, window),
            "aum_value": aum_value,
            "aum_unknown": np.isnan(aum_value),
            "shares_look_ahead": (bars["adjustment"] != "raw").to_numpy(),
            "unlisted": (static["_merge"] != "both").to_numpy() | (bars["session"] < static["inception"]).to_numpy(),
            "geared": static["is_geared"].eq(True).to_numpy(),
        }
    )


def _screens(bars: pd.DataFrame, facts: pd.DataFrame, parameters: ScreenParameters) -> dict[str, Flags]:
    """Which rows fail each screen. ``~(x >= limit)`` fails an unknown x too."""
    own_shares, aum_known = ~facts["shares_look_ahead"], ~facts["aum_unknown"]
    failed = {
        "not_listed": facts["unlisted"],
        "other_exchange": bars["exchange"] != parameters.exchange,
        "geared": facts["geared"] & (not parameters.allow_geared),
        "not_seasoned": facts["history_sessions"] < parameters.min_history,
        "illiquid_shares": own_shares & ~(facts["mean_volume"] >= parameters.min_volume),
        "illiquid_value": ~(own_shares & aum_known) & ~(facts["mean_traded_value"] >= parameters.min_traded_value),
        "small_aum": aum_known & ~(facts["aum_value"] >= parameters.min_aum),
        "stale": facts["idle"] | (facts["presence"] < parameters.min_presence),
        "low_price": own_shares & ~(bars["close"] >= parameters.min_price),
    }
    return {name: rows.to_numpy(dtype=bool) for name, rows in failed.items()}


def _trailing_mean(values: pd.Series[Any], order: npt.NDArray[Any], window: int) -> Floats:
    """Mean over a fund's last `window` bars; unknown before it has as many."""
    x = values.to_numpy(dtype=np.float64)
    total = np.zeros(len(x))
    for lag in range(window):
        total[lag:] += x[: len(x) - lag]
    return np.where(order >= window - 1, total / window, np.nan)


def _presence(bars: pd.DataFrame, order: npt.NDArray[Any], window: int) -> Floats:
    """Bars over sessions of the fund's exchange, from the bar `window` - 1 bars ago to this one."""
    position = np.zeros(len(bars), dtype=np.int64)
    for exchange, rows in bars.groupby("exchange").indices.items():
        days = bars["session"].to_numpy()[rows]
        position[rows] = calendars.sessions(str(exchange), days.min(), days.max()).searchsorted(days)
        position[rows] += calendars.sessions(str(exchange), calendars.FIRST_SESSION, days.min()).size
    earlier = np.roll(position, window - 1)
    return np.where(order >= window - 1, window / np.maximum(position - earlier + 1, 1), np.nan)


def _known_aum(bars: pd.DataFrame, aum: pd.DataFrame, parameters: ScreenParameters) -> Floats:
    """Latest AUM published by the bar's close, unless it is too old."""
    if aum.empty:
        return np.full(len(bars), np.nan)
    left = bars[["ticker", "session"]].assign(available_at=_closes(bars))
    right = aum[["ticker", "as_of", "aum_value", "available_at"]].sort_values(["available_at", "as_of"], kind="stable")
    joined = calendars.as_of(left, right, by="ticker")
    age = (joined["session"] - joined["as_of"]).dt.days
    return cast(Floats, joined["aum_value"].where(age <= parameters.max_aum_age).to_numpy(dtype=np.float64))


def _closes(bars: pd.DataFrame) -> pd.Series[Any]:
    parts = []
    for exchange, rows in cast("dict[str, npt.NDArray[np.intp]]", bars.groupby("exchange").indices).items():
        codes, unique = pd.factorize(bars["session"].iloc[rows])
        parts.append(calendars.closes(str(exchange), pd.DatetimeIndex(unique)).iloc[codes].set_axis(rows))
    closes = pd.concat(parts).sort_index()
    if closes.isna().any():
        bad = bars.loc[closes.isna(), ["ticker", "session"]].iloc[0]
        raise DataError(
            f"{bad['ticker']} has a bar on {bad['session'].date()}, which is no session there. Quarantine it in `quality`."
        )
    return cast("pd.Series[Any]", closes)
