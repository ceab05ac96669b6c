"""The reference data: no real row is refused, and alarms stay rare even in October 2008 and March 2020."""

import time
from pathlib import Path

import pandas as pd
import pytest

from etf_pipeline import quality
from etf_pipeline.providers.files import FilesProvider

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"

pytestmark = [
    pytest.mark.reference,
    pytest.mark.skipif(not (FOLDER / "etf_daily.parquet").exists(), reason="no reference data in ../shared/data"),
]


@pytest.fixture(scope="module")
def market():
    return FilesProvider(FOLDER).fetch()


def inspect(market):
    funds = market.reference.drop(columns="source")
    known = pd.Timestamp("2024-06-29", tz="UTC")
    return quality.inspect(market.prices, market.actions, funds, market.rejects, quality.QualityParameters(), known)


@pytest.fixture(scope="module")
def found(market):
    return inspect(market)


def test_no_real_bar_is_refused(found):
    assert found.quarantine.empty


def test_findings_per_rule_are_those_that_were_looked_at(found):
    assert found.findings["rule"].value_counts().to_dict() == {
        "zero_volume": 1259,
        "missing_session": 894,
        "outlier_return": 21,
        "stale_run": 59,
        "unknown_ticker": 28,
        "calendar_gap": 24,
    }


@pytest.mark.parametrize(
    ("start", "end", "most"), [("2005", "2024", 5), ("2008-01-01", "2008-12-31", 10), ("2020-03-01", "2020-03-31", 1)]
)
def test_outlier_alarms_per_hundred_thousand_bars_stay_few_in_a_crash(market, found, start, end, most):
    bars = market.prices["session"].between(start, end).sum()
    alarms = found.findings.loc[found.findings["rule"] == "outlier_return", "session"].between(start, end).sum()
    assert 1e5 * alarms / bars < most


def test_half_a_million_bars_are_judged_in_a_few_seconds(market, found):
    start = time.process_time()
    inspect(market)
    assert time.process_time() - start < 3
