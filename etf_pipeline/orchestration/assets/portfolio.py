"""Portfolio room: what should be held, and why?"""

import pandas as pd

from etf_pipeline.portfolio import PortfolioParameters
from etf_pipeline.recipes import Cache, makes


@makes("target_weights", "optimizer_solutions", "rebalance_decisions", "optimizer_attempts")
def target_weights(
    scores: pd.DataFrame,
    forecasts: pd.DataFrame,
    volatilities: pd.DataFrame,
    covariances: pd.DataFrame,
    liquidity: pd.DataFrame,
    fct_returns: pd.DataFrame,
    fct_macro: pd.DataFrame,
    dim_etf: pd.DataFrame,
    raw_mandates: pd.DataFrame,
    fct_holdings: pd.DataFrame,
    raw_flows: pd.DataFrame,
    parameters: PortfolioParameters,
    cache: Cache,
) -> tuple[pd.DataFrame, ...]:
    """Every strategy and mandate at every decision: optimised within limits, traded where it pays, from real holdings if told."""
    from etf_pipeline.portfolio import build_portfolios

    market = scores, forecasts, volatilities, covariances, liquidity, fct_returns, fct_macro, dim_etf
    return build_portfolios(*market, parameters, raw_mandates, fct_holdings, raw_flows, cache)
