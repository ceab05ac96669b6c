"""The simulated market moves like the real one: stated moments, and how close they are to real funds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from simulated_by_hand import average_correlation, market, returns_by_hand, truth, wide

from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.providers.simulated.cohort import SPECS
from etf_pipeline.providers.simulated.world import simulate_world

COMPARED = [
    "SPY",
    "QQQ",
    "IWM",
    "EFA",
    "EEM",
    "XLE",
    "XLF",
    "XLK",
    "XLU",
    "XLP",
    "TLT",
    "IEF",
    "AGG",
    "LQD",
    "HYG",
    "GLD",
    "VNQ",
    "DBC",
]


def series(code: str) -> pd.Series[float]:
    macro = market().macro
    return macro[macro["series"] == code].set_index("period")["value"]


def annual(returns: pd.DataFrame) -> pd.Series[float]:
    return returns.std() * np.sqrt(SESSIONS_PER_YEAR)


def test_stocks_bonds_and_volatility_index_have_the_moments_of_their_kind():
    returns, vix = wide(returns_by_hand()), series("VIX")
    vol = annual(returns)
    assert 0.15 < vol["SPY"] < 0.22
    assert 0.03 < vol["AGG"] < vol["IEF"] < 0.08 < vol["TLT"] < 0.18
    assert returns["SPY"].kurt() + 3 > 5
    assert -0.5 < returns["SPY"].corr(returns["TLT"]) < -0.1
    assert 15 < vix.mean() < 25
    assert vix.diff().corr(returns["SPY"]) < -0.5
    assert (1 + returns["SPY"]).prod() ** (SESSIONS_PER_YEAR / len(returns)) - 1 == pytest.approx(0.09, abs=0.05)


def test_the_volatility_index_forecasts_realised_volatility_with_a_premium():
    returns, vix = wide(returns_by_hand())["SPY"], series("VIX")
    ahead = (returns**2).rolling(21).mean().shift(-21).mul(SESSIONS_PER_YEAR).pow(0.5).mul(100)
    both = pd.DataFrame({"vix": vix, "ahead": ahead}).dropna()
    assert np.log(both).corr().iloc[0, 1] > 0.6
    assert 1.02 < both["vix"].mean() / both["ahead"].mean() < 1.4


def test_crises_are_as_deep_as_history_s():
    spy = (1 + wide(returns_by_hand())["SPY"].fillna(0)).cumprod()
    for start, end, depth in (
        ("2008-09-12", "2008-11-20", -0.37),
        ("2020-02-19", "2020-03-23", -0.33),
        ("2022-01-03", "2022-10-12", -0.24),
    ):
        assert spy[end] / spy[start] - 1 == pytest.approx(depth, abs=0.03)


def test_macro_series_follow_the_factors_that_funds_load_on():
    returns = wide(returns_by_hand())
    assert returns["IEF"].corr(-series("DGS10").diff()) > 0.95
    assert returns["HYG"].corr(-np.log(series("BAMLH0A0HYM2")).diff()) > 0.8
    assert returns["FXA"].corr(series("AUDUSD").pct_change()) > 0.99
    assert series("DGS10").min() > 0
    assert series("T10Y2Y").min() < -0.5 < 1.5 < series("T10Y2Y").max()
    assert series("BAMLH0A0HYM2")["2008-11-20"] > 2 * series("BAMLH0A0HYM2")["2007-01-03"]
    assert series("UNRATE")["2020-04-01"] > 14


def test_the_bill_return_is_the_discount_known_a_session_before():
    discount, bill = series("TBILL13W"), truth().factors["XNYS"]["RF"]
    day = pd.Timestamp("2023-09-05")  # Tuesday after Labor Day: four calendar days since Friday
    d = discount[pd.Timestamp("2023-09-01")] / 100
    assert bill[day] == pytest.approx(d / (1 - d * 91 / 360) * 4 / 360, rel=1e-12)


def test_small_funds_trade_little_and_volume_rises_with_volatility():
    prices = market().prices
    value = prices.assign(value=prices["close"] * prices["volume"]).groupby("ticker")["value"].median()
    assert value["SPY"] > 5e9
    assert value["ZHDG"] < 1e6
    spy = prices[prices["ticker"] == "SPY"].set_index("session")
    traded = np.log(spy["close"] * spy["volume"])
    wild = truth().regimes.reindex(spy.index) == "crisis"
    assert traded[wild & (spy.index.year == 2020)].mean() > traded[~wild & (spy.index.year == 2020)].mean() + 0.2


def test_the_planted_skill_is_what_the_truth_states():
    # Rank correlation of momentum with what factors leave of the next 21 sessions, mean of eight seeds. Between seeds its
    # standard deviation is 0.012, so the mean's is 0.004: a band of 0.015 is left by chance once in several thousand.
    stated = truth().predictability
    assert stated.ic_21_residual == pytest.approx(np.mean([residual_ic(seed) for seed in range(8)]), abs=0.015)


def residual_ic(seed: int) -> float:
    """Average Spearman correlation across US indices with noise of their own, once every 21 sessions."""
    world = simulate_world(seed).exchanges["XNYS"]
    first = {f.index: j for j, f in reversed(list(enumerate(world.funds))) if f.leverage == 1}
    chosen = [j for index, j in first.items() if SPECS[index].noise > 0.02]
    logs = np.log1p(world.returns[:, chosen]).cumsum(axis=0)
    left = world.returns - world.bill[:, None] - np.einsum("tk,mk->tm", world.factors, world.loadings)
    left = left[:, chosen].cumsum(axis=0)
    found = []
    for t in range(272, len(logs) - 21, 21):
        momentum, ahead = logs[t - 21] - logs[t - 252], left[t + 21] - left[t]
        found.append(pd.Series(momentum).corr(pd.Series(ahead), method="spearman"))
    return float(np.mean(found))


@pytest.mark.reference
def test_moments_match_real_funds(reference_data):
    """Same sessions: volatilities within a third, correlations with stocks within 0.2, both on average within half of that."""
    real = pd.read_parquet(reference_data / "etf_daily.parquet", columns=["ticker", "date", "adjclose"])
    theirs = real[real["ticker"].isin(COMPARED)].pivot_table(index="date", columns="ticker", values="adjclose")
    theirs = theirs.pct_change(fill_method=None)
    ours = wide(returns_by_hand())[list(theirs.columns)]
    ours = ours.where(theirs.reindex(ours.index).notna())
    ratio = np.log(annual(ours) / annual(theirs))
    assert ratio.abs().max() < 0.34
    assert ratio.abs().mean() < 0.15
    gap = ours.corrwith(ours["SPY"]) - theirs.corrwith(theirs["SPY"])
    assert gap.abs().max() < 0.25
    assert gap.abs().mean() < 0.10
    assert average_correlation(ours) == pytest.approx(average_correlation(theirs), abs=0.05)
    assert 0.5 < (ours["SPY"].kurt() + 3) / (theirs["SPY"].kurt() + 3) < 1.5
    squares = [(r["SPY"].abs().autocorr(1) + r["SPY"].abs().autocorr(21)) / 2 for r in (ours, theirs)]
    assert squares[0] == pytest.approx(squares[1], abs=0.15)


@pytest.mark.reference
def test_the_volatility_index_matches_the_real_one(reference_data):
    real = pd.read_csv(reference_data / "vix_daily.csv", parse_dates=[0], index_col=0)
    theirs = real[next(c for c in real.columns if c.lower() == "close")].loc["2005":"2024-06-28"]
    ours = series("VIX")
    assert ours.mean() == pytest.approx(theirs.mean(), rel=0.15)
    assert ours.median() == pytest.approx(theirs.median(), rel=0.15)
    assert ours.std() == pytest.approx(theirs.std(), rel=0.3)
    assert ours.autocorr() == pytest.approx(theirs.autocorr(), abs=0.03)
