"""The four beta tables: contracts, causality, nights, and who is held against what."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from beta_samples import FUNDS, SESSIONS, Sample, sample

from etf_pipeline.errors import DataError, SettingsError
from etf_pipeline.risk.beta import (
    BetaParameters,
    BetaStabilityParameters,
    ConditionalBetaParameters,
    MultiFactorParameters,
    beta_stability,
    betas,
    conditional_betas,
    multi_factor_betas,
)
from etf_pipeline.risk.beta.pairing import grids, market_funds
from etf_pipeline.schemas import TABLES, from_arrow

FACTORS = ("equity=home_equity", "own=AAA", "spread=BBB-EEE", "late=FFF")
TESTS = {"window": 500, "min_sessions": 300}
MAKERS = {
    "betas": lambda s: betas(s.returns, s.funds, s.macro, s.membership, BetaParameters(window=200, min_sessions=100)),
    "conditional_betas": lambda s: conditional_betas(s.returns, s.funds, s.macro, s.calendar, ConditionalBetaParameters(**TESTS)),
    "multi_factor_betas": lambda s: multi_factor_betas(
        s.returns, s.funds, s.macro, s.calendar, MultiFactorParameters(factors=FACTORS)
    ),
    "beta_stability": lambda s: beta_stability(s.returns, s.funds, s.macro, s.calendar, BetaStabilityParameters(**TESTS)),
}
REACH = {
    "betas": "2016-12-01",
    "conditional_betas": "2016-12-01",
    "multi_factor_betas": "2017-12-01",
    "beta_stability": "2016-12-01",
}
"""Where a night may begin to read for rows of 2019."""


@pytest.fixture(scope="module")
def market() -> Sample:
    return sample()


@pytest.fixture(scope="module")
def made(market: Sample) -> dict[str, pd.DataFrame]:
    return {name: table(name, market) for name in MAKERS}


def table(name: str, inputs: Sample) -> pd.DataFrame:
    contract = TABLES[name]
    stored = contract.to_arrow(MAKERS[name](inputs))
    contract.check(stored)
    return from_arrow(stored)


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")  # infinities in the poisoned future
@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("cut", ["2016-06-30", "2017-10-02", "2018-12-31"])
def test_nothing_after_a_session_changes_its_row(name, cut, market, made):
    before = made[name][made[name]["session"] <= cut].reset_index(drop=True)
    assert len(before)
    for change in (market.until(cut), market.poisoned(cut)):
        after = table(name, change)
        after = after[after["session"] <= cut].reset_index(drop=True)
        pd.testing.assert_frame_equal(before, after, check_exact=True)


@pytest.mark.parametrize("name", MAKERS)
def test_a_night_that_reads_one_window_back_gives_the_same_bits(name, market, made):
    night = table(name, market.since(REACH[name]))
    night, whole = (frame[frame["session"] >= "2019-01-01"].reset_index(drop=True) for frame in (night, made[name]))
    assert len(whole)
    pd.testing.assert_frame_equal(night, whole, check_exact=True)


def test_planted_betas_are_found(made):
    newest = made["betas"][made["betas"]["session"] == SESSIONS[-1]].set_index("ticker")
    for ticker, planted in FUNDS.items():
        if ticker in newest.index:
            assert abs(newest.at[ticker, "beta"] - planted) <= 4 * newest.at[ticker, "beta_error_robust"] + 1e-9
    assert len(made["betas"]) == len(sample().returns)


def test_a_geared_fund_is_neither_shrunk_nor_part_of_the_prior(made, market):
    rows = made["betas"].dropna(subset=["beta_vasicek"])
    geared = rows[rows["ticker"] == "CCC"]
    assert (geared["beta_vasicek"] == geared["beta"]).all()
    day = rows[rows["session"] == "2017-06-01"].set_index("ticker")
    prior = day.loc[day.index != "CCC", "beta"]
    error = day.at["AAA", "beta_error_robust"]
    weight = prior.var() / (prior.var() + error**2)
    assert day.at["AAA", "beta_vasicek"] == pytest.approx(weight * day.at["AAA", "beta"] + (1 - weight) * prior.mean(), rel=1e-12)


def test_a_return_over_a_missed_session_is_left_out(market):
    (grid,) = grids(market.returns, market.funds, market.macro, market_funds(()))
    row = list(grid.tickers).index("EEE")
    missed = np.flatnonzero(~grid.traded[row])
    assert len(missed)
    assert np.isnan(grid.excess[row, missed]).all()
    assert np.isnan(grid.excess[row, missed[missed < len(SESSIONS) - 1] + 1]).all()


def test_fund_and_market_lose_the_bill_that_was_known_the_close_before(market):
    (grid,) = grids(market.returns, market.funds, market.macro, market_funds(()))
    (plain,) = grids(market.returns, market.funds, market.macro, market_funds(()), bill="")
    day = SESSIONS.get_loc("2018-01-02")  # a Tuesday after New Year: four days since Friday's close
    quoted = market.macro.loc[market.macro["series"] == "TBILL13W", "value"].iloc[day - 1] / 100
    rate = quoted / 360 / (1 - quoted * 91 / 360) * 4
    assert plain.market[day] - grid.market[day] == pytest.approx(rate, rel=1e-9)
    assert (plain.excess - grid.excess)[0, day] == pytest.approx(rate, rel=1e-9)


def test_a_sydney_fund_is_held_against_the_sydney_market(market):
    lookup = {"SPY": "XNYS", "AAA": "XNYS", "STW.AX": "XASX", "BBB": "XASX"}
    returns = market.returns[market.returns["ticker"].isin(["SPY", "AAA", "BBB", "CCC"])].replace({"ticker": {"CCC": "STW.AX"}})
    funds = pd.DataFrame({"ticker": lookup.keys(), "exchange": lookup.values(), "is_geared": False})
    found = {grid.market_fund: grid for grid in grids(returns, funds, market.macro, market_funds(()))}
    assert {name: list(grid.tickers) for name, grid in found.items()} == {"SPY": ["AAA", "SPY"], "STW.AX": ["BBB", "STW.AX"]}


def test_a_fund_without_a_market_has_rows_and_no_beta(market):
    funds = market.funds.assign(exchange="XLON")
    rows = betas(market.returns, funds, market.macro, market.membership)
    assert len(rows) == len(market.returns)
    assert rows["beta"].isna().all()
    named = betas(market.returns, funds, market.macro, market.membership, BetaParameters(markets=("XLON=SPY",)))
    assert named["beta"].notna().any()


def test_a_missing_vix_and_unreadable_settings_are_refused(market):
    no_vix = market.macro[market.macro["series"] != "VIX"]
    with pytest.raises(DataError, match="VIX"):
        conditional_betas(market.returns, market.funds, no_vix, market.calendar)
    for parameters in (
        lambda: BetaParameters(window=10, min_sessions=20),
        lambda: ConditionalBetaParameters(window=3),
        lambda: BetaStabilityParameters(trim=0.6),
        lambda: MultiFactorParameters(factors=("credit",)),
        lambda: MultiFactorParameters(factors=("credit=HYG-",)),
        lambda: market_funds(("XLON",)),
    ):
        with pytest.raises(SettingsError):
            parameters()
