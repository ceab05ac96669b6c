"""Releases and states: by hand, against an expanding pandas window, and where series are late, stale or absent."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etf_pipeline.errors import DataError
from etf_pipeline.macro import DIMENSIONS, GEOPOLITICS, MACRO, MacroParameters, macro_state
from etf_pipeline.macro.classes import SUB_CLASSES
from etf_pipeline.macro.dimensions import Input
from etf_pipeline.macro.priors import PRIORS
from etf_pipeline.macro.releases import expanding_moments, released
from etf_pipeline.schemas import TABLES
from etf_pipeline.schemas.macro import MACRO_DIMENSIONS

SESSIONS = pd.bdate_range("2015-01-01", "2019-12-31")


def spreads(periods: pd.DatetimeIndex, values: np.ndarray, name: str = "BAMLH0A0HYM2", vintage: str = "first") -> pd.DataFrame:
    """Rows of `stg_macro`, each released the morning after its day."""
    released_at = (periods + pd.Timedelta(days=1, hours=13)).tz_localize("UTC")
    return pd.DataFrame({"series": name, "period": periods, "value": values, "available_at": released_at, "vintage": vintage})


def as_known(releases: pd.DataFrame, sessions: pd.DatetimeIndex = SESSIONS) -> pd.DataFrame:
    """Rows of `fct_macro` at closes of 21:00 UTC."""
    frames = []
    for _, rows in releases.groupby("series"):
        left = pd.DataFrame({"session": sessions, "close": (sessions + pd.Timedelta(hours=21)).tz_localize("UTC")})
        right = rows.sort_values("available_at").rename(columns={"available_at": "released_at"})
        frames.append(pd.merge_asof(left, right, left_on="close", right_on="released_at").dropna(subset=["series"]))
    return pd.concat(frames, ignore_index=True).drop(columns="close")


@pytest.fixture(scope="module")
def walk() -> pd.DataFrame:
    days = pd.bdate_range("2010-01-01", "2019-12-31")
    return spreads(days, 4.0 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.01, len(days)))))


def of(table: pd.DataFrame, dimension: str) -> pd.DataFrame:
    return table[table["dimension"] == dimension].set_index("session")


def test_the_words_of_schema_dimensions_and_priors_agree():
    assert list(DIMENSIONS) == MACRO_DIMENSIONS
    assert set(MACRO) | {GEOPOLITICS} == set(DIMENSIONS)
    assert set(PRIORS) == set(SUB_CLASSES)
    assert all(list(row) == MACRO_DIMENSIONS for row in PRIORS.values())


@given(st.lists(st.one_of(st.floats(-1e3, 1e3), st.just(float("nan"))), min_size=1, max_size=60), st.floats(-1e6, 1e6))
@settings(max_examples=60, deadline=None)
def test_expanding_moments_equal_those_of_pandas(values, level):
    found = expanding_moments(np.array(values) + level)
    series = pd.Series(values) + level
    known = series.expanding(1)
    assert found[0] == pytest.approx(known.mean().to_numpy(), rel=1e-9, abs=1e-7, nan_ok=True)
    assert found[1] == pytest.approx(known.std().to_numpy(), rel=1e-6, abs=2e-3, nan_ok=True)


def test_a_z_score_is_the_distance_from_everything_released_by_then(walk):
    found = of(macro_state(as_known(walk), walk), "credit")
    day = pd.Timestamp("2018-06-15")
    known = np.log(walk.loc[walk["available_at"] <= pd.Timestamp("2018-06-15 21:00", tz="UTC"), "value"])
    assert found.loc[day, "z"] == pytest.approx((known.iloc[-1] - known.mean()) / known.std(), rel=1e-10)
    assert found.loc[day, "as_of"] == pd.Timestamp("2018-06-14")
    assert found.loc[day, "vintage"] == "first"
    before = pd.Timestamp("2018-05-17")  # 21 sessions earlier
    change = known.iloc[-1] - np.log(walk.set_index("period").loc["2018-05-16", "value"])
    assert SESSIONS.get_loc(day) - SESSIONS.get_loc(before) == 21
    assert found.loc[day, "shock"] == pytest.approx(change / known.std(), rel=1e-10)


def test_a_higher_spread_is_a_higher_credit_state_and_never_beyond_the_clip(walk):
    high = walk.assign(value=np.where(walk["period"] >= "2018-01-01", 40.0, walk["value"]))
    found = of(macro_state(as_known(high), high), "credit")
    assert found.loc["2018-01-10", "z"] == 3.0
    assert found.loc["2018-01-10", "meaning"] == DIMENSIONS["credit"].high
    assert found["z"].abs().max() <= 3.0


def test_absent_series_are_unknown_and_not_zero(walk):
    found = macro_state(as_known(walk), walk)
    rest = found[found["dimension"] != "credit"]
    assert len(rest) == len(SESSIONS) * (len(DIMENSIONS) - 1)
    assert rest[["value", "z", "shock", "as_of", "vintage"]].isna().all(axis=None)
    assert rest["meaning"].str.endswith("unknown").all()
    TABLES["macro_state"].check(TABLES["macro_state"].to_arrow(found))


def test_a_series_that_is_no_longer_released_becomes_unknown(walk):
    ended = walk[walk["period"] < "2018-03-01"]
    found = of(macro_state(as_known(ended), ended), "credit")
    assert np.isfinite(found.loc["2018-03-15", "z"])
    assert found.loc["2018-04-02":, "z"].isna().all()


def test_a_young_series_has_no_z_score_before_its_years_have_passed(walk):
    young = walk[walk["period"] >= "2016-01-01"]
    found = of(macro_state(as_known(young), young, MacroParameters(min_years=2.0)), "credit")
    assert found.loc[:"2017-12-29", "z"].isna().all()
    assert found.loc["2018-01-05":, "z"].notna().all()


def test_what_stands_in_is_used_only_where_the_first_series_is_unknown():
    days, months = pd.bdate_range("2010-01-01", "2016-06-30"), pd.date_range("2005-01-01", "2019-12-01", freq="MS")
    rng = np.random.default_rng(2)
    daily = spreads(days, 2.0 + np.cumsum(rng.normal(0, 0.05, len(days))), "EFFR")
    monthly = spreads(months, 2.0 + np.cumsum(rng.normal(0, 0.3, len(months))), "FEDFUNDS")
    both, alone = pd.concat([daily, monthly]), of(macro_state(as_known(daily), daily), "policy")
    found = of(macro_state(as_known(both), both), "policy")
    assert found.loc["2016-06-01", "z"] == alone.loc["2016-06-01", "z"]
    assert alone.loc["2019-06-03":, "z"].isna().all()
    assert found.loc["2019-06-03":, "z"].notna().all()


def test_a_composite_is_the_mean_of_its_known_inputs_and_tells_its_oldest_period():
    weeks, months = pd.date_range("2005-01-01", "2019-12-28", freq="W-SAT"), pd.date_range("2005-01-01", "2019-10-01", freq="MS")
    rng = np.random.default_rng(3)
    claims = spreads(weeks, 3e5 * np.exp(rng.normal(0, 0.1, len(weeks))), "ICSA", "latest")
    slack = spreads(months, 5 + rng.normal(0, 1, len(months)), "UNRATE")
    day = pd.Timestamp("2019-10-10")
    one, two = (of(macro_state(as_known(x), x), "labour").loc[day] for x in (claims, slack))
    both = pd.concat([claims, slack])
    found = of(macro_state(as_known(both), both), "labour").loc[day]
    assert found["z"] == pytest.approx((one["z"] + two["z"]) / 2, rel=1e-12)
    assert (found["as_of"], found["vintage"]) == (two["as_of"], "latest")
    assert found["released_at"] == one["released_at"]
    assert two["vintage"] == "first"


def test_growth_over_a_year_by_hand():
    months = pd.date_range("2015-01-01", "2019-12-01", freq="MS")
    prices = spreads(months, 100 * 1.02 ** (np.arange(len(months)) / 12), "CPIAUCSL")
    rows = released(prices, Input("CPIAUCSL", "log", growth=12), 0.0)
    assert rows["base"].iloc[:12].isna().all()
    assert rows["base"].iloc[12:].to_numpy() == pytest.approx(np.log(1.02))


def test_a_later_release_of_an_older_period_does_not_hide_the_newer():
    days = pd.DatetimeIndex(["2019-01-01", "2019-01-02", "2019-01-01"])
    rows = spreads(days, np.array([1.0, 2.0, 9.0]))
    rows["available_at"] = pd.to_datetime(["2019-01-02", "2019-01-03", "2019-01-04"], utc=True)
    assert released(rows, Input("X"), 0.0)["value"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize("poisoned", [np.nan, 1e12, -5.0])
def test_what_is_released_later_changes_no_earlier_row(walk, poisoned):
    cut = pd.Timestamp("2018-06-15")
    late = walk["available_at"] > pd.Timestamp("2018-06-15 21:00", tz="UTC")
    whole = macro_state(as_known(walk), walk)
    other = walk.assign(value=walk["value"].where(~late, poisoned))
    found = macro_state(as_known(other), other)
    early, again = (t[t["session"] <= cut].reset_index(drop=True) for t in (whole, found))
    pd.testing.assert_frame_equal(early, again, check_exact=True)


def test_no_series_at_all_is_refused(walk):
    with pytest.raises(DataError, match="at least one released series"):
        macro_state(as_known(walk).iloc[:0], walk)
