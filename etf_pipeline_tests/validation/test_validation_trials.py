"""The ledger counts what was tried once each, and its tables keep their contracts."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from etf_pipeline.errors import DataError
from etf_pipeline.schemas import TABLES, from_arrow
from etf_pipeline.schemas import validation as contracts
from etf_pipeline.validation import (
    TRIAL_KINDS,
    Claim,
    OverfittingParameters,
    Trials,
    append_trials,
    count_trials,
    overfitting_table,
    sharpe_moments,
    significance_table,
    trial,
    trial_id,
)

FIRST, LATER = pd.Timestamp("2026-01-05 22:00", tz="UTC"), pd.Timestamp("2026-02-05 22:00", tz="UTC")
RETURNS = 0.0005 + 0.01 * np.random.default_rng(0).standard_normal(500)
QUICK = OverfittingParameters(n_blocks=8, resamples=200)


def tried(
    name: str = "max_sharpe", seen: pd.Timestamp = FIRST, run: str = "one", returns: np.ndarray | None = RETURNS, **settings
):
    return trial(
        "backtest_strategy",
        name,
        settings or {"max_weight": 0.15},
        seen=seen,
        run=run,
        data_version="d1",
        code_version="c1",
        excess_returns=returns,
    )


def stored(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    table = TABLES[name].to_arrow(frame)
    TABLES[name].check(table)
    return from_arrow(table)


def empty() -> pd.DataFrame:
    return pd.DataFrame(columns=TABLES["trial_ledger"].arrow_schema.names)


def test_a_trial_is_its_configuration_not_its_spelling_its_day_or_its_data():
    one = trial_id("search", "ridge", {"alpha": 1.0, "span": (21, 63), "on": True})
    assert one == trial_id("search", "ridge", {"on": True, "span": [21, 63], "alpha": 1})
    assert one != trial_id("search", "ridge", {"on": True, "span": [21, 63], "alpha": 1.5})
    assert one != trial_id("manual", "ridge", {"on": True, "span": [21, 63], "alpha": 1})
    assert one != trial_id("search", "lasso", {"on": True, "span": [21, 63], "alpha": 1})
    assert trial_id("search", "x", {"on": True}) != trial_id("search", "x", {"on": 1})
    assert tried(seen=LATER, run="two")["trial_id"] == tried()["trial_id"]


def test_the_identity_of_a_trial_never_changes_between_versions_of_the_project():
    # a changed hash would count everything tried so far a second time
    assert trial_id("manual", "x", {"a": 1}) == "a4399ce2e9d95604"


@pytest.mark.parametrize("value", [math.nan, object(), np.float64("inf"), pd.Timestamp("2026-01-01")])
def test_configurations_of_other_than_plain_values_are_refused(value):
    with pytest.raises(DataError, match="plain, finite"):
        trial_id("search", "x", {"a": value})


def test_an_unknown_kind_is_refused_and_the_contract_knows_the_same_kinds():
    assert list(TRIAL_KINDS) == contracts.TRIAL_KINDS
    with pytest.raises(DataError, match="one of"):
        trial_id("guess", "x", {})


def test_a_row_holds_the_moments_of_its_returns():
    row = tried()
    m = sharpe_moments(RETURNS)
    assert (row["sharpe"], row["n_obs"], row["kurtosis"]) == (m.sharpe, 500, m.kurtosis)
    assert row["sharpe_annual"] == row["value"] == pytest.approx(m.sharpe * math.sqrt(252))


def test_what_was_seen_before_is_the_same_trial_with_new_figures_and_its_first_sighting():
    ledger = stored("trial_ledger", append_trials(empty(), [tried(), tried(max_weight=0.2)]))
    assert len(ledger) == 2
    later = append_trials(
        ledger, [tried(seen=LATER, run="two", returns=RETURNS[:250]), tried(seen=LATER, run="two", max_weight=0.3)]
    )
    later = stored("trial_ledger", later).set_index("trial_id")
    assert len(later) == 3
    again = later.loc[tried()["trial_id"]]
    assert (again["first_seen"], again["first_run"], again["n_obs"]) == (FIRST, "one", 250)
    assert later.loc[tried(max_weight=0.3)["trial_id"], "first_run"] == "two"
    assert later.loc[tried(max_weight=0.2)["trial_id"], "n_obs"] == 500  # no longer run, still counted


def test_appending_the_same_run_twice_changes_nothing_and_no_input_is_touched():
    rows = [tried(), tried(max_weight=0.2), tried(seen=LATER, run="two")]
    once = append_trials(empty(), rows)
    before = once.copy()
    twice = append_trials(once, rows)
    pd.testing.assert_frame_equal(stored("trial_ledger", once), stored("trial_ledger", twice))
    pd.testing.assert_frame_equal(once, before)
    assert once.loc[once["trial_id"] == tried()["trial_id"], "first_run"].item() == "one"
    pd.testing.assert_frame_equal(append_trials(once, []), once)


def test_everything_tried_counts_and_the_variance_is_that_of_known_ratios():
    rng = np.random.default_rng(1)
    rows = [tried(returns=0.01 * rng.standard_normal(300), k=k) for k in range(6)]
    rows.append(trial("manual", "idea", {}, seen=FIRST, run="one", data_version="d", code_version="c"))
    ledger = stored("trial_ledger", append_trials(empty(), rows))
    counted = count_trials(ledger)
    assert counted.n == 7
    assert counted.variance == pytest.approx(np.var([r["sharpe"] for r in rows[:6]], ddof=1))
    assert count_trials(ledger, ["manual"]).n == 1
    assert math.isnan(count_trials(ledger, ["manual"]).variance)


def test_an_empty_ledger_keeps_its_contract():
    assert stored("trial_ledger", empty()).empty
    assert count_trials(empty()).n == 0


def claim(test: str, p: float, n_effective: float = 200.0, valid: bool = True) -> Claim:
    return Claim(test, "ensemble", 21, 0.02, 1.0, p, 4000, n_effective, valid)


def test_decisions_rest_on_what_is_left_after_all_tests_that_count_are_corrected_for():
    # three tests count: 0.001 * 3, 0.02 * 2, 0.06 * 1
    told = {"ic": 0.02, "long_short": 0.06, "hit": 0.001}
    claims = [*(claim(name, p) for name, p in told.items()), claim("few", 1e-9, 12.0), claim("plan_t", 1e-12, valid=False)]
    decided = stored("significance_tests", significance_table(claims)).set_index("test")
    assert decided["decision"].to_dict() == {
        "ic": "significant",
        "long_short": "not_significant",
        "hit": "significant",
        "few": "insufficient",
        "plan_t": "not_decided",
    }
    assert decided.loc[["hit", "ic", "long_short"], "p_adjusted"].tolist() == pytest.approx([0.003, 0.04, 0.06])
    assert decided.loc[["few", "plan_t"], "p_adjusted"].isna().all()
    # 0.001 * 3 * (1 + 1/2 + 1/3)
    assert decided.loc["hit", "p_false_discovery"] == pytest.approx(0.0055)


def test_strategies_without_skill_have_no_edge_and_a_real_one_has():
    rng = np.random.default_rng(2)
    benchmark = 0.01 * rng.standard_normal(2520)
    luck = benchmark[:, None] + 0.004 * rng.standard_normal((2520, 5))
    trials = Trials(40, float(np.var(luck.mean(axis=0) / luck.std(axis=0), ddof=1)))
    frame = pd.DataFrame(luck, columns=list("abcde"))
    none = stored("overfitting", overfitting_table(frame, benchmark, trials, QUICK))
    assert not (none["verdict"] == "edge").any()
    frame["skill"] = benchmark + 0.0016 + 0.004 * rng.standard_normal(2520)
    some = stored("overfitting", overfitting_table(frame, benchmark, trials, QUICK)).set_index("strategy")
    assert some.loc["skill", "verdict"] == "edge"
    assert some.loc["skill", "in_mcs"]
    assert not some.loc["a", "in_mcs"]
    assert some.loc["skill", "pbo"] < 0.05
    assert (some["dsr"] <= some["psr"]).all()


def test_a_single_strategy_has_no_choice_to_judge():
    rng = np.random.default_rng(3)
    benchmark = 0.01 * rng.standard_normal(500)
    made = stored(
        "overfitting", overfitting_table(pd.DataFrame({"only": benchmark + 1e-4}), benchmark, Trials(1, math.nan), QUICK)
    )
    assert np.isnan(made["pbo"].item())
    assert made["sr0"].item() == 0.0


def test_a_ledger_that_counts_less_than_what_stands_there_is_refused():
    frame = pd.DataFrame(np.random.default_rng(4).standard_normal((100, 3)), columns=list("abc"))
    with pytest.raises(DataError, match="append them first"):
        overfitting_table(frame, np.zeros(100), Trials(2, 0.1), QUICK)


def test_trials_without_returns_join_those_with_returns_either_way_round():
    idea = trial("manual", "idea", {}, seen=FIRST, run="one", data_version="d", code_version="c")
    for first, second in (([idea], [tried()]), ([tried()], [idea])):
        ledger = append_trials(stored("trial_ledger", append_trials(empty(), first)), second)
        assert len(stored("trial_ledger", ledger)) == 2
        assert ledger["sharpe"].notna().sum() == 1
