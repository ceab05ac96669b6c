"""A small LEAN data folder, written as LEAN writes it: zips of raw bars, factor files and map files.

* ``PLAIN`` pays 1.00 on the close of 50.00 the evening before.
* ``USED`` was another company's ticker until 2019-06-28; the fund has it since 2020-01-02 and splits 1 for 8.
* ``HOME`` traded as ``AWAY`` from 2020-03-02 to 2020-04-30 and then as ``HOME`` again; the zip of ``away`` is there.
* ``DONE`` stopped for good on 2020-05-29.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.providers import RawMarket
from etf_pipeline.providers.files import FilesProvider

SESSIONS = calendars.sessions("XNYS", "2020-01-02", "2020-06-30")
FORMER = calendars.sessions("XNYS", "2019-01-02", "2019-06-28")
SPLIT_DAY, DIVIDEND_DAY = pd.Timestamp("2020-04-29"), pd.Timestamp("2020-03-23")

MAPS = {
    "plain": "20200102,plain,P\n20501231,plain,P\n",
    "used": "20200102,used\n20501231,used\n",
    "home": "20200102,home,Q\n20200228,home,Q\n20200430,away,Q\n20501231,home,Q\n",
    "done": "20200102,done,P\n20200529,done,P\n",
    "strange": "20100104,strange,P\n20501231,strange,P\n",
}
FACTORS = {
    "plain": "20200102,0.9800000,1,1\n20200320,0.9800000,1,50\n20501231,1,1,0\n",
    "used": "20200102,1,8,1\n20200428,1,8,2.5\n20501231,1,1,0\n",
    "home": "20200102,0.9702000,1,1\n20200331,0.9702000,1,40\n20200429,0.9800000,1,40\n20501231,1,1,0\n",
    "strange": "20100104,0.5,1,1\n20200331,0.5,1,40\n20501231,1,1,0\n",
}


def lines(days: pd.DatetimeIndex, close: float) -> str:
    """Bars that open at `close` and stay there, as LEAN prints them."""
    price = round(close * 10_000)
    return "".join(f"{day:%Y%m%d} 00:00,{price},{price + 100},{price - 100},{price},5000\n" for day in days)


def zips() -> Mapping[str, str]:
    """Content of each zip's file."""
    away = (SESSIONS >= "2020-03-02") & (SESSIONS <= "2020-04-30")
    return {
        "plain": lines(SESSIONS[SESSIONS < DIVIDEND_DAY], 50.0) + lines(SESSIONS[SESSIONS >= DIVIDEND_DAY], 49.0),
        "used": lines(FORMER, 7.0) + lines(SESSIONS[SESSIONS < SPLIT_DAY], 2.5) + lines(SESSIONS[SESSIONS >= SPLIT_DAY], 20.0),
        "home": lines(SESSIONS[~away], 40.0),
        "away": lines(SESSIONS[away], 40.0),
        "done": lines(SESSIONS[SESSIONS <= "2020-05-29"], 10.0),
    }


def write_lean(folder: Path, *, below: str = "") -> None:
    """Write the folder, its market files in the folder `below`, with a VIX beside them."""
    home = folder / below
    for name in ("daily", "factor_files", "map_files"):
        (home / name).mkdir(parents=True, exist_ok=True)
    for ticker, text in zips().items():
        with zipfile.ZipFile(home / "daily" / f"{ticker}.zip", "w") as archive:
            archive.writestr(f"{ticker}.csv", text)
    for name, files in (("map_files", MAPS), ("factor_files", FACTORS)):
        for ticker, text in files.items():
            (home / name / f"{ticker}.csv").write_text(text)
    write_vix(folder)


def write_vix(folder: Path) -> None:
    """Write ``vix_daily.csv``."""
    days = SESSIONS.strftime("%Y-%m-%d")
    pd.DataFrame({"DATE": days, "CLOSE": 15.0}).to_csv(folder / "vix_daily.csv", index=False)


def fetch_lean(folder: Path) -> RawMarket:
    """What the provider makes of the folder."""
    return FilesProvider(folder, "lean").fetch()
