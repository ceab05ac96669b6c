"""Planted faults are where the list says, and nowhere else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from simulated_by_hand import market, named, truth

from etf_pipeline.providers.simulated.faults import SECOND_SOURCE, UNSEEN
from etf_pipeline.quality import RULES, Inspection, inspect

COLUMNS = ["open", "high", "low", "close", "volume", "currency"]


@pytest.mark.parametrize("profile", ["full", "demo"])
def test_only_the_listed_rows_differ_from_the_clean_market(profile):
    clean, faulty, faults = market(profile).prices, market(profile, True).prices, truth(profile, True).faults
    clean, faulty = clean.set_index("source_row"), faulty.set_index("source_row")
    lost = clean.index.difference(faulty.index)
    added = faulty.index.difference(clean.index)
    both = clean.index.intersection(faulty.index)
    left, right = clean.loc[both, COLUMNS], faulty.loc[both, COLUMNS]
    changed = both[~((left == right) | (left.isna() & right.isna())).all(axis=1)]
    listed = set(faults.loc[faults["dataset"] == "raw_prices", "source_row"])
    unlisted_kinds = {"calendar_gap", "missing_session", "not_a_number", "missed_split", "source_disagreement"}
    in_rows = faults[(faults["dataset"] == "raw_prices") & ~faults["rule"].isin(unlisted_kinds)]
    assert set(changed) | set(added) == set(in_rows["source_row"])
    assert set(added) <= listed
    assert len(lost) == faults["rule"].isin(["calendar_gap", "missing_session", "not_a_number"]).sum()


def test_both_profiles_carry_the_same_list_but_for_a_split_that_only_the_full_one_has():
    columns = ["dataset", "ticker", "session", "rule"]
    full, demo = truth("full", True).faults[columns], truth("demo", True).faults[columns]
    pd.testing.assert_frame_equal(full.iloc[:-1], demo)
    assert full.iloc[-1].tolist() == ["raw_actions", "SSO", pd.Timestamp("2022-01-13"), "repeated_action"]
    assert full["rule"].nunique() >= 26
    assert 50 <= len(full) <= 80


def test_each_kind_of_fault_is_what_its_name_says():
    raw, faults = market("demo", True), truth("demo", True).faults
    rows = raw.prices.set_index("source_row")

    def of(rule: str) -> pd.DataFrame:
        return rows.loc[faults.loc[faults["rule"] == rule, "source_row"]]

    prices = ["open", "high", "low", "close"]
    assert (~((of("nonpositive_price")[prices] > 0) & np.isfinite(of("nonpositive_price")[prices])).all(axis=1)).all()
    assert of("missing_price")[prices].isna().any(axis=1).all()
    assert (of("high_below_low")["high"] < of("high_below_low")["low"]).all()
    assert (of("outside_range")["close"] > of("outside_range")["high"]).all()
    assert (of("negative_volume")["volume"] < 0).all()
    assert (of("future_date")["session"] > pd.Timestamp("2024-06-28")).all()
    assert set(of("unknown_ticker")["ticker"]).isdisjoint(raw.reference["ticker"])
    doubled = raw.prices.duplicated(["ticker", "session", "source"], keep="first").sum()
    assert doubled == (faults["rule"] == "duplicate_key").sum()
    assert set(of("second_source")["source"]) == {SECOND_SOURCE}
    lots, usual = of("volume_unit")["volume"], raw.prices.loc[raw.prices["ticker"] == "HYG", "volume"].median()
    assert (lots < usual / 20).all()
    assert raw.rejects["rule"].tolist() == ["not_a_number"]


def test_of_five_bars_of_a_second_source_one_has_another_close():
    raw, faults = market("demo", True), truth("demo", True).faults
    bars = raw.prices[raw.prices["ticker"] == "AGG"]
    other = bars[bars["source"] == SECOND_SOURCE].merge(
        bars[bars["source"] != SECOND_SOURCE], on="session", suffixes=("", "_first")
    )
    ratio = (other["close"] / other["close_first"]).round(12)
    contradicted = faults[faults["rule"] == "source_disagreement"]
    assert ratio.tolist() == [1.0, 1.0, 1.03, 1.0, 1.0]
    assert other.loc[ratio != 1, "source_row_first"].tolist() == contradicted["source_row"].tolist()


def test_faulty_actions_are_named_by_their_rows():
    faults = truth("full", True).faults
    rows = market("full", True).actions.set_index("source_row")
    listed = faults[faults["dataset"] == "raw_actions"]
    assert set(listed["rule"]) == {"large_dividend", "repeated_action"}
    for fault in listed.itertuples():
        assert rows.at[fault.source_row, "ticker"] == fault.ticker
        assert rows.at[fault.source_row, "ex_date"] == fault.session
    repeated = rows.loc[listed.loc[listed["rule"] == "repeated_action", "source_row"]]
    assert set(repeated["kind"]) == {"split", "dividend"}
    assert set(repeated["source"]) == {SECOND_SOURCE}


def test_the_forgotten_split_and_the_wild_dividend_and_assets_are_in_their_tables():
    clean, faulty = market("demo"), market("demo", True)
    assert len(clean.actions[clean.actions["kind"] == "split"]) == len(faulty.actions[faulty.actions["kind"] == "split"]) + 1
    assert faulty.actions["value"].sum() > clean.actions["value"].sum() + 10
    ratio = faulty.aum["aum_value"] / clean.aum["aum_value"]
    assert ratio[ratio != 1].tolist() == [1_000.0]


def inspected(profile: str, faults: bool) -> Inspection:
    """What quality finds in the market under the permanent names of its funds."""
    raw = market(profile, faults)
    reference = raw.reference.assign(is_geared=raw.reference["leverage"] != 1)
    prices, actions = (named(f, raw.ticker_history, day) for f, day in ((raw.prices, "session"), (raw.actions, "ex_date")))
    told = actions[actions["kind"] != "rename"]
    return inspect(prices, told, reference, raw.rejects, known_until=pd.Timestamp("2024-06-30", tz="UTC"))


@pytest.mark.parametrize("profile", ["full", "demo"])
def test_quality_finds_every_planted_fault_that_it_has_a_rule_for(profile):
    faults, findings = truth(profile, True).faults, inspected(profile, True).findings
    found = set(zip(findings["ticker"], findings["rule"], strict=True))
    planted = set(zip(faults["ticker"], faults["rule"], strict=True))
    assert {rule for _, rule in planted} - set(RULES) == set(UNSEEN)
    assert {(ticker, rule) for ticker, rule in planted if rule in RULES} <= found


@pytest.mark.parametrize("profile", ["full", "demo"])
def test_quality_refuses_nothing_of_the_clean_market_and_wonders_at_little(profile):
    seen = inspected(profile, False)
    assert seen.quarantine.empty
    assert len(seen.findings) < 10  # fat tails


def test_the_default_market_has_no_faults():
    assert truth().faults.empty
    assert market().rejects.empty
