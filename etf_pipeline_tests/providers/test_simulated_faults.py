"""Planted faults are where the list says, and nowhere else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from simulated_by_hand import market, truth

from etf_pipeline.quality import RULES, inspect

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
    unlisted_kinds = {"calendar_gap", "not_a_number", "missed_split"}
    in_rows = faults[(faults["dataset"] == "raw_prices") & ~faults["rule"].isin(unlisted_kinds)]
    assert set(changed) | set(added) == set(in_rows["source_row"])
    assert set(added) <= listed
    assert len(lost) == faults["rule"].isin(["calendar_gap", "not_a_number"]).sum()


def test_both_profiles_carry_the_same_list():
    columns = ["dataset", "ticker", "session", "rule"]
    full, demo = truth("full", True).faults[columns], truth("demo", True).faults[columns]
    pd.testing.assert_frame_equal(full, demo)
    assert full["rule"].nunique() >= 20
    assert 35 <= len(full) <= 60


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
    assert raw.prices.duplicated(["ticker", "session"], keep="first").sum() == (faults["rule"] == "duplicate_key").sum()
    assert raw.rejects["rule"].tolist() == ["not_a_number"]


def test_the_forgotten_split_and_the_wild_dividend_and_assets_are_in_their_tables():
    clean, faulty = market("demo"), market("demo", True)
    assert len(clean.actions[clean.actions["kind"] == "split"]) == len(faulty.actions[faulty.actions["kind"] == "split"]) + 1
    assert faulty.actions["value"].sum() > clean.actions["value"].sum() + 10
    ratio = faulty.aum["aum_value"] / clean.aum["aum_value"]
    assert ratio[ratio != 1].tolist() == [1_000.0]


@pytest.mark.parametrize("profile", ["full", "demo"])
def test_quality_finds_every_planted_fault_that_it_has_a_rule_for(profile):
    raw, faults = market(profile, True), truth(profile, True).faults
    reference = raw.reference.assign(is_geared=raw.reference["leverage"] != 1)
    known = pd.Timestamp("2024-06-30", tz="UTC")
    findings = inspect(raw.prices, raw.actions, reference, raw.rejects, known_until=known).findings
    found = set(zip(findings["ticker"], findings["rule"], strict=True))
    planted = set(zip(faults["ticker"], faults["rule"], strict=True))
    assert {rule for _, rule in planted} - set(RULES) == {"aum_jump"}
    assert {(ticker, rule) for ticker, rule in planted if rule in RULES} <= found


@pytest.mark.parametrize("profile", ["full", "demo"])
def test_quality_refuses_nothing_of_the_clean_market_and_wonders_at_little(profile):
    raw = market(profile)
    reference = raw.reference.assign(is_geared=raw.reference["leverage"] != 1)
    seen = inspect(raw.prices, raw.actions, reference, raw.rejects, known_until=pd.Timestamp("2024-06-30", tz="UTC"))
    assert seen.quarantine.empty
    assert len(seen.findings) < 10  # fat tails


def test_the_default_market_has_no_faults():
    assert truth().faults.empty
    assert market().rejects.empty
