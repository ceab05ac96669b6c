"""Lines of a dated series (FRED, VIX, T-bill yield, GPR) to `raw_macro`, with the instant each value became public."""

from __future__ import annotations

from pathlib import PurePosixPath

import numpy as np
import pandas as pd
import pyarrow as arrow
import pyarrow.compute as pc

from etf_pipeline.providers.files.bars import settle_repeats
from etf_pipeline.providers.files.cells import Cells, Flags
from etf_pipeline.providers.files.layout import FileEntry
from etf_pipeline.providers.files.rejects import UnreadableFile, join_rejects, reject_rows
from etf_pipeline.providers.files.tabular import Lines
from etf_pipeline.providers.macro_series import SERIES
from etf_pipeline.providers.release import release_instants


def parse_series(lines: Lines, entry: FileEntry) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One series of one file.

    Blank cells and FRED's ``.`` are not observed: they stay out of the table, and one reject per file counts them.

    Raises
    ------
    UnreadableFile
        If `macro_series.SERIES` does not know the series: without a release lag its values would look ahead.
    """
    code = entry.series or PurePosixPath(lines.source).stem
    if code not in SERIES:
        known = ", ".join(SERIES)
        raise UnreadableFile(lines.source, "unknown_series", needed=f"a series with a known lag ({known})", found=f"'{code}'")
    spec = SERIES[code]
    cells, names = Cells(_without_dots(lines, entry.columns["value"])), entry.columns
    days, value = cells.days(names["period"]), cells.numbers(names["value"])
    frame = pd.DataFrame({"series": code, "period": days, "value": value, "source": lines.source, "source_row": lines.rows})
    unseen = cells.readable & np.isnan(value)
    rejects = [cells.rejects("raw_macro", days), _not_observed(lines, unseen)]
    kept, repeated = settle_repeats(frame[cells.readable & ~unseen], ["period"], ["value"], "raw_macro", "period")
    kept["available_at"] = release_instants(spec, pd.DatetimeIndex(kept["period"]))
    kept = kept.assign(unit=spec.unit, vintage=spec.vintage)
    return kept[["series", "period", "value", "unit", "available_at", "vintage", "source"]], join_rejects([*rejects, repeated])


def _without_dots(lines: Lines, name: str) -> Lines:
    """FRED writes a full stop where nothing was observed."""
    at = lines.table.schema.get_field_index(name)
    if not arrow.types.is_string(lines.table.schema.field(at).type):
        return lines
    column = lines.table.column(at)
    blank = pc.if_else(pc.equal(pc.utf8_trim_whitespace(column), "."), "", column)
    return Lines(lines.source, lines.table.set_column(at, name, blank), lines.rows, lines.rejects)


def _not_observed(lines: Lines, unseen: Flags) -> pd.DataFrame:
    count = int(unseen.sum())
    if not count:
        return join_rejects([])
    found = [f"{count} periods without an observation, the first in row {lines.rows[unseen.argmax()]}"]
    return reject_rows("raw_macro", lines.source, "missing_value", [-1], found)
