"""Tables to arrays: everything that covariances are made from, on one axis of sessions and one of funds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats, Panel, wide
from etf_pipeline.risk.covariance.sample import Sample

FACTORS = ("MKT_RF", "SMB", "HML", "RMW", "CMA", "MOM")
"""Priced factors of `raw_factors`, beside the bill RF."""

Positions = npt.NDArray[np.intp]


@dataclass(frozen=True)
class History:
    """Returns, members and what helps to estimate, by session and fund.

    Attributes
    ----------
    sessions : DatetimeIndex of shape (n_sessions,)
    tickers : Index of shape (n_assets,)
    returns : ndarray of shape (n_sessions, n_assets)
        NaN where unknown. [fraction per session]
    members : ndarray of bool of shape (n_sessions, n_assets)
        Who may be held.
    traded : ndarray of shape (n_sessions, n_assets) or None
        Mean traded value. [listing currency]
    volatilities : ndarray of shape (n_sessions, n_assets) or None
        [fraction per year]
    factors : ndarray of shape (n_sessions, n_factors + 1) or None
        Priced factors and the bill. [fraction per session]
    released, closes : ndarray of datetime64 of shape (n_sessions,)
        When the session's factors were all released (NaT where one is missing), and the session's close. [UTC instant]
    """

    sessions: pd.DatetimeIndex
    tickers: pd.Index[Any]
    returns: Floats
    members: npt.NDArray[np.bool_]
    traded: Floats | None
    volatilities: Floats | None
    factors: Floats | None
    released: npt.NDArray[np.datetime64]
    closes: npt.NDArray[np.datetime64]

    @classmethod
    def of(
        cls,
        returns: pd.DataFrame,
        membership: pd.DataFrame,
        exchange: str,
        volatilities: pd.DataFrame | None = None,
        factors: pd.DataFrame | None = None,
    ) -> History:
        """Arrays of tables `fct_returns`, `universe_membership`, `volatilities` and `raw_factors`.

        Raises
        ------
        DataError
            If a member has no returns at all.
        """
        panel = Panel.of(_on_exchange(returns, exchange))
        values = panel.wide(_on_exchange(returns, exchange)["total_return"])
        days, tickers = panel.sessions, panel.tickers
        traded = wide(membership, "mean_traded_value", days, tickers) if "mean_traded_value" in membership else None
        vols = wide(volatilities, "volatility", days, tickers) if volatilities is not None else None
        priced, released = _released(factors, days) if factors is not None and len(factors) else (None, _never(days))
        closes = calendars.closes(exchange, days).dt.tz_localize(None).to_numpy(dtype="datetime64[ns]")
        return cls(days, tickers, values, _members(membership, panel), traded, vols, priced, released, closes)

    def positions(self, sessions: pd.DatetimeIndex) -> Positions:
        """Rows of rebalance sessions, in order.

        Raises
        ------
        DataError
            If one is not among the sessions of the returns.
        """
        wanted = sessions.sort_values().unique()
        rows = self.sessions.get_indexer(wanted)
        if (rows < 0).any():
            missing = wanted[rows < 0]
            raise DataError(
                f"covariances needs returns at every rebalance session; {len(missing)} have none, first {missing[0].date()}. "
                "Take the sessions from fct_returns."
            )
        return rows

    def most_traded(self, row: int, candidates: Positions, limit: int) -> Positions:
        """Of some funds those with the largest traded value known at a session, in the axis's order; unknown comes last."""
        if len(candidates) <= limit:
            return candidates
        if self.traded is None:
            raise DataError(
                f"{len(candidates)} members exceed max_funds = {limit}, and the membership lacks mean_traded_value to choose by. "
                "Give the whole table universe_membership."
            )
        value = np.nan_to_num(self.traded[row, candidates], nan=-1.0)
        return np.sort(candidates[np.argsort(-value, kind="stable")[:limit]])

    def sample(self, row: int, window: int, funds: Positions) -> Sample:
        """What was known at a session's close about funds with complete returns."""
        rows = slice(row + 1 - window, row + 1)
        vols = self.volatilities[rows][:, funds] if self.volatilities is not None else None
        returns = self.returns[rows][:, funds]
        if self.factors is None:
            return Sample(returns, vols)
        known = self.released[rows] <= self.closes[row]  # NaT compares as false
        priced = np.where(known[:, None], self.factors[rows], np.nan)
        return Sample(returns, vols, priced[:, :-1], priced[:, -1])


def _on_exchange(returns: pd.DataFrame, exchange: str) -> pd.DataFrame:
    days = returns["session"]
    return returns[days.isin(calendars.sessions(exchange, days.min(), days.max()))] if len(returns) else returns


def _members(membership: pd.DataFrame, panel: Panel) -> npt.NDArray[np.bool_]:
    """Wide flags on the panel's axes: who may be held at each session."""
    held = membership[membership["member"]]
    i = panel.sessions.get_indexer(pd.DatetimeIndex(held["session"]))
    j = panel.tickers.get_indexer(pd.Index(held["ticker"]))
    flags = np.zeros(panel.shape, dtype=bool)
    if (j < 0).any():
        strangers = sorted(held["ticker"][j < 0].unique())
        raise DataError(f"covariances needs returns of every member; {strangers[:5]} have none. Remake universe_membership.")
    flags[i[i >= 0], j[i >= 0]] = True
    return flags


def _released(factors: pd.DataFrame, sessions: pd.DatetimeIndex) -> tuple[Floats, npt.NDArray[np.datetime64]]:
    names = pd.Index([*FACTORS, "RF"])
    rows = factors[factors["session"].isin(sessions) & factors["factor"].isin(names)]
    values = wide(rows.rename(columns={"factor": "ticker"}), "value", sessions, names)
    # one release makes a session known: that of its last factor
    instants = rows.groupby("session")["available_at"].max().reindex(sessions)
    released = instants.dt.tz_localize(None).to_numpy(dtype="datetime64[ns]").copy()
    released[~np.isfinite(values).all(axis=1)] = np.datetime64("NaT")
    return values, released


def _never(sessions: pd.DatetimeIndex) -> npt.NDArray[np.datetime64]:
    return np.full(len(sessions), np.datetime64("NaT"), dtype="datetime64[ns]")
