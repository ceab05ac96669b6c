"""What the tests of the simulated market derive themselves from its raw tables, without the project's own SQL."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd

from etf_pipeline.providers import RawMarket
from etf_pipeline.providers.simulated import MarketTruth, SimulatedMarket


@functools.cache
def market(profile: str = "full", faults: bool = False) -> RawMarket:
    return SimulatedMarket.for_profile(profile, faults=faults).fetch()


@functools.cache
def truth(profile: str = "full", faults: bool = False) -> MarketTruth:
    return SimulatedMarket.for_profile(profile, faults=faults).truth()


def effects(raw: RawMarket, kind: str, neutral: float) -> pd.Series[float]:
    """Splits or dividends at the rows of the prices; `neutral` where none."""
    chosen = raw.actions[raw.actions["kind"] == kind].set_index(["ticker", "ex_date"])["value"]
    rows = pd.MultiIndex.from_frame(raw.prices[["ticker", "session"]])
    return chosen.reindex(rows).fillna(neutral).reset_index(drop=True)


@functools.cache
def returns_by_hand(profile: str = "full", price: str = "close") -> pd.Series[float]:
    """(price * split + dividend * split) / previous close - 1, by ticker and session."""
    raw = market(profile)
    split, dividend = effects(raw, "split", 1.0), effects(raw, "dividend", 0.0)
    before = raw.prices.groupby("ticker")["close"].shift()
    values = (raw.prices[price] * split + dividend * split) / before - 1
    return pd.Series(values.to_numpy(), index=pd.MultiIndex.from_frame(raw.prices[["ticker", "session"]]))


def wide(values: pd.Series[float], exchange: str = "XNYS") -> pd.DataFrame:
    frame = values.unstack("ticker")
    chosen = [t for t in frame.columns if t.endswith(".AX") == (exchange == "XASX")]
    return frame[chosen].dropna(how="all")


def average_correlation(returns: pd.DataFrame) -> float:
    table = returns.corr().to_numpy()
    return float(table[np.triu_indices(len(table), 1)].mean())
