"""Night after night: liquidity and spread estimates, extended, equal those made from nothing, to the bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as arrow
import pytest

import etf_pipeline.definitions  # noqa: F401  (registers every recipe)
from etf_pipeline import calendars
from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.recipes import RECIPES, Increment
from etf_pipeline.schemas import TABLES, from_arrow
from etf_pipeline.warehouse import Warehouse

MADE = ("liquidity", "spread_estimates")
NIGHTS = ("2022-12-30", "2023-01-03", "2023-01-31", "2023-05-31", "2023-06-01")
"""A year's end and begin, a month's end, a gap of months."""
KEY = ["session", "ticker"]


def bars(seed: int = 4) -> pd.DataFrame:
    """Eight funds over two years; one rests for months, so that its windows reach far behind everyone's."""
    rng = np.random.default_rng(seed)
    sessions = calendars.sessions("XNYS", "2021-07-01", "2023-06-30")
    frames = []
    for i in range(8):
        steps = rng.normal(0.0, 0.01, (len(sessions), 6)) + 0.001 * rng.choice([-1, 1], (len(sessions), 6))
        path = 40.0 * np.exp(np.cumsum(steps, axis=None).reshape(steps.shape))
        parts = {"open": path[:, 0], "high": path.max(axis=1), "low": path.min(axis=1), "close": path[:, -1]}
        frame = pd.DataFrame(
            {"session": sessions, "ticker": f"T{i}", **parts, "volume": np.exp(rng.normal(12, 1, len(sessions)))}
        )
        frame["total_return"] = frame["close"].pct_change()
        frames.append(frame[~frame["session"].between("2022-06-01", "2023-01-20")] if i == 3 else frame)
    return pd.concat(frames, ignore_index=True)


def filled(name: str, frame: pd.DataFrame, given: dict[str, object]) -> arrow.Table:
    """The table of that contract with these columns; what the recipes do not read is unknown, or zero where it may not be."""
    contract, out = TABLES[name], frame[KEY].copy()
    for column in contract.columns:
        if column not in out:
            nothing = {"bool": False, "string": "", "int64": 0}.get(str(contract.arrow_schema.field(column).type), np.nan)
            out[column] = given.get(column, nothing)
    return contract.to_arrow(out)


@pytest.fixture(scope="module")
def tables() -> dict[str, arrow.Table]:
    frame, rng = bars(), np.random.default_rng(5)
    names = ("open", "high", "low", "close", "volume")
    price = {x: frame[x] for x in names} | {"traded_value": frame["close"] * frame["volume"], "split_ratio": 1.0, "dividend": 0.0}
    indices = {"index_open": frame["open"], "index_close": frame["close"], "gap_days": 1}
    words = {"exchange": "XNYS", "currency": "USD", "adjustment": "split"}
    return {
        "fct_prices": filled("fct_prices", frame, price | words),
        "fct_returns": filled("fct_returns", frame, {"total_return": frame["total_return"]} | indices),
        "volatilities": filled("volatilities", frame, {"volatility": rng.uniform(0.1, 0.3, len(frame))}),
        "universe_membership": filled(
            "universe_membership", frame, {"reason": "member", "history_sessions": 1, "member": rng.random(len(frame)) > 0.2}
        ),
    }


def until(table: arrow.Table, night: str) -> arrow.Table:
    return table.filter(arrow.array((from_arrow(table)["session"] <= night).to_numpy()))


def made(folder: Path, tables: dict[str, arrow.Table], nights: tuple[str, ...], lookback: int | None = None) -> tuple[dict, dict]:  # type: ignore[type-arg]
    """What a store holds after these nights, and which tables the last of them extended."""
    store, how = TableStore(Warehouse(folder)), {}
    for night in nights:
        store.open_run(night, {})
        for name, table in tables.items():
            store.write(night, f"given {name}", {name: until(table, night)})
        for name in MADE:
            recipe = RECIPES[name]
            recipe = recipe if lookback is None else replace(recipe, increment=Increment(lookback=lookback))
            how[name] = store.materialise(recipe, night).since is not None
        store.warehouse.finish_run(night, succeeded=True)
    return {name: store.read(name) for name in MADE}, how


def test_nights_extend_and_equal_making_everything(tables, tmp_path):
    nightly, how = made(tmp_path / "nightly", tables, NIGHTS)
    at_once, _ = made(tmp_path / "at once", tables, NIGHTS[-1:])
    assert how == dict.fromkeys(MADE, True)
    for name in MADE:
        key = [(column, "ascending") for column in TABLES[name].key]
        assert nightly[name].sort_by(key).equals(at_once[name].sort_by(key)), name
        assert at_once[name].num_rows > 300
    assert from_arrow(at_once["spread_estimates"])["spread"].notna().mean() > 0.9


def test_a_shorter_look_back_would_be_caught(tables, tmp_path):
    nightly, _ = made(tmp_path / "nightly", tables, NIGHTS[:3], lookback=5)
    at_once, _ = made(tmp_path / "at once", tables, NIGHTS[2:3])
    assert not nightly["liquidity"].equals(at_once["liquidity"])
    assert nightly["spread_estimates"].num_rows < at_once["spread_estimates"].num_rows
