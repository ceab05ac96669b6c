"""A look answers from one run, read-only, and says in a line what it cannot answer."""

from __future__ import annotations

import base64
from datetime import date

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etf_pipeline.dashboard import Look, newest_look, open_warehouse, queries
from etf_pipeline.dashboard.launch import SCRIPT, command
from etf_pipeline.dashboard.look import finished_runs, spelled_out, tables_of
from etf_pipeline.dashboard.views.runs import differences, table_changes
from etf_pipeline.errors import SettingsError
from etf_pipeline.schemas import TABLES
from etf_pipeline.secrets import Secret
from etf_pipeline.settings import Settings
from etf_pipeline.warehouse import Staged, Warehouse

KEY = Secret("ETF_WAREHOUSE_KEY", base64.b64encode(bytes(range(32))).decode())
QUESTIONS = {name: text for name, text in vars(queries).items() if name.isupper() and isinstance(text, str)}


def write_run(warehouse: Warehouse, run_id: str, weight: float, *, finish: bool = True) -> None:
    warehouse.begin_run(run_id)
    table = pa.table({"ticker": ["SPY"], "weight": [weight]})
    staged: Staged = warehouse.stage("portfolio", "weights", table)
    warehouse.commit(run_id, "step", [staged])
    if finish:
        warehouse.finish_run(run_id, succeeded=True)


def weight_of(look: Look) -> float:
    return float(look.ask("select weight from weights").frame["weight"].iloc[0])


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_is_one_select_over_tables_that_have_a_contract_and_can_be_answered(demo, name):
    look = newest_look(open_warehouse(Settings(home=demo.home)))
    sql = QUESTIONS[name]
    values = {"strategy": "max_sharpe", "session": date(2024, 3, 28), "ticker": "SPY", "benchmark": "SPY", "kind": "holdings"}
    values |= {"span": "all", "scenario": "covid_2020", "factors": ["equity"], "shocks": [-0.1], "dimension": "curve"}
    values |= {"event": "ukraine_2022", "loss": 0.1}
    assert tables_of(sql)
    answer = look.ask(sql, **values)
    if set(answer.tables) <= {version.table_name for version in look.versions()}:
        assert answer.missing == ""
        assert set(answer.tables) <= set(TABLES)
    else:
        assert "shows no table" in answer.missing


def test_the_sql_that_is_shown_gives_the_same_rows_when_it_is_run_again(demo):
    look = newest_look(open_warehouse(Settings(home=demo.home)))
    values = {"strategy": "max_sharpe", "session": date(2024, 6, 28), "factors": ["equity", "rates"], "shocks": [-0.1, 0.025]}
    for sql in (queries.WEIGHTS, queries.SHOCKED, queries.PRICES):
        answer = look.ask(sql, ticker="SPY", **values)
        again = look.warehouse.query(answer.sql).to_pandas(date_as_object=False)
        assert len(again) > 1
        pd.testing.assert_frame_equal(answer.frame, again)


@given(value=st.text(max_size=20))
def test_a_value_never_becomes_sql(value):
    import duckdb

    assert duckdb.sql(spelled_out("select $value as value", {"value": value.replace("\0", "")})).fetchall() == [
        (value.replace("\0", ""),)
    ]


def test_an_open_look_keeps_its_run_while_another_writes_and_after_it_has_finished(tmp_path):
    warehouse = Warehouse(tmp_path / "warehouse")
    write_run(warehouse, "first", 0.25)
    look = newest_look(warehouse)
    write_run(warehouse, "second", 0.75, finish=False)
    assert weight_of(look) == 0.25
    assert newest_look(warehouse).run_id == "first"  # a running run is seen by nobody else
    warehouse.finish_run("second", succeeded=True)
    assert weight_of(look) == 0.25
    assert weight_of(newest_look(warehouse)) == 0.75
    assert [run.run_id for run in finished_runs(warehouse)] == ["second", "first"]
    assert table_changes(newest_look(warehouse), look)["Table"].tolist() == ["weights"]
    assert table_changes(look, look).empty


def test_a_failed_run_cannot_be_looked_at(tmp_path):
    warehouse = Warehouse(tmp_path / "warehouse")
    write_run(warehouse, "broken", 0.5, finish=False)
    warehouse.finish_run("broken", succeeded=False)
    with pytest.raises(SettingsError, match="no run has succeeded"):
        newest_look(warehouse)


def test_an_encrypted_home_is_read_with_its_key_and_leaves_nothing_in_clear(tmp_path, monkeypatch):
    write_run(Warehouse(tmp_path / "warehouse", key=KEY), "first", 0.25)
    monkeypatch.setenv("ETF_WAREHOUSE_KEY", KEY.reveal())
    before = sorted(path.name for path in (tmp_path / "warehouse").rglob("*"))
    assert weight_of(newest_look(open_warehouse(Settings(home=tmp_path)))) == 0.25
    assert sorted(path.name for path in (tmp_path / "warehouse").rglob("*")) == before


def test_looking_makes_no_home(tmp_path):
    with pytest.raises(SettingsError, match="etf run"):
        open_warehouse(Settings(home=tmp_path / "nowhere"))
    assert not (tmp_path / "nowhere").exists()


def test_a_table_or_column_that_an_old_run_lacks_is_one_line(tmp_path):
    warehouse = Warehouse(tmp_path / "warehouse")
    write_run(warehouse, "first", 0.25)
    look = newest_look(warehouse)
    assert "no table rpt_edge" in look.ask("select * from weights join rpt_edge using (ticker)").missing
    for sql in ("select w.beta from weights as w", "select beta from weights"):
        assert look.ask(sql).missing == "This run's tables are of an older form: they have no column beta."


def test_differences_are_those_numbers_that_differ_and_unknown_equals_unknown():
    here = pd.DataFrame({"ticker": ["A", "B", "C"], "weight": [0.5, None, 0.1], "name": ["a", "b", "c"]})
    there = pd.DataFrame({"ticker": ["A", "B", "D"], "weight": [0.5, None, 0.2], "name": ["x", "b", "d"]})
    found = differences(here, there, ["ticker"])
    assert found["ticker"].tolist() == ["C", "D"]
    assert found["here"].fillna(-1).tolist() == [0.1, -1]
    assert found["there"].fillna(-1).tolist() == [-1, 0.2]
    assert found["difference"].isna().all()


def test_the_server_hears_this_machine_alone_and_reports_to_nobody():
    words = command(8501)
    assert str(SCRIPT) in words
    assert {"--server.address=127.0.0.1", "--browser.gatherUsageStats=false", "--server.headless=true"} <= set(words)
    assert "--client.showErrorDetails=none" in words
    assert "--server.address=0.0.0.0" in command(80, "0.0.0.0")


def test_the_options_are_those_that_streamlit_knows():
    from streamlit import config

    known = set(config.get_config_options(force_reparse=True))
    assert {word[2:].split("=")[0] for word in command(8501) if word.startswith("--")} <= known
