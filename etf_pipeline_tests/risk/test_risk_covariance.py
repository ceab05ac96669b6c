"""Covariances of the members at each rebalance session: the sample, who is in it, and the two tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from risk_samples import SESSIONS, garch_returns, returns_frame
from sklearn import covariance as peer

from etf_pipeline.errors import DataError, SettingsError
from etf_pipeline.risk import CovarianceParameters, covariances
from etf_pipeline.schemas import TABLES

ENDS = pd.DatetimeIndex(["2017-12-29", "2018-06-29", "2019-12-31"])
TICKERS = ["AAA", "BBB", "CCC", "DDD", "NEW"]
DROP = CovarianceParameters(unequal_histories="drop")


@pytest.fixture(scope="module")
def returns() -> pd.DataFrame:
    market = garch_returns(len(SESSIONS), seed=40)
    funds = {t: (market + garch_returns(len(SESSIONS), seed=41 + k)) / 100 for k, t in enumerate(TICKERS)}
    funds["NEW"] = funds["NEW"][-600:]
    return returns_frame(funds)


def members(returns: pd.DataFrame, *tickers: str) -> pd.DataFrame:
    return returns[["session", "ticker"]].assign(member=returns["ticker"].isin(tickers or TICKERS))


def matrix(frame: pd.DataFrame, session: pd.Timestamp) -> pd.DataFrame:
    square = frame[frame["session"] == session].pivot(index="ticker_1", columns="ticker_2", values="covariance")
    return square.combine_first(square.T)


def test_both_tables_meet_their_contracts(returns):
    for name, frame in zip(("covariances", "covariance_health"), covariances(returns, members(returns), ENDS), strict=True):
        TABLES[name].check(TABLES[name].to_arrow(frame))


def test_each_session_uses_its_last_504_returns_annualised(returns):
    table, health = covariances(returns, members(returns), ENDS, DROP)
    wide = returns.pivot(index="session", columns="ticker", values="total_return")
    for session, names in zip(ENDS, (TICKERS[:4], TICKERS[:4], TICKERS), strict=True):
        sample = wide.loc[:session, names].tail(504).to_numpy()
        scale = sample.std(axis=0)
        scaled, shrinkage = peer.ledoit_wolf(sample / scale)
        expected = scaled * np.outer(scale, scale)
        found = matrix(table, session)
        assert list(found) == names
        np.testing.assert_allclose(found, 252 * expected, rtol=1e-12)
        row = health.set_index("session").loc[session]
        assert row["shrinkage"] == pytest.approx(shrinkage)
        assert row["condition_number"] == pytest.approx(np.linalg.cond(expected))
        assert row[["n_assets", "n_sessions", "excluded"]].tolist() == [len(names), 504, 5 - len(names)]


def test_shrinkage_leaves_a_calm_fund_its_volatility(returns):
    calm = returns.assign(total_return=returns["total_return"].where(returns["ticker"] != "AAA", returns["total_return"] / 50))
    table, _ = covariances(calm, members(calm), ENDS)
    sample = calm[(calm["ticker"] == "AAA") & (calm["session"] <= ENDS[0])]["total_return"].tail(504)
    assert matrix(table, ENDS[0]).loc["AAA", "AAA"] == pytest.approx(252 * sample.var(ddof=0), rel=1e-12)


def test_only_the_upper_triangle_is_kept_in_order(returns):
    table, _ = covariances(returns, members(returns), ENDS, DROP)
    assert (table["ticker_1"] <= table["ticker_2"]).all()
    assert len(table) == 10 + 10 + 15
    assert (table.loc[table["ticker_1"] == table["ticker_2"], "covariance"] > 0).all()


def test_funds_that_are_no_members_that_session_are_left_out(returns):
    some = members(returns, "AAA", "CCC")
    some.loc[some["session"] == ENDS[2], "member"] = some["ticker"] != "BBB"
    table, health = covariances(returns, some, ENDS)
    assert list(matrix(table, ENDS[0])) == ["AAA", "CCC"]
    assert list(matrix(table, ENDS[2])) == ["AAA", "CCC", "DDD", "NEW"]
    assert health["excluded"].tolist() == [0, 0, 0]


@pytest.mark.parametrize("hole", ["missing bar", "unknown return"])
def test_a_hole_in_the_window_excludes_the_fund_until_it_has_passed_where_short_histories_are_dropped(returns, hole):
    at = (returns["ticker"] == "BBB") & (returns["session"] == "2016-06-01")
    broken = returns[~at] if hole == "missing bar" else returns.assign(total_return=returns["total_return"].mask(at))
    table, health = covariances(broken, members(broken), ENDS, DROP)
    assert health["excluded"].tolist() == [2, 1, 0]
    assert "BBB" not in matrix(table, ENDS[0])
    assert "BBB" in matrix(table, ENDS[1])


def test_short_histories_are_completed_from_their_first_half_year_on_and_counted(returns):
    """NEW has its first return in August 2017: 97 of them in December, 222 in June, all 504 at the end."""
    table, health = covariances(returns, members(returns), ENDS)
    assert health["excluded"].tolist() == [1, 0, 0]
    assert health["completed"].tolist() == [0, 1, 0]
    assert health["n_assets"].tolist() == [4, 5, 5]
    dropped, _ = covariances(returns, members(returns), ENDS, DROP)
    for session in ENDS:  # the complete funds' block is as if nobody had joined
        old = matrix(dropped, session)
        pd.testing.assert_frame_equal(matrix(table, session).loc[old.index, old.columns], old, rtol=1e-12)
        assert np.linalg.eigvalsh(matrix(table, session).to_numpy()).min() > 0


def test_a_single_hole_changes_a_covariance_little(returns):
    at = (returns["ticker"] == "BBB") & (returns["session"] == "2016-06-01")
    plain = CovarianceParameters(estimator="sample")
    whole, holed = (covariances(r, members(r), ENDS[:1], plain)[0] for r in (returns, returns[~at]))
    np.testing.assert_allclose(matrix(holed, ENDS[0]), matrix(whole, ENDS[0]), rtol=0.02)


def test_only_the_most_traded_members_have_a_covariance_where_there_are_too_many(returns):
    value = returns["ticker"].map({"AAA": 5.0, "BBB": np.nan, "CCC": 7.0, "DDD": 6.0, "NEW": 1.0})
    flags = members(returns).assign(mean_traded_value=value)
    flags.loc[(flags["session"] >= ENDS[2]) & (flags["ticker"] == "AAA"), "mean_traded_value"] = 0.5
    table, health = covariances(returns, flags, ENDS, CovarianceParameters(max_funds=3))
    assert [list(matrix(table, session)) for session in ENDS] == [["AAA", "CCC", "DDD"]] * 2 + [["CCC", "DDD", "NEW"]]
    assert health["less_traded"].tolist() == [1, 2, 2]
    with pytest.raises(DataError, match="mean_traded_value"):
        covariances(returns, members(returns), ENDS, CovarianceParameters(max_funds=3))


def test_an_unknown_name_of_an_estimator_or_a_treatment_is_refused(returns):
    with pytest.raises(SettingsError, match="'magic'; choose one of sample"):
        covariances(returns, members(returns), ENDS, CovarianceParameters(estimator="magic"))
    with pytest.raises(SettingsError, match="found 'fill'"):
        covariances(returns, members(returns), ENDS, CovarianceParameters(unequal_histories="fill"))


def test_sessions_of_another_exchange_leave_no_holes(returns):
    sydney = pd.DataFrame({"session": [pd.Timestamp("2017-07-04")], "ticker": "VAS.AX", "total_return": 0.01})
    both = pd.concat([returns, sydney], ignore_index=True)
    plain, mixed = covariances(returns, members(returns), ENDS)[0], covariances(both, members(both), ENDS)[0]
    pd.testing.assert_frame_equal(plain, mixed)


def test_a_session_before_the_window_is_full_or_with_one_member_has_no_rows(returns):
    early = pd.DatetimeIndex(["2015-06-30", *ENDS])
    assert covariances(returns, members(returns), early)[1]["session"].tolist() == list(ENDS)
    lonely, health = covariances(returns, members(returns, "AAA"), ENDS)
    assert lonely.empty
    assert health.empty


def test_more_funds_than_sessions_still_give_a_definite_matrix():
    funds = {f"F{k:02d}": garch_returns(100, seed=60 + k) / 100 for k in range(60)}
    data = returns_frame(funds)
    table, health = covariances(
        data, data[["session", "ticker"]].assign(member=True), SESSIONS[-1:], CovarianceParameters(window=40)
    )
    assert np.linalg.eigvalsh(matrix(table, SESSIONS[-1]).to_numpy()).min() > 0
    assert 1 < health["condition_number"].iloc[0] < 1e3


def test_unknown_sessions_and_members_without_returns_are_named(returns):
    with pytest.raises(DataError, match="first 2018-07-04"):
        covariances(returns, members(returns), pd.DatetimeIndex(["2018-07-04"]))
    stranger = pd.DataFrame({"session": [ENDS[0]], "ticker": ["ZZZ"], "member": [True]})
    with pytest.raises(DataError, match="'ZZZ'"):
        covariances(returns, stranger, ENDS)


@pytest.mark.parametrize("name", ["sample", "scaled_ledoit_wolf", "ewma", "statistical_factor"])
def test_a_price_that_never_moves_is_left_out_and_not_given_a_variance(name):
    moving = {f"F{k}": garch_returns(400, seed=80 + k) / 100 for k in range(3)}
    young = np.append(np.full(200, np.nan), np.zeros(200))
    returns = returns_frame({**moving, "IDLE": np.zeros(400), "YOUNG": young})
    member, day = returns[["session", "ticker"]].assign(member=True), pd.DatetimeIndex([returns["session"].max()])
    parameters = CovarianceParameters(estimator=name, window=250)
    made, health = covariances(returns, member, day, parameters)
    alone, _ = covariances(returns_frame(moving), member[member["ticker"].isin(list(moving))], day, parameters)
    pd.testing.assert_frame_equal(made, alone, check_exact=True)
    assert health["excluded"].tolist() == [2]
