"""Whatever happens, the books balance; and nobody can tell in which order the tickers were written."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etf_pipeline.backtest.arrays import (
    COLUMNS,
    CONVERT_MERGER,
    DIVIDEND,
    LIQUIDATE,
    SPLIT,
    Events,
    Fold,
    Market,
    Plan,
    Rules,
)
from etf_pipeline.backtest.fold import run_fold
from etf_pipeline.costs import CostParameters, TransactionCostModel
from etf_pipeline.costs.model import CostTerms, itemised_cost

N, ASSETS = 40, 5
TERMS = CostTerms(0.5e-4, 0.0, np.inf)

events = st.lists(
    st.tuples(
        st.integers(1, N - 1),
        st.sampled_from([CONVERT_MERGER, LIQUIDATE, SPLIT, DIVIDEND]),
        st.integers(0, ASSETS - 1),
        st.floats(0.1, 5.0),
        st.integers(0, ASSETS - 1),
        st.integers(0, 12),
    ),
    max_size=12,
)


def world(seed: int, drawn: list[tuple[int, int, int, float, int, int]], order: np.ndarray) -> tuple[Market, Events, Plan]:
    """A random market with gaps and a random stream of events, its tickers written in the given order."""
    rng = np.random.default_rng(seed)
    close = 20 * np.exp(np.cumsum(rng.normal(0, 0.03, (N, ASSETS)), axis=0))
    fill = close * np.exp(rng.normal(0, 0.01, close.shape))
    gaps = rng.random(close.shape) < 0.1
    gaps[rng.integers(10, N) :, 0] = True
    fill[gaps] = close[gaps] = np.nan
    place = np.argsort(order)  # where a ticker of the first order stands in this one
    # what becomes of a ticker that becomes itself is no event; one event of a kind per ticker and session, as in the tables
    rows = {(t, kind, i): (t, kind, place[i], value, place[j], t + lag) for t, kind, i, value, j, lag in drawn if i != j}
    table = sorted(rows[key] for key in sorted(rows))
    columns = list(zip(*table, strict=True)) if table else [[]] * 6
    first = np.searchsorted(np.array(columns[0], dtype=np.int64), np.arange(N + 1))
    ints = [np.array(columns[c], dtype=np.int64) for c in (1, 2, 4, 5)]
    stream = Events(first, ints[0], ints[1], np.array(columns[3], dtype=np.float64), ints[2], ints[3])
    fills = np.arange(2, N, 7)
    raw = rng.random((len(fills), ASSETS)) * (rng.random((len(fills), ASSETS)) < 0.7)
    targets = raw / np.maximum(raw.sum(axis=1, keepdims=True), 1.0)
    spread, slope = rng.uniform(0, 2e-3, targets.shape), rng.uniform(0, 1e-6, targets.shape)
    market = Market(fill[:, order].copy(), close[:, order].copy(), rng.uniform(0, 3e-4, N))
    return market, stream, Plan(fills, targets[:, order].copy(), spread[:, order].copy(), slope[:, order].copy())


def fold(seed: int, drawn: list[tuple[int, int, int, float, int, int]], order: np.ndarray) -> Fold:
    return run_fold(*world(seed, drawn, order), Rules(1e6, True, 6, 0, TERMS))


def column(result: Fold, name: str) -> np.ndarray:
    return result.days[:, COLUMNS.index(name)]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10_000), events)
def test_the_identity_holds_through_any_stream_of_events(seed: int, drawn: list[tuple[int, int, int, float, int, int]]):
    result = fold(seed, drawn, np.arange(ASSETS))
    nav = column(result, "nav")
    assert (nav > 0).all()
    assert np.abs(column(result, "rolled_nav") / nav - 1).max() < 1e-10
    assert (column(result, "cash") > -1e-9 * nav).all()
    assert (column(result, "receivables") >= 0).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), events.filter(lambda e: all(x[1] != CONVERT_MERGER for x in e)), st.permutations(range(ASSETS)))
def test_profit_does_not_depend_on_the_order_of_tickers(
    seed: int, drawn: list[tuple[int, int, int, float, int, int]], order: list[int]
):
    # chains of mergers on one day are left out: there the order of events is the order of tickers
    straight, shuffled = fold(seed, drawn, np.arange(ASSETS)), fold(seed, drawn, np.array(order))
    assert column(shuffled, "nav") == pytest.approx(column(straight, "nav"), rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_every_trade_costs_what_the_cost_function_says(seed: int):
    market, stream, plan = world(seed, [], np.arange(ASSETS))
    result = run_fold(market, stream, plan, Rules(1e6, True, 100, 0, TERMS))
    row, asset, _ = result.trade_keys.T
    k = np.searchsorted(plan.rows, row)
    value = result.trades[:, 0] * result.trades[:, 1]
    expected = itemised_cost(value, plan.half_spread[k, asset], plan.slope[k, asset], TERMS)
    assert pytest.approx(np.array(expected), rel=1e-12) == result.trades[:, 2:].T
    assert column(result, "costs").sum() == pytest.approx(sum(map(np.sum, expected)), rel=1e-12)


def test_the_terms_are_those_of_the_cost_model():
    model = TransactionCostModel(CostParameters(commission_rate=0.5e-4))
    assert model.terms == TERMS


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_weights_come_out_as_decided_whatever_trading_costs(seed: int):
    market, stream, plan = world(seed, [], np.arange(ASSETS))
    full = market.close.copy()
    full[:] = np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.02, full.shape), axis=0)) * 30
    result = run_fold(Market(full, full, market.rates), stream, plan, Rules(1e6, False, 100, 0, TERMS))
    row, asset = result.position_keys.T
    weights = np.zeros_like(plan.targets)
    weights[np.searchsorted(plan.rows, row), asset] = result.positions.prod(axis=1) / column(result, "nav")[row]
    assert weights == pytest.approx(plan.targets, abs=1e-12)
