"""SQL over what a run sees, always with the same result.

One thread, because a parallel sum of floats depends on who comes first; UTC, because a cast of an instant to a date depends on
the zone. So the rows of a SQL model are a function of its inputs and its text.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import pyarrow as pa

from etf_pipeline.errors import NotMaterialised, WarehouseError
from etf_pipeline.warehouse.catalog import create_views, views_of
from etf_pipeline.warehouse.records import TableName, Version, dotted
from etf_pipeline.warehouse.registry import Registry
from etf_pipeline.warehouse.snapshot import At, heads, resolve


def query(
    registry: Registry,
    sql: str,
    run_id: str | None = None,
    tables: Iterable[str | TableName] | None = None,
    at: At | None = None,
) -> pa.Table:
    """Run one statement over the visible tables."""
    with registry.read() as db:
        visible = heads(db, resolve(db, run_id, at))
        views = views_of(db, registry.home, visible if tables is None else _chosen(visible, tables))
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        create_views(connection, views)
        try:
            return connection.sql(sql).to_arrow_table()
        except duckdb.Error as error:
            raise WarehouseError(
                f"the SQL could not be run over {[dotted(name) for name, _ in views]}: {error}\n{sql.strip()[:500]}"
            ) from error


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
