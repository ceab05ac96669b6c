"""Yahoo's frames and facts to rows of the raw tables. Pure.

A frame is what ``yfinance.Ticker.history`` or ``yfinance.download(group_by="ticker")`` gives with ``auto_adjust=False``: one row
per session with Open, High, Low, Close, Volume, Dividends and Stock Splits.

Yahoo's dividends contain distributed capital gains. Its separate column of those is left alone: they would count twice [1]_.

References
----------
.. [1] yfinance issue 2666, "Dividends data is really sum of dividends and Capital gain", 2026.
   https://github.com/ranaroussi/yfinance/issues/2666
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline.conventions import PERCENT
from etf_pipeline.providers.files.bars import ACTION_COLUMNS, finish_actions, settle_repeats
from etf_pipeline.providers.files.classes import asset_class, daily_multiple
from etf_pipeline.providers.files.rejects import UnreadableFile, join_rejects
from etf_pipeline.providers.macro_series import MacroSeries
from etf_pipeline.providers.release import release_instants
from etf_pipeline.providers.yahoo.windows import Window
from etf_pipeline.schemas import TABLES
from etf_pipeline.schemas.contract import from_arrow

FIELDS = {"Open": "open", "High": "high", "Low": "low", "Close": "close", "Volume": "volume"}
EVENTS = {"Dividends": "dividend", "Stock Splits": "split"}
DAY_ZERO = pd.Timestamp("1900-01-01")
"""A bar's `source_row` counts days from here: it is the same in every fetch, whatever the window."""

FX_DAY = "Europe/London"
"""Yahoo's daily bar of an exchange rate ends with the day in London."""


def source_name(ticker: str) -> str:
    """What `source` says of a ticker's rows: each is a feed of its own, so that a row's number names one row of it."""
    return f"yahoo/{ticker}"


def parse_bars(frame: pd.DataFrame, window: Window) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Bars and actions of one ticker.

    Returns
    -------
    prices, actions, rejects : DataFrame
        Rows of `raw_prices`, `raw_actions`, `raw_rejects`, of the window only: Yahoo adds the bar that is still trading.
        A bar that is absurd comes along; `quality` judges it.

    Raises
    ------
    UnreadableFile
        If the frame lacks a column.
    """
    source = source_name(window.ticker)
    told = _dated(frame, window.ticker, [*FIELDS, *EVENTS])
    told = told[(told["session"] >= window.start) & (told["session"] <= window.end)]
    rows = told.rename(columns={**FIELDS, **EVENTS}).assign(
        ticker=window.ticker,
        currency=window.currency,
        exchange=window.exchange,
        adjustment="split",
        source=source,
        source_row=(told["session"] - DAY_ZERO).dt.days.astype("int64"),
    )
    rows, repeated = settle_repeats(rows, ["session"], [*FIELDS.values(), *EVENTS.values()], "raw_prices", "session")
    actions, refused = _actions(rows)
    traded = rows[list(FIELDS.values())].notna().any(axis=1)
    prices = rows.loc[traded].drop(columns=list(EVENTS.values())).reset_index(drop=True)
    return prices, actions, join_rejects([repeated, refused])


def _actions(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of `raw_actions`; zero and nothing are none, and so is a split of one for one."""
    happens = {kind: (rows[kind] > 0) & ((kind == "dividend") | (rows[kind] != 1)) for kind in EVENTS.values()}
    if not any(happened.any() for happened in happens.values()):  # most funds on most nights
        return from_arrow(TABLES["raw_actions"].arrow_schema.empty_table()), join_rejects([])
    parts = []
    for kind, happened in happens.items():
        part = rows.loc[happened, ["ticker", "session", "currency", "exchange", "source", "source_row", kind]]
        parts.append(part.rename(columns={kind: "value", "session": "ex_date"}).assign(kind=kind))
    found = pd.concat([part for part in parts if len(part)], ignore_index=True)
    found = found.assign(pay_date=np.datetime64("NaT", "ns"), successor=None)
    found["available_at"] = pd.Series(pd.NaT, index=found.index, dtype="datetime64[ns, UTC]")
    actions, refused = finish_actions(found)
    # numbered by day and kind, not by order: the next fetch brings a part of them
    days = (actions["ex_date"] - DAY_ZERO).dt.days.astype("int64")
    actions["source_row"] = len(EVENTS) * days + (actions["kind"] == "split").astype("int64")
    return actions[ACTION_COLUMNS], refused


def parse_index(frame: pd.DataFrame, series: MacroSeries, window: Window, seen_at: pd.Timestamp) -> pd.DataFrame:
    """Rows of `raw_macro` from the closes of an index or an exchange rate; those of a day that is not over stay out.

    Raises
    ------
    UnreadableFile
        If the frame lacks a column.
    """
    told = _dated(frame, window.ticker, ["Close"])
    told = told[(told["session"] >= window.start) & (told["session"] <= window.end) & told["Close"].notna()]
    told = told.drop_duplicates("session", keep="first").reset_index(drop=True)
    period = pd.DatetimeIndex(told["session"])
    known = release_instants(series, period)
    if window.ticker.endswith("=X"):
        ended = (period + pd.Timedelta(days=1)).tz_localize(FX_DAY).tz_convert("UTC")
        known = known.where(known >= ended, pd.Series(ended))
    rows = {
        "series": series.code,
        "period": period,
        "value": told["Close"].to_numpy(dtype=np.float64),
        "unit": series.unit,
        "available_at": known,
        "vintage": series.vintage,
        "source": source_name(window.ticker),
    }
    macro = pd.DataFrame(rows)
    return macro[macro["available_at"] <= seen_at].reset_index(drop=True)


def parse_fund(info: Mapping[str, Any], window: Window, seen_at: pd.Timestamp) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What Yahoo says about a fund.

    Returns
    -------
    reference, aum : DataFrame
        A row of `raw_reference`, none where Yahoo does not even know a name; and one of `raw_aum` where it tells assets in USD.
    """
    name, category = (_text(info, key) for key in (("longName", "shortName"), ("category",)))
    currency = (_text(info, ("currency",)) or window.currency).upper()
    assets = _number(info, "totalAssets") if currency == "USD" else np.nan
    reference = pd.DataFrame(
        {
            "ticker": [window.ticker],
            "name": [name],
            "asset_class": [asset_class(category)],
            "category": [category],
            "family": [_text(info, ("fundFamily",))],
            "currency": [currency],
            "exchange": [window.exchange],
            "inception": pd.DatetimeIndex([_day(info)]).as_unit("ns"),
            "expense_ratio": [_expense(info)],
            "leverage": [daily_multiple(name, category)],
            "aum_value": [assets],
            "snapshot_at": pd.DatetimeIndex([seen_at]).as_unit("ns"),
            "source": [source_name(window.ticker)],
        }
    )
    day = seen_at.tz_localize(None).normalize()
    told = {"ticker": [window.ticker], "as_of": [day], "aum_value": [assets], "available_at": [seen_at]}
    aum = pd.DataFrame(told).astype({"as_of": "datetime64[ns]", "available_at": "datetime64[ns, UTC]"})
    return reference[[name is not None]], aum[aum["aum_value"].notna()]


def flatten(frame: pd.DataFrame, ticker: str) -> pd.DataFrame:
    """The columns of one ticker under plain names; none where a frame of several lacks it."""
    if not isinstance(frame.columns, pd.MultiIndex):
        return frame
    level = next((i for i in range(frame.columns.nlevels) if ticker in frame.columns.get_level_values(i)), None)
    if level is None:
        return frame.iloc[:, :0]
    own = frame.loc[:, frame.columns.get_level_values(level) == ticker]
    own.columns = own.columns.droplevel(level)
    return own


def _dated(frame: pd.DataFrame, ticker: str, needed: list[str]) -> pd.DataFrame:
    """Columns of one ticker under plain names, its sessions as naive midnights in `session`."""
    flat = flatten(frame, ticker)
    missing = [name for name in needed if name not in flat.columns]
    if missing:
        found = f"no {', '.join(missing)} among {', '.join(map(str, flat.columns)) or 'no columns'}"
        raise UnreadableFile(source_name(ticker), "missing_column", needed=f"columns {', '.join(needed)}", found=found)
    days = pd.DatetimeIndex(flat.index)
    naive = days.tz_localize(None) if days.tz is not None else days  # midnight of the exchange's own day
    values = {name: pd.to_numeric(flat[name], errors="coerce").to_numpy(dtype=np.float64) for name in needed}
    return pd.DataFrame({"session": naive.normalize().as_unit("ns"), **values})


def _text(info: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    words = (info.get(key) for key in keys)
    return next((word.strip() for word in words if isinstance(word, str) and word.strip()), None)


def _number(info: Mapping[str, Any], key: str) -> float:
    """A finite number that is not negative; otherwise unknown."""
    value = info.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        return float("nan")
    return float(value)


def _expense(info: Mapping[str, Any]) -> float:
    """Yahoo states the net ratio in percent and, of older profiles, the reported one as a fraction."""
    percent = _number(info, "netExpenseRatio")
    return percent * PERCENT if percent == percent else _number(info, "annualReportExpenseRatio")


def _day(info: Mapping[str, Any]) -> pd.Timestamp:
    """Inception, which Yahoo states in seconds since 1970."""
    seconds = info.get("fundInceptionDate")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not abs(seconds) < 2**33:
        return pd.NaT  # type: ignore[return-value]
    return pd.Timestamp(seconds, unit="s").normalize()
