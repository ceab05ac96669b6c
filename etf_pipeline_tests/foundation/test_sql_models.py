"""SQL files: parsed, closed under the contracts, versioned by meaning."""

from __future__ import annotations

from pathlib import Path

import pytest

from etf_pipeline.errors import SettingsError
from etf_pipeline.schemas import SQL_TYPES, TABLES
from etf_pipeline.sql_models import column_lineage, load_models, read_model


def model(tmp_path: Path, text: str, name: str = "x.sql"):
    path = tmp_path / name
    path.write_text(text)
    return read_model(path)


def test_dependencies_include_semi_and_anti_joins_and_leave_out_ctes(tmp_path: Path) -> None:
    found = model(tmp_path, "with c as (select * from a) select * from c anti join b using (k) where exists (select 1 from d)")
    assert found.dependencies == ("a", "b", "d")


def test_the_version_is_immune_to_comments_and_layout(tmp_path: Path) -> None:
    one = model(tmp_path, "select a, b from t")
    two = model(tmp_path, "-- a comment\nselect\n    a,\n    b\nfrom t -- here")
    three = model(tmp_path, "select a, b + 1 as b from t")
    assert one.version == two.version != three.version


@pytest.mark.parametrize("text", ["select 1; select 2", "create table t as select 1", "select * from read_parquet('x.parquet')"])
def test_only_one_plain_select_over_tables_is_a_model(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match=r"x\.sql"):
        model(tmp_path, text)


@pytest.mark.parametrize("name", load_models())
def test_every_model_reads_tables_that_have_contracts(name: str) -> None:
    assert set(load_models()[name].dependencies) <= set(TABLES)
    assert load_models()[name].description


@pytest.mark.parametrize("name", [n for n, m in load_models().items() if m.layer != "tests"])
def test_every_model_makes_the_columns_of_its_contract_and_knows_their_lineage(name: str) -> None:
    columns = {table: {f.name: SQL_TYPES[str(f.type)] for f in c.arrow_schema} for table, c in TABLES.items()}
    lineage = column_lineage(load_models()[name], columns)
    assert list(lineage) == TABLES[name].arrow_schema.names


def test_column_lineage_reaches_the_source_columns() -> None:
    columns = {table: {f.name: SQL_TYPES[str(f.type)] for f in c.arrow_schema} for table, c in TABLES.items()}
    lineage = column_lineage(load_models()["fct_prices"], columns)
    assert {("stg_prices", "adjustment"), ("stg_actions", "value")} <= set(lineage["dividend"])
    assert set(lineage["traded_value"]) == {("stg_prices", "close"), ("stg_prices", "volume")}
