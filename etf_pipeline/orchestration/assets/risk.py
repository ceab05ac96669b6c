"""Risk room: how much do funds move, and how much together?"""

import pandas as pd

from etf_pipeline.recipes import makes
from etf_pipeline.risk import CovarianceParameters, GarchParameters, VolatilityParameters


@makes("garch_fits")
def garch_fits(fct_returns: pd.DataFrame, parameters: GarchParameters) -> pd.DataFrame:
    """GARCH(1,1) with Student-t errors, refitted each year on everything known by then."""
    from etf_pipeline.risk import garch_fits as fit

    return fit(fct_returns, parameters)


@makes("volatilities")
def volatilities(fct_returns: pd.DataFrame, garch_fits: pd.DataFrame, parameters: VolatilityParameters) -> pd.DataFrame:
    """Volatility forecasts of every fund and session; the EWMA stands in, flagged, where GARCH cannot."""
    from etf_pipeline.risk import volatilities as forecast

    return forecast(fct_returns, garch_fits, parameters)


@makes("covariances", "covariance_health")
def covariances(
    fct_returns: pd.DataFrame, universe_membership: pd.DataFrame, raw_sessions: pd.DataFrame, parameters: CovarianceParameters
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ledoit-Wolf covariance of the members at the last session of each month, when portfolios are rebalanced."""
    from etf_pipeline.risk import covariances as estimate

    ends = raw_sessions[raw_sessions["is_main"] & raw_sessions["is_month_end"]]["session"]
    rebalances = pd.DatetimeIndex(sorted(set(ends) & set(universe_membership["session"])))
    return estimate(fct_returns, universe_membership, rebalances, parameters)
