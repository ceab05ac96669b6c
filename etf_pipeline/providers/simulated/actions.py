"""Corporate actions of the simulated market: splits, distributions, and the funds that close, merge or change their name.

Everything is announced before it happens; the announcement is the row's `available_at`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline.calendars import closes, sessions
from etf_pipeline.panel import Floats
from etf_pipeline.providers.simulated import history
from etf_pipeline.providers.simulated.funds import Ending, FundSpec
from etf_pipeline.providers.simulated.listings import Listings, last_position
from etf_pipeline.providers.simulated.names import ticker_in

SPLIT_NOTICE, DIVIDEND_NOTICE, DIVIDEND_PAY = 15, 5, 4
"""Sessions from announcement to ex-date, and from the ex-date to the payment."""
AFTER = "2024-12-31"
"""Payments of the last weeks fall after the last session."""
SOURCE = "simulated"
COLUMNS = ("ticker", "ex_date", "kind", "value", "pay_date", "successor", "currency", "available_at", "value_known_at", "source")

ENDING_COLUMNS = (
    *("ticker", "kind", "announced_at", "last_session", "last_close", "value", "pay_date", "successor"),
    "delisting_return",
)


def action_table(listings: Listings, heirs: Listings | None = None) -> pd.DataFrame:
    """Rows of `raw_actions` for one exchange, without `source_row`.

    Parameters
    ----------
    listings : Listings
    heirs : Listings, optional
        Where the successors of merged funds are listed, over the same sessions; by default among `listings` themselves.
    """
    exchange = listings.exchange
    rows = [row for j, fund in enumerate(exchange.funds) for row in _fund_rows(listings, j, fund, heirs or listings)]
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
    frame["source"] = SOURCE
    return frame[list(COLUMNS)]


def announcement_table(listings: Listings) -> pd.DataFrame:
    """Rows of `raw_lifecycle` for one exchange: every ending when it was announced, with the issuer's reason."""
    exchange = listings.exchange
    code = exchange.funds[0].exchange
    ending = [(fund, fund.ending) for fund in exchange.funds if fund.ending is not None]
    last = np.array([last_position(end.last, exchange.sessions) for _, end in ending], dtype=np.intp)
    calendar = sessions(code, history.FIRST, AFTER)
    announced = calendar[last - np.array([end.notice for _, end in ending], dtype=np.intp)]
    return pd.DataFrame(
        {
            "ticker": [fund.ticker for fund, _ in ending],
            "event": "announcement",
            "event_date": announced,
            "value": np.nan,
            "pay_date": calendar[last + np.array([end.pay for _, end in ending], dtype=np.intp)],
            "successor": [end.successor or None for _, end in ending],
            "reason": [end.reason for _, end in ending],
            "known_at": closes(code, announced) + pd.Timedelta(hours=1),
            "basis": "given",
            "source": SOURCE,
        }
    )


def ending_table(listings: Listings, heirs: Listings | None = None) -> pd.DataFrame:
    """The truth about every fund that ends: last close, what a holder gets, when, and the return of that last step."""
    days, at = listings.exchange.sessions, heirs or listings
    rows = []
    for j, fund in enumerate(listings.exchange.funds):
        if fund.ending is not None:
            last = last_position(fund.ending.last, days)
            held = float(listings.close[last, j])
            _, _, kind, value, *_ = _ending_row(listings, j, fund, fund.ending, at)
            worth = value if kind == "liquidation" else value * float(_closes_of(at, fund.ending.successor)[last])
            rows.append((fund.ticker, kind, last, held, value, fund.ending.successor or None, worth / held - 1))
    names = ["ticker", "kind", "last", "last_close", "value", "successor", "delisting_return"]
    frame = pd.DataFrame(rows, columns=names).merge(announcement_table(listings)[["ticker", "known_at", "pay_date"]], on="ticker")
    frame["last_session"] = days[frame["last"].to_numpy()]
    return frame.rename(columns={"known_at": "announced_at"})[list(ENDING_COLUMNS)]


def _fund_rows(listings: Listings, j: int, fund: FundSpec, heirs: Listings) -> Iterator[tuple[Any, ...]]:
    days = listings.exchange.sessions
    for t in np.flatnonzero(listings.split[:, j] != 1):
        name = ticker_in(fund, int(t), days)
        yield name, t, "split", listings.split[t, j], t, None, t - SPLIT_NOTICE, fund.currency
    for t in np.flatnonzero(listings.dividend[:, j] > 0):
        name = ticker_in(fund, int(t), days)
        yield name, t, "dividend", listings.dividend[t, j], t + DIVIDEND_PAY, None, t - DIVIDEND_NOTICE, fund.currency
    if fund.rename is not None:
        last = last_position(fund.rename.last, days)
        change = fund.rename
        yield fund.listed_as, last, "rename", 1.0, last + change.pay, change.ticker, last - change.notice, fund.currency
    if fund.ending is not None:
        yield _ending_row(listings, j, fund, fund.ending, heirs)


def _ending_row(listings: Listings, j: int, fund: FundSpec, ending: Ending, heirs: Listings) -> tuple[Any, ...]:
    days = listings.exchange.sessions
    last = last_position(ending.last, days)
    held = float(listings.close[last, j])
    if ending.kind == "liquidation":
        value = round(held * (1 - ending.haircut), 4)
    else:
        value = round(held / float(_closes_of(heirs, ending.successor)[last]), 8)
    name, successor = ticker_in(fund, last, days), ending.successor or None
    return name, last, ending.kind, value, last + ending.pay, successor, last - ending.notice, fund.currency


def _closes_of(listings: Listings, ticker: str) -> Floats:
    names = [f.ticker for f in listings.exchange.funds]
    return np.asarray(listings.close[:, names.index(ticker)], dtype=np.float64)
