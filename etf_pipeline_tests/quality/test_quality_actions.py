"""Corporate actions against prices, by hand: which action is refused, when, and what becomes of the bars."""

import numpy as np
import pandas as pd
import pytest
from quality_market import SESSIONS, actions, line, look, refused, refused_actions

from etf_pipeline import calendars

FLAT = [100.0, 101, 100, 99, 100, 101, 100, 99]


def both(*parts: pd.DataFrame) -> pd.DataFrame:
    """Actions of several sources, each numbered from 0."""
    return pd.concat(parts, ignore_index=True)


def test_a_split_that_did_not_happen_costs_one_bar_and_then_itself():
    found = look(line(FLAT), actions(("F00", 3, "split", 4.0)))
    assert refused(found) == {3: "split_in_doubt"}
    assert refused_actions(found) == {0: "split_not_seen"}
    assert found.quarantine.set_index("rule").loc["split_not_seen", "session"] == SESSIONS[4]


def test_without_patience_it_costs_itself_at_once():
    found = look(line(FLAT), actions(("F00", 3, "split", 4.0)), split_patience=0)
    assert refused(found) == {}
    assert refused_actions(found) == {0: "split_not_seen"}


def test_a_split_dated_a_session_early_costs_one_bar_and_stands():
    prices = line([*FLAT[:4], *(np.array(FLAT[4:]) / 4)])
    found = look(prices, actions(("F00", 3, "split", 4.0)))
    assert refused(found) == {3: "split_in_doubt"}
    assert refused_actions(found) == {}


def test_a_split_dated_two_sessions_early_is_refused_and_the_later_move_says_so():
    prices = line([*FLAT[:5], *(np.array(FLAT[5:]) / 4)])
    found = look(prices, actions(("F00", 3, "split", 4.0)))
    assert refused_actions(found) == {0: "split_not_seen"}
    assert refused(found) == {3: "split_in_doubt", 5: "missed_split", 6: "missed_split", 7: "missed_split"}
    assert "perhaps its date is wrong" in found.quarantine.loc[found.quarantine["source_row"] == 5, "found"].iloc[0]


@pytest.mark.parametrize(("ratio", "day"), [(1.5, 0.25), (1.5, -0.3), (0.1, 0.5), (3.0, -0.4)])
def test_a_true_split_on_a_wild_day_stands(ratio, day):
    prices = line([*FLAT[:3], *(np.array(FLAT[3:]) * (1 + day) / ratio)])
    found = look(prices, actions(("F00", 3, "split", ratio)))
    assert found.quarantine.empty


def test_a_stock_dividend_of_five_percent_is_believed():
    assert look(line(FLAT), actions(("F00", 3, "split", 1.05))).quarantine.empty


def test_a_split_on_adjusted_prices_needs_no_move():
    found = look(line(FLAT, adjustment="split"), actions(("F00", 3, "split", 4.0)))
    assert found.findings.empty


QUARTERLY = tuple(("F00", i, "dividend", 0.5) for i in (5, 15, 25))


def test_a_dividend_in_cents_is_refused_and_no_return_is_made_of_it():
    prices = line([100.0] * 50)
    found = look(prices, actions(*QUARTERLY, ("F00", 35, "dividend", 50.0)))
    assert refused_actions(found) == {3: "large_dividend"}
    assert refused(found) == {}
    assert "50 after a close of 100, 50.0%; next close 100" in found.quarantine["found"].iloc[0]


def test_a_special_dividend_that_the_price_pays_stands_and_is_listed():
    prices = line([100.0] * 35 + [60.0] * 15)
    found = look(prices, actions(*QUARTERLY, ("F00", 35, "dividend", 40.0)))
    assert found.quarantine.empty
    assert found.findings["rule"].tolist() == ["special_dividend"]


def test_a_fund_that_always_pays_much_may_do_so_on_a_good_day():
    events = tuple(("F00", i, "dividend", 20.0) for i in (5, 15, 25))
    price = 100 * 0.8 ** np.digitize(np.arange(40), [5, 15, 25])
    found = look(line(list(price)), actions(*events, ("F00", 35, "dividend", 15.0)))
    assert refused_actions(found) == {}


def test_the_first_dividend_of_a_fund_is_refused_from_thirty_percent_on():
    assert refused_actions(look(line([100.0] * 8), actions(("F00", 3, "dividend", 31.0)))) == {0: "large_dividend"}
    assert refused_actions(look(line([100.0] * 8), actions(("F00", 3, "dividend", 29.0)))) == {}


def test_an_action_without_a_bar_yet_is_not_judged():
    events = actions(("F00", 7, "split", 4.0), ("F00", 7, "dividend", 90.0))
    assert look(line(FLAT[:6]), events).findings.empty


def test_of_two_sources_the_first_that_was_known_counts():
    first = actions(("F00", 3, "dividend", 1.0), source="zeta")
    second = actions(("F00", 3, "dividend", 1.0), announced=pd.Timestamp("2022-01-10 12:00", tz="UTC"), source="alpha")
    found = look(line(FLAT), both(first, second))
    assert found.quarantine[["source", "rule", "session"]].to_numpy().tolist() == [["alpha", "repeated_action", SESSIONS[5]]]
    assert found.findings["severity"].tolist() == ["warning"]


def test_known_together_the_preferred_source_counts_then_the_alphabet():
    events = both(actions(("F00", 3, "split", 4.0), source="alpha"), actions(("F00", 3, "split", 4.0), source="zeta"))
    prices = line([*FLAT[:3], *(np.array(FLAT[3:]) / 4)])
    for order, lost in (((), "zeta"), (("ze",), "alpha")):
        found = look(prices, events, source_order=order)
        assert found.quarantine["source"].tolist() == [lost]  # and the split counts once: no bar is refused
        assert set(found.quarantine["dataset"]) == {"stg_actions"}


def test_a_nearby_date_repeats_only_the_same_amount_of_another_source():
    first = actions(("F00", 3, "dividend", 1.0), source="alpha")
    near, other = actions(("F00", 5, "dividend", 1.01), source="beta"), actions(("F00", 5, "dividend", 2.0), source="beta")
    own = actions(("F00", 3, "dividend", 1.0), ("F00", 5, "dividend", 1.0), source="alpha")
    assert look(line(FLAT), both(first, near)).quarantine["source"].tolist() == ["beta"]
    assert look(line(FLAT), both(first, other)).quarantine.empty
    assert look(line(FLAT), own).quarantine.empty


def test_an_action_that_is_known_after_the_session_is_judged_when_it_is_known():
    late = calendars.closes("XNYS", pd.DatetimeIndex([SESSIONS[5]]))[0] + pd.Timedelta(minutes=1)
    found = look(line(FLAT), actions(("F00", 3, "dividend", 50.0), announced=late))
    assert found.quarantine["session"].tolist() == [SESSIONS[6]]
