"""Rules that refuse, by hand: which row, which rule."""

import numpy as np
import pandas as pd
import pytest
from quality_market import SESSIONS, actions, bars, line, listed, look, reference, refused

from etf_pipeline.errors import DataError
from etf_pipeline.quality import QualityParameters, accepted_bars, inspect

FLAT = [100.0, 101, 100, 99, 100, 101]


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("close", np.nan, "missing_price"),
        ("open", np.nan, "missing_price"),
        ("low", 0.0, "nonpositive_price"),
        ("high", np.inf, "nonpositive_price"),
        ("volume", np.nan, "missing_volume"),
        ("volume", -1.0, "negative_volume"),
        ("high", 98.0, "high_below_low"),
        ("open", 102.0, "outside_range"),
        ("open", 98.0, "outside_range"),
        ("high", 501.0, "wild_range"),
        ("low", 19.0, "wild_range"),
        ("exchange", "XXXX", "unknown_exchange"),
        ("currency", "EUR", "currency_mismatch"),
        ("session", pd.Timestamp("2022-01-08"), "not_a_session"),
    ],
)
def test_one_bad_cell_refuses_its_bar_alone(column, value, rule):
    prices = line(FLAT)
    prices.loc[2, column] = value
    assert refused(look(prices)) == {2: rule}


def test_rounding_of_the_range_is_no_fault():
    prices = line(FLAT)
    prices.loc[2, "high"] = prices.loc[2, "close"] * (1 - 5e-5)
    prices.loc[2, "low"] = prices.loc[2, "high"]
    assert refused(look(prices)) == {}


def test_a_session_that_had_not_closed_at_the_fetch_is_in_the_future():
    # 7 January 2022 closes at 21:00 UTC
    assert refused(look(line(FLAT[:5]), known_until=pd.Timestamp("2022-01-07 20:59", tz="UTC"))) == {4: "future_date"}
    assert refused(look(line(FLAT[:5]), known_until=pd.Timestamp("2022-01-07 21:00"))) == {}


def test_of_exact_repeats_the_first_stays_and_of_contradictions_none():
    prices = line(FLAT)
    more = pd.concat([prices, prices.loc[[1]].assign(source_row=6), prices.loc[[3]].assign(source_row=7, volume=5.0)])
    assert refused(look(more)) == {3: "duplicate_key", 6: "duplicate_key", 7: "duplicate_key"}


def test_a_broken_repeat_does_not_take_the_good_bar_with_it():
    prices = line(FLAT)
    more = pd.concat([prices, prices.loc[[1]].assign(source_row=6, close=np.nan)])
    assert refused(look(more)) == {6: "missing_price"}


@pytest.mark.parametrize("ratio", [2, 3, 4, 10, 1 / 2, 1 / 4, 1 / 20])
def test_a_missed_split_is_refused_until_the_action_is_there(ratio):
    prices = line([*FLAT[:3], *(np.array(FLAT[3:]) / ratio)])
    found = look(prices)
    assert refused(found) == dict.fromkeys((3, 4, 5), "missed_split")
    assert "as a split of" in found.quarantine["found"][0]
    assert f"unexplained since {SESSIONS[3]:%Y-%m-%d}" in found.quarantine["found"][1]
    assert refused(look(prices, actions(("F00", 3, "split", ratio)))) == {}


def test_a_missed_split_stays_refused_when_the_market_drifts_off_the_ratio():
    drift = 50 * 1.01 ** np.arange(60)  # up to 90: nearer to the old level than to half of it
    prices = line([*FLAT, *drift])
    assert set(refused(look(prices))) == set(range(6, 66))


def test_a_split_that_is_announced_late_brings_bars_back_from_then_on_only():
    prices = line([*FLAT[:3], *(np.array(FLAT[3:]) / 4)])
    late = actions(("F00", 3, "split", 4.0), announced=pd.Timestamp("2022-01-07 12:00", tz="UTC"))  # before the close of row 4
    assert refused(look(prices, late)) == {3: "missed_split"}


def test_a_split_counts_on_raw_prices_only():
    prices = line(FLAT, adjustment="split")
    assert refused(look(prices, actions(("F00", 3, "split", 4.0)))) == {}


def test_a_split_without_a_bar_on_its_day_takes_effect_at_the_next():
    prices = line([*FLAT[:3], *(np.array(FLAT[3:]) / 4)]).drop(index=3)
    assert refused(look(prices, actions(("F00", 3, "split", 4.0)))) == {}


def test_a_split_on_a_refused_bar_is_not_forgotten():
    prices = line([*FLAT[:3], *(np.array(FLAT[3:]) / 4)])
    prices.loc[3, "volume"] = -1
    assert refused(look(prices, actions(("F00", 3, "split", 4.0)))) == {3: "negative_volume"}


def test_a_special_dividend_explains_the_fall_and_only_where_it_is_not_in_the_price():
    prices = line([100.0, 100, 20, 20])
    paid = actions(("F00", 2, "dividend", 80.0))
    assert refused(look(prices, paid)) == {}
    assert set(refused(look(prices.assign(adjustment="split_dividend"), paid))) == {2, 3}


def test_a_dividend_and_a_split_between_two_bars_are_counted_in_the_right_shares():
    # One share at 100 pays 10, becomes four, each pays 5: 4 * 17.5 + 10 + 20 = 100.
    prices = line([100.0, 1, 1, 17.5])
    prices.loc[[1, 2], "close"] = np.nan
    events = actions(("F00", 1, "dividend", 10.0), ("F00", 2, "split", 4.0), ("F00", 3, "dividend", 5.0))
    assert refused(look(prices, events, jump_factor=1.001)) == dict.fromkeys((1, 2), "missing_price")


def test_a_stray_price_is_refused_alone_and_cents_are_not_called_a_split():
    assert refused(look(line([100.0, 100, 10_000, 100, 101]))) == {2: "price_jump"}
    assert refused(look(line([100.0, 100, 1, 100, 101]))) == {2: "price_jump"}


def test_a_confirmed_jump_is_accepted_and_becomes_the_new_level():
    prices = line([100.0, 100, 7, 7.1])
    assert set(refused(look(prices))) == {2, 3}
    assert refused(look(prices, confirmed_jumps=(f"F00:{SESSIONS[2]:%Y-%m-%d}",))) == {}


def test_a_fund_without_a_reference_row_is_held_against_its_own_first_currency():
    prices = line(FLAT, ticker="ZZZ")
    prices.loc[3, "currency"] = "AUD"
    found = look(prices)
    assert refused(found) == {3: "currency_mismatch"}
    assert listed(found, "unknown_ticker") == [0]


def test_a_fund_of_unknown_class_is_listed_once_and_kept():
    found = look(line(FLAT), funds=reference().assign(asset_class="unknown"))
    assert listed(found, "unknown_ticker") == [0]
    assert found.quarantine.empty


def test_without_any_bar_there_is_nothing_to_inspect():
    prices = bars(2)
    with pytest.raises(DataError, match="stg_prices is empty"):
        inspect(prices.iloc[:0], actions(), reference(), prices.iloc[:0], QualityParameters())


def test_accepted_bars_are_those_outside_the_quarantine():
    prices = line([100.0, 100, 10_000, 100])
    assert accepted_bars(prices, look(prices).quarantine)["source_row"].tolist() == [0, 1, 3]
