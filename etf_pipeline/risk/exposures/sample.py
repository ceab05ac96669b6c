"""Funds beside the factors that were published: rows in order of time, and the moments at which exposures are taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats
from etf_pipeline.risk.exposures.parameters import HOME

Ints = npt.NDArray[np.int64]

FACTORS = ("MKT_RF", "SMB", "HML", "RMW", "CMA", "MOM")
"""Five factors of Fama and French and momentum, as the French library names them."""
RISK_FREE = "RF"
PUBLISHER = "XNYS"
"""Calendar that the library's days follow; a day is over when this exchange closes."""
NEVER = np.iinfo(np.int64).max
EVENING = pd.Timedelta(hours=21)
"""When a day of the library ends on which the calendar rests: the usual close in UTC."""


@dataclass(frozen=True)
class FactorSet:
    """Factors of one region on the sample's factor sessions.

    Attributes
    ----------
    values : ndarray of shape (n_factor_sessions, n_factors + 1)
        `FACTORS` and the risk-free rate. NaN where unknown. [fraction]
    available : ndarray of shape (n_factor_sessions,)
        When the last of them became known; `NEVER` where one is missing. [nanoseconds]
    """

    values: Floats
    available: Ints

    def ends(self, instants: Ints) -> Ints:
        """Newest session known at each moment, -1 where none."""
        known = np.flatnonzero(self.available < NEVER)
        return np.array([known[self.available[known] <= now].max(initial=-1) for now in instants], dtype=np.int64)


@dataclass(frozen=True)
class Sample:
    """Returns of all funds and the factor sessions that they are held against.

    Attributes
    ----------
    tickers : Index of shape (n_funds,)
    funds : ndarray of shape (n_funds + 1,)
        First row of each fund, and the end.
    returns : ndarray of shape (n_rows,)
        Total returns. [fraction]
    places : ndarray of shape (n_rows,)
        Last factor session that had closed by each row's close, -1 before the first.
    closes : ndarray of shape (n_rows,)
        [nanoseconds]
    days : DatetimeIndex of shape (n_factor_sessions,)
    regions : dict of str to FactorSet
    moments : DatetimeIndex of shape (n_moments,)
        Sessions at whose close exposures are taken.
    instants : ndarray of shape (n_moments,)
        Their closes. [nanoseconds]
    """

    tickers: pd.Index[Any]
    funds: Ints
    returns: Floats
    places: Ints
    closes: Ints
    days: pd.DatetimeIndex
    regions: dict[str, FactorSet]
    moments: pd.DatetimeIndex
    instants: Ints

    def ends(self, region: str, max_lag: int) -> Ints:
        """Newest factor session published by each moment, -1 where none or where it lies too far back."""
        ends = self.regions[region].ends(self.instants)
        return np.where(self.lag(ends) <= max_lag, ends, -1)

    def lag(self, ends: Ints) -> Ints:
        """Factor sessions from each moment's newest known one to the moment. [sessions]"""
        return self.days.searchsorted(self.moments, side="right") - 1 - ends

    def alive(self, max_absence: int) -> npt.NDArray[np.bool_]:
        """Whether each fund's last bar is at most so many days old, shape (n_moments, n_funds)."""
        limit = pd.Timedelta(days=max_absence).value
        flags = np.zeros((len(self.instants), len(self.tickers)), dtype=bool)
        for fund, (start, stop) in enumerate(zip(self.funds[:-1], self.funds[1:], strict=True)):
            row = start + np.searchsorted(self.closes[start:stop], self.instants, side="right") - 1
            flags[:, fund] = (row >= start) & (self.closes[np.maximum(row, start)] >= self.instants - limit)
        return flags

    def pairs(self, max_absence: int) -> Ints:
        """(fund, moment) of every fund that is alive, moment by moment. Shape (n_pairs, 2)."""
        moment, fund = np.nonzero(self.alive(max_absence))
        return np.column_stack([fund, moment]).astype(np.int64)


def sample(
    returns: pd.DataFrame, factors: pd.DataFrame, etfs: pd.DataFrame, sessions: pd.DataFrame, after: pd.Timestamp | None = None
) -> Sample | None:
    """Line funds up with factors.

    Parameters
    ----------
    returns : DataFrame of shape (n_rows, ...)
        `fct_returns`: columns `session`, `ticker`, `total_return`.
    factors : DataFrame of shape (n_factor_rows, ...)
        `raw_factors`; a factor of another region than the US is called ``REGION:FACTOR``.
    etfs : DataFrame of shape (n_funds, ...)
        `dim_etf`: columns `ticker`, `exchange`.
    sessions : DataFrame of shape (n_sessions, ...)
        `raw_sessions`: the main exchange's last sessions of each month are the moments.
    after : Timestamp, optional
        Only moments after this session.

    Returns
    -------
    Sample or None
        None where there is no factor, no return or no moment.

    Raises
    ------
    DataError
        If a fund has no exchange in `etfs`.
    """
    moments = moments_of(returns, sessions, after)
    if not len(moments) or factors.empty:
        return None
    rows = _rows(returns, etfs)
    days = _factor_days(returns["session"].min(), returns["session"].max(), factors)
    ends = _day_ends(days)
    codes, tickers = pd.factorize(rows["ticker"], sort=True)
    closes = rows["close"].to_numpy(dtype=np.int64)
    return Sample(
        tickers=pd.Index(tickers),
        funds=np.searchsorted(codes, np.arange(len(tickers) + 1)).astype(np.int64),
        returns=rows["total_return"].to_numpy(dtype=np.float64, na_value=np.nan),
        places=np.searchsorted(ends, closes, side="right") - 1,
        closes=closes,
        days=days,
        regions=factor_sets(factors, days),
        moments=pd.DatetimeIndex(moments.index),
        instants=moments.to_numpy(dtype=np.int64),
    )


def moments_of(returns: pd.DataFrame, sessions: pd.DataFrame, after: pd.Timestamp | None = None) -> pd.Series[Any]:
    """Closes in nanoseconds of the main exchange's month-ends that the returns reach, by session."""
    chosen = sessions[sessions["is_main"] & sessions["is_month_end"]].set_index("session")["closes_at"].sort_index()
    if returns.empty:
        return _nanoseconds(chosen.iloc[:0])
    within = (chosen.index >= returns["session"].min()) & (chosen.index <= returns["session"].max())
    return _nanoseconds(chosen[within & (chosen.index > after)] if after is not None else chosen[within])


def factor_sets(factors: pd.DataFrame, days: pd.DatetimeIndex) -> dict[str, FactorSet]:
    """Complete factor sets by region; a region without a risk-free rate of its own takes that of the US."""
    home = f"{HOME}:"
    names = np.array([name if ":" in name else home + name for name in factors["factor"].astype(str)])
    day = days.get_indexer(pd.DatetimeIndex(factors["session"]))
    values = factors["value"].to_numpy(dtype=np.float64, na_value=np.nan)
    known = _nanoseconds(factors["available_at"]).to_numpy(dtype=np.int64)
    found = {}
    for region in sorted({name.rsplit(":", 1)[0] for name in np.unique(names)}):
        free = f"{region}:{RISK_FREE}" if f"{region}:{RISK_FREE}" in names else home + RISK_FREE
        wanted = [*(f"{region}:{factor}" for factor in FACTORS), free]
        if set(wanted) <= set(names):
            found[region] = _factor_set(wanted, names, day, values, known, len(days))
    return found


def _factor_set(
    wanted: Sequence[str], names: npt.NDArray[Any], day: npt.NDArray[Any], values: Floats, known: Ints, n: int
) -> FactorSet:
    table, instants = np.full((n, len(wanted)), np.nan), np.full((n, len(wanted)), NEVER)
    for column, name in enumerate(wanted):
        rows = np.flatnonzero((names == name) & (day >= 0) & np.isfinite(values))
        table[day[rows], column] = values[rows]
        instants[day[rows], column] = known[rows]
    return FactorSet(table, instants.max(axis=1))


def _rows(returns: pd.DataFrame, etfs: pd.DataFrame) -> pd.DataFrame:
    """Rows by fund and time with the instant of their close; a row on a day on which its exchange rests is left out."""
    exchange = returns["ticker"].map(etfs.set_index("ticker")["exchange"])
    if exchange.isna().any():
        strangers = sorted(returns.loc[exchange.isna(), "ticker"].unique())
        raise DataError(f"exposures needs the exchange of every fund; dim_etf has none of {strangers[:5]}. Remake dim_etf.")
    close = np.full(len(returns), -NEVER)
    for code in sorted(exchange.unique()):
        mine = (exchange == code).to_numpy()
        place, days = pd.factorize(returns["session"].to_numpy()[mine])
        closes = calendars.closes(code, pd.DatetimeIndex(days))
        close[mine] = np.where(closes.isna(), -NEVER, _nanoseconds(closes).to_numpy(dtype=np.int64))[place]
    rows = returns[["session", "ticker", "total_return"]].assign(close=close)
    return rows[rows["close"] > -NEVER].sort_values(["ticker", "close"], kind="stable", ignore_index=True)


def _factor_days(first: pd.Timestamp, last: pd.Timestamp, factors: pd.DataFrame) -> pd.DatetimeIndex:
    """Every session of the publisher's calendar over the funds' rows, and every other day that has a factor."""
    first = first - pd.Timedelta(days=10)  # a return begins at the close before
    own = pd.DatetimeIndex(factors["session"].unique())
    return calendars.sessions(PUBLISHER, first, last).union(own[(own >= first) & (own <= last)])


def _day_ends(days: pd.DatetimeIndex) -> Ints:
    closes = calendars.closes(PUBLISHER, days)
    evenings = pd.Series((days + EVENING).tz_localize("UTC"))
    return _nanoseconds(closes.fillna(evenings)).to_numpy(dtype=np.int64)


def _nanoseconds(instants: pd.Series[Any]) -> pd.Series[Any]:
    return instants.astype("datetime64[ns, UTC]").astype("int64")
