"""Factor files to splits and dividends [1]_.

A row holds a date, a price factor p, a split factor s and the raw close of that date; adjusted price = raw price * p * s for
every session up to and including the date, back to the row before. From one row to the next:

* split = s(next) / s: new shares per old;
* p / p(next) = 1 - dividend / reference close, the dividend per share held the evening before.

Both take effect on the session after the date. Price factors are printed to seven decimals, so that an amount is good to about
1e-7 of the close; split factors are printed to six or eight, so that a ratio of small whole numbers is taken for one.

References
----------
.. [1] QuantConnect, LEAN, Common/Data/Auxiliary/CorporateFactorProvider.cs and FactorFileRow.cs,
   https://github.com/QuantConnect/Lean
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.providers.files.bars import finish_actions
from etf_pipeline.providers.files.cells import Cells, Floats
from etf_pipeline.providers.files.layout import FileEntry
from etf_pipeline.providers.files.tabular import iso_days, read_lines

HEADER = "date,price_factor,split_factor,reference_close"
WHOLE_SHARES = 50
"""Splits are ratios of whole numbers up to this."""
PRINTED = 1e-5
"""How far from such a ratio a printed factor may be. [relative]"""
GREATEST = 1e9
"""No factor is above this or below its inverse; LEAN prints ``inf`` where it lost one."""
LEAST_YIELD = 1.5e-7
"""Steps of the price factor below this are its seventh decimal, no dividend. [fraction of the close]"""


def parse_factor_file(content: bytes, source: str, entry: FileEntry) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Splits and dividends of one fund, whatever ticker it had.

    Parameters
    ----------
    content : bytes
        The CSV; it has no header.
    source : str
        Its path; the file is named as the fund's map file.
    entry : FileEntry
        Currency and exchange.

    Returns
    -------
    events, rejects : DataFrame
        `entity` (the file's name), `ex_date`, `kind`, `value`, `currency`, `exchange`, `source`, `source_row`; and rows of
        `raw_rejects`. A dividend is per share of its ex-date, after any split of that day.
    """
    lines = read_lines(HEADER.encode() + b"\n" + content, source, "raw_actions", HEADER.split(","))
    cells = Cells(iso_days(lines, "date"))
    days = cells.days("date")
    values = {name: cells.numbers(name) for name in HEADER.split(",")[1:]}
    price, split = values["price_factor"], values["split_factor"]
    possible = (price > 1 / GREATEST) & (price < GREATEST) & (split > 1 / GREATEST) & (split < GREATEST)
    cells.refuse(~possible, "impossible_value", lambda i: f"factors {price[i]:g} and {split[i]:g}")
    rows = pd.DataFrame({"date": days, **values, "source_row": lines.rows})[cells.readable]
    rows = rows.sort_values(["date", "source_row"], kind="stable", ignore_index=True)
    events = _steps(rows, entry.exchange).assign(currency=entry.currency, exchange=entry.exchange, source=source)
    return events.assign(entity=PurePosixPath(source).stem.upper()), cells.rejects("raw_actions", days)


def _steps(rows: pd.DataFrame, exchange: str) -> pd.DataFrame:
    """What changes from each row to the next: `ex_date`, `kind`, `value`, `source_row`."""
    price, split = rows["price_factor"].to_numpy(), rows["split_factor"].to_numpy()
    now = rows.iloc[:-1]
    ratio = _whole_shares(split[1:] / split[:-1])
    part = 1 - price[:-1] / price[1:]
    # per share of the evening before; the new shares each carry their part of it
    amount = np.where(part > LEAST_YIELD, part * now["reference_close"].to_numpy(), 0.0) / ratio
    after = now.assign(ex_date=next_sessions(exchange, pd.DatetimeIndex(now["date"])))
    splits = after[ratio != 1].assign(kind="split", value=ratio[ratio != 1])
    dividends = after[amount > 0].assign(kind="dividend", value=amount[amount > 0])
    return pd.concat([splits, dividends])[["ex_date", "kind", "value", "source_row"]].reset_index(drop=True)


def _whole_shares(ratios: Floats) -> Floats:
    """Each ratio, or the ratio of small whole numbers that it was printed from."""
    near = np.array([float(Fraction(float(r)).limit_denominator(WHOLE_SHARES)) for r in ratios])
    inverse = np.array([1 / max(float(Fraction(float(1 / r)).limit_denominator(WHOLE_SHARES)), PRINTED) for r in ratios])
    best = np.where(ratios < 1, inverse, near)
    return np.where(np.abs(best / ratios - 1) < PRINTED, best, ratios)


def next_sessions(exchange: str, days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """The first session after each day; NaT where the calendar ends before."""
    if not len(days):
        return pd.DatetimeIndex([]).as_unit("ns")
    known = calendars.sessions(exchange, days.min(), days.max() + pd.Timedelta(days=30))
    later = np.append(known.to_numpy(dtype="datetime64[ns]"), np.datetime64("NaT", "ns"))
    return pd.DatetimeIndex(later[known.searchsorted(days, side="right")])


def actions_of_factors(events: pd.DataFrame, spells: pd.DataFrame, tickers: set[Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of `raw_actions` and `raw_rejects`: events under the ticker that each fund had on the ex-date.

    Parameters
    ----------
    events : DataFrame
        As `parse_factor_file` gives them, several files together.
    spells : DataFrame
        `entity`, `ticker`, `valid_from`, `valid_to` of the map files. A fund without one trades under its file's name.
    tickers : set of str
        Tickers that have bars: events of funds that never traded under one of them are left out.
    """
    known = spells["entity"].isin(spells.loc[spells["ticker"].isin(tickers), "entity"])
    pairs = events.merge(spells.loc[known, ["entity", "ticker", "valid_from", "valid_to"]], on="entity")
    until = pairs["valid_to"].fillna(pd.Timestamp.max.normalize())
    mapped = pairs[(pairs["ex_date"] >= pairs["valid_from"]) & (pairs["ex_date"] <= until)]
    own = events[~events["entity"].isin(spells["entity"]) & events["entity"].isin(tickers)]
    found = pd.concat([mapped, own.assign(ticker=own["entity"])], ignore_index=True)
    found = found.assign(pay_date=pd.Series(pd.NaT, index=found.index, dtype="datetime64[ns]"), successor=None)
    found["available_at"] = pd.Series(pd.NaT, index=found.index, dtype="datetime64[ns, UTC]")
    return finish_actions(found)
