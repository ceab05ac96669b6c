"""How easily each fund traded, as known at each close: the inputs of the cost function."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.costs.model import TransactionCostModel, daily
from etf_pipeline.costs.parameters import CostParameters
from etf_pipeline.costs.spread import half_spread
from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats

KEY = ["ticker", "session"]


def liquidity(
    prices: pd.DataFrame,
    returns: pd.DataFrame,
    volatilities: pd.DataFrame,
    membership: pd.DataFrame,
    parameters: CostParameters,
) -> pd.DataFrame:
    """Traded value, volatility, liquidity rank, half-spread and reference cost per fund and session.

    Parameters
    ----------
    prices, returns, volatilities, membership : DataFrame
        Tables `fct_prices`, `fct_returns`, `volatilities` and `universe_membership`.
    parameters : CostParameters
        Window, spread, impact and commission.

    Returns
    -------
    DataFrame
        Table `liquidity`, one row per row of `prices`. A fund has no traded value before it has `window` bars; its rank
        needs a positive value and a known return in at least half of them.

    Raises
    ------
    DataError
        If the window is not positive.

    Notes
    -----
    Amihud's measure is the mean of |return| over value traded, on bars that traded. Ranks compare with the session's
    *members*, so that an illiquid fund outside the universe does not flatter those inside; a fund outside is placed
    among them, because a holding that has left the universe must still be sold at a price.
    """
    if parameters.window < 1:
        raise DataError(f"liquidity needs a window of at least 1 session; found {parameters.window}.")
    frame = _joined(prices, returns, volatilities, membership)
    position = frame.groupby("ticker", sort=False).cumcount().to_numpy()
    value = frame["traded_value"].to_numpy(dtype=np.float64)
    traded = np.where(value > 0, value, np.nan)
    measure = np.abs(frame["total_return"].to_numpy(dtype=np.float64)) / traded
    half = max(parameters.window // 2, 1)
    frame["daily_value"] = trailing_mean(value, position, parameters.window, parameters.window)
    frame["amihud"] = trailing_mean(measure, position, parameters.window, half)
    frame["amihud_rank"] = rank_among_members(frame)
    frame["daily_volatility"] = daily(frame["volatility"].to_numpy(dtype=np.float64))
    frame["half_spread"] = half_spread(
        frame["amihud_rank"].to_numpy(dtype=np.float64),
        base_spread=parameters.base_spread,
        least_liquid_multiple=parameters.least_liquid_multiple,
    )
    columns = (frame[name].to_numpy() for name in ("half_spread", "daily_volatility", "daily_value"))
    frame["reference_cost"] = TransactionCostModel(parameters).fraction(parameters.reference_order, *columns)
    return frame[["session", "ticker", "daily_value", "daily_volatility", "amihud_rank", "half_spread", "reference_cost"]]


def trailing_mean(values: Floats, position: npt.NDArray[np.integer[Any]], window: int, minimum: int) -> Floats:
    """Mean of each row and the rows before it of the same ticker, unknown values left out.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        Sorted by ticker, then session.
    position : ndarray of shape (n_rows,)
        How many earlier rows the ticker has.
    window, minimum : int
        Rows looked at, all of which must exist, and known values needed among them.

    Notes
    -----
    Summed afresh for every row, oldest last: a running sum would carry one absurd value's rounding error for ever.
    """
    total, count = np.zeros(len(values)), np.zeros(len(values))
    for lag in range(min(window, len(values))):
        old = values[: len(values) - lag]
        known = ~np.isnan(old) & (position[lag:] >= lag)
        total[lag:] += np.where(known, old, 0.0)
        count[lag:] += known
    enough = (count >= minimum) & (position >= window - 1)
    return np.where(enough, total / np.maximum(count, 1.0), np.nan)


def rank_among_members(frame: pd.DataFrame) -> Floats:
    """Share of the session's other members that are more liquid: 0 is the most liquid, ties share the mean.

    Parameters
    ----------
    frame : DataFrame
        `session`, `amihud` and the flag `member`.
    """
    codes, sessions = pd.factorize(frame["session"], sort=True)
    amihud, inside = frame["amihud"].to_numpy(), frame["member"].to_numpy(dtype=bool)
    rank = np.full(len(frame), np.nan)
    order = np.argsort(codes, kind="stable")
    for rows in np.split(order, np.searchsorted(codes[order], np.arange(1, len(sessions)))):
        own = amihud[rows]
        rank[rows] = _ranks(own, inside[rows], np.sort(own[inside[rows] & ~np.isnan(own)]))
    return rank


def _ranks(amihud: Floats, inside: npt.NDArray[np.bool_], peers: Floats) -> Floats:
    below, upto = np.searchsorted(peers, amihud, "left"), np.searchsorted(peers, amihud, "right")
    others = len(peers) - inside
    ahead = 0.5 * (below + np.maximum(upto - inside, below))
    known = ~np.isnan(amihud) & (others > 0)
    alone = ~np.isnan(amihud) & inside & (others == 0)  # the only member is also the most liquid
    return np.where(known, ahead / np.maximum(others, 1), np.where(alone, 0.0, np.nan))


def _joined(prices: pd.DataFrame, returns: pd.DataFrame, volatilities: pd.DataFrame, membership: pd.DataFrame) -> pd.DataFrame:
    frame = prices[[*KEY, "traded_value"]].sort_values(KEY, kind="stable")
    for table, name in ((returns, "total_return"), (volatilities, "volatility"), (membership, "member")):
        frame = frame.merge(table[[*KEY, name]], on=KEY, how="left", validate="one_to_one")
    frame["member"] = frame["member"].eq(True)
    return frame
