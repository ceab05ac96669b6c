"""Multipliers: bounded, monotone, one where nothing is known, and read no earlier than at the fund's own close."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etf_pipeline.errors import SettingsError
from etf_pipeline.macro import DIMENSIONS, GEOPOLITICS, MACRO, AdjustmentParameters, macro_adjustments, multiplier
from etf_pipeline.macro.classes import SUB_CLASSES
from etf_pipeline.macro.priors import PRIORS
from etf_pipeline.macro.sensitivities import COLUMNS
from etf_pipeline.schemas import TABLES

DAY = pd.Timestamp("2020-03-16")
NO_FITS = pd.DataFrame(columns=COLUMNS).astype({"session": "datetime64[ns]", "shrunk": float})


def state(z: dict[str, float], day: pd.Timestamp = DAY, vintage: str = "first") -> pd.DataFrame:
    known = pd.Series({d: z.get(d, np.nan) for d in DIMENSIONS})
    return pd.DataFrame(
        {
            "session": day,
            "dimension": list(DIMENSIONS),
            "z": known.to_numpy(),
            "as_of": pd.Series(day - pd.Timedelta(days=3), index=known.index).where(known.notna()).to_numpy(),
            "vintage": [None if np.isnan(value) else vintage for value in known],
        }
    )


def adjust(z, sub_class="domestic_sector", *, day=DAY, exchange="XNYS", main="XNYS", fits=NO_FITS, states=None, **settings_):
    membership = pd.DataFrame({"session": [day], "ticker": ["X"], "member": [True]})
    profile = pd.DataFrame({"session": [day - pd.Timedelta(days=14)], "ticker": ["X"], "sub_class": [sub_class]})
    funds = pd.DataFrame({"ticker": ["X"], "exchange": [exchange]})
    told, p = state(z) if states is None else states, AdjustmentParameters(exchange=main, **settings_)
    table = macro_adjustments(membership, told, fits, profile, funds, p)
    TABLES["macro_adjustments"].check(TABLES["macro_adjustments"].to_arrow(table))
    return table.iloc[0]


scores = st.floats(-50, 50, allow_nan=False)


@given(
    z=st.dictionaries(st.sampled_from(list(DIMENSIONS)), scores),
    sub_class=st.sampled_from(SUB_CLASSES),
    limit=st.floats(1.01, 1.5),
)
@settings(max_examples=40, deadline=None)
def test_multipliers_stay_within_their_bounds(z, sub_class, limit):
    row = adjust(z, sub_class, limit=limit)
    for name in ("macro_multiplier", "geo_multiplier"):
        assert 1 / limit - 1e-12 <= row[name] <= limit + 1e-12


@given(tilt=st.floats(-30, 30), more=st.floats(1e-6, 5))
@settings(max_examples=40, deadline=None)
def test_more_tilt_is_never_a_smaller_factor_and_opposites_are_inverse(tilt, more):
    low, high, mirror = multiplier(np.array([tilt, tilt + more, -tilt]))
    assert low <= high
    assert low * mirror == pytest.approx(1.0)


@given(
    z=st.floats(-3, 2.9),
    more=st.floats(0.05, 1),
    sub_class=st.sampled_from(SUB_CLASSES),
    dimension=st.sampled_from(list(DIMENSIONS)),
)
@settings(max_examples=40, deadline=None)
def test_a_fund_gains_by_what_it_answers_to_with_a_plus_and_loses_by_a_minus(z, more, sub_class, dimension):
    name = "geo_multiplier" if dimension == GEOPOLITICS else "macro_multiplier"
    low, high = (adjust({dimension: value}, sub_class)[name] for value in (z, z + more))
    sensitivity = PRIORS[sub_class][dimension]
    assert np.sign(high - low) == np.sign(sensitivity)


def test_where_nothing_is_known_nothing_is_changed():
    for row in (adjust({}), adjust({"credit": 3.0, GEOPOLITICS: 3.0}, "unknown")):
        assert row["macro_multiplier"] == 1.0
        assert row["geo_multiplier"] == 1.0
        assert row["reason"] == "nothing known moves this fund"
    blank = adjust({})
    assert blank[["macro_as_of", "geo_as_of"]].isna().all()
    assert blank["vintage"] == "first"


def test_a_tilt_by_hand_and_in_words():
    row = adjust(
        {"credit": 2.1, GEOPOLITICS: -1.0}, "high_yield", states=state({"credit": 2.1, GEOPOLITICS: -1.0}, vintage="latest")
    )
    bound = np.log(1.5)
    tilt = -1.5 * 0.2 * 2.1 / len(MACRO)
    assert row["macro_multiplier"] == pytest.approx(np.exp(bound * np.tanh(tilt / bound)))
    geo = 0.5 * (-0.8 * 0.2) * -1.0
    assert row["geo_multiplier"] == pytest.approx(np.exp(bound * np.tanh(geo / bound)))
    assert row["reason"] == (
        "high-yield spread +2.1 sd weighs on high yield funds; geopolitical risk -1.0 sd favours high yield funds"
    )
    assert row["macro_as_of"] == row["geo_as_of"] == DAY - pd.Timedelta(days=3)
    assert row["vintage"] == "latest"


def test_adding_the_logarithm_keeps_order_where_multiplying_a_negative_score_turns_it():
    favoured, shunned = multiplier(np.array([0.2, -0.2]))
    score = -1.0
    assert score * favoured < score * shunned  # the plan's product punishes the favoured fund
    assert score + np.log(favoured) > score + np.log(shunned)


def fit(session: str, subject: str, shrunk: float, kind: str) -> pd.DataFrame:
    rows = pd.DataFrame({"dimension": list(DIMENSIONS), "shrunk": shrunk})
    return (
        rows.assign(session=pd.Timestamp(session), subject=subject, kind=kind).reindex(columns=COLUMNS).astype({"shrunk": float})
    )


def test_a_fund_s_own_sensitivity_counts_before_its_class_and_only_after_its_year():
    both = pd.concat([fit("2019-12-31", "domestic_sector", 0.1, "class"), fit("2019-12-31", "X", 0.4, "fund")])
    own, of_class = adjust({"credit": 2.0}, fits=both), adjust({"credit": 2.0}, fits=both[both["kind"] == "class"])
    assert own["macro_multiplier"] > of_class["macro_multiplier"] > 1.0
    for day in ("2020-03-16", "2018-12-31"):  # a fit of that very close, or of too long ago
        late = adjust({"credit": 2.0}, fits=fit(day, "X", 0.4, "fund"))
        assert late["macro_multiplier"] == adjust({"credit": 2.0})["macro_multiplier"]


def test_a_fund_in_sydney_reads_the_close_of_new_york_one_session_later():
    two = pd.concat([state({"credit": 1.0}, DAY - pd.Timedelta(days=3)), state({"credit": 3.0}, DAY)])
    at_home, abroad = adjust({}, states=two), adjust({}, states=two, exchange="XASX")
    assert at_home["macro_as_of"] == DAY - pd.Timedelta(days=3)
    assert abroad["macro_as_of"] == DAY - pd.Timedelta(days=6)
    assert adjust({}, states=two, exchange="XASX", day=DAY + pd.Timedelta(days=1))["macro_as_of"] == DAY - pd.Timedelta(days=3)


def test_an_old_state_or_profile_is_unknown():
    assert adjust({}, states=state({"credit": 3.0}, DAY - pd.Timedelta(days=14)))["macro_multiplier"] == 1.0


@pytest.mark.parametrize("wrong", [{"limit": 1.0}, {"limit": 1.6}, {"macro_strength": -1.0}, {"geo_strength": -0.1}])
def test_settings_that_would_leave_the_bounds_are_refused(wrong):
    with pytest.raises(SettingsError, match=r"1 < limit <= 1\.5"):
        AdjustmentParameters(**wrong)


def test_a_strong_dollar_weighs_on_emerging_markets_at_home_and_presumes_nothing_abroad():
    assert adjust({"dollar": 2.0}, "emerging_equity")["macro_multiplier"] < 1.0
    assert adjust({"dollar": 2.0}, "emerging_equity", exchange="XASX", main="XASX")["macro_multiplier"] == 1.0
