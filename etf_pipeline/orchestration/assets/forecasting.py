"""Forecasting room: what may be expected of each fund, and how wrong were we?"""

import pandas as pd

from etf_pipeline.forecasting import ForecastParameters
from etf_pipeline.recipes import Cache, makes


@makes("member_forecasts", "forecasts", "realised_errors", "forecast_windows", "forecast_bias")
def forecasts(
    features: pd.DataFrame,
    fct_returns: pd.DataFrame,
    universe_membership: pd.DataFrame,
    dim_etf: pd.DataFrame,
    parameters: ForecastParameters,
    cache: Cache,
) -> tuple[pd.DataFrame, ...]:
    """Purged walk-forward over the models and their baselines, corrected for bias out of fold, weighted by past error."""
    from etf_pipeline.forecasting import walk_forward_forecasts

    made = walk_forward_forecasts(features, fct_returns, universe_membership, dim_etf, parameters, cache)
    return made.members, made.forecasts, made.errors, made.windows, made.bias
