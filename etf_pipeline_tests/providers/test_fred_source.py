"""FRED by hand: newest values dated by lag, first releases dated by the archive, and what a night asks for."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from network_recorded import FIXTURES, NOW, RecordedWeb, Timer, graph

from etf_pipeline.errors import ProviderError, SourceUnreachable
from etf_pipeline.providers.files import UnreadableFile
from etf_pipeline.providers.fred import Fred, parse_graph, parse_releases, series_of_fred
from etf_pipeline.providers.macro_series import SERIES
from etf_pipeline.providers.network import Client, Reply, Retries, Spool, TokenBucket
from etf_pipeline.providers.release import period_ends
from etf_pipeline.schemas import TABLES
from etf_pipeline.secrets import Secret

KEY = Secret("FRED_API_KEY", "aaaabbbbccccddddeeeeffff00001111")
CPI, BOND = SERIES["CPIAUCSL"], SERIES["DGS10"]


def fred(tmp_path, web, key=None):
    timer = Timer()
    bucket = TokenBucket(1.0, clock=timer.clock, sleep=timer.sleep)
    return Fred(Client(web, bucket, Retries(attempts=2, sleep=timer.sleep)), Spool(tmp_path, "2024-01-16"), key)


def new_york(instants):
    return list(pd.Series(instants).dt.tz_convert("America/New_York").dt.strftime("%Y-%m-%d %H:%M"))


def test_the_newest_values_are_dated_by_the_release_lag_and_called_latest():
    macro, rejects = parse_graph((FIXTURES / "fred" / "CPIAUCSL.csv").read_bytes(), CPI)
    assert list(macro["value"]) == [100.0, 100.3, 100.4, 100.9, 101.2]
    assert new_york(macro["available_at"])[:2] == ["2023-10-16 08:30", "2023-11-15 08:30"]
    assert set(macro["vintage"]) == {"latest"}
    assert set(macro["source"]) == {"fred/CPIAUCSL"}
    assert list(rejects["rule"]) == ["missing_value"]
    TABLES["raw_macro"].check(TABLES["raw_macro"].to_arrow(macro))


def test_the_older_header_and_its_full_stops_are_read_as_well():
    macro, rejects = parse_graph(b"DATE,DGS10\n2024-01-12,4.01\n2024-01-15,.\n", BOND)
    assert list(macro["value"]) == [4.01]
    assert list(rejects["rule"]) == ["missing_value"]


def test_a_first_release_is_known_on_its_day_at_the_publishers_hour():
    macro, _ = parse_releases((FIXTURES / "fred" / "CPIAUCSL_releases.json").read_bytes(), CPI, whole=True)
    by_period = macro.set_index("period")
    assert by_period.loc["2023-11-01", "value"] == 100.2  # the first print, not today's 100.4
    assert new_york(by_period.loc[["2023-11-01", "2024-01-01"], "available_at"]) == ["2023-12-12 08:30", "2024-02-13 08:30"]
    assert set(by_period.loc["2023-10-01":, "vintage"]) == {"first"}
    TABLES["raw_macro"].check(TABLES["raw_macro"].to_arrow(macro))


def test_what_the_archive_began_with_keeps_its_usual_release_and_is_no_first_print():
    macro, _ = parse_releases((FIXTURES / "fred" / "CPIAUCSL_releases.json").read_bytes(), CPI, whole=True)
    old = macro[macro["period"] < "2023-10-01"]
    assert new_york(old["available_at"]) == ["2023-09-15 08:30", "2023-10-16 08:30"]
    assert set(old["vintage"]) == {"latest"}


def releases(*rows):
    told = [{"realtime_start": s, "realtime_end": "9999-12-31", "date": d, "value": v} for s, d, v in rows]
    return json.dumps({"count": len(told), "observations": told}).encode()


def test_two_months_released_late_and_together_are_known_then_and_not_before():
    # a shutdown: October's and November's prices both came on 18 December, a month after October's usual day
    late = releases(("2025-12-18", "2025-10-01", "1"), ("2025-12-18", "2025-11-01", "2"))
    night, _ = parse_releases(late, CPI, whole=False)
    assert new_york(night["available_at"]) == ["2025-12-18 08:30"] * 2
    assert set(night["vintage"]) == {"first"}


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 60)), min_size=1, max_size=30, unique_by=lambda p: p[0]), st.booleans()
)
def test_no_first_release_is_known_before_the_archive_saw_it(rows, whole):
    months = [(pd.Period("1990-01", "M") + m, delay) for m, delay in sorted(rows)]
    told = [(f"{(m.end_time + pd.Timedelta(days=d)).date()}", f"{m.start_time.date()}", "1.5") for m, d in months]
    macro, _ = parse_releases(releases(*told), CPI, whole=whole)
    seen = pd.Series([pd.Timestamp(day) for day, _, _ in told])
    known = macro["available_at"].dt.tz_convert("America/New_York").dt.tz_localize(None)
    first = macro["vintage"] == "first"
    assert (known[first] >= seen[first]).all()
    assert (known.dt.normalize() >= period_ends(CPI, pd.DatetimeIndex(macro["period"]))).all()
    assert first.all() or whole


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"<html>maintenance</html>", "changed_schema"),
        (b"{}", "changed_schema"),
        (b'{"observations": [], "count": 0}', "empty_file"),
        (b'{"observations": [{"date": "2024-01-01"}], "count": 2}', "unreadable_file"),
    ],
)
def test_something_else_than_releases_is_refused_by_rule(content, rule):
    with pytest.raises(UnreadableFile) as raised:
        parse_releases(content, CPI, whole=True)
    assert raised.value.rule == rule


def test_a_web_page_instead_of_a_series_is_refused():
    with pytest.raises(UnreadableFile):
        parse_graph(b"<!DOCTYPE html><html><body>Access denied, reference 18.2,x</body></html>\n", BOND)


def test_a_release_that_is_no_number_is_a_reject():
    macro, rejects = parse_releases(
        releases(("2024-01-11", "2023-12-01", "oops"), ("2024-02-13", "2024-01-01", "2")), CPI, whole=True
    )
    assert list(macro["value"]) == [2.0]
    assert list(rejects["rule"]) == ["not_a_number"]


def test_without_a_key_the_graph_is_asked_and_with_one_only_what_is_revised_goes_to_the_archive(tmp_path):
    web = RecordedWeb()
    fred(tmp_path / "a", web).fetch(CPI, None, NOW)
    source = fred(tmp_path / "b", web, KEY)
    macro, _ = source.fetch(CPI, None, NOW)
    source.fetch(BOND, None, NOW)
    assert [r.host for r in web.asked] == ["fred.stlouisfed.org", "api.stlouisfed.org", "fred.stlouisfed.org"]
    assert dict(web.asked[1].params) == {
        "series_id": "CPIAUCSL",
        "file_type": "json",
        "output_type": "4",
        "realtime_start": "1776-07-04",
        "realtime_end": "9999-12-31",
    }
    assert web.asked[1].secrets["api_key"] is KEY
    assert "first" in set(macro["vintage"])


def test_a_night_asks_from_the_last_period_on_and_keeps_only_what_it_lacked(tmp_path):
    web = RecordedWeb({"CPIAUCSL": [Reply(200, {}, b"observation_date,CPIAUCSL\n2023-11-01,999\n2023-12-01,101\n")]})
    macro, _ = fred(tmp_path, web).fetch(CPI, pd.Timestamp("2023-11-01"), NOW)
    assert web.asked[0].params["cosd"] == "2023-11-01"
    assert list(macro["period"]) == [pd.Timestamp("2023-12-01")]  # November was revised to 999: it stays as it was first seen
    assert list(macro["vintage"]) == ["first"]  # seen on the day of its release, 16 January


def test_a_rate_that_is_never_revised_is_read_two_weeks_back_so_that_gaps_close(tmp_path):
    web = RecordedWeb()
    macro, _ = fred(tmp_path, web).fetch(BOND, pd.Timestamp("2024-01-12"), NOW)
    assert web.asked[0].params["cosd"] == "2023-12-29"
    assert macro["period"].min() == pd.Timestamp("2023-12-29")


def test_a_value_seen_long_after_its_release_is_the_newest_revision(tmp_path):
    macro, _ = fred(tmp_path, RecordedWeb()).fetch(CPI, None, NOW + pd.Timedelta(days=60))
    assert set(macro["vintage"]) == {"latest"}


def test_what_came_before_a_crash_is_not_asked_again(tmp_path):
    web = RecordedWeb()
    first = fred(tmp_path, web).fetch(BOND, None, NOW)[0]
    again = fred(tmp_path, web).fetch(BOND, None, NOW)[0]
    assert len(web.asked) == 1
    pd.testing.assert_frame_equal(first, again)


def test_a_wrong_key_is_told_without_the_key(tmp_path):
    said = json.dumps({"error_code": 400, "error_message": f"The api_key {KEY.reveal()} is not registered."}).encode()
    web = RecordedWeb({"CPIAUCSL": [Reply(400, {}, said)]})
    with pytest.raises(ProviderError, match="not registered") as raised:
        fred(tmp_path, web, KEY).fetch(CPI, None, NOW)
    assert KEY.reveal() not in f"{raised.value}{raised.value!r}"
    assert not isinstance(raised.value, SourceUnreachable)


def test_every_series_names_its_feed_and_where_its_lag_comes_from():
    assert {s.feed for s in SERIES.values()} == {"fred", "yahoo", "gpr"}
    assert all(s.source.strip() for s in SERIES.values())
    assert {s.code for s in series_of_fred()} >= {"DGS10", "CPIAUCSL", "UNRATE", "NFCI"}
    assert parse_graph(graph("DGS10", "2024-01-01"), BOND)[0]["value"].notna().all()
