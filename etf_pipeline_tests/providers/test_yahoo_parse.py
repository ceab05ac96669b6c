"""Yahoo's frames and facts by hand, and which windows a night asks for."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from network_recorded import FIXTURES, NOW

from etf_pipeline import calendars
from etf_pipeline.providers import Known
from etf_pipeline.providers.files import UnreadableFile
from etf_pipeline.providers.macro_series import SERIES
from etf_pipeline.providers.yahoo import Window, fund_windows, index_windows, parse_bars, parse_fund, parse_index
from etf_pipeline.providers.yahoo.windows import REFRESH, is_refresh_day, last_closed, listing
from etf_pipeline.schemas import TABLES

DAYS = pd.to_datetime(["2024-01-08", "2024-01-09", "2024-01-10"])
NAMES = ["Open", "High", "Low", "Close", "Adj Close", "Volume", "Dividends", "Stock Splits"]
INFO = json.loads((FIXTURES / "yahoo" / "info_SPY.json").read_text())


def window(ticker="SPY", exchange="XNYS", currency="USD", start=DAYS[0], end=DAYS[-1], **changes):
    return Window(ticker, exchange, currency, start, end, **{"whole": True, "refresh": True} | changes)


def frame(days=DAYS, zone="America/New_York", **columns):
    rows = {name: np.arange(len(days)) + 10.0 for name in NAMES} | {"Dividends": 0.0, "Stock Splits": 0.0} | columns
    return pd.DataFrame(rows, index=pd.DatetimeIndex(days).tz_localize(zone))


def test_the_frame_of_a_download_of_several_and_of_one_are_read_alike():
    one = frame()
    several = pd.concat({"SPY": one, "TLT": one * np.nan}, axis=1, names=["Ticker", "Price"])
    other_way = several.swaplevel(axis=1)
    for told in (several, other_way):
        pd.testing.assert_frame_equal(parse_bars(told, window())[0], parse_bars(one, window())[0])
    assert parse_bars(several, window("TLT"))[0].empty
    with pytest.raises(UnreadableFile, match="no Open"):
        parse_bars(several, window("QQQ"))


@pytest.mark.parametrize("zone", [None, "America/New_York", "Australia/Sydney"])
def test_a_session_is_the_day_of_the_exchange_whatever_the_zone(zone):
    prices, _, _ = parse_bars(frame(zone=zone), window())
    assert list(prices["session"]) == list(DAYS)


def test_a_bar_that_is_still_trading_stays_out():
    prices, _, _ = parse_bars(frame(), window(end=DAYS[1]))
    assert list(prices["session"]) == list(DAYS[:2])


def test_a_row_keeps_its_number_in_every_window():
    whole, actions, _ = parse_bars(frame(Dividends=[0.1, 0.2, 0.3]), window())
    later, late_actions, _ = parse_bars(frame(Dividends=[0.1, 0.2, 0.3]), window(start=DAYS[1]))
    numbers = whole.set_index("session")["source_row"]
    assert (later.set_index("session")["source_row"] == numbers[DAYS[1:]]).all()
    assert list(late_actions["source_row"]) == list(actions["source_row"][1:])


def test_a_dividend_and_a_split_of_one_day_are_two_actions_with_two_numbers():
    _, actions, _ = parse_bars(frame(Dividends=[0, 0.3, 0], **{"Stock Splits": [0, 2.0, 1.0]}), window())
    assert sorted(zip(actions["kind"], actions["value"], strict=True)) == [("dividend", 0.3), ("split", 2.0)]
    assert actions["source_row"].is_unique
    assert set(actions["available_at"]) == {pd.Timestamp("2024-01-09 14:30", tz="UTC")}  # the open of the ex-date
    TABLES["raw_actions"].check(TABLES["raw_actions"].to_arrow(actions))


def test_absurd_bars_come_along_and_empty_ones_do_not():
    nan = np.nan
    told = frame(
        Open=[-1, nan, 1], High=[0, nan, 1], Low=[9, nan, 1], Close=[5, nan, nan], Volume=[nan, nan, 3], Dividends=[0, 0.5, 0]
    )
    prices, actions, _ = parse_bars(told, window())
    assert list(prices["session"]) == [DAYS[0], DAYS[2]]
    assert np.isnan(prices["close"].iloc[1])
    assert list(actions["ex_date"]) == [DAYS[1]]  # a dividend of a day without a bar is still a dividend
    TABLES["raw_prices"].check(TABLES["raw_prices"].to_arrow(prices))


def test_a_repeated_day_that_contradicts_itself_is_refused():
    days = pd.to_datetime(["2024-01-08", "2024-01-09", "2024-01-09"])
    prices, _, rejects = parse_bars(frame(days), window())
    assert list(prices["session"]) == [DAYS[0]]
    assert list(rejects["rule"]) == ["duplicate_key"] * 2


def test_a_sydney_fund_is_in_its_own_currency_on_its_own_calendar():
    days = pd.to_datetime(["2024-01-25", "2024-01-29"])  # the 26th is Australia Day
    prices, _, _ = parse_bars(frame(days, "Australia/Sydney"), window("VAS.AX", *listing("VAS.AX"), days[0], days[1]))
    assert set(prices["currency"]) == {"AUD"}
    assert set(prices["exchange"]) == {"XASX"}
    assert set(prices["source"]) == {"yahoo/VAS.AX"}


def test_facts_become_a_reference_row_in_our_units():
    reference, aum = parse_fund(INFO, window(), NOW)
    row = reference.iloc[0]
    assert (row["name"], row["asset_class"], row["family"], row["leverage"]) == (
        "Invented S&P 500 Trust",
        "equity",
        "Invented House",
        1.0,
    )
    assert row["expense_ratio"] == pytest.approx(0.0009)  # 0.09 percent
    assert row["inception"] == pd.Timestamp("1993-01-22")
    assert list(aum["aum_value"]) == [5e11]
    for name, rows in (("raw_reference", reference), ("raw_aum", aum)):
        TABLES[name].check(TABLES[name].to_arrow(rows))


def test_assets_in_another_currency_are_unknown_in_dollars():
    reference, aum = parse_fund(INFO | {"currency": "AUD"}, window("VAS.AX", "XASX", "AUD"), NOW)
    assert np.isnan(reference["aum_value"][0])
    assert aum.empty


junk = st.one_of(
    st.none(), st.booleans(), st.text(max_size=5), st.floats(), st.integers(-(10**20), 10**20), st.lists(st.none(), max_size=1)
)


@given(st.dictionaries(st.sampled_from(sorted(INFO)), junk))
def test_whatever_yahoo_says_the_rows_meet_their_contracts(said):
    reference, aum = parse_fund(INFO | said, window(), NOW)
    for name, rows in (("raw_reference", reference), ("raw_aum", aum)):
        TABLES[name].check(TABLES[name].to_arrow(rows)) if len(rows) else None


def test_an_index_is_known_at_its_own_close_and_an_exchange_rate_when_london_ends():
    vix = parse_index(frame(), SERIES["VIX"], window("^VIX"), NOW)
    assert vix["available_at"][0] == pd.Timestamp("2024-01-08 16:15", tz="America/New_York")
    rate = parse_index(frame(zone="Europe/London"), SERIES["AUDUSD"], window("AUDUSD=X"), NOW)
    assert rate["available_at"][0] == pd.Timestamp("2024-01-09 00:00", tz="Europe/London")
    early = parse_index(frame(), SERIES["VIX"], window("^VIX"), pd.Timestamp("2024-01-10 20:00", tz="UTC"))
    assert list(early["period"]) == list(DAYS[:2])  # the 10th is still trading


def known(last, gaps=()):
    spans = pd.DataFrame({"ticker": ["SPY"], "first_session": [pd.Timestamp("2020-01-02")], "last_session": [pd.Timestamp(last)]})
    missing = pd.DataFrame({"ticker": ["SPY"] * len(gaps), "session": pd.DatetimeIndex(list(gaps))})
    return Known(spans, missing, pd.DataFrame({"series": ["VIX"], "last_period": [pd.Timestamp(last)]}))


def quiet_day():
    """An evening that is nobody's refresh."""
    return next(t for t in (NOW + pd.Timedelta(days=d) for d in range(REFRESH)) if not is_refresh_day("SPY", t))


def test_a_new_fund_is_asked_for_whole_and_a_known_one_from_ten_sessions_back():
    now = quiet_day()
    spy, tlt = fund_windows(["SPY", "TLT"], known("2024-01-12"), now)
    assert (tlt.start, tlt.whole, tlt.refresh) == (pd.Timestamp("1990-01-01"), True, True)
    assert len(calendars.sessions("XNYS", spy.start, "2024-01-12")) == 10
    assert (spy.whole, spy.refresh) == (False, False)
    assert spy.end == tlt.end == last_closed("XNYS", now)


def test_a_recent_gap_is_asked_for_every_night_and_an_old_one_on_the_refresh_day():
    recent, old = pd.Timestamp("2023-12-13"), pd.Timestamp("2021-03-03")
    nights = [NOW + pd.Timedelta(days=d) for d in range(REFRESH)]
    starts = {night: fund_windows(["SPY"], known("2024-01-12", [old, recent]), night)[0].start for night in nights}
    assert set(starts.values()) == {recent, old}
    assert [n for n, start in starts.items() if start == old] == [n for n in nights if is_refresh_day("SPY", n)]


def test_every_fund_is_refreshed_once_in_thirty_days_and_every_day_has_its_share():
    tickers = [f"F{i:03d}" for i in range(600)]
    days = [NOW + pd.Timedelta(days=d) for d in range(REFRESH)]
    table = np.array([[is_refresh_day(t, day) for day in days] for t in tickers])
    assert (table.sum(axis=1) == 1).all()
    assert table.sum(axis=0).max() < 2.5 * 600 / REFRESH


@pytest.mark.parametrize(
    ("now", "exchange", "session"),
    [
        ("2024-01-16 21:29", "XNYS", "2024-01-12"),  # half an hour after the close has not passed; the 15th is a holiday
        ("2024-01-16 21:30", "XNYS", "2024-01-16"),
        ("2024-01-16 23:00", "XASX", "2024-01-16"),  # Wednesday morning in Sydney
        ("2024-11-29 18:31", "XNYS", "2024-11-29"),  # a half-day closes at one
    ],
)
def test_only_sessions_whose_final_bar_is_out_are_asked_for(now, exchange, session):
    assert last_closed(exchange, pd.Timestamp(now, tz="UTC")) == pd.Timestamp(session)


def test_a_suffix_without_a_calendar_has_no_window():
    assert listing("VUSA.L") is None
    assert fund_windows(["VUSA.L"], None, NOW) == []


def test_indices_are_read_two_weeks_back():
    (vix,) = [w for s, w in index_windows(known("2024-01-12"), NOW) if s.code == "VIX"]
    assert (vix.start, vix.end) == (pd.Timestamp("2023-12-29"), pd.Timestamp("2024-01-16"))
