"""The reference data: the faults that its README names are found, no good row is refused, and alarms stay rare in a crash."""

import io
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from etf_pipeline import quality
from etf_pipeline.providers.files import FilesProvider

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"
PRICES = ["open", "high", "low", "close"]
RAW_FUNDS = ("SPY", "QQQ", "IWM", "USO", "BNO")
ALARMS = ["outlier_return", "missed_split", "price_jump"]

pytestmark = [
    pytest.mark.reference,
    pytest.mark.skipif(not (FOLDER / "etf_daily.parquet").exists(), reason="no reference data in ../shared/data"),
]


@pytest.fixture(scope="module")
def market():
    return FilesProvider(FOLDER).fetch()


def inspect(market, prices=None):
    funds, known = market.reference.drop(columns="source"), pd.Timestamp("2024-06-29", tz="UTC")
    prices = market.prices if prices is None else prices
    return quality.inspect(prices, market.actions, funds, market.rejects, quality.QualityParameters(), known)


@pytest.fixture(scope="module")
def found(market):
    return inspect(market)


def test_no_real_bar_and_no_real_action_is_refused(found):
    assert found.quarantine.empty


def test_findings_per_rule_are_those_that_were_looked_at(found):
    assert found.findings["rule"].value_counts().to_dict() == {
        "zero_volume": 1259,
        "missing_session": 894,
        "stale_run": 59,
        "unknown_ticker": 28,
        "calendar_gap": 24,
        "outlier_return": 21,
    }


def test_the_1204_rows_without_volume_of_the_main_file_are_found_each(found):
    rows = found.findings[(found.findings["rule"] == "zero_volume") & (found.findings["source"] == "etf_daily.parquet")]
    assert len(rows) == 1204
    assert {"SPMO", "TFLO", "SIZE"} <= set(rows["ticker"])


def test_gaps_of_the_dead_funds_over_ten_days_are_found(market, found):
    """Gaps of more than ten days, counted in the file itself; a long one may be five sessions and a few holidays."""
    dead = market.prices[market.prices["source"] == "etf_daily_delisted.parquet"].sort_values(["ticker", "session"])
    after = dead[dead.groupby("ticker")["session"].diff() > pd.Timedelta(days=10)]
    rows = found.findings[found.findings["rule"] == "calendar_gap"]
    seen = set(zip(rows["ticker"], rows["session"], strict=True))
    assert len(after) >= 10
    assert set(zip(after["ticker"], after["session"], strict=True)) <= seen


def test_the_dead_funds_without_a_reference_row_are_listed_and_kept(found):
    rows = found.findings[found.findings["rule"] == "unknown_ticker"]
    assert len(rows) == 28
    assert set(rows["source"]) == {"etf_daily_delisted.parquet"}


def test_the_hurricane_days_are_no_gaps(found):
    after = found.findings[found.findings["session"] == "2012-10-31"]
    assert not after["rule"].isin(["missing_session", "calendar_gap", "hollow_session"]).any()


def test_no_session_of_twenty_years_looks_cut_short_or_hollow(found):
    assert not found.findings["rule"].isin(["thin_session", "hollow_session"]).any()


@pytest.mark.parametrize(
    ("start", "end", "most"), [("2005", "2024", 5), ("2008-01-01", "2008-12-31", 10), ("2020-03-01", "2020-03-31", 1)]
)
def test_outlier_alarms_per_hundred_thousand_bars_stay_few_in_a_crash(market, found, start, end, most):
    bars = market.prices["session"].between(start, end).sum()
    alarms = found.findings.loc[found.findings["rule"] == "outlier_return", "session"].between(start, end).sum()
    assert 1e5 * alarms / bars < most


@pytest.mark.parametrize(
    ("start", "end", "factor", "least"),
    [("2006", "2023", 1.3, 0.85), ("2006", "2023", 0.7, 0.90), ("2008-09-01", "2008-12-31", 1.8, 0.5)],
)
def test_prices_spoilt_for_one_session_are_found(market, start, end, factor, least):
    """150 bars at random, of funds with half a year of history; least shares lie three standard errors under those measured."""
    first = market.prices.groupby("ticker")["session"].transform("min")
    old = market.prices["session"] - first > pd.Timedelta(days=200)
    candidates = np.flatnonzero(old & market.prices["session"].between(start, end) & (market.prices["volume"] > 0))
    rows = np.random.default_rng(5).choice(candidates, 150, replace=False)
    prices = market.prices.copy()
    prices.loc[rows, PRICES] *= factor
    listed = inspect(market, prices).findings
    listed = listed[listed["rule"].isin(ALARMS)]
    seen = set(zip(listed["source"], listed["source_row"], strict=True))
    hits = [key in seen for key in zip(prices["source"].to_numpy()[rows], prices["source_row"].to_numpy()[rows], strict=True)]
    assert np.mean(hits) > least


def raw_bars(ticker: str) -> pd.DataFrame:
    """Raw daily bars of the second source, prices times 10,000 in its files, from 2005 on (2011 for QQQ, 2010-06 for BNO)."""
    with zipfile.ZipFile(FOLDER / "lean" / "daily" / f"{ticker.lower()}.zip") as packed:
        text = io.BytesIO(packed.read(packed.namelist()[0]))
    frame = pd.read_csv(text, header=None, names=["stamp", *PRICES, "volume"])
    frame[PRICES] /= 1e4
    frame = frame.assign(session=pd.to_datetime(frame["stamp"].str[:8]).astype("datetime64[ns]"), ticker=ticker)
    start = {"QQQ": "2011-03-23", "BNO": "2010-06-02", "USO": "2006-04-10"}.get(ticker, "2005-01-03")
    frame = frame[frame["session"] >= start].drop(columns="stamp")
    frame = frame.assign(currency="USD", exchange="XNYS", adjustment="raw", source=f"lean/daily/{ticker.lower()}.zip")
    return frame.assign(volume=frame["volume"].astype(float), source_row=np.arange(len(frame)))


@pytest.fixture(scope="module")
def two_sources(market):
    raw = pd.concat([raw_bars(ticker) for ticker in RAW_FUNDS])
    return inspect(market, pd.concat([market.prices, raw], ignore_index=True))


def test_a_second_source_of_five_funds_steps_back_and_changes_nothing_else(found, two_sources):
    second = two_sources.quarantine[two_sources.quarantine["rule"] == "second_source"]
    assert set(second["ticker"]) == {"SPY", "QQQ", "IWM", "USO"}
    assert second["source"].str.startswith("lean").all()
    rest = two_sources.findings[~two_sources.findings["rule"].isin(["second_source", "source_disagreement"])]
    mine = rest[~rest["source"].str.startswith("lean")]
    rules = mine["rule"].value_counts()
    assert rules.drop("outlier_return").to_dict() == found.findings["rule"].value_counts().drop("outlier_return").to_dict()


def test_two_real_sources_disagree_seldom_and_a_split_that_one_lacks_is_told(two_sources):
    rows = two_sources.findings[two_sources.findings["rule"] == "source_disagreement"]
    compared = (two_sources.quarantine["rule"] == "second_source").sum()
    assert len(rows) < 2e-3 * compared
    told = set(zip(rows["ticker"], rows["session"].dt.strftime("%Y-%m-%d"), strict=True))
    assert {("IWM", "2005-06-09"), ("USO", "2020-04-29")} <= told  # two for one; one for eight


def test_a_split_that_the_feed_lacks_is_detected_and_quarantined(two_sources):
    """BNO split two for one on 2013-08-29 by the publisher's own factor file; the raw bars come without actions."""
    bno = two_sources.quarantine[(two_sources.quarantine["ticker"] == "BNO") & (two_sources.quarantine["rule"] == "missed_split")]
    assert bno["session"].min() == pd.Timestamp("2013-08-29")
    assert "0.4925 times, as a split of 2:1 would" in bno.sort_values("session")["found"].iloc[0]
    assert bno["session"].max() == pd.Timestamp("2021-03-31")


def test_half_a_million_bars_are_judged_in_a_few_seconds(market, found):
    start = time.process_time()
    inspect(market)
    assert time.process_time() - start < 3
