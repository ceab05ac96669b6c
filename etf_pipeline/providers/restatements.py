"""What a source says now, held against what it said before: the newest values, and a log of every value that changed.

A fetch may bring everything or only what was missing. In both cases a row is the same row if ticker, day, source and place among
the rows of that day agree; where its values differ, the source has restated its history. The newest values are kept, the
difference goes into `raw_corrections` with the instant at which it was seen, and the version that held the old ones stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl
import pyarrow as arrow

from etf_pipeline.schemas import TABLES
from etf_pipeline.schemas.contract import to_polars


@dataclass(frozen=True)
class Watched:
    """A raw table whose history is watched.

    Attributes
    ----------
    day : str
        Column of the session.
    key : tuple of str
        What names a row, besides its place among equals.
    fields : tuple of str
        Columns whose change is a restatement. Where a row stands in its file is none.
    """

    day: str
    key: tuple[str, ...]
    fields: tuple[str, ...]


WATCHED = {
    "raw_prices": Watched(
        "session",
        ("ticker", "session", "source"),
        ("open", "high", "low", "close", "volume", "currency", "exchange", "adjustment"),
    ),
    "raw_actions": Watched(
        "ex_date", ("ticker", "ex_date", "kind", "source"), ("value", "pay_date", "successor", "currency", "available_at")
    ),
}
"""Tables whose restatements are logged, by name."""

TOLERANCE = 1e-9
"""Floats that agree to this relative difference are the same value, written by another program."""

PLACE, OLD = "_place", "_old"


@dataclass(frozen=True)
class Restated:
    """A table after a fetch.

    Attributes
    ----------
    rows : pyarrow.Table
        The newest version of every row.
    corrections : pyarrow.Table
        Rows of `raw_corrections` that this fetch adds.
    """

    rows: arrow.Table
    corrections: arrow.Table


def restate(
    name: str, stored: arrow.Table, fetched: arrow.Table, known_at: datetime, *, whole: bool, taken: arrow.Table | None = None
) -> Restated:
    """Lay what was fetched over what is stored.

    Parameters
    ----------
    name : str
        A table of `WATCHED`.
    stored, fetched : pyarrow.Table
        Its rows before, and as the source gives them now.
    known_at : datetime
        Instant of the fetch. [UTC]
    whole : bool
        Whether `fetched` is all that the source has: rows that it lacks were withdrawn. Otherwise stored rows stay.
    taken : pyarrow.Table, optional
        `source` and `source_row` of everything that is stored, where `stored` is its last stretch: no new row gets a number that
        another one has.

    Returns
    -------
    Restated
        Where nothing was stored there is nothing to correct. A row on a day after the source's last stored one for the ticker is
        news; a row on a day up to it is an addition to history, and logged.

    Notes
    -----
    A source that multiplies a fund's whole history by a split ratio changes every bar of it, and every bar is logged.
    """
    taken = stored if taken is None else taken
    if not taken.num_rows:
        return Restated(fetched, _log([]))
    before, now = _numbered(name, stored), _numbered(name, fetched)
    key = [*WATCHED[name].key, PLACE]
    both = now.join(before, on=key, how="inner", suffix=OLD)
    parts = [*_changes(name, both, known_at), _additions(name, before, now.join(before, on=key, how="anti"), known_at)]
    left = before.join(now, on=key, how="anti")
    rows = _renumbered(before, now, key, to_polars(taken)).select(fetched.schema.names)
    if whole:
        parts.append(_rows(name, left, "row", pl.col("source_row"), None, known_at))
    else:
        rows = pl.concat([left.drop(PLACE), rows])
    return Restated(TABLES[name].conform(rows.to_arrow()), _log(parts))


def _numbered(name: str, table: arrow.Table) -> pl.DataFrame:
    """Rows with their place among those that share their key, in the order of the source."""
    key = list(WATCHED[name].key)
    frame = to_polars(table)
    if not frame.select(key).is_duplicated().any():
        return frame.with_columns(pl.lit(0, pl.Int64).alias(PLACE))
    place = pl.col("source_row").rank("ordinal").over(key).cast(pl.Int64).alias(PLACE)
    return frame.with_columns(place - 1)


def _renumbered(before: pl.DataFrame, now: pl.DataFrame, key: list[str], taken: pl.DataFrame) -> pl.DataFrame:
    """Rows under the numbers that they have had so far; a new one gets the next free number of a source that has delivered.

    A file that grows in the middle shifts every line after it: without this, each of them would count as changed.
    """
    rows = now.join(before.select(*key, pl.col("source_row").alias(OLD)), on=key, how="left")
    highest = taken.group_by("source").agg(pl.col("source_row").max().alias("_highest"))
    rows = rows.join(highest, on="source", how="left")
    news = pl.col(OLD).is_null()
    follows = pl.col("_highest") + pl.when(news).then(pl.col("source_row").rank("ordinal").over("source", news)).cast(pl.Int64)
    number = pl.coalesce(OLD, follows, "source_row").alias("source_row")
    return rows.with_columns(number)


def _changes(name: str, both: pl.DataFrame, known_at: datetime) -> list[pl.DataFrame]:
    parts = []
    for field in WATCHED[name].fields:
        new, old = pl.col(field), pl.col(field + OLD)
        if both.schema[field].is_float():
            same = ((new - old).abs() <= TOLERANCE * pl.max_horizontal(new.abs(), old.abs())) | new.eq_missing(old)
        else:
            same = new.eq_missing(old)
        changed = both.filter(~same.fill_null(False))
        if changed.height:
            parts.append(_rows(name, changed, field, old, new, known_at))
    return parts


def _additions(name: str, before: pl.DataFrame, new: pl.DataFrame, known_at: datetime) -> pl.DataFrame:
    """New rows on days up to the last that the source had delivered for their ticker."""
    day = WATCHED[name].day
    last = before.group_by("ticker", "source").agg(pl.col(day).max().alias("_last"))
    late = new.join(last, on=["ticker", "source"], how="inner").filter(pl.col(day) <= pl.col("_last"))
    return _rows(name, late, "row", None, pl.col("source_row"), known_at)


def _rows(
    name: str, rows: pl.DataFrame, field: str, old: pl.Expr | None, new: pl.Expr | None, known_at: datetime
) -> pl.DataFrame:
    nothing = pl.lit(None, pl.String)
    return rows.select(
        pl.lit(name).alias("dataset"),
        pl.col("ticker"),
        pl.col(WATCHED[name].day).alias("session"),
        pl.col("source"),
        pl.col("source_row"),
        pl.lit(field).alias("field"),
        (nothing if old is None else old.cast(pl.String)).alias("old_value"),
        (nothing if new is None else new.cast(pl.String)).alias("new_value"),
        pl.lit(known_at).cast(pl.Datetime("us", "UTC")).alias("known_at"),
    )


def _log(parts: list[pl.DataFrame]) -> arrow.Table:
    contract = TABLES["raw_corrections"]
    filled = [part for part in parts if part.height]
    if not filled:
        return contract.arrow_schema.empty_table()
    return contract.conform(pl.concat(filled).sort(contract.key).to_arrow())
