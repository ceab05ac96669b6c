"""Checks that ride in the step of the table they guard, SQL tests, and the causality check of the latest run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
import pyarrow as arrow
import pyarrow.compute as pc

from etf_pipeline import calendars
from etf_pipeline.causality import verify
from etf_pipeline.code_version import code_version
from etf_pipeline.conventions import CASH
from etf_pipeline.orchestration.resources import settings, store
from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.portfolio.optimizer import BENCHMARKS, NO_RULE, OPTIMIZERS
from etf_pipeline.recipes import RECIPES, Recipe, columns_of, run_sql
from etf_pipeline.schemas import TABLES, from_arrow
from etf_pipeline.sql_models import SqlModel

Verdict = tuple[bool, dict[str, Any]]
VERIFIER = code_version(verify)
CAUSALITY_SESSIONS = 260
"""How far before the last session the check cuts: about a year, so that one yearly refit lies behind the cut. [sessions]"""


@dataclass(frozen=True)
class RoomCheck:
    """A check of one table's content.

    Attributes
    ----------
    name, description : str
        What it is called and what it claims.
    blocking : bool
        Whether a failure stops the run.
    run : callable
        From the Arrow table to (passed, facts).
    """

    name: str
    description: str
    blocking: bool
    run: Callable[[arrow.Table], Verdict]


BOUNDED = tuple(name + ending for name in sorted(set(OPTIMIZERS) - BENCHMARKS) for ending in ("", NO_RULE))
"""Strategies under the room's own bounds."""


def weight_limits(table: arrow.Table) -> Verdict:
    """Weights sum to one; of the optimised strategies every fund that is traded weighs nothing or 2 % to 15 %.

    What stands untouched may have drifted; equal weights and mandates have bounds of their own.
    """
    frame = from_arrow(table)
    total = frame.groupby(["strategy", "session"])["weight"].sum()
    funds = frame[(frame["ticker"] != CASH) & (frame["weight"] > 0) & frame["strategy"].isin(BOUNDED)]
    funds = funds[(funds["weight"] - funds["previous_weight"]).abs() > 1e-9]
    outside = funds[(funds["weight"] < 0.02 - 1e-6) | (funds["weight"] > 0.15 + 1e-6)]
    worst = float((total - 1).abs().max())
    facts = {
        "largest_gap_to_one": worst,
        "outside_limits": len(outside),
        "largest_weight": float(funds["weight"].max()) if len(funds) else 0.0,
    }
    return worst < 1e-8 and outside.empty, facts


def ledger_identity(table: arrow.Table) -> Verdict:
    """Net asset value equals cash, receivables and holdings, every session, to 1e-10."""
    worst = float(np.abs(table["identity_error"].to_numpy()).max())
    return worst <= 1e-10, {"largest_identity_error": worst}


def quarantine_share(table: arrow.Table) -> Verdict:
    """Which rows were refused; the share that stops a run is a SQL test."""
    rules = table["rule"].value_counts().to_pylist()
    return True, {"refused_rows": table.num_rows, "rules": {entry["values"]: entry["counts"] for entry in rules}}


def fallbacks(table: arrow.Table) -> Verdict:
    """How often the optimiser had to fall back, and why."""
    frame = from_arrow(table)
    fallen = frame[frame["status"] != "optimal"]
    latest = fallen[fallen["session"] == frame["session"].max()]
    counts = fallen["status"].value_counts().to_dict()
    return latest.empty, {"fallbacks": {str(k): int(v) for k, v in counts.items()}, "latest": latest["reason"].tolist()}


ROOM_CHECKS: dict[str, list[RoomCheck]] = {
    "target_weights": [
        RoomCheck("limits", "Weights sum to one; optimised funds weigh nothing or 2 % to 15 %.", True, weight_limits)
    ],
    "backtest_ledger": [
        RoomCheck("identity", "nav = cash + receivables + holdings to 1e-10, every session.", True, ledger_identity)
    ],
    "quarantine": [RoomCheck("refused", "Rows refused, by rule.", False, quarantine_share)],
    "optimizer_solutions": [RoomCheck("fallbacks", "The newest portfolios were solved without a fall-back.", False, fallbacks)],
}


def sql_test(model: SqlModel) -> dg.AssetChecksDefinition:
    """A SQL file of rows that must not exist, as a blocking check of the table that its file name begins with."""
    target = max((name for name in model.dependencies if model.name.startswith(name)), key=len, default=model.dependencies[0])

    @dg.asset_check(
        asset=target,
        name=model.name.removeprefix(f"{target}__"),
        description=model.description,
        blocking=True,
        additional_deps=[name for name in model.dependencies if name != target],
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        tables = store()
        inputs = tables.read_for(columns_of(model), model.dependencies, context.run.run_id)
        rows = run_sql(model.sql, inputs)
        first = [str(row) for row in rows.slice(0, 5).to_pylist()]
        return dg.AssetCheckResult(passed=rows.num_rows == 0, metadata={"rows": rows.num_rows, "first": first})

    return check


def causality_check(recipe: Recipe) -> dg.AssetChecksDefinition:
    """Cut the last year off a recipe's inputs, compute again, and compare everything that was known by then."""
    name = recipe.outputs[0]

    @dg.asset_check(
        asset=name,
        name="causality",
        description="With the last year of its inputs cut off, every row known before the cut is the same to 1e-12.",
        blocking=True,
        additional_deps=list(recipe.outputs[1:]),
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        tables = store()
        found, facts = causality_of(tables, recipe, context.run.run_id)
        return dg.AssetCheckResult(passed=not found, metadata={**facts, "differences": found[:10]})

    return check


def causality_of(tables: TableStore, recipe: Recipe, run_id: str | None) -> tuple[list[str], dict[str, Any]]:
    """Differences between a recipe's tables and the same made from a cut past; a verdict is kept by content."""
    head = tables.head(recipe.outputs[0], run_id)
    key = f"{head.memo_key or head.content_hash}-{CAUSALITY_SESSIONS}-{VERIFIER}" if head else ""
    kept = tables.warehouse.cache.get("causality", key)
    if kept is not None:
        return kept["difference"].to_pylist(), {"cut": kept.schema.metadata.get(b"cut", b"").decode(), "reused": True}
    inputs = {name: tables.read(name, run_id) for name in recipe.inputs}
    made = {name: tables.read(name, run_id) for name in recipe.outputs}
    cut = _cut(made | inputs)
    parameters = parameters_of(tables, recipe, run_id)
    found = verify(
        recipe,
        inputs,
        made,
        cut,
        mode="truncate",
        parameters=parameters,
        exchange=settings().exchange,
        cache=tables.warehouse.cache,
    )
    verdict = arrow.table({"difference": arrow.array(found, arrow.string())}).replace_schema_metadata({"cut": str(cut.date())})
    tables.warehouse.cache.put("causality", key, verdict)
    return found, {"cut": str(cut.date()), "reused": False}


def parameters_of(tables: TableStore, recipe: Recipe, run_id: str | None) -> Any:
    """The parameters that the visible tables of a recipe were made with."""
    if recipe.parameters is None:
        return None
    stored = tables.warehouse.lineage(recipe.room, recipe.outputs[0], run_id=run_id).settings or {}
    return recipe.parameters(**{name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()})


def _cut(tables: dict[str, arrow.Table]) -> pd.Timestamp:
    """About a year before the end, or the middle of a short history; counted in the data's own sessions, or ex-dates where no
    table has sessions, so that a stray date in the year 2999 moves the cut by one of them."""
    filled = [t for name, t in tables.items() if t.num_rows and name != "raw_sessions"]
    dated = [t["session"] for t in filled if "session" in t.schema.names]
    dated = dated or [t["ex_date"] for t in filled if "ex_date" in t.schema.names]
    if not dated:  # nothing has a date, so that any cut leaves nothing
        return pd.Timestamp(calendars.FIRST_SESSION)
    found = np.unique(np.concatenate([pc.unique(column.drop_null()).to_numpy(zero_copy_only=False) for column in dated]))
    days = calendars.sessions(settings().exchange, calendars.FIRST_SESSION, pd.Timestamp(found[-1]))
    days = days[np.isin(days.to_numpy().astype("datetime64[D]"), found)]
    return days[max(len(days) // 2, len(days) - CAUSALITY_SESSIONS)]


def causal_recipes() -> list[Recipe]:
    """Recipes that promise causality."""
    return [r for r in RECIPES.values() if any(TABLES[name].causality in ("causal", "realised") for name in r.outputs)]
