"""What a table promises: columns with description and unit, a key, ranges, and when a row could be known.

A contract is a pandera model on polars frames. Measured on 12 million rows the polars engine checks in 0.13 s where pandas
needs 1.9-4.1 s, so a frame is turned into Arrow once (the writer needs that anyway) and checked there without a copy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import pandas as pd
import pandera.polars as pa
import polars as pl
import pyarrow as arrow

from etf_pipeline.errors import ContractError

Causality = Literal["source", "causal", "realised", "summary"]
"""`source`: as it came in. `causal`: a row never changes when later rows arrive. `realised`: outcomes, visible from `available_at`.
`summary`: a whole-sample report, which feeds nothing causal."""

if TYPE_CHECKING:
    Instant = pl.Datetime
else:
    Instant = Annotated[pl.Datetime, "us", "UTC"]
"""Column type of a UTC instant in microseconds."""

ARROW_TYPES: Mapping[str, arrow.DataType] = {
    "Date": arrow.date32(),
    "String": arrow.string(),
    "Float64": arrow.float64(),
    "Int64": arrow.int64(),
    "Boolean": arrow.bool_(),
    "Datetime": arrow.timestamp("us", tz="UTC"),
}


def column(description: str, *, unit: str, nullable: bool = False, **checks: Any) -> Any:
    """A column of a contract: description and unit are compulsory.

    Parameters
    ----------
    description : str
        What the number means, for the data dictionary and the column table of the Dagster UI.
    unit : str
        Its unit ("fraction", "USD", "shares", "date", "identifier" ...).
    nullable : bool, default False
        Whether the value may be unknown. NaN and null are the same to a contract.
    **checks
        Ranges that pandera understands: ``ge``, ``gt``, ``le``, ``lt``, ``isin``, ``str_matches``.
    """
    return pa.Field(description=description, metadata={"unit": unit}, nullable=nullable, **checks)


class Table(pa.DataFrameModel):
    """Base of every contract: declared columns only, nothing coerced."""

    class Config:
        strict = True
        coerce = False


@dataclass(frozen=True)
class Contract:
    """A table's promise: its columns and everything about it that is not a column.

    Attributes
    ----------
    model : type[Table]
        Columns with description, unit and ranges.
    name : str
        Table name, unique in the warehouse.
    room : str
        Room that makes the table: package, asset group and warehouse schema.
    key : tuple of str
        Columns that name a row; rows are stored sorted by them.
    causality : {"source", "causal", "realised", "summary"}
        What later data may do to a row (see `Causality`).
    available : str
        When a row is known: ``session_close`` (the exchange's close of its `session`) or the name of a UTC column.
    allow_empty : bool
        Whether no rows is a valid answer.
    chunk : str or None
        Date column by which the store splits the table, so that a night rewrites only the months that changed.
    """

    model: type[Table]
    name: str
    room: str
    key: tuple[str, ...]
    causality: Causality
    available: str = "session_close"
    allow_empty: bool = False
    chunk: str | None = None

    @property
    def description(self) -> str:
        """First paragraph of the model's docstring."""
        return " ".join((self.model.__doc__ or "").split("\n\n")[0].split())

    @cached_property
    def columns(self) -> dict[str, Any]:
        """Pandera columns by name, in order."""
        return dict(self.model.to_schema().columns)

    @cached_property
    def arrow_schema(self) -> arrow.Schema:
        """The Arrow schema that the table is stored with."""
        fields = []
        for name, col in self.columns.items():
            kind = str(col.dtype).split("(")[0]
            if kind not in ARROW_TYPES:
                raise ContractError(f"{self.name}.{name} has type {col.dtype}; a contract knows {sorted(ARROW_TYPES)}.")
            fields.append(arrow.field(name, ARROW_TYPES[kind], nullable=bool(col.nullable)))
        return arrow.schema(fields)

    def to_arrow(self, frame: pd.DataFrame) -> arrow.Table:
        """Turn a pandas frame into this table: declared columns in order, sorted by key, NaN as null.

        Parameters
        ----------
        frame : DataFrame of shape (n_rows, n_columns)
            Rows to store; sessions are naive midnights, instants are UTC.

        Raises
        ------
        ContractError
            If a column is missing, undeclared or not of its type.
        """
        schema = self.arrow_schema
        self._same_columns([str(c) for c in frame.columns])
        arrays = []
        for field in schema:
            try:
                arrays.append(_array(frame[field.name], field))
            except (arrow.ArrowInvalid, arrow.ArrowTypeError, arrow.ArrowNotImplementedError) as error:
                raise ContractError(
                    f"{self.name}.{field.name} needs {field.type}, found {frame[field.name].dtype}: {error}"
                ) from error
        return self.in_key_order(arrow.Table.from_arrays(arrays, schema=schema))

    def conform(self, table: arrow.Table) -> arrow.Table:
        """Cast an Arrow table (the answer of a SQL model) to this contract's columns, sorted by key."""
        self._same_columns(table.schema.names)
        try:
            cast_table = table.select(self.arrow_schema.names).cast(self.arrow_schema)
        except (arrow.ArrowInvalid, arrow.ArrowNotImplementedError, ValueError) as error:
            raise ContractError(
                f"{self.name} needs {self.arrow_schema.to_string()}, found {table.schema.to_string()}: {error}"
            ) from error
        return self.in_key_order(cast_table)

    def in_key_order(self, table: arrow.Table) -> arrow.Table:
        """Rows by key, unknown values last, rows of one key in the order they came in. Most tables come sorted: asking is cheap."""
        key = list(self.key)
        if table.num_rows < 2 or not key:
            return table
        if _is_sorted(cast(pl.DataFrame, pl.from_arrow(table.select(key)))):
            return table
        return table.sort_by([(name, "ascending") for name in key])

    def check(self, table: arrow.Table) -> None:
        """Check an Arrow table against this contract, without copying it.

        Raises
        ------
        ContractError
            Naming the table, every broken rule with its count, the first offending rows, and the room that makes the table.
        """
        self._same_columns(table.schema.names)
        if table.num_rows == 0:
            if not self.allow_empty:
                raise ContractError(f"{self.name} is empty; it needs at least one row. See what room '{self.room}' was given.")
            return
        frame = cast(pl.DataFrame, pl.from_arrow(table))
        problems = self._key_problems(frame) + self._rule_problems(frame)
        if problems:
            listing = "\n  ".join(problems)
            raise ContractError(
                f"{self.name} (made by room '{self.room}', {table.num_rows} rows) breaks its contract:\n  {listing}"
            )

    def _same_columns(self, found: list[str]) -> None:
        needed = self.arrow_schema.names
        missing = [c for c in needed if c not in found]
        undeclared = [c for c in found if c not in needed]
        if missing or undeclared:
            raise ContractError(
                f"{self.name} needs columns {needed}; missing {missing}, undeclared {undeclared}. "
                f"Declare them in schemas/{self.room}.py or drop them where {self.name} is made."
            )

    def _key_problems(self, frame: pl.DataFrame) -> list[str]:
        key = list(self.key)
        repeated = frame.select(key).is_duplicated()
        if not repeated.any():
            return []
        first = frame.filter(repeated).select(key).head(3).rows()
        return [f"key ({', '.join(key)}) is not unique: {int(repeated.sum())} rows share theirs, first {first}"]

    def _rule_problems(self, frame: pl.DataFrame) -> list[str]:
        try:
            self.model.validate(frame, lazy=True)
        except pa.errors.SchemaErrors as error:
            return [
                self._describe(rule, group, frame)
                for rule, group in error.failure_cases.group_by(["column", "check"], maintain_order=True)
            ]
        return []

    def _describe(self, rule: tuple[object, ...], cases: pl.DataFrame, frame: pl.DataFrame) -> str:
        rows = [int(i) for i in cases["index"].head(3).to_list() if i is not None and int(i) < frame.height]
        where = [frame.select(list(self.key)).row(i) for i in rows]
        text = f"{rule[0]}: {rule[1]} fails in {cases.height} rows, first values {cases['failure_case'].head(3).to_list()}"
        return text + (f" at {where}" if where else "")


SQL_TYPES = {
    "double": "DOUBLE",
    "string": "VARCHAR",
    "date32[day]": "DATE",
    "int64": "BIGINT",
    "bool": "BOOLEAN",
    "timestamp[us, tz=UTC]": "TIMESTAMPTZ",
}
"""What DuckDB calls the types that tables are stored in."""

TABLES: dict[str, Contract] = {}
"""Every table of the project by name; filled by `table` when `etf_pipeline.schemas` is imported."""


def table(
    *,
    room: str,
    key: tuple[str, ...],
    causality: Causality,
    available: str = "session_close",
    allow_empty: bool = False,
    chunk: str | None = None,
) -> Callable[[type[Table]], type[Table]]:
    """Register a model as the contract of the table that its class name spells (``TargetWeights`` is ``target_weights``)."""

    def register(model: type[Table]) -> type[Table]:
        name = "".join(("_" if i and c.isupper() else "") + c.lower() for i, c in enumerate(model.__name__))
        if name in TABLES:
            raise ContractError(f"two contracts name the table {name}: rename one of them.")
        TABLES[name] = Contract(model, name, room, key, causality, available, allow_empty, chunk)
        return model

    return register


def _is_sorted(frame: pl.DataFrame) -> bool:
    """Whether no row is below the one before it, column by column."""
    tied = pl.repeat(True, frame.height - 1, dtype=pl.Boolean, eager=True)
    for name in frame.columns:
        column = frame[name]
        if column.null_count():
            return False
        before, after = column.head(-1), column.tail(-1)
        if (tied & (before > after)).any():
            return False
        tied = tied & (before == after)
    return True


def _array(values: pd.Series[Any], field: arrow.Field) -> arrow.Array:
    if arrow.types.is_date(field.type) and isinstance(values.dtype, pd.DatetimeTZDtype):
        raise arrow.ArrowTypeError("a date is naive; drop its time zone first")
    if arrow.types.is_timestamp(field.type) and len(values) and not isinstance(values.dtype, pd.DatetimeTZDtype):
        if values.isna().all():
            return arrow.nulls(len(values), field.type)
        raise arrow.ArrowTypeError("an instant carries its time zone (UTC)")
    if arrow.types.is_date(field.type) and values.isna().all():
        return arrow.nulls(len(values), field.type)
    # `safe=False` only for instants: nanoseconds are cut to microseconds
    return arrow.Array.from_pandas(values, type=field.type, safe=not arrow.types.is_timestamp(field.type))


def to_polars(table: arrow.Table) -> pl.DataFrame:
    """The polars frame of a table, without a copy."""
    return cast(pl.DataFrame, pl.from_arrow(table))


def from_arrow(table: arrow.Table) -> pd.DataFrame:
    """The pandas frame that rooms work on: dates as naive ``datetime64[ns]``, instants in UTC, null as NaN."""
    frame = table.to_pandas(date_as_object=False, timestamp_as_object=False)
    for field in table.schema:
        if arrow.types.is_date(field.type):
            frame[field.name] = frame[field.name].astype("datetime64[ns]")
        elif arrow.types.is_timestamp(field.type):
            frame[field.name] = frame[field.name].astype("datetime64[ns, UTC]")
    return cast(pd.DataFrame, frame)
