"""The simulated market with its planted faults: every fault that quality looks for is found where it was planted."""

import pandas as pd
import pytest
from quality_market import TABLES

from etf_pipeline import quality
from etf_pipeline.providers import PROVIDERS
from etf_pipeline.providers.simulated.faults import plant
from etf_pipeline.settings import Settings

KNOWN_UNTIL = pd.Timestamp("2026-01-01", tz="UTC")


def inspect(market):
    funds = market.reference.drop(columns="source").assign(is_geared=market.reference["leverage"] != 1)
    return quality.inspect(market.prices, market.actions, funds, market.rejects, quality.QualityParameters(), KNOWN_UNTIL)


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    return PROVIDERS["simulated"](Settings(home=tmp_path_factory.mktemp("home"), profile="demo")).fetch()


@pytest.fixture(scope="module")
def spoilt(clean):
    market, faults = plant(clean)
    return faults, inspect(market)


def test_the_clean_market_loses_no_row_and_raises_few_alarms(clean):
    found = inspect(clean)
    assert found.quarantine.empty
    assert len(found.findings) < 5e-4 * len(clean.prices)


def test_every_planted_fault_of_a_row_is_found_at_its_row(spoilt):
    faults, found = spoilt
    looked_for = faults["rule"].isin(quality.RULES) & ~faults["rule"].isin(["stale_run", "unknown_ticker", "duplicate_key"])
    at_row = faults[(faults["source_row"] >= 0) & looked_for]
    seen = set(zip(found.findings["rule"], found.findings["source_row"], strict=True))
    missed = [f for f in zip(at_row["rule"], at_row["source_row"], strict=True) if f not in seen]
    assert not missed
    assert len(at_row) >= 18


@pytest.mark.parametrize("rule", ["stale_run", "unknown_ticker", "duplicate_key", "calendar_gap", "large_dividend"])
def test_every_planted_fault_of_several_rows_is_found_once_or_more(spoilt, rule):
    faults, found = spoilt
    planted = set(faults.loc[faults["rule"] == rule, "ticker"])
    assert planted
    assert planted <= set(found.findings.loc[found.findings["rule"] == rule, "ticker"])


def test_only_planted_errors_refuse_rows(spoilt):
    faults, found = spoilt
    refused = set(zip(found.quarantine["rule"], found.quarantine["ticker"], strict=True))
    assert refused <= set(zip(faults["rule"], faults["ticker"], strict=True))
    TABLES["quarantine"].check(TABLES["quarantine"].to_arrow(found.quarantine))
