"""Whoever holds a fund to its end gets, to the last digit, what the truth says: its returns, its last payment, its successor."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as arrow
import pytest

import etf_pipeline.definitions  # noqa: F401  registers every recipe
from etf_pipeline import calendars
from etf_pipeline.backtest import BacktestParameters, BacktestResult, run_backtest
from etf_pipeline.orchestration.assets.raw import frames_of
from etf_pipeline.providers import RawMarket
from etf_pipeline.providers.simulated import MarketTruth, SimulatedMarket
from etf_pipeline.recipes import RECIPES
from etf_pipeline.schemas import TABLES, from_arrow
from etf_pipeline.settings import Settings

EXACT = 1e-10
BENCHMARKS = {"XNYS": "SPY", "XASX": "STW.AX"}
BEFORE, AFTER = 70, 25
"""Sessions that each ledger covers before the last session and after it."""
MARTS = ("stg_prices", "stg_actions", "stg_reference", "quality_findings", "fct_actions", "fct_prices", "fct_returns")


@dataclass(frozen=True)
class Marts:
    """What the pipeline's own SQL and quality recipes make of the market of the funds that end, and the truth behind it."""

    truth: MarketTruth
    prices: pd.DataFrame
    returns: pd.DataFrame
    actions: pd.DataFrame
    quarantine: pd.DataFrame


@functools.cache
def marts() -> Marts:
    market = SimulatedMarket.for_profile("full")
    truth = market.truth()
    wanted = {*truth.endings["ticker"], *truth.endings["successor"].dropna(), *BENCHMARKS.values()}
    raw = only(market.fetch(), wanted)
    frames = frames_of(raw, Settings(home=Path("unused")))
    tables: dict[str, arrow.Table] = {name: TABLES[name].to_arrow(frame) for name, frame in frames.items()}
    for name in MARTS:
        tables |= RECIPES[name].run(tables, None, None)
    made = {name: from_arrow(tables[name]) for name in ("fct_prices", "fct_returns", "fct_actions", "quarantine")}
    return Marts(truth, *made.values())


def only(raw: RawMarket, wanted: set[str]) -> RawMarket:
    """The raw market of some tickers."""
    parts = {name: getattr(raw, name) for name in ("prices", "actions", "reference", "aum")}
    return replace(raw, **{name: frame[frame["ticker"].isin(wanted)].reset_index(drop=True) for name, frame in parts.items()})


def exchange_of(ticker: str) -> str:
    return "XASX" if ticker.endswith(".AX") else "XNYS"


@functools.cache
def held_to_the_end(ticker: str) -> tuple[BacktestResult, pd.DatetimeIndex]:
    """A ledger without costs and without interest that buys one fund, all of it, and never trades again."""
    m, exchange = marts(), exchange_of(ticker)
    last = m.truth.endings.set_index("ticker").at[ticker, "last_session"]
    days = calendars.sessions(exchange, "2004-01-01", "2024-12-31")
    at = days.get_loc(last)
    window = days[at - BEFORE : at + AFTER + 1]
    prices = m.prices[m.prices["session"].between(window[0], window[-1]) & (m.prices["exchange"] == exchange)]
    weights = pd.DataFrame({"session": window[:1], "strategy": "hold", "ticker": ticker, "weight": 1.0})
    parameters = BacktestParameters(
        exchange=exchange, benchmarks=(BENCHMARKS[exchange],), balanced=(), bill_series="", resamples=0, absence=AFTER
    )
    empty = {name: from_arrow(TABLES[name].arrow_schema.empty_table()) for name in ("liquidity", "fct_macro")}
    made = run_backtest(
        weights,
        prices,  # one currency: the Australian fund is held by an Australian
        m.returns,
        m.actions,
        empty["liquidity"],
        empty["fct_macro"],
        parameters,
    )
    return made, window


def ledger_of(ticker: str) -> pd.DataFrame:
    made, _ = held_to_the_end(ticker)
    own = made.ledger[(made.ledger["strategy"] == "hold") & (made.ledger["cost_basis"] == "gross")]
    return own.set_index("session")


def earned(ledger: pd.DataFrame) -> pd.Series:
    """Profit of each session over the value held at the close before: the fund's own return, cash aside."""
    return ledger["nav"].diff() / ledger["holdings_value"].shift()


def endings(kind: str) -> list[str]:
    found = SimulatedMarket.for_profile("full").truth().endings
    return list(found.loc[found["kind"] == kind, "ticker"])


KINDS = {"liquidation": 13, "merger": 2, "rename": 1}
EVERY = [ticker for kind in KINDS for ticker in endings(kind)]


def ending(ticker: str) -> pd.Series:
    return marts().truth.endings.set_index("ticker").loc[ticker]


def test_the_market_has_every_kind_of_ending_and_quality_refuses_none_of_their_bars() -> None:
    assert {kind: len(endings(kind)) for kind in KINDS} == KINDS
    assert not set(marts().quarantine["ticker"]) & set(EVERY)


@pytest.mark.parametrize("ticker", EVERY)
def test_until_its_last_session_a_holder_earns_the_hidden_total_return(ticker: str) -> None:
    ledger, last = ledger_of(ticker), ending(ticker)["last_session"]
    hidden = marts().truth.total_returns[exchange_of(ticker)][ticker]
    mine = earned(ledger).loc[:last].iloc[2:]  # bought at the open of the second session
    assert len(mine) == BEFORE - 1
    assert np.abs(mine - hidden.loc[mine.index]).max() < EXACT


@pytest.mark.parametrize("ticker", endings("liquidation"))
def test_a_liquidation_earns_the_delisting_return_and_is_paid_on_its_date(ticker: str) -> None:
    ledger, end = ledger_of(ticker), ending(ticker)
    after = ledger.loc[end["last_session"] :].index[1]
    assert earned(ledger)[after] == pytest.approx(end["delisting_return"], abs=EXACT)
    assert (ledger.loc[after:, "holdings_value"] == 0).all()
    assert (ledger.loc[after:, "nav"] / ledger.at[after, "nav"] - 1).abs().max() < EXACT
    proceeds = ledger.at[end["last_session"], "holdings_value"] * (1 + end["delisting_return"])
    owed = ledger.loc[after:, "receivables"]
    assert (owed[owed.index < end["pay_date"]] >= proceeds * (1 - EXACT)).all()
    assert (owed[owed.index >= end["pay_date"]] == 0).all()


@pytest.mark.parametrize("ticker", endings("merger"))
def test_after_a_merger_a_holder_earns_the_successor_s_hidden_returns(ticker: str) -> None:
    ledger, end = ledger_of(ticker), ending(ticker)
    hidden = marts().truth.total_returns["XNYS"][end["successor"]]
    mine = earned(ledger).loc[end["last_session"] :].iloc[1:]
    expected = hidden.loc[mine.index].copy()
    expected.iloc[0] = (1 + end["delisting_return"]) * (1 + expected.iloc[0]) - 1
    assert len(mine) == AFTER
    assert np.abs(mine - expected).max() < EXACT


@pytest.mark.parametrize("ticker", endings("rename"))
def test_a_rename_changes_nothing_but_the_name(ticker: str) -> None:
    ledger, end = ledger_of(ticker), ending(ticker)
    hidden = marts().truth.total_returns["XNYS"][end["successor"]]
    mine = earned(ledger).loc[end["last_session"] :].iloc[1:]
    bars = marts().prices.set_index(["ticker", "session"])
    first = bars.loc[(end["successor"], mine.index[0])]  # the truth knows no return of a ticker's first session
    assert mine.iloc[0] == pytest.approx(
        first["split_ratio"] * (first["close"] + first["dividend"]) / end["last_close"] - 1, abs=EXACT
    )
    assert np.abs(mine.iloc[1:] - hidden.loc[mine.index[1:]]).max() < EXACT


@pytest.mark.parametrize("ticker", EVERY)
def test_the_whole_value_path_is_the_one_that_shares_and_hidden_returns_give(ticker: str) -> None:
    # Without dividends in the window wealth is the product of hidden returns; with them, cash that earns nothing is set aside.
    ledger, last = ledger_of(ticker), ending(ticker)["last_session"]
    hidden = marts().truth.total_returns[exchange_of(ticker)][ticker]
    index = marts().returns.set_index(["ticker", "session"]).loc[ticker]
    held = ledger.loc[ledger.index[1] : last]
    bought = held.index[0]
    value = [ledger["nav"].iloc[0] * index.at[bought, "index_close"] / index.at[bought, "index_open"]]
    for day in held.index[1:]:
        value.append(value[-1] * (1 + hidden[day]) - held.at[day, "dividends"])
    wealth = np.array(value) + held["dividends"].cumsum().to_numpy()
    assert np.abs(wealth / held["nav"].to_numpy() - 1).max() < EXACT


def test_the_forced_exits_are_named_as_what_they_were() -> None:
    for ticker in EVERY:
        made, _ = held_to_the_end(ticker)
        kinds = set(made.trades.loc[(made.trades["strategy"] == "hold") & (made.trades["ticker"] == ticker), "kind"])
        assert kinds == {"rebalance", ending(ticker)["kind"]}
