"""What a section of the report is made of: one plain sentence, key figures, charts and tables of ready-made text.

Sections are built from tables by the functions in `sections`; the template only lays them out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from etf_pipeline.reporting.formats import text
from etf_pipeline.reporting.svg import Chart


@dataclass(frozen=True)
class Column:
    """How one column of a frame is shown.

    Attributes
    ----------
    label : str
        Head of the column, with its unit where the cells do not name it.
    field : str
        Column of the frame.
    form : callable
        From a value to text.
    numeric : bool
        Aligned to the right.
    bar : bool
        A bar behind the text, its length in proportion to the value.
    tone : callable or None
        From a value to ``good``, ``bad`` or nothing.
    under : str
        Another column, shown small under the text.
    wide : bool
        Holds sentences: gets room for them.
    """

    label: str
    field: str
    form: Callable[[Any], str] = text
    numeric: bool = True
    bar: bool = False
    tone: Callable[[Any], str] | None = None
    under: str = ""
    wide: bool = False


@dataclass(frozen=True)
class Cell:
    """One cell as text, with the length of its bar in percent and the text under it."""

    text: str
    numeric: bool
    bar: float | None = None
    tone: str = ""
    under: str = ""
    wide: bool = False


@dataclass(frozen=True)
class Group:
    """Rows under one heading; the first cell of a row is its header."""

    title: str
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Grid:
    """A table of the report; a folded one shows its caption until it is opened."""

    caption: str
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    folded: bool = False


@dataclass(frozen=True)
class Fact:
    """A key figure: label, value and a remark."""

    label: str
    value: str
    remark: str


@dataclass(frozen=True)
class Section:
    """A part of the report.

    Attributes
    ----------
    key, heading : str
        Anchor and title.
    sentence : str
        What a reader who is no quant should take from it.
    sources : tuple of str
        Tables that the figures come from.
    """

    key: str
    heading: str
    sentence: str
    sources: tuple[str, ...]
    paragraphs: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    charts: tuple[Chart, ...] = ()
    grids: tuple[Grid, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Chapter:
    """Sections that answer one question of a reader.

    Attributes
    ----------
    key, heading : str
        Anchor and title.
    sections : tuple of Section
        In reading order.
    """

    key: str
    heading: str
    sections: tuple[Section, ...]


def grid(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    caption: str,
    *,
    by: str = "",
    title: Callable[[Any], str] = text,
    folded: bool = False,
) -> Grid:
    """A table of the report from a frame's rows, in their order.

    Parameters
    ----------
    frame : DataFrame
        Rows to show.
    columns : sequence of Column
        Columns to show; the first names the row.
    caption : str
        What the table holds.
    by : str, optional
        Column whose values head groups of rows, in order of appearance.
    title : callable, optional
        From such a value to the heading.
    folded : bool, default False
        Shut at first: for detail that few readers need.
    """
    longest = {c.field: float(frame[c.field].abs().max()) for c in columns if c.bar and len(frame)}
    parts = [(title(value), frame[frame[by] == value]) for value in frame[by].unique()] if by else [("", frame)]
    groups = tuple(
        Group(heading, tuple(_row(row, columns, longest) for row in part.to_dict("records")))
        for heading, part in parts
        if len(part)
    )
    return Grid(caption, tuple(columns), groups, folded)


def _row(row: dict[Any, Any], columns: Sequence[Column], longest: dict[str, float]) -> tuple[Cell, ...]:
    return tuple(_cell(row[c.field], c, longest.get(c.field, 0.0), row[c.under] if c.under else None) for c in columns)


def _cell(value: Any, column: Column, longest: float, under: Any) -> Cell:
    length = round(100 * abs(value) / longest, 1) if column.bar and longest > 0 and not pd.isna(value) else None
    tone = column.tone(value) if column.tone else ""
    return Cell(column.form(value), column.numeric, length, tone, "" if pd.isna(under) else str(under), column.wide)
