"""Own weights: read, checked, and refused with words that help."""

from __future__ import annotations

import numpy as np
import pytest

from etf_pipeline.errors import SettingsError
from etf_pipeline.scoring import REGIME_WEIGHTS, RecordParameters, ScoreParameters, weight_table

BEAR = ("bear:forecast=0.25", "bear:risk=0.4")


def test_without_own_weights_the_judged_ones_hold():
    for regime, row in weight_table().items():
        assert row.tolist() == list(REGIME_WEIGHTS[regime].values())


def test_own_weights_replace_what_they_name_and_nothing_else():
    own, judged = weight_table(BEAR), weight_table()
    assert own["bear"].tolist() == [0.25, 0.1, 0.4, 0.15, 0.1, 1.0, 1.0]
    for regime in ("bull", "sideways", "unknown"):
        np.testing.assert_array_equal(own[regime], judged[regime])


def test_unknown_follows_sideways_unless_it_is_named():
    moved = ("sideways:forecast=0.3", "sideways:risk=0.3")
    assert weight_table(moved)["unknown"][0] == 0.3
    named = (*moved, "unknown:forecast=0.2", "unknown:risk=0.4")
    assert weight_table(named)["unknown"].tolist()[:3] == [0.2, 0.2, 0.4]


def test_multipliers_are_exponents_and_need_not_sum_to_anything():
    assert weight_table(["bear:geo=2", "bull:macro=0"])["bear"][-1] == 2.0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["bear risk 0.4"], "regime:part=weight"),
        (["crash:risk=0.4"], "a regime of bull, sideways, bear, unknown"),
        (["bear:beauty=0.4"], "a part of forecast"),
        (["bear:risk=much"], "number of at least 0"),
        (["bear:risk=-0.1"], "number of at least 0"),
        (["bear:risk=inf"], "number of at least 0"),
        (["bear:risk=nan"], "number of at least 0"),
        (["bear:risk=0.3", "bear:risk=0.4"], "came twice"),
        (["bear:risk=0.4"], "sum to one; found 1.1"),
    ],
)
def test_words_that_cannot_be_meant_are_refused(words, message):
    with pytest.raises(SettingsError, match=message):
        ScoreParameters(weights=tuple(words))
    with pytest.raises(SettingsError, match=message):
        RecordParameters(weights=tuple(words))


def test_other_impossible_settings_are_refused():
    with pytest.raises(SettingsError, match="regime, blend, fixed, equal"):
        ScoreParameters(weighting="clever")
    with pytest.raises(SettingsError, match="winsor above 0"):
        ScoreParameters(winsor=0.0)
    with pytest.raises(SettingsError, match="quantile inside"):
        RecordParameters(quantile=1.0)
