"""A look at one finished run: questions in SQL, answered from the tables as that run left them, nothing ever written.

Rows come from the run's own Parquet files, which are never rewritten, and not from the published catalog, which a night replaces.
So a page stays consistent while a run writes, and any past run can be opened beside the newest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

import pandas as pd

from etf_pipeline.errors import NotMaterialised, SettingsError, WarehouseError
from etf_pipeline.secrets import WAREHOUSE_KEY, secret
from etf_pipeline.settings import Settings
from etf_pipeline.warehouse import Run, Version, Warehouse

_NAME = re.compile(r"\$(\w+)")
_NO_COLUMN = re.compile(r'column named "(\w+)"|column "(\w+)" not found')


@dataclass(frozen=True)
class Answer:
    """Rows, and how they were found.

    Attributes
    ----------
    frame : DataFrame
        The rows; without columns where the question could not be answered.
    sql : str
        The statement with its values written out, as `etf sql` takes it.
    tables : tuple of str
        What it reads.
    missing : str
        Why there is no answer; empty if there is one.
    """

    frame: pd.DataFrame
    sql: str
    tables: tuple[str, ...] = ()
    missing: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is no row to show."""
        return self.frame.empty


@dataclass(frozen=True)
class Look:
    """One state of one warehouse: what the run `run_id` left, together with what stood before it."""

    warehouse: Warehouse = field(repr=False)
    run_id: str

    def ask(self, sql: str, **values: Any) -> Answer:
        """Answer one question.

        Parameters
        ----------
        sql : str
            One `select`; its ``$names`` are values.
        **values
            By name; those that the statement does not name are left out.

        Returns
        -------
        Answer
            A table that this run does not have, or has in an older form, is a reason in `missing` and never an exception.
        """
        named = set(_NAME.findall(sql))
        chosen = {name: value for name, value in values.items() if name in named}
        tables, text = tables_of(sql), spelled_out(sql, chosen)
        try:
            rows = self.warehouse.query(sql, tables=tables, at=self.run_id, values=chosen)
        except NotMaterialised:
            return Answer(pd.DataFrame(), text, tables, self._absent(tables))
        except WarehouseError as error:
            return Answer(pd.DataFrame(), text, tables, _reason(str(error)))
        return Answer(rows.to_pandas(date_as_object=False), text, tables)

    def _absent(self, tables: tuple[str, ...]) -> str:
        visible = {version.table_name for version in self.warehouse.tables(at=self.run_id)}
        absent = ", ".join(name for name in tables if name not in visible)
        return f"This run shows no table {absent}: it is older than that table, or its job did not make it."

    def versions(self) -> list[Version]:
        """The version of every table that this state shows."""
        return self.warehouse.tables(at=self.run_id)


def open_warehouse(settings: Settings) -> Warehouse:
    """The warehouse of the home that the settings name; an encrypted one takes its key as `etf sql` does.

    Raises
    ------
    SettingsError
        If there is none.
    """
    if not settings.warehouse.exists():  # looking makes no folder
        raise SettingsError(
            f"there is no warehouse in {settings.home}. Run `etf run` first, or set ETF_HOME to the home you mean."
        )
    return Warehouse(settings.warehouse, key=secret(WAREHOUSE_KEY))


def newest_look(warehouse: Warehouse) -> Look:
    """Look at what the newest finished run left.

    Raises
    ------
    SettingsError
        If no run has succeeded yet.
    """
    runs = finished_runs(warehouse)
    if not runs:
        raise SettingsError(f"no run has succeeded in {warehouse.home.parent} yet. Run `etf run` first.")
    return Look(warehouse, runs[0].run_id)


def finished_runs(warehouse: Warehouse) -> list[Run]:
    """Runs that succeeded, the newest first."""
    done = [run for run in warehouse.runs() if run.finish_order is not None]
    return sorted(done, key=lambda run: run.finish_order or 0, reverse=True)


def run_name(run: Run) -> str:
    """When a run finished, and the beginning of its name."""
    return f"{run.finished_at:%Y-%m-%d %H:%M}, {run.run_id[:8]}"


@lru_cache(maxsize=256)
def tables_of(sql: str) -> tuple[str, ...]:
    """Tables that a statement reads, in the order in which it names them.

    Examples
    --------
    >>> tables_of("with n as (select 1 as x) select * from scores join n on true join regimes using (session)")
    ('scores', 'regimes')
    """
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(sql, read="duckdb")
    inner = {cte.alias_or_name for cte in tree.find_all(exp.CTE)}
    named = sorted(tree.find_all(exp.Table), key=lambda table: sql.find(table.name))
    return tuple(dict.fromkeys(table.name for table in named if table.name and table.name not in inner))


def spelled_out(sql: str, values: Mapping[str, Any]) -> str:
    """A statement with its values in it, for a person to run again.

    Examples
    --------
    >>> spelled_out("select * from scores where ticker = $ticker", {"ticker": "SPY"})
    "select * from scores where ticker = 'SPY'"
    """
    return _NAME.sub(lambda found: _literal(values[found[1]]) if found[1] in values else found[0], sql).strip()


def _reason(error: str) -> str:
    if found := _NO_COLUMN.search(error):
        return f"This run's tables are of an older form: they have no column {found[1] or found[2]}."
    return f"This run cannot answer here: {error.splitlines()[0]}"


def _literal(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_literal(one) for one in value)}]"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, date):
        return f"date '{value:%Y-%m-%d}'"
    return "null" if value is None else repr(value)
