"""What the Dagster UI shows of a table: columns with units, rows, a preview, the query to read it, a plot."""

from __future__ import annotations

import base64
from typing import Any

import dagster as dg
import pyarrow as arrow

from etf_pipeline.recipes import Recipe
from etf_pipeline.schemas import SQL_TYPES, TABLES, Contract
from etf_pipeline.sql_models import column_lineage, load_models
from etf_pipeline.warehouse import Version


def table_schema(contract: Contract) -> dg.TableSchema:
    """The column table: type, description with unit, whether it may be unknown."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=field.name,
                type=SQL_TYPES[str(field.type)],
                description=f"{contract.columns[field.name].description} [{contract.columns[field.name].metadata['unit']}]",
                constraints=dg.TableColumnConstraints(nullable=field.nullable, unique=contract.key == (field.name,)),
            )
            for field in contract.arrow_schema
        ]
    )


def definition_metadata(name: str) -> dict[str, Any]:
    """Metadata known before anything ran."""
    contract = TABLES[name]
    return {
        "dagster/column_schema": table_schema(contract),
        "dagster/table_name": f"{contract.room}.{name}",
        "key": ", ".join(contract.key),
        "causality": contract.causality,
        "query": dg.MetadataValue.md(f"```sql\nselect * from {name} limit 100\n```"),
    }


def run_metadata(name: str, version: Version, table: arrow.Table | None, *, reused: bool, plot: bytes | None) -> dict[str, Any]:
    """Metadata of one materialisation."""
    found: dict[str, Any] = {
        "dagster/row_count": version.rows,
        "content_hash": version.content_hash,
        "commit": version.commit_id,
        "reused": reused,
    }
    if table is not None and table.num_rows:
        head = table.slice(max(table.num_rows - 5, 0), 5).to_pandas(date_as_object=True)
        found["last rows"] = dg.MetadataValue.md(markdown_table(head))
    if plot is not None:
        image = base64.b64encode(plot).decode()
        found["plot"] = dg.MetadataValue.md(f"![{name}](data:image/png;base64,{image})")
    return found


def lineage_metadata(recipe: Recipe) -> dict[str, Any]:
    """Column lineage of a SQL model."""
    columns = {name: {f.name: SQL_TYPES[str(f.type)] for f in TABLES[name].arrow_schema} for name in recipe.inputs}
    found = column_lineage(load_models()[recipe.name], columns)
    deps = {
        column: [dg.TableColumnDep(asset_key=dg.AssetKey(table), column_name=source) for table, source in sources]
        for column, sources in found.items()
    }
    return {
        "dagster/column_lineage": dg.TableColumnLineage(deps_by_column=deps),
        "sql": dg.MetadataValue.md(f"```sql\n{recipe.sql}\n```"),
    }


def markdown_table(frame: Any) -> str:
    """A small frame as a Markdown table."""
    shown = [
        [f"{value:.6g}" if isinstance(value, float) else str(value) for value in row] for row in frame.itertuples(index=False)
    ]
    lines = [" | ".join(map(str, frame.columns)), " | ".join("---" for _ in frame.columns), *(" | ".join(row) for row in shown)]
    return "\n".join(f"| {line} |" for line in lines)
