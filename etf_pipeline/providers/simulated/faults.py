"""Planted faults: one of every kind of bad row that real files bring, each at a stated ticker and session.

Rules are named as in `quality.RULES` where it has one; those of `UNSEEN` are facts that it need not look for. Faults are planted
on the funds that both profiles share, between 2019 and 2023, so that both carry the same list; only a split that two sources
tell needs a fund of the full market, because the demonstration's one split is the one that is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pandas as pd

from etf_pipeline.errors import DataError
from etf_pipeline.providers import RawMarket

PRICES = ["open", "high", "low", "close"]
FAULT_COLUMNS = ["dataset", "ticker", "session", "rule", "source_row"]


def no_faults() -> pd.DataFrame:
    """An empty list of faults."""
    return pd.DataFrame({c: pd.Series(dtype="object") for c in FAULT_COLUMNS}).astype(
        {"session": "datetime64[ns]", "source_row": "int64"}
    )


def plant(market: RawMarket) -> tuple[RawMarket, pd.DataFrame]:
    """A market with some seventy bad rows of about thirty kinds, and the list of them.

    Parameters
    ----------
    market : RawMarket
        Without faults; it is left as it was.

    Returns
    -------
    market : RawMarket
        Every table still meets its contract: faults are of meaning, not of form.
    faults : DataFrame
        `dataset`, `ticker`, `session`, `rule`, `source_row` (within `dataset`; -1 where the fault is an absence or the dataset
        numbers no rows).
    """
    workshop = Workshop(market)
    for rule, ticker, day, change in CELLS:
        workshop.change(rule, ticker, day, change)
    workshop.add("duplicate_key", "TLT", "2019-09-10", "2019-09-10", 1.0)
    workshop.add("duplicate_key", "TLT", "2019-10-15", "2019-10-15", 1.01)
    workshop.add("not_a_session", "HYG", "2019-12-24", "2019-12-25", 1.0)
    workshop.add("not_a_session", "GLD", "2020-01-31", "2020-02-01", 1.0)
    workshop.add("future_date", "SPY", "2024-06-28", "2031-01-02", 1.0)
    workshop.add("after_ending", "ZRTL", "2023-05-19", "2023-06-01", 1.0)
    for day in ("2019-06-18", "2019-06-19", "2019-06-20"):
        workshop.add("unknown_ticker", "SPY", day, day, 1.0, name="ZZZZ")
    workshop.stale("EEM", "2021-03-01", 10)
    workshop.remove("calendar_gap", "QQQ", GAP)
    workshop.unreadable("EFA", "2020-12-15", "n/a")
    workshop.forget_split("USO", "2020-04-29")
    workshop.inflate_dividend("IWM", "2021-09-20")
    workshop.inflate_aum("EEM", "2022-06-03")
    for day in SHARED:
        workshop.second("AGG", day, 1.03 if day == CONTRADICTED else 1.0)
    workshop.contradicted("AGG", CONTRADICTED)
    workshop.remove("missing_session", "GLD", (HALF_DAY,))
    workshop.in_lots("HYG", LOTS, 100)
    workshop.repeat_action("EFA", "2021-06-18", "dividend")
    if (market.prices["ticker"] == "SSO").any():
        workshop.repeat_action("SSO", "2022-01-13", "split")
    return workshop.result()


UNSEEN = ("aum_jump", "volume_unit")
"""Faults that no rule looks for."""
SECOND_SOURCE = "simulated_second"
"""The other feed, which speaks of a few bars and actions."""
HALF_DAY = "2020-11-27"
"""The day after Thanksgiving, which a feed took for a holiday."""
SHARED = ("2022-06-13", "2022-06-14", "2022-06-15", "2022-06-16", "2022-06-17")
"""Sessions that two sources tell."""
CONTRADICTED = SHARED[2]
"""The one of them on which they differ."""
LOTS = ("2022-03-01", "2022-03-02", "2022-03-03", "2022-03-04", "2022-03-07", "2022-03-08", "2022-03-09", "2022-03-10")
"""Sessions whose volume is in lots."""
GAP = tuple(f"2021-07-{day}" for day in (13, 14, 15, 16, 19, 20, 21, 22))
"""Sessions that one fund lacks."""


def _set(column: str, value: float) -> Callable[[pd.Series[Any]], dict[str, Any]]:
    return lambda row: {column: value}


def _times(columns: list[str], factor: float) -> Callable[[pd.Series[Any]], dict[str, Any]]:
    return lambda row: {c: row[c] * factor for c in columns}


CELLS: tuple[tuple[str, str, str, Callable[[pd.Series[Any]], dict[str, Any]]], ...] = (
    ("nonpositive_price", "IWM", "2019-03-12", _times(PRICES, -1.0)),
    ("nonpositive_price", "EFA", "2019-05-14", _set("close", 0.0)),
    ("high_below_low", "EEM", "2019-06-11", lambda row: {"high": row["low"], "low": row["high"]}),
    ("outside_range", "QQQ", "2019-07-16", lambda row: {"close": row["high"] * 1.02}),
    ("missing_price", "AGG", "2019-08-13", _set("close", np.nan)),
    ("missing_price", "HYG", "2020-08-11", _set("open", np.nan)),
    ("nonpositive_price", "EFA", "2021-08-10", _set("high", np.inf)),
    ("price_jump", "VNQ", "2020-10-13", _times(PRICES, 100.0)),
    ("outlier_return", "GLD", "2022-04-12", _times(PRICES, 1.3)),
    ("negative_volume", "IWM", "2021-05-11", _times(["volume"], -1.0)),
    ("missing_volume", "TLT", "2021-11-09", _set("volume", np.nan)),
    ("zero_volume", "VNQ", "2022-02-08", _set("volume", 0.0)),
    ("currency_mismatch", "IWM", "2022-09-13", lambda row: {"currency": "EUR"}),
)
"""Rule, ticker, session, and what happens to the row."""


class Workshop:
    """Copies of a market's frames under change, and the list of what was done to them."""

    def __init__(self, market: RawMarket) -> None:
        self.market = market
        self.prices = market.prices.copy()
        self.actions = market.actions.copy()
        self.aum = market.aum.copy()
        self.rejects = market.rejects.copy()
        self.added: list[dict[str, Any]] = []
        self.repeated: list[dict[str, Any]] = []
        self.faults: list[tuple[str, str, pd.Timestamp, str, int]] = []
        self.rows = pd.Series(market.prices.index, index=pd.MultiIndex.from_frame(market.prices[["ticker", "session"]]))

    def change(self, rule: str, ticker: str, day: str, change: Callable[[pd.Series[Any]], dict[str, Any]]) -> None:
        """Change cells of one row."""
        at = self._row(ticker, day)
        for column, value in change(cast("pd.Series[Any]", self.market.prices.loc[at])).items():
            self.prices.loc[at, column] = value
        self._note(rule, ticker, day, at)

    def second(self, ticker: str, day: str, factor: float) -> None:
        """Let another source tell a session too, perhaps at another price."""
        self.add("second_source", ticker, day, day, factor)
        self.added[-1]["source"] = SECOND_SOURCE

    def contradicted(self, ticker: str, day: str) -> None:
        """Note the first source's row that the second contradicts."""
        self._note("source_disagreement", ticker, day, self._row(ticker, day))

    def in_lots(self, ticker: str, days: tuple[str, ...], lot: int) -> None:
        """Volume in lots where it should be in shares."""
        for day in days:
            self.change("volume_unit", ticker, day, lambda row: {"volume": np.floor(row["volume"] / lot)})

    def repeat_action(self, ticker: str, day: str, kind: str) -> None:
        """Let another source tell an action too: counted twice it would take effect twice."""
        at = len(self.market.actions) + len(self.repeated)
        row = cast(dict[str, Any], self.market.actions.loc[self._action(ticker, day, kind)[0]].to_dict())
        self.repeated.append(row | {"source": SECOND_SOURCE, "source_row": at})
        self._note("repeated_action", ticker, day, at, "raw_actions")

    def add(self, rule: str, ticker: str, like: str, day: str, factor: float, name: str | None = None) -> None:
        """Add a row like an existing one: on another day, at another price, or under another name."""
        row = cast(dict[str, Any], self.market.prices.loc[self._row(ticker, like)].to_dict())
        at = len(self.market.prices) + len(self.added)
        row |= {c: row[c] * factor for c in PRICES}
        row |= {"session": pd.Timestamp(day), "ticker": name or ticker, "source_row": at}
        self.added.append(row)
        self._note(rule, name or ticker, day, at)

    def stale(self, ticker: str, day: str, sessions: int) -> None:
        """Repeat one session's bar for the following sessions, with no volume."""
        first = self._row(ticker, day)
        repeated = range(first + 1, first + sessions)
        for at in repeated:
            for column in PRICES:
                self.prices.loc[at, column] = self.market.prices.at[first, "close"]
            self.prices.loc[at, "volume"] = 0.0
            self._note("stale_run", ticker, str(self.market.prices.at[at, "session"]), at)

    def remove(self, rule: str, ticker: str, days: tuple[str, ...]) -> None:
        """Leave out rows."""
        for day in days:
            self.prices = self.prices.drop(index=self._row(ticker, day))
            self._note(rule, ticker, day, -1)

    def unreadable(self, ticker: str, day: str, text: str) -> None:
        """A line whose price is text: it never becomes a row."""
        at = self._row(ticker, day)
        self.prices = self.prices.drop(index=at)
        reject = {
            "dataset": "raw_prices",
            "source": self.market.prices.at[at, "source"],
            "source_row": at,
            "session": pd.Timestamp(day),
            "ticker": ticker,
            "rule": "not_a_number",
            "found": f"close '{text}'",
            "remedy": "Ask the source for the line again, or leave it out.",
        }
        self.rejects = pd.concat([self.rejects, pd.DataFrame([reject])]) if len(self.rejects) else pd.DataFrame([reject])
        self._note("not_a_number", ticker, day, at)

    def forget_split(self, ticker: str, day: str) -> None:
        """Leave out a split that the prices show."""
        row = self._action(ticker, day, "split")
        self.actions = self.actions.drop(index=row)
        self._note("missed_split", ticker, day, self._row(ticker, day))

    def inflate_dividend(self, ticker: str, day: str) -> None:
        """A dividend in cents where it should be in dollars."""
        row = self._action(ticker, day, "dividend")
        self.actions.loc[row, "value"] *= 100
        self._note("large_dividend", ticker, day, int(self.actions.loc[row, "source_row"].iloc[0]), "raw_actions")

    def inflate_aum(self, ticker: str, day: str) -> None:
        """Assets in thousands where they should be in units."""
        found = self.aum.index[(self.aum["ticker"] == ticker) & (self.aum["as_of"] == pd.Timestamp(day))]
        self.aum.loc[found, "aum_value"] *= 1_000
        self._note("aum_jump", ticker, day, -1, "raw_aum")

    def result(self) -> tuple[RawMarket, pd.DataFrame]:
        """The changed market and the list of its faults."""
        prices = pd.concat([self.prices, pd.DataFrame(self.added)], ignore_index=True)
        changed = replace(
            self.market,
            prices=prices,
            actions=pd.concat([self.actions, pd.DataFrame(self.repeated)], ignore_index=True),
            aum=self.aum,
            rejects=self.rejects.reset_index(drop=True),
            label=f"{self.market.label}, with {len(self.faults)} planted faults",
        )
        return changed, pd.DataFrame(self.faults, columns=FAULT_COLUMNS)

    def _row(self, ticker: str, day: str) -> int:
        key = (ticker, pd.Timestamp(day))
        if key not in self.rows.index:
            raise DataError(f"a fault needs the bar of {ticker} on {day}; the market has none. Choose a session of its calendar.")
        return int(self.rows[key])

    def _action(self, ticker: str, day: str, kind: str) -> pd.Index[Any]:
        actions = self.market.actions
        return actions.index[
            (actions["ticker"] == ticker) & (actions["ex_date"] == pd.Timestamp(day)) & (actions["kind"] == kind)
        ]

    def _note(self, rule: str, ticker: str, day: str, at: int, dataset: str = "raw_prices") -> None:
        self.faults.append((dataset, ticker, pd.Timestamp(day), rule, at))
