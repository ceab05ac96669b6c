"""Loadings equal a peer's, start from what was published, and name the region that they speak for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from risk_exposure_samples import DAYS, etf_table, factor_table, loading_of, return_table, session_table, steady

from etf_pipeline.errors import DataError, SettingsError
from etf_pipeline.regression import ols
from etf_pipeline.risk.exposures import FACTORS, ExposureParameters, factor_exposures
from etf_pipeline.risk.exposures.kernels import fit_windows, least_squares
from etf_pipeline.risk.exposures.regions import wanted_regions

FAST = ExposureParameters(window=120, min_observations=60)


@pytest.fixture(scope="module")
def market() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Returns, factors, funds, sessions: AAA and BBB on every session, a bond fund, and CCC that dies."""
    factors = factor_table()
    returns = return_table(
        {
            "AAA": steady(factors, [1.0, 0.5, 0.2, 0.0, 0.0, 0.0], seed=1),
            "BBB": steady(factors, [0.8, 0.0, -0.3, 0.2, 0.0, 0.1], seed=2),
            "BOND": steady(factors, [0.02] + [0.0] * 5, seed=3),
            "CCC": steady(factors, [1.1, 0.0, 0.0, 0.0, 0.0, 0.0], seed=4),
        }
    )
    returns = returns[(returns["ticker"] != "CCC") | (returns["session"] <= "2018-05-10")]
    return returns, factors, etf_table({"BOND": ("bond", "Intermediate Core Bond")}), session_table()


def sample_of(market, ticker: str, session: str) -> tuple[np.ndarray, np.ndarray]:
    """Target and regressors by plain pandas: the last 120 factor sessions that were published by the session's close."""
    returns, factors, _, sessions = market
    now = sessions.set_index("session").loc[session, "closes_at"]
    known = factors[factors["available_at"] <= now].pivot(index="session", columns="factor", values="value").iloc[-120:]
    y = returns[returns["ticker"] == ticker].set_index("session")["total_return"].reindex(known.index)
    rows = known[y.notna()]
    excess = (y[y.notna()] - rows["RF"]).to_numpy()
    return excess, np.column_stack([np.ones(len(rows)), rows[list(FACTORS)].to_numpy()])


@pytest.mark.parametrize("session", ["2017-09-29", "2018-03-29"])
@pytest.mark.parametrize("ticker", ["AAA", "BBB", "BOND"])
def test_loadings_errors_and_alpha_equal_statsmodels(market, ticker, session):
    import statsmodels.api as sm

    exposures, fits = factor_exposures(*market, FAST)
    y, x = sample_of(market, ticker, session)
    peer = sm.OLS(y, x).fit(cov_type="HAC", cov_kwds={"maxlags": 4, "use_correction": True})
    mine = exposures[(exposures["ticker"] == ticker) & (exposures["session"] == session)].set_index("factor").loc[list(FACTORS)]
    fit = fits[(fits["ticker"] == ticker) & (fits["session"] == session)].iloc[0]
    np.testing.assert_allclose(mine["loading"], peer.params[1:], rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(mine["error"], peer.bse[1:], rtol=1e-10)
    np.testing.assert_allclose(mine["t"], peer.tvalues[1:], rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(
        [fit["alpha"], fit["alpha_error"], fit["r_squared"], fit["residual_volatility"]],
        [252 * peer.params[0], 252 * peer.bse[0], peer.rsquared, np.sqrt(252 * peer.mse_resid)],
        rtol=1e-10,
        atol=1e-13,
    )
    assert fit["n"] == len(y)


def test_the_sample_ends_with_the_newest_published_factor_and_says_how_old_it_is(market):
    _, fits = factor_exposures(*market, FAST)
    row = fits[(fits["ticker"] == "AAA") & (fits["session"] == "2018-03-29")].iloc[0]
    # Factors of a month come on the 5th of the month after next: at the end of March those of January are the newest.
    assert row["factor_session"] == pd.Timestamp("2018-01-31")
    between = DAYS[(DAYS > "2018-01-31") & (DAYS <= "2018-03-29")]
    assert row["lag"] == len(between)


def test_factors_that_come_late_are_not_used_before_and_too_old_ones_give_no_exposure(market):
    returns, factors, etfs, sessions = market
    late = factors.assign(available_at=factors["available_at"] + pd.Timedelta(days=400))
    exposures, fits = factor_exposures(returns, late, etfs, sessions, FAST)
    assert exposures.empty
    assert fits.empty
    patient, _ = factor_exposures(returns, late, etfs, sessions, replace(FAST, max_lag=500))
    assert len(patient)


def test_a_dead_fund_has_no_exposure_after_its_days_of_absence_and_a_young_one_none_before_its_minimum(market):
    _, fits = factor_exposures(*market, FAST)
    dead = fits[fits["ticker"] == "CCC"]["session"]
    assert dead.max() == pd.Timestamp("2018-04-30")
    assert (fits["n"] >= 60).all()
    assert fits["session"].min() == pd.Timestamp("2017-05-31")  # January to March are known by then: 62 sessions, less the first


def test_a_return_over_several_sessions_is_held_against_the_compounded_factors(market):
    _returns, factors, etfs, sessions = market
    table = factors.pivot(index="session", columns="factor", values="value")
    gross = (1 + table["MKT_RF"]).cumprod()
    every_other = DAYS[::2]
    index = pd.Series(gross.reindex(every_other).to_numpy(), index=every_other)
    free = table["RF"].groupby(np.searchsorted(every_other, table.index)).apply(lambda x: (1 + x).prod() - 1).to_numpy()
    excess = index.pct_change().iloc[1:]  # a fund that earns the market and bills, and trades on every other session
    thin = pd.DataFrame(
        {"session": every_other[1:], "ticker": "AAA", "total_return": excess.to_numpy() + free[1 : len(excess) + 1]}
    )
    exposures, fits = factor_exposures(thin, factors, etfs, sessions, replace(FAST, min_observations=40))
    market_loading = exposures[exposures["factor"] == "MKT_RF"]["loading"]
    assert len(market_loading) > 5
    np.testing.assert_allclose(market_loading, 1.0, atol=1e-10)
    np.testing.assert_allclose(fits["alpha"], 0.0, atol=1e-10)


def test_sydney_meets_new_york_one_session_later(market):
    _, factors, _, sessions = market
    from etf_pipeline import calendars

    days = calendars.sessions("XASX", DAYS[0], DAYS[-1])
    table = factors.pivot(index="session", columns="factor", values="value")
    closes = pd.DataFrame(
        {"available_at": calendars.closes("XNYS", table.index), "level": (1 + table["MKT_RF"]).cumprod().to_numpy()}
    )
    met = calendars.as_of(pd.DataFrame({"session": days, "available_at": calendars.closes("XASX", days)}), closes)
    fund = met[["session"]].assign(ticker="VTS.AX", total_return=met["level"].pct_change()).dropna()
    etfs = pd.DataFrame({"ticker": ["VTS.AX"], "asset_class": "equity", "category": "Equity North America", "exchange": "XASX"})
    without_bill = factors.assign(value=factors["value"].where(factors["factor"] != "RF", 0.0))
    exposures, fits = factor_exposures(fund, without_bill, etfs, sessions, FAST)
    np.testing.assert_allclose(exposures[exposures["factor"] == "MKT_RF"]["loading"], 1.0, atol=1e-9)
    assert set(fits["match"]) == {"own"}
    assert (fits["r_squared"] > 1 - 1e-9).all()


def test_an_unknown_factor_is_not_a_zero(market):
    returns, factors, etfs, sessions = market
    hole = (factors["session"] == "2017-11-15") & (factors["factor"] == "HML")
    _, whole = factor_exposures(returns, factors, etfs, sessions, FAST)
    _, holed = factor_exposures(returns, factors[~hole], etfs, sessions, FAST)
    at = pd.Timestamp("2018-02-28")
    n = [fits[(fits["ticker"] == "AAA") & (fits["session"] == at)]["n"].iloc[0] for fits in (whole, holed)]
    assert n[0] - n[1] == 1


@pytest.mark.parametrize("mode", ["truncate", "poison"])
@pytest.mark.parametrize("cut", ["2017-10-31", "2018-02-14"])
def test_exposures_do_not_read_the_future(market, mode, cut):
    returns, factors, etfs, sessions = market
    now = sessions.set_index("session").loc[cut, "closes_at"]
    later, unpublished = returns["session"] > cut, factors["available_at"] > now
    if mode == "truncate":
        other = returns[~later], factors[~unpublished]
    else:
        absurd = np.resize([1e6, -0.99, np.nan, np.inf], len(returns))
        other = (
            returns.assign(total_return=returns["total_return"].where(~later, absurd)),
            factors.assign(value=factors["value"].where(~unpublished, 1e5)),
        )
    for one, two in zip(factor_exposures(*market, FAST), factor_exposures(*other, etfs, sessions, FAST), strict=True):
        known = [frame[frame["session"] <= cut].reset_index(drop=True) for frame in (one, two)]
        assert len(known[0])
        pd.testing.assert_frame_equal(known[0], known[1], rtol=1e-12, atol=0)


def test_a_night_that_reads_only_the_look_back_gives_the_same_bits(market):
    returns, factors, etfs, sessions = market
    parameters = replace(FAST, max_lag=60)
    whole = factor_exposures(*market, parameters)
    since = pd.Timestamp("2018-06-01")
    tail = [frame[frame["session"] > DAYS[DAYS.searchsorted(since) - parameters.lookback]] for frame in (returns, factors)]
    before = whole[0][whole[0]["session"] < since].tail(12)
    night = factor_exposures(*tail, etfs, sessions, parameters, before)
    for one, two in zip(whole, night, strict=True):
        later = one[one["session"] >= since].reset_index(drop=True)
        assert len(later)
        pd.testing.assert_frame_equal(later, two[two["session"] >= since].reset_index(drop=True), check_exact=True)


def test_a_bond_fund_is_told_apart_and_its_exposures_are_weak(market):
    _, fits = factor_exposures(*market, FAST)
    bond, share = (fits[fits["ticker"] == t] for t in ("BOND", "AAA"))
    assert set(bond["match"]) == {"not_equity"}
    assert bond["is_weak"].all()
    assert set(share["match"]) == {"own"}
    assert not share["is_weak"].any()


def test_a_foreign_fund_takes_its_regions_factors_where_they_are_there_and_us_factors_flagged_where_not(market):
    _returns, factors, _, sessions = market
    japan = factor_table(seed=99).assign(factor=lambda f: "JAPAN:" + f["factor"])
    fund = return_table({"EWJ": steady(japan.assign(factor=japan["factor"].str[6:]), [0.9, 0.1, 0.0, 0.0, 0.0, 0.0], seed=7)})
    etfs = etf_table({"EWJ": ("equity", "Japan Stock")})
    _, alone = factor_exposures(fund, factors, etfs, sessions, FAST)
    assert set(alone["match"]) == {"us_only"}
    assert set(alone["region"]) == {"US"}
    assert alone["is_weak"].all()
    exposures, both = factor_exposures(fund, pd.concat([factors, japan]), etfs, sessions, FAST)
    assert set(both["match"]) == {"own"}
    assert set(both["region"]) == {"JAPAN"}
    assert not both["is_weak"].any()
    assert abs(loading_of(exposures, "EWJ", "MKT_RF") - 0.9) < 0.1
    unknown = etf_table({"EWJ": ("unknown", None)})
    _, free = factor_exposures(fund, pd.concat([factors, japan]), unknown, sessions, FAST)
    assert set(free["match"]) == {"unclassified"}
    assert set(free["region"]) == {"JAPAN"}


def test_a_category_that_is_contradicted_by_the_evidence_says_so(market):
    _, factors, _, sessions = market
    japan = factor_table(seed=99).assign(factor=lambda f: "JAPAN:" + f["factor"])
    fund = return_table({"EWJ": steady(factors, [1.0, 0.0, 0.0, 0.0, 0.0, 0.0], seed=7)})
    _, fits = factor_exposures(fund, pd.concat([factors, japan]), etf_table({"EWJ": ("equity", "Japan Stock")}), sessions, FAST)
    assert set(fits["region"]) == {"JAPAN"}
    assert fits["reason"].str.contains("US explains it better").all()


@pytest.mark.parametrize(
    ("asset_class", "category", "exchange", "region"),
    [
        ("equity", "Large Blend", "XNYS", "US"),
        ("real_estate", "Real Estate", "XNYS", "US"),
        ("real_estate", "Global Real Estate", "XNYS", "DEVELOPED"),
        ("real_estate", "Property", "XASX", "ASIA_PACIFIC_EX_JAPAN"),
        ("equity", "Equity Australia", "XASX", "ASIA_PACIFIC_EX_JAPAN"),
        ("equity", "Equity North America", "XASX", "NORTH_AMERICA"),
        ("equity", "Diversified Emerging Mkts", "XNYS", "EMERGING"),
        ("bond", "Emerging Markets Bond", "XNYS", "not_equity"),
        ("unknown", None, "XNYS", "unclassified"),
    ],
)
def test_what_a_fund_asks_for(asset_class, category, exchange, region):
    etfs = pd.DataFrame({"ticker": ["X"], "asset_class": [asset_class], "category": [category], "exchange": [exchange]})
    assert wanted_regions(etfs, ExposureParameters()).tolist() == [region]


def test_no_factors_give_no_rows(market):
    returns, factors, etfs, sessions = market
    for part in (factors.iloc[:0], factors[factors["factor"] != "CMA"]):
        exposures, fits = factor_exposures(returns, part, etfs, sessions, FAST)
        assert exposures.empty
        assert fits.empty


def test_a_fund_without_an_exchange_is_an_error_that_names_it(market):
    returns, factors, etfs, sessions = market
    with pytest.raises(DataError, match="BBB"):
        factor_exposures(returns, factors, etfs[etfs["ticker"] != "BBB"], sessions, FAST)


def test_a_region_without_a_name_is_an_error():
    with pytest.raises(SettingsError, match="Japan"):
        _ = ExposureParameters(regions=("Japan",)).region_words


def test_collinear_factors_are_not_fitted_and_give_no_row():
    rng = np.random.default_rng(0)
    x = np.column_stack([np.ones(50), rng.normal(size=(50, 2))])
    x = np.column_stack([x, x[:, 1] - 2 * x[:, 2]])
    assert not least_squares(x, rng.normal(size=50), 50)[0]


def test_the_kernel_equals_the_shared_regression_on_every_window():
    rng = np.random.default_rng(5)
    n, k = 300, 6
    factors = np.column_stack([rng.normal(0, 0.01, (n, k)), np.full(n, 1e-4)])
    returns = factors[:, :k] @ rng.normal(0, 1, k) + 0.004 * rng.standard_t(4, n)
    ends = np.arange(80, n, 7)
    pairs = np.column_stack([np.zeros(len(ends)), np.arange(len(ends))]).astype(np.int64)
    at_once, now = np.zeros(n, np.int64), np.zeros(len(ends), np.int64)
    counts, coefficients, covariances, _ = fit_windows(
        returns, np.arange(n), np.array([0, n]), ends, pairs, factors, at_once, now, 60, 60, -1
    )
    for end, count, beta, covariance in zip(ends, counts, coefficients, covariances, strict=True):
        window = slice(end - 59, end + 1)
        fit = ols(returns[window] - 1e-4, np.column_stack([np.ones(60), factors[window, :k]]), correct=True)
        assert count == 60
        np.testing.assert_allclose(beta, fit.coefficients, rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(covariance, fit.covariance, rtol=1e-9, atol=1e-16)
