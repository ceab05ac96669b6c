"""Kenneth French's daily factor files in his own layout: text, a header that starts with a comma, rows, text [1]_.

References
----------
.. [1] K. R. French, Data Library, https://mba.tuck.dartmouth.edu/pages/faculty/ken.french/data_library.html
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.conventions import PERCENT
from etf_pipeline.providers.files.bars import settle_repeats
from etf_pipeline.providers.files.cells import Floats
from etf_pipeline.providers.files.layout import FileEntry
from etf_pipeline.providers.files.rejects import UnreadableFile, join_rejects, reject_rows
from etf_pipeline.providers.files.tabular import decode_lines

MISSING = (-99.99, -999.0)
"""The publisher's marks for a value that is unknown."""

PUBLICATION_LAG = pd.Timedelta(days=35)
"""From the end of a month to its factors: the library updates once a month, some weeks after the CRSP month it is made of."""

DATASET = "raw_factors"
LINE = re.compile(r"^\s*(\d{8})\s*,(.*)$")


def parse_french(content: bytes, source: str, entry: FileEntry) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Factors of one file.

    Parameters
    ----------
    content : bytes
        The whole file.
    entry : FileEntry
        `columns` maps the publisher's factor names to ours.

    Returns
    -------
    factors, rejects : DataFrame
        Rows of `raw_factors` (percent turned into fractions) and `raw_rejects`; rows count from 0 below the header.

    Raises
    ------
    UnreadableFile
        If the file is empty or has no header with a known factor.
    """
    if not content:
        raise UnreadableFile(source, "empty_file", needed="a header and rows", found="0 bytes")
    lines, undecoded = decode_lines(content, source, DATASET)
    top = next((i for i, line in enumerate(lines) if line.lstrip().startswith(",")), None)
    names = [] if top is None else [name.strip() for name in lines[top].split(",")[1:]]
    ours = [entry.columns.get(name, "") for name in names]
    if top is None or not any(ours):
        needed = f"a header line such as ',{','.join(entry.columns)}'"
        raise UnreadableFile(source, "missing_column", needed=needed, found=f"'{lines[top or 0][:80]}'")
    undecoded = undecoded.assign(source_row=undecoded["source_row"] - top)
    days, values, rows, refused = _rows(lines[top + 1 :], len(names), source)
    if not len(rows):
        raise UnreadableFile(source, "empty_file", needed="rows below the header", found="none")
    wide = pd.DataFrame(values, columns=names)[[n for n, o in zip(names, ours, strict=True) if o]]
    wide = wide.rename(columns=dict(zip(names, ours, strict=True))).assign(session=days, source=source, source_row=rows)
    wide, repeated = settle_repeats(wide, ["session"], [o for o in ours if o], DATASET, "session")
    factors, missing = _long(wide, source)
    return factors, join_rejects([undecoded, refused, repeated, missing])


def _rows(lines: list[str], width: int, source: str) -> tuple[pd.DatetimeIndex, Floats, npt.NDArray[np.int64], pd.DataFrame]:
    """Days, values and row numbers of the lines that start with a date, and rejects of those that start like one."""
    found: list[tuple[int, str, list[float]]] = []
    broken: dict[int, str] = {}
    for i, line in enumerate(lines):
        match = LINE.match(line)
        values = _floats(match.group(2).split(",")) if match else None
        if match and values is not None and len(values) == width:
            found.append((i, match.group(1), values))
        elif re.match(r"\s*\d", line):  # footer text starts with no digit
            broken[i] = f"'{line[:80]}' instead of a date and {width} numbers"
    days = pd.to_datetime([day for _, day, _ in found], format="%Y%m%d", errors="coerce").as_unit("ns")
    broken.update({found[i][0]: f"'{found[i][1]}' is no date" for i in np.flatnonzero(days.isna())})
    real = np.asarray(days.notna())
    rows, table = np.array([i for i, _, _ in found], dtype=np.int64), np.array([v for _, _, v in found]).reshape(-1, width)
    return days[real], table[real], rows[real], reject_rows(DATASET, source, "not_a_number", list(broken), list(broken.values()))


def _floats(cells: list[str]) -> list[float] | None:
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        return None


def _long(wide: pd.DataFrame, source: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    long = wide.drop(columns=["source", "source_row"]).melt(id_vars="session", var_name="factor", value_name="value")
    unknown = long["value"].isin(MISSING) | long["value"].isna()
    marks = [f"{int(unknown.sum())} values marked as missing"] if unknown.any() else []
    long = long[~unknown].reset_index(drop=True)
    long["value"] *= PERCENT
    # the last day of the month, also for a session that is itself that day
    published = long["session"] + pd.offsets.MonthEnd(0) + PUBLICATION_LAG
    long["available_at"] = published.dt.tz_localize("UTC")
    return long, reject_rows(DATASET, source, "missing_value", [-1] * len(marks), marks)
