"""Each file kind by hand: what a few lines become."""

import numpy as np
import pandas as pd
import pytest
from files_market import LAYOUT, SESSIONS, as_text, bars, fetch, write

from etf_pipeline.providers.files import FileEntry, UnreadableFile
from etf_pipeline.providers.files.classes import asset_class, daily_multiple
from etf_pipeline.providers.files.french import parse_french
from etf_pipeline.providers.files.funds import parse_actions, parse_aum, parse_reference
from etf_pipeline.providers.files.layout import COLUMNS
from etf_pipeline.providers.files.series import parse_series
from etf_pipeline.providers.files.tabular import read_lines


def entry(section, **changes):
    columns = {**COLUMNS[section], **changes.pop("columns", {})}
    return FileEntry(section=section, file="f.csv", columns=columns, **changes)


def lines(text, section_entry):
    wanted = [name for name in section_entry.columns.values() if name]
    return read_lines(text.encode(), "f.csv", "table", wanted)


FRENCH = """This file was created by hand using the 202406 database.
Missing data are indicated by -99.99 or -999.

,Mkt-RF,SMB,RF\r
20240627,    0.14,    0.51,   0.022\r
20240628,   -0.35,  -99.99,   0.022\r
20240631,    0.10,    0.10,   0.022\r
20240701,    0.10,    0.1o,   0.022\r
20240702,    0.10\r

Copyright 2024 Kenneth R. French
"""


def test_french_percent_become_fractions_known_weeks_after_the_month():
    factors, rejects = parse_french(FRENCH.encode(), "ff.CSV", entry("factors"))
    got = {(f"{r.session:%m-%d}", r.factor): r.value for r in factors.itertuples()}
    assert got == pytest.approx(
        {
            ("06-27", "MKT_RF"): 0.0014,
            ("06-27", "SMB"): 0.0051,
            ("06-27", "RF"): 0.00022,
            ("06-28", "MKT_RF"): -0.0035,
            ("06-28", "RF"): 0.00022,
        }
    )
    assert set(factors["available_at"]) == {pd.Timestamp("2024-08-04", tz="UTC")}  # 30 June + 35 days
    assert sorted(zip(rejects["source_row"], rejects["rule"], strict=True)) == [
        (-1, "missing_value"),
        (2, "not_a_number"),
        (3, "not_a_number"),
        (4, "not_a_number"),
    ]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "empty_file"),
        (b"text\nmore text\n", "missing_column"),
        (b",Alpha\n20240102,1\n", "missing_column"),
        (b",SMB\n", "empty_file"),
    ],
)
def test_a_french_file_without_header_or_rows_says_so(content, rule):
    with pytest.raises(UnreadableFile, match=f"rule {rule}"):
        parse_french(content, "ff.CSV", entry("factors"))


@pytest.mark.parametrize(
    ("name", "category", "multiple", "kind"),
    [
        ("Direxion Daily Semiconductor Bull 3X Shares", "Trading--Leveraged Equity", 3, "equity"),
        ("ProShares UltraPro Short QQQ", "Trading--Inverse Equity", -3, "equity"),
        ("ProShares UltraShort 20+ Year Treasury", "Trading--Inverse Debt", -2, "bond"),
        ("ProShares Short S&P500", "Trading--Inverse Equity", -1, "equity"),
        ("ProShares Ultra Semiconductors", "Trading--Leveraged Equity", 2, "equity"),
        ("2x Bitcoin Strategy ETF", "Digital Assets", 2, "alternative"),
        ("AXS TSLA Bear -1.5X Daily ETF", "Trading--Inverse Equity", -1.5, "equity"),
        ("Some 1.25x Fund", "Trading--Leveraged Equity", 1.25, "equity"),
        ("Somebody's Geared Fund", "Trading--Leveraged Commodities", 2, "commodity"),
        ("Somebody's Bear Fund", "Trading--Inverse Equity", -1, "equity"),
        ("Vanguard Short-Term Bond Index Fund ETF Shares", "Short-Term Bond", 1, "bond"),
        ("iShares Ultra Short-Term Bond ETF", "Ultrashort Bond", 1, "bond"),
        ("ProShares UltraShort Bond Ladder", "Ultrashort Bond", 1, "bond"),
        ("Schwab Short-Term U.S. Treasury ETF", "Short Government", 1, "bond"),
        ("iShares Preferred and Income Securities ETF", "Preferred Stock", 1, "bond"),
        ("Vanguard Real Estate Index Fund ETF Shares", "Real Estate", 1, "real_estate"),
        ("Invesco CurrencyShares Euro Trust", "Single Currency", 1, "currency"),
        ("Communication Services Select Sector SPDR ETF", "Communications", 1, "equity"),
        ("Vanguard Tax-Exempt Bond Index Fund ETF Shares", "Muni National Interm", 1, "bond"),
        ("Nobody Knows", None, 1, "unknown"),
    ],
)
def test_class_and_multiple_follow_name_and_category(name, category, multiple, kind):
    assert daily_multiple(name, category) == multiple
    assert asset_class(category) == kind


def test_a_reference_line_becomes_a_fund_with_fractions_and_instants():
    text = (
        "ticker,name,category,family,aum_usd,expense_ratio_percent,inception,fetchedAt\n"
        "AGG,Core Bond,Intermediate Core Bond,iShares,1.5e11,0.03,2003-09-22,2026-05-03T22:16:48.120394\n"
        "NEW,New Fund,Oddities,,,,,2026-05-03T22:16:48\n"
        "BAD,Bad Fund,Oddities,,-1,,,2026-05-03T22:16:48\n"
        "OLD,No Snapshot,Oddities,,,,,\n"
    )
    spec = entry("reference")
    funds, rejects = parse_reference(lines(text, spec), spec)
    agg, new = funds.itertuples(index=False)
    assert (agg.asset_class, agg.expense_ratio, agg.leverage, agg.exchange) == ("bond", pytest.approx(0.0003), 1.0, "XNYS")
    assert agg.snapshot_at == pd.Timestamp("2026-05-03 22:16:48.120394", tz="UTC")
    assert agg.inception == pd.Timestamp("2003-09-22")
    assert (new.asset_class, new.family) == ("unknown", None)
    assert np.isnan(new.aum_value)
    assert np.isnan(new.expense_ratio)
    assert set(zip(rejects["ticker"], rejects["rule"], strict=True)) == {("BAD", "impossible_value"), ("OLD", "not_a_date")}


def test_fred_dots_are_not_observed_and_text_is_refused():
    spec = entry("series", series="DGS10", columns={"period": "DATE", "value": "DGS10"})
    days = ["27,4.29", "28,.", "28,four", "24,4.43", "24,4.44", "26,4.36", "26,4.36"]
    text = "\n".join(["DATE,DGS10", *(f"2024-06-{day}" for day in days)])
    macro, rejects = parse_series(lines(text, spec), spec)
    assert dict(zip(macro["period"].dt.strftime("%m-%d"), macro["value"], strict=True)) == {"06-27": 4.29, "06-26": 4.36}
    assert macro["available_at"][0] == pd.Timestamp("2024-06-28 20:30", tz="UTC")  # next working day, 16:30 New York
    assert sorted(zip(rejects["source_row"], rejects["rule"], strict=True)) == [
        (-1, "missing_value"),
        (2, "not_a_number"),
        (3, "duplicate_key"),
        (4, "duplicate_key"),
        (6, "duplicate_key"),
    ]


def test_a_series_without_a_release_lag_is_not_let_in():
    spec = entry("series", series="GDP")
    with pytest.raises(UnreadableFile, match="unknown_series"):
        parse_series(lines("date,value\n2024-01-01,1\n", spec), spec)


def test_actions_of_a_file_are_known_at_the_open_unless_announced():
    spec = entry("actions", columns={"pay_date": "pay", "successor": "to", "announced": "said"})
    text = (
        "ticker,ex_date,kind,value,pay,to,said\n"
        "AAA,2024-03-01,split,4,,,\n"
        "AAA,2024-03-04,dividend,0.5,2024-03-08,,2024-02-20T12:00:00Z\n"
        "AAA,2024-03-02,dividend,0.5,,,\n"  # a Saturday
        "AAA,2024-03-05,gift,0.5,,,\n"
        "AAA,2024-03-05,split,0,,,\n"
        "BBB,2024-03-05,merger,0.5,,CCC,\n"
    )
    actions, rejects = parse_actions(lines(text, spec), spec)
    assert list(actions["kind"]) == ["split", "dividend", "merger"]
    assert list(actions["available_at"].dt.strftime("%m-%d %H:%M")) == ["03-01 14:30", "02-20 12:00", "03-05 14:30"]
    assert actions["pay_date"].notna().tolist() == [False, True, False]
    assert actions["successor"].tolist() == [None, None, "CCC"]
    assert sorted(zip(rejects["source_row"], rejects["rule"], strict=True)) == [
        (2, "not_a_session"),
        (3, "unknown_word"),
        (4, "impossible_value"),
    ]


def test_assets_under_management_count_from_the_next_day():
    spec = entry("aum")
    aum, rejects = parse_aum(lines("ticker,date,aum_usd\nAAA,2024-03-01,1e9\nAAA,2024-03-02,\n", spec), spec)
    assert aum["available_at"].tolist() == [pd.Timestamp("2024-03-02", tz="UTC")]
    assert rejects["rule"].tolist() == ["not_a_number"]


def test_dividends_and_splits_beside_the_bars_become_actions(tmp_path):
    frame = bars().assign(split=0.0)
    frame.loc[frame["ticker"].eq("F05") & frame["date"].eq(SESSIONS[50]), "split"] = 2.0
    write(tmp_path, as_text(frame), LAYOUT.replace("dividend: dividend", "dividend: dividend, split: split"))
    actions = fetch(tmp_path).actions
    assert actions["kind"].value_counts().to_dict() == {"dividend": 12, "split": 1}
    (split,) = actions[actions["kind"] == "split"].itertuples()
    assert (split.ticker, split.ex_date, split.value) == ("F05", SESSIONS[50], 2.0)
    assert split.available_at == pd.Timestamp("2023-03-16 13:30", tz="UTC")


def test_rows_keep_their_number_in_the_file_past_blank_and_broken_lines():
    spec = entry("aum")
    content = b"ticker,date,aum_usd\nA,2024-03-01,1\n\nB,2024-03-01\nC\xff,2024-03-01,1\nD,2024-03-01,1\n"
    got = read_lines(content, "f.csv", "raw_aum", ["ticker"])
    assert got.rows.tolist() == [0, 4]
    assert sorted(zip(got.rejects["source_row"], got.rejects["rule"], strict=True)) == [
        (2, "wrong_field_count"),
        (3, "wrong_encoding"),
    ]
    assert spec.columns["as_of"] == "date"


def test_a_byte_order_mark_and_dos_line_ends_are_no_obstacle():
    got = read_lines(b"\xef\xbb\xbfticker,x\r\nA,1\r\n", "f.csv", "raw_aum", ["ticker", "x"])
    assert got.table.to_pylist() == [{"ticker": "A", "x": "1"}]


def test_quoted_commas_are_text_and_an_open_quote_swallows_no_line_but_its_own():
    content = b'ticker,name\nA,"Fund, one"\nB,"open\nC,plain\n"D","all quoted"\nE,\r"x\n'
    got = read_lines(content, "f.csv", "raw_reference", ["ticker", "name"])
    assert dict(zip(got.rows.tolist(), got.table["name"].to_pylist(), strict=True)) == {
        0: "Fund, one",
        2: "plain",
        3: "all quoted",
    }
    assert dict(zip(got.rejects["source_row"], got.rejects["rule"], strict=True)) == {
        1: "wrong_field_count",
        4: "wrong_field_count",
    }


def test_line_ends_of_another_age_leave_nothing_below_the_header():
    with pytest.raises(UnreadableFile, match="nothing below it"):
        read_lines(b"ticker,name\rA,one\rB,two\r", "f.csv", "raw_reference", ["ticker", "name"])
