"""Measures by hand, their properties, and what they say when they cannot say anything."""

from __future__ import annotations

import doctest

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import etf_pipeline.measures
import etf_pipeline.measures.bootstrap
import etf_pipeline.measures.risk_free
from etf_pipeline.errors import DataError
from etf_pipeline.measures import MEASURES, daily_bill_yield, measure, session_risk_free

returns = arrays(np.float64, st.integers(4, 60), elements=st.floats(-0.2, 0.2))


def test_measures_of_four_returns_by_hand():
    r = np.array([0.10, -0.10, 0.00, 0.20])
    # wealth 1.1, 0.99, 0.99, 1.188
    assert measure("total_return", r) == pytest.approx(0.188)
    assert measure("cagr", r) == pytest.approx(1.188**63 - 1)
    assert measure("max_drawdown", r) == pytest.approx(0.1)
    assert measure("win_rate", r) == pytest.approx(2 / 3)  # the session without a move does not count
    # mean 0.05; squared deviations 0.0025, 0.0225, 0.0025, 0.0225, over 3
    deviation = np.sqrt(0.05 / 3)
    assert measure("volatility", r) == pytest.approx(deviation * np.sqrt(252))
    assert measure("sharpe", r, 0.01) == pytest.approx(0.04 / deviation * np.sqrt(252))
    # shortfalls below the bill of 0.01: 0.11 and 0.01, over all four sessions
    assert measure("sortino", r, 0.01) == pytest.approx(0.04 / np.sqrt((0.11**2 + 0.01**2) / 4) * np.sqrt(252))
    # 5 % of the way over three gaps: 0.15 between -0.10 and 0.00
    assert measure("var_95", r) == pytest.approx(0.085)
    assert measure("cvar_95", r) == pytest.approx(0.10)


def test_a_fall_in_the_first_session_is_a_drawdown():
    assert measure("max_drawdown", np.array([-0.3, 0.1])) == pytest.approx(0.3)


@given(returns)
def test_losses_are_ordered_and_drawdown_is_a_fraction(r: np.ndarray):
    assert measure("cvar_95", r) >= measure("var_95", r) - 1e-15
    assert 0.0 <= measure("max_drawdown", r) < 1.0
    assert measure("max_drawdown", r) >= -r.min() - 1e-12 or r.min() > 0


@given(returns, st.floats(0.1, 3.0))
def test_sharpe_does_not_see_leverage_over_the_bill(r: np.ndarray, leverage: float):
    base, geared = (measure("sharpe", 1e-4 + k * (r - 1e-4), 1e-4) for k in (1.0, leverage))
    if np.std(r) > 1e-6:
        assert geared == pytest.approx(base, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", MEASURES)
def test_an_unknown_return_makes_every_measure_unknown(name: str):
    r = np.array([0.01, np.nan, -0.02, 0.03, 0.01, 0.02])
    assert np.isnan(measure(name, r, 0.0, np.zeros(6)))


def test_a_series_that_never_moves_has_no_ratio():
    for name in ("sharpe", "sortino", "calmar", "win_rate", "skewness", "kurtosis"):
        assert np.isnan(measure(name, np.zeros(10))), name


def test_without_a_benchmark_nothing_is_said_about_tracking():
    r = np.array([0.01, -0.02, 0.03, 0.01])
    assert np.isnan(measure("tracking_error", r))
    assert np.isnan(measure("information_ratio", r))


def test_an_unknown_name_and_a_short_series_are_refused():
    with pytest.raises(DataError, match="asked for 'sharp'"):
        measure("sharp", np.zeros(5))
    with pytest.raises(DataError, match="at least 2"):
        measure("sharpe", np.zeros(1))


def test_a_bill_at_five_percent_discount_by_hand():
    # 98.7361 buys 100 in 91 days: 1.2801 % in 91 days
    per_day = float(daily_bill_yield(np.array([5.0]))[0])
    assert per_day * 91 == pytest.approx(100 / (100 - 5 * 91 / 360) - 1, rel=1e-12)
    assert float(daily_bill_yield(np.array([-0.05]))[0]) < 0


def test_cash_earns_what_was_quoted_the_session_before_over_calendar_days():
    days = pd.DatetimeIndex(["2024-01-04", "2024-01-05", "2024-01-08"])
    macro = pd.DataFrame({"session": days, "series": "TBILL13W", "value": [5.0, 4.0, 99.0]})
    found = session_risk_free(macro, days)
    expected = [0.0, daily_bill_yield(np.array([5.0]))[0], 3 * daily_bill_yield(np.array([4.0]))[0]]
    assert found == pytest.approx(expected, rel=1e-14)
    assert (session_risk_free(macro, days, "") == 0).all()


def test_a_bill_that_is_not_known_is_not_zero():
    days = pd.DatetimeIndex(["2024-01-04", "2024-01-05", "2024-01-08"])
    macro = pd.DataFrame({"session": days[1:], "series": "TBILL13W", "value": [5.0, 4.0]})
    with pytest.raises(DataError, match="2024-01-04"):
        session_risk_free(macro, days)


@pytest.mark.parametrize(
    "module", [etf_pipeline.measures, etf_pipeline.measures.bootstrap, etf_pipeline.measures.risk_free], ids=lambda m: m.__name__
)
def test_examples_in_the_docstrings_are_right(module: object):
    assert doctest.testmod(module).failed == 0


def test_measures_beside_a_benchmark_by_hand():
    r, market = np.array([0.02, -0.01, 0.03, 0.00]), np.array([0.01, -0.02, 0.02, -0.01])
    # means 0.01 and 0; products of deviations 0.0001, 0.0004, 0.0004, 0.0001 over squares 0.0001, 0.0004, 0.0004, 0.0001
    assert measure("beta", r, 0.0, market) == pytest.approx(0.001 / 0.001)
    assert measure("alpha", r, 0.0, market) == pytest.approx(0.01 * 252)
    assert measure("alpha", r, 0.004, market) == pytest.approx(0.01 * 252)  # a beta of one takes the bill out of both
    assert measure("r_squared", r, 0.0, market) == pytest.approx(1.0)
    up = (1.02 * 1.03) ** 126 - 1, (1.01 * 1.02) ** 126 - 1
    down = 0.99**126 - 1, (0.98 * 0.99) ** 126 - 1
    assert measure("up_capture", r, 0.0, market) == pytest.approx(up[0] / up[1])
    assert measure("down_capture", r, 0.0, market) == pytest.approx(down[0] / down[1])
    assert measure("batting_average", r, 0.0, market) == 1.0
    assert measure("batting_average", market, 0.0, np.array([0.01, -0.03, 0.03, -0.01])) == 0.25


def test_downside_omega_ulcer_and_tails_by_hand():
    r = np.array([0.10, -0.10, 0.00, 0.20])
    assert measure("downside_risk", r, 0.01) == pytest.approx(np.sqrt((0.11**2 + 0.01**2) / 4 * 252))
    assert measure("omega", r, 0.01) == pytest.approx((0.09 + 0.19) / (0.11 + 0.01))
    assert measure("ulcer_index", r) == pytest.approx(np.sqrt((0.1**2 + 0.1**2) / 3))  # falls 0, 0.1, 0.1, 0
    assert measure("tail_ratio", r) == pytest.approx((0.1 + 0.85 * 0.1) / 0.085)
    assert (measure("best_session", r), measure("worst_session", r)) == (0.2, -0.1)


def test_steady_growth_is_perfectly_stable_and_a_capture_without_such_sessions_is_unknown():
    assert measure("stability", np.full(50, 0.001)) == pytest.approx(1.0)
    assert np.isnan(measure("down_capture", np.full(5, 0.01), 0.0, np.full(5, 0.01)))
    assert np.isnan(measure("stability", np.array([0.1, -1.0, 0.1])))


@given(returns, st.floats(0.2, 3.0))
def test_a_geared_benchmark_has_its_gearing_as_beta_and_no_alpha(market: np.ndarray, gearing: float):
    if np.std(market) > 1e-6:
        geared = 1e-4 + gearing * (market - 1e-4)
        assert measure("beta", geared, 1e-4, market) == pytest.approx(gearing, rel=1e-6)
        assert measure("alpha", geared, 1e-4, market) == pytest.approx(0.0, abs=1e-9)
        assert measure("r_squared", geared, 0.0, market) == pytest.approx(1.0, rel=1e-6)


def test_returns_that_grow_without_bound_have_no_capture() -> None:
    wild = np.full(400, 1e3)
    assert np.isnan(measure("up_capture", wild, 0.0, wild))


@pytest.mark.parametrize("level", [1e-4, 3.3e-5, -0.25])
def test_equal_returns_have_no_ratio_and_no_beta_to_them_whatever_their_last_bits(level):
    still, moving = np.full(1000, level), np.random.default_rng(0).normal(0.0, 0.01, 1000)
    assert measure("volatility", still) == 0.0
    for name in ("sharpe", "skewness", "kurtosis", "r_squared"):
        assert np.isnan(measure(name, still, 0.0, moving)), name
    for name in ("beta", "alpha", "r_squared"):
        assert np.isnan(measure(name, moving, 0.0, still)), name
    assert np.isnan(measure("information_ratio", moving + level, 0.0, moving))  # a benchmark plus a constant
    assert measure("stability", still) <= 1.0
