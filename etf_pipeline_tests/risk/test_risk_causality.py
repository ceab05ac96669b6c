"""Nothing after a session changes its row: cut the future off, or poison it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from risk_samples import garch_returns, regimes_frame, returns_frame, three_funds

from etf_pipeline.risk import CovarianceParameters, covariances, garch_fits, volatilities, volatility_outcomes, volatility_weights

CUTS = ["2016-12-30", "2017-01-03", "2018-07-02", "2019-12-30"]


def truncated(returns: pd.DataFrame, cut: str) -> pd.DataFrame:
    return returns[returns["session"] <= cut]


def poisoned(returns: pd.DataFrame, cut: str) -> pd.DataFrame:
    absurd = np.resize([1e6, -0.999999, np.nan, 0.0, np.inf], len(returns))
    return returns.assign(total_return=returns["total_return"].where(returns["session"] <= cut, absurd))


def forecasts(returns: pd.DataFrame, fits: pd.DataFrame) -> pd.DataFrame:
    """`volatilities` with the weights that these returns themselves lead to."""
    weights = volatility_weights(volatility_outcomes(returns, fits, regimes_frame()))
    return volatilities(returns, fits, regimes_frame(), weights)


def known(frame: pd.DataFrame, cut: str, day: str = "session") -> pd.DataFrame:
    key = [c for c in ("session", "fit_session", "ticker", "ticker_1", "ticker_2") if c in frame]
    return frame[frame[day] <= cut].sort_values(key).reset_index(drop=True)


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")  # infinities in the poisoned future
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("change", [truncated, poisoned])
def test_fits_and_volatilities_do_not_read_the_future(change, cut):
    returns = three_funds()
    later = change(returns, cut)
    fits, later_fits = garch_fits(returns), garch_fits(later)
    same = {"rtol": 1e-12, "atol": 0}
    pd.testing.assert_frame_equal(known(fits, cut, "fit_session"), known(later_fits, cut, "fit_session"), **same)
    pd.testing.assert_frame_equal(known(forecasts(returns, fits), cut), known(forecasts(later, later_fits), cut), **same)


@pytest.mark.parametrize("cut", CUTS[1:3])
@pytest.mark.parametrize("change", [truncated, poisoned])
def test_covariances_do_not_read_the_future(change, cut):
    returns = returns_frame({t: garch_returns(1258, seed=s) / 100 for s, t in enumerate("ABCDE")})
    returns = returns[(returns["ticker"] != "E") | (returns["session"] < "2018-03-01")]  # a dead fund is in the universe
    sessions = pd.DatetimeIndex(["2016-06-30", "2016-12-30", "2017-01-03", "2017-12-29", "2018-06-29", "2019-06-28"])
    parameters = CovarianceParameters(window=250)

    def estimates(data: pd.DataFrame, at: pd.DatetimeIndex) -> tuple[pd.DataFrame, ...]:
        made = covariances(data, data[["session", "ticker"]].assign(member=True), at, parameters)
        return tuple(known(frame, cut) for frame in made)

    at = sessions if change is poisoned else sessions[sessions <= cut]
    for now, later in zip(estimates(returns, sessions), estimates(change(returns, cut), at), strict=True):
        assert len(now)
        pd.testing.assert_frame_equal(now, later, rtol=1e-12, atol=0)
