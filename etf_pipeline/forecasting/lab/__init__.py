"""The lab of the forecasting room: what models, horizons, features and settings are worth on sessions none was fitted on.

It is not part of a night: `etf run lab` judges the grid on the tables that are there. Every window, split, shuffle and evaluation
is kept under the hash of what it is a function of, so that another session costs the window that is open. All claims are
corrected for having been looked at together, and "no skill" is an answer.
"""

from __future__ import annotations

from etf_pipeline.forecasting.lab.bias import bias_by_horizon
from etf_pipeline.forecasting.lab.importance import feature_importance
from etf_pipeline.forecasting.lab.metrics import METRICS
from etf_pipeline.forecasting.lab.parameters import ImportanceParameters, LabParameters, SearchParameters
from etf_pipeline.forecasting.lab.search import SPACES
from etf_pipeline.forecasting.lab.study import LabResult, run_lab
from etf_pipeline.forecasting.lab.tuning import search_hyper_parameters

__all__ = [
    "METRICS",
    "SPACES",
    "ImportanceParameters",
    "LabParameters",
    "LabResult",
    "SearchParameters",
    "bias_by_horizon",
    "feature_importance",
    "run_lab",
    "search_hyper_parameters",
]
