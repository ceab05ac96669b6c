"""Report queries by hand: every figure is the one that its heading names."""

from __future__ import annotations

import pandas as pd
import pyarrow as arrow
import pytest

from etf_pipeline.recipes import run_sql
from etf_pipeline.schemas import TABLES
from etf_pipeline.sql_models import load_models

JANUARY, FEBRUARY, MARCH = pd.to_datetime(["2024-01-31", "2024-02-29", "2024-03-28"])


def report(name: str, **frames: pd.DataFrame) -> pd.DataFrame:
    """Rows of a report, checked against its contract, from frames that have the columns its query reads."""
    inputs = {table: arrow.Table.from_pandas(frame, preserve_index=False) for table, frame in frames.items()}
    table = TABLES[name].conform(run_sql(load_models()[name].sql, inputs))
    TABLES[name].check(table)
    return table.to_pandas()


def test_each_measure_stands_under_its_own_heading_and_the_interval_is_that_of_sharpe() -> None:
    names = ["cagr", "volatility", "sharpe", "sortino", "calmar", "max_drawdown", "cvar_95", "turnover", "cost_drag"]
    performance = pd.DataFrame({"measure": names, "value": range(1, 10), "ci_low": range(11, 20), "ci_high": range(21, 30)})
    performance = performance.astype(dict.fromkeys(("value", "ci_low", "ci_high"), float))
    performance = performance.assign(strategy="s", cost_basis="net", start=JANUARY, end=MARCH)
    costs = pd.DataFrame({"strategy": "s", "benchmark": ["CASH", "SPY"], "multiple": [7.0, 3.0]})
    costs = costs.assign(cost_charged=5e-4, cost_break_even=[35e-4, 15e-4])
    row = report("rpt_performance", performance=performance, break_even=costs).iloc[0]
    assert [row[name] for name in names] == list(range(1, 10))
    assert [row["cost_bps"], row["break_even_cost_bps"]] == pytest.approx([5.0, 35.0], rel=1e-12)
    assert (row["sharpe_low"], row["sharpe_high"]) == (13, 23)


def test_a_month_s_value_is_that_of_its_last_session_after_costs() -> None:
    days = pd.to_datetime(["2024-01-30", "2024-01-31", "2024-02-01", "2024-02-29"])
    net = pd.DataFrame({"session": days, "strategy": "s", "cost_basis": "net", "nav": [90.0, 100.0, 150.0, 110.0]})
    net["daily_return"] = net["nav"].pct_change().fillna(0.0)
    gross = net.assign(cost_basis="gross", nav=net["nav"] * 2)
    found = report("rpt_nav_monthly", backtest_ledger=pd.concat([gross, net])).sort_values("month")
    assert found["nav"].tolist() == [100.0, 110.0]
    assert pd.isna(found["monthly_return"].iloc[0])
    assert found["monthly_return"].iloc[1] == pytest.approx(0.10, rel=1e-12)


def test_the_worst_scenario_comes_first_with_the_fund_that_hurts_most() -> None:
    results = pd.DataFrame({"scenario": ["mild", "bad"], "profit": [-0.05, -0.30]})
    results = results.assign(strategy="s", title="t", kind="replay", horizon=5, standard_error=float("nan"), coverage=1.0)
    results = results.assign(low=results["profit"] - 0.01, high=results["profit"] + 0.01)
    parts = pd.DataFrame(
        {"scenario": ["bad"] * 3, "ticker": ["A", "B", "C"], "contribution": [0.02, -0.25, -0.07], "strategy": "s"}
    )
    factors = pd.DataFrame({"scenario": "bad", "factor": ["equity", "gold"], "contribution": [-0.31, 0.01], "strategy": "s"})
    found = report("rpt_stress", stress_results=results, stress_contributions=parts, stress_factors=factors).sort_values("place")
    assert found["scenario"].tolist() == ["bad", "mild"]
    assert (found["worst_ticker"].iloc[0], found["worst_contribution"].iloc[0]) == ("B", -0.25)
    assert (found["worst_factor"].iloc[0], found["worst_factor_contribution"].iloc[0]) == ("equity", -0.31)
    assert pd.isna(found["worst_ticker"].iloc[1])


def test_a_reverse_stress_is_one_row_with_each_factor_under_its_own_heading() -> None:
    rows = pd.DataFrame({"factor": ["equity", "rates", "credit", "gold"], "shock": [-0.2, -25.0, 240.0, -0.03]})
    rows = rows.assign(contribution=[-0.08, 0.01, -0.03, 0.0], strategy="s", loss=0.1, horizon=21, distance=2.0, probability=0.02)
    row = report("rpt_reverse_stress", reverse_stress=rows).iloc[0]
    assert (row["equity"], row["yield_change"], row["spread_change"], row["gold"]) == (-0.2, -25.0, 240.0, -0.03)
    assert pd.isna(row["commodity"])
    assert row["main_factor"] == "equity"
    assert row["one_in_years"] == pytest.approx(21 / 252 / 0.02)


def test_the_deepest_drawdown_has_the_first_place_and_ten_are_kept() -> None:
    falls = pd.DataFrame({"depth": [0.02 + 0.01 * k for k in range(12)], "strategy": "s", "trough": FEBRUARY, "recovery": MARCH})
    falls = falls.assign(peak=pd.date_range("2023-01-02", periods=12), sessions_under=5, is_open=False)
    found = report("rpt_drawdowns", drawdowns=falls).sort_values("place")
    assert found["place"].tolist() == list(range(1, 11))
    assert found["depth"].tolist() == sorted(falls["depth"], reverse=True)[:10]


def test_the_universe_is_counted_at_month_ends_of_the_main_exchange() -> None:
    days = pd.to_datetime(["2024-01-30", "2024-01-31"])
    membership = pd.DataFrame({"session": [*days, JANUARY, JANUARY], "reason": ["member", "member", "member", "geared"]})
    sessions = pd.DataFrame({"session": days, "is_main": True, "is_month_end": [False, True]})
    abroad = pd.DataFrame({"session": days, "is_main": False, "is_month_end": True})
    found = report("rpt_universe", universe_membership=membership, raw_sessions=pd.concat([sessions, abroad]))
    assert dict(zip(found["reason"], found["funds"], strict=True)) == {"member": 2, "geared": 1}
    assert set(found["session"].astype(str)) == {"2024-01-31"}


def test_current_weights_are_the_newest_with_the_figures_of_their_own_session() -> None:
    weights = pd.DataFrame({"session": [JANUARY, FEBRUARY, FEBRUARY], "ticker": ["A", "A", "CASH"]})
    weights = weights.assign(strategy="s", weight=[0.5, 0.7, 0.3], previous_weight=[0.0, 0.6, 0.4], expected_return=0.05)
    weights = weights.assign(volatility=0.1, risk_contribution=1.0, cost=0.0)
    both = pd.DataFrame({"session": [JANUARY, FEBRUARY], "ticker": "A"})
    scored = ("forecast", "momentum", "risk", "liquidity", "cost", "macro", "geo")
    parts = {f"{part}_part": [0.0, k / 10] for k, part in enumerate(scored)}
    found = report(
        "rpt_current_weights",
        target_weights=weights,
        dim_etf=pd.DataFrame({"ticker": ["A"], "name": ["Fund A"], "asset_class": ["equity"]}),
        forecasts=both.assign(expected_return=[0.01, 0.02]),
        scores=both.assign(score=[1.0, 2.0], rank=[4, 3], stressed=[0.9, 0.2], macro_as_of=JANUARY, geo_as_of=pd.NaT, **parts),
        liquidity=both.assign(half_spread=[1e-4, 2e-4]),
        regimes=pd.DataFrame({"session": [JANUARY, FEBRUARY], "regime": ["bear", "bull"]}),
    ).set_index("ticker")
    row = found.loc["A"]
    assert row[["weight", "forecast", "score", "rank", "half_spread", "regime"]].tolist() == [0.7, 0.02, 2.0, 3, 2e-4, "bull"]
    assert row[list(parts)].tolist() == [k / 10 for k in range(7)]
    assert (row["stressed"], pd.Timestamp(row["macro_as_of"]), pd.isna(row["geo_as_of"])) == (0.2, JANUARY, True)
    assert found["trade"].tolist() == pytest.approx([0.1, -0.1], rel=1e-12)
    assert pd.isna(found.loc["CASH", "name"])


def test_ranks_are_held_against_those_without_the_macro_and_geopolitical_parts() -> None:
    # A leads only by what the macro state adds: without it A would be third. C ties with nobody.
    scores = pd.DataFrame({"ticker": ["A", "B", "C"], "score": [1.0, 0.8, 0.5], "rank": [1, 2, 3]})
    scores = scores.assign(macro_part=[0.9, 0.1, -0.1], geo_part=[0.0, 0.0, -0.3], macro_multiplier=1.1, geo_multiplier=0.9)
    scores = scores.assign(session=FEBRUARY, macro_as_of=JANUARY, geo_as_of=JANUARY)
    old = scores.assign(session=JANUARY, rank=[3, 2, 1])
    why = pd.DataFrame({"session": [JANUARY, FEBRUARY], "ticker": "A", "vintage": ["first", "latest"], "reason": ["old", "new"]})
    funds = pd.DataFrame({"ticker": ["A"], "name": ["Fund A"], "asset_class": ["equity"]})
    found = report("rpt_macro_tilts", scores=pd.concat([old, scores]), macro_adjustments=why, dim_etf=funds).set_index("ticker")
    assert found["rank_without"].to_dict() == {"A": 3, "B": 2, "C": 1}
    assert found["places_gained"].to_dict() == {"A": 2, "B": 0, "C": -2}
    assert found.loc["A", ["vintage", "reason", "name"]].tolist() == ["latest", "new", "Fund A"]
    assert pd.isna(found.loc["B", "reason"])


def test_the_most_traded_fund_of_each_class_shows_how_much_it_swings() -> None:
    keys = pd.DataFrame({"session": [JANUARY, *[FEBRUARY] * 4], "ticker": ["A", "A", "B", "C", "D"]})
    swings = ["garch_21", "garch_63", "garch_252", "composite", "realised_30", "realised_90", "realised_252", "volatility"]
    swings_by_row = {name: [0.9, 0.1, 0.2, 0.3, 0.4] for name in swings}
    found = report(
        "rpt_volatility_term",
        volatilities=keys.assign(source="garch", **swings_by_row),
        liquidity=keys.assign(daily_value=[9e9, 1e6, 2e6, 1e6, float("nan")]),
        dim_etf=pd.DataFrame({"ticker": ["A", "B", "C", "D"], "name": "n", "asset_class": ["equity", "equity", "bond", "gold"]}),
    ).set_index("asset_class")
    assert found["ticker"].to_dict() == {"equity": "B", "bond": "C"}
    assert found.loc["equity", swings].tolist() == [0.2] * 8
    assert found["session"].astype(str).unique().tolist() == ["2024-02-29"]
