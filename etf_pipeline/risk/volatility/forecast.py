"""The volatility table: the GARCH forecast where a fit governs, the EWMA elsewhere, and what was realised beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.conventions import PERCENT
from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats
from etf_pipeline.risk.volatility.garch import CONVERGED, PARAMETERS, horizon_volatilities

HORIZON = 21
"""Sessions ahead of the GARCH forecast: the column's name says so."""
REALISED_WINDOWS = (30, 90, 252)
"""Sessions of the realised volatilities: the columns' names say so."""
NO_FIT = "ewma: before the first year-end fit"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class VolatilityParameters:
    """How the EWMA beside the GARCH weighs its returns.

    Attributes
    ----------
    ewma_decay : float
        Weight of a squared return relative to that of the session after.
    ewma_min_sessions : int
        Returns before which the EWMA is unknown. [sessions]
    """

    ewma_decay: float = 0.94
    ewma_min_sessions: int = 20


def volatilities(returns: pd.DataFrame, fits: pd.DataFrame, parameters: VolatilityParameters | None = None) -> pd.DataFrame:
    """Volatility forecast and realised volatilities of every fund and session.

    Parameters
    ----------
    returns : DataFrame of shape (n_rows, ...)
        `fct_returns`: columns `session`, `ticker`, `total_return` [fraction].
    fits : DataFrame of shape (n_fits, 11)
        `garch_fits` of the same returns.
    parameters : VolatilityParameters, optional
        Defaults where omitted.

    Returns
    -------
    DataFrame of shape (n_rows, 9)
        `volatilities`, sorted by ticker and session.

    Raises
    ------
    DataError
        If a fit belongs to a fund without returns, or a converged fit lacks a parameter.

    Notes
    -----
    A fit governs its fund from the close of `fit_session` until the next one. Under it the fund is filtered from its
    first return, so that the state at the seam does not depend on the parameters of earlier years.
    """
    parameters = parameters or VolatilityParameters()
    rows = returns[["session", "ticker", "total_return"]].sort_values(["ticker", "session"], kind="stable")
    rows = rows.reset_index(drop=True)
    simple = rows.pop("total_return").to_numpy(dtype=np.float64)
    codes, tickers = pd.factorize(rows["ticker"])
    offsets = np.searchsorted(codes, np.arange(len(tickers) + 1)).astype(np.int64)
    segments = _segments(rows, fits, pd.Index(tickers), offsets)
    return rows.assign(**_estimates(simple, offsets, segments, parameters)).pipe(_with_choice, segments)


def _segments(rows: pd.DataFrame, fits: pd.DataFrame, tickers: pd.Index[Any], offsets: npt.NDArray[np.int64]) -> pd.DataFrame:
    """The fits, each with the fund's row `offset` and the rows `first..stop` that it governs."""
    fits = fits.sort_values(["ticker", "fit_session"], kind="stable").reset_index(drop=True)
    _refuse_broken(fits, tickers)
    fund = tickers.get_indexer(pd.Index(fits["ticker"]))
    days, at = rows["session"].to_numpy(), fits["fit_session"].to_numpy()
    first = np.array(
        [a + np.searchsorted(days[a:b], day) for a, b, day in zip(offsets[fund], offsets[fund + 1], at, strict=True)]
    )
    first = first.astype(np.int64)
    following = np.append(first[1:], 0)
    same_fund = np.append(fund[1:] == fund[:-1], False)
    return fits.assign(offset=offsets[fund], first=first, stop=np.where(same_fund, following, offsets[fund + 1]))


def _refuse_broken(fits: pd.DataFrame, tickers: pd.Index[Any]) -> None:
    strangers = sorted(set(fits["ticker"]) - set(tickers))
    if strangers:
        raise DataError(f"volatilities needs returns of every fitted fund; {strangers[:5]} have none. Refit `garch_fits`.")
    broken = fits[(fits["status"] == CONVERGED) & fits[[*PARAMETERS, "backcast"]].isna().any(axis=1)]
    if len(broken):
        where = broken[["ticker", "fit_session"]].head(3).astype(str).agg(" at ".join, axis=1).tolist()
        raise DataError(f"volatilities needs all parameters of a converged fit; {where} lack some. Refit `garch_fits`.")


def _estimates(
    simple: Floats, offsets: npt.NDArray[np.int64], segments: pd.DataFrame, parameters: VolatilityParameters
) -> dict[str, Floats]:
    from etf_pipeline.risk.volatility.ewma import ewma_volatility
    from etf_pipeline.risk.volatility.realised import realised_volatility

    fitted = segments[segments["status"] == CONVERGED]
    garch = horizon_volatilities(simple / PERCENT, fitted["offset"].to_numpy(dtype=np.int64), fitted, horizon=HORIZON)
    decay, least = parameters.ewma_decay, parameters.ewma_min_sessions
    return {
        f"garch_{HORIZON}": garch,
        "ewma": ewma_volatility(simple, offsets, decay=decay, min_sessions=least),
        **{f"realised_{window}": realised_volatility(simple, offsets, window) for window in REALISED_WINDOWS},
    }


def _with_choice(table: pd.DataFrame, segments: pd.DataFrame) -> pd.DataFrame:
    """Add `volatility` and `source`: GARCH where known, else EWMA with the fit's reason, else unknown."""
    source = np.full(len(table), NO_FIT, dtype=object)
    for first, stop, status in zip(segments["first"], segments["stop"], segments["status"], strict=True):
        source[first:stop] = "garch" if status == CONVERGED else status
    choice = table[f"garch_{HORIZON}"].fillna(table["ewma"])
    source[choice.isna().to_numpy()] = UNKNOWN
    return table.assign(volatility=choice, source=source)
