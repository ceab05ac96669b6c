"""The simulated market's ends: told ones are known when and as the truth says; untold ones are inferred, all and no others."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import pyarrow as arrow
import pytest

import etf_pipeline.definitions  # noqa: F401  registers every recipe
from etf_pipeline import calendars
from etf_pipeline.orchestration.ingestion import frames_of
from etf_pipeline.providers.simulated import SimulatedMarket
from etf_pipeline.recipes import RECIPES
from etf_pipeline.schemas import TABLES, from_arrow
from etf_pipeline.universe import detect_actions, lifecycle

FATES = {"liquidation": "closure", "merger": "merger"}


@dataclass(frozen=True)
class World:
    """Staged tables of the whole simulated market, its calendar and its truth."""

    tables: dict[str, pd.DataFrame]
    sessions: pd.DataFrame
    endings: pd.DataFrame

    def lives(self, *, told: bool) -> pd.DataFrame:
        """The lifecycle, with or without what actions and announcements tell."""
        names = ("stg_actions", "stg_reference", "raw_lifecycle", "raw_ticker_history")
        untold = () if told else ("stg_actions", "raw_lifecycle")
        given = [self.tables[name].iloc[:0] if name in untold else self.tables[name] for name in names]
        return lifecycle(self.tables["stg_prices"], *given, self.sessions)


@pytest.fixture(scope="module")
def world() -> World:
    market = SimulatedMarket.for_profile("full")
    tables: dict[str, arrow.Table] = {name: TABLES[name].to_arrow(frame) for name, frame in frames_of(market.fetch()).items()}
    for name in ("stg_ticker_history", "stg_prices", "stg_actions", "stg_reference"):
        recipe = RECIPES[name]
        tables["raw_sessions"] = TABLES["raw_sessions"].to_arrow(calendar())
        tables |= recipe.run({n: tables[n] for n in recipe.inputs}, None, None)
    wanted = ("stg_prices", "stg_actions", "stg_reference", "raw_lifecycle", "raw_ticker_history")
    return World({name: from_arrow(tables[name]) for name in wanted}, calendar(), market.truth().endings)


def calendar() -> pd.DataFrame:
    parts = []
    for exchange in ("XASX", "XNYS"):
        days = calendars.sessions(exchange, "2005-01-03", "2024-07-31")
        times = {"opens_at": calendars.opens(exchange, days), "closes_at": calendars.closes(exchange, days)}
        ends = {"is_month_end": days.isin(calendars.month_ends(days, exchange)), "is_main": exchange == "XNYS"}
        parts.append(pd.DataFrame({"exchange": exchange, "session": days, **times, **ends}))
    return pd.concat(parts, ignore_index=True)


def test_every_end_is_known_as_announced_and_its_value_only_when_settled(world: World) -> None:
    lives = world.lives(told=True)
    assert len(world.endings) > 40
    for end in world.endings.itertuples():
        own = lives[lives["ticker"] == end.ticker].reset_index(drop=True)
        before, after = own[own["known_from"] < end.announced_at], own[own["known_from"] >= end.announced_at]
        assert (before["fate"] == "listed").all(), end.ticker
        first, last = after.iloc[0], after.iloc[-1]
        assert first["known_from"] == end.announced_at
        assert (first["fate"], first["last_session"], first["pay_date"]) == (FATES[end.kind], end.last_session, end.pay_date)
        settled = "liquidation_value" if end.kind == "liquidation" else "ratio"
        assert pd.isna(first[settled])
        assert last[settled] == pytest.approx(end.value, rel=1e-12)
        exchange = "XASX" if end.ticker.endswith(".AX") else "XNYS"
        closed = calendars.closes(exchange, pd.DatetimeIndex([end.last_session])).iloc[0]
        assert (after.loc[after[settled].notna(), "known_from"] > closed).all()
        assert last["successor"] == end.successor or (pd.isna(last["successor"]) and end.successor is None)


def test_no_fund_that_goes_on_has_an_end(world: World) -> None:
    lives = world.lives(told=True)
    ended = lives[lives["fate"] != "listed"]
    assert set(ended["ticker"]) == set(world.endings["ticker"])
    assert (ended["basis"] == "given").all()


def test_ends_that_nobody_tells_are_inferred_from_silence_all_and_no_others(world: World) -> None:
    lives, bars = world.lives(told=False), world.tables["stg_prices"]
    ends = world.endings.set_index("ticker")
    noticed = {
        ticker: calendars.sessions(exchange, ends.at[ticker, "last_session"], bars["session"].max())[10:11]
        for ticker, exchange in bars.drop_duplicates("ticker")[["ticker", "exchange"]].values
        if ticker in ends.index
    }
    expected = {ticker for ticker, day in noticed.items() if len(day)}
    ended = lives[lives["fate"] != "listed"].set_index("ticker")
    assert set(ended.index) == expected
    assert ended.index.is_unique
    assert (ended["last_session"] == ends.loc[ended.index, "last_session"]).all()
    assert set(ended["fate"]) == {"unknown"}
    for ticker, row in ended.iterrows():
        exchange = "XASX" if str(ticker).endswith(".AX") else "XNYS"
        assert row["known_from"] == calendars.closes(exchange, noticed[str(ticker)]).iloc[0]


def test_a_renamed_fund_goes_on_under_its_new_ticker_and_a_reused_ticker_belongs_to_two(world: World) -> None:
    lives, history = world.lives(told=True), world.tables["raw_ticker_history"]
    for fund, spells in history.groupby("fund"):
        own = lives[lives["ticker"] == fund]
        assert own["traded_ticker"].drop_duplicates().tolist() == spells.sort_values("valid_from")["ticker"].tolist()
    shared = history.groupby("ticker")["fund"].nunique()
    assert (shared > 1).any()


def test_a_split_that_the_faults_take_away_is_proposed() -> None:
    spoilt = SimulatedMarket.for_profile("demo", faults=True)
    raw, faults = spoilt.fetch(), spoilt.truth().faults
    planted = faults[faults["rule"] == "missed_split"]
    assert len(planted)
    found = detect_actions(raw.prices, raw.actions, calendar())
    missing = found[found["kind"] == "missing_split"]
    assert set(zip(planted["ticker"], planted["session"], strict=True)) <= set(
        zip(missing["ticker"], missing["session"], strict=True)
    )
