"""What happens on the way: how deep each trade falls before its horizon ends, and how long it waits for a profit.

A trade is decided at the close of session t, filled in session t+1 and held to the close of t + horizon. Prices are wide,
``(n_sessions, n_assets)``, on one total-return scale (`on_total_return`); row t of an answer belongs to the decision of t and is
known at the close of ``t + horizon``: a *realised* figure, never a feature.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats
from etf_pipeline.validation.prediction_returns import mean_by_regime
from etf_pipeline.validation.survival import SurvivalCurve, kaplan_meier


@dataclass(frozen=True)
class TimeToProfit:
    """How long trades waited, session by session of their decision.

    Attributes
    ----------
    waited : ndarray of shape (n_sessions, n_assets)
        Sessions from the decision to the first profitable close, or to the last close seen; NaN without a trade. [sessions]
    reached : ndarray of shape (n_sessions, n_assets)
        1 if it became profitable, 0 if it was still waiting (right-censored), NaN without a trade.
    """

    waited: Floats
    reached: Floats

    def curve(self, inside: npt.NDArray[np.bool_] | None = None) -> SurvivalCurve:
        """Kaplan-Meier estimate of the share of trades still without a profit.

        Parameters
        ----------
        inside : ndarray of shape (n_sessions,), optional
            Sessions of decision that count; all by default.
        """
        known = ~np.isnan(self.waited) & (True if inside is None else inside[:, None])
        return kaplan_meier(self.waited[known], self.reached[known] > 0)


def on_total_return(price: Floats, close: Floats, index: Floats) -> Floats:
    """A session's open, high or low on the scale of its total-return index: ``index * price / close``.

    Parameters
    ----------
    price, close : ndarray of shape (n_sessions, n_assets)
        Of the same session, adjusted alike. [listing currency]
    index : ndarray of shape (n_sessions, n_assets)
        Total-return index at the close, forward adjusted.

    Notes
    -----
    All prices of an ex-date are without the dividend, so the session's own close carries them over.
    """
    return np.asarray(index, dtype=np.float64) * np.asarray(price, dtype=np.float64) / np.asarray(close, dtype=np.float64)


def trade_drawdowns(
    fill: Floats,
    close: Floats,
    horizon: int,
    *,
    low: Floats | None = None,
    high: Floats | None = None,
    side: Floats | None = None,
) -> Floats:
    """Largest fall of each trade from its own high, counted from the fill; positive.

    Parameters
    ----------
    fill, close : ndarray of shape (n_sessions, n_assets)
        Fill price and close of each session; the trade decided at t fills at ``fill[t + 1]``.
    horizon : int
        Sessions held. [sessions]
    low, high : ndarray of shape (n_sessions, n_assets), optional
        Without them only closes are seen, and the figure is too small.
    side : ndarray of shape (n_sessions, n_assets), optional
        1 long, -1 short, else no trade; long everywhere by default.

    Returns
    -------
    ndarray of shape (n_sessions, n_assets)
        NaN where the trade has not ended, was not made, or lost its prices on the way. [fraction of the highest equity]

    Notes
    -----
    Highs are taken from the fill and earlier closes, troughs from the session's low (a short's: its high), since no bar says
    which came first. The low of the fill's own session counts, so that a fill at the close is judged a little too hard. A
    short's equity is ``1 - (P / fill - 1)``.

    Examples
    --------
    >>> close = np.array([[100.0], [100.0], [120.0], [90.0]])
    >>> trade_drawdowns(close, close, 3)[:, 0].round(6).tolist()
    [0.25, nan, nan, nan]
    """
    fill, close = _same(fill, close)
    low, high = _same(close if low is None else low, close if high is None else high)
    from etf_pipeline.validation.path_kernels import drawdowns

    return np.asarray(drawdowns(fill, close, low, high, _sides(side, close), _positive(horizon)))


def time_to_profit(fill: Floats, close: Floats, horizon: int, *, hurdle: float = 0.0, side: Floats | None = None) -> TimeToProfit:
    """Sessions until each trade's close first shows a gain above `hurdle`, censored at the horizon or at the last close.

    Parameters
    ----------
    fill, close, side : ndarray of shape (n_sessions, n_assets)
        As in `trade_drawdowns`.
    horizon : int
        Sessions watched. [sessions]
    hurdle : float
        Gain that counts as profit, such as the round trip's cost. [fraction]

    Notes
    -----
    Trades that were still waiting count as such. Dropping them, or calling them 0 or `horizon`, is what makes a naive mean
    time to profit look short.

    Examples
    --------
    >>> close = np.array([[100.0], [99.0], [98.0], [101.0]])
    >>> fill = np.array([[100.0], [100.0], [99.0], [98.0]])
    >>> answer = time_to_profit(fill, close, 3)
    >>> answer.waited[:, 0].tolist(), answer.reached[:, 0].tolist()
    ([3.0, 2.0, 1.0, nan], [1.0, 1.0, 1.0, nan])
    """
    fill, close = _same(fill, close)
    from etf_pipeline.validation.path_kernels import first_profits

    return TimeToProfit(*first_profits(fill, close, _sides(side, close), float(hurdle), _positive(horizon)))


def time_to_profit_by_regime(time: TimeToProfit, regimes: npt.NDArray[Any], horizon: int) -> pd.DataFrame:
    """How long trades wait in each regime of their decision.

    Parameters
    ----------
    time : TimeToProfit
        Over `horizon`.
    regimes : ndarray of shape (n_sessions,)
        Name of each session's state, as known at its close.
    horizon : int
        Sessions watched, over which trades overlap. [sessions]

    Returns
    -------
    DataFrame of shape (n_regimes, 5)
        By regime: median [sessions; NaN where under half came to a profit], profitable (share with a profit within the horizon),
        n, n_effective, status. Under 30 effective observations the status is `insufficient`.

    Notes
    -----
    Effective observations are those of the flag "came to a profit", sessions as clusters.
    """
    table = mean_by_regime(time.reached, regimes, horizon)[["n", "n_effective", "status"]]
    names = np.asarray(regimes, dtype=object)
    for regime in table.index[table["n"] > 0]:
        curve = time.curve(names == regime)
        table.loc[regime, ["median", "profitable"]] = curve.median, 1.0 - curve.at(horizon)
    return table.reindex(columns=["median", "profitable", "n", "n_effective", "status"])


def _same(first: Floats, second: Floats) -> tuple[Floats, Floats]:
    a, b = np.ascontiguousarray(first, dtype=np.float64), np.ascontiguousarray(second, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 2:
        raise DataError(f"trade paths need prices of one shape (n_sessions, n_assets); found {a.shape} and {b.shape}.")
    return a, b


def _sides(side: Floats | None, close: Floats) -> Floats:
    return np.ones_like(close) if side is None else _same(side, close)[0]


def _positive(horizon: int) -> int:
    if horizon < 1:
        raise DataError(f"trade paths need a horizon of at least one session; found {horizon}.")
    return horizon
