"""The data dictionary: every column of every contract, and a page that is current."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from etf_pipeline.recipes import RECIPES
from etf_pipeline.schemas import ROOMS, TABLES, dictionary
from etf_pipeline.schemas.contract import Table, column

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def recipes():
    from etf_pipeline.orchestration.assets import reports

    return reports


def test_every_column_of_every_table_is_in_the_dictionary_once():
    rows = dictionary.dictionary()
    assert list(zip(rows["table_name"], rows["column_name"], strict=True)) == [(t, c) for t in TABLES for c in TABLES[t].columns]
    nav = rows[(rows["table_name"] == "backtest_ledger") & (rows["column_name"] == "nav")].iloc[0]
    assert (nav["type"], nav["unit"], nav["is_key"], nav["may_be_unknown"], nav["position"]) == (
        "double",
        "base currency",
        False,
        False,
        4,
    )


def test_the_dictionary_describes_its_own_table_and_keeps_its_contract(recipes):
    table = recipes.data_dictionary.run({}, None, None)["data_dictionary"]
    TABLES["data_dictionary"].check(table)
    assert "data_dictionary" in table["table_name"].to_pylist()


def test_the_version_of_the_dictionary_follows_the_contracts(monkeypatch, recipes):
    before = dictionary.version()
    assert recipes.data_dictionary.version == before

    class Extra(Table):
        """One more."""

        value: float = column("A value", unit="fraction")

    contract = TABLES["regimes"]
    monkeypatch.setitem(TABLES, "regimes", type(contract)(Extra, "regimes", "regimes", ("value",), "causal"))
    assert dictionary.version() != before


def test_docs_tables_is_current():
    found = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    assert found == dictionary.markdown(), (
        "docs/tables.md no longer matches the contracts; regenerate it: "
        "python -m etf_pipeline.schemas.dictionary > docs/tables.md"
    )


def test_the_command_prints_the_page():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "etf_pipeline.schemas.dictionary"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    )
    assert done.stdout == dictionary.markdown()
    assert done.stderr == ""


def test_the_page_has_a_section_per_room_and_a_table_per_table():
    lines = dictionary.markdown().splitlines()
    assert [line[3:] for line in lines if line.startswith("## ")] == [m.__name__.split(".")[-1] for m in ROOMS]
    assert sorted(line[4:] for line in lines if line.startswith("### ")) == sorted(TABLES)
    rows = [line for line in lines if line.startswith("| ") and not line.startswith(("| column", "| ---"))]
    assert len(rows) == sum(len(c.columns) for c in TABLES.values())
    assert all(line.replace("\\|", "").count("|") == 5 for line in rows)


def test_the_report_is_made_from_the_tables_that_it_shows(recipes):
    from etf_pipeline.reporting.report_tables import TABLE_NAMES

    assert recipes.tear_sheet.inputs == TABLE_NAMES
    assert RECIPES["tear_sheet"] is recipes.tear_sheet
    assert recipes.tear_sheet.room == recipes.data_dictionary.room == "reports"
    assert recipes.data_dictionary.inputs == ()


def test_the_recipe_makes_the_page_from_stored_tables(recipes):
    from reporting_frames import REPORTED

    stored = {name: TABLES[name].to_arrow(make()) for name, make in REPORTED.items()}
    made = recipes.tear_sheet.run(stored, None, None)["tear_sheet"]
    TABLES["tear_sheet"].check(made)
    assert made["html"][0].as_py().startswith("<!doctype html>")
