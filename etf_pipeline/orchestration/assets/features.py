"""Features room: what predicts?"""

import pandas as pd

from etf_pipeline.features import FeatureParameters, compute
from etf_pipeline.recipes import makes


@makes("features")
def features(
    fct_prices: pd.DataFrame, fct_returns: pd.DataFrame, universe_membership: pd.DataFrame, parameters: FeatureParameters
) -> pd.DataFrame:
    """Causal predictors of every fund and session."""
    return compute(fct_prices, fct_returns, universe_membership, parameters)
