"""Chunks: how a long table is cut by date, so that a night rewrites one month and not twenty years.

Closed years are one chunk each, the newest year one per month. When a year closes its twelve months become one chunk, once:
the number of files grows by one a year and never passes the years plus twelve.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etf_pipeline.errors import WarehouseError

WHOLE = "all"
EMPTY = "empty"


def split(table: pa.Table, column: str | None) -> list[tuple[str, pa.Table]]:
    """Cut a table into labelled chunks whose concatenation is what will be read back.

    Parameters
    ----------
    table : pyarrow.Table of shape (n_rows, n_columns)
        Rows in the order of their key.
    column : str or None
        Date or instant to cut by; None keeps the table whole.

    Returns
    -------
    list of (label, table)
        Oldest first. Rows keep their order inside a chunk; a table whose key begins with `column` keeps it altogether.

    Raises
    ------
    WarehouseError
        If the column is absent, no date, or null anywhere.

    Examples
    --------
    >>> from datetime import date
    >>> days = pa.table({"session": [date(2023, 5, 1), date(2024, 1, 2), date(2024, 2, 1), date(2024, 2, 2)]})
    >>> [(label, chunk.num_rows) for label, chunk in split(days, "session")]
    [('2023', 1), ('2024-01', 1), ('2024-02', 2)]
    """
    if column is None:
        return [(WHOLE, table)]
    dates = _dates(table, column)
    if table.num_rows == 0:
        return [(EMPTY, table)]
    year, month = pc.year(dates).to_numpy(), pc.month(dates).to_numpy()
    span = year * 100 + np.where(year == year.max(), month, 0)  # 202400 is the year, 202502 a month
    if (np.diff(span) < 0).any():
        order = np.argsort(span, kind="stable")
        table, span = table.take(pa.array(order)), span[order]
    edges = np.flatnonzero(np.diff(span)) + 1
    starts, stops = [0, *edges.tolist()], [*edges.tolist(), table.num_rows]
    return [(_label(int(span[a])), table.slice(a, b - a)) for a, b in zip(starts, stops, strict=True)]


def begins(label: str) -> date | None:
    """First day of a chunk; None of a table that is not cut, or empty.

    Examples
    --------
    >>> begins("2023"), begins("2024-02"), begins("all")
    (datetime.date(2023, 1, 1), datetime.date(2024, 2, 1), None)
    """
    if label in (WHOLE, EMPTY):
        return None
    year, _, month = label.partition("-")
    return date(int(year), int(month or 1), 1)


def within(label: str, since: date | None = None, before: date | None = None) -> bool:
    """Whether a chunk begins on or after `since` and before `before`; a table that is not cut always is."""
    start = begins(label)
    return start is None or ((since is None or start >= since) and (before is None or start < before))


def ends(label: str) -> date | None:
    """First day after a chunk; None for the chunk of a table that is not cut.

    Examples
    --------
    >>> ends("2023"), ends("2023-12")
    (datetime.date(2024, 1, 1), datetime.date(2024, 1, 1))
    """
    start = begins(label)
    if start is None:
        return None
    months = start.month if "-" in label else 12
    return date(start.year + months // 12, months % 12 + 1, 1)


def seam(labels: Iterable[str], first: date, last: date) -> date | None:
    """Where new rows may be joined to stored chunks: the latest day, not past `first`, that begins a chunk before and after.

    Parameters
    ----------
    labels : iterable of str
        Chunks that are stored.
    first, last : date
        First day that changes, and the last day of the new rows.

    Returns
    -------
    date or None
        None where nothing stored lies before it, so that there is nothing to join to.

    Examples
    --------
    >>> seam(["2023", "2024-01", "2024-02"], date(2024, 2, 9), date(2024, 3, 1))
    datetime.date(2024, 2, 1)
    >>> seam(["2022", "2023-11", "2023-12"], date(2024, 1, 2), date(2024, 1, 2))  # the months of 2023 become one chunk
    datetime.date(2023, 1, 1)
    """
    starts = sorted(start for label in labels if (start := begins(label)) is not None)
    if not starts:
        return None
    newest = starts[-1].year
    whole_years = first.year < newest or last.year > newest
    at = date(min(first.year, newest), 1 if whole_years else first.month, 1)
    return at if starts[0] < at else None


def _dates(table: pa.Table, column: str) -> pa.ChunkedArray:
    if column not in table.column_names:
        raise WarehouseError(f"a table is cut by one of its columns; {column!r} is not among {table.column_names}.")
    dates = table.column(column)
    if not (pa.types.is_date(dates.type) or pa.types.is_timestamp(dates.type)):
        raise WarehouseError(f"a table is cut by a date; {column!r} is {dates.type}. Choose the session column.")
    if dates.null_count:
        raise WarehouseError(
            f"a table is cut by a date that every row has; {column!r} is null in {dates.null_count} of {len(dates)} rows."
        )
    return dates


def _label(span: int) -> str:
    year, month = divmod(span, 100)
    return f"{year:04d}-{month:02d}" if month else f"{year:04d}"
