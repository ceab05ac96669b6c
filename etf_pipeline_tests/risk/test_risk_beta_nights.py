"""Nights of the beta tables in the warehouse: extending them equals making them at once, by content hash."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from pathlib import Path

import pandas as pd

import etf_pipeline.definitions  # noqa: F401  (registers every recipe)
from etf_pipeline import calendars
from etf_pipeline.orchestration.config import default_parameters
from etf_pipeline.orchestration.ingestion import ingest, known_from, stored_versions
from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.providers import RawMarket
from etf_pipeline.providers.simulated import SimulatedMarket
from etf_pipeline.recipes import RECIPES
from etf_pipeline.settings import Settings
from etf_pipeline.warehouse import Warehouse, content_hash

BETAS = ["betas", "conditional_betas", "multi_factor_betas", "beta_stability"]
NIGHTS = ["2022-12-28", "2022-12-30", "2023-01-03"]
"""An ordinary night, a year's end, and the first of the new year."""


def until(market: RawMarket, night: str) -> RawMarket:
    """What the source would have delivered after that session."""
    day = pd.Timestamp(night)
    known = calendars.closes("XNYS", pd.DatetimeIndex([day]))[0] + pd.Timedelta(hours=2)
    parts = {"actions": "available_at", "aum": "available_at", "macro": "available_at", "factors": "available_at"}
    parts |= {"ticker_history": "available_at", "lifecycle": "known_at"}
    cut = {name: getattr(market, name)[getattr(market, name)[column] <= known] for name, column in parts.items()}
    return replace(market, prices=market.prices[market.prices["session"] <= day], **cut)


def needed() -> list[str]:
    """The recipes that the beta tables rest on, each after those that make its inputs."""
    maker = {table: name for name, recipe in RECIPES.items() for table in recipe.outputs}
    graph: dict[str, set[str]] = {}
    waiting = list(BETAS)
    while waiting:
        name = waiting.pop()
        graph[name] = {maker[table] for table in RECIPES[name].inputs if table in maker}
        waiting += [other for other in graph[name] if other not in graph]
    return list(TopologicalSorter(graph).static_order())


def night_of(store: TableStore, run_id: str, market: RawMarket) -> dict[str, str]:
    settings = Settings(home=Path("unused"))
    stored = stored_versions(store, settings)
    known_from(store, stored)
    store.open_run(run_id, {})
    made = ingest(store, stored, market, settings, datetime(2024, 1, 1, tzinfo=UTC))
    store.write(run_id, "fetch", made.tables, extends=made.extends)
    how = {}
    for name in needed():
        kind = RECIPES[name].parameters
        outcome = store.materialise(RECIPES[name], run_id, default_parameters(kind, name, "demo") if kind else None)
        how[name] = "reused" if outcome.reused else "extended" if outcome.since else "whole"
    store.warehouse.finish_run(run_id, succeeded=True)
    return {name: how[name] for name in BETAS}


def test_a_night_extends_the_betas_and_equals_making_everything(tmp_path):
    nightly, at_once = (TableStore(Warehouse(tmp_path / name)) for name in ("nightly", "at once"))
    market = SimulatedMarket.for_profile("demo").fetch()
    for i, night in enumerate(NIGHTS):
        how = night_of(nightly, f"night {i}", until(market, night))
        if i:
            assert how == dict.fromkeys(BETAS, "extended")
    night_of(at_once, "all", until(market, NIGHTS[-1]))
    for name in BETAS:
        one, other = (content_hash(store.warehouse.read("risk", name)) for store in (nightly, at_once))
        assert one == other, name
