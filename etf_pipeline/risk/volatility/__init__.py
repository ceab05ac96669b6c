"""Volatility of one fund at a time: many estimators, annual, as known at each close, and a verdict on each of them.

`garch_fits` refits parameters once a year. `volatilities` filters them daily into forecasts beside the EWMA, realised and
regime-conditional estimators, combines them, and says of each row which model stands behind the forecast that is used.
`volatility_outcomes` holds forecasts of 21 sessions beside what followed; `volatility_weights` and `volatility_evaluation` judge.
"""

from __future__ import annotations

from etf_pipeline.risk.volatility.composite import CompositeParameters, volatility_weights
from etf_pipeline.risk.volatility.estimators import VolatilityParameters
from etf_pipeline.risk.volatility.evaluation import EvaluationParameters, volatility_evaluation
from etf_pipeline.risk.volatility.forecast import out_of_reach, volatilities
from etf_pipeline.risk.volatility.garch import GarchParameters, garch_fits
from etf_pipeline.risk.volatility.outcomes import volatility_outcomes

__all__ = [
    "CompositeParameters",
    "EvaluationParameters",
    "GarchParameters",
    "VolatilityParameters",
    "garch_fits",
    "out_of_reach",
    "volatilities",
    "volatility_evaluation",
    "volatility_outcomes",
    "volatility_weights",
]
