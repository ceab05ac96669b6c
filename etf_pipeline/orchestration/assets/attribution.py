"""Attribution room: where did the return over a benchmark come from?"""

import pandas as pd

from etf_pipeline.attribution import AttributionParameters, FactorParameters
from etf_pipeline.recipes import makes


@makes(
    "attribution",
    reads={
        "backtest_ledger": ("session", "strategy", "cost_basis", "nav", "daily_return", "interest", "costs", "flow"),
        "backtest_positions": ("session", "strategy", "ticker", "shares"),
        "backtest_trades": ("session", "strategy", "ticker", "kind", "shares", "price"),
        "fct_prices": ("session", "ticker", "close", "dividend", "split_ratio", "adjustment"),
    },
)
def attribution(
    backtest_ledger: pd.DataFrame,
    backtest_positions: pd.DataFrame,
    backtest_trades: pd.DataFrame,
    fct_prices: pd.DataFrame,
    dim_etf: pd.DataFrame,
    parameters: AttributionParameters,
) -> pd.DataFrame:
    """Allocation, selection and interaction by asset class, trading and costs; a month's effects add up to its active return."""
    from etf_pipeline.attribution import books, effects_by_month

    return effects_by_month(books(backtest_ledger, backtest_positions, backtest_trades, fct_prices, dim_etf), parameters)


@makes("factor_attribution", reads={"backtest_ledger": ("session", "strategy", "cost_basis", "daily_return")})
def factor_attribution(backtest_ledger: pd.DataFrame, raw_factors: pd.DataFrame, parameters: FactorParameters) -> pd.DataFrame:
    """What market, size, value, profitability, investment and momentum explain of each month, by loadings known before it."""
    from etf_pipeline.attribution import factor_contributions

    return factor_contributions(backtest_ledger, raw_factors, parameters)
