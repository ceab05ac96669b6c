"""A LEAN folder by hand: prices, factor files, map files, and which fund a bar belongs to."""

import io
import zipfile

import numpy as np
import pandas as pd
import pytest
from files_market import marts
from hypothesis import given
from hypothesis import strategies as st
from lean_market import DIVIDEND_DAY, FORMER, SESSIONS, SPLIT_DAY, fetch_lean, lines, write_lean

from etf_pipeline.errors import ProviderError
from etf_pipeline.providers.files import FileEntry, FilesProvider, UnreadableFile
from etf_pipeline.providers.lean import parse_factor_file, parse_lean_bars, parse_map_file
from etf_pipeline.schemas import TABLES

BARS = FileEntry("prices", "daily/*.zip", {}, format="lean")
FACTORS = FileEntry("actions", "factor_files/*.csv", {}, format="lean")
MAPS = FileEntry("ticker_history", "map_files/*.csv", {}, format="lean")


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lean")
    write_lean(folder)
    return fetch_lean(folder)


@pytest.fixture(scope="module")
def tables(market):
    return marts(market)


def of(frame, ticker):
    return frame[frame["ticker"] == ticker].reset_index(drop=True)


def test_a_zip_holds_ten_thousandths_and_every_bar_is_marked_raw(market):
    bar = of(market.prices, "PLAIN").iloc[0]
    assert bar[["open", "high", "low", "close", "volume"]].tolist() == [50.0, 50.01, 49.99, 50.0, 5000.0]
    assert (bar["session"], bar["source"], bar["source_row"]) == (SESSIONS[0], "daily/plain.zip", 0)
    assert set(market.prices["adjustment"]) == {"raw"}
    assert market.rejects["rule"].tolist() == ["missing_file"] * len(market.rejects)


@pytest.mark.parametrize("name", ["prices", "actions", "reference", "ticker_history", "lifecycle", "rejects"])
def test_every_frame_meets_its_contract(market, name):
    table = TABLES[f"raw_{name}"]
    table.check(table.to_arrow(getattr(market, name)))


def test_a_step_of_the_price_factor_is_a_dividend_on_the_session_after_its_date(market, tables):
    (action,) = of(market.actions, "PLAIN").to_dict("records")
    assert (action["kind"], action["ex_date"]) == ("dividend", DIVIDEND_DAY)
    assert action["value"] == pytest.approx(1.0, abs=1e-12)
    assert (of(tables["fct_returns"], "PLAIN")["total_return"].dropna().abs() < 1e-15).all()  # (49 + 1) / 50


def test_a_step_of_the_split_factor_is_a_split_and_leaves_no_return(market, tables):
    (action,) = of(market.actions, "USED").to_dict("records")
    assert (action["kind"], action["ex_date"], action["value"]) == ("split", SPLIT_DAY, 0.125)
    assert (of(tables["fct_returns"], "USED")["total_return"].dropna() == 0).all()


def test_bars_before_the_first_day_of_a_map_file_are_another_fund(tables):
    prices = tables["stg_prices"]
    assert of(prices, "USED.1")["session"].tolist() == list(FORMER)
    assert of(prices, "USED")["session"].tolist() == list(SESSIONS)
    assert set(of(prices, "USED.1")["traded_ticker"]) == {"USED"}
    reference = tables["stg_reference"].set_index("ticker")
    assert reference.loc[["USED", "USED.1"], "traded_ticker"].tolist() == ["USED", "USED"]


def test_a_fund_that_left_its_ticker_and_came_back_is_one_fund(market, tables):
    home = of(tables["fct_returns"], "HOME")
    assert home["session"].tolist() == list(SESSIONS)
    assert home["gap_days"].max() < 6
    # it had that ticker on both ex-dates, the second being its last session under it
    assert of(market.actions, "AWAY")["value"].tolist() == pytest.approx([0.4, 0.8])
    assert of(market.actions, "AWAY")["ex_date"].tolist() == [pd.Timestamp("2020-04-01"), pd.Timestamp("2020-04-30")]
    assert of(tables["fct_prices"], "HOME").set_index("session").loc["2020-04-01", "dividend"] == pytest.approx(0.4)
    assert "AWAY" not in set(tables["fct_prices"]["ticker"])


def test_a_map_file_that_ends_is_the_last_trade_known_after_it(market):
    (event,) = market.lifecycle.to_dict("records")
    assert (event["ticker"], event["event"], event["event_date"]) == ("DONE", "last_trade", pd.Timestamp("2020-05-29"))
    assert event["known_at"] == pd.Timestamp("2020-05-30 05:00", tz="UTC")


def test_funds_without_bars_leave_no_actions_and_no_history(market):
    assert "STRANGE" not in set(market.actions["ticker"]) | set(market.ticker_history["ticker"])


def test_rates_and_vix_may_lie_in_the_folder_above(tmp_path):
    write_lean(tmp_path, below="lean")
    assert set(fetch_lean(tmp_path / "lean").macro["series"]) == {"VIX"}
    (tmp_path / "vix_daily.csv").unlink()
    with pytest.raises(ProviderError, match="a macro series"):
        fetch_lean(tmp_path / "lean")


def test_the_files_provider_knows_a_lean_folder_and_prices_are_never_sought_above(tmp_path):
    write_lean(tmp_path)
    assert len(FilesProvider(tmp_path).fetch().prices) == len(fetch_lean(tmp_path).prices)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ProviderError, match="needs a bar"):
        fetch_lean(tmp_path / "empty")


def test_the_same_below_equity_usa(tmp_path):
    write_lean(tmp_path, below="equity/usa")
    assert of(fetch_lean(tmp_path).prices, "PLAIN").shape[0] == len(SESSIONS)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"PK\x03\x04 and no more", "unreadable_file"), (b"", "unreadable_file")],
)
def test_a_spoilt_zip_says_so(content, said):
    with pytest.raises(UnreadableFile) as error:
        parse_lean_bars(content, "daily/x.zip", BARS)
    assert error.value.rule == said


def test_a_zip_of_two_files_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.csv", "")
        archive.writestr("b.csv", "")
    with pytest.raises(UnreadableFile, match="2 files in it"):
        parse_lean_bars((tmp_path / "x.zip").read_bytes(), "daily/x.zip", BARS)


def test_a_cell_that_is_no_number_is_refused_with_its_line(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("x.csv", "20200102 00:00,1,1,1,1,1\n20200103 00:00,one,1,1,1,1\n2020010x,1,1,1,1,1\n")
    prices, rejects = parse_lean_bars((tmp_path / "x.zip").read_bytes(), "daily/x.zip", BARS)
    assert len(prices) == 1
    assert sorted(zip(rejects["source_row"], rejects["rule"], strict=True)) == [(1, "not_a_number"), (2, "not_a_date")]


def factor_file(*rows):
    content = "\n".join(",".join(str(v) for v in row) for row in rows).encode()
    events, rejects = parse_factor_file(content, "factor_files/x.csv", FACTORS)
    return events, rejects


def test_a_dividend_on_the_day_of_a_split_is_per_new_share():
    # close 100, dividend 1 per old share, 2 for 1: each new share carries 0.5
    events, _ = factor_file(("20200102", 0.99, 0.5, 100), ("20501231", 1, 1, 0))
    assert events.set_index("kind")["value"].to_dict() == {"split": 2.0, "dividend": pytest.approx(0.5)}


def test_factors_without_a_step_are_no_event_and_impossible_ones_are_refused():
    events, rejects = factor_file(
        ("20200102", 0.99, 0.5, 1), ("20200131", 0.99, 0.5, 7), ("20200203", 1, 0, 7), ("20200204", "inf", 1, 7)
    )
    assert events.empty
    assert rejects["rule"].tolist() == ["impossible_value"] * 2


@pytest.mark.parametrize(("printed", "shares"), [(0.333333, 3.0), (0.11111099, 9.000009), (0.125, 8.0), (0.997307, 1 / 0.997307)])
def test_a_printed_split_factor_gives_the_whole_shares_it_was_printed_from(printed, shares):
    events, _ = factor_file(("20200102", 1, printed, 100), ("20501231", 1, 1, 0))
    assert events["value"].tolist() == [pytest.approx(9.0 if shares > 9 else shares, rel=1e-12)]


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from([1.0, 2.0, 3.0, 1.5, 0.125, 0.1]),
            st.sampled_from([0.0, 0.004, 0.03]),
            st.integers(50_000, 5_000_000).map(lambda n: n / 10_000),
        ),
        min_size=1,
        max_size=4,  # a factor of 1/81 at most: eight decimals still tell its ratio
    )
)
def test_adjusting_forward_by_the_actions_gives_the_returns_of_the_factors(steps):
    """Any history of splits and dividends, printed as LEAN prints it: ours is R (1 - y) where the factors say R.

    y is the dividend's part of the evening's close. Price factors end in the seventh decimal, and none is below 0.88 here.
    """
    days = SESSIONS[: len(steps) + 1]
    price = split = 1.0
    rows = []
    for day, (shares, part, close) in list(zip(days, steps, strict=False))[::-1]:
        price, split = price * (1 - part), split / shares
        rows.insert(0, (f"{day:%Y%m%d}", f"{price:.7f}", f"{split:.8f}", f"{close:.4f}"))
    events, rejects = factor_file(*rows, ("20501231", 1, 1, 0))
    assert rejects.empty
    for i, (day, (shares, part, close)) in enumerate(zip(days, steps, strict=False)):
        today = events[events["ex_date"] == days[i + 1]].set_index("kind")["value"]
        after = close / shares * 1.01
        ours = today.get("split", 1.0) * (after + today.get("dividend", 0.0)) / close - 1
        theirs = after * shares / close / (1 - part) - 1
        assert ours == pytest.approx(theirs * (1 - part), abs=2e-7), day


def test_the_rows_of_a_map_file_are_last_days():
    spells, rejects = parse_map_file(b"20180118,vxxb,Z\n20190501,vxxb,Z\n20501231,vxx,Z", "map_files/vxx.csv", MAPS)
    assert rejects.empty
    assert spells["ticker"].tolist() == ["VXXB", "VXX"]
    assert spells["valid_from"].tolist() == [pd.Timestamp("2018-01-18"), pd.Timestamp("2019-05-02")]
    assert spells["valid_to"].iloc[0] == pd.Timestamp("2019-05-01")
    assert np.isnat(spells["valid_to"].to_numpy()[1])


def test_a_map_file_of_one_line_tells_nothing():
    assert parse_map_file(b"20180118,vxxb,Z\n", "map_files/vxx.csv", MAPS)[0].empty


CELL = st.one_of(
    st.text(max_size=6), st.floats().map(str), st.sampled_from(["", "20200102", "20501231", "0", "-1", "1", "0.5", "inf"])
)
TEXT = st.lists(st.lists(CELL, max_size=6).map(",".join), max_size=6).map("\n".join)


@given(text=TEXT)
def test_whatever_stands_in_a_factor_or_map_file_is_read_or_refused(text):
    for parse, entry in ((parse_factor_file, FACTORS), (parse_map_file, MAPS)):
        try:
            rows, rejects = parse(text.encode(), "x.csv", entry)
        except UnreadableFile:
            continue
        assert len(rows) + len(rejects) <= 2 * text.count("\n") + 2
        assert "value" not in rows or (rows["value"] > 0).all()


@given(at=st.integers(0, 400), byte=st.integers(0, 255), cut=st.integers(0, 400))
def test_a_zip_with_a_wrong_byte_or_a_lost_end_is_read_or_refused(at, byte, cut):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.csv", lines(SESSIONS[:9], 10.0))
    spoilt = bytearray(packed.getvalue())
    spoilt[at % len(spoilt)] = byte
    try:
        prices, _ = parse_lean_bars(bytes(spoilt[: len(spoilt) - cut % 40]), "daily/x.zip", BARS)
    except UnreadableFile:
        return
    assert len(prices) <= 9
