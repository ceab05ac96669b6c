"""Costs room: what does trading each fund cost?"""

import pandas as pd

from etf_pipeline.costs import CostParameters, SpreadParameters
from etf_pipeline.recipes import Increment, makes


@makes(
    "liquidity",
    reads={
        "fct_prices": ("session", "ticker", "traded_value"),
        "fct_returns": ("session", "ticker", "total_return"),
        "volatilities": ("session", "ticker", "volatility"),
        "universe_membership": ("session", "ticker", "member"),
    },
    increment=Increment(lookback=lambda parameters: parameters.window),
)
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


@makes(
    "spread_estimates",
    reads={
        "fct_prices": ("session", "ticker", "exchange", "open", "high", "low", "close"),
        "fct_returns": ("session", "ticker", "total_return"),
        "liquidity": ("session", "ticker", "half_spread"),
    },
    increment=Increment(lookback=lambda parameters: parameters.window, dated={"spread_estimates": "session"}),
)
def spread_estimates(
    fct_prices: pd.DataFrame, fct_returns: pd.DataFrame, liquidity: pd.DataFrame, parameters: SpreadParameters
) -> pd.DataFrame:
    """What daily bars say about each fund's spread, and how small a one they could have shown, beside the one charged."""
    from etf_pipeline.costs import spread_estimates as estimate

    return estimate(fct_prices, fct_returns, liquidity, parameters)
