"""A portfolio in Sydney: what New York does on a date is not known at the Sydney close of that date, and is at the next one."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as arrow
import pytest

import etf_pipeline.definitions  # noqa: F401  registers every recipe
from etf_pipeline import calendars
from etf_pipeline.orchestration.config import default_parameters
from etf_pipeline.orchestration.ingestion import frames_of, session_table
from etf_pipeline.portfolio import PortfolioParameters
from etf_pipeline.providers.simulated import SimulatedMarket
from etf_pipeline.recipes import RECIPES
from etf_pipeline.schemas import TABLES, from_arrow

HOME, ABROAD = "XASX", "XNYS"
DAY = pd.Timestamp("2023-06-30")
"""Last session of a month in both places, so that Sydney decides at its close."""
FIRST, LAST = "2017-01-03", "2023-08-31"
FOREIGN = ("SPY", "AGG", "QQQ")
DECISIONS = ("universe_membership", "features", "volatilities", "regimes", "forecasts", "liquidity", "scores", "covariances",
             "optimizer_solutions", "target_weights")  # fmt: skip
WANTED = (*DECISIONS, "backtest_ledger")
Tables = dict[str, arrow.Table]


@dataclass(frozen=True)
class Worlds:
    """Everything that Sydney makes of the market, as it was and with New York's side of one date poisoned."""

    raw: Tables
    made: Tables
    poisoned: Tables


@functools.cache
def worlds() -> Worlds:
    raw = raw_tables()
    order = makers(WANTED)
    return Worlds(raw, run(raw, order), run(poison(raw), order))


def raw_tables() -> Tables:
    """The Australian funds of the simulated market, three American ones, and the macro series."""
    frames = frames_of(SimulatedMarket.for_profile("full").fetch())
    for name in ("raw_prices", "raw_actions", "raw_reference", "raw_aum", "raw_ticker_history", "raw_lifecycle"):
        ticker = frames[name]["ticker"]
        frames[name] = frames[name][ticker.str.endswith(".AX") | ticker.isin(FOREIGN)]
    prices = frames["raw_prices"]
    frames["raw_prices"] = prices[prices["session"].between(FIRST, LAST)]
    tables = {name: TABLES[name].to_arrow(frame.reset_index(drop=True)) for name, frame in frames.items()}
    tables |= {name: TABLES[name].arrow_schema.empty_table() for name in ("raw_mandates", "raw_holdings", "raw_flows")}
    return tables | {"raw_sessions": TABLES["raw_sessions"].to_arrow(session_table(tables["raw_prices"], HOME))}


def poison(raw: Tables) -> Tables:
    """New York's bars of the date, and every macro value of the date that came out after the Sydney close."""
    prices, macro = from_arrow(raw["raw_prices"]), from_arrow(raw["raw_macro"])
    bars = (prices["session"] == DAY) & (prices["exchange"] == ABROAD)
    prices.loc[bars, ["open", "high", "low", "close"]] *= 1.12
    prices.loc[bars, "volume"] *= 50
    close = calendars.closes(HOME, pd.DatetimeIndex([DAY])).iloc[0]
    late = (macro["period"] == DAY) & (macro["available_at"] > close)
    assert bars.sum() == len(FOREIGN)
    assert {"VIX", "TBILL13W", "AUDUSD"} <= set(macro.loc[late, "series"])
    macro.loc[late, "value"] *= 4
    return raw | {
        "raw_prices": TABLES["raw_prices"].to_arrow(prices),
        "raw_macro": TABLES["raw_macro"].to_arrow(macro),
    }


def makers(wanted: tuple[str, ...]) -> list[str]:
    """Recipes that make the wanted tables, each after those that it reads."""
    maker = {output: recipe.name for recipe in RECIPES.values() for output in recipe.outputs}
    order: list[str] = []

    def visit(name: str) -> None:
        for table in RECIPES[name].inputs:
            if table in maker and maker[table] not in order:
                visit(maker[table])
        if name not in order:
            order.append(name)

    for table in wanted:
        visit(maker[table])
    return order


def run(raw: Tables, order: list[str]) -> Tables:
    tables = dict(raw)
    for name in order:
        recipe = RECIPES[name]
        parameters = default_parameters(recipe.parameters, name, "demo", HOME) if recipe.parameters else None
        tables |= recipe.run(tables, parameters, None)
    return tables


def at_home(table: arrow.Table) -> pd.DataFrame:
    frame = from_arrow(table)
    if "ticker" in frame:
        frame = frame[~frame["ticker"].isin(FOREIGN)]
    return frame.reset_index(drop=True)


def until(table: arrow.Table, day: pd.Timestamp) -> pd.DataFrame:
    frame = at_home(table)
    return frame[frame["session"] <= day].reset_index(drop=True)


@pytest.mark.parametrize("name", DECISIONS)
def test_what_sydney_decides_at_a_close_does_not_know_new_york_of_the_same_date(name: str) -> None:
    w = worlds()
    before, after = until(w.made[name], DAY), until(w.poisoned[name], DAY)
    assert before["session"].max() == DAY  # so that the date itself is compared
    pd.testing.assert_frame_equal(before, after, check_exact=True)


@pytest.mark.parametrize(("name", "column"), [("regimes", "vix"), ("scores", "score")])
def test_the_next_session_knows(name: str, column: str) -> None:
    # a VIX of four times the true one makes a bear market of the Monday after the Friday
    w, monday = worlds(), calendars.sessions(HOME, DAY, "2023-07-31")[1]
    before, after = (
        at_home(tables[name]).set_index("session")[column].sort_index(kind="stable") for tables in (w.made, w.poisoned)
    )
    assert not before.loc[[monday]].equals(after.loc[[monday]])
    assert before.loc[:DAY].equals(after.loc[:DAY])


def test_sydney_s_market_is_its_own() -> None:
    labels = from_arrow(worlds().made["regimes"])
    assert pd.DatetimeIndex(labels["session"]).isin(calendars.sessions(HOME, FIRST, LAST)).all()
    assert set(labels["regime"]) >= {"bear", "sideways"}


def test_the_portfolio_is_kept_in_australian_dollars_beside_an_australian_benchmark() -> None:
    ledger = from_arrow(worlds().made["backtest_ledger"])
    assert {"STW.AX", "balanced_60_40", *PortfolioParameters().strategies} == set(ledger["strategy"])
    assert pd.DatetimeIndex(ledger["session"]).isin(calendars.sessions(HOME, FIRST, LAST)).all()
    assert (ledger["identity_error"].abs() < 1e-10).all()
    prices = from_arrow(worlds().made["fct_prices"]).set_index(["ticker", "currency"]).index.unique()
    held = set(from_arrow(worlds().made["backtest_trades"])["ticker"])
    assert {currency for ticker, currency in prices if ticker in held} == {"AUD"}


def test_few_funds_fall_back_and_say_so() -> None:
    solved = from_arrow(worlds().made["optimizer_solutions"])
    fallen = solved[solved["status"] == "cash_blend"]
    assert fallen["reason"].str.contains("needs at least 7 funds|VaR 2 % cannot be met").all()
    assert (solved.loc[solved["strategy"] != "equal_weight", "n_candidates"] <= 10).all()


def test_an_exchange_that_nobody_described_is_named() -> None:
    from etf_pipeline.backtest import BacktestParameters
    from etf_pipeline.errors import SettingsError

    with pytest.raises(SettingsError, match="'XBOM' needs a base currency"):
        _: Any = BacktestParameters(exchange="XBOM").base_currency
    assert BacktestParameters(exchange="XLON").base_currency == "GBP"
    assert BacktestParameters(exchange="XLON").benchmark_funds == ()
    assert BacktestParameters(exchange="XLON").balanced_funds == ()
    assert BacktestParameters(exchange="XASX", currency="USD", benchmarks=("VAS.AX",)).benchmark_funds == ("VAS.AX",)
