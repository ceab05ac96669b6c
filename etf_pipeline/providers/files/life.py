"""Lines about the life of funds: the tickers they traded under, and events such as an announced closure."""

from __future__ import annotations

import numpy as np
import pandas as pd

from etf_pipeline.providers.files.bars import settle_repeats
from etf_pipeline.providers.files.cells import Cells
from etf_pipeline.providers.files.identity import HISTORY_COLUMNS, first_opens
from etf_pipeline.providers.files.layout import FileEntry
from etf_pipeline.providers.files.rejects import join_rejects
from etf_pipeline.providers.files.tabular import Lines
from etf_pipeline.schemas.raw import LIFE_EVENTS

NOWHERE = np.datetime64("NaT", "ns")


def parse_ticker_history(lines: Lines, entry: FileEntry) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of `raw_ticker_history` and `raw_rejects`; a spell counts as known at its first open unless announced before."""
    cells, names = Cells(lines), entry.columns
    tickers, funds = cells.words(names["ticker"], needed=True), cells.words(names["fund"], needed=True)
    frame = pd.DataFrame({"ticker": tickers, "fund": funds, "valid_from": cells.days(names["valid_from"])})
    frame["valid_to"] = cells.days(names["valid_to"], needed=False)
    backwards = (frame["valid_to"] < frame["valid_from"]).to_numpy()
    cells.refuse(backwards, "impossible_value", lambda i: f"{names['valid_to']} before {names['valid_from']}")
    frame["available_at"] = cells.instants(names["announced"])
    frame = frame.assign(source=lines.source, source_row=lines.rows)[cells.readable]
    for name in ("ticker", "fund"):
        frame[name] = frame[name].str.strip().str.upper()
    frame, repeated = settle_repeats(frame, ["ticker", "valid_from"], ["fund", "valid_to"], "raw_ticker_history", "valid_from")
    opened = first_opens(pd.Series(entry.exchange, index=frame.index, dtype=object), frame["valid_from"])
    frame["available_at"] = frame["available_at"].fillna(opened)
    rejects = cells.rejects("raw_ticker_history", np.full(len(tickers), NOWHERE), tickers)
    return frame[HISTORY_COLUMNS], join_rejects([rejects, repeated])


def parse_lifecycle(lines: Lines, entry: FileEntry) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of `raw_lifecycle` and `raw_rejects`; an event without the instant at which it was public is refused."""
    cells, names = Cells(lines), entry.columns
    days, tickers = cells.days(names["event_date"]), cells.words(names["ticker"], needed=True)
    event, known = cells.words(names["event"], needed=True), cells.instants(names["known_at"])
    strange = ~pd.Series(event).isin(LIFE_EVENTS).to_numpy()
    cells.refuse(strange, "unknown_word", lambda i: f"{names['event']} = '{event[i]}' instead of {', '.join(LIFE_EVENTS)}")
    cells.refuse(known.isna().to_numpy(), "not_a_date", lambda i: f"{names['known_at']} is blank")
    frame = pd.DataFrame({"ticker": tickers, "event": event, "event_date": days, "known_at": known, "basis": "given"})
    frame["value"] = cells.numbers(names["value"], nonnegative=True)
    frame["pay_date"] = cells.days(names["pay_date"], needed=False)
    for name in ("successor", "reason"):
        frame[name] = cells.words(names[name])
    told, frame["source"] = cells.words(names["source"]), lines.source
    frame = frame.assign(source_row=lines.rows, told=told)[cells.readable]
    key = ["ticker", "event", "event_date"]
    kept, repeated = settle_repeats(frame, key, ["value", "pay_date", "successor", "known_at"], "raw_lifecycle", "event_date")
    kept["source"] = kept["told"].fillna(kept["source"])
    rejects = cells.rejects("raw_lifecycle", days, tickers)
    return kept.drop(columns=["source_row", "told"]), join_rejects([rejects, repeated])
