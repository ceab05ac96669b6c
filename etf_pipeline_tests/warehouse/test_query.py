from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from etf_pipeline.errors import NotMaterialised, WarehouseError

BETA, BOOK = ("risk", "beta"), ("portfolio", "book")


def test_sql_sees_what_its_run_sees(warehouse, run):
    run("monday", {BETA: pa.table({"x": [1]})})
    warehouse.begin_run("tuesday")
    warehouse.commit("tuesday", "step", [warehouse.stage(*BETA, pa.table({"x": [2]}))])
    assert warehouse.query("select x from risk.beta", "tuesday").to_pydict() == {"x": [2]}
    assert warehouse.query("select x from beta").to_pydict() == {"x": [1]}
    assert warehouse.query("select x from beta", at="tuesday").to_pydict() == {"x": [2]}


def test_only_the_tables_that_are_named_are_offered(warehouse, run):
    run("monday", {BETA: pa.table({"x": [1]}), BOOK: pa.table({"x": [1]})})
    for name in ("beta", "risk.beta", BETA):
        assert warehouse.query("select x from beta", tables=[name]).num_rows == 1
        with pytest.raises(WarehouseError, match=r"over \['risk.beta'\]"):
            warehouse.query("select x from book", tables=[name])
    with pytest.raises(NotMaterialised, match=r"\['weights'\].*Materialise"):
        warehouse.query("select 1", tables=["beta", "weights"])


def test_instants_stay_in_utc_and_sums_are_the_same_bit_for_bit(warehouse, run):
    values = np.random.default_rng(5).lognormal(size=300_000) * 10.0 ** np.random.default_rng(6).integers(-8, 8, 300_000)
    run("monday", {BETA: pa.table({"x": values, "known": pa.array([0] * 300_000, pa.timestamp("us", tz="UTC"))})})
    sql = "select sum(x) as total, max(known) as last, cast(max(known) as varchar) as text from beta"
    results = [warehouse.query(sql) for _ in range(5)]
    assert all(result.equals(results[0]) for result in results)
    assert results[0].schema.field("last").type == pa.timestamp("us", tz="UTC")
    assert results[0].column("text")[0].as_py() == "1970-01-01 00:00:00+00"


def test_failing_sql_is_shown_with_its_error(warehouse):
    with pytest.raises(WarehouseError, match=r"(?s)syntax error.*selec 1"):
        warehouse.query("selec 1")
