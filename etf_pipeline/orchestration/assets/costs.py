"""Costs room: what does trading each fund cost?"""

import pandas as pd

from etf_pipeline.costs import CostParameters
from etf_pipeline.recipes import makes


@makes("liquidity")
def liquidity(
    fct_prices: pd.DataFrame,
    fct_returns: pd.DataFrame,
    volatilities: pd.DataFrame,
    universe_membership: pd.DataFrame,
    parameters: CostParameters,
) -> pd.DataFrame:
    """Half-spread, traded value and volatility of every fund and session: the inputs of the one cost function."""
    from etf_pipeline.costs import liquidity as estimate

    return estimate(fct_prices, fct_returns, volatilities, universe_membership, parameters)
