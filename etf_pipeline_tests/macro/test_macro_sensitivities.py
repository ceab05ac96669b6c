"""Sensitivities: the batch regression against one fund at a time, shrinkage by hand, and planted answers found again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etf_pipeline import calendars
from etf_pipeline.macro import DIMENSIONS, SensitivityParameters, macro_sensitivities
from etf_pipeline.macro.hac import standardised_slopes
from etf_pipeline.macro.priors import PRIORS, UNIT, prior
from etf_pipeline.regression import ols
from etf_pipeline.schemas import TABLES

SESSIONS = calendars.sessions("XNYS", "2010-01-04", "2019-12-31")
ENDS = calendars.month_ends(SESSIONS, "XNYS")


def world(true: dict[str, float], seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Months, state and profile of sector funds whose returns answer to credit shocks with these correlations."""
    rng = np.random.default_rng(seed)
    shock = rng.normal(0, 1, len(ENDS))
    state = pd.DataFrame({"session": np.tile(ENDS, len(DIMENSIONS)), "dimension": np.repeat(list(DIMENSIONS), len(ENDS))})
    state["shock"] = np.where(state["dimension"] == "credit", np.tile(shock, len(DIMENSIONS)), np.nan)
    frames = [
        pd.DataFrame(
            {
                "session": ENDS,
                "ticker": ticker,
                "excess_return": 0.05 * (rho * shock + np.sqrt(1 - rho**2) * rng.normal(0, 1, len(ENDS))),
            }
        )
        for ticker, rho in true.items()
    ]
    months = pd.concat(frames, ignore_index=True)
    profile = months[["session", "ticker"]].assign(sub_class="domestic_sector", duration_bucket=None)
    return months, state, profile


@given(seed=st.integers(0, 10_000), n=st.integers(12, 150), gap=st.integers(0, 8))
@settings(max_examples=30, deadline=None)
def test_a_batch_equals_one_regression_at_a_time(seed, n, gap):
    rng = np.random.default_rng(seed)
    shock, y = rng.normal(0, 2, n), rng.normal(0.01, 0.05, (n, 3))
    y[:, 0] += 0.02 * shock
    y[:gap, 1] = np.nan
    slopes, errors, counts = standardised_slopes(y, shock)
    for j in range(3):
        known = np.isfinite(y[:, j])
        a, b = y[known, j], shock[known]
        a, b = (a - a.mean()) / a.std(), (b - b.mean()) / b.std()
        fit = ols(a, np.column_stack([np.ones(len(a)), b]), correct=True)
        assert counts[j] == known.sum()
        assert slopes[j] == pytest.approx(fit.coefficients[1], rel=1e-9, abs=1e-12)
        assert errors[j] == pytest.approx(fit.errors[1], rel=1e-9)


def test_what_never_moves_has_no_slope():
    slopes, errors, counts = standardised_slopes(np.full((30, 1), 0.01), np.random.default_rng(0).normal(size=30))
    assert np.isnan(slopes[0])
    assert np.isnan(errors[0])
    assert counts[0] == 30


def test_the_plan_s_multiples():
    assert prior("government", "intermediate", "rates") == pytest.approx(-1.5 * UNIT)
    assert PRIORS["domestic_large"]["credit"] / PRIORS["domestic_sector"]["credit"] == pytest.approx(0.8)
    assert PRIORS["emerging_equity"]["geopolitics"] / PRIORS["domestic_sector"]["geopolitics"] == pytest.approx(1.3)
    assert PRIORS["emerging_equity"]["dollar"] == pytest.approx(-2.0 * UNIT)
    assert PRIORS["inverse"]["credit"] == -PRIORS["domestic_sector"]["credit"]
    assert all(value == 0 for value in PRIORS["unknown"].values())
    durations = [prior("government", bucket, "rates") for bucket in ("ultrashort", "short", "intermediate", "long")]
    assert durations == sorted(durations, reverse=True)


def test_what_hurts_long_bonds_helps_a_fund_that_is_short_of_them():
    for dimension in DIMENSIONS:
        assert prior("inverse", "long", dimension) == -prior("government", "long", dimension)
    assert prior("inverse", "long", "rates") > 0 > prior("government", "long", "rates")


def test_what_a_dollar_does_is_presumed_only_where_returns_are_counted_in_dollars():
    months, state, profile = world({"F0": -0.9})
    at_home, abroad = (
        macro_sensitivities(months, state, profile, SensitivityParameters(exchange=exchange)) for exchange in ("XNYS", "XASX")
    )
    assert (at_home.loc[at_home["dimension"] == "dollar", "prior"] != 0).any()
    assert (abroad.loc[abroad["dimension"] == "dollar", ["prior", "shrunk"]] == 0).all(axis=None)
    others = [table[table["dimension"] == "rates"].groupby("subject")["prior"].first() for table in (at_home, abroad)]
    pd.testing.assert_series_equal(*others)


def test_planted_answers_are_found_again():
    true = {f"F{i}": rho for i, rho in enumerate(np.linspace(-0.9, 0.3, 25))}
    months, state, profile = world(true)
    table = macro_sensitivities(months, state, profile)
    last = table[(table["session"] == table["session"].max()) & (table["dimension"] == "credit") & (table["kind"] == "fund")]
    found = last.set_index("subject").loc[list(true)]
    # 120 months: a correlation's error is at most 1 / sqrt(118) = 0.092; 25 normal errors exceed 4 of them once in 600 worlds
    assert np.abs(found["shrunk"] - list(true.values())).max() < 4 * 0.092
    rms = {name: float(np.sqrt(((found[name] - list(true.values())) ** 2).mean())) for name in ("shrunk", "prior")}
    assert rms["shrunk"] < 0.4 * rms["prior"]
    assert found["weight"].between(0.8, 1.0).all()  # funds differ far more than errors


def test_alike_funds_shrink_to_their_class_and_gain_by_it():
    # the true answer of all is -0.5: their own estimates differ by chance only, and the mean of 20 is nearer in nearly all
    wins = 0
    for seed in range(20):
        months, state, profile = world({f"F{i}": -0.5 for i in range(20)}, seed)
        months = months[months["session"] >= "2016-12-01"]
        table = macro_sensitivities(months, state, profile)
        last = table[(table["session"] == table["session"].max()) & (table["dimension"] == "credit") & (table["kind"] == "fund")]
        wins += ((last["shrunk"] + 0.5) ** 2).mean() < ((last["estimate"] + 0.5) ** 2).mean()
        assert last["weight"].mean() < 0.5
    assert wins >= 18


def test_shrinkage_is_the_mean_by_precision():
    months, state, profile = world({f"F{i}": -0.6 for i in range(6)})
    table = macro_sensitivities(months, state, profile, SensitivityParameters(prior_sd=0.1))
    row = table[(table["subject"] == "domestic_sector") & (table["dimension"] == "credit")].iloc[-1]
    weight = 0.01 / (0.01 + row["error"] ** 2)
    assert row["prior"] == PRIORS["domestic_sector"]["credit"]
    assert row["weight"] == pytest.approx(weight)
    assert row["shrunk"] == pytest.approx(weight * row["estimate"] + (1 - weight) * row["prior"])


def test_without_shocks_or_with_few_months_the_prior_stands():
    months, state, profile = world({"F0": -0.9})
    table = macro_sensitivities(months, state, profile, SensitivityParameters(min_months=24))
    first = table[(table["session"] == table["session"].min()) | (table["dimension"] != "credit")]
    assert (first["shrunk"] == first["prior"]).all()
    assert first["estimate"].isna().all()
    assert (first["weight"] == 0).all()
    TABLES["macro_sensitivities"].check(TABLES["macro_sensitivities"].to_arrow(table))


def test_a_year_s_end_reads_nothing_after_it():
    months, state, profile = world({f"F{i}": -0.4 for i in range(5)})
    whole = macro_sensitivities(months, state, profile)
    cut = pd.Timestamp("2015-06-30")
    poisoned = months.assign(excess_return=months["excess_return"].where(months["session"] <= cut, 1e9))
    shocked = state.assign(shock=state["shock"].where(state["session"] <= cut, -1e9))
    for past in (
        (poisoned, shocked, profile),
        tuple(table[table["session"] <= cut] for table in (months, state, profile)),
    ):
        found = macro_sensitivities(*past)
        early, again = (t[t["session"] <= cut].reset_index(drop=True) for t in (whole, found))
        pd.testing.assert_frame_equal(early, again, rtol=1e-12)
    assert set(whole["session"].dt.month) == {12}


def test_before_a_year_has_ended_there_is_none():
    months, state, profile = world({"F0": -0.4})
    young = tuple(table[table["session"] < "2010-12-01"] for table in (months, state, profile))
    assert macro_sensitivities(*young).empty


def test_a_mean_that_moves_more_than_one_deviation_answers_no_more_than_wholly() -> None:
    shock = np.sin(np.arange(40.0))
    slopes, _, _ = standardised_slopes(3.0 * shock[:, None], shock, scaled=False)
    assert slopes.tolist() == [1.0]
