"""What breaking a rule leads to is a setting, but for what later stages rely on."""

import numpy as np
import pandas as pd
import pytest
from quality_market import SESSIONS, TABLES, actions, line, listed, look, refused, refused_actions

from etf_pipeline.errors import SettingsError
from etf_pipeline.quality import RULES, QualityParameters, refuses, severity

JUMP = [100.0, 101, 9, 9.1, 9.2]


def test_a_warning_can_be_made_to_refuse():
    prices = line([100.0, 101, 102, 103])
    prices.loc[2, "volume"] = 0
    found = look(prices, refuse=("zero_volume",))
    assert refused(found) == {2: "zero_volume"}
    assert found.findings["severity"].tolist() == ["error"]


def test_an_error_can_be_let_through_and_stays_listed():
    found = look(line(JUMP), allow=("price_jump",))
    assert refused(found) == {}
    assert listed(found, "price_jump") == [2]  # the new level counts from then on
    assert found.findings["severity"].tolist() == ["warning"]


def test_an_action_can_be_let_through():
    events = actions(("F00", 2, "split", 4.0))
    assert refused_actions(look(line([100.0] * 5), events, allow=("split_not_seen", "missed_split"))) == {}
    assert refused_actions(look(line([100.0] * 5), actions(("F00", 2, "dividend", 50.0)), allow=("large_dividend",))) == {}


def test_unknown_and_ended_funds_can_be_kept_out_altogether():
    assert set(refused(look(line([100.0] * 5, ticker="ZZ"), refuse=("unknown_ticker",)))) == set(range(5))
    ended = actions(("F00", 2, "liquidation", 100.0))
    assert set(refused(look(line([100.0] * 5), ended, refuse=("after_ending",)))) == {3, 4}


@pytest.mark.parametrize("field", ["refuse", "allow"])
@pytest.mark.parametrize("rule", ["missing_price", "duplicate_key", "second_source", "no_such_rule"])
def test_what_later_stages_rely_on_is_no_setting(field, rule):
    with pytest.raises(SettingsError, match=f"quality.{field}.*{rule}"):
        QualityParameters(**{field: (rule,)})


@pytest.mark.parametrize("entry", ["no_such_rule", "stale_run:much", "stale_run:-1"])
def test_a_limit_needs_a_rule_and_a_share(entry):
    with pytest.raises(SettingsError, match=r"quality\.block"):
        QualityParameters(block=(entry,))


def test_the_rules_under_the_settings_are_a_table():
    chosen = QualityParameters(refuse=("stale_run",), allow=("price_jump",), block=("stale_run", "missed_split:0.25"))
    rules = look(line(JUMP), refuse=chosen.refuse, allow=chosen.allow, block=chosen.block).rules.set_index("rule")
    TABLES["quality_rules"].check(TABLES["quality_rules"].to_arrow(rules.reset_index()))
    assert set(rules.index) == set(RULES)
    assert rules["blocks_above"].dropna().to_dict() == {"stale_run": 0.0, "missed_split": 0.25}
    assert rules.loc["stale_run", ["severity", "refuses"]].tolist() == ["error", True]
    assert rules.loc["price_jump", ["severity", "refuses"]].tolist() == ["warning", False]
    assert rules.loc["second_source", ["severity", "refuses"]].tolist() == ["info", True]
    assert all(refuses(name, QualityParameters()) or severity(name, QualityParameters()) != "error" for name in RULES)


def test_promoted_warnings_are_as_causal_as_the_others():
    rng = np.random.default_rng(7)
    prices = line(list(50 * np.exp(np.cumsum(rng.normal(0, 0.01, 200)))))
    prices.loc[rng.choice(200, 20), "volume"] = 0
    prices.loc[150, ["open", "high", "low", "close"]] *= 1.4
    promoted = ("zero_volume", "outlier_return", "missing_session", "calendar_gap", "stale_run")
    prices = prices.drop(index=[30, 31, 90, 91, 92, 93, 94, 95])
    whole = look(prices, refuse=promoted)
    for cut in (40, 120, 150, 160):
        part = look(prices[prices["session"] <= SESSIONS[cut]], refuse=promoted)
        past = whole.quarantine[whole.quarantine["session"] <= SESSIONS[cut]]
        pd.testing.assert_frame_equal(past.reset_index(drop=True), part.quarantine)
    assert {"zero_volume", "outlier_return", "missing_session", "calendar_gap"} <= set(whole.quarantine["rule"])
