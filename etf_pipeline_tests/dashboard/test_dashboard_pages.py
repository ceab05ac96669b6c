"""The pages without a browser: each opens, and its numbers are those of the tables."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from etf_pipeline.dashboard.launch import SCRIPT
from etf_pipeline.dashboard.parts import column_settings, described
from etf_pipeline.reporting.formats import percent
from etf_pipeline.warehouse import Warehouse

PAGES = ["Today", "Performance", "Why", "Market", "Risk", "Runs"]


def opened(home, monkeypatch, page, **address) -> AppTest:
    monkeypatch.setenv("ETF_HOME", str(home))
    monkeypatch.delenv("ETF_PROVIDER", raising=False)
    app = AppTest.from_file(str(SCRIPT), default_timeout=60)
    for name, value in {"page": page, **address}.items():
        app.query_params[name] = value
    return app.run()


def table(demo, name) -> pd.DataFrame:
    return demo.read(name).to_pandas(date_as_object=False)


def with_columns(app, *names) -> pd.DataFrame:
    return next(one.value for one in app.dataframe if set(names) <= set(one.value.columns))


def figure_of(app, label) -> str:
    return next(one.value for one in app.metric if one.label == label)


def pick(app, label):
    return next(one for one in app.selectbox if one.label == label)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_says_that_the_market_is_simulated_and_shows_sql(demo, monkeypatch, page):
    app = opened(demo.home, monkeypatch, page)
    assert not app.exception
    assert not app.error
    assert len(app.title) == 1
    assert "SIMULATED MARKET" in app.warning[0].value
    assert all("shows no table" in line.value for line in app.info)
    assert any("select" in code.value for code in app.code)


def test_looking_at_every_page_leaves_every_file_as_it_was(demo, monkeypatch):
    def content() -> dict[str, str]:
        files = [p for p in demo.home.rglob("*") if p.is_file() and "lock" not in p.name and "sqlite-" not in p.name]
        return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}

    before = content()
    for page in PAGES:
        opened(demo.home, monkeypatch, page)
    assert content() == before


def test_the_weights_of_today_are_those_of_the_report(demo, monkeypatch):
    report = table(demo, "rpt_current_weights")
    for strategy in report["strategy"].unique():
        app = opened(demo.home, monkeypatch, "Today", strategy=strategy)
        shown = with_columns(app, "previous_weight", "risk_contribution").set_index("ticker").sort_index()
        held = report[(report["strategy"] == strategy) & ((report["weight"] != 0) | (report["previous_weight"] != 0))]
        expected = held.set_index("ticker").sort_index()[list(shown.columns)]
        pd.testing.assert_frame_equal(shown, expected, check_dtype=False, check_exact=True)


def test_the_figures_above_are_those_after_costs(demo, monkeypatch):
    net = table(demo, "rpt_performance").query("strategy == 'max_sharpe' and cost_basis == 'net'").iloc[0]
    app = opened(demo.home, monkeypatch, "Today", strategy="max_sharpe")
    assert figure_of(app, "Growth per year") == percent(net["cagr"])
    assert figure_of(app, "Largest fall") == percent(net["max_drawdown"])


def test_the_parts_of_a_score_add_up_to_it(demo, monkeypatch):
    rows = with_columns(opened(demo.home, monkeypatch, "Today", strategy="max_sharpe"), "part", "value", "score")
    sums = rows.groupby("ticker").agg(total=("value", "sum"), score=("score", "first"))
    np.testing.assert_allclose(sums["total"], sums["score"], atol=1e-12)


def test_growth_and_falls_are_those_of_the_ledger_and_of_the_measures(demo, monkeypatch):
    rows = with_columns(opened(demo.home, monkeypatch, "Performance"), "growth", "drawdown")
    ledger, measures = table(demo, "backtest_ledger"), table(demo, "rpt_performance")
    for (strategy, basis), part in rows.groupby(["strategy", "cost_basis"]):
        own = ledger[(ledger["strategy"] == strategy) & (ledger["cost_basis"] == basis)]
        assert part["growth"].iloc[-1] == pytest.approx((1 + own["daily_return"]).prod(), rel=1e-12)
        worst = measures[(measures["strategy"] == strategy) & (measures["cost_basis"] == basis)]["max_drawdown"].iloc[0]
        assert part["drawdown"].max() == pytest.approx(worst, abs=1e-9)


def test_a_past_decision_leads_to_the_rows_of_its_date_and_fund(demo, monkeypatch):
    weights = table(demo, "target_weights").query("strategy == 'max_sharpe' and weight > 0")
    row = weights[weights["session"] < weights["session"].max()].iloc[-1]
    day, ticker = row["session"], row["ticker"]
    app = opened(demo.home, monkeypatch, "Why", strategy="max_sharpe", session=f"{day:%Y-%m-%d}", ticker=ticker)
    assert pick(app, "Fund").value == ticker
    shown = with_columns(app, "strategy", "risk_contribution").iloc[0]
    assert shown["weight"] == row["weight"]
    assert shown["session"] == day
    features = table(demo, "features").query("ticker == @ticker and session == @day").iloc[0]
    values = with_columns(app, "feature", "meaning").set_index("feature")["value"]
    pd.testing.assert_series_equal(values, features[values.index].astype(float), check_names=False, check_exact=True)
    raw = with_columns(app, "source_row", "open")
    delivered = table(demo, "raw_prices").query("ticker == @ticker and session <= @day").set_index("source_row")
    assert raw["session"].max() == day
    np.testing.assert_array_equal(raw["close"], delivered.loc[raw["source_row"], "close"])


def test_the_explorer_adds_up_weight_times_beta_times_shock(demo, monkeypatch):
    app = opened(demo.home, monkeypatch, "Risk", strategy="max_sharpe", shock_equity="-20", shock_rates="5")
    shocks = {one.key.removeprefix("shock_"): one.value / 100 for one in app.slider}
    assert shocks["equity"] == -0.2
    assert shocks["rates"] == 0.05
    weights = table(demo, "rpt_current_weights").query("strategy == 'max_sharpe'").set_index("ticker")["weight"]
    betas = table(demo, "multi_factor_betas")
    wide = betas[betas["session"] == betas["session"].max()].pivot(index="ticker", columns="factor", values="beta")
    by_factor = (wide.mul(weights, axis=0)[list(shocks)] * pd.Series(shocks)).sum()
    rows = with_columns(app, "part", "error_bound")
    total = rows[rows["part"] == "total"]["profit"].iloc[0]
    assert total == pytest.approx(by_factor.sum(), rel=1e-12)
    for part in ("factor", "fund"):
        assert rows[rows["part"] == part]["profit"].sum() == pytest.approx(total, rel=1e-12)
    assert figure_of(app, "Profit") == percent(total, 2, signed=True)


def test_moving_a_slider_moves_the_profit(demo, monkeypatch):
    app = opened(demo.home, monkeypatch, "Risk", strategy="max_sharpe")
    before = figure_of(app, "Profit")
    next(one for one in app.slider if one.key == "shock_equity").set_value(-40)
    assert figure_of(app.run(), "Profit") != before


def test_stress_rows_are_those_of_the_report(demo, monkeypatch):
    report = table(demo, "rpt_stress").query("strategy == 'max_sharpe'").sort_values("place").reset_index(drop=True)
    shown = with_columns(opened(demo.home, monkeypatch, "Risk", strategy="max_sharpe"), "worst_ticker", "coverage")
    pd.testing.assert_frame_equal(shown, report, check_dtype=False, check_exact=True)


def test_an_address_that_names_nothing_shows_the_newest(demo, monkeypatch):
    app = opened(demo.home, monkeypatch, "Nowhere", strategy="no_such", session="1900-01-01", run="gone")
    assert not app.exception
    assert app.title[0].value.endswith("today")


def test_a_run_with_few_tables_opens_every_page_and_says_what_it_lacks(demo, tmp_path, monkeypatch):
    warehouse = Warehouse(tmp_path / "warehouse")
    warehouse.begin_run("small")
    warehouse.commit("small", "step", [warehouse.stage("portfolio", "target_weights", demo.read("target_weights"))])
    warehouse.finish_run("small", succeeded=True)
    for page in PAGES:
        app = opened(tmp_path, monkeypatch, page)
        assert not app.exception, page
        assert not app.error, page
        assert any("shows no table" in line.value for line in app.info), page


def test_reverse_stress_and_factors_of_a_scenario_are_shown_where_a_run_has_them(demo, tmp_path, monkeypatch):
    parts = {
        "strategy": ["max_sharpe"] * 2,
        "factor": ["equity", "rates"],
        "unit": ["fraction", "bp"],
        "contribution": [-0.08, -0.02],
    }
    reverse = {**parts, "shock": [-0.2, 30.0], "shock_sd": [-2.0, 0.5], "loss": [0.1] * 2}
    reverse |= {"distance": [2.1] * 2, "probability": [0.03] * 2, "horizon": [21] * 2}
    factors = {**parts, "shock": [-0.3, 50.0], "scenario": ["covid_2020"] * 2, "basis": ["given", "propagated"]}
    factors |= {"factor_return": [-0.3, -0.01], "exposure": [0.27, 2.0]}
    rows = {name: demo.read(name) for name in ("target_weights", "rpt_stress", "stress_contributions")}
    rows |= {"reverse_stress": pa.table(reverse), "stress_factors": pa.table(factors)}
    warehouse = Warehouse(tmp_path / "warehouse")
    warehouse.begin_run("newer")
    warehouse.commit("newer", "step", [warehouse.stage("stress", name, table) for name, table in rows.items()])
    warehouse.finish_run("newer", succeeded=True)
    app = opened(tmp_path, monkeypatch, "Risk", strategy="max_sharpe", scenario="Pandemic crash")
    assert not app.exception
    assert with_columns(app, "shock_sd", "probability")["shock"].tolist() == [-0.2, 30.0]
    assert with_columns(app, "factor_return", "exposure")["contribution"].tolist() == [-0.08, -0.02]
    assert figure_of(app, "Chance") == percent(0.03, 2)


def test_a_home_without_a_run_is_one_line(tmp_path, monkeypatch):
    app = opened(tmp_path / "empty", monkeypatch, "Today")
    assert not app.exception
    assert "etf run" in app.error[0].value


def test_two_runs_are_compared_by_what_differs(demo, tmp_path, monkeypatch):
    weights = demo.read("rpt_current_weights")
    warehouse = Warehouse(tmp_path / "warehouse")
    for run_id, rows in (("one", weights), ("two", weights.slice(1))):
        warehouse.begin_run(run_id)
        staged = [warehouse.stage("reports", "rpt_current_weights", rows)]
        staged += [warehouse.stage("portfolio", "target_weights", demo.read("target_weights"))]
        warehouse.commit(run_id, "step", staged)
        warehouse.finish_run(run_id, succeeded=True)
    app = opened(tmp_path, monkeypatch, "Runs")
    gone = weights.slice(0, 1).to_pylist()[0]
    shown = with_columns(app, "here", "there")
    assert shown["ticker"].tolist() == ([gone["ticker"]] if gone["weight"] else [])
    assert with_columns(app, "Rows here")["Table"].tolist() == ["rpt_current_weights"]


def test_columns_are_described_by_the_contract_of_their_table():
    meaning, unit = described("garch_21", ("volatilities",))
    assert meaning
    assert unit.startswith("fraction")
    rows = pd.DataFrame({"weight": [0.5], "shares": [3.0], "session": pd.to_datetime(["2024-06-28"]), "mystery": ["x"]})
    settings = column_settings(rows, ("target_weights", "backtest_trades"))
    assert settings["weight"]["type_config"]["format"] == "percent"
    assert settings["session"]["type_config"]["type"] == "date"
    assert settings["mystery"]["help"] is None
