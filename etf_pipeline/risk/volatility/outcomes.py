"""What became of the forecasts: at each month end, the variance of the 21 sessions just past beside what was forecast for it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.risk.volatility.estimators import COMBINED, HORIZON, VolatilityParameters, estimates


def volatility_outcomes(
    returns: pd.DataFrame,
    fits: pd.DataFrame,
    regimes: pd.DataFrame,
    parameters: VolatilityParameters | None = None,
    *,
    funds: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Forecasts of 21 sessions and the variance that they were followed by.

    Parameters
    ----------
    returns, fits, regimes, funds : DataFrame
        As for `volatilities`.

    Returns
    -------
    DataFrame of shape (n_rows, 10)
        `volatility_outcomes`: `session` is the month end at which the outcome is known, `origin` the fund's row 21 rows before,
        at whose close the forecasts were made.

    Notes
    -----
    The outcome is ``252 / 21 * sum(r_i^2)`` of the 21 daily total returns after the origin. It is unbiased for the variance
    and noisy: with normal shocks its own relative error is ``sqrt(2 / 21)``, 31 %, and more with fat tails. QLIKE and
    Mincer-Zarnowitz rank forecasts rightly in spite of that [1]_. Month ends are 19 to 23 sessions apart: targets overlap by
    two sessions at most.

    References
    ----------
    .. [1] A. Patton, "Volatility forecast comparison using imperfect volatility proxies," Journal of Econometrics 160, 2011.
       doi:10.1016/j.jeconom.2010.03.034
    """
    parameters = parameters or VolatilityParameters()
    made, offsets = estimates(returns, fits, regimes, parameters, funds)
    place = np.arange(len(made)) - np.repeat(offsets[:-1], np.diff(offsets))
    end = np.flatnonzero(made["session"].isin(month_ends(made["session"], parameters.exchange)) & (place >= HORIZON))
    squares = made["total_return"].to_numpy(dtype=np.float64) ** 2
    sums = sum((squares[end - i] for i in range(HORIZON)), start=np.zeros(len(end)))
    head = made.iloc[end][["session", "ticker"]].reset_index(drop=True)
    then = made.iloc[end - HORIZON].reset_index(drop=True)
    out = head.assign(origin=then["session"], realised_variance=SESSIONS_PER_YEAR / HORIZON * sums, **then[list(COMBINED)])
    return out[out["realised_variance"].notna()].reset_index(drop=True)


def month_ends(sessions: pd.Series[pd.Timestamp], exchange: str) -> pd.DatetimeIndex:
    """Last sessions of the exchange's months, as the calendar announces them and as far as the data have reached them.

    Examples
    --------
    >>> days = pd.Series(pd.to_datetime(["2021-12-30", "2021-12-31", "2022-01-03", "2022-01-28"]))
    >>> list(month_ends(days, "XNYS").strftime("%Y-%m-%d"))
    ['2021-12-31']
    """
    present = pd.DatetimeIndex(sessions.unique())
    if not len(present):
        return present
    scheduled = calendars.sessions(exchange, present.min(), present.max() + pd.offsets.MonthEnd(0))
    last = pd.Series(scheduled, index=scheduled.to_period("M")).groupby(level=0).max()
    return pd.DatetimeIndex(last[last.isin(present)])
