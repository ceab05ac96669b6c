"""What the tests of the simulated market derive themselves from its raw tables, without the project's own SQL."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd

from etf_pipeline.providers import RawMarket
from etf_pipeline.providers.simulated import MarketTruth, SimulatedMarket


@functools.cache
def market(profile: str = "full", faults: bool = False, edition: str = "final") -> RawMarket:
    return SimulatedMarket(profile, faults=faults, edition=edition).fetch()


@functools.cache
def truth(profile: str = "full", faults: bool = False) -> MarketTruth:
    return SimulatedMarket.for_profile(profile, faults=faults).truth()


def funds_of(history: pd.DataFrame, tickers: pd.Series[str], days: pd.Series[pd.Timestamp]) -> pd.Series[str]:
    """The fund behind each ticker on each day: spell by spell; a ticker without a spell is the fund's own name."""
    funds = tickers.copy()
    for spell in history.itertuples():
        until = pd.Timestamp.max if pd.isna(spell.valid_to) else spell.valid_to
        funds[(tickers == spell.ticker) & (days >= spell.valid_from) & (days <= until)] = spell.fund
    return funds


def named(frame: pd.DataFrame, history: pd.DataFrame, day: str) -> pd.DataFrame:
    """A table with the permanent names of its funds for tickers, in the order of the sessions of each."""
    return frame.assign(ticker=funds_of(history, frame["ticker"], frame[day])).reset_index(drop=True)


@functools.cache
def prices(profile: str = "full") -> pd.DataFrame:
    raw = market(profile)
    return named(raw.prices, raw.ticker_history, "session")


@functools.cache
def actions(profile: str = "full") -> pd.DataFrame:
    raw = market(profile)
    return named(raw.actions, raw.ticker_history, "ex_date")


def effects(profile: str, kind: str, neutral: float) -> pd.Series[float]:
    """Splits or dividends at the rows of the prices; `neutral` where none."""
    chosen = actions(profile)[actions(profile)["kind"] == kind].set_index(["ticker", "ex_date"])["value"]
    rows = pd.MultiIndex.from_frame(prices(profile)[["ticker", "session"]])
    return chosen.reindex(rows).fillna(neutral).reset_index(drop=True)


@functools.cache
def returns_by_hand(profile: str = "full", price: str = "close") -> pd.Series[float]:
    """(price * split + dividend * split) / previous close - 1, by fund and session."""
    bars = prices(profile)
    split, dividend = effects(profile, "split", 1.0), effects(profile, "dividend", 0.0)
    before = bars.groupby("ticker")["close"].shift()
    values = (bars[price] * split + dividend * split) / before - 1
    return pd.Series(values.to_numpy(), index=pd.MultiIndex.from_frame(bars[["ticker", "session"]]))


def wide(values: pd.Series[float], exchange: str = "XNYS") -> pd.DataFrame:
    frame = values.unstack("ticker")
    chosen = [t for t in frame.columns if t.endswith(".AX") == (exchange == "XASX")]
    return frame[chosen].dropna(how="all")


def average_correlation(returns: pd.DataFrame) -> float:
    table = returns.corr().to_numpy()
    return float(table[np.triu_indices(len(table), 1)].mean())
