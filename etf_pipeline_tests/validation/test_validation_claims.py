"""The list of claims: complete, contract-true, calm without skill, and each equal to the test it reports."""

from __future__ import annotations

import math

import numpy as np
import pytest

from etf_pipeline.schemas import TABLES
from etf_pipeline.validation import (
    diebold_mariano,
    forecast_claims,
    mean_test,
    rank_correlations,
    robust_pesaran_timmermann,
    significance_table,
)
from etf_pipeline_tests.prove.validation_size_study import forecasts, outcomes

SHAPE, HORIZON = (1500, 12), 21


def told(seed: int, share: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    f, y = forecasts(rng, SHAPE), outcomes(rng, SHAPE)
    return f, y + share * f


def test_the_list_is_complete_and_makes_the_table():
    f, y = told(0)
    f[:100, 3] = np.nan
    y[-21:] = np.nan
    table = significance_table(forecast_claims("ensemble", f, y, HORIZON, before=f + 0.5))
    TABLES["significance_tests"].check(TABLES["significance_tests"].to_arrow(table))
    valid = table.loc[table["valid"], "test"].tolist()
    assert valid == ["ic", "long_short", "timing", "direction", "bias_correction"]
    assert table.loc[~table["valid"], "test"].tolist() == ["icir", "timed_return", "hit_rate", "direction_1992", "observation_t"]
    assert (table.loc[~table["valid"], "decision"] == "not_decided").all()


def test_each_claim_is_the_test_that_it_names():
    f, y = told(1)
    claims = {c.test: c for c in forecast_claims("x", f, y, HORIZON, before=0 * f)}
    ic, direction = mean_test(rank_correlations(f, y), HORIZON), robust_pesaran_timmermann(f, y, HORIZON)
    assert (claims["ic"].estimate, claims["ic"].p_value) == (pytest.approx(ic.mean), pytest.approx(ic.p_positive))
    assert (claims["direction"].statistic, claims["direction"].n) == (direction.t, f.size)
    assert claims["icir"].p_value == claims["ic"].p_value
    whole = diebold_mariano((y**2).sum(axis=1), ((f - y) ** 2).sum(axis=1), HORIZON, counts=np.full(len(f), 12.0))
    assert claims["bias_correction"].p_value == whole.p_positive


def test_skill_is_claimed_and_its_absence_is_not_whatever_the_invalid_tests_say():
    skilled = significance_table(forecast_claims("good", *told(2, 0.6), HORIZON)).set_index("test")
    assert (skilled.loc[["ic", "long_short", "timing", "direction"], "decision"] == "significant").all()
    # 40 forecasters without skill, four tests each at 5 % together: more than 6 with any claim happen once in 300 seeds
    wrong, misled = 0, 0
    for seed in range(100, 140):
        table = significance_table(forecast_claims("none", *told(seed), HORIZON)).set_index("test")
        wrong += (table["decision"] == "significant").any()
        misled += table.loc["observation_t", "p_value"] < 0.05
    assert wrong <= 6
    assert misled >= 10


def test_holding_everything_in_a_rising_market_is_no_timing():
    f, y = told(4)
    rising = y + 3 * np.abs(y).mean()
    table = significance_table(forecast_claims("bull", np.abs(f) + 1, rising, HORIZON)).set_index("test")
    assert table.loc["timed_return", "p_value"] < 1e-4
    assert table.loc["hit_rate", "p_value"] < 1e-4
    assert not (table["decision"] == "significant").any()


def test_a_forecaster_without_any_known_outcome_is_insufficient_or_refused():
    f, y = told(3)
    y[:, 2:] = np.nan  # two funds: no rank correlation, but directions
    table = significance_table(forecast_claims("pair", f, y, HORIZON)).set_index("test")
    assert table.loc["ic", "decision"] == "insufficient"
    assert math.isnan(table.loc["ic", "estimate"])
    assert table.loc["direction", "n"] == 2 * len(f)


def test_who_only_knows_which_class_did_better_claims_nothing():
    rng = np.random.default_rng(31)
    classes = np.repeat([0, 1], 6)
    chance = outcomes(rng, SHAPE)
    better = np.where(classes == 0, chance.std(), 0.0)
    outcome = chance + better
    forecast = 0.001 * rng.standard_normal(SHAPE) + better
    table = significance_table(forecast_claims("class", forecast, outcome, HORIZON, classes=classes)).set_index("test")
    assert table.loc["ic", "p_value"] < 0.001
    assert not table.loc[["ic", "long_short"], "valid"].any()
    assert table.loc["ic_within_class", "decision"] == "not_significant"


def test_ranking_within_classes_is_found_where_it_is():
    f, y = told(2, 0.6)
    table = significance_table(forecast_claims("good", f, y, HORIZON, classes=np.repeat([0, 1, 2], 4))).set_index("test")
    assert table.loc["ic_within_class", "decision"] == "significant"


def test_a_class_of_one_fund_says_nothing_within_itself():
    f, y = told(2, 0.6)
    alone = forecast_claims("x", f[:, :3], y[:, :3], HORIZON, classes=np.array([0, 1, 2]))
    assert next(c for c in alone if c.test == "ic_within_class").n == 0
