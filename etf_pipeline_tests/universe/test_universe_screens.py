"""Universe: each screen by hand, and no screen reads ahead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from etf_pipeline import calendars
from etf_pipeline.errors import DataError
from etf_pipeline.schemas import TABLES, from_arrow
from etf_pipeline.universe import ScreenParameters
from etf_pipeline.universe import membership as screened

DAYS = calendars.sessions("XNYS", "2020-01-02", "2020-06-30")
QUICK = ScreenParameters(min_history=30)
NO_AUM, NO_LIVES, NO_MACRO = (
    from_arrow(TABLES[name].arrow_schema.empty_table()) for name in ("stg_aum", "lifecycle", "fct_macro")
)


def membership(prices, known_aum, facts, parameters=QUICK, lives=NO_LIVES, macro=NO_MACRO) -> pd.DataFrame:
    return screened(prices, known_aum, facts, lives, macro, parameters)


def bars(ticker="AAA", days=DAYS, close=50.0, volume=100_000.0, exchange="XNYS", adjustment="raw") -> pd.DataFrame:
    frame = pd.DataFrame({"session": days, "ticker": ticker, "close": close, "volume": volume})
    frame["traded_value"] = frame["close"] * frame["volume"]
    return frame.assign(exchange=exchange, adjustment=adjustment, currency="AUD" if exchange == "XASX" else "USD")


def life(known_from, fate="closure", announced_at=None, last_session=None, ticker="AAA", pay_date=None) -> pd.DataFrame:
    """One row of `lifecycle`."""
    known, announced = (pd.to_datetime([x], utc=True).as_unit("ns") for x in (known_from, announced_at))
    row = {"known_from": known, "announced_at": announced, "last_session": pd.to_datetime([last_session]).as_unit("ns")}
    row["pay_date"] = pd.to_datetime([pay_date]).as_unit("ns")
    return pd.DataFrame({"ticker": [ticker], "fate": [fate], **row})


def rate(value=0.5, released_at="2020-01-02T21:00Z") -> pd.DataFrame:
    """One row of `fct_macro`."""
    released = pd.to_datetime([released_at], utc=True).as_unit("ns")
    return pd.DataFrame({"series": ["AUDUSD"], "value": [value], "released_at": released})


def reference(*tickers, inception="2010-01-01", is_geared=False) -> pd.DataFrame:
    return pd.DataFrame({"ticker": list(tickers), "inception": pd.Timestamp(inception), "is_geared": is_geared})


def aum(value=50e6, as_of="2019-12-31", available_at="2020-01-15T12:00Z", ticker="AAA") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "ticker": [ticker],
            "as_of": [pd.Timestamp(as_of)],
            "aum_value": [value],
            "available_at": pd.to_datetime([available_at], utc=True).as_unit("ns"),
        }
    )


def last_reason(prices, known_aum=NO_AUM, facts=None, parameters=QUICK) -> str:
    return membership(prices, known_aum, reference("AAA") if facts is None else facts, parameters)["reason"].iloc[-1]


def test_a_seasoned_liquid_fund_is_a_member_and_the_table_keeps_its_contract():
    out = membership(bars(), aum(), reference("AAA"), QUICK)
    table = TABLES["universe_membership"]
    table.check(table.to_arrow(out))
    assert out["reason"].tolist() == ["not_seasoned"] * 29 + ["member"] * (len(DAYS) - 29)


@pytest.mark.parametrize(
    ("reason", "prices", "known_aum", "facts"),
    [
        ("not_listed", bars(), NO_AUM, reference("AAA", inception="2021-01-01")),
        ("not_listed", bars(), NO_AUM, reference("BBB")),
        ("other_exchange", bars(days=calendars.sessions("XASX", "2020-01-02", "2020-06-30"), exchange="XASX"), NO_AUM, None),
        ("geared", bars(), NO_AUM, reference("AAA", is_geared=True)),
        ("illiquid_shares", bars(volume=9_999.0, close=5_000.0), NO_AUM, None),
        ("illiquid_value", bars(volume=10_000.0, close=99.0), NO_AUM, None),
        ("illiquid_value", bars(volume=9_000.0, close=100.0, adjustment="split"), aum(), None),
        ("small_aum", bars(), aum(value=9.9e6), None),
        ("low_price", bars(close=0.9, volume=2e6), NO_AUM, None),
        ("member", bars(close=0.9, volume=2e6, adjustment="split"), NO_AUM, None),
        ("member", bars(volume=9_000.0, close=200.0, adjustment="split"), NO_AUM, None),
        ("member", bars(volume=10_000.0, close=20.0), aum(), None),
    ],
)
def test_the_first_screen_that_fails_is_the_reason(reason, prices, known_aum, facts):
    assert last_reason(prices, known_aum, facts) == reason


def test_a_fund_that_did_not_trade_for_five_sessions_is_stale():
    volume = np.full(len(DAYS), 1e6)
    volume[-5:] = 0
    assert last_reason(bars(volume=volume)) == "stale"
    volume[-5] = 100
    assert last_reason(bars(volume=volume)) == "member"


def test_a_fund_with_a_bar_in_fewer_than_half_of_the_sessions_is_stale():
    assert last_reason(bars(days=DAYS[::3])) == "stale"
    assert last_reason(bars(days=DAYS[::2][:60])) == "member"


def test_geared_funds_are_members_where_they_are_allowed():
    assert last_reason(bars(), facts=reference("AAA", is_geared=True), parameters=replace(QUICK, allow_geared=True)) == "member"


def test_aum_counts_from_the_close_after_it_was_published_and_not_before():
    # published at 20:59 UTC of 2020-03-02, one minute before the close at 21:00; and one minute after it
    for minute, first_known in (("20:59", "2020-03-02"), ("21:01", "2020-03-03")):
        out = membership(bars(), aum(available_at=f"2020-03-02T{minute}Z"), reference("AAA"), QUICK)
        assert out.loc[~out["aum_unknown"], "session"].min() == pd.Timestamp(first_known)
        assert out.loc[out["aum_unknown"], "aum_value"].isna().all()


def test_aum_that_is_too_old_is_unknown():
    out = membership(bars(), aum(as_of="2019-12-31"), reference("AAA"), replace(QUICK, max_aum_age=100))
    assert out["aum_unknown"].iloc[-1]
    assert not out["aum_unknown"].iloc[40]


@pytest.mark.parametrize(("announced", "first"), [("2020-03-02T20:59Z", "2020-03-02"), ("2020-03-02T21:01Z", "2020-03-03")])
def test_a_fund_is_no_candidate_from_the_first_close_after_its_end_was_announced(announced, first):
    lives = life(announced, announced_at=announced, last_session="2020-04-30")
    out = membership(bars(), NO_AUM, reference("AAA"), lives=lives).set_index("session")["reason"]
    assert (out[:first].iloc[29:-1] == "member").all()
    assert (out[first:"2020-04-30"] == "ending").all()
    assert (out["2020-05-01":] == "ended").all()


def test_an_end_that_is_taken_back_ends_nothing():
    lives = pd.concat([life("2020-03-02T12:00Z", last_session="2020-02-10"), life("2020-03-20T20:00Z", fate="listed")])
    out = membership(bars(), NO_AUM, reference("AAA"), lives=lives).set_index("session")["reason"]
    assert (out["2020-03-02":"2020-03-19"] == "ended").all()
    assert (out["2020-03-20":] == "member").all()


def test_a_rename_that_is_announced_leaves_a_fund_a_candidate_until_it_happens():
    at = "2020-03-02T12:00Z"
    out = membership(bars(), NO_AUM, reference("AAA"), lives=life(at, "rename", at, "2020-04-30")).set_index("session")["reason"]
    assert (out["2020-03-02":"2020-04-30"] == "member").all()
    assert (out["2020-05-01":] == "ended").all()


@pytest.mark.parametrize("known_as", ["last_session", "pay_date"])
def test_a_maturity_that_is_known_for_years_ends_a_note_only_when_it_is_near(known_as):
    lives = life("2010-01-04T12:00Z", announced_at="2010-01-04T12:00Z", **{known_as: "2020-12-31"})
    near = replace(QUICK, ending_notice=200)
    out = membership(bars(), NO_AUM, reference("AAA"), near, lives=lives).set_index("session")["reason"]
    assert (out[:"2020-06-12"].iloc[29:] == "member").all()
    assert (out["2020-06-15":] == "ending").all()


def test_the_end_of_one_fund_is_not_that_of_another():
    lives = life("2020-01-10T12:00Z", announced_at="2020-01-10T12:00Z", ticker="BBB")
    out = membership(pd.concat([bars(), bars("BBB"), bars("CCC")]), NO_AUM, reference("AAA", "BBB", "CCC"), lives=lives)
    assert set(out.loc[out["reason"] == "ending", "ticker"]) == {"BBB"}


def test_thresholds_of_value_and_price_are_those_of_another_currency_at_the_rate_known_then():
    # 1.5 million AUD a session is 0.75 million USD at 0.5, and enough at 0.7; a price of 1.8 AUD is 0.9 USD at 0.5
    days, wanted = calendars.sessions("XASX", "2020-01-02", "2020-06-30"), replace(QUICK, exchange="XASX", currency="USD")
    macro = pd.concat([rate(0.5), rate(0.7, released_at="2020-05-01T05:59Z")])
    thin = membership(bars(days=days, volume=30_000.0, exchange="XASX"), NO_AUM, reference("AAA"), wanted, macro=macro)
    reasons = thin.set_index("session")["reason"]
    assert reasons["2020-04-30"] == "illiquid_value"
    assert reasons["2020-05-01"] == "member"  # the rate came a minute before the close at 06:00 UTC
    cheap = membership(bars(days=days, close=1.8, volume=5e6, exchange="XASX"), NO_AUM, reference("AAA"), wanted, macro=macro)
    assert cheap.set_index("session")["reason"][["2020-04-30", "2020-05-01"]].tolist() == ["low_price", "member"]


def test_a_fund_whose_exchange_rate_is_unknown_passes_no_threshold_of_value():
    days, wanted = calendars.sessions("XASX", "2020-01-02", "2020-06-30"), replace(QUICK, exchange="XASX", currency="USD")
    out = membership(bars(days=days, volume=1e9, exchange="XASX"), NO_AUM, reference("AAA"), wanted)
    assert out["reason"].iloc[-1] == "illiquid_value"
    assert membership(bars(days=days, exchange="XASX"), NO_AUM, reference("AAA"), replace(wanted, currency=""))["member"].iloc[-1]


def test_a_mean_of_shares_is_unknown_as_long_as_one_of_them_is_a_later_share():
    adjustment = np.where(np.arange(len(DAYS)) < 60, "split", "raw")
    out = membership(bars(adjustment=adjustment), NO_AUM, reference("AAA"))
    ahead = np.arange(len(DAYS)) < 60 + 19
    assert (out["shares_look_ahead"] == ahead).all()
    assert (out["mean_volume"].isna() == (ahead | (np.arange(len(DAYS)) < 19))).all()
    assert out["mean_traded_value"].notna().sum() == len(DAYS) - 19


def test_a_late_revision_of_an_older_date_does_not_hide_newer_aum():
    known = pd.concat([aum(50e6, "2020-03-31", "2020-04-01T12:00Z"), aum(1e6, "2020-02-28", "2020-05-01T12:00Z")])
    assert membership(bars(), known, reference("AAA"))["aum_value"].iloc[-1] == 50e6
    revised = pd.concat([known, aum(40e6, "2020-03-31", "2020-06-01T12:00Z")])
    assert membership(bars(), revised, reference("AAA"))["aum_value"].iloc[[-30, -1]].tolist() == [50e6, 40e6]


def test_means_are_those_of_the_last_twenty_bars():
    volume = np.arange(1.0, len(DAYS) + 1)
    out = membership(bars(volume=volume), NO_AUM, reference("AAA"), QUICK)
    oracle = pd.Series(volume).rolling(20).mean()
    np.testing.assert_allclose(out["mean_volume"], oracle, rtol=1e-14)


def test_every_figure_is_that_of_a_slow_walk_over_bars_with_holes_and_unknowns():
    rng = np.random.default_rng(11)
    parts = []
    for ticker in ("AAA", "BBB", "CCC"):
        days = DAYS[np.sort(rng.choice(len(DAYS), 90, replace=False))]
        volume = np.where(rng.random(90) < 0.4, 0.0, rng.uniform(1e3, 1e6, 90))
        volume[rng.integers(0, 90)] = np.nan
        parts.append(bars(ticker, days=days, volume=volume, adjustment=np.where(rng.random(90) < 0.03, "split", "raw")))
    prices = pd.concat(parts, ignore_index=True)
    out = membership(prices.sample(frac=1, random_state=1), NO_AUM, reference("AAA", "BBB", "CCC"), replace(QUICK, min_volume=0))
    for ticker, own in prices.groupby("ticker"):
        found = out[out["ticker"] == ticker].reset_index(drop=True)
        number, idle = DAYS.get_indexer(own["session"]), (own["volume"] > 0).rolling(5).sum().eq(0).to_numpy()
        ahead = (own["adjustment"] != "raw").rolling(20, min_periods=1).max().eq(1).to_numpy()
        presence = 20 / (pd.Series(number) - pd.Series(number).shift(19) + 1)
        mean = own["volume"].rolling(20).mean().where(~ahead)
        np.testing.assert_allclose(found["mean_volume"], mean, rtol=1e-12)
        np.testing.assert_allclose(found["mean_traded_value"], own["traded_value"].rolling(20).mean(), rtol=1e-12)
        assert (found["shares_look_ahead"] == ahead).all()
        assert (found["history_sessions"] == np.arange(1, 91)).all()
        stale = idle | (presence < 0.5).to_numpy()
        assert stale[found["reason"] == "stale"].all()
        assert (found.loc[stale, "reason"] != "member").all()


@pytest.mark.parametrize("cut", [25, 60, 100])
def test_membership_does_not_read_the_future(cut):
    rng = np.random.default_rng(3)
    prices = pd.concat([bars(t, volume=rng.uniform(1e3, 4e4, len(DAYS)), close=60.0) for t in ("AAA", "BBB", "CCC")])
    published = pd.concat([aum(ticker="AAA"), aum(ticker="BBB", available_at="2020-04-01T12:00Z")])
    facts, day = reference("AAA", "BBB", "CCC"), DAYS[cut]
    whole = membership(prices, published, facts, QUICK)
    poisoned = prices.copy()
    poisoned.loc[poisoned["session"] > day, ["close", "volume", "traded_value"]] = 1e300
    poisoned_aum = published.assign(
        aum_value=published["aum_value"].where(published["available_at"] <= day.tz_localize("UTC"), 1e300)
    )
    before = whole[whole["session"] <= day].reset_index(drop=True)
    for later in (
        membership(prices[prices["session"] <= day], published, facts, QUICK),
        membership(poisoned, poisoned_aum, facts, QUICK),
    ):
        assert_frame_equal(later[later["session"] <= day].reset_index(drop=True), before, rtol=1e-12)


def test_two_bars_of_one_session_are_refused():
    with pytest.raises(DataError, match="AAA has two on 2020-01-02"):
        membership(pd.concat([bars(), bars()]), NO_AUM, reference("AAA"))


def test_a_bar_on_a_holiday_is_refused_by_name():
    with pytest.raises(DataError, match="AAA has a bar on 2020-07-04"):
        membership(bars(days=[*DAYS, pd.Timestamp("2020-07-04")]), aum(), reference("AAA"))
