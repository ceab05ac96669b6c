"""Sessions, closes and month ends against what the exchanges published."""

from __future__ import annotations

import pandas as pd
import pytest

from etf_pipeline import calendars
from etf_pipeline.conventions import HOME_MARKETS
from etf_pipeline.errors import DataError


def test_a_half_day_closes_early() -> None:
    close = calendars.closes("XNYS", pd.DatetimeIndex(["2023-11-24", "2023-11-27"]))
    assert list(close) == [pd.Timestamp("2023-11-24 18:00", tz="UTC"), pd.Timestamp("2023-11-27 21:00", tz="UTC")]


def test_a_holiday_has_no_close() -> None:
    assert calendars.closes("XNYS", pd.DatetimeIndex(["2024-07-04"])).isna().all()
    assert not calendars.is_session("XNYS", pd.Timestamp("2024-07-04"))


def test_a_running_month_has_no_end_yet() -> None:
    days = calendars.sessions("XNYS", "2024-01-02", "2024-03-27")  # 28 March was the last session: Good Friday is the 29th
    assert list(calendars.month_ends(days, "XNYS")) == [pd.Timestamp("2024-01-31"), pd.Timestamp("2024-02-29")]
    assert calendars.month_ends(calendars.sessions("XNYS", "2024-03-01", "2024-03-28"), "XNYS")[-1] == pd.Timestamp("2024-03-28")


def test_later_sessions_change_no_month_end() -> None:
    long = calendars.sessions("XNYS", "2019-01-02", "2021-06-30")
    ends = calendars.month_ends(long, "XNYS")
    for cut in (100, 333, 500):
        assert list(calendars.month_ends(long[:cut], "XNYS")) == [d for d in ends if d <= long[cut - 1]]


def test_a_sydney_portfolio_sees_a_new_york_close_one_session_later() -> None:
    new_york = pd.DataFrame(
        {"available_at": calendars.closes("XNYS", pd.DatetimeIndex(["2024-05-06", "2024-05-07"])), "value": [1.0, 2.0]}
    )
    sydney = pd.DataFrame({"available_at": calendars.closes("XASX", pd.DatetimeIndex(["2024-05-07", "2024-05-08"]))})
    assert calendars.as_of(sydney, new_york)["value"].tolist() == [1.0, 2.0]


def test_an_unknown_exchange_is_named() -> None:
    with pytest.raises(DataError, match="XXXX"):
        calendars.sessions("XXXX", "2024-01-01", "2024-02-01")


@pytest.mark.parametrize("exchange", HOME_MARKETS)
def test_every_home_market_has_a_calendar_as_far_back_as_its_holidays_are_known(exchange: str) -> None:
    days = calendars.sessions(exchange, "1990-01-01", "2024-12-31")
    assert days[0].year == (1997 if exchange == "XTKS" else 1990)
    assert days[-1] >= pd.Timestamp("2024-12-30")
    assert calendars.closes(exchange, days[-5:]).notna().all()
