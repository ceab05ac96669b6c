"""The market that funds are held against: what the members of their own exchange returned on average."""

from __future__ import annotations

import numpy as np
import pandas as pd

from etf_pipeline.features.bars import aligned, in_order


def market_returns(prices: pd.DataFrame, returns: pd.DataFrame, membership: pd.DataFrame) -> pd.DataFrame:
    """Equal-weighted return of an exchange's members, as chosen one session of the exchange before.

    Parameters
    ----------
    prices, returns, membership : DataFrame
        `fct_prices`, `fct_returns` and `universe_membership`, with the same rows.

    Returns
    -------
    DataFrame
        `market_returns`, one row per exchange and session with a bar. [fraction]

    Raises
    ------
    DataError
        If `returns` or `membership` has other rows than `prices`.

    Notes
    -----
    Exchanges are apart, since a Sydney close cannot know what New York does on the same date. Members are those of the session
    before, so that a fund's own return does not decide whether it counts; a member without a bar that day is left out.
    """
    bars = in_order(prices)
    total_return = aligned(bars, returns, "fct_returns")["total_return"].to_numpy(dtype=float)
    member = aligned(bars, membership, "universe_membership")["member"].to_numpy(dtype=bool)
    days = bars[["exchange", "session"]].drop_duplicates().sort_values(["exchange", "session"], ignore_index=True)
    place = pd.MultiIndex.from_frame(days).get_indexer(pd.MultiIndex.from_frame(bars[["exchange", "session"]]))
    ticker, exchange = bars["ticker"].to_numpy(), bars["exchange"].to_numpy()
    follows = np.zeros(len(bars), dtype=bool)
    follows[1:] = (ticker[1:] == ticker[:-1]) & (exchange[1:] == exchange[:-1]) & (place[1:] == place[:-1] + 1)
    chosen = follows & np.append(False, member[:-1])[: len(bars)] & ~np.isnan(total_return)
    count = np.bincount(place[chosen], minlength=len(days))
    total = np.bincount(place[chosen], weights=total_return[chosen], minlength=len(days))
    mean = np.divide(total, count, out=np.full(len(days), np.nan), where=count > 0)
    return days.assign(market_return=mean, members=count)
