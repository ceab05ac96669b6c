"""A Stooq file to `raw_prices`: the bulk archive's text, or the export of one ticker [1]_.

References
----------
.. [1] Stooq, "Free Historical Market Data", https://stooq.com/db/h/
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.providers.files.bars import PRICE_FIELDS
from etf_pipeline.providers.files.cells import Cells
from etf_pipeline.providers.files.layout import FileEntry
from etf_pipeline.providers.files.rejects import UnreadableFile
from etf_pipeline.providers.files.tabular import iso_days, read_lines

BULK = {"session": "<DATE>", "open": "<OPEN>", "high": "<HIGH>", "low": "<LOW>", "close": "<CLOSE>", "volume": "<VOL>"}
EXPORT = {"session": "Date", "open": "Open", "high": "High", "low": "Low", "close": "Close", "volume": "Volume"}
TICKER, PERIOD = "<TICKER>", "<PER>"
FILE_NAME = re.compile(r"^(.+?)[._]us(?:_d)?$", re.IGNORECASE)
"""``spy_us_d`` and ``spy.us`` name the ticker before the country."""


def parse_stooq_bars(content: bytes, source: str, entry: FileEntry) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Bars of one file.

    Parameters
    ----------
    content : bytes
        The whole file. Text in place of rows, as Stooq sends once the day's allowance is used up, lacks the columns.
    source : str
        Its path; an export names its ticker there.
    entry : FileEntry
        Adjustment, currency and exchange.

    Returns
    -------
    prices, rejects : DataFrame
        Rows of `raw_prices`, without the suffix ``.US``, and `raw_rejects`. Lines of another country or period are refused.

    Raises
    ------
    UnreadableFile
        If a column is missing, or an export's name holds no ticker.
    """
    bulk = b"<TICKER>" in content[:200].upper()
    names = BULK if bulk else EXPORT
    needed = [TICKER, PERIOD, *names.values()] if bulk else list(names.values())
    cells = Cells(iso_days(read_lines(content, source, "raw_prices", needed), names["session"]))
    tickers = _of_lines(cells) if bulk else np.full(cells.lines.table.num_rows, _of_name(source), dtype=object)
    days = cells.days(names["session"])
    bars = {field: cells.numbers(names[field]) for field in PRICE_FIELDS}
    frame = pd.DataFrame({"session": days, "ticker": tickers, **bars, "currency": entry.currency, "exchange": entry.exchange})
    frame = frame.assign(adjustment=entry.adjustment, source=source, source_row=cells.lines.rows)
    return frame[cells.readable].reset_index(drop=True), cells.rejects("raw_prices", days, tickers)


def _of_lines(cells: Cells) -> npt.NDArray[np.object_]:
    """Tickers of the bulk archive's lines, which must be daily bars of the US."""
    tickers, period = cells.words(TICKER, needed=True), cells.words(PERIOD)
    text = pd.Series(tickers, dtype=object).fillna("").str.strip().str.upper()
    foreign = ~text.str.endswith(".US").to_numpy(dtype=bool)
    cells.refuse(
        foreign, "unknown_exchange", lambda i: f"{TICKER} = '{tickers[i]}'; only those that end in .US have a known exchange"
    )
    cells.refuse(period != "D", "unknown_word", lambda i: f"{PERIOD} = '{period[i]}' instead of D, a daily bar")
    return text.str.removesuffix(".US").to_numpy(dtype=object)


def _of_name(source: str) -> str:
    match = FILE_NAME.match(PurePosixPath(source).stem)
    if match is None:
        raise UnreadableFile(source, "missing_column", needed="a ticker in the file's name, such as spy_us_d.csv", found="none")
    return match.group(1).upper()
