"""Holdings that are no candidates any more: what they count for, when they must go, and that no portfolio freezes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from portfolio_market import make_market, make_problem

from etf_pipeline.errors import SettingsError
from etf_pipeline.portfolio import Outlook, PortfolioParameters, build_portfolios, yearly_gain
from etf_pipeline.portfolio.constraints import restrict
from etf_pipeline.portfolio.correlation import common_correlation
from etf_pipeline.portfolio.decisions import MEASURES, admissible, lost, outside
from etf_pipeline.portfolio.optimizer import OPTIMIZERS

SHORT = make_market(years=0.9, seed=1)
NARROW = PortfolioParameters(strategies=("max_sharpe",), n_candidates=12, keep_rank=16, candidate_tolerance=0.1)
TICKERS = pd.Index(["A", "B", "C", "D"])


def test_what_is_no_candidate_is_sold_and_the_rest_scaled_up_by_hand():
    held, chosen = np.array([0.3, 0.2, 0.4, 0.0]), np.array([0, 1, 3])
    assert outside(held, chosen).tolist() == [2]
    np.testing.assert_allclose(admissible(held, chosen), [0.54, 0.36, 0.0, 0.0], rtol=1e-15)
    np.testing.assert_array_equal(admissible(held, np.arange(4)), held)
    np.testing.assert_array_equal(admissible(held, np.array([3])), held)  # nothing to compare with


def test_the_breach_names_the_weight_the_rank_and_the_heaviest_funds():
    held = np.array([0.3, 0.06, 0.1, 0.5])
    told = lost(held, np.array([0, 3]), TICKERS, tolerance=0.1, worst_rank=45)
    assert told == ["not_candidates: 16.0% in funds that rank below 45, or lack a score or a cost (C, B)"]
    assert lost(held, np.array([0, 3]), TICKERS, tolerance=0.16, worst_rank=45) == []


@pytest.mark.parametrize("strategy", ["max_sharpe", "min_variance", "mean_variance"])
@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), gone=st.integers(0, 3))
def test_an_optimal_target_gains_no_less_than_it_costs_more_than_the_admissible_holdings(strategy, seed, gone):
    problem = make_problem(24, seed, held=10, lower=0.0)
    held = problem.previous
    owned = np.flatnonzero(held)
    chosen = np.setdiff1d(np.arange(24), np.random.default_rng(seed).choice(owned, gone, replace=False))
    among = restrict(problem, chosen)
    target, stay = OPTIMIZERS[strategy](among).weights, admissible(held, chosen)[chosen]
    assert stay.max() <= problem.upper  # ten tenths, at most three of them gone: within the bounds
    outlooks = [Outlook.of(w, among.excess, among.covariance) for w in (target, stay)]
    gain = yearly_gain(MEASURES[strategy], *outlooks, problem.risk_aversion)
    dearer = among.trading_cost(stay)
    if strategy == "max_sharpe":
        dearer *= outlooks[0].volatility / outlooks[1].volatility
    assert gain >= among.trading_cost(target) - dearer - 1e-9


def favourites_lose_their_rank() -> tuple[pd.DataFrame, ...]:
    """From the fourth decision on the scores stand on their head; forecasts do not change."""
    turn = np.sort(SHORT.covariances["session"].unique())[3]
    score = SHORT.scores["score"].where(SHORT.scores["session"] < turn, -SHORT.scores["score"])
    return dataclasses.replace(SHORT, scores=SHORT.scores.assign(score=score)).tables()


def test_a_portfolio_whose_funds_lost_their_rank_is_forced_to_change_and_says_why():
    made = build_portfolios(*favourites_lose_their_rank(), NARROW)
    row = made.rebalance_decisions.iloc[3]
    assert row["verdict"] == "forced"
    assert row["breach"].startswith("not_candidates: ")
    assert "rank below 16" in row["breach"]
    assert row["outside_weight"] > 0.1
    held = made.target_weights[made.target_weights["session"] == row["session"]].set_index("ticker")["weight"]
    assert (held > 0).sum() > 5
    ranked = SHORT.scores[SHORT.scores["session"] == row["session"]].set_index("ticker")["score"]  # high is now bad
    covered = SHORT.covariances.loc[SHORT.covariances["session"] == row["session"], "ticker_1"].unique()
    worst = ranked.reindex(covered).rank()
    assert worst[held.index[held > 0].drop("CASH", errors="ignore")].max() <= 16


def test_within_the_tolerance_nothing_is_forced_and_the_figures_are_those_of_the_admissible_holdings():
    made = build_portfolios(*favourites_lose_their_rank(), dataclasses.replace(NARROW, candidate_tolerance=1.0))
    decisions = made.rebalance_decisions
    assert not decisions["breach"].str.contains("not_candidates").any()
    judged = decisions[(decisions["verdict"] != "first") & (decisions["outside_weight"] < 0.999)]
    assert (judged["outside_weight"] > 0.1).any()
    assert judged["gain"].min() > -judged["hurdle"].max()
    stays = build_portfolios(*SHORT.tables(), NARROW).rebalance_decisions
    quiet = stays["verdict"].isin(["hold_band", "hold_cost", "trade"])
    assert quiet.any()
    assert stays.loc[quiet, "outside_weight"].max() <= 0.1 + 1e-9


def test_a_strategy_without_the_rule_needs_no_force():
    free = dataclasses.replace(NARROW, strategies=("max_sharpe_no_rule",))
    decisions = build_portfolios(*favourites_lose_their_rank(), free).rebalance_decisions
    assert decisions["outside_weight"].max() > 0.1
    assert not decisions["breach"].str.contains("not_candidates").any()
    assert decisions["traded"].all()


def test_the_tolerance_is_a_fraction():
    with pytest.raises(SettingsError, match="candidate_tolerance is a fraction"):
        PortfolioParameters(candidate_tolerance=10)


@given(st.integers(0, 10_000), st.floats(0.0, 0.3))
@settings(deadline=None, max_examples=30)
def test_correlations_on_common_sessions_equal_those_of_pandas(seed, missing):
    rng = np.random.default_rng(seed)
    returns = rng.normal(3e-4, 0.01, (60, 9)) + rng.normal(0, 0.01, (60, 1))
    returns[:, 1] = returns[:, 0]
    returns[:, 2] = 0.0  # does not move
    returns[: rng.integers(0, 60), 3] = np.nan
    gaps = rng.random((60, 4)) < missing
    returns[:, 4:8][gaps] = np.nan
    found = common_correlation(returns, 30)
    np.testing.assert_allclose(found, pd.DataFrame(returns).corr(min_periods=30).to_numpy(), atol=1e-12)
    np.testing.assert_array_equal(found, found.T)
