"""Lifecycle by hand: each source becomes known when it says so, silence is noticed in time, and nothing is known too early."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from etf_pipeline import calendars
from etf_pipeline.errors import DataError
from etf_pipeline_tests.universe.universe_lives import DAYS, action, bars, close, event, lives, rows

MARKET = bars("SPY", DAYS)


def of(frame: pd.DataFrame, ticker: str) -> pd.DataFrame:
    return frame[frame["ticker"] == ticker].reset_index(drop=True)


def test_a_fund_is_known_from_the_close_of_its_first_bar() -> None:
    out = lives(MARKET)
    assert len(out) == 1
    row = out.iloc[0]
    assert (row["known_from"], row["first_session"], row["fate"]) == (close(DAYS[0]), DAYS[0], "listed")
    assert (row["traded_ticker"], row["basis"], row["evidence"]) == ("SPY", "given", "first bar 2020-01-02")


@pytest.mark.parametrize(
    ("inception", "known"), [("2019-05-01", close(DAYS[0])), ("2020-03-02", pd.Timestamp("2020-03-02", tz="UTC"))]
)
def test_inception_is_known_from_the_later_of_its_day_and_the_first_bar(inception: str, known: pd.Timestamp) -> None:
    out = lives(MARKET, reference=rows("stg_reference", {"ticker": "SPY", "inception": inception}))
    assert out["inception"].iloc[-1] == pd.Timestamp(inception)
    assert out["known_from"].iloc[-1] == known


def test_a_liquidation_is_known_when_announced_and_its_value_only_when_settled() -> None:
    told = action("OLD", "liquidation", "2020-06-30", "2020-05-29T20:00Z", value=24.5, pay_date="2020-07-07")
    out = of(lives(pd.concat([MARKET, bars("OLD", DAYS[DAYS <= "2020-06-30"])]), rows("stg_actions", told)), "OLD")
    assert out["known_from"].iloc[1:].tolist() == [pd.Timestamp("2020-05-29T20:00Z")]
    told["value_known_at"] = "2020-06-30T21:00Z"
    out = of(lives(pd.concat([MARKET, bars("OLD", DAYS[DAYS <= "2020-06-30"])]), rows("stg_actions", told)), "OLD")
    assert out["known_from"].iloc[1:].tolist() == [pd.Timestamp("2020-05-29T20:00Z"), pd.Timestamp("2020-06-30T21:00Z")]
    assert out["liquidation_value"].fillna(-1).tolist() == [-1, -1, 24.5]
    assert out["fate"].tolist() == ["listed", "closure", "closure"]
    last = out.iloc[-1]
    assert (last["last_session"], last["pay_date"]) == (pd.Timestamp("2020-06-30"), pd.Timestamp("2020-07-07"))
    assert (last["announced_at"], last["basis"]) == (pd.Timestamp("2020-05-29T20:00Z"), "given")


def test_a_merger_names_its_successor_when_announced_and_its_ratio_when_known() -> None:
    told = action(
        "OLD", "merger", "2020-06-30", "2020-05-29T20:00Z", value=0.4, successor="SPY", value_known_at="2020-06-30T21:00Z"
    )
    out = of(lives(pd.concat([MARKET, bars("OLD", DAYS[DAYS <= "2020-06-30"])]), rows("stg_actions", told)), "OLD")
    assert out["successor"].tolist()[1:] == ["SPY", "SPY"]
    assert out["ratio"].fillna(-1).tolist() == [-1, -1, 0.4]


def test_a_rename_to_another_fund_is_an_end_at_par() -> None:
    told = action("OLD", "rename", "2020-06-30", "2020-05-29T20:00Z", successor="SPY")
    row = of(lives(pd.concat([MARKET, bars("OLD", DAYS[DAYS <= "2020-06-30"])]), rows("stg_actions", told)), "OLD").iloc[-1]
    assert (row["fate"], row["successor"], row["ratio"]) == ("rename", "SPY", 1.0)


def test_what_was_announced_before_the_first_bar_is_known_from_it() -> None:
    told = action("NEW", "liquidation", "2020-12-30", "2020-01-10T20:00Z")
    out = of(lives(pd.concat([MARKET, bars("NEW", DAYS[100:])]), rows("stg_actions", told)), "NEW")
    assert out["known_from"].tolist() == [close(DAYS[100])]
    assert out["fate"].tolist() == ["closure"]


def test_the_end_of_a_silent_series_is_known_at_the_close_of_the_tenth_missing_session() -> None:
    out = of(lives(pd.concat([MARKET, bars("OLD", DAYS[:100])])), "OLD")
    assert out["known_from"].tolist() == [close(DAYS[0]), close(DAYS[99 + 10])]
    row = out.iloc[-1]
    assert (row["fate"], row["basis"], row["last_session"]) == ("unknown", "inferred", DAYS[99])
    assert pd.isna(row["announced_at"])
    assert "no bar in 10 sessions of XNYS after" in row["evidence"]


def test_nine_missing_sessions_are_no_end_and_neither_is_the_end_of_the_data() -> None:
    quiet = bars("GAP", DAYS.delete(range(50, 59)))
    assert len(lives(pd.concat([MARKET, quiet]))) == 2
    for cut in range(100, 120):
        short = pd.concat([bars("SPY", DAYS[:cut]), bars("OLD", DAYS[:100])])
        assert (lives(short)["fate"] == "listed").all() == (cut < 110)


def test_sessions_in_which_nobody_has_a_bar_are_no_silence() -> None:
    holed = DAYS.delete(range(100, 130))
    market = pd.concat([bars("SPY", holed), bars("OLD", DAYS[:100])])
    assert of(lives(market), "OLD")["known_from"].tolist()[1:] == [close(holed[109])]
    assert len(of(lives(market), "SPY")) == 1


def test_bars_that_return_take_the_end_back_at_the_close_of_the_first() -> None:
    out = of(lives(pd.concat([MARKET, bars("GAP", DAYS.delete(range(50, 70)))])), "GAP")
    assert out["known_from"].tolist() == [close(DAYS[0]), close(DAYS[59]), close(DAYS[70])]
    assert out["fate"].tolist() == ["listed", "unknown", "listed"]
    assert out["last_session"].isna().tolist() == [True, False, True]
    assert out["basis"].tolist() == ["given", "inferred", "given"]
    assert f"bars again since {DAYS[70]:%Y-%m-%d}" in out["evidence"].iloc[-1]


def test_each_exchange_keeps_its_own_sessions() -> None:
    sydney = calendars.sessions("XASX", DAYS[0], DAYS[-1])
    market = pd.concat([MARKET, bars("STW.AX", sydney, "XASX"), bars("OLD.AX", sydney[:100], "XASX")])
    row = of(lives(market, exchanges=("XNYS", "XASX")), "OLD.AX").iloc[-1]
    assert row["known_from"] == close(sydney[109], "XASX")


def test_an_end_that_was_told_is_not_inferred_again() -> None:
    told = action("OLD", "liquidation", f"{DAYS[99]:%Y-%m-%d}", "2020-05-01T20:00Z")
    out = of(lives(pd.concat([MARKET, bars("OLD", DAYS[:100])]), rows("stg_actions", told)), "OLD")
    assert out["fate"].tolist() == ["listed", "closure"]
    assert "no bar" not in out["evidence"].iloc[-1]


def test_an_announcement_without_a_last_day_gets_it_from_the_silence() -> None:
    told = event("OLD", "announcement", "2020-05-01", "2020-05-01T20:00Z", reason="too small")
    out = of(lives(pd.concat([MARKET, bars("OLD", DAYS[:100])]), events=rows("raw_lifecycle", told)), "OLD")
    assert out["fate"].tolist() == ["listed", "unknown", "unknown"]
    assert out["announced_at"].notna().tolist() == [False, True, True]
    assert out["last_session"].tolist()[2] == DAYS[99]
    assert "announcement 2020-05-01 (too small): a press release" in out["evidence"].iloc[1]


def test_curated_events_of_one_press_release_make_one_row() -> None:
    at = "2020-05-01T20:00Z"
    told = [
        event("OLD", "liquidation", "2020-06-05", at, pay_date="2020-06-05"),
        event("OLD", "last_trade", "2020-05-26", at),
        event("OLD", "announcement", "2020-05-01", at),
    ]
    out = of(lives(pd.concat([MARKET, bars("OLD", DAYS[DAYS <= "2020-05-26"])]), events=rows("raw_lifecycle", *told)), "OLD")
    assert len(out) == 2
    row = out.iloc[-1]
    assert (row["fate"], row["basis"]) == ("closure", "curated")
    assert (row["last_session"], row["pay_date"]) == (pd.Timestamp("2020-05-26"), pd.Timestamp("2020-06-05"))
    assert pd.isna(row["liquidation_value"])


def test_what_the_provider_gives_outweighs_what_is_curated_and_that_an_inference() -> None:
    old = bars("OLD", DAYS[:100])
    given_end = action("OLD", "liquidation", f"{DAYS[99]:%Y-%m-%d}", "2020-05-01T20:00Z")
    curated = event("OLD", "last_trade", "2020-05-20", "2020-05-02T20:00Z")
    row = of(lives(pd.concat([MARKET, old]), rows("stg_actions", given_end), events=rows("raw_lifecycle", curated)), "OLD").iloc[
        -1
    ]
    assert (row["last_session"], row["fate"], row["basis"]) == (DAYS[99], "closure", "given")
    late = event("OLD", "liquidation", "2020-12-01", "2020-12-01T20:00Z", value=9.0)
    out = of(lives(pd.concat([MARKET, old]), events=rows("raw_lifecycle", late)), "OLD")
    assert out["fate"].tolist() == ["listed", "unknown", "closure"]
    assert out["basis"].tolist() == ["given", "inferred", "curated"]
    assert out["last_session"].tolist()[2] == DAYS[99]


def test_the_traded_ticker_follows_the_history_from_the_day_on_which_it_was_known() -> None:
    spells = [
        {
            "fund": "QQQ",
            "ticker": "QQQQ",
            "valid_from": "2004-12-01",
            "valid_to": "2020-03-22",
            "available_at": "2004-12-01T14:30Z",
        },
        {"fund": "QQQ", "ticker": "QQQ", "valid_from": "2020-03-23", "available_at": "2020-03-20T14:30Z"},
    ]
    spells = [spell | {"source": "map"} for spell in spells]
    out = lives(bars("QQQ", DAYS), history=rows("raw_ticker_history", *spells))
    assert out["traded_ticker"].tolist() == ["QQQQ", "QQQ"]
    assert out["known_from"].tolist() == [close(DAYS[0]), pd.Timestamp("2020-03-23", tz="UTC")]
    assert (out["fate"] == "listed").all()


def test_an_earlier_owner_of_a_ticker_traded_under_it() -> None:
    spell = {
        "fund": "USO.1",
        "ticker": "USO",
        "valid_from": "1998-01-02",
        "valid_to": "2020-04-09",
        "available_at": "1998-01-02T14:30Z",
    }
    out = of(
        lives(pd.concat([MARKET, bars("USO.1", DAYS[:60])]), history=rows("raw_ticker_history", spell | {"source": "map"})),
        "USO.1",
    )
    assert out["traded_ticker"].tolist() == ["USO", "USO"]
    assert out["fate"].tolist() == ["listed", "unknown"]


def test_a_series_that_stops_at_a_known_change_of_ticker_went_on_under_the_new_one() -> None:
    told = event("ESGS", "ticker_change", f"{DAYS[100]:%Y-%m-%d}", "2020-03-18T20:00Z", successor="EQIN")
    out = of(lives(pd.concat([MARKET, bars("ESGS", DAYS[:100])]), events=rows("raw_lifecycle", told)), "ESGS")
    assert out["traded_ticker"].tolist() == ["ESGS", "EQIN", "EQIN"]
    row = out.iloc[-1]
    assert (row["fate"], row["successor"], row["ratio"], row["basis"]) == ("rename", "EQIN", 1.0, "inferred")
    assert row["known_from"] == close(DAYS[109])


def test_a_bar_of_an_unknown_session_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="OLD has one on 2020-07-04, when XNYS is not known to trade"):
        lives(pd.concat([MARKET, bars("OLD", pd.DatetimeIndex(["2020-07-04"]))]))


SPELLS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 25)), min_size=1, max_size=4)


def spelled(ticker: str, spells: list[tuple[int, int]]) -> pd.DataFrame:
    """Bars in stretches: so many sessions without, so many with."""
    at, held = 0, []
    for without, lasting in spells:
        held += list(range(at + without, min(at + without + lasting, 120)))
        at += without + lasting
    return bars(ticker, DAYS[held])


def told_of() -> tuple[pd.DataFrame, pd.DataFrame]:
    """An action and events about the funds, known at odd moments."""
    actions = rows(
        "stg_actions", action("A", "liquidation", f"{DAYS[70]:%Y-%m-%d}", "2020-03-03T12:00Z", value_known_at="2020-04-20T22:00Z")
    )
    events = rows(
        "raw_lifecycle",
        event("B", "last_trade", f"{DAYS[60]:%Y-%m-%d}", "2020-03-10T12:00Z"),
        event("B", "liquidation", f"{DAYS[66]:%Y-%m-%d}", "2020-05-10T12:00Z", value=3.0),
        event("C", "ticker_change", f"{DAYS[50]:%Y-%m-%d}", "2020-02-10T12:00Z", successor="CC"),
    )
    return actions, events


@settings(max_examples=40, deadline=None)
@given(spells=st.tuples(SPELLS, SPELLS, SPELLS, SPELLS), cut=st.integers(0, 119), silent=st.integers(1, 12))
def test_rows_known_by_an_instant_rest_on_nothing_later(spells: tuple[list[tuple[int, int]], ...], cut: int, silent: int) -> None:
    prices = pd.concat([spelled(t, s) for t, s in zip("ABCD", spells, strict=True)], ignore_index=True)
    actions, events = told_of()
    whole = lives(prices, actions, events=events, silent_sessions=silent) if len(prices) else None
    day, instant = DAYS[cut], close(DAYS[cut])
    past = prices[prices["session"] <= day]
    if whole is None or past.empty:
        return
    known = lives(
        past,
        actions[actions["available_at"] <= instant],
        events=events[events["known_at"] <= instant],
        silent_sessions=silent,
    )
    before = whole[whole["known_from"] <= instant].reset_index(drop=True)
    assert_frame_equal(known[known["known_from"] <= instant].reset_index(drop=True), before)


@settings(max_examples=25, deadline=None)
@given(spells=st.tuples(SPELLS, SPELLS), silent=st.integers(1, 12))
def test_silence_is_what_a_walk_along_the_sessions_finds(spells: tuple[list[tuple[int, int]], ...], silent: int) -> None:
    prices = pd.concat([bars("SPY", DAYS[:120]), *(spelled(t, s) for t, s in zip("AB", spells, strict=True))], ignore_index=True)
    found = lives(prices, silent_sessions=silent)
    for ticker, own in prices.groupby("ticker"):
        held, missed, expected = set(own["session"]), 0, []
        for day in DAYS[:120]:
            if day < own["session"].min():
                continue
            if day in held:
                if missed >= silent or day == own["session"].min():
                    expected.append((close(day), "listed"))
                missed = 0
            else:
                missed += 1
                if missed == silent:
                    expected.append((close(day), "unknown"))
        rows_found = of(found, str(ticker))
        assert list(zip(rows_found["known_from"], rows_found["fate"], strict=True)) == expected
