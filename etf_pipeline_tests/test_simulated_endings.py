"""Whoever holds a fund to its end gets, to the last digit, what the truth says: its returns, its last payment, its successor."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as arrow
import pytest

import etf_pipeline.definitions  # noqa: F401  registers every recipe
from etf_pipeline import calendars
from etf_pipeline.backtest import BacktestParameters, BacktestResult, run_backtest
from etf_pipeline.orchestration.ingestion import session_table
from etf_pipeline.providers import RawMarket
from etf_pipeline.providers.simulated import MarketTruth, SimulatedMarket
from etf_pipeline.recipes import RECIPES
from etf_pipeline.schemas import TABLES, from_arrow

EXACT = 1e-10
BENCHMARKS = {"XNYS": "SPY", "XASX": "STW.AX"}
BEFORE, AFTER = 70, 25
"""Sessions that each ledger covers before the last session and after it."""
PARTS = ("prices", "actions", "reference", "rejects", "ticker_history")
MARTS = (
    "stg_ticker_history",
    "stg_prices",
    "stg_actions",
    "stg_reference",
    "quality_findings",
    "fct_actions",
    "fct_prices",
    "fct_returns",
)


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
    raw = only(market.fetch(), {*EVERY, *RENAMED, *truth.endings["successor"].dropna(), *BENCHMARKS.values()})
    tables: dict[str, arrow.Table] = {f"raw_{part}": TABLES[f"raw_{part}"].to_arrow(getattr(raw, part)) for part in PARTS}
    tables["raw_sessions"] = TABLES["raw_sessions"].to_arrow(session_table(tables["raw_prices"], "XNYS"))
    for name in MARTS:
        tables |= RECIPES[name].run(tables, None, None)
    made = {name: from_arrow(tables[name]) for name in ("fct_prices", "fct_returns", "fct_actions", "quarantine")}
    return Marts(truth, *made.values())


def only(raw: RawMarket, wanted: set[str]) -> RawMarket:
    """The raw market of some funds, and of others that traded under the same tickers."""
    history = raw.ticker_history
    tickers = wanted | set(history.loc[history["fund"].isin(wanted), "ticker"])
    parts = {name: getattr(raw, name) for name in ("prices", "actions", "reference")}
    return replace(raw, **{name: frame[frame["ticker"].isin(tickers)].reset_index(drop=True) for name, frame in parts.items()})


def exchange_of(ticker: str) -> str:
    return "XASX" if ticker.endswith(".AX") else "XNYS"


@functools.cache
def held_through(ticker: str, last: pd.Timestamp) -> tuple[BacktestResult, pd.DatetimeIndex]:
    """A ledger without costs and without interest that buys one fund, all of it, before a session and never trades again."""
    m, exchange = marts(), exchange_of(ticker)
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


def held_to_the_end(ticker: str) -> tuple[BacktestResult, pd.DatetimeIndex]:
    """The ledger around the last session of a fund."""
    return held_through(ticker, ending(ticker)["last_session"])


def ledger_of(ticker: str, through: pd.Timestamp | None = None) -> pd.DataFrame:
    made, _ = held_to_the_end(ticker) if through is None else held_through(ticker, through)
    own = made.ledger[(made.ledger["strategy"] == "hold") & (made.ledger["cost_basis"] == "gross")]
    return own.set_index("session")


def earned(ledger: pd.DataFrame) -> pd.Series:
    """Profit of each session over the value held at the close before: the fund's own return, cash aside."""
    return ledger["nav"].diff() / ledger["holdings_value"].shift()


@functools.cache
def truth() -> MarketTruth:
    return SimulatedMarket.for_profile("full").truth()


def endings(kind: str) -> list[str]:
    return list(truth().endings.query("kind == @kind")["ticker"])


EVERY = [ticker for kind in ("liquidation", "merger") for ticker in endings(kind)]
RENAMED = {f.ticker: pd.Timestamp(f.rename.last) for f in truth().funds if f.rename is not None}


def ending(ticker: str) -> pd.Series:
    return truth().endings.set_index("ticker").loc[ticker]


def test_quality_refuses_no_bar_of_a_fund_that_ends_or_is_renamed() -> None:
    assert len(endings("liquidation")) > 40
    assert len(endings("merger")) > 5
    assert len(RENAMED) == 3
    assert not set(marts().quarantine["ticker"]) & {*EVERY, *RENAMED}


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


@pytest.mark.parametrize("ticker", RENAMED)
def test_a_rename_changes_nothing_at_all_for_a_holder(ticker: str) -> None:
    ledger, hidden = ledger_of(ticker, RENAMED[ticker]), marts().truth.total_returns["XNYS"][ticker]
    mine = earned(ledger).iloc[2:]
    assert len(mine) == BEFORE + AFTER - 1
    assert np.abs(mine - hidden.loc[mine.index]).max() < EXACT
    made, _ = held_through(ticker, RENAMED[ticker])
    trades = made.trades[(made.trades["strategy"] == "hold") & (made.trades["ticker"] == ticker)]
    assert set(trades["kind"]) == {"rebalance"}
    later = next(f.rename.ticker for f in truth().funds if f.ticker == ticker and f.rename is not None)
    assert later not in set(marts().prices["ticker"])


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
