"""What is really held, and money that came or went: where the next rebalance starts from.

A statement of holdings replaces what the model believes at the first decision on or after its date; from there the portfolio
drifts, pays and receives like any other. Its value is then that of the statement, grown since. A portfolio without statement
and flows keeps the same value throughout, so that its costs are those of one size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline.conventions import CASH
from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats
from etf_pipeline.portfolio.rebalancing import Holdings, TotalReturns, grown


@dataclass(frozen=True)
class Statement:
    """Holdings at the close of a day.

    Attributes
    ----------
    as_of : Timestamp
        The day.
    weights : ndarray of shape (n_assets,)
        Of the funds; the rest is cash. [fraction]
    value : float
        Of everything. [currency of the funds]
    """

    as_of: pd.Timestamp
    weights: Floats = field(repr=False)
    value: float


def statements(holdings: pd.DataFrame, strategy: str, tickers: pd.Index[Any]) -> tuple[Statement, ...]:
    """Statements of one portfolio, oldest first.

    Parameters
    ----------
    holdings : DataFrame
        Table `fct_holdings`.
    strategy : str
    tickers : Index of shape (n_assets,)
        The axis; every fund held is on it.

    Raises
    ------
    DataError
        If a holding has no price, or a statement is worth nothing.
    """
    own = holdings[holdings["strategy"] == strategy].sort_values(["as_of", "ticker"])
    made = []
    for as_of in pd.DatetimeIndex(own["as_of"].unique()):
        rows = own[own["as_of"] == as_of]
        unpriced = rows.loc[rows["value"].isna(), "ticker"].tolist()
        if unpriced:
            raise DataError(
                f"holdings of '{strategy}' on {as_of.date()} need a price for {unpriced[:5]}: there is no bar up to that day. "
                f"Write one into the file's price column."
            )
        total = float(rows["value"].sum())
        if total <= 0.0:
            raise DataError(f"holdings of '{strategy}' on {as_of.date()} are worth {total:g}; a portfolio needs some value.")
        funds = rows[rows["ticker"] != CASH]
        weights = np.zeros(len(tickers))
        weights[tickers.get_indexer(pd.Index(funds["ticker"]))] = funds["value"].to_numpy(dtype=np.float64) / total
        made.append(Statement(as_of, weights, total))
    return tuple(made)


@dataclass
class Account:
    """One portfolio over time: what it holds, what it is worth, and what came in and went out.

    Attributes
    ----------
    name : str
        The portfolio.
    holdings : Holdings
        As last decided or stated.
    value : float
        Net asset value that costs are computed for, when last looked at. [currency of the funds]
    statements : tuple of Statement
        Oldest first.
    flows : DataFrame
        `date` and `amount`, in the currency of the funds, oldest first.
    seen : Timestamp or None
        Up to which day statements and flows are in.
    real : bool
        Whether a statement or a flow was taken: from then on its value moves with what happens.
    """

    name: str
    holdings: Holdings
    value: float
    statements: tuple[Statement, ...] = ()
    flows: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"date": pd.DatetimeIndex([]), "amount": []}))
    seen: pd.Timestamp | None = None
    real: bool = False

    def look(self, market: TotalReturns, now: int, risk_free: float, usual: float) -> tuple[Floats, float]:
        """Fund weights and value at a session's close, with everything that happened by then; changes nothing.

        `usual` is the value of a portfolio without statement and flows.

        Raises
        ------
        DataError
            If more went out than there was.
        """
        session = market.sessions[now]
        statement = _newest(self.statements, self.seen, session)
        if statement is None:
            begun, value, since = self.holdings, self.value, self.seen
        else:
            row = int(market.sessions.searchsorted(statement.as_of, side="right")) - 1
            begun, value, since = Holdings(statement.weights, max(row, 0), at_close=True), statement.value, statement.as_of
        weights, growth = grown(begun, market, now, risk_free)
        paid = self._paid(since, session)
        if statement is None and paid == 0.0 and not self.real:
            return weights, usual
        worth = value * growth
        if worth + paid <= 0.0:
            raise DataError(f"flows of '{self.name}' up to {session.date()} take out {-paid:,.0f}; there were {worth:,.0f}.")
        return weights * (worth / (worth + paid)), worth + paid

    def settle(self, weights: Floats, value: float, market: TotalReturns, now: int, *, traded: bool) -> None:
        """Book a decision: what is held from here on, filled at the next open if something was traded."""
        session = market.sessions[now]
        self.real |= _newest(self.statements, self.seen, session) is not None or self._paid(self.seen, session) != 0.0
        self.holdings = Holdings(weights, now, at_close=not traded)
        self.seen, self.value = session, value

    def _paid(self, since: pd.Timestamp | None, until: pd.Timestamp) -> float:
        if since is None or self.flows.empty:  # before the first decision: part of what it begins with
            return 0.0
        day = self.flows["date"]
        return float(self.flows.loc[(day > since) & (day <= until), "amount"].sum())


def _newest(told: Sequence[Statement], seen: pd.Timestamp | None, session: pd.Timestamp) -> Statement | None:
    fresh = [one for one in told if one.as_of <= session and (seen is None or one.as_of > seen)]
    return fresh[-1] if fresh else None


def held_tickers(holdings: pd.DataFrame | None) -> pd.Index[Any]:
    """Funds that statements name."""
    return pd.Index([] if holdings is None else sorted(set(holdings["ticker"]) - {CASH}), dtype=object)
