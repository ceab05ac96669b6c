"""Funds beside the market of their exchange: excess returns on one grid of sessions, ready for regressions.

Funds that share a market fund (`conventions.home_market`) share a grid. A Sydney fund is never held against a New York session.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.conventions import HOME_EQUITY, HOME_MARKETS
from etf_pipeline.errors import SettingsError
from etf_pipeline.measures.risk_free import daily_bill_yield
from etf_pipeline.panel import Floats

Integers = npt.NDArray[np.intp]

BILL = "TBILL13W"
"""The 13-week US Treasury bill, a bank discount in percent."""
BILL_CURRENCY = "USD"
"""Returns in this currency are taken in excess of the bill."""


@dataclass(frozen=True)
class Grid:
    """Funds of one market.

    Attributes
    ----------
    sessions : DatetimeIndex of shape (n_sessions,)
        Sessions in which any of the funds has a bar.
    tickers : ndarray of shape (n_funds,)
        Sorted.
    exchanges : frozenset of str
        Where the funds are listed.
    excess : ndarray of shape (n_funds, n_sessions)
        Total return over the session less the bill's; unknown where the fund has no bar, or had none before. [fraction]
    traded : ndarray of bool, shape (n_funds, n_sessions)
        Whether the fund has a bar.
    market : ndarray of shape (n_sessions,)
        Excess return of the market fund; unknown throughout where none is named or it has no bars. [fraction]
    market_fund : str
        Its ticker; empty where none is named.
    rows, fund, position : ndarray of shape (n_rows,)
        Rows of the long table that belong here, and their places on the grid.
    """

    sessions: pd.DatetimeIndex
    tickers: npt.NDArray[Any]
    exchanges: frozenset[str]
    excess: Floats
    traded: npt.NDArray[np.bool_]
    market: Floats
    market_fund: str
    rows: Integers
    fund: Integers
    position: Integers

    def of(self, ticker: str) -> Floats:
        """Excess returns of one fund; unknown throughout where it is not on this grid."""
        at = int(np.searchsorted(self.tickers, ticker))
        found = at < len(self.tickers) and self.tickers[at] == ticker
        return self.excess[at] if found else np.full(len(self.sessions), np.nan)

    def ends(self, calendar: pd.DataFrame, months: tuple[int, ...]) -> Integers:
        """Places of the last sessions of the named months, as the exchanges' calendars say in advance."""
        own = calendar[calendar["exchange"].isin(self.exchanges) & calendar["is_month_end"]]
        days = own.loc[own["session"].dt.month.isin(months), "session"].unique()
        return np.flatnonzero(self.sessions.isin(days))


def market_funds(named: tuple[str, ...]) -> dict[str, str]:
    """Market fund of each exchange: those of `conventions.HOME_MARKETS` unless a setting ``exchange=TICKER`` names another.

    Raises
    ------
    SettingsError
        If a setting has another form.

    Examples
    --------
    >>> market_funds(("XLON=ISF.L",))["XLON"], market_funds(())["XNYS"]
    ('ISF.L', 'SPY')
    """
    pairs = [text.partition("=") for text in named]
    if any(not (exchange and ticker) for exchange, _, ticker in pairs):
        raise SettingsError(f"markets are named as EXCHANGE=TICKER, such as XLON=ISF.L; found {list(named)}.")
    return {code: home.equity for code, home in HOME_MARKETS.items()} | {code: ticker for code, _, ticker in pairs}


def home_word(text: str, exchange: str) -> str:
    """A fund's ticker, where the setting says `home_equity` that of the exchange."""
    return HOME_MARKETS[exchange].equity if text == HOME_EQUITY and exchange in HOME_MARKETS else text


def grids(
    returns: pd.DataFrame, funds: pd.DataFrame, macro: pd.DataFrame, markets: dict[str, str], bill: str = BILL
) -> Iterator[Grid]:
    """One grid per market, in the order of the market funds' names.

    Parameters
    ----------
    returns : DataFrame of shape (n_rows, ...)
        `fct_returns`: columns `session`, `ticker`, `total_return`.
    funds : DataFrame of shape (n_funds, ...)
        `dim_etf`: columns `ticker`, `exchange`.
    macro : DataFrame of shape (n_rows, ...)
        `fct_macro`: columns `session`, `series`, `value`, as known at each close.
    markets : dict of str to str
        Market fund of each exchange.
    bill : str, default "TBILL13W"
        Series that is taken off returns in US dollars; empty to take off nothing.

    Notes
    -----
    The bill of a session is the one that was known at the close before, times the calendar days in between. Fund and market lose
    the same rate. Where it is unknown, and on exchanges of another currency, for which no bill is loaded, nothing is taken off
    either: their slope moves by the covariance of the rate with the market over the market's variance, less than 0.001.

    A return that spans more than one session (the fund, or the market, had no bar in between) has no market return of its own
    session beside it and counts as unknown.
    """
    fund, tickers = pd.factorize(returns["ticker"], sort=True)
    day, sessions = pd.factorize(returns["session"], sort=True)
    home = funds.set_index("ticker")["exchange"].reindex(tickers).fillna("").to_numpy(dtype=object)
    market = np.array([markets.get(exchange, "") for exchange in home], dtype=object)
    rates = _bill_returns(macro, pd.DatetimeIndex(sessions), bill)
    values = returns["total_return"].to_numpy(dtype=np.float64)
    for name in sorted(set(market)):
        mine = market == name
        rows = np.flatnonzero(mine[fund])
        here, position = np.unique(day[rows], return_inverse=True)
        own = np.cumsum(mine)[fund[rows]] - 1
        exchanges = frozenset(str(code) for code in set(home[mine]))
        dollars = {HOME_MARKETS[c].currency if c in HOME_MARKETS else "" for c in exchanges} == {BILL_CURRENCY}
        excess, traded = _excess(values[rows], own, position, (int(mine.sum()), len(here)), rates[here] if dollars else None)
        on_grid = pd.DatetimeIndex(sessions[here])
        grid = Grid(on_grid, np.asarray(tickers[mine]), exchanges, excess, traded, np.empty(0), str(name), rows, own, position)
        yield Grid(**{**vars(grid), "market": grid.of(str(name))})


def _excess(
    values: Floats, fund: Integers, position: Integers, shape: tuple[int, int], rates: Floats | None
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    out, traded = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
    out[fund, position] = values
    traded[fund, position] = True
    out[:, 1:][~traded[:, :-1]] = np.nan
    out[:, :1] = np.nan
    if rates is not None:
        out -= np.nan_to_num(rates)
    out[~np.isfinite(out)] = np.nan
    return out, traded


def _bill_returns(macro: pd.DataFrame, sessions: pd.DatetimeIndex, series: str) -> Floats:
    """What the bill known at the close before earns until each session's close; unknown where it was. [fraction]"""
    rows = macro[macro["series"] == series]
    quoted = rows.set_index("session")["value"].reindex(sessions).to_numpy(dtype=np.float64)
    days = np.diff(sessions.to_numpy()) / np.timedelta64(1, "D")
    return cast(Floats, np.concatenate([np.full(min(1, len(sessions)), np.nan), daily_bill_yield(quoted[:-1]) * days]))
