"""All estimators of one fund's volatility side by side, from the rows that a night needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.conventions import PERCENT
from etf_pipeline.errors import DataError
from etf_pipeline.risk.volatility.conditional import UNKNOWN as NO_REGIME
from etf_pipeline.risk.volatility.conditional import regime_volatility
from etf_pipeline.risk.volatility.ewma import ewma_volatility, memory
from etf_pipeline.risk.volatility.garch import CONVERGED, VARIANCE, horizon_volatilities
from etf_pipeline.risk.volatility.realised import realised_volatility

HORIZON = 21
"""Sessions ahead of the forecasts that are compared and combined."""
HORIZONS = (HORIZON, 63, 252)
"""Sessions ahead of the GARCH forecasts: the columns' names say so."""
REALISED_WINDOWS = (30, 90, 252)
"""Sessions of the realised volatilities: the columns' names say so."""
COMBINED = ("garch_21", "ewma", "realised_30", "realised_90", "realised_252", "regime_conditional")
"""Estimators of the next 21 sessions: those that the composite combines."""
YEAR = 264
"""Rows that reach back to the year's last fit on any exchange. [sessions]"""
NO_FIT = "before the first year-end fit"


@dataclass(frozen=True)
class VolatilityParameters:
    """How the estimators beside the GARCH weigh their returns.

    Attributes
    ----------
    ewma_decay : float
        Weight of a squared return relative to that of the session after.
    ewma_min_sessions : int
        Returns before which the EWMA is unknown. [sessions]
    regime_sessions : int
        Sessions of the present regime that the conditional estimator looks for.
    regime_window : int
        Rows that it searches for them. [sessions]
    regime_prior : float
        Sessions that the EWMA counts for in it.
    exchange : str
        Market identifier code of the main exchange: its month ends are the days of judgement, its closes those of `regimes`.
    """

    ewma_decay: float = 0.94
    ewma_min_sessions: int = 20
    regime_sessions: int = 63
    regime_window: int = 252
    regime_prior: float = 21.0
    exchange: str = "XNYS"

    @property
    def lookback(self) -> int:
        """Rows before a session that its estimates rest on."""
        return max(YEAR, memory(self.ewma_decay), self.regime_window, *REALISED_WINDOWS)


def estimates(
    returns: pd.DataFrame,
    fits: pd.DataFrame,
    regimes: pd.DataFrame,
    parameters: VolatilityParameters,
    funds: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Every estimator at every row, and what the GARCH has to say for itself.

    Parameters
    ----------
    returns : DataFrame of shape (n_rows, ...)
        `fct_returns`: columns `session`, `ticker`, `total_return` [fraction].
    fits, regimes : DataFrame
        `garch_fits` of the same returns, and `regimes`: a row takes the newest that was known at its own close.
    funds : DataFrame, optional
        `dim_etf`: columns `ticker`, `exchange`. Funds that it lacks, or all without it, close with the main exchange.

    Returns
    -------
    rows : DataFrame of shape (n_rows, 12)
        Sorted by ticker and session: these, `total_return`, the estimators [fraction per year], and `status`: that of the
        governing fit.
    offsets : ndarray of shape (n_funds + 1,)
        Where each fund begins.

    Raises
    ------
    DataError
        If a converged fit lacks a parameter.

    Notes
    -----
    A fit governs its fund from the close of `fit_session` until the next one; the variance goes on from the fit's own.
    """
    rows = returns[["session", "ticker", "total_return"]].sort_values(["ticker", "session"], kind="stable")
    rows = rows.reset_index(drop=True)
    codes, tickers = pd.factorize(rows["ticker"])
    offsets = np.searchsorted(codes, np.arange(len(tickers) + 1)).astype(np.int64)
    segments = segments_of(rows, codes, pd.Index(tickers), offsets, fits)
    simple = rows["total_return"].to_numpy(dtype=np.float64)
    fitted = segments[segments["status"] == CONVERGED]
    garch = horizon_volatilities(simple / PERCENT, fitted, HORIZONS)
    ewma = ewma_volatility(simple, offsets, decay=parameters.ewma_decay, min_sessions=parameters.ewma_min_sessions)
    conditional = regime_volatility(
        simple,
        offsets,
        _regime_codes(rows["session"], _listed(rows["ticker"], funds, parameters.exchange), regimes, parameters.exchange),
        ewma,
        sessions=parameters.regime_sessions,
        window=parameters.regime_window,
        prior_sessions=parameters.regime_prior,
    )
    realised = {f"realised_{window}": realised_volatility(simple, offsets, window) for window in REALISED_WINDOWS}
    of_garch = {f"garch_{horizon}": garch[i] for i, horizon in enumerate(HORIZONS)}
    made = rows.assign(**of_garch, ewma=ewma, **realised, regime_conditional=conditional, status=_statuses(rows, segments))
    return made, offsets


def segments_of(
    rows: pd.DataFrame,
    codes: npt.NDArray[np.int64],
    tickers: pd.Index[str],
    offsets: npt.NDArray[np.int64],
    fits: pd.DataFrame,
) -> pd.DataFrame:
    """The fits that govern rows: `first..stop`, of which those from `after` on hold returns that the fit has not seen."""
    fits = fits[fits["ticker"].isin(tickers)]  # a night reads no rows of funds that have closed
    fits = fits.sort_values(["ticker", "fit_session"], kind="stable").reset_index(drop=True)
    _refuse_broken(fits)
    fund = tickers.get_indexer(pd.Index(fits["ticker"]))
    day = (rows["session"] - pd.Timestamp(0)).dt.days.to_numpy()
    at = (fits["fit_session"] - pd.Timestamp(0)).dt.days.to_numpy()
    key, wanted = codes * 10**6 + day, fund * 10**6 + at
    first, after = np.searchsorted(key, wanted), np.searchsorted(key, wanted, side="right")
    same_fund = np.append(fund[1:] == fund[:-1], False)
    stop = np.where(same_fund, np.append(first[1:], 0), offsets[fund + 1])
    return fits.assign(first=first, after=after, stop=stop)[first < stop]


def _refuse_broken(fits: pd.DataFrame) -> None:
    needed = fits[[*VARIANCE[:-1], "variance"]]
    broken = fits[(fits["status"] == CONVERGED) & needed.isna().any(axis=1)]
    if len(broken):
        where = broken[["ticker", "fit_session"]].head(3).astype(str).agg(" at ".join, axis=1).tolist()
        raise DataError(f"volatilities needs all parameters of a converged fit; {where} lack some. Refit `garch_fits`.")


def _statuses(rows: pd.DataFrame, segments: pd.DataFrame) -> npt.NDArray[np.object_]:
    status = np.full(len(rows), NO_FIT, dtype=object)
    for first, stop, said in zip(segments["first"], segments["stop"], segments["status"], strict=True):
        status[first:stop] = said
    return status


def _listed(tickers: pd.Series[str], funds: pd.DataFrame | None, main: str) -> npt.NDArray[np.object_]:
    """Exchange of each row's fund; the main one where nothing says another."""
    known = {} if funds is None else funds.set_index("ticker")["exchange"].to_dict()
    return tickers.map(known).fillna(main).to_numpy(dtype=object)


def _regime_codes(
    sessions: pd.Series[pd.Timestamp], listed: npt.NDArray[np.object_], regimes: pd.DataFrame, main: str
) -> npt.NDArray[np.int64]:
    """Code of the newest regime told by each row's own close; `NO_REGIME` before the first and where it is unknown.

    Sydney closes before New York: of one date, it knows New York's regime of the date before.
    """
    known = regimes.sort_values("session")
    names = sorted(set(known["regime"]) - {"unknown"})
    codes = known["regime"].map({name: i for i, name in enumerate(names)}).fillna(NO_REGIME).to_numpy(dtype=np.int64)
    told = _instants(main, known["session"])
    place = np.empty(len(sessions), dtype=np.intp)
    for exchange in pd.unique(listed):
        mine = np.flatnonzero(listed == exchange)
        at, days = pd.factorize(sessions.iloc[mine])
        place[mine] = (np.searchsorted(told, _instants(exchange, pd.Series(days)), side="right") - 1)[at]
    return np.where(place >= 0, np.append(codes, NO_REGIME)[place], NO_REGIME)


def _instants(exchange: str, sessions: pd.Series[pd.Timestamp]) -> npt.NDArray[np.datetime64]:
    """Closes of sessions in UTC; the beginning of a day on which the exchange rests."""
    closes = calendars.closes(exchange, sessions).dt.tz_localize(None)
    days = pd.Series(sessions.to_numpy(dtype="datetime64[ns]"))
    return np.asarray(closes.fillna(days), dtype="datetime64[ns]")
