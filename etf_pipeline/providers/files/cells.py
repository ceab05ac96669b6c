"""Columns of text or of typed cells to numbers, sessions, instants and words, each with the cells that could not be read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as arrow
import pyarrow.compute as pc

from etf_pipeline.providers.files.rejects import UnreadableFile, join_rejects, reject_rows
from etf_pipeline.providers.files.tabular import Lines

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Days = npt.NDArray[np.datetime64]

DAY = r"\s*(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d*)?)?)\s*(?:Z|[+-]\d{2}:?\d{2})?)?\s*"
"""A date, perhaps with a time of day and its offset."""

EARLIEST, LATEST = np.datetime64("1800-01-01"), np.datetime64("2200-01-01")
"""Dates outside count as unreadable: they would not fit nanoseconds."""


@dataclass
class Cells:
    """Reads the columns of some lines and remembers, per line, the first cell that could not be read.

    Attributes
    ----------
    lines : Lines
        Where the cells come from.
    rule, found : ndarray of shape (n_lines,)
        First rule that a line broke (empty: none) and what stood there.
    """

    lines: Lines
    rule: npt.NDArray[np.object_] = field(init=False)
    found: npt.NDArray[np.object_] = field(init=False)

    def __post_init__(self) -> None:
        self.rule = np.full(self.lines.table.num_rows, "", dtype=object)
        self.found = np.full(self.lines.table.num_rows, "", dtype=object)

    @property
    def readable(self) -> Flags:
        """Lines of which every cell asked for so far could be read."""
        return cast(Flags, self.rule == "")

    def refuse(self, bad: Flags, rule: str, describe: Callable[[int], str]) -> None:
        """Note a broken rule for those `bad` lines that had broken none before."""
        for i in np.flatnonzero(bad & self.readable):
            self.rule[i], self.found[i] = rule, describe(int(i))

    def numbers(self, name: str, *, nonnegative: bool = False) -> Floats:
        """A column of numbers; nothing and ``nan`` are unknown, other text is refused; an unnamed column is all unknown."""
        if not name:
            return np.full(self.lines.table.num_rows, np.nan)
        column = self._column(name, "numbers", lambda t: arrow.types.is_floating(t) or arrow.types.is_integer(t) or _decimal(t))
        values = (
            column.cast(arrow.float64()).to_numpy(zero_copy_only=False)
            if not arrow.types.is_string(column.type)
            else self._from_text(name, column)
        )
        if nonnegative:
            self.refuse(values < 0, "impossible_value", lambda i: f"{name} = {values[i]:g}")
        return np.asarray(values, dtype=np.float64)

    def words(self, name: str, *, default: str | None = None, needed: bool = False) -> npt.NDArray[np.object_]:
        """A column of text, blank as None or `default`; `needed` refuses lines without a word."""
        if not name:
            return np.full(self.lines.table.num_rows, default, dtype=object)
        column = self._column(name, "text", lambda t: arrow.types.is_integer(t))
        words = column.cast(arrow.string()).to_pandas().to_numpy(dtype=object)
        blank = np.fromiter((not w or not w.strip() for w in words), dtype=bool, count=len(words))
        words[blank] = default
        if needed and default is None:
            self.refuse(blank, "missing_text", lambda i: f"{name} is blank")
        return cast("npt.NDArray[np.object_]", words)

    def days(self, name: str, *, needed: bool = True) -> Days:
        """A column of dates as naive midnights. An instant off the midnight of its own zone names no day and is refused."""
        if not name:
            return np.full(self.lines.table.num_rows, np.datetime64("NaT"), "datetime64[ns]")
        column = self._column(name, "dates", lambda t: arrow.types.is_date(t) or arrow.types.is_timestamp(t))
        if arrow.types.is_string(column.type):
            days, off_midnight, blank = _days_of_text(column)
        else:
            days, off_midnight, blank = _days_of_instants(column)
        shown = column.to_pandas()
        self.refuse(off_midnight, "wrong_timezone", lambda i: f"{name} = {shown[i]}")
        outside = (days < EARLIEST) | (days >= LATEST)
        lost = (np.isnat(days) | outside) & (np.ones_like(blank) if needed else ~blank)
        self.refuse(lost & ~off_midnight, "not_a_date", lambda i: f"{name} = {shown[i]!r}")
        days[lost | off_midnight] = np.datetime64("NaT")
        return days.astype("datetime64[ns]")

    def instants(self, name: str) -> pd.Series[Any]:
        """A column of UTC instants; without an offset they are taken as UTC."""
        if not name:
            return pd.Series(pd.NaT, index=range(self.lines.table.num_rows)).astype("datetime64[ns, UTC]")
        text = self._column(name, "instants", lambda t: arrow.types.is_timestamp(t)).to_pandas()
        found = pd.to_datetime(text.replace("", None), utc=True, errors="coerce", format="ISO8601").astype("datetime64[ns, UTC]")
        lost = (found.isna() & text.notna() & (text.astype(str).str.strip() != "")).to_numpy()
        self.refuse(lost, "not_a_date", lambda i: f"{name} = {text[i]!r}")
        return cast("pd.Series[Any]", found)

    def rejects(self, dataset: str, days: Days, tickers: npt.NDArray[np.object_] | None = None) -> pd.DataFrame:
        """Refused lines as `raw_rejects`, those that fell out before included."""
        parts = [self.lines.rejects]
        for rule in sorted(set(self.rule) - {""}):
            at = np.flatnonzero(self.rule == rule)
            who = None if tickers is None else tickers[at]
            parts.append(
                reject_rows(
                    dataset, self.lines.source, rule, self.lines.rows[at], list(self.found[at]), session=days[at], ticker=who
                )
            )
        return join_rejects(parts)

    def _column(self, name: str, what: str, allowed: Callable[[arrow.DataType], bool]) -> arrow.Array:
        column = self.lines.table[name].combine_chunks()
        if arrow.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if arrow.types.is_large_string(column.type) or arrow.types.is_null(column.type):
            column = column.cast(arrow.string())
        if not (arrow.types.is_string(column.type) or allowed(column.type)):
            found = f"type {column.type} in column {name}"
            raise UnreadableFile(self.lines.source, "changed_schema", needed=f"{what} in column {name}", found=found)
        return column

    def _from_text(self, name: str, column: arrow.Array) -> Floats:
        trimmed = pc.utf8_trim_whitespace(column)
        try:
            return np.asarray(trimmed.cast(arrow.float64()).to_numpy(zero_copy_only=False))
        except arrow.ArrowInvalid:
            text = trimmed.to_pandas()
        unknown = (text.isna() | text.str.lower().isin(["", "nan"])).to_numpy()
        values = np.array([_number(cell) for cell in text], dtype=np.float64)
        self.refuse(np.isnan(values) & ~unknown, "not_a_number", lambda i: f"{name} = '{text[i][:60]}'")
        return values


NUMBER = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?)", re.IGNORECASE | re.ASCII)
"""What counts as a number in a text cell."""


def _number(cell: object) -> float:
    """The number that a cell spells; NaN where it spells none. (`pandas.to_numeric` was seen to crash on malformed text.)"""
    return float(cell) if isinstance(cell, str) and NUMBER.fullmatch(cell) else float("nan")


def _decimal(kind: arrow.DataType) -> bool:
    return bool(arrow.types.is_decimal(kind))


def _days_of_text(column: arrow.Array) -> tuple[Days, Flags, Flags]:
    """Days, whether a time of day off midnight stands beside them, and whether the cell is blank."""
    try:
        days = column.cast(arrow.date32()).to_numpy(zero_copy_only=False).astype("datetime64[s]")
        return days, np.zeros(len(days), dtype=bool), np.isnat(days)
    except arrow.ArrowInvalid:
        text = column.to_pandas()
    parts = text.str.extract(rf"^{DAY}$")
    stamp = pd.to_datetime(parts[0], format="%Y-%m-%d", errors="coerce").to_numpy().astype("datetime64[s]")
    off_midnight = parts[1].fillna("").str.contains(r"[1-9]").to_numpy(dtype=bool) & ~np.isnat(stamp)
    return stamp, off_midnight, (text.isna() | (text.str.strip() == "")).to_numpy(dtype=bool)


def _days_of_instants(column: arrow.Array) -> tuple[Days, Flags, Flags]:
    """Days by the wall clock of the column's own time zone, as `_days_of_text`."""
    if arrow.types.is_timestamp(column.type) and column.type.tz is not None:
        column = pc.local_timestamp(column)
    blank = np.asarray(pc.is_null(column).to_numpy(zero_copy_only=False), dtype=bool)
    moments = column.to_numpy(zero_copy_only=False)
    days = moments.astype("datetime64[D]")
    off_midnight = (moments != days) & ~blank
    return days.astype("datetime64[s]"), off_midnight, blank
