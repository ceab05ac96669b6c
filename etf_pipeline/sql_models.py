"""Reads `dbt_like_sql`: what each file computes, from which tables, column by column.

One file is one plain `select` and one table named after the file. Dependencies and column lineage are read from the SQL itself,
so every file also runs as it stands against the catalog. The code version is taken from the parsed query: comments and layout
do not change it.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from etf_pipeline.errors import SettingsError

FOLDER = Path(__file__).resolve().parents[1] / "dbt_like_sql"
LAYERS = ("staging", "marts", "reports", "tests")


@dataclass(frozen=True)
class SqlModel:
    """One SQL file.

    Attributes
    ----------
    name : str
        Table it makes (or test it is): the file's stem.
    layer : str
        Folder: staging, marts, reports or tests.
    sql : str
        The query as it runs.
    dependencies : tuple of str
        Tables it reads, sorted.
    version : str
        Hash of the parsed query without comments.
    description : str
        The file's leading comment.
    directives : dict of str to str
        What lines such as ``-- @increment: lookback=1`` say to the project.
    """

    name: str
    layer: str
    sql: str
    dependencies: tuple[str, ...]
    version: str
    description: str
    directives: Mapping[str, str] = field(default_factory=dict)


def read_model(path: Path) -> SqlModel:
    """Parse one file.

    Raises
    ------
    SettingsError
        If the file does not hold exactly one `select`, or reads a file or table function instead of a table.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.optimizer.scope import traverse_scope

    text = path.read_text(encoding="utf-8")
    statements = [s for s in sqlglot.parse(text, read="duckdb") if s is not None]
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise SettingsError(
            f"{path.parent.name}/{path.name} needs exactly one select; found {len(statements)} statements. Split the file."
        )
    query = statements[0]
    tables: set[str] = set()
    for scope in traverse_scope(query):
        for source in scope.sources.values():
            if isinstance(source, exp.Table):
                if not source.name or isinstance(source.this, exp.Func):
                    raise SettingsError(
                        f"{path.parent.name}/{path.name} reads {source.sql()}; a model reads tables of the warehouse only. "
                        "Bring files in through a provider."
                    )
                tables.add(source.name)
    for join in query.find_all(exp.Table):  # semi and anti joins are not sources of a scope
        if join.name and not _is_cte(query, join.name):
            tables.add(join.name)
    normal = query.sql(dialect="duckdb", comments=False, normalize=True)
    comments = [line[2:].strip() for line in text.splitlines() if line.startswith("--")]
    told = [line[1:].partition(":") for line in comments if line.startswith("@")]
    return SqlModel(
        name=path.stem,
        layer=path.parent.name,
        sql=query.sql(dialect="duckdb", comments=False, pretty=True),
        dependencies=tuple(sorted(tables)),
        version=hashlib.sha256(normal.encode()).hexdigest()[:16],
        description=" ".join(line for line in comments if not line.startswith("@")),
        directives={word: rest.strip() for word, _, rest in told},
    )


def _is_cte(query: object, name: str) -> bool:
    from sqlglot import exp

    assert isinstance(query, exp.Query)
    return any(cte.alias == name for cte in query.find_all(exp.CTE))


@functools.cache
def load_models(folder: Path = FOLDER) -> dict[str, SqlModel]:
    """Every model and test by name.

    Raises
    ------
    SettingsError
        If two files share a name.
    """
    models: dict[str, SqlModel] = {}
    for layer in LAYERS:
        for path in sorted((folder / layer).glob("*.sql")):
            model = read_model(path)
            if model.name in models:
                raise SettingsError(
                    f"two SQL files are named {model.name}: in {models[model.name].layer} and {layer}. Rename one."
                )
            models[model.name] = model
    return models


def column_lineage(model: SqlModel, columns: Mapping[str, Mapping[str, str]]) -> dict[str, list[tuple[str, str]]]:
    """Which (table, column) pairs each output column is computed from.

    Parameters
    ----------
    model : SqlModel
        The query.
    columns : mapping of table to mapping of column to SQL type
        Columns of every table the query reads.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.qualify import qualify

    schema: dict[str, object] = {table: dict(columns[table]) for table in model.dependencies}
    query = qualify(sqlglot.parse_one(model.sql, read="duckdb"), schema=schema, dialect="duckdb")
    found: dict[str, list[tuple[str, str]]] = {}
    assert isinstance(query, exp.Query)
    for name in query.named_selects:
        leaves = set()
        for node in lineage(name, query.copy(), schema=schema, dialect="duckdb", copy=False).walk():
            if isinstance(node.expression, exp.Table) and node.expression.name in schema:
                leaves.add((node.expression.name, node.name.split(".")[-1].strip('"')))
        found[name] = sorted(leaves)
    return found


def read_columns(model: SqlModel, columns: Mapping[str, Mapping[str, str]]) -> dict[str, tuple[str, ...]]:
    """Which columns of each table a query reads; a table of which it only counts rows is left out.

    Parameters
    ----------
    model, columns
        As for `column_lineage`.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import traverse_scope

    schema: dict[str, object] = {table: dict(columns[table]) for table in model.dependencies}
    query = qualify(sqlglot.parse_one(model.sql, read="duckdb"), schema=schema, dialect="duckdb")
    found: dict[str, set[str]] = {}
    for scope in traverse_scope(query):
        for column in scope.columns:
            source = scope.sources.get(column.table)
            if isinstance(source, exp.Table):
                found.setdefault(source.name, set()).add(column.name)
    return {table: tuple(name for name in columns[table] if name in names) for table, names in found.items()}
