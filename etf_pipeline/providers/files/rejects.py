"""What cannot be read: a line becomes a row of `raw_rejects`, a whole file an `UnreadableFile`.

Each rule's remedy stands here once; its severity is the `quality` room's business (`quality.RULES` has the same names).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.errors import ProviderError

REMEDIES: Mapping[str, str] = {
    "missing_file": "Put the file into the folder, or remove its entry by a layout.yaml of your own.",
    "empty_file": "Export the file again; it holds no rows.",
    "unreadable_file": "Copy or export the file again; it is truncated or not of the kind that its ending says.",
    "wrong_encoding": "Save the text as UTF-8.",
    "missing_column": "Name the column in layout.yaml under `columns`, or export it again with the column.",
    "changed_schema": "Export the column with its former type, or convert it before it enters the folder.",
    "wrong_field_count": "Mend the line: it has more or fewer fields than the header, or an unclosed quote.",
    "not_a_number": "Mend the cell: a plain decimal number, or nothing where it is unknown.",
    "not_a_date": "Mend the cell: a date as YYYY-MM-DD.",
    "wrong_timezone": "Export sessions as plain dates in the exchange's own time; an instant off midnight names no session.",
    "missing_text": "Fill in the cell; a row without it belongs to nothing.",
    "unknown_word": "Use one of the words that the contract allows.",
    "impossible_value": "Correct the value: it cannot be negative, nor may the ratio of a split be zero.",
    "duplicate_key": "Remove the repeat. Of exact repeats the first counts; of rows that contradict each other none does.",
    "not_a_session": "Correct the date: the exchange was closed, so nothing can have happened at its open.",
    "unknown_exchange": "Use a market identifier code such as XNYS or XASX.",
    "unknown_series": "Declare the series with unit and release lag in providers/macro_series.py, or take the file away.",
    "not_delivered": "Run again later. A fund that ended goes out of ETF_TICKERS, and its ending into the actions.",
    "missing_value": "Nothing to do: the publisher marks these as not observed, and they stay unknown.",
}
"""Remedy of every rule that a line or a file can break on the way in."""

COLUMNS = ["dataset", "source", "source_row", "session", "ticker", "rule", "found", "remedy"]


class UnreadableFile(ProviderError):
    """A whole file cannot be read: raised on for a required file, a reject with row -1 for any other.

    Attributes
    ----------
    source : str
        File, relative to the folder.
    rule : str
        Key of `REMEDIES`.
    found : str
        What stood there.
    """

    def __init__(self, source: str, rule: str, *, needed: str, found: str) -> None:
        super().__init__(f"files provider needs {needed}; '{source}' has {found} (rule {rule}). {REMEDIES[rule]}")
        self.source, self.rule, self.found = source, rule, found

    def as_reject(self, dataset: str) -> pd.DataFrame:
        """The same as a row of `raw_rejects`."""
        return reject_rows(dataset, self.source, self.rule, [-1], [self.found])


def reject_rows(
    dataset: str,
    source: str,
    rule: str,
    rows: Sequence[int] | npt.NDArray[np.int64],
    found: Sequence[str],
    *,
    session: Any = None,
    ticker: Any = None,
) -> pd.DataFrame:
    """Rows of `raw_rejects` that broke one rule.

    Parameters
    ----------
    dataset : str
        Table that the lines were meant for.
    source, rule : str
        File and key of `REMEDIES`.
    rows : sequence of int
        Row within the file, from 0 below the header; -1 for the whole file.
    found : sequence of str
        What stood there, one text per row.
    session, ticker : array, optional
        Where they could be read.
    """
    n = len(rows)
    days = pd.DatetimeIndex(np.full(n, np.datetime64("NaT"), "datetime64[ns]") if session is None else session)
    return pd.DataFrame(
        {
            "dataset": [dataset] * n,
            "source": [source] * n,
            "source_row": np.asarray(rows, dtype=np.int64),
            "session": days,
            "ticker": pd.Series([None] * n if ticker is None else list(ticker), dtype=object),
            "rule": [rule] * n,
            "found": list(found),
            "remedy": [REMEDIES[rule]] * n,
        }
    )


def join_rejects(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One frame of `raw_rejects` from several, which may all be empty."""
    filled = [p for p in parts if len(p)]
    if not filled:
        return reject_rows("", "", "missing_file", [], [])
    # `session` and `ticker` may be wholly unknown in one part: concatenate by column so that no dtype is guessed
    return pd.DataFrame({c: np.concatenate([p[c].to_numpy() for p in filled]) for c in COLUMNS})
