"""Trade paths and survival: by hand, equal to a slow walk and to statsmodels, realised and never early."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight

from etf_pipeline.errors import DataError
from etf_pipeline.validation import kaplan_meier, on_total_return, time_to_profit, time_to_profit_by_regime, trade_drawdowns


def prices(seed: int, n: int = 60, m: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(0.02 * rng.standard_normal((n, m)), axis=0))
    fill = close * np.exp(0.01 * rng.standard_normal((n, m)))
    low = np.minimum(fill, close) * np.exp(-0.01 * rng.random((n, m)))
    high = np.maximum(fill, close) * np.exp(0.01 * rng.random((n, m)))
    return fill, close, low, high


def slow_drawdown(fill, close, low, high, way, horizon) -> float:
    equity, peak, worst = 1.0, 1.0, 0.0
    for s in range(1, horizon + 1):
        bad = low[s] if way > 0 else high[s]
        trough = 1 + way * (bad / fill[1] - 1)
        equity = 1 + way * (close[s] / fill[1] - 1)
        worst = max(worst, 1 - trough / peak, 1 - equity / peak)
        peak = max(peak, equity)
    return worst


def test_a_trade_by_hand_is_deeper_with_lows_than_with_closes():
    # decided at 0, filled at 100, closes 110, 99, 105 with lows 95, 96, 97: from the high of 110 to 96
    close = np.array([[100.0], [110.0], [99.0], [105.0]])
    fill = np.array([[np.nan], [100.0], [110.0], [99.0]])
    low = np.array([[99.0], [95.0], [96.0], [97.0]])
    assert trade_drawdowns(fill, close, 3)[0, 0] == pytest.approx(1 - 99 / 110)
    assert trade_drawdowns(fill, close, 3, low=low)[0, 0] == pytest.approx(1 - 96 / 110)
    assert trade_drawdowns(fill, close, 1, low=low)[0, 0] == pytest.approx(0.05)


@pytest.mark.parametrize("seed", range(3))
def test_drawdowns_are_those_of_a_slow_walk_long_and_short(seed):
    fill, close, low, high = prices(seed)
    side = np.random.default_rng(seed).choice([1.0, -1.0, 0.0, np.nan], close.shape)
    made = trade_drawdowns(fill, close, 7, low=low, high=high, side=side)
    for t in range(60):
        for i in range(4):
            if t + 7 >= 60 or side[t, i] not in (1.0, -1.0):
                assert math.isnan(made[t, i])
            else:
                rows = slice(t, t + 8)
                slow = slow_drawdown(fill[rows, i], close[rows, i], low[rows, i], high[rows, i], side[t, i], 7)
                assert made[t, i] == pytest.approx(slow, abs=1e-14)


@pytest.mark.parametrize("seed", range(2))
def test_waiting_times_are_those_of_a_slow_walk(seed):
    fill, close, _, _ = prices(seed)
    close[30:35, 2] = np.nan
    made = time_to_profit(fill, close, 6, hurdle=0.01)
    for t in range(60):
        for i in range(4):
            gains = close[t + 1 : t + 7, i] / fill[t + 1, i] - 1 if t < 59 else np.array([])
            seen = gains[: int(np.argmax(np.isnan(gains)))] if np.isnan(gains).any() else gains
            above = np.flatnonzero(seen > 0.01)
            if not len(seen):
                assert math.isnan(made.waited[t, i])
            else:
                assert made.waited[t, i] == (above[0] + 1 if len(above) else len(seen))
                assert made.reached[t, i] == float(len(above) > 0)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(12, 58), horizon=st.integers(1, 10))
def test_what_ended_by_a_date_is_unchanged_when_the_future_is_cut_off_or_poisoned(seed, cut, horizon):
    fill, close, low, high = prices(seed)
    ended = cut - horizon
    whole = trade_drawdowns(fill, close, horizon, low=low, high=high)
    early = trade_drawdowns(fill[:cut], close[:cut], horizon, low=low[:cut], high=high[:cut])
    np.testing.assert_array_equal(whole[:ended], early[:ended])
    assert np.isnan(early[ended:]).all()
    for array in (fill, close, low, high):
        array[cut:] = 1e12
    np.testing.assert_array_equal(trade_drawdowns(fill, close, horizon, low=low, high=high)[:ended], whole[:ended])
    before, after = (time_to_profit(*prices(seed)[:2], horizon), time_to_profit(fill, close, horizon))
    np.testing.assert_array_equal(before.waited[:ended], after.waited[:ended])
    np.testing.assert_array_equal(before.reached[:ended], after.reached[:ended])


def test_a_trade_that_loses_its_prices_is_unknown_in_depth_and_censored_in_time():
    close = np.array([[100.0], [99.0], [98.0], [np.nan], [np.nan]])
    fill = np.array([[100.0], [100.0], [99.0], [np.nan], [np.nan]])
    assert np.isnan(trade_drawdowns(fill, close, 3)).all()
    time = time_to_profit(fill, close, 3)
    assert time.waited[:, 0].tolist()[:2] == [2.0, 1.0]
    assert time.reached[:, 0].tolist()[:2] == [0.0, 0.0]
    assert np.isnan(time.waited[2:]).all()


def test_time_to_profit_counts_a_hurdle_and_a_shorts_side():
    close = np.array([[100.0], [100.5], [102.0], [97.0]])
    fill = np.full((4, 1), 100.0)
    assert time_to_profit(fill, close, 3).waited[0, 0] == 1
    assert time_to_profit(fill, close, 3, hurdle=0.01).waited[0, 0] == 2
    short = time_to_profit(fill, close, 3, side=-np.ones((4, 1)))
    assert (short.waited[0, 0], short.reached[0, 0]) == (3, 1)
    waiting = time_to_profit(fill, close, 3, hurdle=0.05)
    assert (waiting.waited[0, 0], waiting.reached[0, 0]) == (3, 0)
    assert waiting.curve().survival.tolist() == []


def test_the_curve_by_hand():
    # 6 trades: profit after 1, 1 and 3 sessions, last seen at 2, 3 and 4
    curve = kaplan_meier(np.array([1.0, 1, 2, 3, 3, 4]), np.array([True, True, False, True, False, False]))
    assert curve.time.tolist() == [1.0, 3.0]
    assert curve.at_risk.tolist() == [6, 3]
    assert curve.survival == pytest.approx([4 / 6, 4 / 6 * 2 / 3])
    assert curve.median == 3.0
    assert (curve.at(0.5), curve.at(1), curve.at(2.9), curve.at(9)) == pytest.approx((1.0, 2 / 3, 2 / 3, 4 / 9))
    assert math.isnan(kaplan_meier(np.array([1.0, 2.0, 3.0]), np.array([True, False, False])).median)


@pytest.mark.parametrize("seed", range(4))
def test_the_curve_and_its_error_are_statsmodels(seed):
    rng = np.random.default_rng(seed)
    durations, events = rng.integers(1, 22, 300).astype(float), rng.random(300) < 0.6
    peer = SurvfuncRight(durations, events.astype(float))
    ours = kaplan_meier(durations, events)
    np.testing.assert_array_equal(ours.time, peer.surv_times)
    np.testing.assert_allclose(ours.survival, peer.surv_prob, rtol=1e-12)
    np.testing.assert_allclose(ours.standard_error[ours.survival > 0], peer.surv_prob_se[ours.survival > 0], rtol=1e-10)
    np.testing.assert_array_equal(ours.at_risk, peer.n_risk)
    np.testing.assert_array_equal(ours.events, peer.n_events)


def test_censored_trades_are_counted_which_the_mean_of_the_finished_ones_is_not():
    # waiting is geometric with chance 1/20 a session, watched for 10: .95^10 = .599 still wait; 20,000 draws, error .003
    rng = np.random.default_rng(1)
    true = rng.geometric(0.05, 20_000).astype(float)
    curve = kaplan_meier(np.minimum(true, 10), true <= 10)
    assert curve.at(10) == pytest.approx(0.95**10, abs=0.015)
    assert true[true <= 10].mean() < 6


def test_intraday_prices_move_to_the_total_return_scale():
    assert on_total_return(np.array([[9.5]]), np.array([[10.0]]), np.array([[200.0]])).tolist() == [[190.0]]


def test_fifteen_years_of_500_funds_take_under_three_seconds():
    # 40 million steps; 0.1 s on the machine it was written on
    import time

    rng = np.random.default_rng(2)
    close = 100 * np.exp(np.cumsum(0.01 * rng.standard_normal((3780, 500)), axis=0))
    trade_drawdowns(close[:30], close[:30], 21)
    start = time.perf_counter()
    trade_drawdowns(close, close, 21, low=close * 0.99)
    time_to_profit(close, close, 21)
    assert time.perf_counter() - start < 3


def test_shapes_and_horizons_are_checked():
    with pytest.raises(DataError, match="one shape"):
        trade_drawdowns(np.ones((3, 2)), np.ones((3, 1)), 1)
    with pytest.raises(DataError, match="at least one session"):
        time_to_profit(np.ones((3, 2)), np.ones((3, 2)), 0)
    with pytest.raises(DataError, match="known durations"):
        kaplan_meier(np.array([1.0, np.nan]), np.array([True, False]))


def test_waiting_by_regime_is_the_curve_of_its_sessions_and_a_rare_one_is_insufficient():
    fill, close, _, _ = prices(3, n=1500, m=6)
    regimes = np.where(np.arange(1500) < 1475, "bull", "bear").astype(object)
    time = time_to_profit(fill, close, 5)
    table = time_to_profit_by_regime(time, regimes, 5)
    bull = kaplan_meier(time.waited[:1475].ravel(), time.reached[:1475].ravel() > 0)
    assert table.loc["bull", "median"] == bull.median
    assert table.loc["bull", "profitable"] == pytest.approx(1 - bull.survival[-1])
    assert table["status"].to_dict() == {"bull": "ok", "bear": "insufficient"}
    assert table["n"].sum() == np.sum(~np.isnan(time.waited))
