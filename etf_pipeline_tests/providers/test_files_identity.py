"""Which fund a ticker's bars belong to: given histories, renames whose successor follows on, reused tickers, life events."""

from pathlib import Path

import pandas as pd
import pytest
from files_market import LAYOUT, SESSIONS, as_text, bars, marts, write
from hypothesis import given
from hypothesis import strategies as st

from etf_pipeline.providers import RawMarket
from etf_pipeline.providers.files import FilesProvider
from etf_pipeline.providers.files.identity import SPELL_COLUMNS, permanent_names, spells_of_renames, ticker_history
from etf_pipeline.schemas import TABLES

CHANGE = SESSIONS[120]
BACK = SESSIONS[180]


def folder(tmp_path: Path, frame: pd.DataFrame, **files: str) -> RawMarket:
    """The market of `frame`'s bars with other files beside them."""
    write(tmp_path, as_text(frame), LAYOUT)
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text)
    return FilesProvider(tmp_path).fetch()


def renamed(old: str, new: str, since: pd.Timestamp, until: pd.Timestamp | None = None) -> pd.DataFrame:
    """The twelve funds, one of them under another ticker from a day on."""
    frame = bars()
    inside = (frame["ticker"] == old) & (frame["date"] > since) & ((frame["date"] <= until) if until is not None else True)
    return frame.assign(ticker=frame["ticker"].mask(inside, new))


def action(old: str, new: str, last: pd.Timestamp) -> str:
    return f"{old},{last:%Y-%m-%d},rename,1,,{new},\n"


HEADER = "ticker,ex_date,kind,value,pay_date,successor,announced\n"


def test_a_rename_whose_successor_follows_on_is_one_fund_under_its_first_ticker(tmp_path):
    market = folder(tmp_path, renamed("F03", "NEW", CHANGE), actions=HEADER + action("F03", "NEW", CHANGE))
    made = marts(market)
    fund = made["fct_returns"][made["fct_returns"]["ticker"] == "F03"]
    assert fund["session"].tolist() == list(SESSIONS)
    assert "NEW" not in set(made["fct_prices"]["ticker"])
    assert "rename" not in set(made["stg_actions"]["kind"])
    assert made["stg_reference"].set_index("ticker").loc["F03", "traded_ticker"] == "NEW"
    unbroken = marts(folder(tmp_path / "whole", bars()))["fct_returns"]
    whole = unbroken[unbroken["ticker"] == "F03"]
    pd.testing.assert_series_equal(fund["index_close"], whole["index_close"], check_index=False)


def test_a_rename_to_a_ticker_that_traded_beside_the_old_one_stays_an_action(tmp_path):
    frame = bars()
    ended = frame[(frame["ticker"] != "F03") | (frame["date"] <= CHANGE)]
    market = folder(tmp_path, ended, actions=HEADER + action("F03", "F04", CHANGE))
    assert market.ticker_history.empty
    kept = marts(market)["stg_actions"]
    assert kept.loc[kept["kind"] == "rename", ["ticker", "successor"]].values.tolist() == [["F03", "F04"]]


def test_a_successor_that_starts_long_after_is_another_fund(tmp_path):
    frame = renamed("F03", "NEW", CHANGE)
    late = frame[(frame["ticker"] != "NEW") | (frame["date"] > SESSIONS[160])]
    assert folder(tmp_path, late, actions=HEADER + action("F03", "NEW", CHANGE)).ticker_history.empty


def test_there_and_back_again_is_one_fund(tmp_path):
    frame = renamed("F03", "MID", CHANGE, BACK)
    market = folder(tmp_path, frame, actions=HEADER + action("F03", "MID", CHANGE) + action("MID", "F03", BACK))
    assert market.ticker_history.sort_values("valid_from")["ticker"].tolist() == ["F03", "MID", "F03"]
    assert set(market.ticker_history["fund"]) == {"F03"}
    made = marts(market)["fct_prices"]
    assert made[made["ticker"] == "F03"]["session"].tolist() == list(SESSIONS)


def test_a_company_that_takes_over_a_left_ticker_is_the_one_that_has_it_plain(tmp_path):
    frame = renamed("F03", "NEW", CHANGE)
    reused = bars()
    reused = reused[(reused["ticker"] == "F05") & (reused["date"] > BACK)].assign(ticker="F03")
    market = folder(tmp_path, pd.concat([frame, reused]), actions=HEADER + action("F03", "NEW", CHANGE))
    prices = marts(market)["stg_prices"]
    funds = prices[prices["traded_ticker"].isin(["F03", "NEW"])].groupby("ticker")["session"].agg(["min", "max", "size"])
    assert funds.loc["F03.1"].tolist() == [SESSIONS[0], SESSIONS[-1], len(SESSIONS)]
    assert funds.loc["F03"].tolist() == [SESSIONS[181], SESSIONS[-1], len(SESSIONS) - 181]
    told = market.ticker_history.set_index(["ticker", "fund"])["valid_to"]
    assert told["F03", "F03.1"] == CHANGE
    assert pd.isna(told["F03", "F03"])  # the newcomer goes on


def test_an_announced_rename_is_known_when_it_was_announced(tmp_path):
    line = action("F03", "NEW", CHANGE).replace(",\n", ",2023-06-01T12:00:00Z\n")
    history = folder(tmp_path, renamed("F03", "NEW", CHANGE), actions=HEADER + line).ticker_history.set_index("ticker")
    assert history.loc["NEW", "available_at"] == pd.Timestamp("2023-06-01 12:00", tz="UTC")
    assert history.loc["F03", "available_at"] == pd.Timestamp("2023-01-03 14:30", tz="UTC")


HISTORY = "fund,ticker,valid_from,valid_to,announced\n"


def test_a_given_history_is_taken_as_it_is_and_comes_before_what_renames_tell(tmp_path):
    given = (
        HISTORY + f"MYFUND,F03,2023-01-03,{CHANGE:%Y-%m-%d},\nMYFUND,NEW,{CHANGE + pd.Timedelta(days=1):%Y-%m-%d},,2023-05-01\n"
    )
    frame = renamed("F03", "NEW", CHANGE)
    market = folder(tmp_path, frame, actions=HEADER + action("F03", "NEW", CHANGE), ticker_history=given)
    table = TABLES["raw_ticker_history"]
    table.check(table.to_arrow(market.ticker_history))
    assert set(market.ticker_history["fund"]) == {"MYFUND"}
    prices = marts(market)["fct_prices"]
    assert prices[prices["ticker"] == "MYFUND"]["session"].tolist() == list(SESSIONS)


def test_a_spell_that_ends_before_it_begins_or_is_told_twice_otherwise_is_refused(tmp_path):
    given = HISTORY + "A,F01,2023-06-01,2023-05-01,\nA,F02,2023-06-01,,\nB,F02,2023-06-01,,\nC,F05,not a day,,\n"
    market = folder(tmp_path, bars(), ticker_history=given)
    refused = market.rejects[market.rejects["dataset"] == "raw_ticker_history"]
    found = sorted(zip(refused["source_row"], refused["rule"], strict=True))
    assert found == [(0, "impossible_value"), (1, "duplicate_key"), (2, "duplicate_key"), (3, "not_a_date")]
    assert market.ticker_history.empty


LIFE = "ticker,event,event_date,value,pay_date,successor,reason,known_at,source\n"


def test_life_events_are_given_and_an_event_nobody_could_know_is_refused(tmp_path):
    lines = (
        "F03,announcement,2023-05-01,,,,too small,2023-05-01T20:00:00Z,issuer press release\n"
        "F03,liquidation,2023-06-30,24.5,2023-07-05,,,2023-07-05,\n"
        "F04,liquidation,2023-06-30,24.5,,,,,\n"
        "F04,vanished,2023-06-30,,,,,2023-06-30,\n"
        "F05,liquidation,2023-06-30,-1,,,,2023-06-30,\n"
    )
    market = folder(tmp_path, bars(), lifecycle=LIFE + lines)
    table = TABLES["raw_lifecycle"]
    table.check(table.to_arrow(market.lifecycle))
    told = market.lifecycle.set_index("event")
    assert told.loc["announcement", ["reason", "source", "basis"]].tolist() == ["too small", "issuer press release", "given"]
    assert told.loc["liquidation", "source"] == "lifecycle.csv"
    assert told.loc["liquidation", "value"] == 24.5
    refused = market.rejects[market.rejects["dataset"] == "raw_lifecycle"]
    found = sorted(zip(refused["source_row"], refused["rule"], strict=True))
    assert found == [(2, "not_a_date"), (3, "unknown_word"), (4, "impossible_value")]


def test_a_folder_without_history_has_none(tmp_path):
    market = folder(tmp_path, bars())
    assert market.ticker_history.empty
    assert market.lifecycle.empty


days = st.integers(0, len(SESSIONS) - 1)


@given(
    spells=st.lists(st.tuples(st.sampled_from("ABC"), days, st.integers(0, 40)), min_size=1, max_size=6),
    traded=st.lists(st.tuples(st.sampled_from("ABC"), days), min_size=1, max_size=60, unique=True),
)
def test_every_bar_of_a_told_ticker_has_exactly_one_owner_and_no_two_funds_share_a_name(spells, traded):
    """Whatever map files tell, as long as no two claim one ticker on one day."""
    free: set[tuple[str, int]] = set()
    rows = []
    for n, (ticker, start, length) in enumerate(spells):
        days_of = {(ticker, d) for d in range(start, min(start + length, len(SESSIONS) - 1) + 1)}
        if not days_of & free:
            free |= days_of
            last = SESSIONS[max(d for _, d in days_of)]
            rows.append((f"e{n}", ticker, SESSIONS[start], last, pd.NaT, "XNYS", f"map {n}"))
    told = pd.DataFrame(rows, columns=SPELL_COLUMNS)
    told["available_at"] = told["available_at"].dt.tz_localize("UTC")
    prices = pd.DataFrame(
        [(t, SESSIONS[d], "XNYS", "bars") for t, d in traded], columns=["ticker", "session", "exchange", "source"]
    )
    history = ticker_history(told, prices)
    assert not history.duplicated(["ticker", "valid_from"]).any()
    pairs = prices.merge(history, on="ticker")
    owned = pairs[(pairs["session"] >= pairs["valid_from"]) & ~(pairs["session"] > pairs["valid_to"])]
    expected = prices[prices["ticker"].isin(told["ticker"])]
    assert owned.groupby(["ticker", "session"]).size().eq(1).all()
    assert len(owned) == len(expected)
    assert history[history["source"] != "bars"].groupby("fund")["source"].nunique().eq(1).all()


def test_names_are_first_tickers_and_the_last_owner_has_a_ticker_plain():
    made = pd.DataFrame(
        [("aol", "AOL", "1998-01-02"), ("aol", "TWX", "2003-10-16"), ("old", "TWX", "1998-01-02"), ("new", "AOL", "2009-12-10")],
        columns=["entity", "ticker", "valid_from"],
    )
    assert permanent_names(made.assign(valid_from=pd.to_datetime(made["valid_from"]))) == {
        "aol": "AOL.1",
        "new": "AOL",
        "old": "TWX.1",
    }


def test_without_renames_there_are_no_spells(tmp_path):
    market = folder(tmp_path, bars())
    assert spells_of_renames(market.actions, market.prices).empty


@pytest.mark.parametrize("text", ["layout: lean\n", "layout: stooq\nparent: yes\n"])
def test_a_layout_word_chooses_the_built_in_sections(tmp_path, text):
    from etf_pipeline.providers.files import default_layout, folder_layout

    (tmp_path / "layout.yaml").write_text(text)
    assert folder_layout(tmp_path) == default_layout(text.split()[1])
