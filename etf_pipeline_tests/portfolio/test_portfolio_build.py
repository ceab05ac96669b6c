"""Portfolios over time: contracts, drift, sales, costs, and nothing from the future."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from portfolio_market import Market, make_market
from scipy.stats import norm

from etf_pipeline.backtest import BacktestParameters
from etf_pipeline.conventions import CASH
from etf_pipeline.costs import TransactionCostModel
from etf_pipeline.errors import DataError
from etf_pipeline.portfolio import Built, PortfolioOptimizer, PortfolioParameters, build_portfolios
from etf_pipeline.portfolio.beliefs import current_covariance, expected_returns, risk_free_rates, simple_rate
from etf_pipeline.portfolio.ex_ante import ex_ante, risk_contributions
from etf_pipeline.portfolio.rebalancing import Holdings, TotalReturns, candidates, drift
from etf_pipeline.schemas import TABLES

PARAMETERS = PortfolioParameters(strategies=("max_sharpe", "risk_parity", "equal_weight"), ruled=())  # all trade when asked
SHORT = make_market(years=0.6, seed=1)


@pytest.fixture(scope="module")
def built(market: Market) -> Built:
    return build_portfolios(*market.tables(), PARAMETERS)


def test_both_tables_keep_their_contracts(built):
    for name, frame in built._asdict().items():
        TABLES[name].check(TABLES[name].to_arrow(frame))


def test_weights_sum_to_one_with_cash_and_so_do_the_drifted_ones(built):
    sums = built[0].groupby(["strategy", "session"])[["weight", "previous_weight"]].sum()
    np.testing.assert_allclose(sums, 1.0, atol=1e-9)


def test_optimised_weights_are_zero_or_between_the_bounds_and_proved_optimal(built):
    weights, solutions = built[:2]
    funds = weights[(weights["ticker"] != CASH) & (weights["strategy"] != "equal_weight")]
    held = funds.loc[funds["weight"] > 0, "weight"]
    assert held.min() >= 0.02 - 1e-12
    assert held.max() <= 0.15 + 1e-12
    assert solutions.loc[(solutions["status"] == "optimal") & (solutions["engine"] != "none"), "kkt_residual"].max() < 1e-6
    assert solutions["var_1d"].max() <= 0.02 * (1 + 1e-9)


def test_equal_weight_holds_every_fund_with_a_covariance(built, market):
    weights = built[0]
    equal = weights[(weights["strategy"] == "equal_weight") & (weights["ticker"] != CASH) & (weights["weight"] > 0)]
    members = market.covariances.groupby("session")["ticker_1"].nunique()
    assert (equal.groupby("session").size() == members.reindex(equal["session"].unique())).all()
    np.testing.assert_allclose(equal["weight"] * equal["session"].map(members), 1.0, rtol=1e-12)


def test_the_next_previous_weights_are_these_weights_drifted_by_what_they_earned(built, market):
    weights = built[0]
    first, second = np.sort(weights["session"].unique())[5:7]
    opens, closes = (market.returns.pivot(index="session", columns="ticker", values=c) for c in ("index_open", "index_close"))
    fill = opens.index[opens.index > first][0]
    for strategy in PARAMETERS.strategies:
        mine = weights[weights["strategy"] == strategy].set_index("ticker")
        before = mine.loc[(mine["session"] == first) & (mine.index != CASH), "weight"]
        grown = before * closes.loc[second, before.index] / opens.loc[fill, before.index]
        after = mine.loc[mine["session"] == second, "previous_weight"]
        np.testing.assert_allclose(after[grown.index[grown > 0]], (grown / grown.sum())[grown > 0], rtol=1e-12)


def test_a_fund_that_ends_is_sold_and_seen_once_more_with_weight_zero(built, market):
    weights = built[0]
    last = market.returns.loc[market.returns["ticker"] == "T05", "session"].max()
    equal = weights[(weights["strategy"] == "equal_weight") & (weights["ticker"] == "T05")].set_index("session")
    gone = equal[equal.index > last]
    assert len(gone) == 1
    assert gone["weight"].iloc[0] == 0
    assert gone["previous_weight"].iloc[0] > 0.02
    assert gone["cost"].iloc[0] > 0


def test_a_fund_that_starts_late_is_held_only_once_it_has_a_covariance(built, market):
    first = market.covariances.loc[market.covariances["ticker_1"] == "T06", "session"].min()
    mine = built[0].loc[built[0]["ticker"] == "T06", "session"]
    assert mine.min() == first


def test_costs_add_up_and_turnover_is_half_of_what_is_traded(built):
    weights, solutions = built[:2]
    keyed = solutions.set_index(["strategy", "session"])
    groups = weights.assign(traded=(weights["weight"] - weights["previous_weight"]).abs()).groupby(["strategy", "session"])
    np.testing.assert_allclose(groups["cost"].sum(), keyed["cost"].sort_index(), rtol=1e-9)
    np.testing.assert_allclose(groups["traded"].sum() / 2, keyed["turnover"].sort_index(), atol=1e-12)


def test_ex_ante_figures_of_two_funds_and_cash_by_hand():
    # daily sigma 12 % / sqrt(252) = 75.59 bp: VaR 1.6449 and shortfall 2.0627 of them
    figures = ex_ante(np.array([0.4, 0.4]), np.array([0.06, 0.10]), np.array([[0.03, 0.0], [0.0, 0.06]]), 0.02)
    assert figures.expected_return == pytest.approx(0.4 * 0.06 + 0.4 * 0.10 + 0.2 * 0.02, rel=1e-12)
    assert figures.volatility == pytest.approx(0.12, rel=1e-12)
    assert figures.sharpe == pytest.approx((0.068 - 0.02) / 0.12, rel=1e-12)
    assert figures.var_1d == pytest.approx(norm.ppf(0.95) * 0.12 / np.sqrt(252), rel=1e-12)
    assert figures.cvar_1d == pytest.approx(norm.pdf(norm.ppf(0.95)) / 0.05 * 0.12 / np.sqrt(252), rel=1e-12)
    assert figures.effective_names == pytest.approx(2.0, rel=1e-12)


def test_risk_contributions_of_two_correlated_funds_by_hand():
    # w * (S w) = (0.6 * 0.036, 0.4 * 0.054) of 0.0432: equal, although the second is riskier
    shares = risk_contributions(np.array([0.6, 0.4]), np.array([[0.04, 0.03], [0.03, 0.09]]))
    np.testing.assert_allclose(shares, [0.5, 0.5], rtol=1e-12)
    shares = risk_contributions(np.array([0.5, 0.5]), np.array([[0.04, 0.03], [0.03, 0.09]]))
    np.testing.assert_allclose(shares, [0.0175 / 0.0475, 0.03 / 0.0475], rtol=1e-12)


def test_risk_contributions_sum_to_one(built):
    sums = built[0].groupby(["strategy", "session"])["risk_contribution"].sum()
    np.testing.assert_allclose(sums, 1.0, atol=1e-9)


def test_twins_are_never_held_together_by_an_optimised_strategy(built):
    weights = built[0]
    held = weights[weights["ticker"].isin(["T00", "T01"]) & (weights["weight"] > 0) & (weights["strategy"] != "equal_weight")]
    assert held.groupby(["strategy", "session"]).size().max() == 1


def test_the_same_tables_give_the_same_bits(built, market):
    shuffled = [t.sample(frac=1.0, random_state=3) for t in market.tables()]
    again = build_portfolios(*shuffled, PARAMETERS)
    for one, two in zip(built, again, strict=True):
        pd.testing.assert_frame_equal(one, two, check_exact=True)


def poisoned(market: Market, cut: pd.Timestamp) -> Market:
    """Every number after the cut made absurd, of its own sign."""
    rng = np.random.default_rng(0)
    changed = {}
    for name, table in vars(market).items():
        frame = table.copy()
        if "session" in frame:
            future = frame["session"] > cut
            for column in frame.select_dtypes("float"):
                frame.loc[future, column] *= np.exp(rng.normal(0, 3, int(future.sum())))
        changed[name] = frame
    return Market(**changed)


def truncated(market: Market, cut: pd.Timestamp) -> Market:
    return Market(**{k: t[t["session"] <= cut] if "session" in t else t for k, t in vars(market).items()})


@pytest.mark.parametrize("position", [2, 11, 23, -2])
@pytest.mark.parametrize("mode", [poisoned, truncated])
def test_portfolios_do_not_read_the_future(market, built, mode, position):
    sessions = np.sort(built[1]["session"].unique())
    cut = pd.Timestamp(sessions[position]) + pd.Timedelta(days=3)
    made = build_portfolios(*mode(market, cut).tables(), PARAMETERS)
    for whole, part in zip(built, made, strict=True):
        expected = whole[whole["session"] <= cut].reset_index(drop=True)
        got = part[part["session"] <= cut].reset_index(drop=True)
        pd.testing.assert_frame_equal(expected, got, rtol=1e-12, atol=1e-14)


def test_sessions_before_the_first_score_have_no_portfolios_of_any_strategy():
    first = np.sort(SHORT.covariances["session"].unique())[2]
    late = dataclasses.replace(SHORT, scores=SHORT.scores[SHORT.scores["session"] >= first])
    made = build_portfolios(*late.tables(), PARAMETERS)[1]
    assert set(made.groupby("strategy")["session"].min()) == {first}


def test_a_session_without_scores_holds_what_is_held():
    silent = np.sort(SHORT.covariances["session"].unique())[3]
    quiet = dataclasses.replace(SHORT, scores=SHORT.scores[SHORT.scores["session"] != silent])
    weights, solutions = build_portfolios(*quiet.tables(), PARAMETERS)[:2]
    row = solutions[(solutions["session"] == silent) & (solutions["strategy"] == "max_sharpe")].iloc[0]
    assert row["status"] == "hold"
    assert row["reason"].startswith("too_few_candidates")
    mine = weights[(weights["session"] == silent) & (weights["strategy"] == "max_sharpe")]
    np.testing.assert_array_equal(mine["weight"], mine["previous_weight"])


def test_a_bill_above_every_expected_return_ends_in_cash():
    dear = SHORT.macro.assign(value=4.0)
    poor = SHORT.forecasts.assign(expected_return=-0.05)
    trusting = dataclasses.replace(PARAMETERS, max_view=10.0, strategies=("max_sharpe",))
    sharpe = build_portfolios(*dataclasses.replace(SHORT, macro=dear, forecasts=poor).tables(), trusting)[1]
    assert (sharpe["status"] == "cash").all()
    assert (sharpe["cash"] == 1.0).all()
    assert sharpe["reason"].str.startswith("no_excess_return").all()


def test_a_crisis_makes_the_var_limit_bind_by_name():
    tight = dataclasses.replace(PARAMETERS, var_limit=0.004, strategies=("max_sharpe", "risk_parity"))
    made = build_portfolios(*SHORT.tables(), tight)[1]
    assert made["var_1d"].max() <= 0.004 * (1 + 1e-9)
    blended = made[made["status"] == "cash_blend"]
    assert len(blended) > 0
    assert blended["reason"].str.startswith("var_limit: VaR 0.4 % cannot be met fully invested").all()
    assert (blended["cash"] > 0).all()


def test_the_riskfolio_engine_fills_the_same_tables():
    chosen = dataclasses.replace(PARAMETERS, engine="riskfolio", strategies=("max_sharpe",))
    weights, solutions = build_portfolios(*SHORT.tables(), chosen)[:2]
    assert set(solutions["engine"]) == {"riskfolio"}
    assert set(solutions["status"]) == {"optimal"}
    assert solutions["kkt_residual"].max() < 1e-6
    TABLES["target_weights"].check(TABLES["target_weights"].to_arrow(weights))


def test_missing_tables_are_named():
    with pytest.raises(DataError, match="fct_returns"):
        build_portfolios(
            *dataclasses.replace(SHORT, returns=SHORT.returns[SHORT.returns["ticker"] != "T07"]).tables(), PARAMETERS
        )
    with pytest.raises(DataError, match="scores"):
        build_portfolios(*dataclasses.replace(SHORT, scores=SHORT.scores.iloc[:0]).tables(), PARAMETERS)
    with pytest.raises(DataError, match="TBILL13W"):
        build_portfolios(*dataclasses.replace(SHORT, macro=SHORT.macro.iloc[:0]).tables(), PARAMETERS)
    with pytest.raises(DataError, match="whole upper triangle"):
        build_portfolios(*dataclasses.replace(SHORT, covariances=SHORT.covariances.iloc[1:]).tables(), PARAMETERS)


def test_the_bill_s_discount_becomes_a_simple_annual_rate_and_is_lagged_one_session():
    # 5 % discount: price 1 - 0.05 * 91/360 = 0.98736; 1.2801 % in 91 days is 5.1343 % a year
    assert simple_rate(5.0) == pytest.approx((1 / (1 - 0.05 * 91 / 360) - 1) * 365 / 91)
    days = pd.DatetimeIndex(["2020-01-02", "2020-01-03", "2020-01-06"])
    macro = pd.DataFrame({"session": days, "series": "TBILL13W", "value": [1.0, 2.0, 3.0]})
    assert risk_free_rates(macro, days[1:]).tolist() == [simple_rate(1.0), simple_rate(2.0)]
    with pytest.raises(DataError, match="2020-01-02"):
        risk_free_rates(macro, days)


BELIEFS = {"shrinkage": 0.5, "prior_sharpe": 0.3, "information_coefficient": 0.05, "max_view": 1.0}


def test_expected_returns_are_annualised_shrunk_and_fall_back_to_the_prior():
    mu = expected_returns(np.array([0.008, np.nan]), np.array([21.0, np.nan]), np.array([0.2, 0.1]), 0.02, **BELIEFS)
    assert mu.tolist() == pytest.approx([0.5 * (0.02 + 0.06) + 0.5 * 0.096, 0.02 + 0.03])


@pytest.mark.parametrize(("forecast", "side"), [(0.5, 1.0), (-0.5, -1.0)])
def test_a_wild_forecast_moves_the_prior_by_no_more_than_its_skill_supports(forecast, side):
    volatility = np.array([0.6, 0.1])
    mu = expected_returns(np.full(2, forecast), np.full(2, 21.0), volatility, 0.02, **BELIEFS)
    # alpha = IC * volatility * score over the horizon, twelve horizons a year: 0.05 * sqrt(12) = 0.1732 of a Sharpe ratio
    np.testing.assert_allclose((mu - 0.02) / volatility, 0.3 + side * 0.05 * np.sqrt(12), rtol=1e-12)
    trusting = expected_returns(np.full(2, forecast), np.full(2, 21.0), volatility, 0.02, **(BELIEFS | {"max_view": 1e3}))
    np.testing.assert_allclose(trusting, 0.5 * (0.02 + 0.3 * volatility) + 0.5 * 12 * forecast, rtol=1e-12)


def test_one_fund_with_a_wild_forecast_does_not_take_over_the_risk():
    wild = SHORT.forecasts["ticker"] == "T26"  # a commodity
    shouting = SHORT.forecasts.assign(expected_return=SHORT.forecasts["expected_return"].where(~wild, 0.2))
    loved = SHORT.scores.assign(score=SHORT.scores["score"].where(SHORT.scores["ticker"] != "T26", 9.0))
    tables = dataclasses.replace(SHORT, forecasts=shouting, scores=loved).tables()

    def largest(max_view: float) -> float:
        chosen = dataclasses.replace(PARAMETERS, strategies=("max_sharpe",), max_view=max_view)
        weights = build_portfolios(*tables, chosen)[0]
        return float(weights.loc[weights["ticker"] == "T26", "risk_contribution"].mean())

    assert largest(1.0) < 0.6 * largest(99.0)


def test_a_fund_whose_cost_is_not_known_today_is_no_candidate_today():
    parameters = dataclasses.replace(PARAMETERS, strategies=("max_sharpe",))

    def last(market: Market) -> pd.Series:
        weights, _ = build_portfolios(*market.tables(), parameters)[:2]
        newest = weights[weights["session"] == weights["session"].max()].set_index("ticker")["weight"]
        return newest.drop(CASH)

    favourite = last(SHORT).idxmax()
    known = SHORT.liquidity
    row = (known["ticker"] == favourite) & (known["session"] == SHORT.covariances["session"].max())
    assert row.sum() == 1
    assert last(dataclasses.replace(SHORT, liquidity=known[~row])).get(favourite, 0.0) == 0.0


def test_expected_returns_lie_around_the_prior_at_the_volatility_forecast_now(built):
    weights = built[0].set_index(["strategy", "session", "ticker"])
    bill = weights["expected_return"].xs(CASH, level="ticker")
    funds = weights[(weights.index.get_level_values("ticker") != CASH) & weights["volatility"].notna()]
    prior = 0.3 * funds["volatility"] + bill.reindex(funds.index.droplevel("ticker")).to_numpy()
    distance = (funds["expected_return"] - prior).abs() / (0.05 * np.sqrt(12) * funds["volatility"])
    assert distance.max() <= 1 + 1e-9
    assert (distance > 1 - 1e-9).mean() > 0.2  # where the bound binds it is met exactly


def test_costs_are_those_of_the_fund_that_the_backtest_runs():
    assert PARAMETERS.portfolio_value == BacktestParameters().initial_value == 1_000_000.0


def test_the_optimiser_charges_a_trade_twice_its_cost_every_21_sessions(monkeypatch):
    problems = []
    solve = PortfolioOptimizer.solve

    def noting(self, strategy, problem):
        problems.append(problem)
        return solve(self, strategy, problem)

    monkeypatch.setattr(PortfolioOptimizer, "solve", noting)
    parameters = dataclasses.replace(PARAMETERS, strategies=("max_sharpe",))
    weights, _ = build_portfolios(*SHORT.tables(), parameters)[:2]
    problem = problems[-1]
    known = SHORT.liquidity[SHORT.liquidity["session"] == weights["session"].max()].set_index("ticker").loc[list(problem.tickers)]
    orders = pd.Series(0.1 * parameters.portfolio_value, index=known.index)
    columns = (known[c] for c in ("half_spread", "daily_volatility", "daily_value"))
    once = TransactionCostModel(parameters.costs()).estimate(orders, *columns)["total"] / parameters.portfolio_value
    charged = problem.linear_cost * 0.1 + problem.impact_cost * 0.1**1.5
    np.testing.assert_allclose(charged, 2 * 12 * once, rtol=1e-12)


def test_current_volatilities_replace_the_sample_s_where_known():
    sample = np.array([[0.04, 0.01], [0.01, 0.09]])
    current = current_covariance(sample, np.array([0.4, np.nan]))
    np.testing.assert_allclose(current, [[0.16, 0.02], [0.02, 0.09]])


def test_cash_grows_at_the_bill_s_rate_and_a_fund_without_bars_does_not_move():
    days = pd.bdate_range("2020-01-01", periods=4)
    returns = pd.DataFrame(
        {"session": days, "ticker": "A", "index_open": [1.0, 1.1, 1.2, 1.3], "index_close": [1.0, 1.15, 1.25, 1.32]}
    )
    market = TotalReturns.of(returns, pd.Index(["A", "B"]))
    drifted = drift(Holdings(np.array([0.5, 0.3]), 0), market, 2, 0.05)
    value = np.array([0.5 * 1.25 / 1.1, 0.3, 0.2 * (1 + 0.05 * 2 / 252)])
    np.testing.assert_allclose(drifted, (value / value.sum())[:2], rtol=1e-14)


def test_a_holding_stays_a_candidate_until_it_falls_behind_the_keep_rank():
    score, every = np.arange(10, 0, -1.0), np.ones(10, dtype=bool)
    held = np.zeros(10, dtype=bool)
    held[[4, 9]] = True
    assert candidates(score, every, held, count=3, keep_rank=6).tolist() == [0, 1, 4]
    assert candidates(score, every, held, count=3, keep_rank=3).tolist() == [0, 1, 2]
    assert candidates(score, every & False, held, count=3, keep_rank=3).tolist() == []


def test_a_fund_like_one_already_chosen_does_not_enter_but_a_holding_stays():
    score, every, held = np.arange(6, 0, -1.0), np.ones(6, dtype=bool), np.zeros(6, dtype=bool)
    alike = np.zeros((6, 6), dtype=bool)
    alike[:3, :3] = True
    assert candidates(score, every, held, count=3, keep_rank=6, alike=alike).tolist() == [0, 3, 4]
    held[2] = True
    assert candidates(score, every, held, count=3, keep_rank=6, alike=alike).tolist() == [2, 3, 4]
    held[:3] = True
    assert candidates(score, every, held, count=3, keep_rank=6, alike=alike).tolist() == [0, 1, 2]


def test_risk_parity_holds_its_own_number_of_funds_shares_risk_and_its_first_choice_has_no_two_alike(built, market):
    weights, solutions = built[:2]
    mine = solutions[solutions["strategy"] == "risk_parity"]
    assert (mine["n_held"] <= PARAMETERS.n_risk_parity).all()
    funds = weights[(weights["strategy"] == "risk_parity") & (weights["weight"] > 0) & (weights["ticker"] != CASH)]
    assert (funds["weight"] <= 0.02 + 1e-9).mean() < 0.1  # the floor sizes few of them
    session = funds["session"].min()
    first = funds.loc[funds["session"] == session, "ticker"]
    returns = market.returns.pivot(index="session", columns="ticker", values="total_return").loc[:session, first].tail(252)
    alike = returns.corr().to_numpy() - np.eye(len(first))
    assert alike.max() <= PARAMETERS.parity_correlation
