"""The fold keeps the same books as bt and vectorbt, each with its own way of funding costs, to twelve digits."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etf_pipeline.backtest.arrays import NO_COSTS, PER_TRADE, SCALED, SEQUENTIAL, Market, Plan, Rules, no_events
from etf_pipeline.backtest.fold import run_fold
from etf_pipeline.conventions import BPS
from etf_pipeline.panel import Floats

N_SESSIONS, N_ASSETS = 600, 15
DAYS = pd.bdate_range("2015-01-01", periods=N_SESSIONS)
NAMES = [f"E{i:02d}" for i in range(N_ASSETS)]
CASES = [(fee, invested) for fee in (0.0, 5 * BPS) for invested in (1.0, 0.9)]


def random_weights(seed: int, invested: float) -> tuple[Floats, np.ndarray, Floats]:
    rng = np.random.default_rng(seed)
    prices = 50 * np.exp(np.cumsum(rng.normal(2e-4, 0.012, (N_SESSIONS, N_ASSETS)), axis=0))
    rows = np.arange(0, N_SESSIONS, 21)
    raw = rng.random((len(rows), N_ASSETS)) * (rng.random((len(rows), N_ASSETS)) < 0.6)
    return prices, rows, invested * raw / raw.sum(axis=1, keepdims=True)


def ours(prices: Floats, rows: np.ndarray, weights: Floats, fee: float, funding: int) -> Floats:
    market = Market(prices, prices, np.zeros(N_SESSIONS))
    plan = Plan(rows, weights, np.full_like(weights, fee), np.zeros_like(weights))
    return run_fold(market, no_events(N_SESSIONS), plan, Rules(1e6, False, 10, funding, NO_COSTS)).days[:, 0]


def import_vectorbt() -> Any:
    """vectorbt's plotting templates name a chart that plotly 6 dropped: let plotly skip it while they load."""
    layout = pytest.importorskip("plotly.graph_objects").layout
    original = layout.Template.__init__
    layout.Template.__init__ = lambda self, *args, **kwargs: original(self, *args, **{**kwargs, "skip_invalid": True})
    try:
        return pytest.importorskip("vectorbt")
    finally:
        layout.Template.__init__ = original


@pytest.mark.parametrize(("fee", "invested"), CASES)
def test_net_asset_value_equals_vectorbt(fee: float, invested: float):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        vectorbt = import_vectorbt()
        prices, rows, weights = random_weights(1, invested)
        size = np.full(prices.shape, np.nan)
        size[rows] = weights
        portfolio = vectorbt.Portfolio.from_orders(
            pd.DataFrame(prices, DAYS, NAMES), size=pd.DataFrame(size, DAYS, NAMES), size_type="targetpercent", group_by=True,
            cash_sharing=True, call_seq="auto", fees=fee, init_cash=1e6, freq="D",
        )  # fmt: skip
        theirs = portfolio.value().to_numpy()
    assert ours(prices, rows, weights, fee, SEQUENTIAL) == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize(("fee", "invested"), CASES)
def test_net_asset_value_equals_bt(fee: float, invested: float):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bt = pytest.importorskip("bt")
        prices, rows, weights = random_weights(2, invested)
        algos = [bt.algos.WeighTarget(pd.DataFrame(weights, DAYS[rows], NAMES)), bt.algos.Rebalance()]
        test = bt.Backtest(
            bt.Strategy("s", algos), pd.DataFrame(prices, DAYS, NAMES), initial_capital=1e6, integer_positions=False,
            commissions=lambda q, p: fee * abs(q) * p, progress_bar=False,
        )  # fmt: skip
        bt.run(test)
        theirs = test.strategy.values.to_numpy()[-N_SESSIONS:]
    assert ours(prices, rows, weights, fee, PER_TRADE) == pytest.approx(theirs, rel=1e-12)


def test_without_costs_every_convention_keeps_one_book():
    prices, rows, weights = random_weights(3, 1.0)
    scaled = ours(prices, rows, weights, 0.0, SCALED)
    assert ours(prices, rows, weights, 0.0, SEQUENTIAL) == pytest.approx(scaled, rel=1e-12)
    assert ours(prices, rows, weights, 0.0, PER_TRADE) == pytest.approx(scaled, rel=1e-12)
