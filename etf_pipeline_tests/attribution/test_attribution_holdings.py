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
from backtest_world import World, random_market

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
