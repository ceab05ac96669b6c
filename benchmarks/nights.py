"""Nights of risk, regimes, macro and scores over 3,000 funds and 20 years: CPU and memory of each step, whole and one night more.

Features, forecasts, their outcomes, liquidity and weights come from rooms that are not measured here; in their place stand tables
of the same shape whose numbers are drawn. The second column is the same work made as if nothing were there. Run as
``python -m benchmarks.nights``.
"""

from __future__ import annotations

import ctypes
import gc
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as arrow

from benchmarks.ingest import SETTINGS, STEPS, market
from etf_pipeline import calendars
from etf_pipeline.orchestration.ingestion import ingest, stored_versions
from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.providers import RawMarket
from etf_pipeline.providers.simulated.scale import LargeMarket
from etf_pipeline.recipes import RECIPES
from etf_pipeline.schemas import TABLES
from etf_pipeline.schemas.contract import to_polars
from etf_pipeline.universe import ScreenParameters
from etf_pipeline.warehouse import Warehouse

ROOMS = ("risk", "regimes", "macro", "scoring")
NIGHTS = {"warm": "2023-12-27", "night": "2023-12-28", "year end": "2023-12-29", "month end": "2024-01-31"}
"""Sessions after the first build; the last one brings a month at once."""
FIRST = "2023-12-26"
HORIZON = 21
"""Sessions of the forecasts that stand in."""
NAMED = {"SPY": 0, "AGG": 1, "IEF": 1, "HYG": 1, "DBC": 2, "GLD": 2, "VNQ": 3}
"""Funds that settings name, and the class (by number of the fund) of the one that takes its name: one that traded throughout."""
ALL = ScreenParameters(min_volume=0.0, min_traded_value=0.0, min_aum=0.0)
"""Every living fund with a year's bars is a member: the most that these rooms can meet."""
MEASURED = Path("/proc/self")
GIB = 2**30


@dataclass(frozen=True)
class Cost:
    """What one step took: seconds of CPU on all cores, the most memory in use [bytes], and how it was done."""

    seconds: float
    peak: int
    how: str


def named(brought: RawMarket, names: dict[str, str]) -> RawMarket:
    """A market in which some funds have the names that settings speak of."""
    frames = {
        field: getattr(brought, field).replace({"ticker": names})
        if "ticker" in getattr(brought, field)
        else getattr(brought, field)
        for field in ("prices", "actions", "reference", "aum")
    }
    return replace(brought, **frames)


def names(large: LargeMarket) -> dict[str, str]:
    """Which funds take the names: the first of their class that trade from the first session to the last."""
    prices = to_polars(large.tables()["raw_prices"]).select("ticker", "session")
    lives = prices.group_by("ticker").agg(n=pl.len()).filter(pl.col("n") == len(large.sessions)).sort("ticker")["ticker"]
    number = {ticker: _number(ticker) % 4 for ticker in lives}
    found: dict[str, str] = {}
    for name, kind in NAMED.items():
        found[next(ticker for ticker in lives if number[ticker] == kind and ticker not in found)] = name
    return found


def _number(ticker: str) -> int:
    return sum((ord(letter) - ord("A")) * 26**i for i, letter in enumerate(reversed(ticker[1:])))


def ingested(store: TableStore, run_id: str, brought: RawMarket) -> None:
    """Everything from the source to who is a member: what `benchmarks.ingest` measures."""
    stored = stored_versions(store, SETTINGS)
    store.open_run(run_id, {})
    made = ingest(store, stored, brought, SETTINGS, datetime(2024, 7, 1, tzinfo=UTC))
    store.write(run_id, "fetch", made.tables, extends=made.extends)
    for name in STEPS:
        store.materialise(RECIPES[name], run_id, ALL if name == "universe_membership" else None)
    store.warehouse.finish_run(run_id, succeeded=True)


def steps() -> list[str]:
    """Recipes of the rooms, each after those that it reads."""
    wanted = {name: recipe for name, recipe in RECIPES.items() if recipe.room in ROOMS}
    maker = {table: name for name, recipe in wanted.items() for table in recipe.outputs}
    graph = {name: {maker[table] for table in recipe.inputs if table in maker} for name, recipe in wanted.items()}
    return list(TopologicalSorter(graph).static_order())


def rooms(store: TableStore, run_id: str) -> dict[str, Cost]:
    """Cost of every step in one run."""
    store.open_run(run_id, {})
    costs = {}
    for name in steps():
        _fresh()
        start = time.process_time()
        outcome = store.materialise(RECIPES[name], run_id)
        how = "reused" if outcome.reused else f"from {outcome.since}" if outcome.since else "whole"
        del outcome
        costs[name] = Cost(time.process_time() - start, _peak(), how)
        print(f"    {run_id:<10} {name:<24} {costs[name].seconds:7.2f} s  {costs[name].peak / GIB:5.2f} GiB  {how}", flush=True)
    store.warehouse.finish_run(run_id, succeeded=True)
    return costs


def _fresh() -> None:
    """Give memory back and forget the highest mark, where the system keeps one."""
    gc.collect()
    if MEASURED.exists():
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        (MEASURED / "clear_refs").write_text("5")


def _peak() -> int:
    """Most memory in use since `_fresh`; 0 where the system does not tell. [bytes]"""
    if not MEASURED.exists():
        return 0
    line = next(line for line in (MEASURED / "status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def stand_ins(store: TableStore, run_id: str) -> None:
    """Write the tables of other rooms: every number is drawn from its fund and session alone, so that the past stays."""
    store.open_run(run_id, {})
    rows = to_polars(store.warehouse.read("universe", "universe_membership", columns=("session", "ticker", "member")))
    rows = rows.sort("ticker", "session")
    members = rows.filter("member")
    for name, frame in {
        "features": rows.select("session", "ticker", momentum_12_1=_normal(1) * 0.2),
        "liquidity": rows.select(
            "session", "ticker", daily_value=(_normal(2) + 14).exp(), reference_cost=(_normal(3) * 0.5 - 7).exp()
        ),
        "forecasts": members.select(
            "session", "ticker", horizon=pl.lit(HORIZON, pl.Int64), raw_forecast=_normal(4) * 0.02,
            expected_return=_normal(4) * 0.02, spread=pl.lit(0.01),
        ),
        "realised_errors": _outcomes(members),
        "target_weights": _weights(members),
    }.items():  # fmt: skip
        store.write(run_id, name, {name: _complete(name, frame)})
    store.warehouse.finish_run(run_id, succeeded=True)


def _normal(seed: int) -> pl.Expr:
    """Nearly normal numbers from the key: the sum of twelve uniform ones."""
    key = pl.concat_str("ticker", pl.col("session").cast(pl.String))
    uniform = [(key.hash(12 * seed + i) % 65_536).cast(pl.Float64) / 65_536 for i in range(12)]
    return pl.sum_horizontal(uniform) - 6.0


def _outcomes(members: pl.DataFrame) -> pl.DataFrame:
    days = members["session"].unique().sort()
    closes = calendars.closes("XNYS", pd.DatetimeIndex(days.to_numpy()).as_unit("ns")).dt.tz_localize(None)
    instants = pl.Series(closes.to_numpy(dtype="datetime64[us]")[HORIZON + 1 :]).dt.replace_time_zone("UTC")
    known = pl.DataFrame({"session": days[: -HORIZON - 1], "available_at": instants})
    drawn = members.join(known, on="session").sort("ticker", "session")
    return drawn.select(
        "session", "ticker", realised_return=_normal(5) * 0.04, raw_error=_normal(5) * 0.02, error=_normal(5) * 0.02,
        available_at="available_at",
    )  # fmt: skip


def _weights(members: pl.DataFrame) -> pl.DataFrame:
    ends = members.group_by(pl.col("session").dt.truncate("1mo")).agg(pl.col("session").max().alias("end"))["end"]
    ends = ends.filter(ends < members["session"].max())
    held = members.filter(pl.col("session").is_in(ends.implode())).group_by("session", maintain_order=True).head(20)
    held = held.with_columns(weight=1.0 / pl.len().over("session"))
    kept = held.select("session", "ticker", "weight", previous_weight="weight", cost=pl.lit(0.0))
    return pl.concat([kept.with_columns(strategy=pl.lit(s)) for s in ("equal_weight", "max_sharpe", "risk_parity")])


def _complete(name: str, frame: pl.DataFrame) -> arrow.Table:
    """The table's columns, unknown where nothing was drawn; one array of unknowns serves them all."""
    contract = TABLES[name]
    given = frame.to_arrow()
    unknown = {
        field.type: arrow.nulls(len(given), field.type) for field in contract.arrow_schema if field.name not in frame.columns
    }
    columns = [given[f.name].cast(f.type) if f.name in frame.columns else unknown[f.type] for f in contract.arrow_schema]
    return contract.in_key_order(arrow.Table.from_arrays(columns, schema=contract.arrow_schema))


def run(tickers: int = 3_000, years: int = 20, folder: str | None = None) -> list[dict[str, Any]]:
    """Rows for ``data/benchmarks.json``."""
    large = LargeMarket(tickers=tickers, years=years)
    called = names(large)
    with tempfile.TemporaryDirectory() as temporary:
        store = TableStore(Warehouse(Path(folder or temporary)))
        costs = {}
        for name, day in {"whole": FIRST, **NIGHTS}.items():
            since = str(np.datetime64(day) - 40) if name != "whole" else None
            ingested(store, f"{name} market", named(market(large, day, since), called))
            stand_ins(store, f"{name} others")
            costs[name] = rooms(store, name)
    return report(costs, f"{tickers} funds x {years} years")


def report(costs: dict[str, dict[str, Cost]], size: str) -> list[dict[str, Any]]:
    """Totals by night, beside making everything."""
    whole = sum(cost.seconds for cost in costs["whole"].values())
    rows = []
    for name in ("night", "month end", "year end"):
        seconds = sum(cost.seconds for cost in costs[name].values())
        peak = max(cost.peak for cost in costs[name].values())
        rows.append(
            {
                "name": f"risk, regimes, macro, scores: {name}, {size}",
                "ours_s": seconds, "peer_s": whole, "ratio": whole / seconds,
                "accuracy": 0.0, "gate": 0.0, "n": 1,
                "note": f"seconds of CPU, {peak / GIB:.1f} GiB at most; the second column makes everything anew",
            }
        )  # fmt: skip
    return rows


if __name__ == "__main__":
    for row in run():
        print(row)
