"""What the store remembers, as plain values: runs, commits, versions, files."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import pyarrow as pa

from etf_pipeline.errors import WarehouseError

TableName = tuple[str, str]
"""Schema (the room's word) and table, such as ``("risk", "covariance")``."""

RunStatus = Literal["running", "succeeded", "failed"]

_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")
_RESERVED = frozenset({"main", "temp", "system", "information_schema", "pg_catalog"})


@dataclass(frozen=True)
class Run:
    """One run: a transaction over whole tables.

    Attributes
    ----------
    base, finish_order : int, int or None
        Runs are numbered in the order in which they succeed. A run sees the runs up to `base`; its own number comes last.
    labels : mapping
        What a person should know about its numbers, such as ``{"provider": "simulated", "simulated": True}``.
    """

    run_id: str
    started_at: datetime
    finished_at: datetime | None
    status: RunStatus
    base: int
    finish_order: int | None
    note: str
    labels: Mapping[str, Any]


@dataclass(frozen=True)
class Version:
    """One table as one commit left it.

    Attributes
    ----------
    content_hash : str
        Hash of the Arrow values, equal wherever the rows are equal.
    memo_key : str or None
        What the writer says the rows are a function of; `Warehouse.reuse` compares it.
    """

    version_id: int
    commit_id: int
    run_id: str
    step_key: str
    committed_at: datetime
    code_version: str
    schema_name: str
    table_name: str
    schema_hash: str
    content_hash: str
    rows: int
    memo_key: str | None

    @property
    def name(self) -> TableName:
        """Schema and table."""
        return self.schema_name, self.table_name


@dataclass(frozen=True)
class Commit:
    """The tables that one step of one run left together."""

    commit_id: int
    run_id: str
    step_key: str
    committed_at: datetime
    code_version: str
    settings: Mapping[str, Any] | None
    note: str
    versions: tuple[Version, ...]


@dataclass(frozen=True)
class StoredFile:
    """One Parquet file.

    Attributes
    ----------
    file_id : int or None
        Its number in the registry; None until a commit has registered it.
    path : str
        Relative to the warehouse, so that a warehouse can be moved.
    chunk : str
        The span of dates it holds (``2024`` or ``2025-03``), ``all``, or ``empty``.
    """

    file_id: int | None
    path: str
    rows: int
    bytes: int
    sha256: str
    content_hash: str
    chunk: str


@dataclass(frozen=True)
class Staged:
    """A table whose files are safely on disk but which no commit has made visible yet."""

    schema_name: str
    table_name: str
    arrow_schema: pa.Schema
    content_hash: str
    rows: int
    files: tuple[StoredFile, ...]

    @property
    def name(self) -> TableName:
        """Schema and table."""
        return self.schema_name, self.table_name

    @property
    def files_written(self) -> int:
        """How many files had to be written; the others were there already."""
        return sum(file.file_id is None for file in self.files)


def dotted(name: TableName) -> str:
    """``risk.covariance``, as in SQL and in messages."""
    return ".".join(name)


def checked_name(schema_name: str, table_name: str) -> TableName:
    """The table's name, if it works unquoted in SQL and as a folder.

    Raises
    ------
    WarehouseError
        If a word is not lower-case snake case, or if DuckDB keeps the schema name for itself.
    """
    for word in (schema_name, table_name):
        if not _IDENTIFIER.fullmatch(word):
            raise WarehouseError(
                f"a schema or table is named by lower-case letters, digits and underscores; found {word!r} in "
                f"{schema_name!r}.{table_name!r}. Rename it where it is declared, in `schemas`."
            )
    if schema_name in _RESERVED:
        raise WarehouseError(f"schema {schema_name!r} of {table_name!r} belongs to DuckDB; use the room's own word.")
    return schema_name, table_name


def schema_json(schema: pa.Schema) -> str:
    """Columns of a table as JSON: name, type, nullable."""
    return json.dumps([[field.name, _type_text(field.type), field.nullable] for field in schema])


def schema_hash(schema: pa.Schema) -> str:
    """Sixteen hexadecimal digits that name a table's columns, types and nullability."""
    return hashlib.sha256(schema_json(schema).encode()).hexdigest()[:16]


def _type_text(kind: pa.DataType) -> str:
    """A type as text, without the name of a list's items: Arrow says ``item``, Parquet ``element``."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"{'large_' if pa.types.is_large_list(kind) else ''}list<{_type_text(kind.value_type)}>"
    if pa.types.is_struct(kind):
        fields = (kind.field(i) for i in range(kind.num_fields))
        return f"struct<{', '.join(f'{field.name}: {_type_text(field.type)}' for field in fields)}>"
    return str(kind)
