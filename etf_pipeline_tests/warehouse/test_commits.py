from __future__ import annotations

import pyarrow as pa
import pytest

from etf_pipeline.errors import Conflict, SchemaDrift, WarehouseError

BETA, BOOK = ("risk", "beta"), ("portfolio", "book")


def one(value, name="x"):
    return pa.table({name: [value]})


def test_all_tables_of_a_commit_appear_together(warehouse, run):
    commit = run("monday", {BETA: one(1.0), BOOK: one(2.0)})
    assert {version.commit_id for version in warehouse.tables()} == {commit.commit_id}
    assert [version.name for version in commit.versions] == [BETA, BOOK]


def test_one_bad_table_keeps_the_others_of_its_commit_out(warehouse, run):
    run("monday", {BETA: one(1.0)})
    warehouse.begin_run("tuesday")
    staged = [warehouse.stage(*BOOK, one(2.0)), warehouse.stage(*BETA, one("text"))]
    with pytest.raises(SchemaDrift):
        warehouse.commit("tuesday", "step", staged)
    warehouse.finish_run("tuesday", succeeded=True)
    assert [version.name for version in warehouse.tables()] == [BETA]
    assert warehouse.versions("book") == []


def test_the_retry_of_a_step_keeps_the_first_result(warehouse):
    warehouse.begin_run("monday")
    first = warehouse.commit("monday", "step", [warehouse.stage(*BETA, one(1.0))])
    assert warehouse.commit("monday", "step", [warehouse.stage(*BETA, one(99.0))]) == first
    warehouse.finish_run("monday", succeeded=True)
    assert warehouse.commit("monday", "step", [warehouse.stage(*BETA, one(99.0))]) == first
    assert warehouse.read(*BETA).equals(one(1.0))
    assert len(warehouse.versions()) == 1


def test_an_undeclared_change_of_columns_is_refused_naming_old_and_new(warehouse, run):
    run("monday", {BETA: one(1.0, "beta")})
    with pytest.raises(SchemaDrift, match=r"gone \(beta double\), new \(slope double\).*--accept-schema-change"):
        run("tuesday", {BETA: one(1.0, "slope")})
    assert warehouse.read(*BETA).column_names == ["beta"]


def test_a_declared_change_of_columns_is_accepted_and_both_are_read(warehouse, run):
    run("monday", {BETA: one(1.0, "beta")})
    run("tuesday", {BETA: one(2.0, "slope")}, schema_change=True)
    assert warehouse.read(*BETA).equals(one(2.0, "slope"))
    assert warehouse.read(*BETA, at="monday").equals(one(1.0, "beta"))


def test_who_commits_second_on_what_another_run_changed_is_refused(warehouse, run):
    seen = run("monday", {BETA: one(1.0)}).commit_id
    for run_id in ("left", "right"):
        warehouse.begin_run(run_id)
    warehouse.commit("left", "step", [warehouse.stage(*BETA, one(2.0))], expect={BETA: seen})
    staged = warehouse.stage(*BETA, one(3.0))
    with pytest.raises(Conflict, match="run 'left' \\(running\\)"):  # though `left` has not finished yet
        warehouse.commit("right", "step", [staged], expect={BETA: seen})
    warehouse.finish_run("left", succeeded=True)
    with pytest.raises(Conflict, match="run 'left' \\(succeeded\\)"):
        warehouse.commit("right", "step", [staged], expect={BETA: seen})
    assert warehouse.read(*BETA).equals(one(2.0))


def test_a_failed_run_does_not_stand_in_anybodys_way(warehouse, run):
    seen = run("monday", {BETA: one(1.0)}).commit_id
    run("broken", {BETA: one(2.0)}, succeeded=False)
    run("tuesday", {BETA: one(3.0)}, expect={BETA: seen})
    assert warehouse.read(*BETA).equals(one(3.0))


@pytest.mark.parametrize("expected", [None, 17])
def test_a_head_that_is_not_the_expected_one_is_a_conflict(run, expected):
    run("monday", {BETA: one(1.0)})
    with pytest.raises(Conflict, match=f"expected at commit {expected}"):
        run("tuesday", {BETA: one(2.0)}, expect={BETA: expected})


def test_a_table_that_must_not_exist_yet_is_expected_as_none(warehouse, run):
    run("monday", {BETA: one(1.0)}, expect={BETA: None})
    assert warehouse.read(*BETA).equals(one(1.0))


def test_unchanged_values_are_not_written_again(warehouse, run):
    run("monday", {BETA: one(1.0)})
    run("tuesday", {BETA: one(1.0)})
    assert len(list(warehouse.home.rglob("*.parquet"))) == 1
    assert len(warehouse.versions("beta")) == 2


def test_a_reused_step_keeps_its_content_and_writes_no_file(warehouse, run):
    first = run("monday", {BETA: one(1.0), BOOK: one(2.0)}, memo_key="abc", code_version="7", settings={"window": 60})
    before = sorted(warehouse.home.rglob("*.parquet"))
    warehouse.begin_run("tuesday")
    again = warehouse.reuse("tuesday", "step", [BETA, BOOK], "abc")
    warehouse.finish_run("tuesday", succeeded=True)
    assert again is not None
    assert again.commit_id > first.commit_id
    assert [v.content_hash for v in again.versions] == [v.content_hash for v in first.versions]
    assert (again.code_version, again.settings) == ("7", {"window": 60})
    assert warehouse.read(*BETA).equals(one(1.0))
    assert warehouse.head(*BETA) == again.versions[0]
    assert sorted(warehouse.home.rglob("*.parquet")) == before


def test_a_step_is_not_reused_under_another_key_or_if_a_table_or_file_is_missing(warehouse, run):
    run("monday", {BETA: one(1.0)}, memo_key="abc")
    warehouse.begin_run("tuesday")
    assert warehouse.reuse("tuesday", "step", [BETA], "another") is None
    assert warehouse.reuse("tuesday", "step", [BETA, BOOK], "abc") is None
    next(warehouse.home.rglob("*.parquet")).unlink()
    assert warehouse.reuse("tuesday", "step", [BETA], "abc") is None
    warehouse.commit("tuesday", "step", [warehouse.stage(*BETA, one(1.0))])
    assert warehouse.read(*BETA, run_id="tuesday").equals(one(1.0))


def test_what_a_failed_run_computed_is_not_reused(warehouse, run):
    run("broken", {BETA: one(1.0)}, memo_key="abc", succeeded=False)
    warehouse.begin_run("tuesday")
    assert warehouse.reuse("tuesday", "step", [BETA], "abc") is None


def test_the_retry_of_a_reused_step_is_a_no_op(warehouse, run):
    run("monday", {BETA: one(1.0)}, memo_key="abc")
    warehouse.begin_run("tuesday")
    assert warehouse.reuse("tuesday", "s", [BETA], "abc") == warehouse.reuse("tuesday", "s", [BETA], "abc")
    assert len(warehouse.versions()) == 2


def test_a_staged_table_whose_file_was_collected_must_be_staged_again(warehouse):
    warehouse.begin_run("monday")
    staged = warehouse.stage(*BETA, one(1.0))
    warehouse.gc(keep_days=0, grace_seconds=0)
    with pytest.raises(Conflict, match="Stage the table again"):
        warehouse.commit("monday", "step", [staged])
    assert warehouse.versions() == []


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda w, s: w.commit("nobody", "step", [s]), r"begin_run\('nobody'\)"),
        (lambda w, s: w.commit("done", "step", [s]), "succeeded at .* Begin a new run"),
        (lambda w, s: w.commit("open", "step", []), "one or more different tables"),
        (lambda w, s: w.commit("open", "step", [s, s]), "one or more different tables"),
        (lambda w, s: w.commit("open", "step", [s], inputs={BOOK: 5}), "holds no such table"),
        (lambda w, s: w.finish_run("done", succeeded=False), "cannot be marked failed"),
        (lambda w, s: w.stage("Risk", "beta", one(1.0)), "lower-case"),
        (lambda w, s: w.stage("main", "beta", one(1.0)), "belongs to DuckDB"),
        (lambda w, s: w.stage("risk", "../beta", one(1.0)), "lower-case"),
    ],
)
def test_what_makes_no_sense_is_refused_with_advice(warehouse, act, message):
    warehouse.begin_run("open")
    warehouse.begin_run("done")
    warehouse.finish_run("done", succeeded=True)
    staged = warehouse.stage(*BETA, one(1.0))
    with pytest.raises(WarehouseError, match=message):
        act(warehouse, staged)
    assert warehouse.versions() == []


def test_a_run_may_learn_its_labels_while_it_runs_and_not_afterwards(warehouse):
    warehouse.begin_run("monday", {"simulated": True})
    assert warehouse.label_run("monday", {"simulated": False}).labels == {"simulated": False}
    finished = warehouse.finish_run("monday", succeeded=True)
    assert warehouse.label_run("monday", {"simulated": False}) == finished
    with pytest.raises(WarehouseError, match="labelled anew"):
        warehouse.label_run("monday", {"simulated": True})
    with pytest.raises(WarehouseError):
        warehouse.label_run("tuesday", {})


def test_beginning_and_finishing_twice_changes_nothing(warehouse):
    begun = warehouse.begin_run("monday", {"simulated": True})
    assert warehouse.begin_run("monday", {"simulated": False}) == begun
    finished = warehouse.finish_run("monday", succeeded=True)
    assert warehouse.finish_run("monday", succeeded=True) == finished
    assert warehouse.begin_run("monday") == finished
    assert [(r.run_id, r.status, r.labels) for r in warehouse.runs()] == [("monday", "succeeded", {"simulated": True})]
