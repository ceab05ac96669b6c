"""SQL over what a run sees, always with the same result.

One thread, because a parallel sum of floats depends on who comes first; UTC, because a cast of an instant to a date depends on
the zone. So the rows of a SQL model are a function of its inputs and its text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from etf_pipeline.errors import NotMaterialised, WarehouseError
from etf_pipeline.warehouse.catalog import (
    COPIED,
    PUBLISHED,
    REGISTRY_SCHEMA,
    Views,
    catalog_at,
    catalog_path,
    create_views,
    parquet_rows,
    views_of,
)
from etf_pipeline.warehouse.records import TableName, Version, dotted
from etf_pipeline.warehouse.registry import Registry
from etf_pipeline.warehouse.snapshot import At, heads, resolve


def query(
    registry: Registry,
    sql: str,
    run_id: str | None = None,
    tables: Iterable[str | TableName] | None = None,
    at: At | None = None,
    values: Mapping[str, Any] | None = None,
) -> pa.Table:
    """Run one statement over the visible tables; `values` are those of its ``$names``."""
    with registry.read() as db:
        visible = heads(db, resolve(db, run_id, at))
        views = views_of(db, registry.home, visible if tables is None else _chosen(visible, tables))
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        _offer(connection, registry, views)
        try:
            return connection.sql(sql, params=dict(values) if values else None).to_arrow_table()
        except duckdb.Error as error:
            raise WarehouseError(
                f"the SQL could not be run over {[dotted(name) for name, _ in views]}: {error}\n{sql.strip()[:500]}"
            ) from error


def connect(registry: Registry, at: At | None = None) -> duckdb.DuckDBPyConnection:
    """A read-only look at what the catalog shows, or at a past state; the caller closes it."""
    path = catalog_path(registry.home) if at is None else catalog_at(registry, at)
    if not registry.vault.encrypted:
        return duckdb.connect(str(path), read_only=True)
    connection = duckdb.connect()
    with registry.read() as db:
        views = views_of(db, registry.home, heads(db, resolve(db, at=PUBLISHED if at is None else at)))
    _offer(connection, registry, views)
    _attach(connection, path)
    return connection


def _offer(connection: duckdb.DuckDBPyConnection, registry: Registry, views: Views) -> None:
    """Let a connection see tables under their names; what is encrypted comes through Arrow and is never spilled to a disk."""
    if not registry.vault.encrypted:
        create_views(connection, views, parquet_rows)
        return
    connection.execute("set temp_directory = ''")
    sources = {}
    for number, (name, paths) in enumerate(views):
        try:
            dataset = registry.vault.dataset([(path, path.relative_to(registry.home).as_posix()) for path in paths])
        except (OSError, pa.ArrowException) as error:
            raise WarehouseError(
                f"{dotted(name)} cannot be read: {error}. Run `etf doctor`, which names every file that is gone or damaged."
            ) from error
        connection.register(f"_etf_{number}", dataset)
        sources[name] = f"_etf_{number}"
    create_views(connection, views, lambda name, _: f"select * from {sources[name]}")


def _attach(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """The registry's own tables, which the published catalog holds in clear."""
    location = str(path).replace("'", "''")
    connection.execute(f"attach '{location}' as published (read_only)")
    connection.execute(f"create schema {REGISTRY_SCHEMA}")
    for name in COPIED:
        connection.execute(f"create view {REGISTRY_SCHEMA}.{name} as select * from published.{REGISTRY_SCHEMA}.{name}")


def _chosen(visible: list[Version], tables: Iterable[str | TableName]) -> list[Version]:
    by_name = {**{version.table_name: version for version in visible}, **{dotted(v.name): v for v in visible}}
    wanted = [table if isinstance(table, str) else dotted(table) for table in tables]
    missing = [name for name in wanted if name not in by_name]
    if missing:
        raise NotMaterialised(
            f"the SQL reads {missing}, which are not visible here; visible are {[dotted(v.name) for v in visible]}. "
            "Materialise what makes them first."
        )
    return list({by_name[name].version_id: by_name[name] for name in wanted}.values())
