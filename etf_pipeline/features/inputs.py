"""What every feature is a function of: wide arrays of one market, with the market return that its members made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats, Panel


@dataclass(frozen=True)
class FeatureInputs:
    """Wide arrays of shape (n_sessions, n_assets); NaN where a fund has no bar.

    Attributes
    ----------
    total_return : ndarray
        Total return of the session. [fraction]
    index : ndarray
        Forward total-return index at the close. [index]
    close : ndarray
        Last price, in its session's share basis. [listing currency]
    traded_value : ndarray
        Close times volume. [listing currency]
    dividend : ndarray
        Cash that went ex, in its session's share basis; NaN where prices already contain it. [listing currency per share]
    split_ratio : ndarray
        New shares per old. [ratio]
    market : ndarray
        Equal-weighted return of the members of the fund's own exchange, as chosen one session before. [fraction]
    months : ndarray of shape (n_sessions,)
        Calendar month, year * 12 + month - 1. [count]
    """

    total_return: Floats
    index: Floats
    close: Floats
    traded_value: Floats
    dividend: Floats
    split_ratio: Floats
    market: Floats
    months: npt.NDArray[np.int64]


def gather(prices: pd.DataFrame, returns: pd.DataFrame, membership: pd.DataFrame) -> tuple[Panel, FeatureInputs]:
    """Scatter the long tables onto one panel, whose rows are those of `prices`.

    Raises
    ------
    DataError
        If `returns` or `membership` has other rows than `prices`.
    """
    key = ["ticker", "session"]
    bars = prices.sort_values(key, kind="stable").reset_index(drop=True)
    panel = Panel.of(bars)
    aligned = {
        name: _aligned(bars, frame, name, key) for name, frame in (("fct_returns", returns), ("universe_membership", membership))
    }
    own = bars["adjustment"] != "split_dividend"
    arrays = {name: panel.wide(bars[name]) for name in ("close", "traded_value", "split_ratio")}
    total_return = panel.wide(aligned["fct_returns"]["total_return"])
    member = panel.wide(aligned["universe_membership"]["member"], fill=0.0) == 1.0
    stamps = panel.sessions
    return panel, FeatureInputs(
        total_return=total_return,
        index=panel.wide(aligned["fct_returns"]["index_close"]),
        dividend=panel.wide(bars["dividend"].where(own)),
        market=_market(total_return, member, _exchange_codes(panel, bars)),
        months=np.asarray(stamps.year * 12 + stamps.month - 1, dtype=np.int64),
        **arrays,
    )


def _aligned(bars: pd.DataFrame, frame: pd.DataFrame, name: str, key: list[str]) -> pd.DataFrame:
    other = frame.sort_values(key, kind="stable").reset_index(drop=True)
    same = len(other) == len(bars) and all((other[column].to_numpy() == bars[column].to_numpy()).all() for column in key)
    if not same:
        raise DataError(
            f"features needs fct_prices, fct_returns and universe_membership with the same (ticker, session) rows; "
            f"{name} has {len(other)} and fct_prices {len(bars)}. Materialise {name} again from these prices."
        )
    return other


def _exchange_codes(panel: Panel, bars: pd.DataFrame) -> npt.NDArray[np.intp]:
    listing = bars.groupby("ticker")["exchange"].first().reindex(panel.tickers)
    return np.asarray(pd.factorize(listing)[0])


def _market(total_return: Floats, member: npt.NDArray[np.bool_], exchange: npt.NDArray[np.intp]) -> Floats:
    """Equal-weighted return of the members per exchange: a Sydney close cannot know what New York does on the same date.

    Members are those of the exchange's session before, so that a fund's own return does not decide whether it counts.
    """
    out = np.full(total_return.shape, np.nan)
    for code in np.unique(exchange):
        funds = exchange == code
        open_rows = np.flatnonzero((~np.isnan(total_return[:, funds])).any(axis=1))
        if not len(open_rows):
            continue
        rows = np.ix_(open_rows, np.flatnonzero(funds))
        returns = total_return[rows]
        chosen = np.vstack([np.zeros((1, returns.shape[1]), dtype=bool), member[rows][:-1]]) & ~np.isnan(returns)
        count = chosen.sum(axis=1)
        total = np.where(chosen, returns, 0.0).sum(axis=1)
        mean = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
        out[rows] = np.where(np.isnan(returns), np.nan, mean[:, None])
    return out
