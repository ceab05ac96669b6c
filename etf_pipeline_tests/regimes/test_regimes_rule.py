"""What one session's VIX and trend say by themselves."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etf_pipeline.errors import SettingsError
from etf_pipeline.regimes import RegimeParameters
from etf_pipeline.regimes.rule import candidate, explain, may_stay

PLAN = RegimeParameters()
vix_values, distances = st.floats(5, 90), st.floats(-0.5, 0.5)


@pytest.mark.parametrize(
    ("vix", "distance", "expected"),
    [
        (15.9, 0.021, "bull"),
        (16.0, 0.021, "sideways"),  # the plan's inequalities are strict
        (15.9, 0.02, "sideways"),
        (25.0, 0.0, "sideways"),
        (25.1, 0.3, "bear"),
        (12.0, -0.021, "bear"),
        (12.0, -0.02, "sideways"),
        (math.nan, -0.021, "bear"),  # one condition suffices for a bear market
        (26.0, math.nan, "bear"),
        (math.nan, 0.021, "unknown"),
        (12.0, math.nan, "unknown"),
    ],
)
def test_the_plans_rule_with_its_strict_inequalities(vix, distance, expected):
    assert candidate(vix, distance, PLAN) == expected


@pytest.mark.parametrize(
    ("regime", "vix", "distance", "stays"),
    [
        ("bull", 17.9, 0.011, True),
        ("bull", 18.0, 0.011, False),
        ("bull", 17.9, 0.01, False),
        ("bear", 23.1, 0.1, True),
        ("bear", 23.0, 0.1, False),
        ("bear", 12.0, -0.011, True),
        ("bear", 12.0, -0.01, False),
        ("sideways", 20.0, 0.0, False),
    ],
)
def test_a_state_stays_until_its_thresholds_are_passed_by_the_margins(regime, vix, distance, stays):
    assert may_stay(regime, vix, distance, PLAN) is stays


@given(vix=vix_values, distance=distances)
def test_what_the_rule_gives_may_stay_and_never_with_its_opposite(vix, distance):
    found = candidate(vix, distance, PLAN)
    assert found == "sideways" or may_stay(found, vix, distance, PLAN)
    assert not (may_stay("bull", vix, distance, PLAN) and may_stay("bear", vix, distance, PLAN))


@given(vix=vix_values, distance=distances)
def test_the_explanation_names_the_numbers(vix, distance):
    text = explain(candidate(vix, distance, PLAN), vix, distance, PLAN)
    assert f"{vix:.1f}" in text or f"{distance:+.1%}".replace("%", " %") in text


@pytest.mark.parametrize("change", [{"vix_margin": 5.0}, {"band_margin": 0.03}, {"vix_margin": -1.0}, {"calm_vix": 30.0}])
def test_margins_that_let_bull_and_bear_overlap_are_refused(change):
    with pytest.raises(SettingsError, match="Narrow the margins"):
        replace(PLAN, **change)
