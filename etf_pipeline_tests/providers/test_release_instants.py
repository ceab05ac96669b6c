"""When macro values become public."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etf_pipeline.providers.macro_series import SERIES
from etf_pipeline.providers.release import period_ends, release_instants


def released(code: str, period: str) -> str:
    return str(release_instants(SERIES[code], pd.DatetimeIndex([period]))[0].tz_convert("America/New_York"))[:16]


@pytest.mark.parametrize(
    ("code", "period", "moment"),
    [
        ("VIX", "2024-06-14", "2024-06-14 16:15"),  # the same day
        ("DGS10", "2024-06-13", "2024-06-14 16:30"),  # the next day
        ("DGS10", "2024-06-14", "2024-06-17 16:30"),  # Friday's waits for Monday
        ("DGS10", "2023-10-06", "2023-10-10 16:30"),  # Columbus Day: markets trade, the Board does not publish
        ("ICSA", "2024-06-15", "2024-06-20 08:30"),  # week to Saturday, published on Thursday
        ("NFCI", "2024-06-14", "2024-06-20 08:30"),  # Wednesday the 19th is Juneteenth
        ("CPIAUCSL", "2024-05-01", "2024-06-17 08:30"),
        ("UNRATE", "2024-02-01", "2024-03-11 08:30"),  # leap day: 29 February + 10 = Sunday
        ("VIX", "2023-10-09", "2023-10-09 16:15"),  # Columbus Day: the exchange publishes
    ],
)
def test_a_release_waits_for_its_lag_and_the_next_working_day(code, period, moment):
    assert released(code, period) == moment


@given(code=st.sampled_from(sorted(SERIES)), day=st.dates(pd.Timestamp("1990-01-01").date(), pd.Timestamp("2040-01-01").date()))
def test_no_value_is_known_before_the_end_of_its_period(code, day):
    period = pd.DatetimeIndex([pd.Timestamp(day).replace(day=1) if SERIES[code].frequency == "M" else day])
    known = release_instants(SERIES[code], period)[0].tz_convert("America/New_York").tz_localize(None)
    assert known.normalize() >= period_ends(SERIES[code], period)[0]
    assert known - period_ends(SERIES[code], period)[0] < pd.Timedelta(days=SERIES[code].lag_days + 6)


def test_repeated_and_empty_periods_keep_their_shape():
    twice = release_instants(SERIES["VIX"], pd.DatetimeIndex(["2024-06-14", "2024-06-14"]))
    assert list(twice.index) == [0, 1]
    assert twice[0] == twice[1]
    assert release_instants(SERIES["VIX"], pd.DatetimeIndex([])).dtype == "datetime64[ns, UTC]"
