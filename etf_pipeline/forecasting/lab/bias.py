"""Bias at the horizons that the night does not forecast: the same models, windows and correction, other labels."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from etf_pipeline.forecasting.parameters import ForecastParameters
from etf_pipeline.forecasting.pipeline import walk_forward_forecasts
from etf_pipeline.forecasting.windows import WindowCache

OTHER_HORIZONS = (5, 63)
"""A week and a quarter beside the night's month. [sessions]"""


def bias_by_horizon(
    features: pd.DataFrame,
    returns: pd.DataFrame,
    membership: pd.DataFrame,
    reference: pd.DataFrame,
    parameters: ForecastParameters | None = None,
    cache: WindowCache | None = None,
) -> pd.DataFrame:
    """Rows of `lab_bias`: one per model, asset class and horizon of `OTHER_HORIZONS`.

    Parameters
    ----------
    features, returns, membership, reference : DataFrame
        As for `walk_forward_forecasts`.

    Notes
    -----
    Holm's correction is that of each horizon's own table.
    """
    parameters = parameters or ForecastParameters()
    made = [
        walk_forward_forecasts(features, returns, membership, reference, replace(parameters, horizon=horizon), cache).bias
        for horizon in OTHER_HORIZONS
    ]
    return pd.concat(made, ignore_index=True)
