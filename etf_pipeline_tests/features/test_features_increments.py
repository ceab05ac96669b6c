"""Night after night on the simulated market: the market and the features, extended, equal those made from nothing, to the bit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as arrow
import pytest

from etf_pipeline.features import LOOKBACK
from etf_pipeline.orchestration.ingestion import ingest
from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.providers.simulated import SimulatedMarket
from etf_pipeline.recipes import RECIPES
from etf_pipeline.schemas import TABLES, from_arrow
from etf_pipeline.settings import Settings
from etf_pipeline.warehouse import Warehouse
from etf_pipeline_tests.conftest import recipe_order

MADE = ("market_returns", "features")
INPUTS = ("fct_prices", "fct_returns", "universe_membership")
NIGHTS = ("2023-11-30", "2023-12-01", "2023-12-29", "2024-01-02", "2024-05-31", "2024-06-03")
"""A month's end and begin, a year's end and begin, a gap of months."""


def resting(table: arrow.Table, ticker: str) -> arrow.Table:
    """The table where one fund has no bar for a year and a half, so that its windows reach far behind everyone's."""
    frame = table.to_pandas()
    days = pd.to_datetime(frame["session"])
    rests = (frame["ticker"] == ticker) & (days >= "2022-05-02") & (days < "2023-11-01")
    return table.filter(arrow.array(~rests.to_numpy()))


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, arrow.Table]:
    """What features read, made from the simulated market by the rooms before."""
    store, settings = TableStore(Warehouse(tmp_path_factory.mktemp("market"))), Settings(home=Path("unused"))
    store.open_run("made", {})
    market = SimulatedMarket.for_profile("demo").fetch()
    store.write("made", "fetch", ingest(store, {}, market, settings, datetime(2024, 7, 1, tzinfo=UTC)).tables)
    for name in recipe_order():
        if RECIPES[name].room in {"staging", "quality", "marts", "universe"}:
            store.materialise(RECIPES[name], "made")
    made = {name: store.read(name, "made") for name in INPUTS}
    ticker = sorted(set(made["fct_prices"]["ticker"].to_pylist()))[3]
    return {name: resting(table, ticker) for name, table in made.items()}


def until(table: arrow.Table, night: str) -> arrow.Table:
    return table.filter(arrow.array((from_arrow(table)["session"] <= night).to_numpy()))


@pytest.fixture
def stores(tmp_path: Path) -> tuple[TableStore, TableStore]:
    return TableStore(Warehouse(tmp_path / "nightly")), TableStore(Warehouse(tmp_path / "at once"))


def night_of(store: TableStore, run_id: str, tables: dict[str, arrow.Table]) -> dict[str, bool]:
    """Store the inputs and make both tables; which of them were extended."""
    store.open_run(run_id, {})
    for name, table in tables.items():
        store.write(run_id, f"given {name}", {name: table})
    extended = {name: store.materialise(RECIPES[name], run_id).since is not None for name in MADE}
    store.warehouse.finish_run(run_id, succeeded=True)
    return extended


def same(stores: tuple[TableStore, TableStore]) -> None:
    for name in MADE:
        one, other = (store.read(name) for store in stores)
        key = [(column, "ascending") for column in TABLES[name].key]
        assert one.sort_by(key).equals(other.sort_by(key)), name
        assert one.num_rows > 1000


def test_nights_extend_and_equal_making_everything(tables, stores):
    nightly, at_once = stores
    how = {}
    for night in NIGHTS:
        how = night_of(nightly, night, {name: until(table, night) for name, table in tables.items()})
    night_of(at_once, "all", {name: until(table, NIGHTS[-1]) for name, table in tables.items()})
    same(stores)
    assert how == dict.fromkeys(MADE, True)


def test_a_restated_return_of_one_fund_moves_the_market_of_all(tables, stores):
    nightly, at_once = stores
    night_of(nightly, "before", {name: until(table, NIGHTS[-2]) for name, table in tables.items()})
    frame = from_arrow(tables["fct_returns"])
    wrong = (frame["ticker"] == frame["ticker"].max()) & (frame["session"] == "2024-02-15")
    frame.loc[wrong, "total_return"] += 0.01
    restated = tables | {"fct_returns": TABLES["fct_returns"].to_arrow(frame)}
    how = night_of(nightly, "after", restated)
    night_of(at_once, "all", restated)
    same(stores)
    assert how == dict.fromkeys(MADE, True)


def test_a_shorter_lookback_would_be_caught(tables, stores):
    nightly, at_once = stores
    recipe = RECIPES["features"]
    short = replace(recipe, increment=replace(recipe.increment, lookback=LOOKBACK // 8))
    for night in NIGHTS[-2:]:
        nightly.open_run(night, {})
        for name, table in tables.items():
            nightly.write(night, f"given {name}", {name: until(table, night)})
        nightly.materialise(RECIPES["market_returns"], night)
        nightly.materialise(short, night)
        nightly.warehouse.finish_run(night, succeeded=True)
    night_of(at_once, "all", {name: until(table, NIGHTS[-1]) for name, table in tables.items()})
    with pytest.raises(AssertionError):
        same(stores)
