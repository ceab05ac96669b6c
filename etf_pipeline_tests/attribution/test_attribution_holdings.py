"""Books rebuilt from stored tables explain the ledger to the cent, through every kind of event."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from etf_pipeline.attribution import AttributionParameters, books, effects_by_month
from etf_pipeline.backtest import BacktestParameters, run_backtest
from etf_pipeline.schemas import TABLES

sys.path.insert(0, str(Path(__file__).parents[1] / "backtest"))
from backtest_world import PLAIN, World, actions_frame, no_liquidity, random_market, returns_of

CLASSES = {"AAA": "equity", "AGG": "bond", "BBB": "equity", "CCC": "commodity", "DDD": "equity", "SPY": "equity"}
REFERENCE = pd.DataFrame({"ticker": list(CLASSES), "asset_class": list(CLASSES.values())})


def made(seed: int, fill: str = "open") -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    market = random_market(seed)
    found = run_backtest(**market, parameters=BacktestParameters(resamples=0, fill=fill))
    return {"ledger": found.ledger, "positions": found.positions, "trades": found.trades}, market["prices"]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("fill", ["open", "close"])
def test_every_session_is_explained_through_splits_dividends_mergers_and_endings(seed: int, fill: str) -> None:
    tables, prices = made(seed, fill)
    for name, book in books(**tables, prices=prices, reference=REFERENCE).items():
        assert np.abs(book.residual).max() < 1e-12, name
        np.testing.assert_allclose(book.weights.sum(axis=1), 1.0, atol=1e-12)


def test_effects_of_a_month_add_up_to_its_active_return() -> None:
    tables, prices = made(1)
    found = effects_by_month(books(**tables, prices=prices, reference=REFERENCE), AttributionParameters())
    TABLES["attribution"].check(TABLES["attribution"].to_arrow(found))
    sums = found.groupby(["strategy", "benchmark", "month"]).agg(
        v=("value", "sum"), r=("portfolio_return", "first"), b=("benchmark_return", "first")
    )
    assert (sums["v"] - (sums["r"] - sums["b"])).abs().max() < 1e-12
    assert set(found["benchmark"]) == {"SPY", "equal_weight", "balanced_60_40"}


def test_a_fill_below_the_close_is_profit_of_trading_by_hand() -> None:
    world = World(n=4).flat("SPY", 100.0)
    world.bars["AAA"] = [(10.0, 10.0), (10.0, 11.0), (11.0, 11.0), (11.0, 11.0)]
    world.weights = [(0, "AAA", 0.5)]
    found = world.run()
    book = books(found.ledger, found.positions, found.trades, world.prices(), REFERENCE)["s"]
    np.testing.assert_allclose(book.trading, [0.05, 0.0, 0.0], atol=1e-15)
    np.testing.assert_allclose(book.returns, [0.05, 0.0, 0.0], atol=1e-15)


def test_what_is_held_overnight_earns_for_its_class_by_hand() -> None:
    world = World(n=4).flat("SPY", 100.0)
    world.bars["AAA"] = [(10.0, 10.0), (10.0, 10.0), (12.0, 12.0), (12.0, 12.0)]
    world.weights = [(0, "AAA", 0.5)]
    found = world.run()
    book = books(found.ledger, found.positions, found.trades, world.prices(), REFERENCE)["s"]
    equity = book.classes.index("equity")
    np.testing.assert_allclose(book.contributions[:, equity], [0.0, 0.1, 0.0], atol=1e-15)
    np.testing.assert_allclose(book.weights[:, equity], [0.0, 0.5, 0.6 / 1.1], atol=1e-15)


def with_money(seed: int, fill: str, at_once: bool) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """A market with everything in it, and money that comes and goes on days with and without events."""
    market = random_market(seed)
    days = pd.DatetimeIndex(market["prices"]["session"].unique()).sort_values()
    flows = pd.DataFrame(
        {"strategy": "s", "date": days[[26, 35, 40, 60, 70, 95]], "amount": [3e5, -1e5, 5e4, 2e5, -5e4, 1e6]}
    )  # 26, 40: a dividend and a split; 60, 70: the opens after a merger and a liquidation
    found = run_backtest(**market, flows=flows, parameters=BacktestParameters(resamples=0, fill=fill, flows_at_once=at_once))
    return {"ledger": found.ledger, "positions": found.positions, "trades": found.trades}, market["prices"]


@pytest.mark.parametrize("fill", ["open", "close"])
@pytest.mark.parametrize("at_once", [True, False])
def test_money_that_comes_and_goes_has_its_own_line_and_leaves_no_residual(fill: str, at_once: bool) -> None:
    tables, prices = with_money(3, fill, at_once)
    made = books(**tables, prices=prices, reference=REFERENCE)
    book, flow = made["s"], tables["ledger"].query("strategy == 's' and cost_basis == 'net'")["flow"].to_numpy()[1:]
    assert np.abs(book.residual).max() < 1e-12
    assert (book.flows[flow == 0.0] == 0.0).all()
    assert (flow != 0.0).sum() == 6
    # bought in proportion, money changes no return but by its costs; waiting in cash, it dilutes one session
    assert np.abs(book.flows).max() < (2e-3 if at_once else 3e-2)
    found = effects_by_month(made, AttributionParameters())
    TABLES["attribution"].check(TABLES["attribution"].to_arrow(found))
    whole = found[(found["strategy"] == "s") & (found["benchmark"] == "SPY")]
    sums = whole.groupby("month").agg(v=("value", "sum"), r=("portfolio_return", "first"), b=("benchmark_return", "first"))
    assert (sums["v"] - (sums["r"] - sums["b"])).abs().max() < 1e-12
    assert whole.loc[whole["effect"] == "residual", "value"].abs().max() < 1e-12
    other = found[(found["strategy"] == "equal_weight") & (found["benchmark"] == "SPY")]
    assert "flows" not in set(other["effect"])


def test_a_deposit_that_doubles_a_fund_is_no_skill_of_trading_by_hand() -> None:
    # up 10 % to the open, twice the money, up 20 % to the close: the holding earned 32 %, as the ledger says
    world = World(n=5).flat("SPY", 100.0)
    world.bars["AAA"] = [(10.0, 10.0), (10.0, 10.0), (11.0, 13.2), (13.2, 13.2), (13.2, 13.2)]
    weights = pd.DataFrame({"session": [world.sessions[0]], "strategy": "s", "ticker": "AAA", "weight": 1.0})
    flows = pd.DataFrame({"strategy": "s", "date": [world.sessions[2]], "amount": [1100.0]})
    found = run_backtest(
        weights, world.prices(), returns_of(world.prices()), actions_frame([]), no_liquidity(), world.macro(),
        BacktestParameters(**{**PLAIN, "initial_value": 1000.0}), flows,
    )  # fmt: skip
    book = books(found.ledger, found.positions, found.trades, world.prices(), REFERENCE)["s"]
    np.testing.assert_allclose(book.contributions.sum(axis=1), [0.0, 0.32, 0.0, 0.0], atol=1e-14)
    np.testing.assert_allclose(book.trading, 0.0, atol=1e-14)
    np.testing.assert_allclose(book.flows, 0.0, atol=1e-14)
