from __future__ import annotations

from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from etf_pipeline.errors import WarehouseError
from etf_pipeline.warehouse.chunks import seam, split


def panel(start: date, days: int, *, shift: float = 0.0) -> pa.Table:
    sessions = [start + timedelta(days=i) for i in range(days)]
    prices = [float(day.toordinal()) + shift for day in sessions]
    return pa.table({"session": sessions, "close": prices})


def test_closed_years_are_one_chunk_and_the_newest_year_is_cut_by_month():
    labels = [label for label, _ in split(panel(date(2022, 11, 1), 450), "session")]
    assert labels == ["2022", "2023", "2024-01"]


def test_rows_of_mixed_order_keep_their_order_inside_a_chunk():
    days = [date(2024, 2, 1), date(2023, 1, 1), date(2024, 2, 1), date(2023, 1, 2)]
    chunks = split(pa.table({"session": days, "n": [0, 1, 2, 3]}), "session")
    assert [(label, chunk.column("n").to_pylist()) for label, chunk in chunks] == [("2023", [1, 3]), ("2024-02", [0, 2])]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pa.table({"x": [1]}), "not among"),
        (pa.table({"session": ["2024-01-01"]}), "is string"),
        (pa.table({"session": pa.array([None], pa.date32())}), "null in 1 of 1"),
    ],
)
def test_a_table_is_cut_only_by_a_date_that_every_row_has(table, message):
    with pytest.raises(WarehouseError, match=message):
        split(table, "session")


def commit_panel(warehouse, run_id, table):
    warehouse.begin_run(run_id)
    staged = warehouse.stage("marts", "prices", table, chunk="session")
    warehouse.commit(run_id, "prices", [staged])
    warehouse.finish_run(run_id, succeeded=True)
    return staged


def test_appending_a_month_writes_only_that_month(warehouse):
    first = commit_panel(warehouse, "june", panel(date(2022, 1, 1), 900))  # to 2024-06-18
    second = commit_panel(warehouse, "july", panel(date(2022, 1, 1), 940))  # to 2024-07-28
    assert first.files_written == 8
    assert [file.chunk for file in second.files if file.file_id is None] == ["2024-06", "2024-07"]
    assert warehouse.read("marts", "prices").equals(panel(date(2022, 1, 1), 940))
    assert len(list(warehouse.home.rglob("*.parquet"))) == 10


def test_a_restated_day_writes_only_its_chunk(warehouse):
    table = panel(date(2022, 1, 1), 900)
    commit_panel(warehouse, "before", table)
    restated = pa.concat_tables([table.slice(0, 400), panel(date(2023, 2, 5), 1, shift=1.0), table.slice(401)])
    staged = commit_panel(warehouse, "after", restated)
    assert [file.chunk for file in staged.files if file.file_id is None] == ["2023"]
    assert warehouse.read("marts", "prices").equals(restated)
    assert warehouse.read("marts", "prices", at="before").equals(table)


def test_a_new_year_folds_the_months_of_the_old_one_once(warehouse):
    commit_panel(warehouse, "december", panel(date(2023, 1, 1), 365))
    folded = commit_panel(warehouse, "january", panel(date(2023, 1, 1), 366))
    assert [(file.chunk, file.rows) for file in folded.files] == [("2023", 365), ("2024-01", 1)]
    assert commit_panel(warehouse, "again", panel(date(2023, 1, 1), 366)).files_written == 0


@pytest.mark.parametrize("days", [905, 935, 1200])  # inside the month, over its end, over the year's end
def test_rows_joined_to_stored_chunks_are_the_version_that_writing_the_whole_makes(warehouse, days):
    table = panel(date(2022, 1, 1), days)
    first = commit_panel(warehouse, "before", panel(date(2022, 1, 1), 900))
    at = seam([file.chunk for file in first.files], date(2024, 6, 19), table["session"][-1].as_py())
    warehouse.begin_run("after")
    tail = table.filter(pc.greater_equal(table["session"], pa.scalar(at)))
    joined = warehouse.stage("marts", "prices", tail, chunk="session", onto=warehouse.head("marts", "prices"), since=at)
    warehouse.commit("after", "prices", [joined])
    assert warehouse.read("marts", "prices", run_id="after").equals(table)
    whole = warehouse.stage("marts", "prices", table, chunk="session")
    assert (joined.content_hash, joined.rows, 0) == (whole.content_hash, whole.rows, whole.files_written)


def test_equal_rows_have_equal_hashes_and_one_changed_value_another(warehouse):
    table = panel(date(2022, 1, 1), 900)
    staged = [
        warehouse.stage("marts", "prices", t, chunk="session") for t in (table, table, panel(date(2022, 1, 1), 900, shift=1e-9))
    ]
    hashes = [s.content_hash for s in staged]
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_chunk_whose_file_is_gone_is_written_again(warehouse):
    table = panel(date(2023, 1, 1), 100)
    lost = commit_panel(warehouse, "one", table).files[1]
    (warehouse.home / lost.path).unlink()
    assert [file.chunk for file in commit_panel(warehouse, "two", table).files if file.file_id is None] == ["2023-02"]
    assert warehouse.read("marts", "prices").equals(table)


def test_an_empty_table_can_be_cut_too(warehouse):
    empty = panel(date(2023, 1, 1), 5).slice(0, 0)
    commit_panel(warehouse, "none", empty)
    assert warehouse.read("marts", "prices").equals(empty)
