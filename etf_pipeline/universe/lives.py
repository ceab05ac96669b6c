"""Lifecycle: what was known of each fund's life, and since when.

Every source is turned into facts with the instant at which they were known; along each fund's facts a state is carried, and a row
is added each time that it changes. Rows known by an instant rest on nothing that came later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline.errors import DataError
from etf_pipeline.schemas.raw import BASES
from etf_pipeline.universe.bars import Bars, Ints, close_of
from etf_pipeline.universe.life_facts import (
    Fact,
    action_facts,
    event_facts,
    first_bars,
    listing_facts,
    silence_facts,
    ticker_facts,
)
from etf_pipeline.universe.parameters import LifecycleParameters

STRENGTH = {basis: strength for strength, basis in enumerate(reversed(BASES))}
"""A given fact outweighs a curated one, and both outweigh an inference, whichever comes first."""

DATES = ("inception", "first_session", "last_session", "pay_date")
INSTANTS = ("known_from", "announced_at")
END = ("announced_at", "last_session", "fate", "liquidation_value", "pay_date", "successor", "ratio")
KNOWN = ("traded_ticker", "inception", "first_session", *END)
COLUMNS = ("ticker", "known_from", *KNOWN, "basis", "evidence")


def lifecycle(
    prices: pd.DataFrame,
    actions: pd.DataFrame,
    reference: pd.DataFrame,
    events: pd.DataFrame,
    history: pd.DataFrame,
    sessions: pd.DataFrame,
    parameters: LifecycleParameters | None = None,
) -> pd.DataFrame:
    """What was known of each fund's life, and since when.

    Parameters
    ----------
    prices : DataFrame
        `fct_prices`, of which `ticker`, `session` and `exchange` are read.
    actions : DataFrame
        `stg_actions`: mergers, liquidations, renames.
    reference : DataFrame
        `stg_reference`, of which the inception is read.
    events : DataFrame
        `raw_lifecycle`.
    history : DataFrame
        `raw_ticker_history`: read raw, because only there stands when each ticker was known to be the fund's.
    sessions : DataFrame
        `raw_sessions`.

    Returns
    -------
    DataFrame
        `lifecycle`: one row per fund with a bar and instant at which more became known.

    Raises
    ------
    DataError
        If a fund has two bars of one session, or a bar's session is not in `sessions`.

    Notes
    -----
    A fund is known from the close of its first bar on. An inferred end fills what nobody told: its last session is the last
    bar, its fate `unknown`, or `rename` where the fund is known to trade under another ticker since, of which the source has no
    bars.
    """
    parameters = parameters or LifecycleParameters()
    bars = Bars.of(prices[["ticker", "session", "exchange"]]).refuse_repeats()
    close_at = close_of(bars, sessions)
    _need_sessions(bars, close_at)
    first = first_bars(bars, close_at)
    facts = chain(
        listing_facts(first, reference),
        ticker_facts(first, history),
        action_facts(first, actions),
        event_facts(first, events),
        silence_facts(bars, close_at, parameters.silent_sessions),
    )
    return _frame(rows_of(facts))


def rows_of(facts: Iterable[Fact]) -> Iterator[dict[str, Any]]:
    """Fold each fund's facts, in the order in which they became known, into the rows of `lifecycle`."""
    ordered = sorted(facts, key=lambda fact: (fact.ticker, fact.known_at))
    for ticker, own in groupby(ordered, key=lambda fact: fact.ticker):
        state, told = _State(ticker), None
        for known_from, together in groupby(own, key=lambda fact: fact.known_at.floor("us")):
            for fact in together:
                state.learn(fact)
            if state.told() != told:
                told = state.told()
                yield {"known_from": known_from, **told, **state.ground()}


class _State:
    """What is known of one fund."""

    def __init__(self, ticker: str) -> None:
        self.ticker = ticker
        self.values: dict[str, Any] = {}
        self._basis: dict[str, str] = {}
        self._texts: list[str] = []

    def learn(self, fact: Fact) -> None:
        """Take a fact in, as far as nothing stronger speaks against it."""
        values = fact.values if fact.silent_since is None else self._silent(fact.silent_since)
        settled = [name for name, value in values.items() if self._yields(name, value, fact.basis)]
        changed = [name for name in settled if self.values.get(name) != values[name]]
        for name in settled:
            self.values[name], self._basis[name] = values[name], fact.basis
        if changed:
            self._texts.append(fact.text)

    def told(self) -> dict[str, Any]:
        """What is known, as columns; a fund trades under its own name until somebody says otherwise."""
        told = {name: self.values.get(name) for name in KNOWN}
        return {"ticker": self.ticker, **told, "traded_ticker": told["traded_ticker"] or self.ticker}

    def ground(self) -> dict[str, str]:
        """What that rests on: who says how the fund ends, if it does, and every fact in words."""
        basis = "given" if self.values["fate"] == "listed" else self._basis["fate"]
        return {"basis": basis, "evidence": "; ".join(self._texts)}

    def _yields(self, name: str, value: Any, basis: str) -> bool:
        held = self.values.get(name)
        if name == "announced_at" and held is not None:
            return False
        if name == "fate" and value == "unknown" and held not in (None, "listed"):
            return False
        listed = name == "fate" and held == "listed"
        return held is None or listed or STRENGTH[basis] >= STRENGTH[self._basis[name]]

    def _silent(self, last: pd.Timestamp) -> dict[str, Any]:
        renamed_on = self.values.get("renamed_on")
        if renamed_on is not None and renamed_on > last:
            return {"last_session": last, "fate": "rename", "successor": self.values["traded_ticker"], "ratio": 1.0}
        return {"last_session": last, "fate": "unknown"}


def _frame(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=list(COLUMNS))
    for name in DATES:
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[ns]")
    for name in INSTANTS:
        frame[name] = pd.to_datetime(frame[name], utc=True).astype("datetime64[ns, UTC]")
    for name in ("liquidation_value", "ratio"):
        frame[name] = frame[name].astype(float)
    return frame


def _need_sessions(bars: Bars, close_at: Ints) -> None:
    if (close_at < 0).any():
        bad = bars.frame.iloc[int(np.argmax(close_at < 0))]
        raise DataError(
            f"lifecycle needs raw_sessions to hold the session of every bar; {bad['ticker']} has one on "
            f"{bad['session'].date()}, when {bad['exchange']} is not known to trade. Quarantine it in `quality`."
        )
