"""The features table: every entry of the registry at every bar."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from etf_pipeline.features.bars import aligned, gather
from etf_pipeline.features.registry import FEATURES, matrix


@dataclass(frozen=True)
class FeatureParameters:
    """What to compute.

    Attributes
    ----------
    only_members : bool
        Whether a fund's features are unknown while it is no member. They are then cheaper to store and say less.
    """

    only_members: bool = False


def compute(
    prices: pd.DataFrame,
    returns: pd.DataFrame,
    membership: pd.DataFrame,
    market: pd.DataFrame,
    parameters: FeatureParameters | None = None,
) -> pd.DataFrame:
    """All features of every fund at each of its bars.

    Parameters
    ----------
    prices, returns, membership : DataFrame
        `fct_prices`, `fct_returns` and `universe_membership`, with the same rows.
    market : DataFrame
        `market_returns`.

    Returns
    -------
    DataFrame
        `features`, sorted by ticker and session; infinite values of absurd input are unknown.

    Raises
    ------
    DataError
        If `returns` or `membership` has other rows than `prices`.
    """
    parameters = parameters or FeatureParameters()
    keys, bars = gather(prices, returns, market)
    members = aligned(keys, membership, "universe_membership")["member"].to_numpy(dtype=bool)
    frame = pd.DataFrame(matrix(bars).T, columns=list(FEATURES), copy=False)
    frame.insert(0, "session", keys["session"])
    frame.insert(1, "ticker", keys["ticker"])
    if parameters.only_members:
        frame.loc[~members, list(FEATURES)] = float("nan")
    return frame
