"""Lines of a price file to `raw_prices`, and its dividend and split columns to `raw_actions`.

A bar that can be read but is absurd (negative, high below low) goes through: `quality` judges it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.errors import DataError
from etf_pipeline.providers.files.cells import Cells, Floats
from etf_pipeline.providers.files.layout import FileEntry
from etf_pipeline.providers.files.rejects import REMEDIES, join_rejects
from etf_pipeline.providers.files.tabular import Lines

PRICE_FIELDS = ("open", "high", "low", "close", "volume")
ACTION_COLUMNS = [
    "ticker",
    "ex_date",
    "kind",
    "value",
    "pay_date",
    "successor",
    "currency",
    "available_at",
    "value_known_at",
    "source",
    "source_row",
]


def parse_bars(lines: Lines, entry: FileEntry) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Bars of one file.

    Parameters
    ----------
    lines : Lines
        As `read_lines` took them from the file.
    entry : FileEntry
        Column names, adjustment, currency and exchange.

    Returns
    -------
    prices, actions, rejects : DataFrame
        Rows of `raw_prices`, `raw_actions` and `raw_rejects`. Every line is in the first or in the last.
    """
    cells, names = Cells(lines), entry.columns
    days, tickers = cells.days(names["session"]), cells.words(names["ticker"], needed=True)
    bars = {f: cells.numbers(names[f]) for f in PRICE_FIELDS}
    text = {f: cells.words(names[f], default=getattr(entry, f)) for f in ("currency", "exchange")}
    events = {k: cells.numbers(names[k], nonnegative=True) for k in ("dividend", "split")}
    keep = cells.readable
    frame = pd.DataFrame({"session": days, "ticker": tickers, **bars, **text, "adjustment": entry.adjustment})
    frame = frame.assign(source=lines.source, source_row=lines.rows)
    actions, refused = _actions(frame[keep], {k: v[keep] for k, v in events.items()})
    rejects = join_rejects([cells.rejects("raw_prices", days, tickers), refused])
    return frame[keep].reset_index(drop=True), actions, rejects


def _actions(bars: pd.DataFrame, events: dict[str, Floats]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Corporate actions that stand beside the bars; nothing or zero is none, and so is a split of one for one."""
    parts = []
    for kind, amount in events.items():
        # NaN compares false: a blank cell states no action
        happens = amount > 0 if kind == "dividend" else (amount > 0) & (amount != 1)
        rows = bars.loc[happens, ["ticker", "session", "currency", "exchange", "source", "source_row"]]
        parts.append(rows.assign(kind=kind, value=amount[happens]))
    found = pd.concat(parts, ignore_index=True).rename(columns={"session": "ex_date"})
    found = found.assign(pay_date=np.datetime64("NaT", "ns"), successor=None)
    found["available_at"] = pd.Series(pd.NaT, index=found.index, dtype="datetime64[ns, UTC]")
    return finish_actions(found)


def finish_actions(found: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give actions their announcement (the ex-date's open where none is stated) and settle repeated keys.

    Parameters
    ----------
    found : DataFrame
        Columns of `raw_actions`, with `exchange` and `source_row` beside them.

    Returns
    -------
    actions, rejects : DataFrame
        Rows of `raw_actions` and `raw_rejects`.
    """
    opened = open_instants(found["exchange"], found["ex_date"])
    found = found.assign(available_at=found["available_at"].fillna(opened))
    closed = found["available_at"].isna()
    shut = [f"{t}: {k} on {d:%Y-%m-%d}" for t, k, d in found.loc[closed, ["ticker", "kind", "ex_date"]].itertuples(index=False)]
    refused = [_of_rows("raw_actions", found[closed], "not_a_session", shut, "ex_date")]
    kept, repeated = settle_repeats(found[~closed], ["ticker", "ex_date", "kind", "source"], ["value"], "raw_actions", "ex_date")
    kept = kept.sort_values(["source", "ticker", "ex_date", "kind"], kind="stable")
    kept["source_row"] = kept.groupby("source").cumcount()  # a line may tell two actions: they are numbered within their source
    return kept.assign(value_known_at=kept["available_at"])[ACTION_COLUMNS], join_rejects([*refused, repeated])


def settle_repeats(
    frame: pd.DataFrame, key: list[str], values: list[str], dataset: str, day: str | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Keep the first of exact repeats and none of those that contradict each other; the rest is refused.

    Parameters
    ----------
    frame : DataFrame
        Rows with `source` and `source_row`.
    key, values : list of str
        Columns that name a row, and those in which repeats must agree.
    day : str, optional
        Column of the session, for the reject.
    """
    repeated = frame.duplicated(key, keep=False)
    if not repeated.any():
        return frame.reset_index(drop=True), join_rejects([])
    group = frame[repeated].groupby(key, dropna=False, sort=False)
    spread = group[values].transform(lambda v: v.nunique(dropna=False))
    agrees = (spread == 1).all(axis=1).reindex(frame.index, fill_value=True)
    out = repeated & (~agrees | frame.duplicated(key, keep="first"))
    words = np.where(agrees[out], "the same row again", "another row with the same key and other values")
    found = [f"{w}: {', '.join(str(v) for v in row)}" for w, row in zip(words, frame.loc[out, key].values, strict=True)]
    return frame[~out].reset_index(drop=True), _of_rows(dataset, frame[out], "duplicate_key", found, day)


def _of_rows(dataset: str, rows: pd.DataFrame, rule: str, found: list[str], day: str | None) -> pd.DataFrame:
    """Rejects of rows that carry `source`, `source_row` and perhaps `ticker` themselves."""
    n = len(rows)
    return pd.DataFrame(
        {
            "dataset": dataset,
            "source": rows["source"].to_numpy(),
            "source_row": rows["source_row"].to_numpy(dtype=np.int64),
            "session": pd.DatetimeIndex(rows[day]) if day else pd.DatetimeIndex([pd.NaT] * n).as_unit("ns"),
            "ticker": rows["ticker"].to_numpy(dtype=object) if "ticker" in rows else np.full(n, None, dtype=object),
            "rule": rule,
            "found": found,
            "remedy": REMEDIES[rule],
        }
    )


def open_instants(exchange: pd.Series[Any], days: pd.Series[Any]) -> pd.Series[Any]:
    """UTC opens of sessions, each on its own exchange; NaT where the exchange is shut or unknown."""
    out = np.full(len(days), np.datetime64("NaT"), "datetime64[ns]")
    codes, names = pd.factorize(exchange.to_numpy(dtype=object))
    for i, name in enumerate(names):
        out[codes == i] = _opens(str(name), pd.DatetimeIndex(days.to_numpy()[codes == i]))
    return pd.Series(pd.DatetimeIndex(out).tz_localize("UTC"), index=days.index)


def _opens(exchange: str, days: pd.DatetimeIndex) -> npt.NDArray[np.datetime64]:
    try:
        return np.asarray(calendars.opens(exchange, days).dt.tz_localize(None), dtype="datetime64[ns]")
    except DataError:  # no such calendar: the open is unknown, and `quality` refuses the bars by name
        return np.full(len(days), np.datetime64("NaT"), "datetime64[ns]")
