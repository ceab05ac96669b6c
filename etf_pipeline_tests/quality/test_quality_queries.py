"""The SQL beside the room: its blocking tests, its trend, and the restatements, on tables by hand."""

from pathlib import Path

import pandas as pd
import pytest
from quality_market import SESSIONS, TABLES, actions, bars, line, look

from etf_pipeline.orchestration.ingestion import session_table
from etf_pipeline.recipes import run_sql
from etf_pipeline.schemas import from_arrow

FOLDER = Path(__file__).resolve().parents[2] / "dbt_like_sql"


def query(name: str, frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Rows of a SQL file over frames, held against its contract where it has one."""
    (file,) = FOLDER.rglob(f"{name}.sql")
    made = run_sql(file.read_text(), {table: TABLES[table].to_arrow(frame) for table, frame in frames.items()})
    if name in TABLES:
        made = TABLES[name].to_arrow(from_arrow(made))
        TABLES[name].check(made)
    return from_arrow(made)


def tables(prices: pd.DataFrame, events: pd.DataFrame | None = None, **parameters: object) -> dict[str, pd.DataFrame]:
    """The room's tables and what it read."""
    found = look(prices, events, **parameters)
    made = {"quality_findings": found.findings, "quarantine": found.quarantine, "quality_rules": found.rules}
    days = session_table(TABLES["stg_prices"].to_arrow(prices), "XNYS")
    return made | {"stg_prices": prices, "stg_actions": actions() if events is None else events, "raw_sessions": days}


def test_bars_that_step_back_for_another_source_break_no_share():
    prices = pd.concat([bars(40), bars(40).assign(source="other")], ignore_index=True)
    made = tables(prices)
    assert len(made["quarantine"]) == len(prices) / 2
    assert query("quarantine__share", made).empty
    prices.loc[prices.index[:5], "volume"] = -1.0  # the other source fills in: 5 refused of 485 that count
    assert query("quarantine__share", tables(prices))[["refused", "bars"]].to_numpy().tolist() == [[5, 485]]


def blocked(prices: pd.DataFrame, **parameters: object) -> list[str]:
    return query("quality_findings__blocked", tables(prices, **parameters))["rule"].tolist()


def test_a_rule_blocks_by_its_share_of_the_newest_session_only():
    prices = bars(40)
    newest, before = prices.index[prices["session"] == SESSIONS[39]], prices.index[prices["session"] == SESSIONS[38]]
    prices.loc[newest[:3], "volume"] = 0  # 3 of 12
    prices.loc[before, "volume"] = 0
    assert blocked(prices, block=("zero_volume:0.25",)) == []
    assert blocked(prices, block=("zero_volume:0.2",)) == ["zero_volume"]
    assert blocked(prices, block=("zero_volume",)) == ["zero_volume"]
    assert blocked(prices, block=()) == []


def test_a_stray_date_does_not_hide_the_newest_session_from_the_blocking_rules():
    prices = bars(40)
    prices.loc[prices.index[prices["session"] == SESSIONS[39]][:3], "volume"] = 0
    stray = prices.iloc[[0]].assign(session=pd.Timestamp("2022-12-25"), source_row=len(prices))
    assert blocked(pd.concat([prices, stray], ignore_index=True), block=("zero_volume",)) == ["zero_volume"]


def test_by_default_a_session_that_lacks_most_funds_or_splits_a_tenth_of_them_blocks():
    prices = bars(60)
    cut = prices[~((prices["session"] == SESSIONS[59]) & (prices["ticker"] > "F04"))]
    assert blocked(cut) == ["hollow_session"]
    fallen = prices.copy()
    fallen.loc[(prices["session"] == SESSIONS[59]) & (prices["ticker"] < "F02"), ["open", "high", "low", "close"]] /= 4
    assert blocked(fallen) == ["missed_split"]
    one = prices.copy()
    one.loc[(prices["session"] == SESSIONS[59]) & (prices["ticker"] < "F01"), ["open", "high", "low", "close"]] /= 4
    assert blocked(one) == []  # 1 of 12 is below a tenth


def test_the_trend_counts_by_month_and_rule():
    prices = line([100.0 + i for i in range(45)])  # 20 sessions of January 2022, 19 of February, 6 of March
    prices.loc[[3, 4, 25], "volume"] = 0
    prices.loc[[26], "volume"] = -1.0
    rows = query("rpt_quality_trend", tables(prices)).set_index(["month", "rule"]).sort_index()
    assert rows["findings"].to_dict() == {
        (pd.Timestamp("2022-01-01"), "zero_volume"): 2,
        (pd.Timestamp("2022-02-01"), "negative_volume"): 1,
        (pd.Timestamp("2022-02-01"), "zero_volume"): 1,
        (pd.Timestamp("2022-02-01"), "missing_session"): 1,
    } | {k: v for k, v in rows["findings"].to_dict().items() if k[1] == "missing_session"}
    assert rows.loc[(pd.Timestamp("2022-01-01"), "zero_volume"), "per_hundred_thousand"] == pytest.approx(2e5 / 20)
    assert rows["refused"].to_dict()[(pd.Timestamp("2022-02-01"), "negative_volume")] == 1
    assert rows["refused"].sum() == 1


def test_the_newest_findings_come_gravest_first_with_their_remedy():
    prices = bars(40)
    newest = prices.index[prices["session"] == SESSIONS[39]]
    prices.loc[newest[0], "volume"] = 0
    prices.loc[newest[1], "volume"] = -1.0
    prices.loc[prices.index[prices["session"] == SESSIONS[38]][2], "volume"] = 0
    rows = query("rpt_quality_newest", tables(prices)).sort_values("place")
    assert rows["rule"].tolist() == ["negative_volume", "zero_volume", "zero_volume"]
    assert rows["refused"].tolist() == [True, False, False]
    assert rows["place"].tolist() == [1, 2, 3]
    assert rows["remedy"].str.endswith(".").all()


def test_a_refused_action_reaches_no_return_and_a_repeated_one_counts_once():
    events = pd.concat(
        [actions(("F00", 3, "dividend", 50.0), ("F01", 3, "dividend", 1.0)), actions(("F01", 3, "dividend", 1.0), source="zeta")],
        ignore_index=True,
    )
    prices = pd.concat([line([100.0] * 8), line([100.0] * 8, ticker="F01", source="more")], ignore_index=True)
    rows = query("fct_prices", tables(prices, events)).set_index(["ticker", "session"])["dividend"]
    assert rows[rows > 0].to_dict() == {("F01", SESSIONS[3]): 1.0}


def test_restatements_are_told_per_fetch_and_fund_with_their_size():
    log = pd.DataFrame(
        {
            "dataset": "raw_prices",
            "ticker": ["AAA", "AAA", "AAA", "BBB"],
            "session": SESSIONS[[3, 3, 5, 7]],
            "source": "feed",
            "source_row": [3, 3, 5, 7],
            "field": ["close", "volume", "close", "row"],
            "old_value": ["100.0", "0.0", "80.0", None],
            "new_value": ["101.0", "900.0", "60.0", None],
            "known_at": pd.Timestamp("2022-03-01 06:00", tz="UTC"),
        }
    )
    rows = query("rpt_restatements", {"raw_corrections": log}).set_index("ticker")
    assert rows.loc["AAA", ["fields", "changes", "sessions", "first_session", "last_session"]].tolist() == [
        "close, volume", 3, 2, SESSIONS[3], SESSIONS[5],
    ]  # fmt: skip
    assert rows.loc["AAA", "largest_change"] == pytest.approx(0.25)  # 80 to 60; the volume came from nothing
    assert pd.isna(rows.loc["BBB", "largest_change"])


def test_no_clean_bar_comes_from_a_refused_row_also_where_sources_and_actions_share_row_numbers():
    prices = pd.concat([line([100.0] * 8), line([100.1] * 8, source="other")], ignore_index=True)  # both number from 0
    made = tables(prices, actions(("F00", 3, "dividend", 50.0), source="bars"))  # the refused action is row 0 of `bars` too
    assert set(made["quarantine"]["rule"]) == {"second_source", "large_dividend"}
    clean = query("fct_prices", made)
    assert query("fct_prices__no_quarantined_row", made | {"fct_prices": clean}).empty
    wrong = clean.assign(close=clean["close"].where(clean["session"] != SESSIONS[2], 100.1))
    assert query("fct_prices__no_quarantined_row", made | {"fct_prices": wrong})["session"].tolist() == [SESSIONS[2]]
