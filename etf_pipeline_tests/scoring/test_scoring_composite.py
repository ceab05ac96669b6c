"""Scores: by hand, adding up, ranked without chance, and blind to the future."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from etf_pipeline.errors import DataError
from etf_pipeline.schemas import TABLES
from etf_pipeline.scoring import REGIME_WEIGHTS, AdaptiveScoringSystem, ScoreParameters, composite

KEY = ["ticker", "session"]
DAYS = pd.bdate_range("2022-01-03", periods=8)
REGIME = ["unknown", "bull", "bull", "sideways", "bear", "bear", "bull", "bull"]


def tables(n: int = 12, seed: int = 0) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    key = pd.MultiIndex.from_product([[f"F{k:02d}" for k in range(n)], DAYS], names=KEY).to_frame(index=False)
    rows = len(key)
    return {
        "forecasts": key.assign(expected_return=rng.normal(0.01, 0.02, rows)),
        "features": key.assign(momentum_12_1=rng.normal(0.1, 0.3, rows)),
        "volatilities": key.assign(volatility=rng.uniform(0.05, 0.4, rows)),
        "liquidity": key.assign(daily_value=np.exp(rng.normal(17, 2, rows)), reference_cost=rng.uniform(1e-4, 2e-3, rows)),
        "regimes": pd.DataFrame({"session": DAYS, "regime": REGIME}),
        "membership": key.assign(member=rng.random(rows) > 0.2),
    }


def test_the_table_keeps_its_contract_and_parts_add_up_to_the_score():
    out = composite(**tables())
    table = TABLES["scores"]
    table.check(table.to_arrow(out))
    parts = out.filter(like="_part").sum(axis=1)
    assert (parts - out["score"]).abs().max() < 1e-12


def test_a_score_by_hand():
    given = tables(2)
    given["membership"]["member"] = True
    given["forecasts"]["expected_return"] = np.repeat([0.01, 0.03], len(DAYS))
    given["features"]["momentum_12_1"] = np.repeat([0.2, 0.1], len(DAYS))
    given["volatilities"]["volatility"] = np.repeat([0.1, 0.2], len(DAYS))
    given["liquidity"]["daily_value"] = np.repeat([1e6, 1e7], len(DAYS))
    given["liquidity"]["reference_cost"] = np.repeat([2e-3, 1e-3], len(DAYS))
    out = composite(**given).set_index(KEY).loc[("F01", DAYS[1])]
    # bull: 0.40 * 1 + 0.30 * (-1) - 0.10 * 1 + 0.10 * 1 - 0.10 * (-1)
    assert out["score"] == pytest.approx(0.2, abs=1e-12)
    assert out["rank"] == 1


def test_weights_follow_the_regime_and_each_row_of_the_table_sums_to_one():
    out = composite(**tables())
    assert out.drop_duplicates("session").set_index("session")["regime"].sort_index().tolist() == REGIME
    for weights in REGIME_WEIGHTS.values():
        assert sum(weights.values()) == pytest.approx(1.0, abs=1e-15)
    fixed = AdaptiveScoringSystem(ScoreParameters(adaptive=False)).score(**tables())
    assert set(fixed["regime"]) == {"sideways"}


def test_one_absurd_fund_counts_three_deviations_and_no_more():
    given = tables(30)
    given["membership"]["member"] = True
    given["forecasts"].loc[given["forecasts"]["ticker"] == "F00", "expected_return"] = 1e6
    out = composite(**given)
    weight = out["regime"].map({regime: w["forecast"] for regime, w in REGIME_WEIGHTS.items()})
    absurd = out["ticker"] == "F00"
    np.testing.assert_allclose(out.loc[absurd, "forecast_part"], 3 * weight[absurd])


def test_an_unknown_part_is_neutral_and_an_unknown_forecast_leaves_the_fund_out():
    given = tables()
    given["membership"]["member"] = True
    given["volatilities"].loc[0, "volatility"] = np.nan
    given["liquidity"] = given["liquidity"].iloc[1:]
    given["forecasts"].loc[1, "expected_return"] = np.nan
    out = composite(**given).set_index(KEY)
    assert (out.loc[("F00", DAYS[0]), ["risk_part", "liquidity_part", "cost_part"]] == 0).all()
    assert ("F00", DAYS[1]) not in out.index


def test_ranks_run_from_the_best_without_gaps_and_ties_go_by_ticker():
    given = tables(5)
    given["membership"]["member"] = True
    for name, column in (("forecasts", "expected_return"), ("features", "momentum_12_1"), ("volatilities", "volatility")):
        given[name][column] = 0.1
    given["liquidity"][["daily_value", "reference_cost"]] = [1e6, 1e-3]
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


@pytest.mark.parametrize("cut", [0, 3, 6])
def test_scores_do_not_read_the_future(cut):
    given, day = tables(), DAYS[cut]
    before = composite(**given).query("session <= @day").reset_index(drop=True)
    truncated = {name: frame[frame["session"] <= day] for name, frame in given.items()}
    poisoned = {}
    for name, frame in given.items():
        numbers = frame.select_dtypes("float").columns
        poisoned[name] = frame.assign(**{c: frame[c].where(frame["session"] <= day, 1e200) for c in numbers})
    for later in (truncated, poisoned):
        assert_frame_equal(composite(**later).query("session <= @day").reset_index(drop=True), before, rtol=1e-12)


def test_members_without_any_forecast_are_refused():
    given = tables()
    given["membership"]["member"] = False
    with pytest.raises(DataError, match="members with a forecast"):
        composite(**given)
