"""Simulated tails against their closed forms, and their stated error against the error that they have."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from etf_pipeline.conventions import CASH
from etf_pipeline.stress import SIMULATIONS, monte_carlo, tail_loss
from etf_pipeline.stress.monte_carlo import Source, drawdowns, outcomes
from etf_pipeline.stress.simulate import portfolio_volatility

SIGMA, NU, LEVEL, N = 0.012, 5.0, 0.95, 100_000


def source(past: np.ndarray | None = None, block: float = 21.0) -> Source:
    returns = np.random.default_rng(0).normal(0, SIGMA, 1000) if past is None else past
    return Source(SIGMA, returns, NU, block, 0.94)


def end(function: str, start: Source, n: int, horizon: int, rng: np.random.Generator) -> np.ndarray:
    """Returns at the horizon of a simulation's paths."""
    return outcomes(getattr(monte_carlo, function)(start, n, horizon, rng), (horizon,))[horizon][0]


def student_t_cvar() -> float:
    """Expected shortfall of a Student-t law with variance sigma squared (McNeil, Frey and Embrechts 2015, eq. 2.25)."""
    q = stats.t.ppf(LEVEL, NU)
    return SIGMA * np.sqrt((NU - 2) / NU) * stats.t.pdf(q, NU) / (1 - LEVEL) * (NU + q * q) / (NU - 1)


@pytest.mark.parametrize("seed", range(5))
def test_student_t_cvar_is_within_three_standard_errors_of_the_closed_form(seed: int):
    # five seeds at three standard errors: a false alarm once in 75 choices of seeds
    found = tail_loss(end("student_t", source(), N, 1, np.random.default_rng(seed)))
    assert abs(found.cvar - student_t_cvar()) < 3 * found.standard_error
    assert found.var == pytest.approx(SIGMA * np.sqrt((NU - 2) / NU) * stats.t.ppf(LEVEL, NU), rel=0.03)


@pytest.mark.parametrize("seed", range(5))
def test_gaussian_cvar_is_within_three_standard_errors_of_the_closed_form(seed: int):
    found = tail_loss(end("gaussian", source(), N, 1, np.random.default_rng(seed)))
    closed = SIGMA * stats.norm.pdf(stats.norm.ppf(LEVEL)) / (1 - LEVEL)
    assert abs(found.cvar - closed) < 3 * found.standard_error


def test_the_stated_error_is_the_spread_over_repeated_simulations():
    # 400 simulations: their spread is known to 3.5 %, so 12 % is beyond three standard errors
    tails = [tail_loss(end("student_t", source(), 5000, 1, np.random.default_rng(seed))) for seed in range(400)]
    spread = np.std([tail.cvar for tail in tails], ddof=1)
    assert np.mean([tail.standard_error for tail in tails]) == pytest.approx(spread, rel=0.12)


def test_a_tail_by_hand():
    found = tail_loss(-np.arange(1.0, 101.0))
    assert found.var == 95
    assert found.cvar == 98
    # tail 96..100 has variance 2; 0.95 * 9 for the quantile; five losses
    assert found.standard_error == pytest.approx(np.sqrt((2 + 0.95 * 9) / 5))


def test_a_month_of_normal_sessions_has_the_volatility_of_a_month():
    month = end("gaussian", source(), 50_000, 21, np.random.default_rng(1))
    assert month.std() == pytest.approx(np.sqrt((1 + SIGMA**2) ** 21 - 1), rel=0.015)


def test_bootstrap_of_one_session_draws_the_past_itself():
    past = np.array([-0.05, 0.01, 0.02, 0.03])
    drawn = end("block_bootstrap", source(past), 10_000, 1, np.random.default_rng(2))
    assert set(np.round(drawn, 12)) == set(past)
    assert tail_loss(drawn).cvar == pytest.approx(0.05, rel=1e-9)


def test_bootstrap_of_endless_blocks_replays_the_past_in_order():
    past = np.random.default_rng(3).normal(0, 0.01, 50)
    drawn = end("block_bootstrap", source(past, block=1e12), 2000, 5, np.random.default_rng(4))
    paths = [np.prod(1 + np.take(past, range(i, i + 5), mode="wrap")) - 1 for i in range(50)]
    assert np.abs(drawn[:, None] - np.array(paths)).min(axis=1).max() < 1e-12


def test_filtered_history_scales_with_todays_volatility():
    calm = np.random.default_rng(5).normal(0, 0.005, 1000)
    storm = calm.copy()
    storm[-60:] *= 4
    losses = [tail_loss(end("filtered_history", source(past), 50_000, 1, np.random.default_rng(6))).var for past in (calm, storm)]
    assert losses[1] / losses[0] == pytest.approx(4, rel=0.25)


def test_two_sessions_of_filtered_history_by_hand_the_second_at_the_volatility_that_the_first_left():
    past = np.array([0.01, -0.02, 0.005])
    before = [np.mean(past**2)]  # variance expected before each return, and after the last
    for value in past:
        before.append(0.94 * before[-1] + 0.06 * value**2)
    shocks = past / np.sqrt(before[:3])
    rng = np.random.default_rng(11)
    first, second = shocks[rng.integers(0, 3, 50)], shocks[rng.integers(0, 3, 50)]
    one = np.sqrt(before[3]) * first
    two = np.sqrt(0.94 * before[3] + 0.06 * one**2) * second
    found = end("filtered_history", source(past), 50, 2, np.random.default_rng(11))
    np.testing.assert_allclose(found, (1 + one) * (1 + two) - 1, rtol=1e-12)


@pytest.mark.parametrize("name", SIMULATIONS)
@pytest.mark.parametrize("horizon", [1, 21])
def test_nothing_loses_more_than_everything_and_draws_follow_the_seed(name: str, horizon: int):
    wild = Source(0.5, np.random.default_rng(7).standard_t(3, 500) * 0.1, 3.0, 10.0, 0.94)
    wild.past.clip(-0.99, out=wild.past)
    one, two = (
        outcomes(SIMULATIONS[name].function(wild, 5000, horizon, np.random.default_rng(8)), (horizon,))[horizon][0]
        for _ in range(2)
    )
    assert (one == two).all()
    assert one.min() >= -1


def test_outcomes_of_two_paths_by_hand():
    steps = np.array([[0.10, -0.20], [-0.50, 0.50], [1.00, -2.00]])
    found = outcomes(steps, (1, 3))
    np.testing.assert_allclose(found[1][0], [0.10, -0.20])
    np.testing.assert_allclose(found[1][1], [0.0, 0.20])
    np.testing.assert_allclose(found[3][0], [0.10, -1.0])  # a path cannot lose more than everything
    np.testing.assert_allclose(found[3][1], [0.5, 1.0])


def test_the_stated_errors_of_quantiles_are_their_spread_over_repeated_simulations():
    # 400 simulations: their spread is known to 3.5 %, so 15 % is beyond four standard errors
    tails, falls = [], []
    for seed in range(400):
        found = outcomes(monte_carlo.student_t(source(), 3000, 10, np.random.default_rng(seed)), (10,))[10]
        tails.append(tail_loss(found[0]))
        falls.append(drawdowns(found[1]))
    assert np.mean([tail.var_error for tail in tails]) == pytest.approx(np.std([tail.var for tail in tails], ddof=1), rel=0.15)
    assert np.mean([fall.error for fall in falls]) == pytest.approx(np.std([fall.deep for fall in falls], ddof=1), rel=0.15)


def test_the_deep_drawdown_of_a_random_walk_is_that_of_brownian_motion():
    # Levy: the fall from the high of a Brownian path moves as |W|, whose largest value has the 95 % point 2.2414 sqrt(T). High
    # and low are seen in steps, each of which costs 0.5826 sqrt(dt) (Broadie, Glasserman and Kou 1997). The quantile's error is
    # 0.4 %.
    steps = 0.002 * np.random.default_rng(9).standard_normal((252, 20_000))
    found = drawdowns(outcomes(steps, (252,))[252][1])
    assert found.deep == pytest.approx(1 - np.exp(-0.002 * (2.2414 * np.sqrt(252) - 2 * 0.5826)), rel=0.02)


def test_portfolio_volatility_by_hand():
    rows = [("A", "A", 0.04), ("A", "B", 0.006), ("B", "B", 0.01)]
    matrix = pd.DataFrame(rows, columns=["ticker_1", "ticker_2", "covariance"])
    # 0.25 * 0.04 + 2 * 0.25 * 0.006 + 0.25 * 0.01 = 0.0155
    assert portfolio_volatility({"A": 0.5, "B": 0.5}, matrix) == (pytest.approx(np.sqrt(0.0155 / 252)), 1.0)
    volatility, coverage = portfolio_volatility({"A": 0.4, "C": 0.4, CASH: 0.2}, matrix)
    assert volatility == pytest.approx(0.8 * 0.2 / np.sqrt(252))  # C moves as A does
    assert coverage == pytest.approx(0.6)
    assert portfolio_volatility({CASH: 1.0}, matrix) == (0.0, 1.0)
    assert np.isnan(portfolio_volatility({"C": 1.0}, matrix)[0])
    # half-way to one: 0.5 * 0.0155 + 0.5 * (0.5 * 0.2 + 0.5 * 0.1)^2
    stressed = portfolio_volatility({"A": 0.5, "B": 0.5}, matrix, 0.5)[0]
    assert stressed == pytest.approx(np.sqrt((0.5 * 0.0155 + 0.5 * 0.15**2) / 252))
