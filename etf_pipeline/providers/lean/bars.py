"""A zip of daily bars to `raw_prices`: one CSV without a header, prices in hundredths of a cent [1]_.

References
----------
.. [1] QuantConnect, "LEAN data format: US equity", https://www.quantconnect.com/docs/v2/lean-engine/data-format/us-equity
"""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import PurePosixPath

import pandas as pd

from etf_pipeline.providers.files.bars import PRICE_FIELDS
from etf_pipeline.providers.files.cells import Cells
from etf_pipeline.providers.files.layout import FileEntry
from etf_pipeline.providers.files.rejects import UnreadableFile
from etf_pipeline.providers.files.tabular import iso_days, read_lines

PRICE_SCALE = 10_000.0
"""LEAN writes prices as whole numbers of 1/10,000 of the currency."""

HEADER = "session,open,high,low,close,volume"


def parse_lean_bars(content: bytes, source: str, entry: FileEntry) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Bars of one zip, under the ticker that the file is named after.

    Parameters
    ----------
    content : bytes
        The zip.
    source : str
        Its path, such as ``daily/spy.zip``.
    entry : FileEntry
        Currency and exchange.

    Returns
    -------
    prices, rejects : DataFrame
        Rows of `raw_prices` (`adjustment` is that of the entry: raw) and `raw_rejects`; row 0 is the first line.

    Raises
    ------
    UnreadableFile
        If the zip cannot be opened or holds more or less than one file.
    """
    ticker = PurePosixPath(source).stem.upper()
    lines = read_lines(HEADER.encode() + b"\n" + _only_member(content, source), source, "raw_prices", HEADER.split(","))
    cells = Cells(iso_days(lines, "session"))
    days = cells.days("session")
    bars = {name: cells.numbers(name) / (1.0 if name == "volume" else PRICE_SCALE) for name in PRICE_FIELDS}
    frame = pd.DataFrame({"session": days, "ticker": ticker, **bars, "currency": entry.currency, "exchange": entry.exchange})
    frame = frame.assign(adjustment=entry.adjustment, source=source, source_row=lines.rows)
    return frame[cells.readable].reset_index(drop=True), cells.rejects("raw_prices", days, frame["ticker"].to_numpy(dtype=object))


def _only_member(content: bytes, source: str) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if len(names) == 1:
                return archive.read(names[0])
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ) as error:  # all these
        raise UnreadableFile(source, "unreadable_file", needed="a zip with one CSV", found=f"{error}") from error
    raise UnreadableFile(source, "unreadable_file", needed="a zip with one CSV", found=f"{len(names)} files in it")
