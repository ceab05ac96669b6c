"""Returns over calendar months, over cash: what sensitivities and classes are estimated on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.measures.risk_free import daily_bill_yield

STALE_DAYS = 10
"""A bill that was last quoted longer ago is unknown; exchanges never rest so long. [calendar days]"""


@dataclass(frozen=True)
class MonthParameters:
    """What a month's return is taken over.

    Attributes
    ----------
    bill_series : str
        Series of the bill that stands for cash; empty for plain returns.
    """

    bill_series: str = "TBILL13W"


def fund_months(
    returns: pd.DataFrame, macro: pd.DataFrame, funds: pd.DataFrame, parameters: MonthParameters | None = None
) -> pd.DataFrame:
    """Excess return of each fund over each calendar month, at its exchange's last session of the month.

    Parameters
    ----------
    returns : DataFrame
        `fct_returns`: `session`, `ticker`, `index_close`.
    macro : DataFrame
        `fct_macro`, for the bill.
    funds : DataFrame
        `dim_etf`, for the exchange.
    parameters : MonthParameters, optional
        Defaults where omitted.

    Returns
    -------
    DataFrame
        `fund_months`. Unknown in a fund's first month, after a month without its last session, and while the bill is unknown.

    Notes
    -----
    ``index_t / index_s - 1 - days(s, t) * bill_s``: the bill as known at the last session before `s` ended, or at `s`.
    """
    p = parameters or MonthParameters()
    exchange = returns["ticker"].map(funds.set_index("ticker")["exchange"])
    rows = pd.concat([_at_month_ends(part, str(name)) for name, part in returns.groupby(exchange.to_numpy(), sort=True)])
    rows = rows.sort_values(["ticker", "session"], kind="stable").reset_index(drop=True)
    month = rows["session"].dt.year * 12 + rows["session"].dt.month
    follows = (rows["ticker"] == rows["ticker"].shift()) & (month == month.shift() + 1)
    days = (rows["session"] - rows["session"].shift()).dt.days
    gross = rows["index_close"] / rows["index_close"].shift() - 1.0
    cash = _bill(rows["session"], macro, p.bill_series).shift() * days
    rows["excess_return"] = (gross - cash).where(follows)
    return rows[["session", "ticker", "excess_return"]]


def _at_month_ends(returns: pd.DataFrame, exchange: str) -> pd.DataFrame:
    ends = calendars.month_ends(pd.DatetimeIndex(np.sort(returns["session"].unique())), exchange)
    return returns.loc[returns["session"].isin(ends), ["session", "ticker", "index_close"]]


def _bill(sessions: pd.Series[Any], macro: pd.DataFrame, series: str) -> pd.Series[Any]:
    """Interest per calendar day, by the bill known at each session or the last one before. [fraction per day]"""
    if not series:
        return pd.Series(0.0, index=sessions.index)
    quoted = macro[macro["series"] == series].set_index("session")["value"].astype(np.float64).sort_index()
    days = pd.DatetimeIndex(sessions).unique()
    asked = pd.DataFrame({"session": days.sort_values()})
    told = pd.merge_asof(asked, quoted.rename("bill").reset_index(), on="session", tolerance=pd.Timedelta(days=STALE_DAYS))
    per_day = pd.Series(daily_bill_yield(told["bill"].to_numpy(dtype=np.float64)), index=told["session"])
    return pd.Series(per_day.reindex(sessions).to_numpy(), index=sessions.index)
