"""The liquidity table: by hand, against pandas, and unchanged by the future."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from etf_pipeline.costs import CostParameters, liquidity
from etf_pipeline.costs.liquidity import rank_among_members, trailing_mean
from etf_pipeline.errors import DataError
from etf_pipeline.schemas import TABLES

approx = pytest.approx
PARAMETERS = CostParameters()
TABLE = TABLES["liquidity"]


def market(n_sessions: int = 60, n_tickers: int = 8, seed: int = 0) -> tuple[pd.DataFrame, ...]:
    rng = np.random.default_rng(seed)
    sessions = pd.bdate_range("2020-01-01", periods=n_sessions)
    frame = pd.DataFrame([(s, f"T{i}") for i in range(n_tickers) for s in sessions[3 * i :]], columns=["session", "ticker"])
    n = len(frame)
    frame["traded_value"] = np.exp(rng.normal(15, 1, n)) * (rng.random(n) > 0.05)
    frame["total_return"] = np.where(frame["ticker"].ne(frame["ticker"].shift()), np.nan, rng.normal(0, 0.01, n))
    frame["volatility"] = np.where(rng.random(n) > 0.1, rng.uniform(0.05, 0.4, n), np.nan)
    frame["member"] = rng.random(n) > 0.2
    frame = frame.sample(frac=1.0, random_state=1)  # the order of rows must not matter
    key = ["session", "ticker"]
    return tuple(frame[[*key, c]] for c in ("traded_value", "total_return", "volatility", "member"))


def cut(tables: tuple[pd.DataFrame, ...], session: pd.Timestamp) -> tuple[pd.DataFrame, ...]:
    return tuple(t[t["session"] <= session] for t in tables)


def by_key(frame: pd.DataFrame, until: pd.Timestamp | None = None) -> pd.DataFrame:
    frame = frame if until is None else frame[frame["session"] <= until]
    return frame.sort_values(["ticker", "session"]).reset_index(drop=True)


def test_the_table_keeps_its_contract():
    made = TABLE.to_arrow(liquidity(*market(), PARAMETERS))
    TABLE.check(made)


def test_the_daily_volatility_is_the_annual_one_over_the_root_of_252():
    prices, returns, volatilities, membership = market()
    frame = by_key(liquidity(prices, returns, volatilities, membership, PARAMETERS))
    np.testing.assert_allclose(frame["daily_volatility"], by_key(volatilities)["volatility"] / np.sqrt(252), rtol=1e-12)


def test_traded_value_and_amihud_equal_pandas_rolling_means_ticker_by_ticker():
    prices, returns, volatilities, membership = market()
    frame = by_key(liquidity(prices, returns, volatilities, membership, PARAMETERS))
    expected = by_key(prices).groupby("ticker")["traded_value"].rolling(20).mean().to_numpy()
    np.testing.assert_allclose(frame["daily_value"], expected, rtol=1e-12)
    assert frame["daily_value"].isna().sum() == 19 * 8
    joined = by_key(prices).merge(returns)
    measure = joined["total_return"].abs() / joined["traded_value"].where(joined["traded_value"] > 0)
    amihud = measure.groupby(joined["ticker"]).rolling(20, min_periods=10).mean().to_numpy()
    position = joined.groupby("ticker").cumcount().to_numpy()
    ours = trailing_mean(measure.to_numpy(), position, 20, 10)
    np.testing.assert_allclose(ours, np.where(position >= 19, amihud, np.nan), rtol=1e-9)


def test_the_rank_counts_the_more_liquid_members_and_places_outsiders_among_them():
    day, other = pd.Timestamp("2020-01-02"), pd.Timestamp("2020-01-03")
    frame = pd.DataFrame(
        {
            "session": [day] * 5 + [other] * 2,
            "amihud": [1.0, 2.0, 3.0, 2.5, np.nan, 5.0, 6.0],
            "member": [True, True, True, False, True, False, True],
        }
    )
    rank = rank_among_members(frame)
    assert rank[:4].tolist() == approx([0.0, 0.5, 1.0, 2 / 3])
    assert np.isnan(rank[4])
    assert rank[5:].tolist() == [0.0, 0.0]  # below the only member; the only member


def test_equally_liquid_members_share_their_rank():
    frame = pd.DataFrame({"session": [pd.Timestamp("2020-01-02")] * 3, "amihud": [1.0, 1.0, 2.0], "member": True})
    assert rank_among_members(frame).tolist() == approx([0.25, 0.25, 1.0])


def test_a_session_without_members_gives_unknown_spreads_not_free_trades():
    prices, returns, volatilities, membership = market()
    frame = liquidity(prices, returns, volatilities, membership.assign(member=False), PARAMETERS)
    assert frame[["amihud_rank", "half_spread", "reference_cost"]].isna().all(axis=None)


def test_the_reference_cost_is_spread_impact_and_commission_of_the_reference_order():
    frame = liquidity(*market(), PARAMETERS).dropna()
    impact = frame["daily_volatility"] * np.sqrt(100_000 / frame["daily_value"])
    np.testing.assert_allclose(frame["reference_cost"], frame["half_spread"] + impact + 0.5e-4, rtol=1e-12)


@pytest.mark.parametrize("position", [25, 40, 58])
@pytest.mark.parametrize("mode", ["truncate", "poison"])
def test_later_rows_never_change_earlier_ones(position, mode):
    tables = market()
    session = np.sort(tables[0]["session"].unique())[position]
    whole = by_key(liquidity(*tables, PARAMETERS), session)
    if mode == "truncate":
        changed = cut(tables, session)
    else:
        prices, returns, volatilities, membership = (t.copy() for t in tables)
        future = prices["session"] > session
        prices.loc[future, "traded_value"] = 1e30
        returns.loc[future, "total_return"] = np.nan
        volatilities.loc[future, "volatility"] = 1e6
        membership.loc[future, "member"] ^= True
        changed = (prices, returns, volatilities, membership)
    pd.testing.assert_frame_equal(whole, by_key(liquidity(*changed, PARAMETERS), session), check_exact=True)


def test_a_session_of_absurd_value_leaves_no_trace_once_it_has_left_the_window():
    tables = market()
    spike = tables[0].copy()
    day = np.sort(spike["session"].unique())[25]
    spike.loc[spike["session"] == day, "traded_value"] = 1e300
    plain, spiked = (by_key(liquidity(p, *tables[1:], PARAMETERS)) for p in (tables[0], spike))
    late = plain["session"] > day + pd.offsets.BDay(20)
    pd.testing.assert_frame_equal(plain[late], spiked[late], check_exact=True)


def test_an_empty_window_is_refused():
    with pytest.raises(DataError, match="at least 1 session; found 0"):
        liquidity(*market(), CostParameters(window=0))
