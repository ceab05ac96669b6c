from __future__ import annotations

import pyarrow as pa
import pytest

from etf_pipeline.errors import NotMaterialised

PRICES, BETA, VOLS, BOOK = ("raw", "prices"), ("risk", "beta"), ("risk", "vols"), ("portfolio", "book")


def one(value):
    return pa.table({"x": [value]})


@pytest.fixture
def night(warehouse):
    """prices -> beta, vols -> book, each with its own step, code and settings."""

    def whole_night(run_id, price):
        warehouse.begin_run(run_id, {"simulated": True})

        def step(name, value, *reads, **origin):
            inputs = {read: warehouse.head(*read, run_id).commit_id for read in reads}
            return warehouse.commit(run_id, name[1], [warehouse.stage(*name, one(value))], inputs=inputs, **origin).commit_id

        made = {
            PRICES: step(PRICES, price, note="closing prices"),
            BETA: step(BETA, price + 1, PRICES, code_version="beta-1"),
            VOLS: step(VOLS, price + 2, PRICES, settings={"halflife": 60}),
            BOOK: step(BOOK, price + 3, BETA, VOLS, code_version="book-3", settings={"cap": 0.15}),
        }
        warehouse.finish_run(run_id, succeeded=True)
        return made

    return whole_night


def test_the_tree_names_the_exact_versions_code_and_settings(warehouse, night):
    night("monday", 10)
    made = night("tuesday", 20)
    tree = warehouse.lineage(*BOOK)
    assert (tree.name, tree.commit_id, tree.run_id, tree.step_key) == (BOOK, made[BOOK], "tuesday", "book")
    assert (tree.code_version, tree.settings, tree.labels) == ("book-3", {"cap": 0.15}, {"simulated": True})
    assert tree.content_hash == warehouse.content_hash(*BOOK)
    assert [(node.name, node.commit_id) for node in tree.inputs] == [(BETA, made[BETA]), (VOLS, made[VOLS])]
    assert tree.inputs[1].settings == {"halflife": 60}
    assert tree.inputs[0].inputs[0] is tree.inputs[1].inputs[0]  # one version, one node
    assert [node.name for node in tree.walk()] == [BOOK, BETA, VOLS, PRICES]
    assert [node.note for node in tree.walk()][-1] == "closing prices"


def test_the_tree_of_an_earlier_run_is_the_earlier_one(warehouse, night):
    made = night("monday", 10)
    night("tuesday", 20)
    assert {node.name: node.commit_id for node in warehouse.lineage(*BOOK, at="monday").walk()} == made


def test_a_version_that_was_read_is_named_though_a_newer_one_is_visible_now(warehouse, night, run):
    made = night("monday", 10)
    run("restated", {PRICES: one(11)})
    assert [node.commit_id for node in warehouse.lineage(*BETA).inputs] == [made[PRICES]]


def test_the_text_shows_every_version_once(warehouse, night):
    night("monday", 10)
    lines = warehouse.lineage(*BOOK).render().splitlines()
    assert [line.split(" @")[0] for line in lines] == [
        "portfolio.book",
        "├── risk.beta",
        "│   └── raw.prices",
        "└── risk.vols",
        "    └── raw.prices",
    ]
    assert 'settings {"cap": 0.15}' in lines[0]


def test_a_dropped_version_still_says_who_made_it(warehouse, night, run, clock):
    made = night("monday", 10)
    run("restated", {PRICES: one(11)})
    clock.advance(days=91)
    warehouse.gc()
    prices = warehouse.lineage(*BETA).inputs[0]
    assert (prices.commit_id, prices.run_id, prices.rows, prices.kept) == (made[PRICES], "monday", 1, False)
    assert "dropped by gc" in warehouse.lineage(*BETA).render()


def test_a_reused_step_reads_what_it_would_have_read_now(warehouse, run):
    first = run("monday", {PRICES: one(1)}, memo_key="p").commit_id
    run("monday-beta", {BETA: one(2)}, inputs={PRICES: first}, memo_key="b")
    warehouse.begin_run("tuesday")
    again = warehouse.reuse("tuesday", "prices", [PRICES], "p")
    warehouse.reuse("tuesday", "beta", [BETA], "b", inputs={PRICES: again.commit_id})
    tree = warehouse.lineage(*BETA, run_id="tuesday")
    assert tree.note == "reused from commit 2"
    assert [node.commit_id for node in tree.inputs] == [again.commit_id]


def test_a_table_that_is_not_there_has_no_lineage(warehouse):
    with pytest.raises(NotMaterialised, match=r"risk.beta"):
        warehouse.lineage(*BETA)
