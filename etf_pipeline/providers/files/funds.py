"""Lines about funds: the reference snapshot, assets under management, and corporate actions of a file of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline.conventions import PERCENT
from etf_pipeline.providers.files.bars import finish_actions, settle_repeats
from etf_pipeline.providers.files.cells import Cells
from etf_pipeline.providers.files.classes import asset_class, daily_multiple
from etf_pipeline.providers.files.layout import FileEntry
from etf_pipeline.providers.files.rejects import join_rejects
from etf_pipeline.providers.files.tabular import Lines
from etf_pipeline.schemas.raw import ACTION_KINDS

ONE_DAY = pd.Timedelta(days=1)


def parse_reference(lines: Lines, entry: FileEntry) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of `raw_reference` and `raw_rejects`; class and multiple come from category and name."""
    cells, names = Cells(lines), entry.columns
    tickers = cells.words(names["ticker"], needed=True)
    text = {c: cells.words(names[c]) for c in ("name", "category", "family")}
    frame = pd.DataFrame({"ticker": tickers, **text})
    frame["asset_class"] = [asset_class(c) for c in text["category"]]
    frame["currency"] = cells.words(names["currency"], default=entry.currency)
    frame["exchange"] = cells.words(names["exchange"], default=entry.exchange)
    frame["inception"] = cells.days(names["inception"], needed=False)
    frame["expense_ratio"] = cells.numbers(names["expense_ratio_percent"], nonnegative=True) * PERCENT
    told = pd.Series(cells.numbers(names["leverage"]))
    frame["leverage"] = told.fillna(
        pd.Series([daily_multiple(n, c) for n, c in zip(text["name"], text["category"], strict=True)])
    )
    frame["aum_value"] = cells.numbers(names["aum_value"], nonnegative=True)
    frame["snapshot_at"] = cells.instants(names["snapshot_at"])
    undated = frame["snapshot_at"].isna().to_numpy()
    cells.refuse(undated, "not_a_date", lambda i: f"{names['snapshot_at'] or 'snapshot_at'} is blank")
    frame = frame.assign(source=lines.source, source_row=lines.rows)[cells.readable]
    told_twice = [c for c in frame.columns if c not in ("ticker", "source_row")]
    kept, repeated = settle_repeats(frame, ["ticker"], told_twice, "raw_reference")
    nowhere = np.full(len(tickers), np.datetime64("NaT"), "datetime64[ns]")
    return kept.drop(columns="source_row"), join_rejects([cells.rejects("raw_reference", nowhere, tickers), repeated])


def unknown_funds(prices: pd.DataFrame, reference: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """Rows of `raw_reference` for funds that have bars and no reference row: nothing is inferred about them.

    Their row counts as known the day after their first bar. A reference row speaks of the last owner of its ticker; a fund that
    owns none any more gets a row under its permanent name.

    Parameters
    ----------
    prices, reference, history : DataFrame
        Rows of `raw_prices`, `raw_reference` and `raw_ticker_history`.
    """
    known = {str(t).strip().upper() for t in reference["ticker"]}
    bars = prices.assign(ticker=prices["ticker"].str.strip().str.upper())
    every = pd.concat(_bars_without_reference(bars, known, history.sort_values("valid_from", kind="stable")), ignore_index=True)
    first = every.sort_values("session", kind="stable").drop_duplicates("ticker")
    nothing: Any = np.full(len(first), None, dtype=object)
    return pd.DataFrame(
        {
            "ticker": first["ticker"].to_numpy(dtype=object),
            **dict.fromkeys(("name", "category", "family"), nothing),
            "asset_class": "unknown",
            "currency": first["currency"].to_numpy(dtype=object),
            "exchange": first["exchange"].to_numpy(dtype=object),
            "inception": pd.DatetimeIndex(np.full(len(first), np.datetime64("NaT"), "datetime64[ns]")),
            "expense_ratio": np.nan,
            "leverage": 1.0,
            "aum_value": np.nan,
            "snapshot_at": pd.DatetimeIndex(first["session"] + ONE_DAY).tz_localize("UTC"),
            "source": first["source"].to_numpy(dtype=object),
        }
    )


def _bars_without_reference(bars: pd.DataFrame, known: set[str], spells: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Bars of the last owners of tickers that no row is about, and, under their own names, of funds that own no ticker now."""
    owners = spells.drop_duplicates("ticker", keep="last")
    since = bars["ticker"].map(owners.set_index("ticker")["valid_from"]).fillna(pd.Timestamp.min).to_numpy()
    newest = bars[~bars["ticker"].isin(known) & (bars["session"] >= since)]
    former = spells.loc[~spells["fund"].isin(known | set(owners["fund"])), ["ticker", "fund", "valid_from", "valid_to"]]
    theirs = bars[bars["ticker"].isin(former["ticker"])].merge(former, on="ticker")
    theirs = theirs[theirs["session"].between(theirs["valid_from"], theirs["valid_to"])]
    return newest, theirs.assign(ticker=theirs["fund"])[list(newest.columns)]


def parse_aum(lines: Lines, entry: FileEntry) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of `raw_aum` and `raw_rejects`; a value counts as published the day after the one it refers to."""
    cells, names = Cells(lines), entry.columns
    days, tickers = cells.days(names["as_of"]), cells.words(names["ticker"], needed=True)
    value = cells.numbers(names["aum_value"], nonnegative=True)
    cells.refuse(np.isnan(value), "not_a_number", lambda i: f"{names['aum_value']} is blank")
    frame = pd.DataFrame({"ticker": tickers, "as_of": days, "aum_value": value})
    frame = frame.assign(source=lines.source, source_row=lines.rows)[cells.readable]
    kept, repeated = settle_repeats(frame, ["ticker", "as_of"], ["aum_value"], "raw_aum", "as_of")
    kept["available_at"] = (kept["as_of"] + ONE_DAY).dt.tz_localize("UTC")
    rejects = join_rejects([cells.rejects("raw_aum", days, tickers), repeated])
    return kept[["ticker", "as_of", "aum_value", "available_at"]], rejects


def parse_actions(lines: Lines, entry: FileEntry) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of `raw_actions` and `raw_rejects` from a file that lists corporate actions."""
    cells, names = Cells(lines), entry.columns
    days, tickers = cells.days(names["ex_date"]), cells.words(names["ticker"], needed=True)
    kind, value = cells.words(names["kind"], needed=True), cells.numbers(names["value"], nonnegative=True)
    cells.refuse(np.isnan(value), "not_a_number", lambda i: f"{names['value']} is blank")
    strange = ~pd.Series(kind).isin(ACTION_KINDS).to_numpy()
    cells.refuse(strange, "unknown_word", lambda i: f"{names['kind']} = '{kind[i]}' instead of {', '.join(ACTION_KINDS)}")
    cells.refuse((kind == "split") & (value == 0), "impossible_value", lambda i: f"a split with {names['value']} = 0")
    frame = pd.DataFrame({"ticker": tickers, "ex_date": days, "kind": kind, "value": value})
    frame["pay_date"] = cells.days(names["pay_date"], needed=False)
    frame["successor"] = cells.words(names["successor"])
    frame["currency"] = cells.words(names["currency"], default=entry.currency)
    frame["available_at"] = cells.instants(names["announced"])
    frame = frame.assign(exchange=entry.exchange, source=lines.source, source_row=lines.rows)
    actions, refused = finish_actions(frame[cells.readable])
    return actions, join_rejects([cells.rejects("raw_actions", days, tickers), refused])
