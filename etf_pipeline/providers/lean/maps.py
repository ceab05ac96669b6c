"""Map files to spells: which ticker a fund had, and when [1]_.

The first row of a file is the first day of the fund; each row after it names the ticker that was used up to and including its
date. ``20501231`` means "still". The files of earlier owners of a reused ticker end in ``.1``, ``.2``.

References
----------
.. [1] QuantConnect, LEAN, Common/Data/Auxiliary/MapFile.cs, https://github.com/QuantConnect/Lean
"""

from __future__ import annotations

from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from etf_pipeline.providers.files.cells import Cells
from etf_pipeline.providers.files.identity import SPELL_COLUMNS
from etf_pipeline.providers.files.layout import FileEntry
from etf_pipeline.providers.files.tabular import iso_days, read_lines

STILL = np.datetime64("2050-12-31")
ONE_DAY = pd.Timedelta(days=1)
AFTER_CLOSE = pd.Timedelta(hours=5)
"""Hours into the next UTC day at which any US session, after-hours trading included, is over."""


def parse_map_file(content: bytes, source: str, entry: FileEntry) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Spells of one fund and rows of `raw_rejects`.

    Returns
    -------
    spells, rejects : DataFrame
        `identity.SPELL_COLUMNS`: `entity` is the file's name. Spells without a day fall out.
    """
    text = b"\n".join(
        b",".join(line.split(b",")[:2]) for line in content.splitlines() if line.strip()
    )  # older files lack the third field
    lines = read_lines(b"date,ticker\n" + text, source, "raw_ticker_history", ["date", "ticker"])
    cells = Cells(iso_days(lines, "date"))
    days, tickers = cells.days("date"), cells.words("ticker", needed=True)
    keep = cells.readable
    frame = pd.DataFrame({"valid_to": days[keep], "ticker": tickers[keep]}).sort_values("valid_to", kind="stable")
    ends = frame["valid_to"].to_numpy()
    starts = np.concatenate([ends[:1], ends[1:-1] + ONE_DAY.to_timedelta64()])[: max(len(ends) - 1, 0)]
    spells = frame.iloc[1:].assign(valid_from=starts, ticker=lambda f: f["ticker"].str.strip().str.upper())
    spells = spells[spells["valid_from"] <= spells["valid_to"]]
    spells["valid_to"] = spells["valid_to"].mask(spells["valid_to"] >= STILL)
    spells = spells.assign(entity=PurePosixPath(source).stem.upper(), exchange=entry.exchange, source=source)
    spells["available_at"] = pd.Series(pd.NaT, index=spells.index, dtype="datetime64[ns, UTC]")
    return spells.reset_index(drop=True)[SPELL_COLUMNS], cells.rejects("raw_ticker_history", days)


def last_trades(spells: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """Rows of `raw_lifecycle`: the last session of every fund whose map file ends, public the night after.

    Parameters
    ----------
    spells : DataFrame
        As `parse_map_file` gives them, several files together.
    history : DataFrame
        Rows of `raw_ticker_history` that were made of them: funds outside it have no bars and are left out.
    """
    funds = dict(zip(history["source"], history["fund"], strict=True))
    last = spells.sort_values("valid_from", kind="stable").drop_duplicates("entity", keep="last")
    ended = last[last["valid_to"].notna() & last["source"].isin(funds)]
    days = pd.DatetimeIndex(ended["valid_to"])
    return pd.DataFrame(
        {
            "ticker": ended["source"].map(funds).to_numpy(dtype=object),
            "event": "last_trade",
            "event_date": days,
            "value": np.nan,
            "pay_date": pd.DatetimeIndex(np.full(len(days), np.datetime64("NaT", "ns"))),
            "successor": np.full(len(days), None, dtype=object),
            "reason": np.full(len(days), None, dtype=object),
            "known_at": (days + ONE_DAY).tz_localize("UTC") + AFTER_CLOSE,
            "basis": "given",
            "source": ended["source"].to_numpy(dtype=object),
        }
    )
