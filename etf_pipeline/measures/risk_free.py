"""What cash earns in a session: the 13-week Treasury bill, known one session before."""

from __future__ import annotations

import numpy as np
import pandas as pd

from etf_pipeline.conventions import PERCENT
from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats

BILL_DAYS = 91
"""Days to maturity of a 13-week bill."""

DISCOUNT_YEAR = 360
"""Days of a year in a bank discount (act/360)."""


def daily_bill_yield(discount_percent: Floats) -> Floats:
    """Simple return per calendar day of a bill quoted at a bank discount.

    Parameters
    ----------
    discount_percent : ndarray
        Bank discount, act/360. [percent]

    Returns
    -------
    ndarray
        Simple return per day of holding. [fraction per day]

    Notes
    -----
    A face value of 1 costs ``1 - d * 91 / 360``; it earns ``d * 91 / 360`` in 91 days [1]_. A discount at or below zero is
    a price at or above face value and keeps its sign.

    References
    ----------
    .. [1] US Department of the Treasury, 31 CFR Part 356, Appendix B, section on bills.

    Examples
    --------
    >>> import numpy as np
    >>> float((daily_bill_yield(np.array([5.0])) * 365).round(6)[0])
    0.051343
    """
    discount = discount_percent * PERCENT
    return discount / DISCOUNT_YEAR / (1.0 - discount * BILL_DAYS / DISCOUNT_YEAR)


def session_risk_free(macro: pd.DataFrame, sessions: pd.DatetimeIndex, series: str = "TBILL13W") -> Floats:
    """Simple return of cash in each session, from the bill as it was known at the previous session's close.

    Parameters
    ----------
    macro : DataFrame of shape (n_rows, 6)
        `fct_macro`: columns `session`, `series`, `value` are read; the value is a bank discount. [percent]
    sessions : DatetimeIndex of shape (n_sessions,)
        Sorted sessions.
    series : str, default "TBILL13W"
        Which series; empty means that cash earns nothing.

    Returns
    -------
    ndarray of shape (n_sessions,)
        Interest per session over the calendar days since the previous one; zero in the first session, which has none.
        [fraction]

    Raises
    ------
    DataError
        If the series was not known at some session's previous close.
    """
    if not series:
        return np.zeros(len(sessions))
    rows = macro.loc[macro["series"] == series]
    quoted = rows.set_index("session")["value"].reindex(sessions).to_numpy(dtype=np.float64)
    unknown = np.isnan(quoted[:-1])
    if unknown.any():
        first = sessions[:-1][unknown][0].date()
        raise DataError(
            f"session_risk_free needs '{series}' in fct_macro at every session; {int(unknown.sum())} of {len(sessions)} have "
            f"none (first {first}). Start later, load the series, or name no series so that cash earns nothing."
        )
    days = np.diff(sessions.to_numpy()) / np.timedelta64(1, "D")
    return np.concatenate([[0.0], daily_bill_yield(quoted[:-1]) * days])
