"""Editions of one market: what the vendor said first, what it says for good, and what it says after changing its history.

A vendor corrects closes, withdraws bars, delivers late ones and restates dividends. Each edition differs from the `final` one in
the few values of `CHANGES`; everything else is the same to the byte, and the truth lists the differences.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from etf_pipeline.errors import DataError
from etf_pipeline.providers import RawMarket

Edition = Literal["first", "final", "restated"]
EDITIONS: tuple[Edition, ...] = ("first", "final", "restated")
COLUMNS = ["dataset", "ticker", "session", "field", "first", "final", "restated"]


class Change(NamedTuple):
    """One difference between editions.

    Attributes
    ----------
    kind : {"late_bar", "corrected_close", "withdrawn_bar", "changed_dividend"}
        A late bar is absent from the first edition; the others are changes of the restated one.
    ticker, day : str
        The bar, or the dividend and its ex-date.
    """

    kind: str
    ticker: str
    day: str


CHANGES = (
    Change("late_bar", "TLT", "2019-11-13"),
    Change("corrected_close", "QQQ", "2021-03-16"),
    Change("withdrawn_bar", "EEM", "2020-09-15"),
    Change("changed_dividend", "IWM", "2020-09-18"),
)
"""On funds and days that both profiles share, and on none with a planted fault."""
RAISED = 1.02
"""Restated dividend over the one paid out before."""


def restate_market(market: RawMarket, edition: Edition = "restated") -> RawMarket:
    """The same vendor's market in another edition.

    Parameters
    ----------
    market : RawMarket
        In the final edition; it is left as it was.
    edition : {"first", "final", "restated"}
        A late bar is still missing from the first; the restated one changes history.

    Raises
    ------
    DataError
        If the market lacks a bar or dividend that an edition changes.
    """
    prices, actions = market.prices, market.actions.copy()
    drop: list[int] = []
    close = prices["close"].copy()
    for change in CHANGES:
        at = _place(market, change)
        if (change.kind, edition) in {("late_bar", "first"), ("withdrawn_bar", "restated")}:
            drop.append(at)
        elif (change.kind, edition) == ("corrected_close", "restated"):
            close[at] = _middle(prices, at)
        elif (change.kind, edition) == ("changed_dividend", "restated"):
            actions.loc[at, "value"] = _raised(actions.at[at, "value"])
    kept = prices.assign(close=close).drop(index=drop).reset_index(drop=True)
    label = market.label if edition == "final" else f"{market.label}, {edition} edition"
    return replace(market, prices=kept, actions=actions, label=label)


def restatements(market: RawMarket) -> pd.DataFrame:
    """The differences between the editions of a market, with the values of each; NaN where a row is absent."""
    rows: list[tuple[Any, ...]] = []
    for change in CHANGES:
        at, day = _place(market, change), pd.Timestamp(change.day)
        if change.kind == "changed_dividend":
            paid = market.actions.at[at, "value"]
            rows.append(("raw_actions", change.ticker, day, "value", paid, paid, _raised(paid)))
            continue
        close = market.prices.at[at, "close"]
        first = np.nan if change.kind == "late_bar" else close
        later = {"withdrawn_bar": np.nan, "corrected_close": _middle(market.prices, at)}.get(change.kind, close)
        field = "close" if change.kind == "corrected_close" else "row"
        rows.append(("raw_prices", change.ticker, day, field, first, close, later))
    return pd.DataFrame(rows, columns=COLUMNS)


def _middle(prices: pd.DataFrame, at: int) -> float:
    """A close that the bar's own range allows."""
    return float(prices["high"].to_numpy()[at] + prices["low"].to_numpy()[at]) / 2


def _raised(paid: Any) -> float:
    return round(float(paid) * RAISED, 4)


def _place(market: RawMarket, change: Change) -> int:
    """Row number of the bar or dividend that a change is about."""
    frame, day = (market.actions, "ex_date") if change.kind == "changed_dividend" else (market.prices, "session")
    found = (frame["ticker"] == change.ticker) & (frame[day] == pd.Timestamp(change.day))
    if day == "ex_date":
        found &= frame["kind"] == "dividend"
    if not found.any():
        raise DataError(
            f"an edition needs the {'dividend' if day == 'ex_date' else 'bar'} of {change.ticker} on {change.day}; "
            "the market has none. Choose a session of its calendar in CHANGES."
        )
    return int(np.flatnonzero(found)[0])
