"""From a row back to what it was made from: rows of the same fund and session upstream, every version, code and setting."""

from collections.abc import Sequence

import duckdb
import pandas as pd

from etf_pipeline.errors import DataError, SettingsError
from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.schemas import TABLES, Contract
from etf_pipeline.warehouse.lineage import Lineage

At = int | str | None


def explained_rows(tables: TableStore, name: str, key: Sequence[str], at: At = None) -> pd.DataFrame:
    """Rows of a table that carry the given values; of several sessions the newest.

    Parameters
    ----------
    name : str
        Table.
    key : sequence of str
        Values that must stand in the text or date columns of the row, in any order.

    Raises
    ------
    DataError
        If no row carries them.
    """
    if name not in TABLES:
        raise SettingsError(
            f"'{name}' is no table; `etf sql \"select distinct table_name from rpt_data_dictionary\"` lists them."
        )
    contract = TABLES[name]
    rows = tables.read(name, at=at)
    texts = [c for c in rows.schema.names if str(rows.schema.field(c).type) in ("string", "date32[day]") and c != "html"]
    conditions = [f"({' or '.join(f'cast({c} as varchar) = ?' for c in texts)})" for _ in key] or ["true"]
    values = [value for value in key for _ in texts]
    moment = next((c for c in ("session", "fit_session") if c in rows.schema.names), None)
    newest = f" qualify {moment} = max({moment}) over ()" if moment else ""
    with duckdb.connect() as connection:
        connection.register("rows", rows)
        found = connection.execute(f"select * from rows where {' and '.join(conditions)}{newest} limit 20", values).df()
    if found.empty:
        raise DataError(f"{name} has no row with {list(key)}; its key is ({', '.join(contract.key)}). Try fewer or other values.")
    return found


def evidence(tables: TableStore, row: pd.Series, lineage: Lineage) -> dict[str, pd.DataFrame]:
    """The rows of every upstream table that share the row's ticker and session: what the number was made from.

    Parameters
    ----------
    row : Series
        One row that carries `ticker` and `session`.
    lineage : Lineage
        Of the row's table: upstream tables are read in exactly those versions.

    Returns
    -------
    dict of str to DataFrame
        By table, nearest first. A derived table whose rows are known from an instant instead of a session, such as a fund's
        lifecycle, shows what was known by the end of that day; tables without a ticker or a time are left out.
    """
    if not {"ticker", "session"} <= set(row.index):
        return {}
    day = pd.Timestamp(row["session"]).date()
    found: dict[str, pd.DataFrame] = {}
    for node in lineage.walk():
        contract = TABLES.get(node.table_name)
        condition = _same_fund_and_time(contract) if contract is not None and node.kept and node is not lineage else ""
        if not condition:
            continue
        rows = tables.warehouse.read(node.schema_name, node.table_name, at=node.commit_id)
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.register("rows", rows)
            query = f"select * from rows where ticker = ? and {condition} limit 20"
            match = connection.execute(query, [row["ticker"], str(day)]).df()
        if len(match):
            found.setdefault(node.table_name, match)
    return found


def _same_fund_and_time(contract: Contract) -> str:
    """Condition that a table's rows belong to a day, in SQL; empty where it has no fund or no time."""
    if "ticker" not in contract.columns:
        return ""
    if "session" in contract.columns:
        return "session = cast(? as date)"
    known_since = contract.causality == "causal" and contract.available in contract.columns
    return f"{contract.available} < cast(? as date) + interval 1 day" if known_since else ""


def lineage_of(tables: TableStore, name: str, at: At = None) -> Lineage:
    """Every version, code version and setting that a table was made from."""
    return tables.warehouse.lineage(TABLES[name].room, name, at)
