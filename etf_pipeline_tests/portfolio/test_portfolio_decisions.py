"""The rebalance rule: verdicts by hand, figures that follow from the tables, schedules, and the score ranking."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from portfolio_market import Market, make_market

from etf_pipeline.conventions import CASH
from etf_pipeline.errors import SettingsError
from etf_pipeline.portfolio import Built, Outlook, PortfolioParameters, build_portfolios, decide, traded_weights, yearly_gain
from etf_pipeline.schemas import TABLES

SHORT = make_market(years=0.6, seed=1)
TEST = Path(__file__).resolve().parents[2] / "dbt_like_sql" / "tests" / "rebalance_decisions__add_up.sql"
RULED = PortfolioParameters(strategies=("max_sharpe", "max_sharpe_no_rule", "score_ranking"))
BETTER, WORSE = Outlook(0.05, 0.10), Outlook(0.06, 0.15)  # Sharpe ratios 0.5 and 0.4


@pytest.fixture(scope="module")
def built() -> Built:
    return build_portfolios(*SHORT.tables(), RULED)


def verdict(*, cost: float = 0.0, trade: float = 0.1, breach: str = "", status: str = "optimal", first: bool = False,
            ruled: bool = True, strategy: str = "max_sharpe") -> str:  # fmt: skip
    made = decide(
        strategy, BETTER, WORSE, cost=cost, largest_trade=trade, outside_weight=0.0, breach=breach, status=status, first=first,
        ruled=ruled, parameters=PortfolioParameters(),
    )  # fmt: skip
    return made.verdict


def test_a_trade_must_gain_more_than_twice_its_cost_over_21_sessions():
    # (0.5 - 0.4) * 10 % = 1 % a year, 21 / 252 of it: 8.333 bps, so the cost may be 4.1667 bps
    assert verdict(cost=4.16e-4) == "trade"
    assert verdict(cost=4.17e-4) == "hold_cost"
    assert verdict(cost=4.17e-4, ruled=False) == "trade"


def test_a_breach_is_mended_whatever_it_costs_and_a_first_portfolio_is_bought():
    assert verdict(cost=1.0, breach="A left") == "forced"
    assert verdict(cost=1.0, first=True) == "first"
    assert verdict(trade=0.0, status="hold", breach="VaR") == "hold_fallback"
    assert verdict(trade=0.1, status="hold", breach="A left") == "forced"


def test_weights_close_to_their_targets_are_left_alone():
    assert verdict(trade=0.0099) == "hold_band"
    assert verdict(trade=0.0101) == "trade"
    assert verdict(trade=0.0099, strategy="score_ranking") == "hold_band"
    assert verdict(trade=0.0101, cost=1.0, strategy="score_ranking") == "trade"  # without an objective no gain is known


def test_gains_by_hand():
    assert yearly_gain("sharpe", BETTER, WORSE, 4.0) == pytest.approx(0.01)
    assert yearly_gain("utility", BETTER, WORSE, 4.0) == pytest.approx(-0.01 + 2 * (0.0225 - 0.01))
    assert yearly_gain("variance", BETTER, WORSE, 4.0) == pytest.approx(2 * (0.0225 - 0.01))
    assert yearly_gain("sharpe", Outlook(0.0, 0.0), Outlook(-0.03, 0.15), 4.0) == pytest.approx(0.03)  # into cash
    assert np.isnan(yearly_gain("none", BETTER, WORSE, 4.0))


@given(st.floats(0.01, 0.4), st.floats(0.0, 0.2), st.floats(0.1, 1.0))
def test_diluting_with_cash_gains_no_sharpe_ratio(volatility: float, excess: float, share: float):
    whole = Outlook(excess, volatility)
    diluted = Outlook(share * excess, share * volatility)
    assert yearly_gain("sharpe", diluted, whole, 4.0) == pytest.approx(0.0, abs=1e-12)


def test_every_figure_of_a_decision_follows_from_the_tables(built):
    with duckdb.connect() as connection:
        for name, frame in built._asdict().items():
            connection.register(name, TABLES[name].to_arrow(frame))
        assert connection.sql(TEST.read_text(encoding="utf-8")).fetchall() == []
        odd = connection.sql(
            """
            select d.strategy, d.session from rebalance_decisions as d
            join (
                select strategy, session, sum(abs(weight - previous_weight)) / 2 as turnover, sum(cost) as cost
                from target_weights group by all
            ) as t using (strategy, session)
            join optimizer_solutions as s using (strategy, session)
            where abs(d.turnover - t.turnover) > 1e-9 or abs(if(d.traded, d.cost, 0) - t.cost) > 1e-12
               or abs(d.turnover + d.turnover_saved - s.turnover) > 1e-12 or abs(d.cost - s.cost) > 1e-15
               or (s.expected_return is not null and abs(s.volatility - d.target_volatility) > 1e-12)
            """
        ).fetchall()
    assert odd == []


def test_the_sql_test_finds_a_false_gain(built):
    false = built.rebalance_decisions.assign(gain=built.rebalance_decisions["gain"] + 1e-6)
    with duckdb.connect() as connection:
        connection.register("rebalance_decisions", TABLES["rebalance_decisions"].to_arrow(false))
        assert connection.sql(TEST.read_text(encoding="utf-8")).fetchall()


def test_the_rule_saves_turnover_and_what_is_held_is_what_drifted(built):
    decisions = built.rebalance_decisions.set_index("strategy")
    assert decisions.loc["max_sharpe", "turnover"].sum() < decisions.loc["max_sharpe_no_rule", "turnover"].sum()
    stayed = built.rebalance_decisions[~built.rebalance_decisions["traded"]]
    assert len(stayed) > 0
    assert set(stayed["strategy"]) == {"max_sharpe"}
    weights = built.target_weights.merge(stayed[["strategy", "session"]])
    np.testing.assert_array_equal(weights["weight"], weights["previous_weight"])
    ordered = traded_weights(built.target_weights, built.rebalance_decisions)
    assert len(ordered) == len(built.target_weights) - len(weights)


def test_what_stays_drifts_from_the_close_and_not_from_the_next_open(built):
    decisions = built.rebalance_decisions
    mine = decisions[decisions["strategy"] == "max_sharpe"].reset_index(drop=True)
    row = int(np.flatnonzero(~mine["traded"])[0])
    now, then = mine.loc[row, "session"], mine.loc[row + 1, "session"]
    closes = SHORT.returns.pivot(index="session", columns="ticker", values="index_close")
    weights = built.target_weights[built.target_weights["strategy"] == "max_sharpe"].set_index("ticker")
    before = weights.loc[(weights["session"] == now) & (weights.index != CASH), "weight"]
    before = before[before > 0]
    grown = before * closes.loc[then, before.index] / closes.loc[now, before.index]
    after = weights.loc[weights["session"] == then, "previous_weight"]
    cash = 1.0 - before.sum()
    np.testing.assert_allclose(after[grown.index], grown / (grown.sum() + cash), rtol=1e-9)


def test_attempts_tell_the_whole_chain_and_end_with_what_was_accepted():
    tight = dataclasses.replace(RULED, var_limit=0.004, strategies=("max_sharpe_no_rule",))
    made = build_portfolios(*SHORT.tables(), tight)
    last = made.optimizer_attempts.groupby("session").tail(1).set_index("session")
    assert (last["outcome"] == "accepted").all()
    solved = made.optimizer_solutions.set_index("session")
    assert (last["step"] == solved["status"]).all()
    first = made.optimizer_attempts.query("step_number == 1 and outcome == 'infeasible'")
    assert first["reason"].str.startswith("var_limit: VaR 0.4 % cannot be met").all()
    assert len(first) > 0


def test_the_ranking_buys_the_best_and_keeps_what_ranks_within_the_threshold():
    chosen = dataclasses.replace(RULED, strategies=("score_ranking",), n_buy=8, sell_rank=14, var_limit=1.0)
    weights = build_portfolios(*SHORT.tables(), chosen).target_weights
    sessions = np.sort(weights["session"].unique())
    held = {s: set(g.loc[(g["weight"] > 0) & (g["ticker"] != CASH), "ticker"]) for s, g in weights.groupby("session")}
    scores = SHORT.scores.pivot(index="session", columns="ticker", values="score")
    covered = SHORT.covariances.groupby("session")["ticker_1"].agg(set)
    kept = 0
    for before, now in itertools.pairwise(sessions):
        rank = scores.loc[now, sorted(covered[now])].rank(ascending=False)
        assert len(held[now]) == 8
        stays = {t for t in held[before] if t in rank and rank[t] <= 14}
        assert stays <= held[now]
        kept += len(stays - set(rank.index[rank <= 8]))
        assert all(rank[t] <= 9 for t in held[now] - stays)  # one place for a twin that is passed over
    assert kept > 0
    funds = weights[(weights["weight"] > 0) & (weights["ticker"] != CASH)]
    np.testing.assert_allclose(funds["weight"], 1 / 8)


def test_weekly_and_threshold_schedules_ask_when_they_should():
    weekly = dataclasses.replace(RULED, strategies=("score_ranking",), schedule=("week_end",))
    decisions = build_portfolios(*SHORT.tables(), weekly).rebalance_decisions
    gaps = pd.DatetimeIndex(decisions["session"]).to_series().diff().dt.days.dropna()
    assert gaps.median() == 7
    assert set(decisions["schedule"]) == {"month_end", "week_end"}  # it begins at a month's end
    rarely = dataclasses.replace(RULED, strategies=("score_ranking",), schedule=("threshold",), threshold=0.004)
    asked = build_portfolios(*SHORT.tables(), rarely).rebalance_decisions
    assert (asked.loc[1:, "schedule"] == "threshold").all()
    assert (asked.loc[1:, "largest_drift"] > 0.004).all()
    assert len(asked) > 3


def cut_off(market: Market, cut: pd.Timestamp, absurd: bool) -> Market:
    """The future left out, or made absurd."""
    rng, changed = np.random.default_rng(0), {}
    for name, table in vars(market).items():
        if "session" not in table:
            changed[name] = table
        elif not absurd:
            changed[name] = table[table["session"] <= cut]
        else:
            frame, future = table.copy(), table["session"] > cut
            for column in frame.select_dtypes("float"):
                frame.loc[future, column] *= np.exp(rng.normal(0, 3, int(future.sum())))
            changed[name] = frame
    return Market(**changed)


@pytest.mark.parametrize("absurd", [False, True])
def test_no_decision_on_any_schedule_looks_ahead(absurd):
    chosen = dataclasses.replace(
        RULED, strategies=("max_sharpe", "score_ranking"), schedule=("month_end", "week_end", "threshold"), threshold=0.01
    )
    whole = build_portfolios(*SHORT.tables(), chosen)
    sessions = np.sort(whole.rebalance_decisions["session"].unique())
    cut = pd.Timestamp(sessions[len(sessions) // 2])
    again = build_portfolios(*cut_off(SHORT, cut, absurd).tables(), chosen)
    for one, two in zip(whole, again, strict=True):
        left, right = (frame[frame["session"] <= cut].reset_index(drop=True) for frame in (one, two))
        pd.testing.assert_frame_equal(left, right, rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"upper": 15.0}, "upper is a fraction"),
        ({"lower": 0.2}, "lower must not exceed upper"),
        ({"schedule": ("daily",)}, "month_end, week_end, threshold"),
        ({"group_limits": ("asset_class=bond",)}, "asset_class:bond>=0.10"),
        ({"group_limits": ("sector:energy<=0.1",)}, "not by 'sector'"),
        ({"group_limits": ("asset_class:bond>=10",)}, "Write 0.10 for 10 %"),
        ({"group_limits": ("asset_class:bond>=0.6", "asset_class:bond<=0.4")}, "contradict"),
        ({"group_limits": ("asset_class:bond>=0.6", "asset_class:equity>=0.6")}, "add up to 1.2"),
        ({"tracking_error_limit": 0.05}, "need a benchmark"),
        ({"benchmark": ("SPY=0.6", "AGG=0.6")}, "add up to 1.2"),
        ({"n_buy": 40}, "sell_rank"),
    ],
)
def test_settings_that_contradict_each_other_are_refused_by_name(change, told):
    with pytest.raises(SettingsError, match=told.replace("(", r"\(")):
        dataclasses.replace(PortfolioParameters(), **change)
