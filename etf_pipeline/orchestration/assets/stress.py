"""Stress room: what would today's portfolios lose?"""

import pandas as pd

from etf_pipeline.recipes import makes
from etf_pipeline.stress import StressParameters


@makes("stress_results", "stress_contributions")
def stress(
    target_weights: pd.DataFrame,
    fct_returns: pd.DataFrame,
    covariances: pd.DataFrame,
    dim_etf: pd.DataFrame,
    parameters: StressParameters,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Historical windows replayed with today's weights, and Monte Carlo with its simulation error."""
    from etf_pipeline.stress import run_stress

    return run_stress(target_weights, fct_returns, covariances, dim_etf, parameters)
