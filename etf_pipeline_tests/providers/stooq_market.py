"""A small folder of Stooq downloads: the bulk archive as it unpacks, and the export of one ticker."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from lean_market import SESSIONS, write_vix

BULK_HEADER = "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>"


def bulk(ticker: str, days: pd.DatetimeIndex = SESSIONS, close: float = 30.125) -> str:
    """One file of the bulk archive; volume has decimals where a split or dividend was taken out of it."""
    rows = [f"{ticker}.US,D,{day:%Y%m%d},000000,{close},{close + 1},{close - 1},{close},1000.5,0" for day in days]
    return "\r\n".join([BULK_HEADER, *rows, ""])


def export(days: pd.DatetimeIndex = SESSIONS, close: float = 61.5) -> str:
    """The export of one ticker."""
    rows = [f"{day:%Y-%m-%d},{close},{close + 1},{close - 1},{close},2000" for day in days]
    return "\n".join(["Date,Open,High,Low,Close,Volume", *rows, ""])


def write_stooq(folder: Path) -> None:
    """Write two bulk files in the archive's folders, one export and a VIX."""
    for place, ticker in (("nyse etfs/1", "AAA"), ("nasdaq etfs", "BBB")):
        home = folder / "data" / "daily" / "us" / place
        home.mkdir(parents=True)
        (home / f"{ticker.lower()}.us.txt").write_bytes(bulk(ticker).encode())
    stocks = folder / "data" / "daily" / "us" / "nyse stocks"
    stocks.mkdir()
    (stocks / "a.us.txt").write_bytes(bulk("A").encode())
    (folder / "ccc_us_d.csv").write_text(export())
    write_vix(folder)
