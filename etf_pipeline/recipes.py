"""How tables are made from tables, without saying who runs it.

A recipe names its inputs and outputs, computes, and checks nothing: contracts do that where tables are read and written. The
same recipe is a Dagster asset, a row of the causality test and a thing that `etf explain` can name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol, get_type_hints

import pandas as pd
import pyarrow as arrow
import pyarrow.compute as pc

from etf_pipeline.code_version import code_version, engine_version
from etf_pipeline.errors import SettingsError
from etf_pipeline.schemas import SQL_TYPES, TABLES, from_arrow
from etf_pipeline.sql_models import SqlModel, read_columns

Tables = Mapping[str, arrow.Table]


class Cache(Protocol):
    """Content cache for expensive pieces: what `warehouse.cache` offers."""

    def get(self, kind: str, key: str) -> arrow.Table | None:
        """The piece, or None."""
        ...

    def put(self, kind: str, key: str, table: arrow.Table) -> None:
        """Keep a piece."""
        ...


BEFORE = "before"
"""Name under which an extended recipe gets its own rows from before."""

PREVIOUS = "previous"
"""Name under which a recipe that keeps a record gets its whole table as the last run left it."""

PROVENANCE = "provenance"
"""Name under which a recipe gets the settings that its inputs, and all that these rest on, were made with."""

PROVENANCE_SCHEMA = arrow.schema(
    [(name, arrow.string()) for name in ("table_name", "step", "settings", "code_version", "run_id")]
    + [("started_at", arrow.timestamp("us", tz="UTC"))]
)
"""One row per input and step above it: the step's settings as JSON, its code, and the run that asks and when that began."""

OWN = (BEFORE, PREVIOUS, PROVENANCE)


@dataclass(frozen=True)
class Increment:
    """How far back a recipe's rows of a session look, so that a night computes that night.

    Causal rows do not change with what comes after them. Where inputs are what they were up to some day, so are the outputs, and
    only rows from that day on need to be made: from the rows of these sessions, and a stretch before.

    Attributes
    ----------
    lookback : int or callable
        Rows of each fund (or series) before the first changed day that are read along; a function of the parameters where they
        set it. [rows]
    dated : dict of str to str
        Day column of inputs and outputs that are not cut by date: a changed row matters from its day on.
    ignored : dict of str to tuple of str
        Columns of an undated input whose change does not matter. A row that such an input gains for a fund without earlier rows
        elsewhere is that fund's beginning, and no change of the past.
    spans : dict of str to callable
        Days, by the parameters, that are read before the first changed one of inputs cut by date whose values hold for a span of
        time and not of rows. [calendar days]
    trial : int
        For a recipe whose memory has no bound: rows of that many days before the first changed one are made as well, and must
        come out as they are stored; otherwise everything is computed. [calendar days]
    deepened : callable, optional
        ``deepened(inputs, made, since)``: whether the new rows need more than the look-back; then they are made once more, from
        all rows of every input. The recipe takes `before`, so that it knows which rows are new.
    contested : callable, optional
        ``contested(inputs, made, since)``: whether the new rows hold something that only the whole history can judge; then
        everything is computed.

    Notes
    -----
    A recipe with a longer memory takes an argument `before`: its own rows of the stretch before, as they were stored; none when
    everything is computed. What it carries on from there must be what computing everything would have given, to the bit.
    """

    lookback: int | Callable[[Any], int] = 0
    dated: Mapping[str, str] = field(default_factory=dict)
    ignored: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    spans: Mapping[str, Callable[[Any], int]] = field(default_factory=dict)
    trial: int = 0
    deepened: Callable[[Tables, Tables, date], bool] | None = None
    contested: Callable[[Tables, Tables, date], bool] | None = None

    def rows(self, parameters: Any) -> int:
        """The look-back under these parameters."""
        return self.lookback(parameters) if callable(self.lookback) else self.lookback


@dataclass(frozen=True)
class _OfCode:
    """A cache whose pieces belong to one code version: other code finds none of them."""

    cache: Cache
    version: str

    def get(self, kind: str, key: str) -> arrow.Table | None:
        return self.cache.get(kind, f"{self.version}-{key}")

    def put(self, kind: str, key: str, table: arrow.Table) -> None:
        self.cache.put(kind, f"{self.version}-{key}", table)


@dataclass(frozen=True)
class Recipe:
    """One computation from tables to tables.

    Attributes
    ----------
    name : str
        Step name; the first output unless given.
    room : str
        Room of its outputs.
    outputs, inputs : tuple of str
        Tables made and read.
    run : callable
        ``run(inputs, parameters, cache) -> tables``, all Arrow.
    parameters : type or None
        Frozen dataclass of research parameters.
    version : str
        Code version, see `code_version`.
    description : str
        What it makes, for people.
    reads_cache : bool
        Whether `run` reuses pieces by content.
    sql : str
        The query, where the recipe is a SQL model.
    reads : dict of str to tuple of str
        Columns of an input that are read; all where nothing is said.
    increment : Increment or None
        How it may be extended; None where a change anywhere changes everything.
    carries_on : bool
        Whether `run` takes its own earlier rows, in `inputs` under the name `BEFORE`.
    looks_back : bool
        Whether `run` takes its table as the last run left it, under the name `PREVIOUS`: a record that only grows. The memo key
        leaves it out, so equal inputs must add nothing.
    sees_settings : bool
        Whether `run` takes `PROVENANCE`. The memo key holds its steps, settings and code, not the run.
    beside : tuple of str
        Tables read as they are, empty where nobody made them: what other jobs leave, not upstream of this one.
    """

    name: str
    room: str
    outputs: tuple[str, ...]
    inputs: tuple[str, ...]
    run: Callable[[Tables, Any, Cache | None], dict[str, arrow.Table]]
    parameters: type | None
    version: str
    description: str
    reads_cache: bool = False
    sql: str = ""
    reads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    increment: Increment | None = None
    carries_on: bool = False
    looks_back: bool = False
    sees_settings: bool = False
    beside: tuple[str, ...] = ()


RECIPES: dict[str, Recipe] = {}
"""Every recipe by name, filled when the asset files are imported."""


@dataclass(frozen=True)
class _Signature:
    inputs: tuple[str, ...]
    beside: tuple[str, ...]
    parameters: type | None
    reads_cache: bool
    carries_on: bool
    looks_back: bool
    sees_settings: bool


def makes(
    *outputs: str,
    version: str = "",
    increment: Increment | None = None,
    reads: Mapping[str, tuple[str, ...]] | None = None,
    beside: tuple[str, ...] = (),
) -> Callable[[Callable[..., Any]], Recipe]:
    """Turn a function into the recipe of the tables `outputs`.

    Every argument annotated as a DataFrame is an input of that name; `parameters` is the room's dataclass; `cache` asks for the
    content cache, `before` for its own earlier rows where it is extended, `previous` for its table as it was, `provenance` for
    the settings that its inputs were made with. The function returns one frame, or a tuple with one frame per output.

    `version` stands in for the code's version where the answer lies in what that leaves out: the contracts, or the text of a
    report. `increment` says how the tables may be extended, `reads` which columns of a large input are read, `beside` which
    tables are read only if another job has made them.

    Raises
    ------
    SettingsError
        If an input or output has no contract, or the outputs belong to two rooms.
    """

    def register(function: Callable[..., Any]) -> Recipe:
        signature = _read_signature(function, beside)
        unknown = [name for name in (*outputs, *signature.inputs, *beside) if name not in TABLES]
        rooms = {TABLES[name].room for name in outputs if name in TABLES}
        if unknown or len(rooms) != 1:
            raise SettingsError(
                f"{function.__name__} needs contracts for {unknown or list(outputs)} in one room; found rooms {sorted(rooms)}. "
                "Declare them in schemas/."
            )
        code = version or code_version(function, *([signature.parameters.__module__] if signature.parameters else []))
        return _register(
            Recipe(
                name=outputs[0],
                room=rooms.pop(),
                outputs=outputs,
                inputs=signature.inputs,
                run=_runner(function, outputs, signature, code),
                parameters=signature.parameters,
                version=code,
                description=" ".join((function.__doc__ or "").split()),
                reads_cache=signature.reads_cache,
                reads=reads or {},
                increment=increment,
                carries_on=signature.carries_on,
                looks_back=signature.looks_back,
                sees_settings=signature.sees_settings,
                beside=beside,
            )
        )

    return register


def sql_recipe(model: SqlModel) -> Recipe:
    """The recipe of a SQL model; the table takes the file's name and must have a contract."""
    if model.name not in TABLES:
        raise SettingsError(
            f"SQL model {model.layer}/{model.name}.sql has no contract; declare {model.name} in schemas/{model.layer}.py."
        )

    def run(inputs: Tables, parameters: Any, cache: Cache | None) -> dict[str, arrow.Table]:
        return {model.name: TABLES[model.name].conform(run_sql(model.sql, inputs))}

    return _register(
        Recipe(
            name=model.name,
            room=TABLES[model.name].room,
            outputs=(model.name,),
            inputs=model.dependencies,
            run=run,
            parameters=None,
            version=engine_version(model.version),
            description=model.description,
            sql=model.sql,
            reads=columns_of(model),
            increment=_increment_of(model),
        )
    )


def columns_of(model: SqlModel) -> dict[str, tuple[str, ...]]:
    """Columns of each table that a SQL model or test reads."""
    columns = {name: {f.name: SQL_TYPES[str(f.type)] for f in TABLES[name].arrow_schema} for name in model.dependencies}
    return read_columns(model, columns)


def _increment_of(model: SqlModel) -> Increment | None:
    """What the file's line ``-- @increment: lookback=1 stg_actions=ex_date`` says."""
    if "increment" not in model.directives:
        return None
    words = dict(word.split("=", 1) for word in model.directives["increment"].split())
    lookback = int(words.pop("lookback", "0"))
    return Increment(lookback, words, contested=_nothing_to_look_back_on if lookback else None)


def _nothing_to_look_back_on(inputs: Tables, made: Tables, since: date) -> bool:
    """Whether a fund has rows from a day on and none before, although it was given some: all of them were refused.

    What came before those then looks as if it fell on the new rows: a night would pay every dividend of the past once more.
    """
    given, new, old = set[str](), set[str](), set[str]()
    for tables, when, found in ((inputs, pc.less, given), (made, pc.greater_equal, new), (made, pc.less, old)):
        for name, table in tables.items():
            if (day := TABLES[name].chunk) and "ticker" in TABLES[name].key:
                found |= set(table["ticker"].filter(when(table[day], arrow.scalar(since))).unique().to_pylist())
    return bool((new - old) & given)


def run_sql(query: str, inputs: Tables) -> arrow.Table:
    """Run a query over Arrow tables in a private DuckDB, on one thread: a parallel sum of doubles differs from run to run."""
    import duckdb

    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for name, table in inputs.items():
            connection.register(name, table)
        return connection.sql(query).to_arrow_table()


def _register(recipe: Recipe) -> Recipe:
    if recipe.name in RECIPES:
        raise SettingsError(f"two recipes make {recipe.name}; a table has one. Rename or remove one.")
    RECIPES[recipe.name] = recipe
    return recipe


def _read_signature(function: Callable[..., Any], beside: tuple[str, ...]) -> _Signature:
    hints = get_type_hints(function)
    names = tuple(inspect.signature(function).parameters)
    inputs = tuple(name for name in names if hints[name] is pd.DataFrame and name not in (*OWN, *beside))
    other = set(names) - set(inputs) - {"parameters", "cache", *OWN, *beside}
    if other:
        raise SettingsError(f"{function.__name__} has arguments {sorted(other)}; annotate tables as pd.DataFrame.")
    return _Signature(
        inputs, beside, hints.get("parameters"), "cache" in names, BEFORE in names, PREVIOUS in names, PROVENANCE in names
    )


def _runner(
    function: Callable[..., Any], outputs: tuple[str, ...], signature: _Signature, code: str
) -> Callable[[Tables, Any, Cache | None], dict[str, arrow.Table]]:
    def run(inputs: Tables, parameters: Any, cache: Cache | None) -> dict[str, arrow.Table]:
        arguments: dict[str, Any] = {name: from_arrow(inputs[name]) for name in signature.inputs}
        if signature.parameters:
            arguments["parameters"] = parameters if parameters is not None else signature.parameters()
        for name in [BEFORE] * signature.carries_on + [PREVIOUS] * signature.looks_back:
            arguments[name] = from_arrow(inputs.get(name, TABLES[outputs[0]].arrow_schema.empty_table()))
        for name in signature.beside:
            arguments[name] = from_arrow(inputs.get(name, TABLES[name].arrow_schema.empty_table()))
        if signature.sees_settings:
            arguments[PROVENANCE] = from_arrow(inputs.get(PROVENANCE, PROVENANCE_SCHEMA.empty_table()))
        if signature.reads_cache:
            arguments["cache"] = _OfCode(cache, code) if cache is not None else None
        result = function(**arguments)
        frames = result if isinstance(result, tuple) else (result,)
        return {name: TABLES[name].to_arrow(frame) for name, frame in zip(outputs, frames, strict=True)}

    return run
