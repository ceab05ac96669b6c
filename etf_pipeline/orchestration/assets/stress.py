"""Stress room: what would today's portfolios lose, and did their risk forecasts hold?"""

import pandas as pd

from etf_pipeline.recipes import makes
from etf_pipeline.stress import FactorInputs, StressParameters, VarBacktestParameters
from etf_pipeline.stress import var_backtests as judge


@makes(
    "stress_results",
    "stress_contributions",
    "stress_factors",
    "reverse_stress",
    reads={"fct_returns": ("session", "ticker", "total_return", "index_close")},
)
def stress(
    target_weights: pd.DataFrame,
    fct_returns: pd.DataFrame,
    covariances: pd.DataFrame,
    dim_etf: pd.DataFrame,
    multi_factor_betas: pd.DataFrame,
    fund_profile: pd.DataFrame,
    stg_macro: pd.DataFrame,
    raw_scenarios: pd.DataFrame,
    parameters: StressParameters,
) -> tuple[pd.DataFrame, ...]:
    """Windows replayed and factors shocked with today's weights, Monte Carlo with its error, and the likeliest way to lose."""
    from etf_pipeline.stress import run_stress

    factors = FactorInputs(multi_factor_betas, fund_profile, stg_macro)
    return run_stress(target_weights, fct_returns, covariances, dim_etf, factors, raw_scenarios, parameters)


@makes(
    "var_backtests",
    reads={
        "backtest_ledger": ("session", "strategy", "cost_basis", "daily_return"),
        "target_weights": ("session", "strategy", "ticker", "weight"),
        "volatilities": ("session", "ticker", "volatility"),
    },
)
def var_backtests(
    backtest_ledger: pd.DataFrame,
    target_weights: pd.DataFrame,
    covariances: pd.DataFrame,
    volatilities: pd.DataFrame,
    parameters: VarBacktestParameters,
) -> pd.DataFrame:
    """Daily value at risk and shortfall of each strategy, as known at the close before, held against what came."""
    return judge(backtest_ledger, target_weights, covariances, volatilities, parameters)
