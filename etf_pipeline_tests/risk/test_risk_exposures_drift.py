"""Drift is found where a loading moved, not where it stood still, and not where it moves every year."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from risk_exposure_samples import etf_table, factor_table, return_table, session_table, steady

from etf_pipeline import calendars
from etf_pipeline.errors import SettingsError
from etf_pipeline.risk.exposures import FACTORS, DriftParameters, style_drift
from etf_pipeline.risk.exposures.drift import Fits, distances, freedom, movement, p_values
from etf_pipeline_tests.prove import factor_exposures_study

DAYS = calendars.sessions("XNYS", "2014-01-02", "2018-12-31")
SHARES = [1.0, 0.3, 0.2, 0.0, 0.0, 0.0]


def moving(factors: pd.DataFrame, moves: dict[str, float], seed: int) -> pd.Series:
    """A fund whose value loading changes by so much from each day on."""
    table = factors.pivot(index="session", columns="factor", values="value")
    extra = sum((table["HML"].where(table.index >= day, 0.0) * size for day, size in moves.items()), 0.0 * table["HML"])
    return steady(factors, SHARES, seed) + extra


@pytest.fixture(scope="module")
def market() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    factors = factor_table(DAYS)
    swings = {f"{year}-11-01": (-1.0) ** year * 0.8 for year in range(2014, 2018)}
    funds = {f"S{i}": steady(factors, SHARES, seed=10 + i) for i in range(8)}
    funds |= {
        "MOVES": moving(factors, {"2017-11-01": 0.5}, seed=1),
        "SWINGS": moving(factors, swings, seed=2),
        "BOND": steady(factors, [0.01] + [0.0] * 5, seed=3),
        "TINY": steady(factors, SHARES, seed=4, noise=0.001)
        + moving(factors, {"2017-11-01": 0.02}, 5)
        - steady(factors, SHARES, 5),
        "YOUNG": steady(factors, SHARES, seed=6).loc["2017-06-01":],
    }
    etfs = etf_table(dict.fromkeys(funds, ("equity", "Large Blend")))
    return return_table(funds), factors, etfs, session_table(DAYS)


@pytest.fixture(scope="module")
def newest(market) -> pd.DataFrame:
    drift = style_drift(*market)
    return drift[drift["session"] == drift["session"].max()].set_index("ticker")


def test_a_loading_that_moved_raises_an_alarm_that_names_it_and_says_from_where_to_where(newest):
    row = newest.loc["MOVES"]
    assert row["alarm"]
    assert row["moved_factor"] == "HML"
    assert row["loading_before"] == pytest.approx(0.2, abs=0.1)
    assert row["loading_now"] == pytest.approx(0.7, abs=0.12)
    assert row["reason"].startswith("drift: HML +0.")
    # Moving 0.5 of a factor with 9 % of its own a year makes a tracking error of about 4 to 6 % beside correlated ones.
    assert 0.02 < row["distance"] < 0.08


def test_steady_funds_raise_none(newest):
    # Eight funds, one session, 5 % for any of them by Holm's correction.
    assert not newest.loc[[f"S{i}" for i in range(8)], "alarm"].any()


def test_a_fund_whose_loading_swings_every_year_raises_none_by_swinging_once_more(newest):
    row = newest.loc["SWINGS"]
    assert row["habit"] > 5
    assert row["statistic"] > 5
    assert not row["alarm"]


def test_a_move_without_weight_is_certain_and_no_alarm(newest):
    row = newest.loc["TINY"]
    assert row["p_holm"] < 0.05
    assert row["distance"] < 0.02
    assert not row["alarm"]
    assert row["reason"].startswith("certain, but too small to matter: HML")


def test_a_fund_that_share_factors_do_not_explain_is_not_tested_and_a_young_one_not_listed(newest):
    row = newest.loc["BOND"]
    assert np.isnan(row["p"])
    assert np.isnan(row["statistic"])
    assert not row["alarm"]
    assert row["reason"] == "not tested: share factors explain too little"
    assert "YOUNG" not in newest.index
    assert (newest["n_tests"] == newest["p"].notna().sum()).all()


@pytest.mark.parametrize("mode", ["truncate", "poison"])
def test_drift_does_not_read_the_future(market, mode):
    returns, factors, etfs, sessions = market
    cut = "2018-05-31"
    later = returns["session"] > cut
    unpublished = factors["available_at"] > sessions.set_index("session").loc[cut, "closes_at"]
    if mode == "truncate":
        other = returns[~later], factors[~unpublished]
    else:
        absurd = np.resize([1e6, -0.99, np.nan, np.inf], len(returns))
        other = (
            returns.assign(total_return=returns["total_return"].where(~later, absurd)),
            factors.assign(value=factors["value"].where(~unpublished, 1e5)),
        )
    one, two = (
        frame[frame["session"] <= cut].reset_index(drop=True)
        for frame in (style_drift(*market), style_drift(*other, etfs, sessions))
    )
    assert len(one)
    pd.testing.assert_frame_equal(one, two, rtol=1e-12, atol=0)


def test_a_night_that_reads_only_the_look_back_gives_the_same_bits(market):
    returns, factors, etfs, sessions = market
    parameters = DriftParameters(max_lag=60)
    whole = style_drift(*market, parameters)
    since = pd.Timestamp("2018-10-01")
    first = DAYS[DAYS.searchsorted(since) - parameters.lookback]
    night = style_drift(*(f[f["session"] >= first] for f in (returns, factors)), etfs, sessions, parameters, whole[:0])
    later = [frame[frame["session"] >= since].reset_index(drop=True) for frame in (whole, night)]
    assert len(later[0])
    assert first > DAYS[0]
    pd.testing.assert_frame_equal(*later, check_exact=True)


def test_without_factors_there_are_no_rows(market):
    returns, factors, etfs, sessions = market
    assert style_drift(returns, factors[:0], etfs, sessions).empty


def test_movement_by_hand():
    # Two factors, unit covariances, three windows at 0, 1 and 2: mean 1 with variance 1/3, Q = 2 per factor.
    one = np.broadcast_to(np.eye(2), (3, 1, 2, 2)).copy()
    old = Fits(np.full((3, 1), 9), np.arange(3.0)[:, None, None] * np.ones((3, 1, 2)), one, np.full((3, 1), 0.9))
    now = Fits(np.array([9]), np.array([[5.0, 1.0]]), np.eye(2)[None], np.array([0.9]))
    found = movement(now, old)
    np.testing.assert_allclose(found.before, [[1.0, 1.0]])
    np.testing.assert_allclose(found.statistic, [16.0 / (4.0 / 3.0) / 2.0])
    np.testing.assert_allclose(found.dispersion, [4.0 / 4.0])
    fewer = movement(now, replace(old, n=np.array([[9], [0], [9]])))  # windows at 0 and 2 only
    np.testing.assert_allclose(fewer.dispersion, [4.0 / 2.0])


def test_distances_are_annual_tracking_errors():
    moments = np.diag(np.full(6, 0.01**2))[None]
    difference = np.array([[0.5, 0, 0, 0, 0, 0]])
    np.testing.assert_allclose(distances(difference, np.array([0]), moments), [0.5 * 0.01 * np.sqrt(252)])


def test_p_values_are_uniform_where_nothing_moves():
    # 3,000 steady funds with known Gaussian noise: 5 % of p below 5 %, of which the standard error is 0.4 %.
    rng = np.random.default_rng(11)
    n, k, funds = 252, len(FACTORS), 3000
    covariance = np.broadcast_to(np.eye(k) / n, (funds, k, k))
    now = Fits(np.full(funds, n), rng.normal(0, 1 / np.sqrt(n), (funds, k)), covariance, np.full(funds, 0.9))
    old = Fits(
        np.full((3, funds), n),
        rng.normal(0, 1 / np.sqrt(n), (3, funds, k)),
        np.broadcast_to(covariance, (3, funds, k, k)),
        np.full((3, funds), 0.9),
    )
    moved = movement(now, old)
    assert abs(moved.dispersion.mean() - 1.0) < 0.03
    share = (p_values(moved.statistic, now.n) < 0.05).mean()
    assert 0.02 < share < 0.06  # errors are known here, and the F distribution allows for their being estimated


def test_a_market_of_the_study_has_tests_of_the_size_that_it_states():
    from etf_pipeline.providers.simulated import SimulatedMarket

    tests, _ = factor_exposures_study.alarms(SimulatedMarket("demo", seed=3001).fetch(), np.random.default_rng(1))
    assert len(tests) == 40
    assert (tests["p"] < 0.05).mean() <= 0.2  # 40 tests at 5 %: more than 8 of them has a chance of 1 in 2,000


def test_more_lags_leave_fewer_degrees_of_freedom():
    n = np.array([252])
    assert freedom(n, 4) == freedom(n) == pytest.approx(1.5 * 252 / 5 - 5)
    assert freedom(n, 20) == pytest.approx(1.5 * 252 / 21 - 5)
    assert p_values(np.array([2.5]), n, 20) > p_values(np.array([2.5]), n)


def test_one_earlier_window_cannot_tell_how_much_loadings_usually_move():
    with pytest.raises(SettingsError, match="2 <= min_windows <= earlier"):
        DriftParameters(min_windows=1)
