"""Estimators followed from month to month: figures by hand, outcomes by second implementations, tests of known size."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from risk_samples import SESSIONS, garch_returns, returns_frame
from scipy.optimize import nnls
from scipy.stats import multivariate_normal

from etf_pipeline.risk import StabilityParameters, covariance_stability, covariance_tests
from etf_pipeline.risk.covariance.minimum_variance import long_only_minimum_variance, minimum_variance
from etf_pipeline.risk.covariance.stability import Spectrum, judged, spectrum, subspace_angle
from etf_pipeline.schemas import TABLES

PARAMETERS = StabilityParameters(window=250, leading=2)
ENDS = pd.DatetimeIndex(pd.Series(SESSIONS).groupby(SESSIONS.to_period("M")).max())


@pytest.fixture(scope="module")
def market() -> dict[str, pd.DataFrame]:
    common = garch_returns(len(SESSIONS), seed=70)
    funds = {f"F{k}": (common * (0.5 + 0.2 * k) + garch_returns(len(SESSIONS), seed=71 + k)) / 100 for k in range(6)}
    funds["NEW"] = funds["F0"][-400:] + 0.001
    returns = returns_frame(funds)
    rng = np.random.default_rng(1)
    factors = pd.DataFrame(
        [
            (day, name, 0.01 * rng.standard_normal())
            for day in SESSIONS
            for name in ("MKT_RF", "SMB", "HML", "RMW", "CMA", "MOM", "RF")
        ],
        columns=["session", "factor", "value"],
    )
    after = factors["session"] + pd.offsets.MonthEnd(0) + pd.Timedelta(days=40)
    return {
        "returns": returns,
        "membership": returns[["session", "ticker"]].assign(member=True, mean_traded_value=1.0),
        "volatilities": returns[["session", "ticker"]].assign(volatility=0.2),
        "factors": factors.assign(available_at=after.dt.tz_localize("UTC")),
    }


def followed(market: dict[str, pd.DataFrame], parameters: StabilityParameters = PARAMETERS) -> pd.DataFrame:
    given = {name: market[name] for name in ("volatilities", "factors")}
    ends = ENDS[market["returns"]["session"].max() >= ENDS]
    return covariance_stability(market["returns"], market["membership"], ends, parameters, **given)


@pytest.fixture(scope="module")
def table(market) -> pd.DataFrame:
    return followed(market)


def test_the_table_meets_its_contract_with_a_row_for_each_estimator_and_month(table):
    contract = TABLES["covariance_stability"]
    contract.check(contract.to_arrow(table))
    assert set(table["estimator"]) == set(PARAMETERS.estimators)
    assert (table.groupby("session").size() == len(PARAMETERS.estimators)).all()
    assert table["session"].min() == ENDS[12 - 1]  # 252 sessions by then
    assert table["session"].max() == ENDS[-2]


def test_a_row_is_known_when_the_month_that_judges_it_is_over(table):
    following = dict(itertools.pairwise(ENDS))
    assert (table["realised_session"] == table["session"].map(following)).all()
    assert (
        table["available_at"].dt.tz_convert("America/New_York").dt.tz_localize(None).dt.normalize() == table["realised_session"]
    ).all()
    assert (table["available_at"].dt.tz_convert("America/New_York").dt.hour.isin([13, 16])).all()


def test_all_estimators_are_judged_on_the_same_complete_funds(table):
    assert (table.groupby("session")["n_assets"].nunique() == 1).all()
    assert set(table["n_assets"]) == {6, 7}  # NEW joins once its window is full
    newest = table[(table["session"] == ENDS[-2]) & (table["estimator"] == "fama_french_factor")]
    assert 190 < newest["n_sessions"].iloc[0] < 250  # the rest of the factors was not released by then


def test_outcomes_are_those_of_a_second_implementation(market, table):
    wide = market["returns"].pivot(index="session", columns="ticker", values="total_return")
    row = table[(table["session"] == ENDS[20]) & (table["estimator"] == "sample")].iloc[0]
    funds = [f"F{k}" for k in range(6)]
    past = wide.loc[: ENDS[20], funds].tail(250)
    month = wide.loc[ENDS[20] + pd.Timedelta(days=1) : ENDS[21], funds]
    matrix = past.cov(ddof=0).to_numpy()
    weights = np.linalg.inv(matrix).sum(axis=1) / np.linalg.inv(matrix).sum()
    assert row["expected_volatility"] == pytest.approx(np.sqrt(252 / np.linalg.inv(matrix).sum()), rel=1e-9)
    assert row["min_variance_volatility"] == pytest.approx(np.sqrt(252) * (month @ weights).std(), rel=1e-9)
    assert row["gross_exposure"] == pytest.approx(np.abs(weights).sum(), rel=1e-9)
    likelihood = multivariate_normal(np.zeros(6), matrix).logpdf(month.to_numpy()).mean() / 6
    assert row["log_likelihood"] == pytest.approx(likelihood, rel=1e-9)
    scaled = past / past.std(ddof=0)
    root = np.linalg.cholesky(scaled.cov(ddof=0).to_numpy())
    held = nnls(root.T, np.linalg.solve(root, np.ones(6)))[0]
    geared = (month / past.std(ddof=0)) @ (held / held.sum())
    assert row["balanced_volatility"] == pytest.approx(geared.std(), rel=1e-7)
    eigenvalues = np.linalg.eigvalsh(past.corr().to_numpy())
    assert row["condition_number"] == pytest.approx(eigenvalues[-1] / eigenvalues[0], rel=1e-9)
    assert row["first_share"] == pytest.approx(eigenvalues[-1] / 6, rel=1e-9)


def test_changes_are_from_the_month_before(table):
    rows = table[table["estimator"] == "ledoit_wolf"].sort_values("session")
    assert rows[["first_share_change", "leading_angle"]].iloc[0].isna().all()
    np.testing.assert_allclose(rows["first_share_change"].iloc[1:], rows["first_share"].diff().iloc[1:], atol=1e-12)


def test_an_estimator_without_its_inputs_has_no_rows(market):
    alone = covariance_stability(market["returns"], market["membership"], ENDS, PARAMETERS)
    assert set(PARAMETERS.estimators) - set(alone["estimator"]) == {"fama_french_factor", "vol_times_correlation"}


def test_a_history_too_short_for_the_window_gives_an_empty_table_of_the_contract(market):
    empty = followed(market, StabilityParameters(window=5000))
    assert TABLES["covariance_stability"].to_arrow(empty).num_rows == 0
    assert TABLES["covariance_tests"].to_arrow(covariance_tests(empty)).num_rows == 0


def test_the_angle_between_subspaces_is_known_by_hand():
    """A plane turned about one of its axes by 0.3 radians."""
    funds, plane = np.arange(4), np.eye(4)[:, :2]
    turned = plane.copy()
    turned[:, 1] = [0, np.cos(0.3), np.sin(0.3), 0]
    one, other = (Spectrum(1.0, 1.0, 1.0, leading, funds) for leading in (plane, turned))
    assert subspace_angle(one, other) == pytest.approx(0.3, abs=1e-9)
    assert subspace_angle(one, one) == pytest.approx(0.0, abs=1e-7)
    assert np.isnan(subspace_angle(one, Spectrum(1.0, 1.0, 1.0, plane, funds + 3)))


def test_effective_rank_counts_equal_sources_of_risk():
    blocks = np.kron(np.eye(3), np.full((2, 2), 1.0 - 1e-12)) + 1e-12 * np.eye(6)
    assert spectrum(blocks, np.arange(6), 1).effective_rank == pytest.approx(3.0, rel=1e-6)


def test_a_fund_that_ends_in_the_month_is_sold_and_judged_no_further():
    rng = np.random.default_rng(0)
    past, month = 0.01 * rng.standard_normal((100, 3)), 0.01 * rng.standard_normal((20, 3))
    month[10:, 2] = np.nan
    matrix = np.cov(past, rowvar=False)
    found = judged(matrix, past, month)
    weights = minimum_variance(matrix)
    assert found.min_variance_volatility == pytest.approx(np.sqrt(252) * (np.nan_to_num(month) @ weights).std(ddof=1))
    assert found.log_likelihood == pytest.approx(multivariate_normal(np.zeros(2), matrix[:2, :2]).logpdf(month[:, :2]).mean() / 2)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 40), ratio=st.floats(1.1, 4), factor=st.floats(0, 4))
@settings(max_examples=100, deadline=None)
def test_the_long_only_portfolio_is_that_of_least_squares(seed, n, ratio, factor):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((int(ratio * n) + 2, n)) * rng.uniform(0.1, 3, n) + factor * rng.standard_normal(
        (int(ratio * n) + 2, 1)
    )
    matrix = np.atleast_2d(np.cov(x, rowvar=False))
    ours, root = long_only_minimum_variance(matrix), np.linalg.cholesky(matrix)
    theirs = nnls(root.T, np.linalg.solve(root, np.ones(n)))[0]
    theirs /= theirs.sum()
    assert ours.min() >= 0
    assert ours.sum() == pytest.approx(1.0)
    assert ours @ matrix @ ours <= theirs @ matrix @ theirs * (1 + 1e-9)


def stability_of(logs: dict[str, np.ndarray]) -> pd.DataFrame:
    months = pd.date_range("2000-01-31", periods=len(next(iter(logs.values()))), freq="ME")
    frames = [
        pd.DataFrame(
            {
                "session": months,
                "estimator": name,
                "min_variance_volatility": np.exp(values),
                "balanced_volatility": np.exp(values),
                "log_likelihood": -values,
            }
        )
        for name, values in logs.items()
    ]
    return pd.concat(frames, ignore_index=True)


def test_verdicts_say_better_worse_and_no_difference_as_planted():
    rng = np.random.default_rng(3)
    common = np.cumsum(0.1 * rng.standard_normal(200))
    logs = {
        name: common + shift + 0.1 * rng.standard_normal(200)
        for name, shift in (("sample", 0), ("good", -0.05), ("bad", 0.3), ("same", 0))
    }
    found = covariance_tests(stability_of(logs)).set_index(["estimator", "measure"])["verdict"].unstack()
    assert set(found.loc["good"]) == {"better"}
    assert set(found.loc["bad"]) == {"worse"}
    assert set(found.loc["same"]) == {"no_difference"}
    assert set(found.loc["sample"]) == {"reference"}


def test_a_record_of_less_than_three_years_decides_nothing():
    rng = np.random.default_rng(4)
    logs = {name: rng.standard_normal(35) + shift for name, shift in (("sample", 0), ("good", -5))}
    found = covariance_tests(stability_of(logs))
    assert set(found["verdict"]) == {"reference", "insufficient"}
    assert found["p"].isna().all()


def test_equal_estimators_are_rarely_told_apart():
    """200 tables of three tests on equal estimators: a false verdict in at most 18 (9 %); at the stated 5 % a run exceeds that
    less than 1 % of the time. By the normal law it would on most runs, and without Holm's correction about 28 tables have one."""
    rng, false = np.random.default_rng(5), 0
    for _ in range(200):
        noise = rng.standard_normal((4, 120))
        logs = {"sample": noise[0], "other": noise[1], "third": noise[2], "fourth": noise[3]}
        table = stability_of(logs)
        table["balanced_volatility"] = table["log_likelihood"] = np.nan
        false += bool(covariance_tests(table)["verdict"].isin(["better", "worse"]).any())
    assert false <= 18


def test_a_single_test_on_few_months_keeps_its_size():
    """600 records of 48 months without a difference at 5 %: 12 to 48 rejections (2 to 8 %) hold but for 1 run in 1,000; by the
    normal law 13 % were rejected."""
    rng, false = np.random.default_rng(6), 0
    for _ in range(600):
        table = stability_of(dict(zip(("sample", "other"), rng.standard_normal((2, 48)), strict=True)))
        table["balanced_volatility"] = table["log_likelihood"] = np.nan
        tested = covariance_tests(table).query("estimator == 'other' and measure == 'min_variance_volatility'").iloc[0]
        false += tested["p"] < 0.05
        assert (tested["p"] < 0.05) == (not tested["difference_low"] <= 0.0 <= tested["difference_high"])
    assert 12 <= false <= 48


@pytest.mark.parametrize("cut", ["2017-03-31", "2018-07-16"])
@pytest.mark.parametrize("change", ["truncate", "poison"])
def test_stability_rows_do_not_change_with_what_comes_after_they_are_known(market, table, change, cut):
    day, absurd = pd.Timestamp(cut), np.random.default_rng(9)
    later = dict(market)
    for name, column in (("returns", "total_return"), ("volatilities", "volatility"), ("membership", "mean_traded_value")):
        frame = market[name]
        if change == "truncate":
            later[name] = frame[frame["session"] <= day]
        else:
            wild = frame[column] * np.exp(absurd.normal(0, 2, len(frame)))
            later[name] = frame.assign(**{column: frame[column].where(frame["session"] <= day, wild)})
    factors = market["factors"]
    wild_factors = np.exp(absurd.normal(0, 2, len(factors)))
    known = factors["available_at"] <= day.tz_localize("UTC") + pd.Timedelta(hours=21)
    later["factors"] = (
        factors[known] if change == "truncate" else factors.assign(value=factors["value"] * np.where(known, 1, wild_factors))
    )
    again = followed(later)
    one, other = (frame[frame["realised_session"] <= day].reset_index(drop=True) for frame in (table, again))
    assert len(one) > 8
    pd.testing.assert_frame_equal(one, other, rtol=1e-12, atol=0)
