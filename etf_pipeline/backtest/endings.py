"""How funds ended: which did not last, and what became of whoever held them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.backtest.arrays import COLUMNS, KINDS, REBALANCE
from etf_pipeline.backtest.engine import Books
from etf_pipeline.backtest.parameters import SurvivorshipParameters

if TYPE_CHECKING:
    from etf_pipeline.backtest.survivorship import Pair

FATE_COLUMNS = [
    "screens", "rule", "ticker", "asset_class", "last_session", "months", "fate", "held_to_end", "exit_session", "exit_price",
    "exit_weight",
]  # fmt: skip

SOLD, NEVER_HELD, HELD = "sold", "never_held", "held"


def ended_funds(
    prices: pd.DataFrame, actions: pd.DataFrame, parameters: SurvivorshipParameters
) -> tuple[pd.Series[Any], set[str]]:
    """Last bar of every fund, and the funds that are no longer listed at the end of the data.

    Notes
    -----
    A fund has ended if it has no bar in the last `absence` sessions. A fund that goes on under another name has not: it is
    as alive as its successor. What is merged away has ended, although its holders live on.
    """
    last = prices.groupby("ticker")["session"].max()
    days = calendars.sessions(parameters.exchange, prices["session"].min(), prices["session"].max())
    since = days[max(0, len(days) - parameters.absence)]
    alive = set(last.index[last >= since])
    names = actions.loc[actions["kind"] == "rename", ["ticker", "successor"]].itertuples(index=False)
    heirs = [(str(ticker), str(successor)) for ticker, successor in names]
    while renamed := {ticker for ticker, successor in heirs if successor in alive} - alive:
        alive |= renamed
    return last, set(last.index) - alive


def fates_table(pairs: Sequence[Pair], books: Books, last: pd.Series[Any], reference: pd.DataFrame) -> pd.DataFrame:
    """`survivorship_endings`: each fund that could be chosen and did not last, and how the portfolio of all funds left it."""
    rows = [row for pair in pairs for row in _fates(pair, books, last)]
    classes = reference.set_index("ticker")["asset_class"]
    frame = pd.DataFrame(rows, columns=[name for name in FATE_COLUMNS if name != "asset_class"])
    frame["asset_class"] = frame["ticker"].map(classes).fillna("unknown")
    frame["exit_session"] = pd.to_datetime(frame["exit_session"])
    return frame[FATE_COLUMNS].sort_values(["screens", "rule", "ticker"], ignore_index=True)


def _fates(pair: Pair, books: Books, last: pd.Series[Any]) -> list[dict[str, object]]:
    out: list[dict[str, object]] = []
    months = pair.decisions["full"].frame.groupby("ticker")["session"].count()
    exits = _exits(books, pair.name("full"))
    for ticker in sorted(pair.pool.loc[pair.pool["ended"], "ticker"].unique()):
        held = int(months.get(ticker, 0))
        kind, *facts = exits.get(ticker, (HELD if held else NEVER_HELD, pd.NaT, np.nan, np.nan))
        row = {"screens": pair.screens, "rule": pair.rule, "ticker": ticker, "last_session": last[ticker], "months": held}
        found = dict(zip(("exit_session", "exit_price", "exit_weight"), facts, strict=True))
        out.append({**row, "fate": kind, "held_to_end": kind not in (SOLD, NEVER_HELD), **found})
    return out


def _exits(books: Books, name: str) -> dict[str, tuple[Any, ...]]:
    """By ticker: how, when, at what price and with what weight the last share of it went, unless it came back."""
    fold = books.folds[name, "net"]
    nav = fold.days[:, COLUMNS.index("nav")]
    kept = set(map(tuple, fold.position_keys))
    out: dict[str, tuple[Any, ...]] = {}
    for (t, i, kind), (traded, price) in zip(fold.trade_keys, fold.trades[:, :2], strict=True):
        ticker = str(books.axes.tickers[i])
        out.pop(ticker, None)
        if traded < 0.0 and (t, i) not in kept:
            fate = SOLD if kind == REBALANCE else KINDS[kind]
            out[ticker] = (fate, books.axes.sessions[t], float(price), float(-traded * price / nav[max(t - 1, 0)]))
    return out
