"""A night computes its own rows: what is extended through the warehouse equals what is made at once, to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as arrow
import pytest

import etf_pipeline.definitions  # noqa: F401  (registers every recipe)
from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.recipes import RECIPES, Tables
from etf_pipeline.schemas import TABLES, Contract
from etf_pipeline.warehouse import Warehouse

STEPS = ("scores", "scoring_record")
DAYS = pd.bdate_range("2021-06-01", "2022-06-30")
NIGHTS = ["2022-03-30", "2022-03-31", "2022-04-01", "2022-05-10"]
FUNDS = [f"F{k:02d}" for k in range(14)]
DEFAULT = {"string": "x", "double": 0.5, "int64": 21, "bool": True, "date32[day]": pd.Timestamp("2020-01-01")}
CATEGORY = {
    "asset_class": "equity",
    "currency": "USD",
    "exchange": "XNYS",
    "reason": "member",
    "candidate": "bull",
    "vintage": "first",
}


def table(contract: Contract, frame: pd.DataFrame) -> arrow.Table:
    """The frame with a harmless value in every column that nobody reads."""
    for field in contract.arrow_schema:
        if field.name not in frame:
            frame[field.name] = CATEGORY.get(field.name, DEFAULT.get(str(field.type)))
    return contract.to_arrow(frame)


@pytest.fixture(scope="module")
def everything() -> Tables:
    """Fourteen funds over a year; one ends, one begins, one rests for months."""
    rng = np.random.default_rng(11)
    key = pd.MultiIndex.from_product([FUNDS, DAYS], names=["ticker", "session"]).to_frame(index=False)
    day, fund = key["session"], key["ticker"]
    there = ~((fund == "F03") & (day > "2022-01-20")) & ~((fund == "F05") & (day < "2022-02-15"))
    key = key[there & ~((fund == "F07") & day.between("2021-09-01", "2022-03-15"))].reset_index(drop=True)
    n, ends = len(key), pd.to_datetime(pd.Series(DAYS, index=DAYS).shift(-22).reindex(key["session"]).to_numpy(), utc=True)
    regime = np.repeat(["bull", "bear", "sideways"], 40)[np.arange(len(DAYS)) % 120]
    frames = {
        "forecasts": key.assign(expected_return=rng.normal(0, 0.02, n), horizon=21),
        "features": key.assign(momentum_12_1=np.where(rng.random(n) < 0.1, np.nan, rng.normal(0, 0.3, n))),
        "volatilities": key.assign(volatility=rng.uniform(0.05, 0.4, n)),
        "liquidity": key.assign(daily_value=np.exp(rng.normal(17, 2, n)), reference_cost=rng.uniform(1e-4, 2e-3, n)),
        "regimes": pd.DataFrame({"session": DAYS, "regime": regime}),
        "regime_probabilities": pd.DataFrame({"session": DAYS, "stressed": rng.random(len(DAYS))}),
        "universe_membership": key.assign(member=rng.random(n) > 0.1),
        "macro_adjustments": key.assign(macro_multiplier=rng.uniform(0.5, 1.5, n), geo_multiplier=rng.uniform(0.5, 1.5, n)),
        "realised_errors": key.assign(
            realised_return=rng.normal(0, 0.05, n), available_at=pd.to_datetime(ends, utc=True)
        ).dropna(),
        "dim_etf": pd.DataFrame({"ticker": FUNDS, "asset_class": np.resize(["equity", "bond"], len(FUNDS))}),
    }
    inputs = {name for step in STEPS for name in RECIPES[step].inputs}
    return {name: table(TABLES[name], frame) for name, frame in frames.items() if name in inputs}


def until(name: str, whole: arrow.Table, night: str) -> arrow.Table:
    contract = TABLES[name]
    if name == "dim_etf":
        return whole
    known = pd.Timestamp(night).date() if contract.available == "session_close" else pd.Timestamp(night, tz="UTC")
    column = "session" if contract.available == "session_close" else contract.available
    return whole.filter(arrow.compute.less_equal(whole[column], arrow.scalar(known, whole.schema.field(column).type)))


def night_of(store: TableStore, run_id: str, tables: Tables, night: str) -> dict[str, str]:
    store.open_run(run_id, {})
    for name, whole in tables.items():
        store.write(run_id, name, {name: until(name, whole, night)})
    how = {}
    for step in STEPS:
        outcome = store.materialise(RECIPES[step], run_id)
        how[step] = "reused" if outcome.reused else "extended" if outcome.since else "whole"
    store.warehouse.finish_run(run_id, succeeded=True)
    return how


def test_nights_extend_and_equal_making_everything(everything: Tables, tmp_path: Path) -> None:
    nightly, at_once = TableStore(Warehouse(tmp_path / "nightly")), TableStore(Warehouse(tmp_path / "at once"))
    how = [night_of(nightly, f"night {i}", everything, night) for i, night in enumerate(NIGHTS)]
    night_of(at_once, "all", everything, NIGHTS[-1])
    for step in STEPS:
        assert nightly.read(step).equals(at_once.read(step)), step
    assert how[0] == dict.fromkeys(STEPS, "whole")
    assert how[1:] == [dict.fromkeys(STEPS, "extended")] * 3
