"""Drift: a planted shift is found, a stationary market is left in peace, and a row never changes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scipy import stats

from etf_pipeline.features import FEATURES, DriftParameters, drift
from etf_pipeline.features.drift import kolmogorov_p
from etf_pipeline.schemas import TABLES

NAMES = list(FEATURES)


def panel(
    seed: int, months: int = 96, funds: int = 60, common: float = 0.0, shift: float = 0.0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Month-ends of funds that share a component of the given share of variance; the last year moves by `shift` deviations."""
    rng = np.random.default_rng(seed)
    days = pd.date_range("2012-01-31", periods=months, freq="ME")
    shape = (months, funds, len(NAMES))
    together = np.sqrt(common) * rng.standard_normal((months, 1, len(NAMES)))
    values = together + np.sqrt(1 - common) * rng.standard_normal(shape)
    values[-13:-1] += shift
    keys = {"session": np.repeat(days, funds), "ticker": np.tile([f"F{k:02d}" for k in range(funds)], months)}
    table = pd.DataFrame(keys).assign(**{name: values[:, :, k].ravel() for k, name in enumerate(NAMES)})
    return table, table[["session", "ticker"]].assign(member=True)


def judged(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["verdict"] != "unknown"]


@pytest.mark.parametrize("common", [0.0, 0.3])
def test_a_stationary_market_raises_few_alarms(common):
    # 36 features over five judged years, whether funds move together or not: 1 % of months may shift, 5 % be watched.
    verdicts = judged(drift(*panel(1, common=common)))["verdict"]
    assert len(verdicts) > 2000
    assert (verdicts == "shift").mean() <= 0.01
    assert (verdicts != "stable").mean() <= 0.05


def test_without_the_effective_size_funds_that_move_together_would_alarm():
    made = judged(drift(*panel(1, common=0.3)))
    assert (made["psi"] >= 0.25).mean() > 0.2
    assert made["effective_funds"].between(2, 5).mean() > 0.9  # truth: 1 / (0.3 + 0.7 / 60) = 3.2


@pytest.mark.parametrize(("common", "shift"), [(0.0, 1.0), (0.3, 3.0)])
def test_a_planted_shift_is_found_and_its_beginning_dated(common, shift):
    made = judged(drift(*panel(2, common=common, shift=shift)))
    late = made["month"] >= "2018-12-01"
    # 60 funds that share 30 % of variance are worth three: one month of them convinces less, however far it lies.
    assert (made.loc[late, "verdict"] != "stable").mean() > 0.9
    assert (made.loc[late, "verdict"] == "shift").mean() > (0.9 if common == 0 else 0.5)
    assert (made.loc[~late, "verdict"] == "shift").mean() <= 0.01


def test_the_numbers_are_those_of_the_month_and_of_earlier_years():
    features, membership = panel(3, months=40)
    made = drift(features, membership)
    row = made[(made["feature"] == "rsi_14") & (made["month"] == "2014-03-01")].iloc[0]
    month = features["session"].dt.to_period("M")
    now = features.loc[month == "2014-03", "rsi_14"].to_numpy()
    before = features.loc[month < "2014-01", "rsi_14"].to_numpy()
    edges = np.quantile(before, np.arange(1, 10) / 10)
    a, b = (np.histogram(x, [-np.inf, *edges, np.inf])[0] / len(x) for x in (now, before))
    a = np.maximum(a, 0.5 / len(now))
    assert row["psi"] == pytest.approx(np.sum((a - b) * np.log(a / b)), rel=1e-9)
    assert row["ks"] == pytest.approx(stats.ks_2samp(now, before).statistic, rel=1e-12)
    assert (row["mean"], row["reference_sd"]) == pytest.approx((now.mean(), before.std(ddof=1)))
    assert row["session"] == pd.Timestamp("2014-04-30")
    assert row["funds"] == 60


def test_the_p_value_is_kolmogorovs():
    for gap, size in ((0.1, 50.0), (0.2, 50.0), (0.05, 900.0)):
        assert kolmogorov_p(gap, size) == pytest.approx(stats.kstwo.sf(gap, int(size)), abs=0.015)
    assert kolmogorov_p(0.01, 2.0) == 1.0


def test_a_constant_feature_that_begins_to_vary_has_shifted():
    features, membership = panel(4, months=60)
    features["idle_63"] = np.where(features["session"] < "2016-06-01", 0.0, features["idle_63"].abs())
    made = judged(drift(features, membership)).query("feature == 'idle_63'").set_index("month")["verdict"]
    assert (made.loc[:"2016-05-01"] == "stable").all()
    assert (made.loc["2016-06-01":"2016-11-01"] == "shift").all()


def test_missing_values_and_other_funds_than_members_are_told_apart():
    features, membership = panel(5, months=40)
    features.loc[features["ticker"] < "F15", "rsi_14"] = np.nan
    features.loc[features["ticker"] >= "F50", "rsi_14"] = 1e9
    made = drift(features, membership.assign(member=membership["ticker"] < "F50"))
    rows = made[made["feature"] == "rsi_14"]
    assert rows["missing"].to_numpy() == pytest.approx(0.3)
    assert rows["mean"].max() < 10
    assert set(rows["funds"]) == {50}


def test_a_short_past_judges_nothing_and_keeps_the_contract():
    made = drift(*panel(6, months=20))
    assert set(made["verdict"]) == {"unknown"}
    table = TABLES["feature_drift"]
    table.check(table.to_arrow(made))
    assert drift(*panel(6, months=20), DriftParameters(min_months=10))["psi"].notna().any()


@pytest.mark.parametrize("cut", ["2015-12-31", "2016-06-30"])
def test_a_row_never_changes_when_the_future_does(cut):
    features, membership = panel(7, months=60)
    whole = drift(features, membership)
    table = TABLES["feature_drift"]
    table.check(table.to_arrow(whole))
    known = whole[whole["session"] <= cut].reset_index(drop=True)
    past = features["session"] <= cut
    truncated = drift(features[past], membership[past])
    poisoned = features.copy()
    poisoned.loc[~past, NAMES] = 1e100
    later = drift(poisoned, membership)
    for made in (truncated, later[later["session"] <= cut]):
        assert_frame_equal(made.reset_index(drop=True), known, check_exact=True)
