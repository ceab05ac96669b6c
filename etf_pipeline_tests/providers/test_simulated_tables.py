"""The simulated market's tables: contracts, calendars, consistent bars and point-in-time instants."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from simulated_by_hand import market, named, truth

from etf_pipeline.calendars import closes, opens, sessions
from etf_pipeline.errors import SettingsError
from etf_pipeline.providers.macro_series import SERIES
from etf_pipeline.providers.release import period_ends
from etf_pipeline.providers.simulated import SimulatedMarket
from etf_pipeline.schemas import TABLES

PARTS = ("prices", "actions", "reference", "aum", "macro", "factors", "rejects", "ticker_history", "lifecycle")


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("faults", [False, True], ids=["clean", "faulty"])
@pytest.mark.parametrize("profile", ["full", "demo"])
def test_every_table_meets_its_contract(profile, faults, part):
    table = TABLES[f"raw_{part}"]
    table.check(table.to_arrow(getattr(market(profile, faults), part)))


@pytest.mark.parametrize("profile", ["full", "demo"])
def test_everything_a_person_reads_says_simulated(profile):
    raw = market(profile)
    assert raw.simulated
    assert raw.label.startswith("SIMULATED")
    assert raw.reference["name"].str.startswith("Simulated ").all()
    assert set(raw.reference["family"]) == {"Simulated Funds"}
    assert set(raw.prices["source"]) | set(raw.actions["source"]) | set(raw.macro["source"]) == {"simulated"}


def test_the_full_market_has_every_asset_class_and_both_exchanges():
    reference = market().reference
    assert set(reference["asset_class"]) == {"equity", "bond", "commodity", "real_estate", "currency", "alternative"}
    by_exchange = reference.groupby("exchange")["ticker"].count()
    assert by_exchange["XNYS"] >= 60
    assert by_exchange["XASX"] >= 9  # eight that live and one that closes
    assert set(reference["leverage"]) >= {1.0, 2.0, -1.0}
    assert set(reference.loc[reference["exchange"] == "XASX", "currency"]) == {"AUD"}
    assert reference["expense_ratio"].between(0.0001, 0.01).all()


def test_the_demo_is_twelve_funds_over_six_years_of_the_same_numbers():
    full, demo = market("full").prices, market("demo").prices
    assert demo["ticker"].nunique() == 12
    assert demo["session"].min() == pd.Timestamp("2018-07-02")
    same = full.merge(demo, on=["ticker", "session"], suffixes=("", "_demo"))
    assert len(same) == len(demo)
    for column in ("open", "high", "low", "close", "volume"):
        assert (same[column] == same[f"{column}_demo"]).all()


@pytest.mark.parametrize("exchange", ["XNYS", "XASX"])
def test_every_fund_has_a_bar_in_every_session_of_its_life(exchange):
    prices = named(market().prices, market().ticker_history, "session")
    calendar = sessions(exchange, "2005-01-03", "2024-06-28")
    for _, days in prices[prices["exchange"] == exchange].groupby("ticker")["session"]:
        first, last = calendar.get_indexer([days.min(), days.max()])
        assert list(days) == list(calendar[first : last + 1])


def test_the_close_lies_within_the_bar_and_every_number_is_positive():
    prices = market().prices
    rounding = 1 + 1e-12
    assert (prices["high"] * rounding >= prices[["open", "close"]].max(axis=1)).all()
    assert (prices["low"] <= prices[["open", "close"]].min(axis=1) * rounding).all()
    assert (prices[["open", "high", "low", "close", "volume"]] > 0).all(axis=None)
    assert (prices["volume"] % 1 == 0).all()


def test_source_rows_count_from_zero_in_the_order_of_the_rows():
    assert (market("demo").prices["source_row"].to_numpy() == np.arange(len(market("demo").prices))).all()


def test_assets_are_published_after_the_close_that_they_refer_to_and_end_in_the_snapshot():
    raw = market()
    aum = raw.aum.merge(raw.reference[["ticker", "exchange", "aum_value"]], on="ticker", suffixes=("", "_snapshot"))
    for exchange, rows in aum.groupby("exchange"):
        lag = rows["available_at"].reset_index(drop=True) - closes(str(exchange), rows["as_of"])
        assert lag.between(pd.Timedelta(0), pd.Timedelta(days=6), inclusive="neither").all()
    last = aum.groupby("ticker").last()
    living = last[last["as_of"] == pd.Timestamp("2024-06-28")]
    assert len(living) > 60
    assert (living["aum_value"] == living["aum_value_snapshot"]).all()
    ended = truth().endings["ticker"]
    assert raw.reference.set_index("ticker").loc[ended, "aum_value"].isna().all()


def test_the_demo_knows_every_old_fund_s_assets_when_it_begins():
    raw = market("demo")
    known = raw.aum[raw.aum["available_at"] <= closes("XNYS", pd.DatetimeIndex(["2018-07-02"]))[0]]
    assert set(known["ticker"]) == set(raw.reference["ticker"])


def test_there_are_funds_too_small_to_hold_and_funds_that_grew_out_of_it():
    smallest = market().aum.groupby("ticker")["aum_value"].agg(["min", "last"])
    assert ((smallest["min"] < 10e6) & (smallest["last"] < 10e6)).sum() >= 4
    assert ((smallest["min"] < 10e6) & (smallest["last"] > 10e6)).sum() >= 2


def test_no_macro_value_is_known_before_the_end_of_its_period():
    macro = market().macro
    assert set(macro["series"]) == set(SERIES)
    for code, rows in macro.groupby("series"):
        known = rows["available_at"].dt.tz_convert("America/New_York").dt.tz_localize(None).dt.normalize()
        assert (known.to_numpy() >= period_ends(SERIES[str(code)], pd.DatetimeIndex(rows["period"])).to_numpy()).all()


def test_the_factor_library_comes_weeks_after_the_month():
    factors = market().factors
    assert set(factors["factor"]) == {"MKT_RF", "SMB", "HML", "RMW", "CMA", "MOM", "RF"}
    after = factors["available_at"].dt.tz_localize(None) - (factors["session"] + pd.offsets.MonthEnd(0))
    assert after.min() > pd.Timedelta(days=20)
    assert after.max() < pd.Timedelta(days=30)


def test_every_action_is_announced_before_it_takes_effect_and_paid_no_earlier():
    actions = market().actions.merge(market().reference[["ticker", "exchange"]], on="ticker")
    for exchange, rows in actions.groupby("exchange"):
        assert (rows["available_at"].to_numpy() < opens(str(exchange), rows["ex_date"]).to_numpy()).all()
    assert (actions["pay_date"] >= actions["ex_date"]).all()
    cash = actions["kind"].isin(["dividend", "liquidation"])
    assert (actions.loc[cash, "pay_date"] > actions.loc[cash, "ex_date"]).all()


def test_a_caller_who_changes_a_frame_changes_only_his_own():
    mine = SimulatedMarket.for_profile("demo").fetch()
    mine.prices.loc[:, "close"] = -1.0
    assert (SimulatedMarket.for_profile("demo").fetch().prices["close"] > 0).all()


def test_an_unknown_profile_is_refused_with_the_known_ones():
    with pytest.raises(SettingsError, match="full or demo; found 'tiny'"):
        SimulatedMarket.for_profile("tiny")
