"""Extending a table instead of making it anew: only rows from the first changed day on are computed, and joined to what is there.

It rests on the promise that every table here keeps: a causal row does not change with what comes after it. So where code and
settings are the same, and every input is what it was up to some day, the outputs up to that day stand as they are.

1. Each input's present version is held against the one that the outputs were made from: the first changed day (`changed_since`).
2. The earliest of them is moved back to where the stored chunks can be joined (`chunks.seam`).
3. Inputs are read from there on, with the recipe's look-back before (`windows`), and the recipe runs on them.
4. Its rows from the day on follow the stored ones.

Anything unusual (another code, a change that has no date, a new table) gives None, and everything is computed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl
import pyarrow as arrow

from etf_pipeline.recipes import BEFORE, Increment, Recipe
from etf_pipeline.schemas import TABLES, Contract
from etf_pipeline.schemas.contract import to_polars
from etf_pipeline.warehouse import Version, Warehouse
from etf_pipeline.warehouse.chunks import begins, ends, seam, within
from etf_pipeline.warehouse.records import schema_hash

NEVER = date.max
"""An input that did not change."""


@dataclass(frozen=True)
class Extension:
    """Which versions are extended, from which day on, and the first day that changed: not before it."""

    onto: Mapping[str, Version]
    since: date
    first: date = NEVER


def extension(
    warehouse: Warehouse, recipe: Recipe, onto: Mapping[str, Version], now: Mapping[str, Version], settings: Mapping[str, object]
) -> Extension | None:
    """Whether a recipe's visible outputs may be extended, and from when.

    Parameters
    ----------
    onto, now : mapping of str to Version
        Outputs as they are, and inputs as the run sees them, by table.
    settings : mapping
        Parameters of the recipe, as plain values.

    Returns
    -------
    Extension or None
        None where everything must be computed.
    """
    if recipe.increment is None or len(onto) < len(recipe.outputs) or len(now) < len(recipe.inputs):
        return None
    made_from, made_with = warehouse.origin_of(onto[recipe.outputs[0]])
    earlier = {name: version for (_, name), version in made_from.items()}
    if set(earlier) != set(recipe.inputs) or _json(made_with or {}) != _json(settings):
        return None
    if any(v.code_version != recipe.version or v.schema_hash != _schema(name) for name, v in onto.items()):
        return None
    changes = [changed_since(warehouse, recipe.increment, name, earlier[name], now[name]) for name in recipe.inputs]
    days = [change.since for change in changes if change is not None]
    first = min(days, default=NEVER)
    if len(days) < len(changes) or first == NEVER:
        return None
    gained = set().union(*(change.gained for change in changes if change is not None))
    if gained and any(_has_rows_of(warehouse, TABLES[name], earlier[name], gained) for name in earlier if TABLES[name].chunk):
        return None
    return _joined(warehouse, recipe, onto, now, first)


def _has_rows_of(warehouse: Warehouse, contract: Contract, version: Version, funds: set[str]) -> bool:
    if _group(contract) != "ticker":
        return False
    return bool(set(warehouse.read_version(version, ["ticker"])["ticker"].unique().to_pylist()) & funds)


def _joined(
    warehouse: Warehouse, recipe: Recipe, onto: Mapping[str, Version], now: Mapping[str, Version], first: date
) -> Extension | None:
    """The extension from where the chunks of every output can be joined."""
    begun = [begins(file.chunk) for name in now for file in warehouse.files_of(now[name])]
    last = max([day for day in begun if day is not None], default=first)
    since = first
    for name, version in onto.items():
        if TABLES[name].chunk:
            joint = seam([file.chunk for file in warehouse.files_of(version)], first, max(first, last))
            if joint is None:
                return None
            since = min(since, joint)
    return Extension(dict(onto), since, first)


def quiet(warehouse: Warehouse, step: Extension) -> Extension | None:
    """The extension from the first changed day, where no stored row lies on it or later: months' ends, between two of them.

    If no row is made since then either, the stored chunks stand as they are and need not be joined. None where rows are stored.
    """
    chunked = [version for name, version in step.onto.items() if TABLES[name].chunk]
    stored = [ends(file.chunk) for version in chunked for file in warehouse.files_of(version)]
    last = [day for day in stored if day is not None]
    if not chunked or len(last) < len(stored) or max(last, default=step.first) > step.first:
        return None
    return Extension(step.onto, step.first, step.first)


def _json(settings: Mapping[str, object]) -> str:
    return json.dumps(dict(settings), sort_keys=True, default=str)


def _schema(name: str) -> str:
    return schema_hash(TABLES[name].arrow_schema)


@dataclass(frozen=True)
class Change:
    """How two versions of an input differ: from which day on (`NEVER` if not), and the funds that an undated one has gained."""

    since: date
    gained: frozenset[str] = frozenset()


def changed_since(warehouse: Warehouse, increment: Increment, name: str, before: Version, now: Version) -> Change | None:
    """Where two versions of an input differ; None where no day can be told."""
    if before.content_hash == now.content_hash:
        return Change(NEVER)
    if before.schema_hash != now.schema_hash:
        return None
    if TABLES[name].chunk:
        old, new = ({(file.chunk, file.content_hash) for file in warehouse.files_of(v)} for v in (before, now))
        days = [begins(label) for label, _ in old ^ new]
        return None if None in days else Change(min(day for day in days if day is not None))
    return _first_changed_row(_frame(warehouse, before), _frame(warehouse, now), name, increment)


def _first_changed_row(before: pl.DataFrame, now: pl.DataFrame, name: str, increment: Increment) -> Change | None:
    ignored = increment.ignored.get(name, ())
    before, now = before.drop(ignored), now.drop(ignored)
    columns = now.columns
    gone, new = (a.join(b, on=columns, how="anti", nulls_equal=True) for a, b in ((before, now), (now, before)))
    changed = pl.concat([gone, new])
    if changed.is_empty():
        return Change(NEVER)
    if name not in increment.dated and TABLES[name].key == ("ticker",) and gone.is_empty():
        return Change(NEVER, frozenset(new["ticker"]))
    if name not in increment.dated or changed[increment.dated[name]].null_count():
        return None
    days = changed[increment.dated[name]]
    if days.dtype.is_temporal() and days.dtype != pl.Date:  # an instant may belong to the session before, elsewhere
        days = days.dt.date().dt.offset_by("-2d")
    first = days.min()
    assert isinstance(first, date)
    return Change(first)


def windows(
    warehouse: Warehouse, recipe: Recipe, now: Mapping[str, Version], step: Extension, parameters: Any
) -> dict[str, arrow.Table]:
    """The inputs that a recipe needs to make its rows from a day on.

    Tables cut by date give the key and the columns that the recipe reads, from `lookback` rows before that day on for each fund
    that has a row since then, or from `spans` days before it; others whole. Under the name `BEFORE` come the recipe's own rows of
    that stretch, where it asks for them; all its rows before the day, where its table is not cut by date.
    """
    assert recipe.increment is not None
    rows = recipe.increment.rows(parameters)
    far = {name: (step.since - timedelta(days=span(parameters)), 0) for name, span in recipe.increment.spans.items()}
    back = {name: far.get(name, (step.since, rows)) for name in now if TABLES[name].chunk}
    read = {name: _columns(TABLES[name], recipe.reads.get(name)) for name in back}
    cut = {name: _stretch(warehouse, TABLES[name], now[name], *back[name], read[name]) for name in back}
    alive = pl.concat([_alive(TABLES[name], frame, step.since) for name, frame in cut.items()]).unique()
    found = {name: warehouse.read_version(now[name], recipe.reads.get(name)) for name in now if name not in cut}
    for name, frame in cut.items():
        found[name] = _lengthened(warehouse, TABLES[name], now[name], frame, *back[name], alive)
    if recipe.carries_on:
        found[BEFORE] = _own_before(warehouse, recipe, step, rows, alive)
    return found


def _own_before(warehouse: Warehouse, recipe: Recipe, step: Extension, rows: int, alive: pl.DataFrame) -> arrow.Table:
    assert recipe.increment is not None
    own = recipe.outputs[0]
    contract, version = TABLES[own], step.onto[own]
    if own in recipe.increment.dated:
        day, whole = recipe.increment.dated[own], warehouse.read_version(version)
    else:
        day = _day(contract)
        stretch = _stretch(warehouse, contract, version, step.since, rows, contract.arrow_schema.names)
        whole = _lengthened(warehouse, contract, version, stretch, step.since, rows, alive)
    return contract.conform(to_polars(whole).filter(pl.col(day) < step.since).to_arrow())


def _day(contract: Contract) -> str:
    assert contract.chunk is not None
    return contract.chunk


def _group(contract: Contract) -> str:
    """What a row belongs to: a fund, or a series."""
    return "ticker" if "ticker" in contract.key else next(name for name in contract.key if name != contract.chunk)


def _start(labels: list[str], since: date, rows: int) -> date:
    """Begin of the chunk in which the reach lies."""
    reach = _reach(since, rows)
    starts = [day for label in labels if (day := begins(label)) is not None]
    return max((day for day in starts if day <= reach), default=min(starts, default=reach))


def _reach(since: date, rows: int) -> date:
    """Day from which on `rows` sessions before another are there for a fund that traded throughout."""
    return since - timedelta(days=int(rows * 1.5) + 10 if rows else 0)


def _columns(contract: Contract, wanted: Sequence[str] | None) -> list[str]:
    """Columns that are read of a table: its key and those that the recipe names; all where it names none."""
    names = contract.arrow_schema.names
    return [name for name in names if name in {*wanted, *contract.key, _day(contract)}] if wanted else names


def _stretch(
    warehouse: Warehouse, contract: Contract, version: Version, since: date, rows: int, columns: Sequence[str]
) -> pl.DataFrame:
    labels = [file.chunk for file in warehouse.files_of(version)]
    table = warehouse.read_version(version, columns, since=_start(labels, since, rows))
    if len(columns) == len(contract.arrow_schema):  # columns alone were checked when they were written
        contract.check(table)
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame.filter(pl.col(_day(contract)) >= _reach(since, rows))


def _alive(contract: Contract, frame: pl.DataFrame, since: date) -> pl.DataFrame:
    group = _group(contract)
    return frame.filter(pl.col(_day(contract)) >= since).select(pl.col(group).alias("group")).unique()


def _lengthened(
    warehouse: Warehouse, contract: Contract, version: Version, frame: pl.DataFrame, since: date, rows: int, alive: pl.DataFrame
) -> arrow.Table:
    """The stretch, and for a fund that rested in it as many earlier rows as it lacks."""
    reach, group, day = _reach(since, rows), _group(contract), _day(contract)
    have = frame.filter(pl.col(day) < since).group_by(group).len("have")
    short = alive.rename({"group": group}).join(have, on=group, how="left").with_columns(pl.col("have").fill_null(0))
    short = short.filter(pl.col("have") < rows)
    if short.height:
        earlier = _before(warehouse, version, reach, day, [group, day]).filter(pl.col(day) < reach)
        resting = short.join(earlier.select(group).unique(), on=group, how="semi")
        if resting.height:
            old = _before(warehouse, version, reach, day, frame.columns).filter(pl.col(day) < reach)
            lacking = rows - pl.col("have")
            missed = old.join(resting, on=group).sort(group, day)
            place = pl.col(day).rank("ordinal", descending=True).over(group)
            frame = pl.concat([missed.filter(place <= lacking).select(frame.columns), frame])
    return contract.in_key_order(_as_declared(contract, frame))


def _as_declared(contract: Contract, frame: pl.DataFrame) -> arrow.Table:
    return frame.to_arrow().cast(arrow.schema([contract.arrow_schema.field(name) for name in frame.columns]))


def _before(warehouse: Warehouse, version: Version, reach: date, day: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Rows of the files that begin before a day; none where there is no such file."""
    if not any(within(file.chunk, before=reach) for file in warehouse.files_of(version)):
        return pl.DataFrame(schema=dict.fromkeys(columns or (), pl.String) | {day: pl.Date})
    frame = pl.from_arrow(warehouse.read_version(version, columns, before=reach))
    assert isinstance(frame, pl.DataFrame)
    return frame


def as_stored(name: str, increment: Increment, stored: arrow.Table, made: arrow.Table, since: date) -> bool:
    """Whether the rows of the trial, before the day, came out as they are stored."""
    if name not in increment.dated:
        return True
    day = pl.col(increment.dated[name])
    first = since - timedelta(days=increment.trial)
    old, new = (to_polars(table).filter((day >= first) & (day < since)) for table in (stored, made))
    told = [column for column in old.columns if column != "source_row"]
    return old.select(told).sort(told).equals(new.select(told).sort(told))


def spliced(name: str, increment: Increment, stored: arrow.Table, made: arrow.Table, since: date) -> arrow.Table:
    """A table that is not cut by date: stored rows before the day, and rows made since or without one; all where none has one."""
    if name not in increment.dated:
        return made
    day, old, new = increment.dated[name], to_polars(stored), to_polars(made)
    kept = [old.filter(pl.col(day) < since), new.filter((pl.col(day) >= since) | pl.col(day).is_null())]
    return TABLES[name].conform(pl.concat(kept).to_arrow())


def since_day(name: str, made: arrow.Table, since: date) -> arrow.Table:
    """Rows of a table cut by date from a day on."""
    day = _day(TABLES[name])
    frame = pl.from_arrow(made)
    assert isinstance(frame, pl.DataFrame)
    return TABLES[name].conform(frame.filter(pl.col(day) >= since).to_arrow())


def _frame(warehouse: Warehouse, version: Version) -> pl.DataFrame:
    frame = pl.from_arrow(warehouse.read_version(version))
    assert isinstance(frame, pl.DataFrame)
    return frame
