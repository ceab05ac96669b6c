"""A vendor restates its history: the restated funds are listed by SQL, and the run before is made again, value by value."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime

import pyarrow as arrow
import pytest

from etf_pipeline.orchestration.config import default_parameters
from etf_pipeline.orchestration.ingestion import ingest, stored_versions
from etf_pipeline.orchestration.reproduction import DIFFERENT, OTHER_CODE, SAME, Reproduced, reproduce
from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.providers.simulated import SimulatedMarket
from etf_pipeline.recipes import RECIPES
from etf_pipeline.settings import Settings
from etf_pipeline.warehouse import Warehouse

SEEN = datetime(2024, 7, 1, 22, tzinfo=UTC)


@pytest.fixture(scope="module")
def store(demo, tmp_path_factory) -> TableStore:
    """The demo run, and a night later in which the vendor gives another history."""
    home = tmp_path_factory.mktemp("restated")
    shutil.copytree(demo.home / "warehouse", home / "warehouse")
    store = TableStore(Warehouse(home / "warehouse"))
    settings = Settings(home=home, profile="demo")
    market = SimulatedMarket.for_profile("demo", restated=True)
    store.open_run("restated", {"provider": "simulated", "simulated": True})
    made = ingest(store, stored_versions(store, settings), market.fetch(), settings, SEEN)
    store.write("restated", "fetch", made.tables, extends=made.extends)
    for name in demo.order:
        recipe = RECIPES[name]
        store.materialise(recipe, "restated", default_parameters(recipe.parameters, name, "demo") if recipe.parameters else None)
    store.warehouse.finish_run("restated", succeeded=True)
    return store


def test_every_restatement_is_listed_by_sql_with_the_instant_it_was_seen(store):
    truth = SimulatedMarket.for_profile("demo", restated=True).truth().restatements
    listed = store.read("rpt_restatements").to_pylist()
    assert set(truth["ticker"]) - {"TLT"} == {row["ticker"] for row in listed}  # TLT's late bar is news of the run before
    assert {row["known_at"] for row in listed} == {SEEN}


def test_current_prices_say_which_bars_were_restated(store):
    rows = store.read("prices_current").to_pylist()
    restated = {(row["ticker"], row["restated_at"]) for row in rows if row["restated_at"]}
    assert restated == {("QQQ", SEEN)}  # EEM's bar was withdrawn, IWM's dividend is no price


def test_the_run_before_the_restatement_is_made_again_to_the_bit(store):
    made = reproduce(store, "demo")
    assert {one.table for one in made if one.verdict != SAME} == set()
    assert {"target_weights", "backtest_ledger", "forecasts", "tear_sheet"} <= {one.table for one in made}


def test_what_was_made_otherwise_is_told_from_what_other_code_made(store, monkeypatch):
    from dataclasses import replace

    recipe = RECIPES["regimes"]

    def shifted(*arguments: object) -> dict[str, arrow.Table]:
        table = recipe.run(*arguments)["regimes"]
        return {"regimes": table.slice(1)}

    told: list[Reproduced] = []
    monkeypatch.setitem(RECIPES, "regimes", replace(recipe, run=shifted))
    reproduce(store, "demo", told.append)
    verdicts = {one.table: one.verdict for one in told}
    assert verdicts["regimes"] == DIFFERENT
    assert verdicts["fct_returns"] == SAME
    monkeypatch.setitem(RECIPES, "regimes", replace(recipe, run=shifted, version="another"))
    assert {one.table: one.verdict for one in reproduce(store, "demo")}["regimes"] == OTHER_CODE
