"""Stooq's two shapes: the bulk archive and the export of one ticker."""

import pytest
from files_market import marts
from lean_market import SESSIONS, write_vix
from stooq_market import BULK_HEADER, bulk, export, write_stooq

from etf_pipeline.errors import ProviderError
from etf_pipeline.providers.files import FileEntry, FilesProvider, UnreadableFile
from etf_pipeline.providers.stooq import parse_stooq_bars
from etf_pipeline.schemas import TABLES

ENTRY = FileEntry("prices", "*", {}, format="stooq", adjustment="split_dividend")


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stooq")
    write_stooq(folder)
    return FilesProvider(folder, "stooq").fetch()


def test_bulk_files_of_etfs_and_single_exports_are_read_and_stocks_are_not(market):
    assert set(market.prices["ticker"]) == {"AAA", "BBB", "CCC"}
    assert market.prices.groupby("ticker").size().eq(len(SESSIONS)).all()
    bar = market.prices[market.prices["ticker"] == "AAA"].iloc[0]
    assert bar[["open", "high", "low", "close", "volume"]].tolist() == [30.125, 31.125, 29.125, 30.125, 1000.5]
    assert (bar["session"], bar["source"]) == (SESSIONS[0], "data/daily/us/nyse etfs/1/aaa.us.txt")
    table = TABLES["raw_prices"]
    table.check(table.to_arrow(market.prices))


def test_bars_are_marked_as_adjusted_for_splits_and_dividends_and_none_is_credited(market):
    assert set(market.prices["adjustment"]) == {"split_dividend"}
    assert market.actions.empty
    prices = marts(market)["fct_prices"]
    assert (prices["dividend"] == 0).all()
    assert (prices["split_ratio"] == 1).all()


def test_an_export_without_dividends_is_told_in_the_layout(tmp_path):
    write_stooq(tmp_path)
    layout = 'layout: stooq\nprices: [{file: "*_us_d.csv", format: stooq, adjustment: split}]\n'
    (tmp_path / "layout.yaml").write_text(layout)
    prices = FilesProvider(tmp_path).fetch().prices
    assert (set(prices["ticker"]), set(prices["adjustment"])) == ({"CCC"}, {"split"})


def test_the_files_provider_knows_a_stooq_folder(tmp_path):
    write_stooq(tmp_path)
    assert set(FilesProvider(tmp_path).fetch().prices["adjustment"]) == {"split_dividend"}


@pytest.mark.parametrize("place", ["daily/us/nyse etfs", "data/daily/us/nysemkt etfs/2"])
def test_the_archive_may_be_unpacked_at_either_level(tmp_path, place):
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "aaa.us.txt").write_text(bulk("AAA"))
    write_vix(tmp_path)
    assert len(FilesProvider(tmp_path, "stooq").fetch().prices) == len(SESSIONS)


def test_lines_of_another_country_or_period_are_refused_by_name():
    text = "\n".join(
        [
            BULK_HEADER,
            "AAA.US,D,20240102,000000,1,1,1,1,1,0",
            "AAA.UK,D,20240102,000000,1,1,1,1,1,0",
            "AAA.US,5,20240102,154500,1,1,1,1,1,0",
            "AAA.US,D,20241301,000000,1,1,1,1,1,0",
        ]
    )
    prices, rejects = parse_stooq_bars(text.encode(), "aaa.us.txt", ENTRY)
    assert prices["source_row"].tolist() == [0]
    found = dict(zip(rejects["source_row"], rejects["rule"], strict=True))
    assert found == {1: "unknown_exchange", 2: "unknown_word", 3: "not_a_date"}


@pytest.mark.parametrize(("name", "ticker"), [("spy_us_d.csv", "SPY"), ("a/brk-b.us.csv", "BRK-B"), ("SPY_US_D.CSV", "SPY")])
def test_an_export_is_named_after_its_ticker(name, ticker):
    assert set(parse_stooq_bars(export().encode(), name, ENTRY)[0]["ticker"]) == {ticker}


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"Exceeded the daily hits limit", "spy_us_d.csv", "empty_file"),
        (b"No data\nfor this ticker\n", "spy_us_d.csv", "missing_column"),
        (export().encode(), "prices.csv", "ticker in the file's name"),
        (b"", "spy_us_d.csv", "empty_file"),
    ],
)
def test_a_page_in_place_of_bars_says_so(content, name, said):
    with pytest.raises(UnreadableFile, match=said):
        parse_stooq_bars(content, name, ENTRY)


def test_a_spoilt_export_is_a_reject_and_the_rest_stands(tmp_path):
    write_stooq(tmp_path)
    (tmp_path / "ddd_us_d.csv").write_text("Exceeded the daily hits limit")
    market = FilesProvider(tmp_path, "stooq").fetch()
    assert set(market.prices["ticker"]) == {"AAA", "BBB", "CCC"}
    assert "ddd_us_d.csv" in set(market.rejects["source"])


def test_an_empty_folder_yields_no_bar(tmp_path):
    with pytest.raises(ProviderError, match="needs a bar"):
        FilesProvider(tmp_path, "stooq").fetch()
