"""Risk room: how much each fund may move, alone and with the others, as known at each session's close.

`volatility` forecasts one fund at a time (GARCH refitted yearly, EWMA where it cannot be), `covariance` estimates the
members of the universe together, with the estimator that is chosen, and follows how all of them did. Both are causal: nothing
after a session changes its row.
"""

from __future__ import annotations

from etf_pipeline.risk.covariance import (
    COVARIANCE_ESTIMATORS,
    CovarianceParameters,
    StabilityParameters,
    covariance_stability,
    covariance_tests,
    covariances,
    ledoit_wolf,
)
from etf_pipeline.risk.volatility import (
    CompositeParameters,
    EvaluationParameters,
    GarchParameters,
    VolatilityParameters,
    garch_fits,
    out_of_reach,
    volatilities,
    volatility_evaluation,
    volatility_outcomes,
    volatility_weights,
)

__all__ = [
    "COVARIANCE_ESTIMATORS",
    "CompositeParameters",
    "CovarianceParameters",
    "EvaluationParameters",
    "GarchParameters",
    "StabilityParameters",
    "VolatilityParameters",
    "covariance_stability",
    "covariance_tests",
    "covariances",
    "garch_fits",
    "ledoit_wolf",
    "out_of_reach",
    "volatilities",
    "volatility_evaluation",
    "volatility_outcomes",
    "volatility_weights",
]
