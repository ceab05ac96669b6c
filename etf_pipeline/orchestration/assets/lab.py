"""The forecasting lab: which models, features and settings are worth anything? Run by `etf run lab`, not every night."""

import pandas as pd

from etf_pipeline.forecasting import ForecastParameters
from etf_pipeline.forecasting.lab import ImportanceParameters, LabParameters, SearchParameters
from etf_pipeline.recipes import Cache, makes


@makes("lab_windows", "lab_metrics", "lab_tests", "lab_paths")
def lab(
    features: pd.DataFrame,
    fct_returns: pd.DataFrame,
    universe_membership: pd.DataFrame,
    dim_etf: pd.DataFrame,
    fct_prices: pd.DataFrame,
    regimes: pd.DataFrame,
    parameters: LabParameters,
    cache: Cache,
) -> tuple[pd.DataFrame, ...]:
    """Models, horizons and training spans through every purged window, judged by regime, with one correction for all tests."""
    from etf_pipeline.forecasting.lab import run_lab

    made = run_lab(features, fct_returns, universe_membership, dim_etf, fct_prices, regimes, parameters, cache)
    return made.windows, made.metrics, made.tests, made.paths


@makes("lab_bias")
def bias(
    features: pd.DataFrame,
    fct_returns: pd.DataFrame,
    universe_membership: pd.DataFrame,
    dim_etf: pd.DataFrame,
    parameters: ForecastParameters,
    cache: Cache,
) -> pd.DataFrame:
    """The night's models at the other horizons, corrected as the night corrects them, judged as `forecast_bias` judges."""
    from etf_pipeline.forecasting.lab import bias_by_horizon

    return bias_by_horizon(features, fct_returns, universe_membership, dim_etf, parameters, cache)


@makes("feature_importance")
def importance(
    features: pd.DataFrame,
    fct_returns: pd.DataFrame,
    universe_membership: pd.DataFrame,
    dim_etf: pd.DataFrame,
    parameters: ImportanceParameters,
    cache: Cache,
) -> pd.DataFrame:
    """Loss of skill out of fold when a feature, its family or its cluster is shuffled among the funds of each session."""
    from etf_pipeline.features import FEATURES
    from etf_pipeline.forecasting.lab import feature_importance

    families = {name: feature.family for name, feature in FEATURES.items()}
    return feature_importance(features, fct_returns, universe_membership, dim_etf, families, parameters, cache)


@makes("search_trials", "search_windows", "search_results")
def search(
    features: pd.DataFrame,
    fct_returns: pd.DataFrame,
    universe_membership: pd.DataFrame,
    dim_etf: pd.DataFrame,
    parameters: SearchParameters,
    cache: Cache,
    previous: pd.DataFrame,
) -> tuple[pd.DataFrame, ...]:
    """Successive halving inside each training span, and whether its choice beat the default on the test window after it."""
    from etf_pipeline.forecasting.lab import search_hyper_parameters

    return search_hyper_parameters(features, fct_returns, universe_membership, dim_etf, previous, parameters, cache)
