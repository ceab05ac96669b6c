"""Scoring room: which funds rank first?"""

import pandas as pd

from etf_pipeline.recipes import makes
from etf_pipeline.scoring import ScoreParameters, composite


@makes("scores")
def scores(
    forecasts: pd.DataFrame,
    features: pd.DataFrame,
    volatilities: pd.DataFrame,
    liquidity: pd.DataFrame,
    regimes: pd.DataFrame,
    universe_membership: pd.DataFrame,
    parameters: ScoreParameters,
) -> pd.DataFrame:
    """Composite of forecast, momentum, risk, liquidity and cost with the regime's weights; its parts add up."""
    return composite(forecasts, features, volatilities, liquidity, regimes, universe_membership, parameters)
