"""From ledgers and forecasts to the verdict: records of known worth are judged as they should be, and trials are counted once."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from etf_pipeline.errors import DataError
from etf_pipeline.schemas import TABLES, from_arrow
from etf_pipeline.validation import (
    EdgeParameters,
    Records,
    count_trials,
    current_configuration,
    edge_claims,
    judged_records,
    ledger_of_trials,
    minimum_track_record,
    net_records,
    record_configurations,
    strategy_claims,
)
from etf_pipeline.validation.edge import COUNTED

SESSIONS = pd.bdate_range("2015-01-02", periods=1500)
BEGUN = pd.Timestamp("2026-01-05 22:00", tz="UTC")
QUICK = EdgeParameters(n_blocks=8, resamples=200)


def stored(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    table = TABLES[name].to_arrow(frame)
    TABLES[name].check(table)
    return from_arrow(table)


def empty(name: str) -> pd.DataFrame:
    return from_arrow(TABLES[name].arrow_schema.empty_table())


def provenance(trees: int = 100, run: str = "one", day: int = 0, code: str = "c1", tables: Sequence[str] = ()) -> pd.DataFrame:
    steps = {
        "forecast_windows": {"member_forecasts": {"trees": trees}},
        "performance": {"member_forecasts": {"trees": trees}, "backtest_ledger": {"bill_series": "BILL", "fill": "open"}},
    }
    rows = [
        (table, step, json.dumps(settings, sort_keys=True), code, run, BEGUN + pd.Timedelta(days=day))
        for table in tables or steps
        for step, settings in steps[table].items()
    ]
    return pd.DataFrame(rows, columns=["table_name", "step", "settings", "code_version", "run_id", "started_at"])


def configured(previous: pd.DataFrame | None = None, **settings) -> pd.DataFrame:
    held = empty("configurations") if previous is None else previous
    return stored("configurations", record_configurations(held, provenance(**settings)))


def test_a_configuration_is_its_settings_and_not_its_run_or_its_code():
    once = configured()
    again = configured(once, run="two", day=1)
    pd.testing.assert_frame_equal(once, again)
    other_code = configured(once, run="two", day=1, code="c2")
    assert other_code["configuration"].tolist() == once["configuration"].tolist()
    assert (set(other_code["code_version"]), set(other_code["first_run"])) == ({"c2"}, {"one"})


def test_a_changed_setting_of_any_step_makes_another_configuration_and_the_old_one_stays():
    once = configured()
    changed = configured(once, trees=200, run="two", day=1)
    assert changed.groupby("table_name")["configuration"].nunique().to_dict() == {"forecast_windows": 2, "performance": 2}
    now = current_configuration(changed, "performance")
    assert (now.settings["member_forecasts"], now.first_run) == ({"trees": 200}, "two")
    back = current_configuration(configured(changed, run="three", day=2), "performance")
    assert (back.settings["member_forecasts"], back.first_run, back.first_seen) == ({"trees": 100}, "one", BEGUN)


def test_a_table_that_was_not_asked_about_keeps_its_configuration():
    changed = configured(configured(), trees=200, tables=["performance"])
    assert current_configuration(changed, "forecast_windows").settings == {"member_forecasts": {"trees": 100}}


def test_nothing_known_of_a_table_is_an_error_that_says_so():
    with pytest.raises(DataError, match="found none"):
        record_configurations(empty("configurations"), provenance().iloc[:0])
    with pytest.raises(DataError, match="settings behind drawdowns"):
        current_configuration(configured(), "drawdowns")


def returns(seed: int = 0, **means: float) -> pd.DataFrame:
    """Daily returns of 1 % volatility with the given annual Sharpe ratios."""
    rng = np.random.default_rng(seed)
    noise = 0.01 * rng.standard_normal((len(SESSIONS), len(means)))
    noise -= noise.mean(axis=0)
    noise *= 0.01 / noise.std(axis=0, ddof=1)
    return pd.DataFrame(noise + 0.01 * np.array(list(means.values())) / np.sqrt(252), SESSIONS, list(means))


def records(frame: pd.DataFrame) -> Records:
    return Records(frame, tuple(name for name in frame.columns if name in ("equal_weight", "SPY")))


def ledger_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """`backtest_ledger`, with gross returns that must not be read and a first row of cash."""
    long = frame.rename_axis("session").reset_index().melt("session", var_name="strategy", value_name="daily_return")
    return pd.concat([long.assign(cost_basis="net"), long.assign(cost_basis="gross", daily_return=9.9)], ignore_index=True)


def macro(discount: float = 0.0) -> pd.DataFrame:
    return pd.DataFrame({"session": SESSIONS, "series": "BILL", "value": discount})


def weights(*names: str) -> pd.DataFrame:
    return pd.DataFrame({"strategy": list(names)})


def test_records_are_net_of_costs_and_of_the_bill_without_the_row_of_cash():
    frame = returns(max_sharpe=1.0, equal_weight=0.5, SPY=0.2)
    decided = weights("max_sharpe", "equal_weight")
    free = net_records(ledger_frame(frame), decided, macro(), configured(), QUICK)
    pd.testing.assert_frame_equal(free.excess, frame.sort_index(axis=1).iloc[1:], check_names=False, check_freq=False, rtol=1e-12)
    assert (free.strategies, set(free.benchmarks)) == (["max_sharpe"], {"SPY", "equal_weight"})
    billed = net_records(ledger_frame(frame), decided, macro(3.6), configured(), QUICK)
    gone = (free.excess - billed.excess)["SPY"]
    assert gone.iloc[1] == pytest.approx(1e-4 / (1 - 0.036 * 91 / 360))  # one calendar day at 3.6 % a year of 360 days


def forecasts(skill: float, seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Forecasts of two models over one session each, and what came of them: `skilled` knows a part of it, `blind` nothing."""
    rng = np.random.default_rng(seed)
    tickers = [f"F{i:02d}" for i in range(20)]
    grid = pd.MultiIndex.from_product([SESSIONS[:600], tickers], names=["session", "ticker"]).to_frame(index=False)
    outcome = rng.standard_normal(len(grid)) * 0.01
    errors = grid.assign(realised_return=outcome)
    noise = rng.standard_normal((2, len(grid))) * 0.01
    parts = [("skilled", skill * outcome + noise[0]), ("blind", noise[1])]
    members = [grid.assign(model=name, horizon=1, raw_forecast=value + 0.001, forecast=value) for name, value in parts]
    return pd.concat(members, ignore_index=True), errors


def ledger(frame: pd.DataFrame, previous: pd.DataFrame | None = None, data: str = "d1", searched=(), **settings) -> pd.DataFrame:
    members, errors = forecasts(0.2)
    held = empty("trial_ledger") if previous is None else previous
    made = ledger_of_trials(held, configured(**settings), records(frame), members, errors, data, searched=searched)
    return stored("trial_ledger", made)


FUNDS = pd.DataFrame({"ticker": [f"F{i:02d}" for i in range(20)], "asset_class": ["equity", "bond"] * 10})
FRAME = returns(max_sharpe=1.0, risk_parity=0.5, equal_weight=0.5, SPY=0.2)


def test_each_strategy_model_and_benchmark_is_one_trial_and_benchmarks_do_not_count():
    told = ledger(FRAME)
    assert told.groupby("kind").size().to_dict() == {"backtest_strategy": 2, "forecast_model": 2, "manual": 2}
    assert count_trials(told, COUNTED).n == 4
    ratios = told[told["kind"] == "backtest_strategy"]["sharpe"]
    assert count_trials(told, COUNTED).variance == pytest.approx(ratios.var(ddof=1))
    ics = told[told["kind"] == "forecast_model"].set_index("name")["value"]
    assert ics["skilled"] > 0.1 > abs(ics["blind"])


def test_the_same_run_again_and_new_data_add_no_trial_a_new_setting_does():
    once = ledger(FRAME)
    pd.testing.assert_frame_equal(once, ledger(FRAME, once, run="two", day=1))
    later = ledger(FRAME.iloc[:-1], once, "d2", run="two", day=1)
    assert later["trial_id"].tolist() == once["trial_id"].tolist()
    assert set(later["first_run"]) == {"one"}
    assert (later["n_obs"] < once["n_obs"]).sum() == 4  # figures are those of the new data
    other = ledger(returns(2, max_sharpe=0.9, risk_parity=0.4, equal_weight=0.5, SPY=0.2), later, "d2", trees=200, run="three")
    fresh = other[other["first_run"] == "three"]
    assert set(fresh["kind"]) == {"backtest_strategy", "forecast_model"}  # benchmarks have no settings
    assert count_trials(other, COUNTED).n == 6  # the models forecast what they forecast before: nothing new was tried


def test_a_setting_that_makes_no_difference_is_written_down_and_not_counted():
    once = ledger(FRAME)
    same = ledger(FRAME, once, trees=200, run="two", day=1)
    fresh = same[same["first_run"] == "two"]
    assert len(fresh) == 4
    twins = once.set_index("trial_id").loc[fresh["same_as"], "name"]
    assert twins.tolist() == fresh["name"].tolist()
    assert count_trials(same, COUNTED) == count_trials(once, COUNTED)
    apart = ledger(FRAME, once, "other data", trees=200)  # equal by chance on other data: two trials
    assert count_trials(apart, COUNTED).n == 8
    # once known as the same, it stays so when later data bring both new figures
    later = ledger(FRAME.iloc[:-1], same, "d2", trees=200, run="three", day=2)
    assert count_trials(later, COUNTED).n == 4
    assert count_trials(later, ["backtest_strategy"]).n == 2


def test_trials_without_any_figure_are_never_taken_for_one_another():
    from etf_pipeline.validation import append_trials, trial

    ideas = [trial("manual", "idea", {"k": k}, seen=BEGUN, run="one", data_version="d", code_version="c") for k in range(3)]
    assert count_trials(append_trials(empty("trial_ledger"), ideas)).n == 3


def test_searches_join_the_ledger_and_count():
    from etf_pipeline.validation import append_trials, trial

    rows = [
        trial(
            "search", "ridge", {"alpha": a}, seen=BEGUN, run="lab", data_version="d", code_version="c", metric="r2", value=a / 10
        )
        for a in range(5)
    ]
    search = stored("search_trials", append_trials(empty("trial_ledger"), rows))
    assert count_trials(ledger(FRAME, searched=[search]), COUNTED).n == 9
    assert count_trials(ledger(FRAME, searched=[search, empty("search_trials")]), COUNTED).n == 9


def test_a_record_far_beyond_luck_is_an_edge_and_one_without_skill_is_none():
    # 1500 sessions: an annual ratio of 3 is seven standard errors, one of 0 none
    frame = returns(skilled=3.0, lucky=0.0, equal_weight=0.3)
    told = stored("overfitting", judged_records(records(frame), ledger(frame), QUICK)).set_index("strategy")
    assert told["verdict"].to_dict() == {"skilled": "edge", "lucky": "no_edge", "equal_weight": "benchmark"}
    assert told.loc["skilled", "dsr"] > 0.95 > 0.6 > told.loc["lucky", "psr"]
    assert (told["n_trials"].to_dict()) == {"skilled": 4, "lucky": 4, "equal_weight": 1}


def test_more_trials_deflate_the_same_record_further():
    frame = returns(good=0.8, other=0.1, equal_weight=0.3)
    few = ledger(frame)
    many = few
    for k in range(30):
        rows = returns(10 + k, good=0.8 * np.sin(k), other=0.5 * np.cos(k), equal_weight=0.3)
        many = ledger(rows, many, f"d{k}", trees=k)
    few_, many_ = (judged_records(records(frame), held, QUICK).set_index("strategy") for held in (few, many))
    assert many_.loc["good", "n_trials"] > 60
    assert few_.loc["good", "psr"] == many_.loc["good", "psr"]
    assert many_.loc["good", "dsr"] < few_.loc["good", "dsr"]


def test_leverage_changes_no_verdict():
    frame = returns(good=1.0, other=0.1, equal_weight=0.3)
    geared = frame.assign(good=3 * frame["good"], other=0.2 * frame["other"])
    plain, other = (judged_records(records(f), ledger(f), QUICK) for f in (frame, geared))
    for column in ("psr", "dsr", "pbo", "spa_p", "in_mcs", "verdict"):
        if plain[column].dtype == float:
            np.testing.assert_allclose(plain[column], other[column], rtol=1e-9)
        else:
            assert plain[column].tolist() == other[column].tolist()


def test_one_strategy_alone_none_at_all_and_no_benchmark_are_judged_too():
    alone = judged_records(records(FRAME[["max_sharpe", "SPY"]]), ledger(FRAME), QUICK).set_index("strategy")
    assert np.isnan(alone.loc["max_sharpe", "pbo"])
    none = judged_records(records(FRAME[["SPY"]]), ledger(FRAME), QUICK)
    assert none["verdict"].tolist() == ["benchmark"]
    bare = judged_records(records(FRAME[["max_sharpe", "risk_parity"]]), ledger(FRAME), QUICK)
    assert set(bare["strategy"]) == {"max_sharpe", "risk_parity"}


def test_a_strategy_is_held_against_every_benchmark_one_sided():
    frame = returns(skilled=3.0, equal_weight=0.3, SPY=0.0, loser=-2.0)
    told = {(c.test, c.subject): c for c in strategy_claims(records(frame), QUICK)}
    assert set(told) == {(f"sharpe_over_{b}", s) for b in ("equal_weight", "SPY") for s in ("skilled", "loser")}
    best, worst = told["sharpe_over_SPY", "skilled"], told["sharpe_over_SPY", "loser"]
    assert best.estimate == pytest.approx(3.0)
    assert (best.p_value < 0.01, worst.p_value > 0.95) == (True, True)
    assert told["sharpe_over_equal_weight", "skilled"].estimate == pytest.approx(2.7)


def test_every_question_is_asked_of_every_model_the_ensemble_and_every_strategy():
    members, errors = forecasts(0.2)
    ensemble = members[members["model"] == "skilled"].rename(columns={"forecast": "expected_return"})
    told = stored("significance_tests", edge_claims(members, ensemble, errors, FUNDS, records(FRAME), QUICK))
    forecast = told[~told["test"].str.startswith("sharpe_over")]
    assert set(forecast["subject"]) == {"skilled", "blind", "ensemble"}
    assert forecast.groupby("subject").size().nunique() == 1
    assert {"ic", "direction", "bias_correction", "hit_rate", "observation_t"} <= set(forecast["test"])
    assert not told.loc[told["test"] == "observation_t", "valid"].any()
    assert not told.loc[told["test"].isin(["ic", "long_short"]), "valid"].any()
    ic = told[told["test"] == "ic_within_class"].set_index("subject")["decision"]
    assert ic.to_dict() == {"skilled": "significant", "ensemble": "significant", "blind": "not_significant"}
    assert told["p_adjusted"].notna().sum() == (told["valid"] & (told["decision"] != "insufficient")).sum()


def test_the_report_calls_a_record_short_where_a_ratio_of_one_could_not_be_proved():
    # the 685 sessions of rpt_edge.sql
    assert int(np.ceil(minimum_track_record(1 / np.sqrt(252)))) == 685
