from __future__ import annotations

import pyarrow as pa
import pytest

from etf_pipeline.errors import NotMaterialised, WarehouseError

BETA, BOOK = ("risk", "beta"), ("portfolio", "book")


def one(value):
    return pa.table({"x": [value]})


def value(warehouse, name=BETA, **where):
    return warehouse.read(*name, **where).column("x")[0].as_py()


def test_a_run_sees_its_own_commits_and_nobody_else_does(warehouse, run):
    run("monday", {BETA: one(1)})
    warehouse.begin_run("tuesday")
    warehouse.commit("tuesday", "step", [warehouse.stage(*BETA, one(2))])
    warehouse.begin_run("bystander")
    assert value(warehouse, run_id="tuesday") == 2
    assert value(warehouse, run_id="bystander") == value(warehouse) == 1


def test_a_failed_runs_commits_are_never_visible_to_the_next_run_or_in_the_catalog(warehouse, run):
    run("monday", {BETA: one(1)})
    run("broken", {BETA: one(2), BOOK: one(2)}, succeeded=False)
    warehouse.begin_run("next")
    warehouse.publish()
    assert value(warehouse, run_id="next") == 1
    assert [version.name for version in warehouse.tables("next")] == [BETA]
    assert warehouse.query("select x from beta").to_pydict() == {"x": [1]}
    with pytest.raises(NotMaterialised, match="Run 'broken' made it but has failed"):
        warehouse.read(*BOOK, run_id="next")


def test_a_run_reads_one_state_whatever_finishes_beside_it(warehouse, run):
    run("monday", {BETA: one(1)})
    warehouse.begin_run("long")
    run("quick", {BETA: one(2), BOOK: one(2)})
    assert value(warehouse, run_id="long") == 1
    assert value(warehouse) == 2
    with pytest.raises(NotMaterialised, match="Run 'quick' made it later than this state"):
        warehouse.read(*BOOK, run_id="long")


def test_the_run_that_finishes_last_wins_though_it_committed_first(warehouse):
    for run_id, x in (("slow", 1), ("fast", 2)):
        warehouse.begin_run(run_id)
        warehouse.commit(run_id, "step", [warehouse.stage(*BETA, one(x))])
    warehouse.finish_run("fast", succeeded=True)
    warehouse.tag("before_slow", "fast")
    warehouse.finish_run("slow", succeeded=True)
    assert value(warehouse) == 1
    assert value(warehouse, at="before_slow") == value(warehouse, at="fast") == 2


def test_the_past_is_read_by_run_commit_and_tag(warehouse, run):
    commits = [run(f"run-{i}", {BETA: one(i)}).commit_id for i in range(4)]
    warehouse.tag("quarter", "run-1")
    warehouse.tag("same_quarter", "quarter")
    assert value(warehouse) == 3
    assert value(warehouse, at="run-2") == 2
    assert value(warehouse, at=commits[2]) == value(warehouse, at=str(commits[2])) == 2
    assert value(warehouse, at="quarter") == value(warehouse, at="same_quarter") == 1
    assert warehouse.tags() == {"quarter": commits[1], "same_quarter": commits[1]}


def test_a_past_commit_hides_what_its_own_run_did_later(warehouse):
    warehouse.begin_run("monday")
    first = warehouse.commit("monday", "one", [warehouse.stage(*BETA, one(1))])
    second = warehouse.commit("monday", "two", [warehouse.stage(*BETA, one(2)), warehouse.stage(*BOOK, one(2))])
    warehouse.finish_run("monday", succeeded=True)
    assert value(warehouse, at=first.commit_id) == 1
    assert warehouse.head(*BOOK, at=first.commit_id) is None
    assert value(warehouse, at=second.commit_id) == value(warehouse) == 2


def test_a_missing_table_says_what_is_there_and_what_to_do(warehouse, run):
    run("monday", {BETA: one(1)})
    assert warehouse.head(*BOOK) is None
    with pytest.raises(NotMaterialised, match=r"portfolio.book is needed.*'risk.beta'.*Materialise"):
        warehouse.read(*BOOK)


@pytest.mark.parametrize("at", ["nonsense", 77, "77"])
def test_an_unknown_past_is_named(warehouse, run, at):
    run("monday", {BETA: one(1)})
    with pytest.raises(WarehouseError, match=r"names no commit \(1 to 1\), tag \(none yet\) or run"):
        warehouse.read(*BETA, at=at)


def test_columns_are_chosen_by_name_and_order(warehouse, run):
    run("monday", {BETA: pa.table({"a": [1], "b": [2], "c": [3]})})
    assert warehouse.read(*BETA, columns=["c", "a"]).to_pydict() == {"c": [3], "a": [1]}
    with pytest.raises(WarehouseError, match=r"no columns \['z'\]; it has \['a', 'b', 'c'\]"):
        warehouse.read(*BETA, columns=["a", "z"])


def test_types_nulls_and_empty_tables_read_back_as_they_were(warehouse, run):
    table = pa.table(
        {
            "session": pa.array([1, None], pa.date32()),
            "known": pa.array([1, None], pa.timestamp("us", tz="UTC")),
            "kind": pa.array(["a", None]).dictionary_encode(),
            "weight": [0.5, float("nan")],
        },
        schema=None,
    )
    run("monday", {BETA: table, BOOK: table.slice(0, 0)})
    assert warehouse.read(*BETA).schema == table.schema
    assert warehouse.read(*BETA).slice(0, 1).equals(table.slice(0, 1))
    assert warehouse.read(*BOOK).schema == table.schema
    assert warehouse.read(*BOOK).num_rows == 0


def test_history_lists_versions_newest_first(warehouse, run):
    run("monday", {BETA: one(1), BOOK: one(1)})
    run("tuesday", {BETA: one(2)})
    assert [version.run_id for version in warehouse.versions("beta")] == ["tuesday", "monday"]
    assert [version.run_id for version in warehouse.versions("risk.beta")] == ["tuesday", "monday"]
    assert len(warehouse.versions()) == 3
