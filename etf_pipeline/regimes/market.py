"""The market's total-return index, whole or carried on from what is stored."""

from __future__ import annotations

import pandas as pd

from etf_pipeline.errors import DataError


def index_of(returns: pd.DataFrame, ticker: str, before: pd.DataFrame | None = None) -> pd.Series[float]:
    """Index of the market fund by session.

    Parameters
    ----------
    returns : DataFrame of shape (n_rows, ...)
        `fct_returns`: columns `session`, `ticker`, `index_close`.
    ticker : str
        The fund.
    before : DataFrame, optional
        Rows with `session` and `index_close` of the sessions before, where a table is extended.

    Raises
    ------
    DataError
        If the fund has no row in either.

    Examples
    --------
    >>> days = pd.to_datetime(["2024-01-03", "2024-01-02"])
    >>> rows = pd.DataFrame({"session": days, "ticker": "SPY", "index_close": [1.01, 1.0]})
    >>> index_of(rows, "SPY").tolist()
    [1.0, 1.01]
    """
    found = returns.loc[returns["ticker"] == ticker].set_index("session")["index_close"].sort_index().astype(float)
    if before is not None and len(before):
        found = pd.concat([before.set_index("session")["index_close"].astype(float), found])
    if found.empty:
        raise DataError(
            f"regimes needs the returns of '{ticker}' as its market; fct_returns holds {returns['ticker'].nunique()} other "
            "funds. Set `market` to one of them, or add it to the provider's tickers."
        )
    return found
