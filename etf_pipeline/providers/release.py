"""When a macro value became public, where no release calendar is stored: the end of its period plus the publisher's lag.

Publishers date a month by its first day and a week by its last, so only months have an end to be found. A lagged release
that would fall on a weekend or a federal holiday waits for the next working day; a value known on its own day does not.
"""

from __future__ import annotations

import functools
from datetime import datetime
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.providers.macro_series import MacroSeries

NEW_YORK = "America/New_York"


def release_instants(series: MacroSeries, periods: pd.DatetimeIndex) -> pd.Series[Any]:
    """UTC instant at which each period's value counts as known.

    Parameters
    ----------
    series : MacroSeries
        Frequency, lag and release time.
    periods : DatetimeIndex of shape (n,)
        Reference periods as the publisher dates them: a day, a week by its last day, a month by its first. Naive.

    Returns
    -------
    Series of shape (n,)
        Instants on the index 0..n-1, never before the end of the period. [UTC]

    Examples
    --------
    May's consumer prices: the 15th of June 2024 is a Saturday, so Monday the 17th, 08:30 in New York.

    >>> from etf_pipeline.providers.macro_series import SERIES
    >>> str(release_instants(SERIES["CPIAUCSL"], pd.DatetimeIndex(["2024-05-01"]))[0])
    '2024-06-17 12:30:00+00:00'
    """
    due = period_ends(series, periods) + pd.Timedelta(days=series.lag_days)
    if series.lag_days:
        due = _next_working_day(due)
    moment = due + pd.Timedelta(f"{series.release_time}:00")
    return pd.Series(moment.tz_localize(NEW_YORK).tz_convert("UTC").as_unit("ns"))


def period_ends(series: MacroSeries, periods: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Last day of each reference period, as naive midnights."""
    days = periods.normalize()
    return days + pd.offsets.MonthEnd(0) if series.frequency == "M" else days


def _next_working_day(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """The day itself, or the first after it that is neither a weekend nor a federal holiday."""
    rolled = np.busday_offset(days.to_numpy().astype("datetime64[D]"), 0, roll="forward", holidays=_federal_holidays())
    return pd.DatetimeIndex(rolled).as_unit("ns")


@functools.cache
def _federal_holidays() -> npt.NDArray[np.datetime64]:
    from pandas.tseries.holiday import USFederalHolidayCalendar

    days = USFederalHolidayCalendar().holidays(datetime(1960, 1, 1), datetime(2060, 12, 31))
    return cast("npt.NDArray[np.datetime64]", days.to_numpy().astype("datetime64[D]"))
