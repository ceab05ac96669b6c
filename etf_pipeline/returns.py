"""Total returns and the forward index that grows from them: what every derived figure is made from."""

from __future__ import annotations

import pandas as pd
import polars as pl

GROWTH = (
    "session",
    "ticker",
    "total_return",
    "open_return",
    "index_close",
    "index_open",
    "gap_days",
)


def total_returns(prices: pd.DataFrame, before: pd.DataFrame | None = None) -> pd.DataFrame:
    """Total return of each bar and the total-return index of each fund.

    Parameters
    ----------
    prices : DataFrame
        `fct_prices`: open, close, dividend and split ratio by ticker and session, in any order. [listing currency]
    before : DataFrame, optional
        Rows of `fct_returns` that were made before: a fund whose first bar here is among them goes on from its index there.

    Returns
    -------
    DataFrame
        `fct_returns`, one row per row of `prices`, sorted by ticker and session. [fraction; index]

    Notes
    -----
    ``total_return = split_ratio * (close + dividend) / previous close - 1``: the dividend is in the session's own share basis, so
    that the split multiplies both. The index is 1 at a fund's first close and a product taken bar by bar: what comes later never
    changes it, and going on from a stored value gives the same bits as computing all of it.

    Examples
    --------
    >>> bars = pd.DataFrame({"session": pd.to_datetime(["2024-01-02", "2024-01-03"]), "ticker": "SPY", "open": [100.0, 100.5],
    ...                      "close": [100.0, 101.0], "dividend": [0.0, 1.0], "split_ratio": [1.0, 1.0]})
    >>> total_returns(bars)["index_close"].round(12).tolist()
    [1.0, 1.02]
    """
    columns = ["session", "ticker", "open", "close", "dividend", "split_ratio"]
    bars = pl.from_pandas(prices[columns]).sort("ticker", "session")
    carried = _carried(bars, before)
    previous = pl.col("close").shift(1).over("ticker")
    growth = bars.join(carried, on=["ticker", "session"], how="left", maintain_order="left").with_columns(
        (pl.col("split_ratio") * (pl.col("close") + pl.col("dividend")) / previous).alias("growth"),
        (pl.col("split_ratio") * (pl.col("open") + pl.col("dividend")) / previous).alias("open_growth"),
        (pl.col("session") - pl.col("session").shift(1).over("ticker")).dt.total_days().alias("gap_days"),
    )
    index = pl.coalesce("growth", "carried", 1.0).cum_prod().over("ticker")
    share = (pl.col("open") + pl.col("dividend")) / (pl.col("close") + pl.col("dividend"))
    made = growth.with_columns(index.alias("index_close")).with_columns(
        (pl.col("growth") - 1.0).alias("total_return"),
        (pl.col("open_growth") - 1.0).alias("open_return"),
        (pl.col("index_close") * share).alias("index_open"),
    )
    return made.select(GROWTH).to_pandas()


def _carried(bars: pl.DataFrame, before: pd.DataFrame | None) -> pl.DataFrame:
    """Index of each fund's first bar here, where it was made before."""
    first = bars.group_by("ticker").agg(pl.col("session").min())
    if before is None or before.empty:
        return first.with_columns(pl.lit(None, pl.Float64).alias("carried"))
    known = pl.from_pandas(before[["ticker", "session", "index_close"]]).rename({"index_close": "carried"})
    return first.join(known.with_columns(pl.col("session").cast(first.schema["session"])), on=["ticker", "session"], how="left")
