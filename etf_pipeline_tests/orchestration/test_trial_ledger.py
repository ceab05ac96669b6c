"""The ledger of trials across runs, through the store: what a run tried is written down once, whoever changes a setting where."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import etf_pipeline.definitions  # noqa: F401  registers every recipe
from etf_pipeline.backtest import BacktestParameters
from etf_pipeline.forecasting import ForecastParameters
from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.portfolio import PortfolioParameters
from etf_pipeline.recipes import RECIPES, run_sql
from etf_pipeline.schemas import TABLES, from_arrow
from etf_pipeline.sql_models import load_models
from etf_pipeline.validation import EdgeParameters, append_trials, count_trials, trial
from etf_pipeline.validation.edge import COUNTED
from etf_pipeline.warehouse import Warehouse

SESSIONS = pd.bdate_range("2020-01-02", periods=400)
BOOKS = ("max_sharpe", "risk_parity", "equal_weight", "SPY")
QUICK = EdgeParameters(n_blocks=4, resamples=100)


def draws(columns: int, seed: int) -> np.ndarray:
    return 0.01 * np.random.default_rng(seed).standard_normal((len(SESSIONS), columns))


def source(until: pd.Timestamp) -> pd.DataFrame:
    close = until.tz_localize("UTC") + pd.Timedelta(hours=21)
    return pd.DataFrame(
        {"provider": ["test"], "origin": ["test"], "simulated": [True], "label": ["made here"], "fetched_until": [close]}
    )


def ledger_rows(sessions: pd.DatetimeIndex, seed: int) -> pd.DataFrame:
    returns = draws(len(BOOKS), seed)[: len(sessions)]
    rows = pd.DataFrame(returns, sessions, list(BOOKS)).rename_axis("session").reset_index()
    rows = rows.melt("session", var_name="strategy", value_name="daily_return").assign(cost_basis="net", nav=1.0, cash=1.0)
    zeros = ("receivables", "holdings_value", "dividends", "interest", "costs", "traded_value", "turnover", "identity_error")
    return rows.assign(**dict.fromkeys(zeros, 0.0))


def performance_rows(sessions: pd.DatetimeIndex) -> pd.DataFrame:
    rows = pd.DataFrame(
        {"strategy": BOOKS, "cost_basis": "net", "measure": "sharpe", "unit": "ratio", "n_sessions": len(sessions)}
    )
    return rows.assign(value=0.1, ci_low=np.nan, ci_high=np.nan, start=sessions[0], end=sessions[-1])


def target_rows() -> pd.DataFrame:
    names = [field.name for field in TABLES["target_weights"].arrow_schema]
    return pd.DataFrame({"strategy": BOOKS[:3], "session": SESSIONS[0], "ticker": "F0"}).reindex(columns=names)


def fund_rows() -> pd.DataFrame:
    told = {"asset_class": "equity", "currency": "USD", "exchange": "XNYS", "is_geared": False}
    funds = pd.DataFrame({"ticker": [f"F{i}" for i in range(8)]}).assign(**told)
    return funds.assign(traded_ticker=funds["ticker"]).reindex(columns=TABLES["dim_etf"].arrow_schema.names)


def forecast_rows(seed: int) -> tuple[pd.DataFrame, ...]:
    tickers = [f"F{i}" for i in range(8)]
    grid = pd.MultiIndex.from_product([SESSIONS, tickers], names=["session", "ticker"]).to_frame(index=False)
    outcome, raw = draws(8, 1).ravel(), draws(8, seed).ravel()
    member = grid.assign(model="ridge", horizon=5, window=0, raw_forecast=raw, forecast=raw, weight=1.0)
    ensemble = grid.assign(horizon=5, raw_forecast=raw, expected_return=raw, spread=0.0)
    close = grid["session"].dt.tz_localize("UTC") + pd.Timedelta(days=10)
    errors = grid.assign(realised_return=outcome, raw_error=raw - outcome, error=raw - outcome, available_at=close)
    window = pd.DataFrame({"model": ["ridge"], "window": [0], "n_train": [10], "n_test": [10]})
    days = dict.fromkeys(("train_start", "train_end", "test_start", "test_end"), SESSIONS[0])
    figures = dict.fromkeys(
        ("in_sample_bias", "out_of_fold_bias", "test_bias", "mse", "mse_zero", "information_coefficient", "hit_rate"), 0.0
    )
    names = TABLES["forecast_windows"].arrow_schema.names
    return member, ensemble, errors, window.assign(**days, **figures).reindex(columns=names)


@dataclass
class Pipeline:
    """A warehouse in which runs leave what a backtest and a forecaster would."""

    tables: TableStore
    runs: int = 0

    def run(
        self,
        *,
        forecast: ForecastParameters | None = None,
        portfolio: PortfolioParameters | None = None,
        sessions: int = 400,
        succeeded: bool = True,
    ) -> pd.DataFrame:
        """One run with these settings on the first so many sessions; the ledger it left. Other settings earn other returns."""
        self.runs += 1
        run, days = f"run{self.runs}", SESSIONS[:sessions]
        forecast, portfolio = forecast or ForecastParameters(), portfolio or PortfolioParameters()
        seed = forecast.trees + int(1000 * portfolio.prior_sharpe)
        member, ensemble, errors, window = forecast_rows(forecast.trees)
        self.tables.open_run(run, {"provider": "test", "simulated": True})
        macro = pd.DataFrame({"session": SESSIONS, "series": "TBILL13W", "value": 0.0})
        macro = macro.assign(available_at=macro["session"].dt.tz_localize("UTC")).reindex(
            columns=TABLES["fct_macro"].arrow_schema.names
        )
        self._write(run, "fetch", {"raw_source": source(days[-1])})
        self._write(run, "fct_macro", {"fct_macro": macro})
        self._write(run, "dim_etf", {"dim_etf": fund_rows()})
        made = {"member_forecasts": member, "forecasts": ensemble, "realised_errors": errors, "forecast_windows": window}
        self._write(run, "member_forecasts", made, ["raw_source"], forecast)
        self._write(run, "target_weights", {"target_weights": target_rows()}, ["forecasts"], portfolio)
        books = {"backtest_ledger": ledger_rows(days, seed), "performance": performance_rows(days)}
        self._write(run, "backtest_ledger", books, ["target_weights", "fct_macro"], BacktestParameters())
        for name in ("configurations", "trial_ledger", "significance_tests", "overfitting", "rpt_edge"):
            recipe = RECIPES[name]
            self.tables.materialise(recipe, run, QUICK if recipe.parameters else None)
        ledger = from_arrow(self.tables.read("trial_ledger", run))
        self.tables.warehouse.finish_run(run, succeeded=succeeded)
        return ledger

    def _write(self, run, step, frames, inputs=(), parameters=None) -> None:
        tables = {}
        for name, frame in frames.items():
            filled = frame.copy()
            for field in TABLES[name].arrow_schema:
                if field.name not in filled or filled[field.name].isna().all():
                    filled[field.name] = _anything(name, field.name, str(field.type))
            tables[name] = TABLES[name].to_arrow(filled)
        self.tables.write(run, step, tables, inputs=inputs, parameters=parameters)


def _anything(name: str, column: str, kind: str) -> object:
    """A value that the contract takes, for columns that nothing here reads."""
    allowed = next((c.statistics.get("allowed_values") for c in TABLES[name].columns[column].checks if c.name == "isin"), None)
    plain = {"double": 0.5, "int64": 1, "bool": True, "date32[day]": SESSIONS[0], "string": "x"}
    return next(iter(allowed)) if allowed else plain.get(kind, pd.Timestamp("2020-01-01", tz="UTC"))


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    return Pipeline(TableStore(Warehouse(tmp_path)))


def test_a_second_run_and_a_longer_history_add_no_trial(pipeline: Pipeline) -> None:
    first = pipeline.run(sessions=390)
    assert sorted(first["name"]) == sorted([*BOOKS, "ridge"])
    assert count_trials(first, COUNTED).n == 3
    pd.testing.assert_frame_equal(pipeline.run(sessions=390), first)
    longer = pipeline.run(sessions=400)
    assert longer["trial_id"].tolist() == first["trial_id"].tolist()
    assert set(longer["first_run"]) == {"run1"}
    assert longer.loc[longer["name"] == "max_sharpe", "n_obs"].item() == 399


def test_a_setting_changed_anywhere_upstream_adds_trials_of_the_strategies(pipeline: Pipeline) -> None:
    pipeline.run()
    portfolio = pipeline.run(portfolio=replace(PortfolioParameters(), prior_sharpe=0.4))
    fresh = portfolio[portfolio["first_run"] == "run2"]
    assert sorted(fresh["name"]) == ["max_sharpe", "risk_parity"]  # the models are what they were
    forecast = pipeline.run(forecast=replace(ForecastParameters(), trees=77))
    fresh = forecast[forecast["first_run"] == "run3"]
    assert sorted(fresh["name"]) == ["max_sharpe", "ridge", "risk_parity"]
    assert count_trials(forecast, COUNTED).n == 3 + 2 + 3
    held = from_arrow(pipeline.tables.read("overfitting")).set_index("strategy")
    assert held.loc["max_sharpe", "n_trials"] == 8
    back = pipeline.run()  # to the first settings: nothing new
    assert back["trial_id"].tolist() == forecast["trial_id"].tolist()


def test_threads_are_no_trial(pipeline: Pipeline) -> None:
    first = pipeline.run()
    other = pipeline.run(forecast=replace(ForecastParameters(), n_jobs=1))
    assert len(other) > len(first)
    assert count_trials(other, COUNTED) == count_trials(first, COUNTED)


def test_a_failed_run_leaves_no_trial(pipeline: Pipeline) -> None:
    first = pipeline.run()
    pipeline.run(forecast=replace(ForecastParameters(), trees=77), succeeded=False)
    pd.testing.assert_frame_equal(from_arrow(pipeline.tables.read("trial_ledger")), first)


def test_a_search_that_another_job_made_is_counted_from_the_next_run_on(pipeline: Pipeline) -> None:
    first = pipeline.run()
    seen = pd.Timestamp("2026-01-01", tz="UTC")
    told = {"seen": seen, "run": "lab", "data_version": "d", "code_version": "c", "metric": "r2"}
    rows = [trial("search", "ridge", {"alpha": k}, **told, value=k / 10) for k in range(5)]
    empty = from_arrow(TABLES["search_trials"].arrow_schema.empty_table())
    pipeline.tables.open_run("lab", {})
    pipeline.tables.write("lab", "search_trials", {"search_trials": TABLES["search_trials"].to_arrow(append_trials(empty, rows))})
    pipeline.tables.warehouse.finish_run("lab", succeeded=True)
    with_search = pipeline.run()
    assert count_trials(with_search, COUNTED).n == count_trials(first, COUNTED).n + 5
    assert len(pipeline.run()) == len(with_search)


def test_the_record_of_a_run_can_be_made_again(pipeline: Pipeline) -> None:
    pipeline.run()
    pipeline.run(forecast=replace(ForecastParameters(), trees=77))
    pipeline.run()
    held = pipeline.tables
    wanted = {"configurations", "trial_ledger"}
    for run in ("run1", "run2", "run3"):
        found = {one.table: one.verdict for one in _again(held, run) if one.table in wanted}
        assert found == dict.fromkeys(wanted, "same"), run


def _again(held: TableStore, run: str):
    """`reproduce`, with every table that these tests wrote by hand taken as given."""
    from etf_pipeline.orchestration import reproduction

    versions = {version.table_name: version for version in held.warehouse.tables(at=run)}
    made = {}
    given = {name: held.warehouse.read_version(one) for name, one in versions.items()}
    for name in ("configurations", "trial_ledger"):
        made[name] = list(reproduction._made_again(held, RECIPES[name], versions, given, lambda one: None))
    return [one for parts in made.values() for one in parts]


def test_every_record_is_judged_or_the_run_stops(pipeline: Pipeline) -> None:
    pipeline.run()
    model = load_models()["overfitting__every_record_is_judged"]
    inputs = {name: pipeline.tables.read(name) for name in model.dependencies}
    assert run_sql(model.sql, inputs).num_rows == 0
    lost = from_arrow(inputs["overfitting"]).query("strategy != 'SPY'")
    rows = run_sql(model.sql, inputs | {"overfitting": TABLES["overfitting"].to_arrow(lost)}).to_pylist()
    assert rows == [{"strategy": "SPY", "not_judged": True, "not_in_ledger": False}]


def test_the_table_of_verdicts_has_a_row_for_every_claim(pipeline: Pipeline) -> None:
    pipeline.run()
    told = from_arrow(pipeline.tables.read("rpt_edge"))
    assert (told["kind"] == "overall").sum() == 1
    assert set(told.loc[told["claim"] == "skill", "subject"]) == {"max_sharpe", "risk_parity"}
    assert {"ic_within_class", "direction", "timing"} == set(told.loc[told["subject"] == "ensemble", "claim"])
    assert set(told.loc[told["claim"] == "skill", "verdict"]) == {"not_enough_data"}  # 399 sessions prove nothing
    assert told["why"].str.len().min() > 60


@pytest.mark.parametrize(
    ("verdict", "n_obs", "answer"),
    [
        ("edge", 2000, "edge"),
        ("edge", 500, "edge"),
        ("unproven", 2000, "no_edge"),
        ("no_edge", 685, "no_edge"),
        ("no_edge", 684, "not_enough_data"),
    ],
)
def test_verdicts_in_words_follow_the_figures(verdict: str, n_obs: int, answer: str) -> None:
    row = {
        "strategy": "max_sharpe", "sharpe": 0.05, "n_obs": n_obs, "psr": 0.9, "dsr": 0.31, "sr0": 0.03, "n_trials": 14,
        "min_track_record": 3000.0, "pbo": 0.4, "spa_p": 0.62, "in_mcs": True, "verdict": verdict,
    }  # fmt: skip
    bench = row | {"strategy": "SPY", "verdict": "benchmark", "n_trials": 1, "pbo": np.nan, "spa_p": np.nan}
    test = {
        "test": "ic", "subject": "ensemble", "horizon": 21, "estimate": 0.043, "statistic": 2.1, "p_value": 0.02,
        "p_adjusted": 0.08, "p_false_discovery": 0.1, "n": 2000, "n_effective": 95.0, "decision": "not_significant",
        "valid": True, "note": "",
    }  # fmt: skip
    naive = test | {"test": "observation_t", "statistic": 12.3, "n": 40000, "valid": False, "p_adjusted": np.nan}
    inputs = {
        "overfitting": TABLES["overfitting"].to_arrow(pd.DataFrame([row, bench])),
        "significance_tests": TABLES["significance_tests"].to_arrow(pd.DataFrame([test, naive])),
    }
    made = RECIPES["rpt_edge"].run(inputs, None, None)["rpt_edge"]
    TABLES["rpt_edge"].check(made)
    told = from_arrow(made).set_index("claim")
    assert told.loc["skill", "verdict"] == told.loc["edge", "verdict"] == answer
    why = told.loc["skill", "why"]
    for figure in ("0.79", "14 trials", "31 %", "0.48", "40 %", "0.620"):
        assert figure in why
    assert ("11.9 years" in why) == (n_obs < 3000)
    ic = told.loc["ic"]
    assert ic["verdict"] == "no_edge"
    for figure in ("0.043", "0.020", "0.080", "worth 95", "t = 12.3"):
        assert figure in ic["why"]
    assert "SPY" not in set(told["subject"])
