"""The tables `garch_fits` and `volatilities`: what each row stands on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from risk_samples import SESSIONS, arch_fit, garch_returns, no_weights, regimes_frame, returns_frame, three_funds

from etf_pipeline.errors import DataError
from etf_pipeline.risk import GarchParameters, VolatilityParameters, garch_fits
from etf_pipeline.risk import volatilities as forecast
from etf_pipeline.risk.volatility.ewma import ewma_volatility, memory
from etf_pipeline.risk.volatility.garch import PARAMETERS, fit_sessions, horizon_volatilities
from etf_pipeline.risk.volatility.realised import realised_volatility
from etf_pipeline.schemas import TABLES


def volatilities(returns: pd.DataFrame, fits: pd.DataFrame, parameters: VolatilityParameters | None = None) -> pd.DataFrame:
    return forecast(returns, fits, regimes_frame(), no_weights(), parameters)


@pytest.fixture(scope="module")
def returns() -> pd.DataFrame:
    return three_funds()


@pytest.fixture(scope="module")
def fits(returns: pd.DataFrame) -> pd.DataFrame:
    return garch_fits(returns)


@pytest.fixture(scope="module")
def table(returns: pd.DataFrame, fits: pd.DataFrame) -> pd.DataFrame:
    return volatilities(returns, fits)


def test_both_tables_meet_their_contracts(fits, table):
    for name, frame in (("garch_fits", fits), ("volatilities", table)):
        TABLES[name].check(TABLES[name].to_arrow(frame))


def test_fits_are_made_at_year_ends_with_the_sample_counted(fits):
    aaa = fits[fits["ticker"] == "AAA"].set_index("fit_session")
    assert list(aaa.index.strftime("%Y-%m-%d")) == ["2015-12-31", "2016-12-30", "2017-12-29", "2018-12-31", "2019-12-31"]
    assert aaa["n"].tolist() == [251, 503, 754, 1005, 1257]
    assert aaa["status"].tolist() == ["ewma: 251 of 500 sessions", *["converged"] * 4]
    assert aaa[PARAMETERS].isna().all(axis=1).tolist() == [True, False, False, False, False]


def test_a_year_that_the_data_have_not_finished_has_no_fit(returns):
    unfinished = garch_fits(returns[returns["session"] < "2019-12-31"])
    assert unfinished["fit_session"].max() == pd.Timestamp("2018-12-31")
    assert len(fit_sessions(pd.Series(SESSIONS[:100]), "XNYS")) == 0


def test_a_fund_that_is_gone_is_not_fitted_again(returns):
    gone = garch_fits(returns[(returns["ticker"] != "AAA") | (returns["session"] < "2018-03-01")])
    assert gone.loc[gone["ticker"] == "AAA", "fit_session"].max() == pd.Timestamp("2018-12-31")


def test_a_fit_is_that_of_arch_in_percent(returns, fits):
    row = fits[(fits["ticker"] == "AAA") & (fits["fit_session"] == "2018-12-31")].iloc[0]
    x = returns[(returns["ticker"] == "AAA") & (returns["session"] <= "2018-12-31")]["total_return"].dropna() * 100
    peer = arch_fit(x.to_numpy())
    assert row[PARAMETERS].to_numpy(dtype=float) == pytest.approx(peer.params.to_numpy(), rel=5e-3, abs=5e-4)
    assert row["log_likelihood"] == pytest.approx(peer.loglikelihood, abs=1e-4)


def test_with_the_parameters_of_arch_variances_and_forecasts_are_its_own():
    x = garch_returns(1200, seed=31)
    peer = arch_fit(x)
    segment = pd.DataFrame([dict(zip(PARAMETERS, peer.params, strict=True))]).assign(first=0, after=0, stop=1200, gamma=0.0)
    weights = 0.94 ** np.arange(75)
    backcast = np.sum(weights * (x[:75] - x.mean()) ** 2) / weights.sum()
    segment["variance"] = segment["omega"] + (segment["alpha"] + segment["beta"]) * backcast
    one, many = horizon_volatilities(x, segment, (1, 21))
    # the one-session forecast at t is the conditional variance of t + 1
    assert one[:-1] == pytest.approx(np.sqrt(252) * peer.conditional_volatility[1:] / 100, rel=1e-10)
    # its forecasts start from another backcast (about the fitted mean), whose trace has died out by session 300
    theirs = peer.forecast(horizon=21, start=300, reindex=False).variance.to_numpy()
    assert many[300:] == pytest.approx(np.sqrt(252 * theirs.mean(axis=1)) / 100, rel=1e-10)


def test_the_annual_forecast_takes_the_root_of_the_variance_not_of_sigma():
    # omega = 4, nothing else: h is 4 percent squared for ever, so sigma is 2 % a session whatever the horizon.
    segment = pd.DataFrame(
        {
            "first": [0],
            "after": 0,
            "stop": 2,
            "variance": 4.0,
            "mu": 0.0,
            "omega": 4.0,
            "alpha": 0.0,
            "beta": 0.0,
            "gamma": np.nan,
        }
    )
    found = horizon_volatilities(np.array([1.0, -3.0]), segment, (21,))[0]
    assert found == pytest.approx([0.02 * np.sqrt(252)] * 2, rel=1e-14)


def test_each_row_uses_the_latest_fit_and_says_so(fits, table):
    aaa = table[table["ticker"] == "AAA"].set_index("session")
    assert aaa.loc["2015-03-02", "source"] == "ewma: before the first year-end fit"
    assert aaa.loc["2016-12-29", "source"] == "ewma: 251 of 500 sessions"
    assert aaa.loc["2016-12-30", "source"] == "garch"  # a fit governs from its own close
    assert aaa.iloc[0]["source"] == "unknown"
    governed = aaa["source"] == "garch"
    assert governed.equals(aaa["garch_21"].notna())
    assert aaa["volatility"].equals(aaa["garch_21"].where(governed, aaa["ewma"]))


def test_between_fits_a_row_is_filtered_from_the_first_return_with_the_last_parameters(returns, fits, table):
    x = returns.loc[returns["ticker"] == "BBB", "total_return"].dropna().to_numpy() * 100
    days = returns.loc[returns["ticker"] == "BBB", "session"].iloc[1:]
    row = fits[(fits["ticker"] == "BBB") & (fits["fit_session"] == "2018-12-31")].iloc[0]
    h = row.omega + (row.alpha + row.beta) * row.backcast
    for r in x[days <= "2019-06-03"]:
        h = row.omega + row.alpha * (r - row.mu) ** 2 + row.beta * h
    ahead = [h]
    for _ in range(20):
        ahead.append(row.omega + (row.alpha + row.beta) * ahead[-1])
    found = table[(table["ticker"] == "BBB") & (table["session"] == "2019-06-03")].iloc[0]
    assert found["garch_21"] == pytest.approx(np.sqrt(252 * np.mean(ahead)) / 100, rel=1e-12)


def test_parameters_of_the_room_are_obeyed(returns):
    early = garch_fits(returns, GarchParameters(min_sessions=240))
    assert early.loc[early["ticker"] == "AAA", "status"].tolist() == ["converged"] * 5
    assert "ewma: no optimum within 1 steps" in set(garch_fits(returns, GarchParameters(max_steps=1))["status"])
    slow = volatilities(returns, garch_fits(returns), VolatilityParameters(ewma_decay=0.99, ewma_min_sessions=100))
    assert slow.loc[slow["ticker"] == "AAA", "ewma"].isna().sum() == 100


def test_ewma_and_realised_equal_pandas_fund_by_fund(returns, table):
    for ticker, rows in table.groupby("ticker"):
        r = returns.loc[returns["ticker"] == ticker, "total_return"].reset_index(drop=True)
        rows = rows.reset_index(drop=True)
        ewma = np.sqrt(252 * (r**2).ewm(alpha=0.06, min_periods=20).mean())
        np.testing.assert_allclose(rows["ewma"], ewma, rtol=5e-5)  # a millionth of the weights, on returns of up to 10 sigma
        whole = memory(0.94)
        np.testing.assert_allclose(rows["ewma"][:whole], ewma[:whole], rtol=1e-10)
        for window in (30, 90, 252):
            np.testing.assert_allclose(rows[f"realised_{window}"], r.rolling(window).std() * np.sqrt(252), rtol=1e-9)


def test_an_unknown_return_leaves_the_forecasts_and_blanks_the_realised():
    values = garch_returns(1100, seed=33) / 100
    values[1000] = np.nan
    returns = returns_frame({"AAA": values})
    rows = volatilities(returns, garch_fits(returns))
    assert rows["garch_21"].iloc[1000] == rows["garch_21"].iloc[999]
    assert rows["ewma"].iloc[1000] == pytest.approx(rows["ewma"].iloc[999], rel=1e-6)  # one old return left its memory
    assert rows["realised_30"].iloc[1000:1030].isna().all()
    assert rows["realised_30"].iloc[1030:].notna().all()


def test_an_absurd_return_is_forgotten_once_it_leaves_a_window():
    clean = garch_returns(600, seed=34) / 100
    poisoned = clean.copy()
    poisoned[300] = 1e9
    offsets = np.array([0, 600])
    np.testing.assert_array_equal(realised_volatility(clean, offsets, 90)[390:], realised_volatility(poisoned, offsets, 90)[390:])


def test_funds_do_not_leak_into_each_other():
    r = garch_returns(200, seed=35) / 100
    both, offsets = np.concatenate([r, 5 * r]), np.array([0, 200, 400])
    np.testing.assert_allclose(ewma_volatility(both, offsets)[200:], 5 * ewma_volatility(both, offsets)[:200], rtol=1e-12)
    found = realised_volatility(both, offsets, 30)
    np.testing.assert_allclose(found[200:], 5 * found[:200], rtol=1e-12)


def test_a_worthless_fit_falls_back_with_its_reason():
    flat = np.full(600, 0.001)
    returns = returns_frame({"AAA": flat}, SESSIONS[: SESSIONS.get_loc("2018-01-05")])
    fits = garch_fits(returns)
    assert fits["status"].iloc[-1] == "ewma: the returns have no finite positive variance"
    table = volatilities(returns, fits)
    assert table["source"].iloc[-1] == "ewma: the returns have no finite positive variance"
    assert table["volatility"].iloc[-1] == pytest.approx(0.001 * np.sqrt(252))


def test_fits_of_funds_without_rows_govern_nothing(returns, fits):
    both = pd.concat([fits, fits.assign(ticker="ZZZ")])
    pd.testing.assert_frame_equal(volatilities(returns, both), volatilities(returns, fits))


def test_fits_without_numbers_are_refused(returns, fits):
    with pytest.raises(DataError, match="AAA at 2016-12-30"):
        volatilities(returns, fits.assign(omega=np.nan))


def test_inputs_are_not_changed(returns, fits):
    before = returns.copy(), fits.copy()
    volatilities(returns, fits)
    garch_fits(returns)
    pd.testing.assert_frame_equal(returns, before[0])
    pd.testing.assert_frame_equal(fits, before[1])
