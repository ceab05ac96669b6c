"""Scores: by hand, adding up, ranked without chance, and blind to the future."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given as sampled
from hypothesis import settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from scoring_frames import DAYS, KEY, REGIME, everyone, tables

from etf_pipeline.errors import DataError
from etf_pipeline.schemas import TABLES
from etf_pipeline.scoring import REGIME_WEIGHTS, WEIGHTINGS, AdaptiveScoringSystem, ScoreParameters, composite

SHARES = ["forecast", "momentum", "risk", "liquidity", "cost"]
SOURCE = {
    "forecast": ("forecasts", "expected_return"),
    "momentum": ("features", "momentum_12_1"),
    "risk": ("volatilities", "volatility"),
    "cost": ("liquidity", "reference_cost"),
}
seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_the_table_keeps_its_contract_under_every_weighting(weighting):
    out = composite(**tables(), parameters=ScoreParameters(weighting=weighting))
    table = TABLES["scores"]
    table.check(table.to_arrow(out))


@sampled(seed=seeds, weighting=st.sampled_from(sorted(WEIGHTINGS)), unknown=st.floats(0, 0.9))
@settings(max_examples=40, deadline=None)
def test_contributions_add_up_to_the_score_whatever_is_unknown(seed, weighting, unknown):
    given = tables(seed=seed)
    rng = np.random.default_rng(seed)
    for frame, column in (*SOURCE.values(), ("liquidity", "daily_value"), ("macro", "macro_multiplier")):
        if frame != "forecasts":
            given[frame].loc[rng.random(len(given[frame])) < unknown, column] = np.nan
    out = composite(**given, parameters=ScoreParameters(weighting=weighting))
    assert (out.filter(like="_part").sum(axis=1) - out["score"]).abs().max() < 1e-12
    assert out.filter(like="_part").notna().all(axis=None)


def by_hand():
    given = everyone(2)
    for name, column, pair in (
        ("forecasts", "expected_return", [0.01, 0.03]),
        ("features", "momentum_12_1", [0.2, 0.1]),
        ("volatilities", "volatility", [0.1, 0.2]),
        ("liquidity", "daily_value", [1e6, 1e7]),
        ("liquidity", "reference_cost", [2e-3, 1e-3]),
        ("macro", "macro_multiplier", [1.0, 1.25]),
        ("macro", "geo_multiplier", [np.nan, 0.8]),
    ):
        given[name][column] = np.repeat(pair, len(DAYS))
    return given


def test_a_score_by_hand():
    # bull: 0.40 * 1 + 0.30 * (-1) - 0.10 * 1 + 0.10 * 1 - 0.10 * (-1), and log 1.25 + log 0.8 = 0
    row = composite(**by_hand()).set_index(KEY).loc[("F01", DAYS[1])]
    assert row["score"] == pytest.approx(0.2, abs=1e-12)
    assert row["macro_part"] == pytest.approx(np.log(1.25), abs=1e-15)
    assert (row["rank"], row["macro_multiplier"], row["geo_multiplier"]) == (1, 1.25, 0.8)


def test_each_weighting_by_hand():
    # every z of F01 is 1 but that of momentum, -1: forecast - momentum - risk + liquidity + cost, in weights
    def score(weighting, day):
        out = composite(**by_hand(), parameters=ScoreParameters(weighting=weighting)).set_index(KEY)
        return out.loc[("F01", DAYS[day]), "score"]

    assert score("regime", 4) == pytest.approx(0.35 - 0.10 - 0.30 + 0.15 + 0.10, abs=1e-12)
    assert score("fixed", 4) == pytest.approx(0.40 - 0.20 - 0.20 + 0.10 + 0.10, abs=1e-12)
    assert score("equal", 4) == pytest.approx(0.2, abs=1e-12)
    assert score("blend", 4) == pytest.approx(0.1 * 0.2 + 0.9 * 0.2, abs=1e-12)  # bull and bear both give 0.2
    assert score("blend", 0) == score("fixed", 0)  # nobody knows the probability yet


def test_the_blend_moves_from_the_bull_row_to_the_bear_row_with_the_probability():
    given = everyone()
    blend = composite(**given, parameters=ScoreParameters(weighting="blend")).set_index(KEY)["risk_part"]
    plain = composite(**given, parameters=ScoreParameters(weighting="fixed")).set_index(KEY)["risk_part"]
    ratio = (blend / plain).groupby("session").first()
    p = given["probabilities"].set_index("session")["stressed"]
    expected = ((1 - p) * 0.10 + p * 0.30).div(0.20).reindex(DAYS).fillna(1.0)
    np.testing.assert_allclose(ratio, expected, rtol=1e-12)


def test_rows_say_in_which_state_the_market_was():
    out = composite(**everyone()).drop_duplicates("session").set_index("session").sort_index()
    assert out["regime"].tolist() == REGIME
    assert out["days_in_state"].tolist() == [1, 1, 2, 1, 1, 2, 1, 2]
    assert out["stressed"].isna().tolist() == [True, *[False] * 6, True]


def test_a_multiplier_above_one_lifts_a_fund_whose_score_is_negative():
    given = everyone()
    given["macro"][["macro_multiplier", "geo_multiplier"]] = 1.0
    before = composite(**given)
    worst = before.sort_values("score").iloc[0]
    assert worst["score"] < 0
    at = (given["macro"]["ticker"] == worst["ticker"]) & (given["macro"]["session"] == worst["session"])
    given["macro"].loc[at, "macro_multiplier"] = 1.4
    after = composite(**given)
    same = (after["ticker"] == worst["ticker"]) & (after["session"] == worst["session"])
    assert after.loc[same, "score"].item() == pytest.approx(worst["score"] + np.log(1.4), abs=1e-12)
    assert np.exp(after.loc[same, "score"].item()) == pytest.approx(1.4 * np.exp(worst["score"]), rel=1e-12)
    assert_frame_equal(after[~same].drop(columns="rank"), before[~same].drop(columns="rank"))


def test_without_macro_tables_the_multipliers_are_one_and_stress_is_unknown():
    given = tables()
    del given["macro"], given["probabilities"]
    out = composite(**given)
    assert (out[["macro_multiplier", "geo_multiplier"]] == 1).all(axis=None)
    assert (out[["macro_part", "geo_part"]] == 0).all(axis=None)
    assert out[["macro_as_of", "geo_as_of", "stressed"]].isna().all(axis=None)
    table = TABLES["scores"]
    table.check(table.to_arrow(out))


def test_dates_of_the_macro_inputs_stand_on_their_own_rows():
    given = tables()
    out = composite(**given).merge(given["macro"], on=KEY, suffixes=("", "_given"))
    for name in ("macro_as_of", "geo_as_of"):
        pd.testing.assert_series_equal(out[name], out[f"{name}_given"], check_names=False)


@pytest.mark.parametrize("part", SOURCE)
def test_other_units_of_an_input_change_nothing(part):
    given = tables()
    before = composite(**given)
    frame, column = SOURCE[part]
    given[frame][column] = given[frame][column] * 1e4 + 3.0
    assert_frame_equal(composite(**given), before, rtol=1e-9)


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_tiny_and_huge_units_neither_vanish_nor_overflow(size):
    given = tables()
    before = composite(**given)
    given["features"]["momentum_12_1"] *= size
    assert_frame_equal(composite(**given), before, rtol=1e-9)


@sampled(seed=seeds)
@settings(max_examples=20, deadline=None)
def test_names_decide_nothing_but_ties(seed):
    given = everyone(seed=seed)
    names = sorted(given["membership"]["ticker"].unique())
    other = dict(zip(names, np.random.default_rng(seed).permutation(names), strict=True))
    renamed = {k: f.assign(ticker=f["ticker"].map(other)) if "ticker" in f else f for k, f in given.items()}
    before = composite(**given).assign(ticker=lambda f: f["ticker"].map(other)).sort_values(KEY, ignore_index=True)
    assert_frame_equal(composite(**renamed), before, rtol=1e-10)


def test_weights_of_the_table_sum_to_one():
    for weights in REGIME_WEIGHTS.values():
        assert sum(weights[part] for part in SHARES) == pytest.approx(1.0, abs=1e-15)


def test_the_system_scores_with_its_own_parameters():
    parameters = ScoreParameters(weighting="equal", winsor=1.0)
    assert_frame_equal(AdaptiveScoringSystem(parameters).score(**tables()), composite(**tables(), parameters=parameters))


def test_one_absurd_fund_counts_three_deviations_and_no_more():
    given = everyone(30)
    given["forecasts"].loc[given["forecasts"]["ticker"] == "F00", "expected_return"] = 1e6
    out = composite(**given)
    weight = out["regime"].map({regime: w["forecast"] for regime, w in REGIME_WEIGHTS.items()})
    absurd = out["ticker"] == "F00"
    np.testing.assert_allclose(out.loc[absurd, "forecast_part"], 3 * weight[absurd])


def test_an_unknown_part_is_neutral_and_an_unknown_forecast_leaves_the_fund_out():
    given = everyone()
    given["volatilities"].loc[0, "volatility"] = np.nan
    given["liquidity"] = given["liquidity"].iloc[1:]
    given["macro"] = given["macro"].iloc[1:]
    given["forecasts"].loc[1, "expected_return"] = np.nan
    out = composite(**given).set_index(KEY)
    parts = ["risk_part", "liquidity_part", "cost_part", "macro_part", "geo_part"]
    assert (out.loc[("F00", DAYS[0]), parts] == 0).all()
    assert ("F00", DAYS[1]) not in out.index


def test_ranks_run_from_the_best_without_gaps_and_ties_go_by_ticker():
    given = everyone(5)
    for name, column in SOURCE.values():
        given[name][column] = 0.1
    given["liquidity"]["daily_value"] = 1e6
    given["macro"][["macro_multiplier", "geo_multiplier"]] = 1.0
    tied = composite(**given)
    assert (tied["score"] == 0).all()
    assert tied.sort_values("ticker").groupby("session")["rank"].apply(list).map(lambda r: r == [1, 2, 3, 4, 5]).all()
    out = composite(**tables())
    for _, session in out.groupby("session"):
        assert session.sort_values("rank")["score"].is_monotonic_decreasing
        assert sorted(session["rank"]) == list(range(1, len(session) + 1))


def test_the_order_of_input_rows_does_not_matter():
    given = tables()
    shuffled = {name: frame.sample(frac=1, random_state=1) for name, frame in given.items()}
    assert_frame_equal(composite(**shuffled), composite(**given), rtol=1e-12)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("cut", [0, 3, 6])
def test_scores_do_not_read_the_future(cut, weighting):
    given, day = tables(), DAYS[cut]
    parameters = ScoreParameters(weighting=weighting)
    before = composite(**given, parameters=parameters).query("session <= @day").reset_index(drop=True)
    truncated = {name: frame[frame["session"] <= day] for name, frame in given.items()}
    poisoned = {}
    for name, frame in given.items():
        numbers = frame.select_dtypes("float").columns
        poisoned[name] = frame.assign(**{c: frame[c].where(frame["session"] <= day, 1e200) for c in numbers})
    for later in (truncated, poisoned):
        after = composite(**later, parameters=parameters).query("session <= @day").reset_index(drop=True)
        assert_frame_equal(after, before, check_exact=True)


def test_one_session_alone_gives_the_bits_that_all_of_history_gives():
    given = tables(40)
    for day in DAYS:
        alone = composite(**{name: frame[frame["session"] == day] for name, frame in given.items()})
        whole = composite(**given).query("session == @day").reset_index(drop=True)
        assert_frame_equal(alone, whole, check_exact=True)


def test_members_without_any_forecast_are_refused():
    given = tables()
    given["membership"]["member"] = False
    with pytest.raises(DataError, match="members with a forecast"):
        composite(**given)


def test_a_multiplier_that_is_not_positive_is_refused():
    given = everyone()
    given["macro"].loc[3, "geo_multiplier"] = 0.0
    with pytest.raises(DataError, match="geo_multiplier"):
        composite(**given)
