"""Tables to arrays: everything that is known at the close of each rebalance session, on one axis of tickers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.costs import TransactionCostModel
from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats, wide
from etf_pipeline.portfolio.beliefs import current_covariance, expected_returns, risk_free_rates
from etf_pipeline.portfolio.correlation import common_correlation
from etf_pipeline.portfolio.parameters import PortfolioParameters


@dataclass(frozen=True)
class Day:
    """What is known at one rebalance session's close.

    Attributes
    ----------
    session : Timestamp
        Rebalance session.
    members : ndarray of shape (n_members,)
        Positions, on the axis of all tickers, of the funds that have a covariance.
    covariance : ndarray of shape (n_members, n_members)
        [fraction squared per year]
    correlation : ndarray of shape (n_members, n_members)
        Of realised returns; unknown where too few are in common.
    expected_return : ndarray of shape (n_members,)
        [fraction per year]
    score : ndarray of shape (n_assets,)
        Unknown where the fund has none. [z-score]
    half_spread, slope : ndarray of shape (n_assets,)
        Inputs of the cost function, at least as high as known. [fraction], [1/sqrt(currency)]
    priced : ndarray of bool of shape (n_assets,)
        Whether both are known in this very session.
    risk_free : float
        [fraction per year]
    """

    session: pd.Timestamp
    members: npt.NDArray[np.intp]
    covariance: Floats
    correlation: Floats
    expected_return: Floats
    score: Floats
    half_spread: Floats
    slope: Floats
    priced: npt.NDArray[np.bool_]
    risk_free: float


@dataclass(frozen=True)
class Tables:
    """The frames that `build_portfolios` was given."""

    scores: pd.DataFrame
    forecasts: pd.DataFrame
    volatilities: pd.DataFrame
    covariances: pd.DataFrame
    liquidity: pd.DataFrame
    returns: pd.DataFrame
    macro: pd.DataFrame


def rebalance_sessions(scores: pd.DataFrame, covariances: pd.DataFrame) -> pd.DatetimeIndex:
    """Sessions with a covariance, from the first one at which any fund has a score.

    Before that no strategy can choose, and a benchmark that started earlier would be compared over other years.

    Raises
    ------
    DataError
        If there is none.
    """
    first = scores["session"].min()
    sessions = pd.DatetimeIndex(np.sort(covariances["session"].unique()))
    chosen = sessions[sessions >= first] if pd.notna(first) else sessions[:0]
    if not len(chosen):
        raise DataError(
            f"portfolios need a session with both a covariance and scores; covariances have {len(sessions)} sessions, "
            f"scores start {first}. Lengthen the history, or shorten the warm-up of `forecasting`."
        )
    return chosen


def agenda(
    first: pd.Timestamp, sessions: pd.DatetimeIndex, month_ends: pd.DatetimeIndex, schedules: frozenset[str], exchange: str
) -> pd.DataFrame:
    """Sessions in which a decision may be asked for, and which calendar asks.

    Parameters
    ----------
    first : Timestamp
        First session in which a portfolio can be chosen.
    sessions : DatetimeIndex
        Sessions of the returns.
    month_ends : DatetimeIndex
        Sessions with a covariance.
    schedules : frozenset of str
        Those in use; with ``threshold`` every session is looked at.
    exchange : str
        Calendar of the weeks.

    Returns
    -------
    DataFrame
        `session`, and the flags `month_end` and `week_end`. The week of the last session counts as ended only if the calendar
        says so.
    """
    days = sessions[sessions >= first].union(month_ends[month_ends >= first])
    frame = pd.DataFrame({"session": days, "month_end": days.isin(month_ends), "week_end": False})
    if "week_end" in schedules:
        frame["week_end"] = days.isin(calendars.week_ends(exchange, days[0], days[-1]))
    asked = frame["month_end"] | frame["week_end"] | ("threshold" in schedules)
    return frame[asked].reset_index(drop=True)


class Days:
    """What is known at each of `sessions`; a day is put together when it is asked for.

    Parameters
    ----------
    tables : Tables
    sessions : DatetimeIndex of shape (n,)
        Sorted.
    tickers : Index of shape (n_assets,)
        The axis.
    parameters : PortfolioParameters
        Beliefs and costs.

    Raises
    ------
    DataError
        If a bill rate or every cost is unknown.
    """

    def __init__(
        self, tables: Tables, sessions: pd.DatetimeIndex, tickers: pd.Index[Any], parameters: PortfolioParameters
    ) -> None:
        self.sessions, self.parameters = sessions, parameters
        self.rates = risk_free_rates(tables.macro, sessions)
        self.score = wide(tables.scores, "score", sessions, tickers)
        self.forecast, self.horizon = (wide(tables.forecasts, c, sessions, tickers) for c in ("expected_return", "horizon"))
        self.volatility = wide(tables.volatilities, "volatility", sessions, tickers)
        self.spreads, self.slopes, self.priced = _costs(tables.liquidity, sessions, tickers, parameters)
        self.estimates = _Estimates.of(tables.covariances, tickers)
        self.realised = _Realised.of(tables.returns, tickers, parameters.twin_window)

    def __getitem__(self, i: int) -> Day:
        p, session = self.parameters, self.sessions[i]
        members, estimate = self.estimates.latest(session)
        covariance = current_covariance(estimate, self.volatility[i, members])
        expected = expected_returns(
            self.forecast[i, members],
            self.horizon[i, members],
            np.sqrt(np.diag(covariance)),
            self.rates[i],
            shrinkage=p.shrinkage,
            prior_sharpe=p.prior_sharpe,
            information_coefficient=p.information_coefficient,
            max_view=p.max_view,
        )
        twins = self.realised.correlation(session, members)
        rows = self.score[i], self.spreads[i], self.slopes[i], self.priced[i]
        return Day(session, members, covariance, twins, expected, *rows, float(self.rates[i]))

    def scenarios(self, i: int, chosen: npt.NDArray[np.intp]) -> Floats:
        """Realised returns of some funds in the sessions up to this one, where all are known. [fraction]"""
        return self.realised.scenarios(self.sessions[i], chosen, self.parameters.scenario_window)


@dataclass(frozen=True)
class _Realised:
    """Total returns on wide axes, and how many sessions of them a correlation looks at."""

    sessions: pd.DatetimeIndex
    returns: Floats
    window: int

    @classmethod
    def of(cls, returns: pd.DataFrame, tickers: pd.Index[Any], window: int) -> _Realised:
        sessions = pd.DatetimeIndex(np.sort(returns["session"].unique()))
        return cls(sessions, wide(returns, "total_return", sessions, tickers), window)

    def correlation(self, session: pd.Timestamp, members: npt.NDArray[np.intp]) -> Floats:
        """Correlations over the sessions up to this one, on what each pair has in common: at least half of them."""
        end = int(self.sessions.searchsorted(session, side="right"))
        return common_correlation(self.returns[max(end - self.window, 0) : end, members], max(self.window // 2, 2))

    def scenarios(self, session: pd.Timestamp, chosen: npt.NDArray[np.intp], window: int) -> Floats:
        """Rows of the last `window` sessions in which every fund has a return."""
        end = int(self.sessions.searchsorted(session, side="right"))
        recent = self.returns[max(end - window, 0) : end, chosen]
        return np.ascontiguousarray(recent[~np.isnan(recent).any(axis=1)])


def amortisation(parameters: PortfolioParameters) -> float:
    """Factor from a one-off cost to the return per year that a trade must bring: hurdle times 252 over the horizon."""
    return parameters.cost_hurdle * SESSIONS_PER_YEAR / parameters.horizon


def _costs(
    liquidity: pd.DataFrame, sessions: pd.DatetimeIndex, tickers: pd.Index[Any], parameters: PortfolioParameters
) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Half-spreads and impact slopes. An unknown one is the fund's last known, else the session's worst, never zero."""
    model = TransactionCostModel(parameters.costs())
    known = liquidity[["session", "ticker", "half_spread"]].copy()
    columns = (liquidity[c].to_numpy(dtype=np.float64) for c in ("daily_volatility", "daily_value"))
    known["slope"] = model.slope(*columns)
    axis = pd.DatetimeIndex(np.sort(liquidity["session"].unique()))
    rows = axis.searchsorted(sessions, side="right") - 1
    if (rows < 0).any():
        raise DataError(f"liquidity has no session up to {sessions[0].date()}; run room `costs` over the same history.")
    filled, priced = [], np.ones((len(sessions), len(tickers)), dtype=bool)
    for column in ("half_spread", "slope"):
        panel = wide(known, column, axis, tickers)
        priced &= ~np.isnan(panel[rows]) & (axis[rows] == sessions)[:, None]
        last = pd.DataFrame(panel).ffill().to_numpy()[rows]
        filled.append(_worst_where_unknown(last, column, sessions))
    return filled[0], filled[1], priced


def _worst_where_unknown(values: Floats, column: str, sessions: pd.DatetimeIndex) -> Floats:
    silent = np.atleast_1d(np.isnan(values).all(axis=1))
    if silent.any():
        raise DataError(
            f"liquidity knows no {column} up to {sessions[silent][0].date()}; portfolios need the cost of at least one fund."
        )
    worst = np.nanmax(values, axis=1, keepdims=True)
    return np.where(np.isnan(values), worst, values)


@dataclass(frozen=True)
class _Estimates:
    """Covariances by session, as they are stored: the upper triangle."""

    sessions: pd.DatetimeIndex
    starts: npt.NDArray[np.intp]
    first: npt.NDArray[np.intp]
    second: npt.NDArray[np.intp]
    values: Floats

    @classmethod
    def of(cls, covariances: pd.DataFrame, tickers: pd.Index[Any]) -> _Estimates:
        table = covariances.sort_values("session", kind="stable")
        sessions = pd.DatetimeIndex(table["session"].unique())
        starts = np.append(table["session"].searchsorted(sessions, side="left"), len(table))
        first, second = (tickers.get_indexer(pd.Index(table[name])) for name in ("ticker_1", "ticker_2"))
        return cls(sessions, starts, first, second, table["covariance"].to_numpy(dtype=np.float64))

    def latest(self, session: pd.Timestamp) -> tuple[npt.NDArray[np.intp], Floats]:
        """Members and matrix of the newest estimate up to a session; within a month that of the last month's end."""
        row = int(self.sessions.searchsorted(session, side="right")) - 1
        rows = slice(int(self.starts[row]), int(self.starts[row + 1]))
        members = np.unique(self.first[rows])
        i, j = np.searchsorted(members, self.first[rows]), np.searchsorted(members, self.second[rows])
        matrix = np.full((len(members), len(members)), np.nan)
        matrix[i, j] = matrix[j, i] = self.values[rows]
        if np.isnan(matrix).any():
            raise DataError(
                f"covariances of {self.sessions[row].date()} lack {int(np.isnan(matrix).sum())} of {matrix.size} entries; "
                f"store the whole upper triangle with its diagonal."
            )
        return members, matrix
