"""The geopolitical risk file by hand."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from network_recorded import FIXTURES, NOW

from etf_pipeline.providers.files import UnreadableFile
from etf_pipeline.providers.gpr import parse_gpr
from etf_pipeline.schemas import TABLES

FILE = (FIXTURES / "gpr" / "data_gpr_daily_recent.dta").read_bytes()


def stata(**columns):
    box = io.BytesIO()
    pd.DataFrame(columns).to_stata(box, write_index=False, version=118)
    return box.getvalue()


def test_the_authors_file_becomes_a_daily_series_known_a_week_later():
    macro, rejects = parse_gpr(FILE, None, NOW)
    row = macro.set_index("period").loc["2023-12-20"]
    assert row["value"] == pytest.approx(100.0, abs=1e-4)
    assert row["available_at"].tz_convert("America/New_York") == pd.Timestamp("2023-12-27 12:00", tz="America/New_York")
    assert set(macro["series"]) == {"GPR"}
    assert rejects.empty
    TABLES["raw_macro"].check(TABLES["raw_macro"].to_arrow(macro))


def test_old_days_are_revisions_and_days_seen_soon_after_their_release_are_first_prints():
    macro, _ = parse_gpr(FILE, None, NOW)
    prompt = macro["available_at"] >= NOW - pd.Timedelta(days=7)
    assert 0 < prompt.sum() < len(macro)
    assert set(macro.loc[prompt, "vintage"]) == {"first"}
    assert set(macro.loc[~prompt, "vintage"]) == {"latest"}


def test_a_later_file_adds_days_and_rewrites_none():
    macro, _ = parse_gpr(FILE, pd.Timestamp("2024-01-10"), NOW)
    assert list(macro["period"]) == list(pd.date_range("2024-01-11", "2024-01-14"))


def test_blank_values_are_unknown_and_contradictions_refused():
    days = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-03"])
    macro, rejects = parse_gpr(stata(date=days, GPRD=[1.0, np.nan, 2.0, 3.0]), None, NOW)
    assert list(macro["period"]) == [days[0]]
    assert sorted(rejects["rule"]) == ["duplicate_key", "duplicate_key", "missing_value"]


@pytest.mark.parametrize("content", [b"", b"<html></html>", FILE[:3000], FILE[:200]])
def test_something_else_than_the_file_is_refused(content):
    with pytest.raises(UnreadableFile):
        parse_gpr(content, None, NOW)


def test_a_file_without_the_index_names_its_columns():
    with pytest.raises(UnreadableFile, match=r"GPRD; .*has date, other"):
        parse_gpr(stata(date=pd.to_datetime(["2024-01-01"]), other=[1.0]), None, NOW)
