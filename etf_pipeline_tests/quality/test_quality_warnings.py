"""Rules that list: stale runs, zero volume, gaps, outliers, odd actions, and rejects on their way through."""

import numpy as np
import pandas as pd
import pytest
from quality_market import SESSIONS, actions, bars, line, listed, look, reference, refused

from etf_pipeline.providers.files import REMEDIES
from etf_pipeline.providers.files.rejects import join_rejects, reject_rows
from etf_pipeline.quality import RULES, QualityParameters, inspect


def test_a_run_is_stale_at_its_fifth_equal_close_without_volume_and_is_named_once():
    prices = line([100.0, 101, *[102.0] * 9, 103])
    prices.loc[3:10, "volume"] = 0
    found = look(prices)
    assert listed(found, "stale_run") == [6]  # rows 2 to 6 are five equal closes
    assert listed(found, "zero_volume") == list(range(3, 11))


def test_a_constant_volume_is_as_suspicious_as_none_and_a_changing_one_is_not():
    assert listed(look(line([100.0] * 8, volume=500.0)), "stale_run") == [4]
    assert listed(look(line([100.0] * 8)), "stale_run") == []


def test_a_gap_counts_sessions_of_the_exchange_not_days():
    prices = line([100.0] * 20)
    assert listed(look(prices.drop(index=range(5, 10))), "calendar_gap") == []  # five sessions, over a weekend
    found = look(prices.drop(index=range(5, 11)))
    assert listed(found, "calendar_gap") == [11]
    assert "6 sessions missing" in found.findings["found"].iloc[0]


def test_a_refused_bar_leaves_a_gap():
    prices = line([100.0] * 20)
    prices.loc[5:10, "close"] = np.nan
    assert listed(look(prices), "calendar_gap") == [11]


def test_one_fund_alone_is_an_outlier_where_the_whole_market_is_not():
    prices = bars(120)
    alone, together = prices.copy(), prices.copy()
    day = SESSIONS[110]
    for frame, hit in ((alone, alone["ticker"] == "F03"), (together, together["ticker"] != "")):
        rows = hit & (frame["session"] >= day)
        frame.loc[rows, ["open", "high", "low", "close"]] *= 0.80  # -20 %: about 20 daily deviations
    assert listed(look(alone), "outlier_return") == [3 * 120 + 110]
    assert listed(look(together), "outlier_return") == []


def test_gaussian_returns_raise_no_alarm():
    # 12 funds, 240 sessions, 8 deviations: the chance of one false alarm is below 1e-10.
    assert look(bars(240)).findings.empty


def test_a_thin_fund_whose_quote_rests_does_not_alarm_at_every_trade():
    rng = np.random.default_rng(1)
    trades = rng.random(240) < 0.3
    close = 50 * np.exp(np.cumsum(np.where(trades, rng.normal(0, 0.01, 240), 0)))
    prices = line(list(close))
    prices["volume"] = np.where(trades, 1000.0 + np.arange(240), 0)
    assert listed(look(prices), "outlier_return") == []


def test_a_return_over_missing_sessions_is_held_against_the_root_of_their_number():
    rng = np.random.default_rng(5)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.01, 120)))
    close[110:] *= np.exp(0.14)  # 14 deviations of one session, 5 of eight
    assert listed(look(line(list(close))), "outlier_return") == [110]
    found = look(line(list(close)).drop(index=range(103, 110)))
    assert listed(found, "outlier_return") == []


def test_a_dividend_above_fifteen_percent_of_the_last_close_is_listed():
    events = actions(("F00", 3, "dividend", 14.9), ("F01", 3, "dividend", 15.1), ("F02", 3, "dividend", 1.0))
    prices = pd.concat([line([100.0] * 5, ticker=f"F0{i}", source=f"s{i}") for i in range(3)])
    prices.loc[prices["ticker"] == "F02", "adjustment"] = "split_dividend"
    prices.loc[prices["session"] >= SESSIONS[3], ["open", "high", "low", "close"]] = 85.0  # the yield is on the close before it
    found = look(prices, events).findings
    assert found.loc[found["rule"] == "special_dividend", "ticker"].tolist() == ["F01"]
    assert found.loc[found["rule"] == "dividend_on_adjusted", "ticker"].tolist() == ["F02"]
    assert set(found["dataset"]) == {"stg_actions"}


def test_a_bar_after_the_end_of_its_fund_is_listed_once_the_end_is_known():
    ended = actions(("F00", 3, "liquidation", 100.0))
    assert listed(look(line([100.0] * 8), ended), "after_ending") == [4]
    late = actions(
        ("F00", 3, "liquidation", 100.0), announced=pd.Timestamp("2022-01-12 22:00", tz="UTC")
    )  # after the close of row 7
    assert listed(look(line([100.0] * 9), late), "after_ending") == [8]


def test_the_same_dividend_from_two_sources_is_listed():
    events = pd.concat([actions(("F00", 3, "dividend", 1.0)), actions(("F00", 3, "dividend", 1.0), source="other")])
    assert look(line([100.0] * 5), events).findings["rule"].tolist() == ["repeated_action"]


def test_rejects_pass_through_with_their_own_words_and_refuse_by_severity():
    rejects = join_rejects(
        [
            reject_rows("raw_prices", "bars", "not_a_number", [7], ["close = 'x'"], session=[SESSIONS[1]], ticker=["F00"]),
            reject_rows("raw_macro", "vix", "missing_value", [-1], ["3 periods"]),
            reject_rows("raw_prices", "gone", "missing_file", [-1], ["nothing"]),
            reject_rows("raw_prices", "odd", "empty_file", [-1], ["0 bytes"]).assign(rule="a_providers_own_rule"),
        ]
    )
    found = inspect(line([100.0] * 3), actions(), reference(), rejects, QualityParameters())
    severity = dict(zip(found.findings["rule"], found.findings["severity"], strict=True))
    assert severity == {
        "not_a_number": "error",
        "missing_value": "info",
        "missing_file": "warning",
        "a_providers_own_rule": "error",
    }
    lost = found.quarantine.set_index("rule")
    assert set(lost.index) == {"not_a_number", "a_providers_own_rule"}
    assert lost.loc["not_a_number", "remedy"] == REMEDIES["not_a_number"]
    assert lost.loc["not_a_number", "source_row"] == 7
    assert pd.isna(lost.loc["a_providers_own_rule", "session"])
    assert lost.loc["a_providers_own_rule", "ticker"] == "*"
    assert found.findings["session"].max() == SESSIONS[2]


def test_every_rule_of_the_files_provider_is_known_here():
    assert set(REMEDIES) <= set(RULES)


def test_every_rule_says_what_it_seeks_and_what_to_do():
    assert all(len(rule.description) > 10 and rule.remedy.endswith(".") for rule in RULES.values())


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_the_rows_does_not_matter(seed):
    prices = bars(80)
    prices.loc[100:140, "close"] *= 5
    prices.loc[300, "volume"] = 0
    ours, theirs = look(prices), look(prices.sample(frac=1, random_state=seed))
    pd.testing.assert_frame_equal(ours.findings, theirs.findings)
    assert refused(ours) == refused(theirs)
