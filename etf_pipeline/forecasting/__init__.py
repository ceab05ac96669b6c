"""Forecasting room: expected total returns per fund, their bias measured where no model was fitted, and what correcting it did.

Models are fitted walk-forward on a pooled panel. Each forecast is corrected by the line that earlier forecasts' realised errors
support, no further; the ensemble weighs models by what they lost out of fold. "No difference" is a valid verdict.
"""

from __future__ import annotations

from etf_pipeline.forecasting.baselines import BASELINES
from etf_pipeline.forecasting.models import MODELS, Estimator
from etf_pipeline.forecasting.parameters import ForecastParameters
from etf_pipeline.forecasting.pipeline import ForecastResult, walk_forward_forecasts
from etf_pipeline.forecasting.windows import WindowCache

__all__ = ["BASELINES", "MODELS", "Estimator", "ForecastParameters", "ForecastResult", "WindowCache", "walk_forward_forecasts"]
