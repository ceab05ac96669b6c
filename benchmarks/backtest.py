"""Backtest accounting beside vectorbt and bt: equal books first, then the time."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline.backtest.arrays import NO_COSTS, PER_TRADE, SEQUENTIAL, Market, Plan, Rules, no_events
from etf_pipeline.backtest.fold import run_fold
from etf_pipeline.conventions import BPS
from etf_pipeline.panel import Floats

N_SESSIONS, N_ASSETS, REBALANCE, HELD, FEE = 3780, 500, 21, 20, 5 * BPS
"""Fifteen years of 500 funds, twenty of them held, rebalanced monthly at 5 bp."""

GATE = 1e-12
"""Largest relative difference of net asset value."""


def run() -> list[dict[str, Any]]:
    """Ours beside each peer, in that peer's way of funding costs: arrays in, net asset values out."""
    market, plan = _case()
    return [
        _compare("backtest vs vectorbt", market, plan, SEQUENTIAL, _vectorbt, repeats=3),
        _compare("backtest vs bt", market, plan, PER_TRADE, _bt, repeats=1),
    ]


def _compare(
    name: str, market: Market, plan: Plan, funding: int, peer: Callable[..., Callable[[], Floats]], *, repeats: int
) -> dict[str, Any]:
    rules = Rules(1e6, False, 10, funding, NO_COSTS)
    events = no_events(N_SESSIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = peer(market.close, plan)
        accuracy = float(np.max(np.abs(run_fold(market, events, plan, rules).days[:, 0] / theirs() - 1.0)))
        peer_s = _best(theirs, repeats)
    ours_s = _best(lambda: run_fold(market, events, plan, rules), 20)
    return {
        "name": name,
        "ours_s": ours_s,
        "peer_s": peer_s,
        "ratio": peer_s / ours_s,
        "accuracy": accuracy,
        "gate": GATE,
        "n": N_SESSIONS * N_ASSETS,
        "note": f"{N_ASSETS} funds, {N_SESSIONS} sessions, {len(plan.rows)} rebalances into {HELD}, {FEE / BPS:.0f} bp",
    }


def _case() -> tuple[Market, Plan]:
    rng = np.random.default_rng(0)
    prices = 50 * np.exp(np.cumsum(rng.normal(2e-4, 0.012, (N_SESSIONS, N_ASSETS)), axis=0))
    rows = np.arange(0, N_SESSIONS, REBALANCE)
    weights = np.zeros((len(rows), N_ASSETS))
    for k in range(len(rows)):
        weights[k, rng.choice(N_ASSETS, HELD, replace=False)] = rng.dirichlet(np.ones(HELD))
    return Market(prices, prices, np.zeros(N_SESSIONS)), Plan(rows, weights, np.full_like(weights, FEE), np.zeros_like(weights))


def _best(function: Callable[[], Any], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def _frames(prices: Floats, plan: Plan) -> tuple[pd.DataFrame, pd.DataFrame]:
    days = pd.bdate_range("2010-01-01", periods=len(prices))
    names = [f"E{i:03d}" for i in range(prices.shape[1])]
    return pd.DataFrame(prices, days, names), pd.DataFrame(plan.targets, days[plan.rows], names)


def _vectorbt(prices: Floats, plan: Plan) -> Callable[[], Floats]:
    import plotly.graph_objects as plotly

    # vectorbt's plotting templates name a chart that plotly 6 dropped: let plotly skip it while they load
    template = plotly.layout.Template
    original = template.__init__
    template.__init__ = lambda self, *args, **kwargs: original(self, *args, **{**kwargs, "skip_invalid": True})
    try:
        import vectorbt
    finally:
        template.__init__ = original
    frame, targets = _frames(prices, plan)
    size = targets.reindex(frame.index)

    def value() -> Floats:
        portfolio = vectorbt.Portfolio.from_orders(
            frame, size=size, size_type="targetpercent", group_by=True, cash_sharing=True, call_seq="auto", fees=FEE,
            init_cash=1e6, freq="D",
        )  # fmt: skip
        return np.asarray(portfolio.value())

    return value


def _bt(prices: Floats, plan: Plan) -> Callable[[], Floats]:
    import bt

    frame, targets = _frames(prices, plan)

    def value() -> Floats:
        strategy = bt.Strategy("s", [bt.algos.WeighTarget(targets), bt.algos.Rebalance()])
        test = bt.Backtest(
            strategy,
            frame,
            initial_capital=1e6,
            integer_positions=False,
            commissions=lambda q, p: FEE * abs(q) * p,
            progress_bar=False,
        )
        bt.run(test)
        return np.asarray(test.strategy.values)[-len(prices) :]

    return value


if __name__ == "__main__":
    for row in run():
        print(row)
