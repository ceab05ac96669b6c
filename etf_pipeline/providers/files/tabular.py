"""Bytes of a CSV or Parquet file to columns, with the row number that each line has in the file.

Nothing is converted here: a CSV's cells stay text, a Parquet's columns keep their type.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as arrow
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from etf_pipeline.providers.files.rejects import UnreadableFile, join_rejects, reject_rows

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Lines:
    """The readable lines of one file.

    Attributes
    ----------
    source : str
        File, relative to the folder.
    table : pyarrow.Table of shape (n_lines, n_columns)
        The columns asked for, as text (CSV) or as typed (Parquet).
    rows : ndarray of shape (n_lines,)
        Row of each line within the file, from 0 below the header.
    rejects : DataFrame
        Lines that fell out, as `raw_rejects`.
    """

    source: str
    table: arrow.Table
    rows: npt.NDArray[np.int64]
    rejects: pd.DataFrame


def read_lines(content: bytes, source: str, dataset: str, columns: Sequence[str]) -> Lines:
    """Take the named columns out of a file's bytes.

    Parameters
    ----------
    content : bytes
        The whole file; its ending in `source` says whether it is Parquet or CSV.
    dataset : str
        Table that the lines are meant for.
    columns : sequence of str
        Columns that must be there; others are left alone.

    Raises
    ------
    UnreadableFile
        If the file is empty, truncated, not text, or lacks a column.
    """
    if not content:
        raise UnreadableFile(source, "empty_file", needed="a header and rows", found="0 bytes")
    if source.lower().endswith(".parquet"):
        return _parquet(content, source, dataset, columns)
    return _csv(content, source, dataset, columns)


def decode_lines(content: bytes, source: str, dataset: str) -> tuple[list[str], pd.DataFrame]:
    """Split text into lines; one that is not UTF-8 becomes blank and is reported by its number in the file.

    Raises
    ------
    UnreadableFile
        If the first line is not UTF-8, or the text holds NUL bytes (UTF-16): then nothing in it can be trusted.
    """
    body = content.removeprefix(BOM)
    broken: dict[int, str] = {}
    try:
        lines = body.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        lines = [_decode(line, i, broken) for i, line in enumerate(body.split(b"\n"))]
    if 0 in broken or b"\x00" in body:
        raise UnreadableFile(source, "wrong_encoding", needed="text in UTF-8", found=f"{body[:24]!r} at its start")
    rows = [i - 1 for i in broken]
    return [line.rstrip("\r") for line in lines], reject_rows(dataset, source, "wrong_encoding", rows, list(broken.values()))


def iso_days(lines: Lines, name: str) -> Lines:
    """The lines with dates such as ``20240131`` or ``20240131 00:00`` in a text column written as 2024-01-31."""
    at = lines.table.schema.get_field_index(name)
    text = pc.replace_substring_regex(lines.table.column(at), r"^\s*(\d{4})(\d{2})(\d{2})( 00:00)?\s*$", r"\1-\2-\3")
    return Lines(lines.source, lines.table.set_column(at, name, text), lines.rows, lines.rejects)


def _decode(line: bytes, number: int, broken: dict[int, str]) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        broken[number] = f"byte 0x{line[error.start]:02x} at position {error.start} of {line[:80]!r}"
        return ""


def _csv(content: bytes, source: str, dataset: str, columns: Sequence[str]) -> Lines:
    lines, undecoded = decode_lines(content, source, dataset)
    if not lines[0].strip():
        raise UnreadableFile(source, "empty_file", needed="a header in its first line", found="a blank first line")
    rows = np.array([i for i, line in enumerate(lines) if i and line.strip()], dtype=np.int64) - 1
    if not len(rows) and not len(undecoded):
        raise UnreadableFile(source, "empty_file", needed="at least one row", found="a header and nothing below it")
    names = [name.strip() for name in _fields(lines[0]) or [lines[0]]]
    _need_columns(names, columns, source)
    table, misfits = _parse_text([lines[i + 1] for i in rows], names, source)
    kept = np.ones(len(rows), dtype=bool)
    kept[list(misfits)] = False
    uneven = reject_rows(dataset, source, "wrong_field_count", rows[list(misfits)], list(misfits.values()))
    return Lines(source, table.select(list(dict.fromkeys(columns))), rows[kept], join_rejects([undecoded, uneven]))


def _parse_text(lines: list[str], names: list[str], source: str) -> tuple[arrow.Table, dict[int, str]]:
    """Columns of lines, and by position those with the wrong number of fields.

    Lines with a quote or a stray carriage return are parsed one by one, so that an unclosed quote swallows no line but its own.
    """
    awkward = [i for i, line in enumerate(lines) if '"' in line or "\r" in line]
    apart = set(awkward)
    plain = [i for i in range(len(lines)) if i not in apart] if apart else range(len(lines))
    table, bad = _parse_plain("\n".join(lines[i] for i in plain) if apart else "\n".join(lines), names, source)
    misfits = {plain[i]: found for i, found in bad.items()}
    if not awkward:
        return table, misfits
    cells = {i: fields for i in awkward if len(fields := _fields(lines[i])) == len(names)}
    misfits |= {
        i: f"{len(_fields(lines[i]))} fields instead of {len(names)}: '{lines[i][:80]}'" for i in awkward if i not in cells
    }
    columns = list(zip(*cells.values(), strict=True)) or [()] * len(names)
    extra = arrow.table({name: arrow.array(column, arrow.string()) for name, column in zip(names, columns, strict=True)})
    order = np.argsort(np.array([*(i for i in plain if i not in misfits), *cells], dtype=np.int64), kind="stable")
    return arrow.concat_tables([table, extra]).take(order), misfits


def _fields(line: str) -> list[str]:
    """Fields of one line; none where a quote is left open."""
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error:
        return []


def _parse_plain(text: str, names: list[str], source: str) -> tuple[arrow.Table, dict[int, str]]:
    """Columns of text without header and quotes, and by position the lines with the wrong number of fields."""
    misfits: dict[int, str] = {}

    def collect(row: pyarrow.csv.InvalidRow) -> str:
        misfits[row.number - 1] = f"{row.actual_columns} fields instead of {row.expected_columns}: '{row.text[:80]}'"
        return "skip"

    if not text:
        return arrow.table({name: arrow.array([], arrow.string()) for name in names}), misfits
    try:
        table = pyarrow.csv.read_csv(
            io.BytesIO(text.encode("utf-8")),
            read_options=pyarrow.csv.ReadOptions(column_names=names, use_threads=False),
            parse_options=pyarrow.csv.ParseOptions(invalid_row_handler=collect, quote_char=False, ignore_empty_lines=False),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, arrow.string()), strings_can_be_null=False
            ),
        )
    except arrow.ArrowInvalid as error:
        raise UnreadableFile(source, "unreadable_file", needed="lines of text", found=str(error).splitlines()[0][:120]) from error
    return table, misfits


def _parquet(content: bytes, source: str, dataset: str, columns: Sequence[str]) -> Lines:
    try:
        file = pyarrow.parquet.ParquetFile(arrow.BufferReader(content))
        _need_columns(list(file.schema_arrow.names), columns, source)
        table = file.read(columns=list(dict.fromkeys(columns)))
        table.validate(full=True)
    except (arrow.ArrowException, OSError, ValueError) as error:  # a spoilt file breaks in all of these ways
        reason = f"{len(content)} bytes that are no whole Parquet file ({str(error).splitlines()[0][:120]})"
        raise UnreadableFile(source, "unreadable_file", needed="a Parquet file", found=reason) from error
    if not table.num_rows:
        raise UnreadableFile(source, "empty_file", needed="at least one row", found="columns and no rows")
    return Lines(source, table, np.arange(table.num_rows, dtype=np.int64), join_rejects([]))


def _need_columns(found: list[str], needed: Sequence[str], source: str) -> None:
    wrong = [c for c in needed if found.count(c) != 1]
    if not wrong:
        return
    similar = {c: [f for f in found if f.lower() == c.lower() and f != c] for c in wrong}
    hints = "".join(f"; '{c}' may now be called '{names[0]}'" for c, names in similar.items() if names)
    times = "twice" if any(found.count(c) > 1 for c in wrong) else "no"
    raise UnreadableFile(
        source,
        "missing_column",
        needed=f"each of the columns {', '.join(needed)} once",
        found=f"{times} column {', '.join(wrong)} among {', '.join(found)}{hints}",
    )
