"""Small markets for the lifecycle: bars of chosen sessions, and empty tables of the right columns."""

from __future__ import annotations

import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.schemas import TABLES, from_arrow
from etf_pipeline.universe import LifecycleParameters, lifecycle

DAYS = calendars.sessions("XNYS", "2020-01-02", "2020-12-31")
LATER = calendars.sessions("XNYS", "2020-01-02", "2021-03-31")


def empty(table: str) -> pd.DataFrame:
    return from_arrow(TABLES[table].arrow_schema.empty_table())


def bars(ticker: str, days: pd.DatetimeIndex, exchange: str = "XNYS") -> pd.DataFrame:
    return pd.DataFrame({"session": days, "ticker": ticker, "exchange": exchange})


def sessions(*exchanges: str) -> pd.DataFrame:
    """Sessions beyond the end of the bars, as `raw_sessions` has them."""
    parts = []
    for exchange in exchanges or ("XNYS",):
        days = calendars.sessions(exchange, LATER[0], LATER[-1])
        parts.append(pd.DataFrame({"exchange": exchange, "session": days, "closes_at": calendars.closes(exchange, days)}))
    return pd.concat(parts, ignore_index=True)


def close(day: str | pd.Timestamp, exchange: str = "XNYS") -> pd.Timestamp:
    return calendars.closes(exchange, pd.DatetimeIndex([day])).iloc[0]


def instants(values: list[str | None]) -> pd.Series:
    return pd.to_datetime(pd.Series(values, dtype=object), utc=True).dt.as_unit("ns")


def rows(table: str, *given: dict[str, object]) -> pd.DataFrame:
    """Rows of a table; columns that are not given are unknown."""
    frame = pd.DataFrame([{name: row.get(name) for name in TABLES[table].columns} for row in given])
    for field in TABLES[table].arrow_schema:
        if str(field.type) == "date32[day]":
            frame[field.name] = pd.to_datetime(frame[field.name]).astype("datetime64[ns]")
        elif "timestamp" in str(field.type):
            frame[field.name] = instants(list(frame[field.name]))
    return frame


def action(ticker: str, kind: str, ex_date: str, announced: str, **more: object) -> dict[str, object]:
    known = {"available_at": announced, "value_known_at": announced, "source": "test", "value": 1.0}
    return {"ticker": ticker, "kind": kind, "ex_date": ex_date, **known, **more}


def event(ticker: str, name: str, day: str, known_at: str, **more: object) -> dict[str, object]:
    known = {"known_at": known_at, "basis": "curated", "source": "a press release"}
    return {"ticker": ticker, "event": name, "event_date": day, **known, **more}


def lives(
    prices: pd.DataFrame,
    actions: pd.DataFrame | None = None,
    reference: pd.DataFrame | None = None,
    events: pd.DataFrame | None = None,
    history: pd.DataFrame | None = None,
    silent_sessions: int = 10,
    exchanges: tuple[str, ...] = ("XNYS",),
) -> pd.DataFrame:
    """`lifecycle`, held against its contract."""
    given = {"stg_actions": actions, "stg_reference": reference, "raw_lifecycle": events, "raw_ticker_history": history}
    frames = [empty(name) if frame is None else frame for name, frame in given.items()]
    out = lifecycle(prices, *frames, sessions(*exchanges), LifecycleParameters(silent_sessions=silent_sessions))
    TABLES["lifecycle"].check(TABLES["lifecycle"].to_arrow(out))
    return out
