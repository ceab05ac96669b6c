"""The reference folder as it lies there, without a mapping file."""

import time
from pathlib import Path

import pandas as pd
import pytest

from etf_pipeline.providers.files import FilesProvider
from etf_pipeline.schemas import TABLES

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"

pytestmark = [
    pytest.mark.reference,
    pytest.mark.skipif(not (FOLDER / "etf_daily.parquet").exists(), reason="no reference data in ../shared/data"),
]


@pytest.fixture(scope="module")
def market():
    return FilesProvider(FOLDER).fetch()


def test_every_row_of_every_file_arrives_and_none_is_rejected(market):
    assert market.rejects.empty
    assert market.prices.groupby("source").size().to_dict() == {
        "etf_daily.parquet": 507_276,
        "etf_daily_delisted.parquet": 39_251,
    }
    assert market.macro["series"].nunique() == 16
    assert market.factors.groupby("factor").size().to_dict() == {
        **dict.fromkeys(["MKT_RF", "SMB", "HML", "RMW", "CMA", "RF"], 15_353),
        "MOM": 25_672,
    }


@pytest.mark.parametrize("name", ["prices", "actions", "reference", "aum", "macro", "factors", "rejects"])
def test_every_frame_meets_its_contract(market, name):
    table = TABLES[f"raw_{name}"]
    table.check(table.to_arrow(getattr(market, name)))


def test_prices_are_the_files_own_numbers(market):
    source = pd.read_parquet(FOLDER / "etf_daily.parquet")
    ours = market.prices[market.prices["source"] == "etf_daily.parquet"].set_index("source_row")
    for name in ("open", "high", "low", "close", "volume"):
        assert (ours[name] == source[name]).all()
    assert (ours["ticker"] == source["ticker"]).all()
    paid = source[source["dividends"] > 0]
    assert market.actions["value"].sum() == pytest.approx(paid["dividends"].sum(), rel=1e-12)


def test_the_delisted_stay_unknown_and_their_dividends_are_not_credited(market):
    unknown = market.reference[market.reference["asset_class"] == "unknown"]
    assert len(unknown) == 28
    assert unknown["name"].isna().all()
    assert not set(unknown["ticker"]) & set(market.actions["ticker"])
    assert (market.prices.loc[market.prices["ticker"].isin(unknown["ticker"]), "adjustment"] == "split_dividend").all()


def test_every_fund_with_a_reference_row_has_a_class_and_the_geared_ones_a_multiple(market):
    told = market.reference[market.reference["source"] == "etf_reference.csv"].set_index("ticker")
    assert (told["asset_class"] != "unknown").all()
    geared = told.loc[told["leverage"] != 1, "leverage"].to_dict()
    assert geared == {
        "BITX": 2, "ETHU": 2, "LABU": 3, "QLD": 2, "SH": -1, "SOXL": 3, "SQQQ": -3, "TNA": 3, "TQQQ": 3, "UPRO": 3, "USD": 2,
    }  # fmt: skip


def test_the_folder_is_read_in_a_few_seconds_of_processor_time(market):
    start = time.process_time()
    FilesProvider(FOLDER).fetch()
    assert time.process_time() - start < 4
