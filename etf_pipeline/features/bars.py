"""What every feature is a function of: the bars of each fund one after the other, with the market return of their session."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats

KEY = ["ticker", "session"]


@dataclass(frozen=True)
class Bars:
    """Arrays of shape (n_bars,), sorted by fund and session.

    Attributes
    ----------
    starts : ndarray of shape (n_funds + 1,)
        Fund `f` has the bars from ``starts[f]`` up to ``starts[f + 1]``.
    total_return, open_return : ndarray
        Total return from the close before to this close, and to this open. [fraction]
    index : ndarray
        Forward total-return index at the close. [index]
    high, low, close : ndarray
        Highest, lowest and last price, in the session's share basis. [listing currency]
    traded_value : ndarray
        Close times volume. [listing currency]
    dividend : ndarray
        Cash that went ex, in its session's share basis; NaN where prices already contain it. [listing currency per share]
    split_ratio : ndarray
        New shares per old. [ratio]
    market : ndarray
        `market_returns` of the fund's exchange and session. [fraction]
    months : ndarray
        Calendar month, year * 12 + month - 1. [count]
    """

    starts: npt.NDArray[np.int64]
    total_return: Floats
    open_return: Floats
    index: Floats
    high: Floats
    low: Floats
    close: Floats
    traded_value: Floats
    dividend: Floats
    split_ratio: Floats
    market: Floats
    months: npt.NDArray[np.int64]


def gather(prices: pd.DataFrame, returns: pd.DataFrame, market: pd.DataFrame) -> tuple[pd.DataFrame, Bars]:
    """Keys of all bars, sorted by ticker and session, and what features read of them.

    Parameters
    ----------
    prices, returns, market : DataFrame
        `fct_prices`, `fct_returns` with the same rows, and `market_returns`.

    Raises
    ------
    DataError
        If `returns` has other rows than `prices`.
    """
    bars = in_order(prices)
    grown = aligned(bars, returns, "fct_returns")
    own = bars["adjustment"] != "split_dividend"
    stamps = pd.DatetimeIndex(bars["session"])
    new = np.append(True, bars["ticker"].to_numpy()[1:] != bars["ticker"].to_numpy()[:-1])[: len(bars)]
    taken = {name: _floats(bars[name]) for name in ("high", "low", "close", "traded_value", "split_ratio")}
    return bars[["session", "ticker"]], Bars(
        starts=np.append(np.flatnonzero(new), len(bars)).astype(np.int64),
        total_return=_floats(grown["total_return"]),
        open_return=_floats(grown["open_return"]),
        index=_floats(grown["index_close"]),
        dividend=_floats(bars["dividend"].where(own)),
        market=_market_of(bars, market),
        months=np.asarray(stamps.year * 12 + stamps.month - 1, dtype=np.int64),
        **taken,
    )


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows sorted by ticker and session; as they are where they already are."""
    tickers, sessions = (frame[name].to_numpy() for name in KEY)
    later = (tickers[1:] > tickers[:-1]) | ((tickers[1:] == tickers[:-1]) & (sessions[1:] > sessions[:-1]))
    return (frame if later.all() else frame.sort_values(KEY, kind="stable")).reset_index(drop=True)


def aligned(bars: pd.DataFrame, frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """A table with the rows of `bars`, in their order."""
    other = in_order(frame)
    if len(other) != len(bars) or any((other[column].to_numpy() != bars[column].to_numpy()).any() for column in KEY):
        raise DataError(
            f"features needs {name} with the (ticker, session) rows of fct_prices; {name} has {len(other)} and fct_prices "
            f"{len(bars)}. Materialise {name} again from these prices."
        )
    return other


def _market_of(bars: pd.DataFrame, market: pd.DataFrame) -> Floats:
    told = market[["exchange", "session", "market_return"]]
    return _floats(bars[["exchange", "session"]].merge(told, on=["exchange", "session"], how="left")["market_return"])


def _floats(values: pd.Series[float]) -> Floats:
    return np.ascontiguousarray(values.to_numpy(dtype=np.float64, na_value=np.nan))
