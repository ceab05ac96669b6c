"""Portfolio room: what should be held, and why?"""

import pandas as pd

from etf_pipeline.portfolio import PortfolioParameters
from etf_pipeline.recipes import makes


@makes("target_weights", "optimizer_solutions")
def target_weights(
    scores: pd.DataFrame,
    forecasts: pd.DataFrame,
    volatilities: pd.DataFrame,
    covariances: pd.DataFrame,
    liquidity: pd.DataFrame,
    fct_returns: pd.DataFrame,
    fct_macro: pd.DataFrame,
    dim_etf: pd.DataFrame,
    parameters: PortfolioParameters,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Max Sharpe and risk parity at every month's end, zero or 2-15 % a fund, costs and a VaR limit inside."""
    from etf_pipeline.portfolio import build_portfolios

    return build_portfolios(scores, forecasts, volatilities, covariances, liquidity, fct_returns, fct_macro, dim_etf, parameters)
