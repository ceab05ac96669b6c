"""Corporate actions of the simulated market: splits, distributions, and the funds that close, merge or change their name.

Everything is announced before it happens; the announcement is the row's `available_at`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import pandas as pd

from etf_pipeline.calendars import closes, sessions
from etf_pipeline.providers.simulated import history
from etf_pipeline.providers.simulated.funds import Ending, FundSpec
from etf_pipeline.providers.simulated.listings import Listings, last_position

SPLIT_NOTICE, DIVIDEND_NOTICE, DIVIDEND_PAY = 15, 5, 4
"""Sessions from announcement to ex-date, and from the ex-date to the payment."""
AFTER = "2024-12-31"
"""Payments of the last weeks fall after the last session."""
COLUMNS = ("ticker", "ex_date", "kind", "value", "pay_date", "successor", "currency", "available_at", "value_known_at", "source")


def action_table(listings: Listings) -> pd.DataFrame:
    """Rows of `raw_actions` for one exchange, without `source_row`."""
    exchange = listings.exchange
    rows = [row for j, fund in enumerate(exchange.funds) for row in _fund_rows(listings, j, fund)]
    frame = pd.DataFrame(rows, columns=["ticker", "ex", "kind", "value", "pay", "successor", "announced", "currency"])
    code = exchange.funds[0].exchange
    calendar = sessions(code, history.FIRST, AFTER)
    frame["ex_date"] = calendar[frame["ex"].to_numpy()]
    frame["pay_date"] = calendar[frame["pay"].to_numpy()]
    announced = calendar[np.maximum(frame["announced"].to_numpy(), 0)]
    frame["available_at"] = closes(code, announced) + pd.Timedelta(hours=1)
    # what a holder gets at the end is settled at the last close
    settled = closes(code, pd.DatetimeIndex(frame["ex_date"])) + pd.Timedelta(hours=1)
    frame["value_known_at"] = settled.where(frame["kind"].isin(["liquidation", "merger"]).to_numpy(), frame["available_at"])
    frame["source"] = "simulated"
    return frame[list(COLUMNS)]


def ending_table(listings: Listings) -> pd.DataFrame:
    """The truth about every ticker that ends: last close, what a holder gets, when, and the return of that last step."""
    actions = action_table(listings)
    ends = actions[actions["kind"].isin(["liquidation", "merger", "rename"])].reset_index(drop=True)
    columns = [f.ticker for f in listings.exchange.funds]
    close = pd.DataFrame(listings.close, index=listings.exchange.sessions, columns=columns)
    held = [cast(float, close.at[day, ticker]) for day, ticker in zip(ends["ex_date"], ends["ticker"], strict=True)]
    return ends[["ticker", "kind"]].assign(
        announced_at=ends["available_at"],
        last_session=ends["ex_date"],
        last_close=held,
        value=ends["value"],
        pay_date=ends["pay_date"],
        successor=ends["successor"],
        delisting_return=[_last_step(row, close, last) for row, last in zip(ends.itertuples(), held, strict=True)],
    )


def tickers_of(fund: FundSpec) -> list[str]:
    """The tickers under which a fund ever trades: a renamed fund has two."""
    ending = fund.ending
    return [fund.ticker, ending.successor] if ending is not None and ending.kind == "rename" else [fund.ticker]


def ticker_in(fund: FundSpec, position: int, days: pd.DatetimeIndex) -> str:
    """The ticker under which a fund trades in a session: the successor's after a rename."""
    ending = fund.ending
    if ending is not None and ending.kind == "rename" and position > last_position(ending.last, days):
        return ending.successor
    return fund.ticker


def _last_step(row: Any, close: pd.DataFrame, last: float) -> float:
    if row.kind == "liquidation":
        return float(row.value / last - 1)
    if row.kind == "merger":
        return float(row.value * close.at[row.ex_date, row.successor] / last - 1)
    return 0.0


def _fund_rows(listings: Listings, j: int, fund: FundSpec) -> Iterator[tuple[Any, ...]]:
    days = listings.exchange.sessions
    for t in np.flatnonzero(listings.split[:, j] != 1):
        name = ticker_in(fund, int(t), days)
        yield name, t, "split", listings.split[t, j], t, None, t - SPLIT_NOTICE, fund.currency
    for t in np.flatnonzero(listings.dividend[:, j] > 0):
        name = ticker_in(fund, int(t), days)
        yield name, t, "dividend", listings.dividend[t, j], t + DIVIDEND_PAY, None, t - DIVIDEND_NOTICE, fund.currency
    if fund.ending is not None:
        yield _ending_row(listings, j, fund, fund.ending)


def _ending_row(listings: Listings, j: int, fund: FundSpec, ending: Ending) -> tuple[Any, ...]:
    last = last_position(ending.last, listings.exchange.sessions)
    held = listings.close[last, j]
    if ending.kind == "liquidation":
        value = round(float(held) * (1 - ending.haircut), 4)
    elif ending.kind == "merger":
        names = [f.ticker for f in listings.exchange.funds]
        value = round(float(held / listings.close[last, names.index(ending.successor)]), 8)
    else:
        value = 1.0
    successor = ending.successor or None
    return fund.ticker, last, ending.kind, value, last + ending.pay, successor, last - ending.notice, fund.currency
