"""Facts about the lives of funds: what each source says, as of the instant at which it was known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd

from etf_pipeline.universe.bars import Bars, Ints, instant

FATE_OF = {"liquidation": "closure", "merger": "merger", "rename": "rename"}
"""How a fund ends, by the kind of action that says so."""

VALUE_OF = {"liquidation": "liquidation_value", "merger": "ratio"}
"""What the value of an end means, by its kind."""

EVENT_ORDER = ("inception", "ticker_change", "announcement", "last_trade", "liquidation", "merger")
"""Of events that became known together the more telling comes later."""

LONGEST_NOTICE, NONE = pd.Timedelta(days=366), pd.Timedelta(0)
"""An announcement that is older than a fund's first bar by more was about an earlier owner of its ticker."""

TAKEN_BACK = {"last_session": None, "fate": "listed", "successor": None, "ratio": None}
"""What bars that come back take back, as far as it was inferred."""


@dataclass(frozen=True)
class Fact:
    """Something that became known about one fund.

    Attributes
    ----------
    ticker : str
        Permanent name.
    known_at : Timestamp
        Instant from which it was known; never before the fund's first bar. [UTC]
    basis : str
        `given`, `curated` or `inferred`.
    values : mapping of str to object
        Columns of `lifecycle` that it settles; None takes back.
    text : str
        It in words, with its source.
    silent_since : Timestamp or None
        Last bar of a series that fell silent: what to make of it depends on what else is known by then.
    """

    ticker: str
    known_at: pd.Timestamp
    basis: str
    values: Mapping[str, Any]
    text: str
    silent_since: pd.Timestamp | None = None


def first_bars(bars: Bars, close_at: Ints) -> pd.DataFrame:
    """Session and close of every fund's first bar, by ticker."""
    rows = bars.starts[:-1]
    known_at = pd.DatetimeIndex(close_at[rows].astype("datetime64[ns]")).tz_localize("UTC")
    return pd.DataFrame({"session": bars.frame["session"].to_numpy()[rows], "known_at": known_at}, index=bars.tickers)


def listing_facts(first: pd.DataFrame, reference: pd.DataFrame) -> Iterator[Fact]:
    """The first bar of each fund, and its inception as the reference has it: known from the later of both days on."""
    for ticker, day, known_at in zip(first.index, first["session"], first["known_at"], strict=True):
        values = {"first_session": day, "fate": "listed"}
        yield Fact(ticker, known_at, "given", values, f"first bar {day:%Y-%m-%d}")
    told = reference.dropna(subset=["inception"])
    for ticker, inception in zip(told["ticker"], told["inception"], strict=True):
        if ticker in first.index:
            known_at = max(first.at[ticker, "known_at"], inception.tz_localize("UTC"))
            yield Fact(ticker, known_at, "given", {"inception": inception}, f"inception {inception:%Y-%m-%d} in the reference")


def action_facts(first: pd.DataFrame, actions: pd.DataFrame) -> Iterator[Fact]:
    """Ends that actions tell: announced at `available_at`, with the value only from `value_known_at` on."""
    rows = actions[actions["kind"].isin(list(FATE_OF)) & actions["ticker"].isin(first.index)]
    for row in _records(rows):
        known_at = max(first.at[row["ticker"], "known_at"], row["available_at"])
        values = {
            "announced_at": row["available_at"],
            "last_session": row["ex_date"],
            "fate": FATE_OF[row["kind"]],
            "pay_date": row["pay_date"],
            "successor": row["successor"],
            "ratio": 1.0 if row["kind"] == "rename" else None,
        }
        text = f"{row['kind']} with last session {row['ex_date']:%Y-%m-%d} announced by {row['source']}"
        yield Fact(row["ticker"], known_at, "given", _told(values), text)
        settled = VALUE_OF.get(row["kind"])
        if settled and row["value"] is not None and (row["value"] > 0 or settled == "liquidation_value"):
            late = max(known_at, row["value_known_at"])
            yield Fact(row["ticker"], late, "given", {settled: row["value"]}, f"{settled} {row['value']:g} by {row['source']}")


def event_facts(first: pd.DataFrame, events: pd.DataFrame) -> Iterator[Fact]:
    """Events of `raw_lifecycle`, given or curated; an end before a fund's first bar is that of an earlier owner of its ticker."""
    named = events.assign(ticker=events["ticker"].str.strip().str.upper())
    ranked = named.assign(rank=named["event"].map(EVENT_ORDER.index))
    rows = ranked[ranked["ticker"].isin(first.index)].sort_values("rank", kind="stable")
    began = dict(zip(first.index, first["session"], strict=True))
    for row in _records(rows):
        if _of_an_earlier_owner(row, began[row["ticker"]]):
            continue
        known_at = max(first.at[row["ticker"], "known_at"], row["known_at"])
        if row["event"] == "ticker_change":
            known_at = max(known_at, row["event_date"].tz_localize("UTC"))
        because = f" ({row['reason']})" if row["reason"] else ""
        text = f"{row['event'].replace('_', ' ')} {row['event_date']:%Y-%m-%d}{because}: {row['source']}"
        yield Fact(row["ticker"], known_at, row["basis"], _told(_event_values(row)), text)


def ticker_facts(first: pd.DataFrame, history: pd.DataFrame) -> Iterator[Fact]:
    """Tickers that each fund trades under, from the day on which it does."""
    named = history.assign(fund=history["fund"].str.strip().str.upper(), ticker=history["ticker"].str.strip().str.upper())
    for row in _records(named[named["fund"].isin(first.index)].sort_values(["fund", "valid_from"], kind="stable")):
        known_at = max(first.at[row["fund"], "known_at"], row["available_at"], row["valid_from"].tz_localize("UTC"))
        values = {"traded_ticker": row["ticker"], "renamed_on": row["valid_from"]}
        text = f"trades as {row['ticker']} since {row['valid_from']:%Y-%m-%d} in {row['source']}"
        yield Fact(row["fund"], known_at, "given", values, text)


def silence_facts(bars: Bars, close_at: Ints, silent_sessions: int) -> Iterator[Fact]:
    """Series that fell silent, and those that came back.

    A session counts as missed where the exchange had a bar of any fund: neither a closed exchange, nor a hole in the whole
    source, nor the end of the data is an end. That a series is silent is known at the close of the missed session that makes
    `silent_sessions`.
    """
    for v, exchange in enumerate(bars.venues):
        rows = np.flatnonzero(bars.venue == v)
        traded, witness = np.unique(bars.day[rows], return_index=True)
        closes = close_at[rows][witness]
        number = np.searchsorted(traded, bars.day[rows])
        newest = np.append(bars.code[rows][1:] != bars.code[rows][:-1], True)
        following = np.where(newest, len(traded), np.append(number[1:], 0))
        for i in np.flatnonzero(following - number > silent_sessions):
            ticker, last = str(bars.tickers[bars.code[rows[i]]]), bars.frame["session"].iloc[rows[i]]
            text = f"no bar in {silent_sessions} sessions of {exchange} after {last:%Y-%m-%d}"
            yield Fact(ticker, instant(closes[number[i] + silent_sessions]), "inferred", {}, text, silent_since=last)
            if not newest[i]:
                back = rows[i + 1]
                text = f"bars again since {bars.frame['session'].iloc[back]:%Y-%m-%d}"
                yield Fact(ticker, instant(close_at[back]), "inferred", TAKEN_BACK, text)


def _of_an_earlier_owner(row: Mapping[str, Any], first_session: pd.Timestamp) -> bool:
    slack = {"announcement": LONGEST_NOTICE, "last_trade": NONE, "liquidation": NONE, "merger": NONE}.get(row["event"])
    return slack is not None and bool(row["event_date"] < first_session - slack)


def _event_values(row: Mapping[str, Any]) -> dict[str, Any]:
    event, day = row["event"], row["event_date"]
    if event == "inception":
        return {"inception": day}
    if event == "ticker_change":
        return {"traded_ticker": row["successor"], "renamed_on": day}
    end = {name: row[name] for name in ("pay_date", "successor")}
    end |= {"announced_at": row["known_at"], "fate": FATE_OF.get(event, "unknown")}
    if event in ("last_trade", "merger"):
        end["last_session"] = day
    if event in VALUE_OF:
        end[VALUE_OF[event]] = row["value"]
    return end


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _records(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Rows as dictionaries, with None where a value is unknown."""
    for row in cast("Iterable[dict[str, Any]]", frame.astype(object).to_dict("records")):
        yield {name: None if pd.isna(value) else value for name, value in row.items()}
