"""The truth behind the simulated market can be found again in its raw tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from simulated_by_hand import actions, effects, prices, returns_by_hand, truth, wide

from etf_pipeline.calendars import closes
from etf_pipeline.providers.simulated.cohort import SPECS
from etf_pipeline.providers.simulated.indices import STRENGTH, simulate_indices, standard_ranks

EXCHANGES = ("XNYS", "XASX")


@pytest.mark.parametrize(("profile", "exchange"), [("full", "XNYS"), ("full", "XASX"), ("demo", "XNYS")])
def test_returns_from_raw_prices_splits_and_dividends_are_the_hidden_returns(profile, exchange):
    hidden = truth(profile).total_returns[exchange]
    by_hand = wide(returns_by_hand(profile), exchange).reindex(columns=hidden.columns)
    first = by_hand.index[0]
    both = hidden.reindex(by_hand.index).drop(index=first if profile == "demo" else [])
    by_hand = by_hand.loc[both.index]
    assert (both.isna() == by_hand.isna()).all(axis=None)
    assert np.nanmax(np.abs(both.to_numpy() - by_hand.to_numpy())) < 1e-12


def test_the_index_grown_from_raw_prices_stays_on_the_hidden_one_for_twenty_years():
    hidden, by_hand = truth().total_returns["XNYS"], wide(returns_by_hand())
    grown, mine = (1 + hidden.fillna(0)).cumprod(), (1 + by_hand.fillna(0)).cumprod()
    gap = (grown.loc[mine.index, mine.columns] / mine - 1).abs()
    assert gap.max(axis=None) < 1e-10


def test_the_open_shares_the_move_that_the_dividend_and_split_leave():
    # A split or dividend must not look like an overnight crash: on those days the open's total return is an ordinary one.
    opened = returns_by_hand("full", "open").to_numpy()
    special = (effects("full", "split", 1.0) != 1) | (effects("full", "dividend", 0.0) > 0)
    sigma = pd.concat([frame.stack() for frame in truth().volatility.values()])
    scale = sigma.reindex(pd.MultiIndex.from_frame(prices()[["session", "ticker"]])).to_numpy()
    z = (opened / scale)[special.to_numpy()]
    assert np.nanmax(np.abs(z)) < 10
    assert 0.45 < np.nanstd(z) < 0.75


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_regressions_find_the_planted_loadings_within_their_errors(exchange):
    # About 80 funds times 13 factors, heteroskedasticity-robust. Under the truth 95 % of |z| are below 1.96 (funds share
    # indices and sessions, so the band is wide) and none above 5: false alarm below 1 in 500.
    factors = truth().factors[exchange]
    names = [n for n in factors.columns if n != "RF"]
    excess = wide(returns_by_hand(), exchange).sub(factors["RF"], axis=0)
    z = np.concatenate([_robust_z(excess[t].dropna(), factors[names], truth().loadings.loc[t, names]) for t in excess.columns])
    assert np.abs(z).max() < 5
    assert 0.90 < (np.abs(z) < 1.96).mean() < 0.99


def _robust_z(y: pd.Series[float], factors: pd.DataFrame, planted: pd.Series[float]) -> np.ndarray:
    """(estimate - planted) / standard error of an ordinary regression with White errors."""
    x = np.column_stack([np.ones(len(y)), factors.loc[y.index].to_numpy()])
    inverse = np.linalg.inv(x.T @ x)
    slope = inverse @ (x.T @ y.to_numpy())
    scores = x * (y.to_numpy() - x @ slope)[:, None]
    errors = np.sqrt(np.diag(inverse @ (scores.T @ scores) @ inverse))
    return (slope[1:] - planted.to_numpy()) / errors[1:]


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_returns_over_their_hidden_volatility_have_unit_variance(exchange):
    # Shocks are Student(7), kurtosis 5: over 1,500 sessions and more a variance is within 15 % of one (4 standard errors of
    # 2 / sqrt(n) times 1.4 is 0.14 at n = 1,500), less what the pinned crises take away.
    excess = truth().total_returns[exchange].sub(truth().factors[exchange]["RF"], axis=0)
    z = excess / truth().volatility[exchange]
    long_lived = z.loc[:, z.count() > 1_500]
    assert long_lived.var().between(0.84, 1.16).all()
    clustered = truth().total_returns[exchange][long_lived.columns]
    assert (long_lived**2).apply(lambda c: c.autocorr(1)).mean() < 0.05 < (clustered**2).apply(lambda c: c.autocorr(1)).mean()


def test_funds_on_one_index_are_near_duplicates_and_leverage_multiplies():
    returns = wide(returns_by_hand())
    for one, other in (("SPY", "IVV"), ("SPY", "VOO"), ("GLD", "IAU"), ("AGG", "BND")):
        assert returns[one].corr(returns[other]) > 0.995
    excess = returns.sub(truth().factors["XNYS"]["RF"], axis=0)
    for fund, multiple in (("SSO", 2.0), ("SH", -1.0)):
        both = excess[["SPY", fund]].dropna()
        assert np.polyfit(both["SPY"], both[fund], 1)[0] == pytest.approx(multiple, abs=0.005)


def test_sydney_follows_new_york_one_session_later():
    australian, american = wide(returns_by_hand(), "XASX")["IVV.AX"].dropna(), wide(returns_by_hand())["SPY"].dropna()
    same = australian.index.intersection(american.index)
    earlier = american.shift().reindex(same)
    assert australian.loc[same].corr(american.loc[same]) < 0.25
    assert australian.loc[same].corr(earlier) > 0.6


def test_funds_that_end_trade_until_their_last_session_and_pay_what_the_truth_says():
    endings = truth().endings
    closed = actions()[actions()["kind"].isin(["liquidation", "merger"])].set_index("ticker")
    bars = prices().set_index(["ticker", "session"])["close"].sort_index()
    assert set(closed.index) == set(endings["ticker"])
    assert not endings["ticker"].duplicated().any()
    for row in endings.itertuples():
        action, own = closed.loc[row.ticker], bars.loc[row.ticker]
        assert own.index[-1] == row.last_session == action["ex_date"]
        assert own.iloc[-1] == row.last_close
        worth = action["value"] * (bars[(row.successor, row.last_session)] if row.kind == "merger" else 1.0)
        assert row.delisting_return == pytest.approx(worth / row.last_close - 1, abs=1e-15)
        assert row.pay_date > row.last_session
        assert (
            row.announced_at < closes("XASX" if row.ticker.endswith(".AX") else "XNYS", pd.DatetimeIndex([row.last_session]))[0]
        )


def test_a_merger_keeps_the_holder_s_wealth():
    endings = truth().endings.set_index("kind")
    assert (endings.loc["merger", "delisting_return"].abs() < 1e-7).all()


def test_a_liquidation_costs_what_was_planted():
    paid = truth().endings.set_index("ticker")["delisting_return"]
    planted = {f.ticker: -f.ending.haircut for f in truth().funds if f.ending and f.ending.kind == "liquidation"}
    for ticker, cost in planted.items():
        assert paid[ticker] == pytest.approx(cost, abs=1e-5)


def test_the_planted_signal_is_last_year_s_momentum_without_its_last_month():
    planted, returns = truth().planted["XNYS"], truth().total_returns["XNYS"]
    plain = [f for f in truth().funds if f.exchange == "XNYS" and f.leverage == 1 and f.ticker in planted and not f.start]
    names = [f.ticker for f in plain]
    index = np.log1p(returns[names].fillna(0)).cumsum()
    for t in (800, 2_000, 3_500, 4_800):
        signal = planted[names].iloc[t] / [_noise(f.index) for f in plain]
        momentum = index.iloc[t - 22] - index.iloc[t - 253]
        assert signal.corr(momentum, method="spearman") > 0.98  # costs and tracking noise separate near ties


def _noise(index: str) -> float:
    return SPECS[index].noise


def test_an_index_s_expected_return_never_depends_on_later_returns():
    rng = np.random.default_rng
    systematic = 0.01 * rng(1).standard_normal((400, 6))
    noise, stress = np.full(6, 0.01), np.ones(400)
    whole = simulate_indices(systematic, noise, stress, rng(2))
    poisoned = systematic.copy()
    poisoned[300:] = 0.5
    other = simulate_indices(poisoned, noise, stress, rng(2))
    np.testing.assert_array_equal(whole.planted[:301], other.planted[:301])
    np.testing.assert_array_equal(whole.returns[:300], other.returns[:300])
    assert (whole.planted[:252] == 0).all()
    np.testing.assert_allclose(whole.planted[252:].std(axis=1), STRENGTH * 0.01)


def test_the_planted_drift_is_in_the_returns_and_a_placebo_is_not():
    # Weighted slope of what factors leave on the planted drift, one fund per index. Truth: 1 and 0, standard error near 0.2;
    # the band of 0.8 is four of them.
    returns, planted = truth().total_returns["XNYS"], truth().planted["XNYS"]
    factors = truth().factors["XNYS"]
    funds = {f.index: f for f in truth().funds if f.exchange == "XNYS" and f.leverage == 1 and _noise(f.index) > 0.02}
    names = [f.ticker for f in funds.values()]
    systematic = factors.drop(columns="RF") @ truth().loadings.loc[names, factors.columns.drop("RF")].T
    left = (returns[names] - systematic[names]).sub(factors["RF"], axis=0)
    left = left - left.mean()
    scale = left.std()
    assert abs(_slope(left / scale, planted[names] / scale) - 1) < 0.8
    assert abs(_slope(left / scale, (planted[names] / scale).shift(periods=-1_000))) < 0.8


def _slope(y: pd.DataFrame, x: pd.DataFrame) -> float:
    return float(np.nansum(x.to_numpy() * y.to_numpy()) / np.nansum(np.where(y.notna(), x.to_numpy() ** 2, 0)))


def test_ranks_are_standardised_whatever_the_values():
    ranks = standard_ranks(np.array([5.0, 1e9, -3.0, 0.0, 2.0]))
    assert list(np.argsort(ranks)) == [2, 3, 4, 0, 1]
    assert ranks.mean() == pytest.approx(0, abs=1e-15)
    assert ranks.var() == pytest.approx(1)


def test_the_regimes_hold_the_crises_at_their_dates():
    regimes = truth().regimes
    assert regimes["2008-10-10"] == regimes["2020-03-16"] == regimes["2011-08-08"] == "crisis"
    assert regimes["2022-06-13"] == regimes["2018-12-20"] == "bear"
    assert regimes["2017-06-30"] == "calm"
    assert 0.7 < (regimes == "calm").mean() < 0.9
