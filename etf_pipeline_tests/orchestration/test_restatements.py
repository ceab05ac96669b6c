"""A vendor that changes its history: what is kept, what is logged, what is numbered how."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pandas as pd
import pyarrow as arrow
import pytest

from etf_pipeline.providers.restatements import restate
from etf_pipeline.schemas import TABLES

SEEN = datetime(2024, 2, 1, 22, tzinfo=UTC)
DAYS = [date(2024, 1, d) for d in (2, 3, 4, 5)]


def bars(closes: dict[str, list[float]], *, source: str = "feed") -> arrow.Table:
    """Bars in the order of a file that is sorted by ticker."""
    rows = [(ticker, day, close) for ticker, values in closes.items() for day, close in zip(DAYS, values, strict=False)]
    frame = pd.DataFrame(rows, columns=["ticker", "session", "close"])
    frame["session"] = pd.to_datetime(frame["session"])
    for name in ("open", "high", "low"):
        frame[name] = frame["close"]
    frame = frame.assign(
        volume=1e6, currency="USD", exchange="XNYS", adjustment="raw", source=source, source_row=range(len(frame))
    )
    return TABLES["raw_prices"].to_arrow(frame)


def log(name: str, stored: arrow.Table, fetched: arrow.Table, *, whole: bool = True) -> list[tuple[object, ...]]:
    made = restate(name, stored, fetched, SEEN, whole=whole).corrections.to_pylist()
    return [(r["ticker"], r["session"], r["field"], r["old_value"], r["new_value"]) for r in made]


def test_the_same_history_again_corrects_nothing_and_is_the_same_table():
    stored = bars({"AAA": [1.0, 2.0], "BBB": [5.0]})
    made = restate("raw_prices", stored, stored, SEEN, whole=True)
    assert made.corrections.num_rows == 0
    assert made.rows.equals(stored)


def test_a_new_session_is_news_and_shifts_no_number():
    stored = bars({"AAA": [1.0, 2.0], "BBB": [5.0, 6.0]})
    made = restate("raw_prices", stored, bars({"AAA": [1.0, 2.0, 3.0], "BBB": [5.0, 6.0, 7.0]}), SEEN, whole=True)
    assert made.corrections.num_rows == 0
    numbers = {(r["ticker"], r["session"]): r["source_row"] for r in made.rows.to_pylist()}
    assert [numbers[t, d] for t in ("AAA", "BBB") for d in DAYS[:2]] == [0, 1, 2, 3]
    assert {numbers["AAA", DAYS[2]], numbers["BBB", DAYS[2]]} == {4, 5}


def test_a_changed_close_is_logged_once_with_both_values_and_the_instant():
    stored, fetched = bars({"AAA": [1.0, 2.0]}), bars({"AAA": [1.0, 2.5]})
    made = restate("raw_prices", stored, fetched, SEEN, whole=True)
    assert {(r["field"], r["old_value"], r["new_value"]) for r in made.corrections.to_pylist()} == {
        (name, "2.0", "2.5") for name in ("open", "high", "low", "close")
    }
    assert set(made.corrections["known_at"].to_pylist()) == {SEEN}
    assert made.rows["close"].to_pylist() == [1.0, 2.5]
    TABLES["raw_corrections"].check(made.corrections)


def test_a_difference_in_the_last_digit_is_the_same_value():
    assert log("raw_prices", bars({"AAA": [100.0]}), bars({"AAA": [100.0 * (1 + 1e-12)]})) == []


def test_a_value_that_becomes_unknown_is_a_change():
    gone = restate("raw_prices", bars({"AAA": [1.0]}), bars({"AAA": [float("nan")]}), SEEN, whole=True)
    assert {r["new_value"] for r in gone.corrections.to_pylist()} == {None}
    assert gone.corrections.num_rows == 4


def test_a_withdrawn_bar_is_logged_and_gone_but_only_if_the_source_was_fetched_whole():
    stored, fetched = bars({"AAA": [1.0, 2.0], "BBB": [5.0, 6.0]}), bars({"AAA": [1.0, 2.0], "BBB": [5.0]})
    assert log("raw_prices", stored, fetched) == [("BBB", DAYS[1], "row", "3", None)]
    assert log("raw_prices", stored, fetched, whole=False) == []
    part = restate("raw_prices", stored, fetched, SEEN, whole=False)
    assert part.rows.equals(stored)


def test_a_bar_added_inside_the_delivered_span_is_a_correction():
    stored = bars({"AAA": [1.0, 2.0, 3.0]})
    lacking = stored.filter([True, False, True])
    assert log("raw_prices", lacking, stored) == [("AAA", DAYS[1], "row", None, "1")]


def test_two_rows_of_one_day_are_told_apart_by_their_order():
    def two(second: float) -> arrow.Table:
        later = bars({"AAA": [second]})
        numbered = later.set_column(11, later.schema.field("source_row"), [arrow.array([7])])
        return arrow.concat_tables([bars({"AAA": [1.0]}), numbered])

    twice, changed = two(2.0), two(2.5)
    assert log("raw_prices", twice, twice) == []
    assert [(row[2], row[3]) for row in log("raw_prices", twice, changed) if row[2] == "close"] == [("close", "2.0")]


@pytest.mark.parametrize("whole", [True, False])
def test_a_restated_dividend_is_logged(whole):
    def paid(value: float) -> arrow.Table:
        row = {
            "ticker": "AAA", "ex_date": pd.Timestamp("2024-01-03"), "kind": "dividend", "value": value, "pay_date": pd.NaT,
            "successor": None, "currency": "USD", "available_at": pd.Timestamp("2024-01-02", tz="UTC"),
            "value_known_at": pd.Timestamp("2024-01-02", tz="UTC"), "source": "feed", "source_row": 0,
        }  # fmt: skip
        return TABLES["raw_actions"].to_arrow(pd.DataFrame([row]))

    assert log("raw_actions", paid(0.5), paid(0.55), whole=whole) == [("AAA", DAYS[1], "value", "0.5", "0.55")]
