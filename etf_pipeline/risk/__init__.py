"""Risk room: how much each fund may move, alone and with the others, as known at each session's close.

`volatility` forecasts one fund at a time (GARCH refitted yearly, EWMA where it cannot be), `covariance` estimates the
members of the universe together. Both are causal: nothing after a session changes its row.
"""

from __future__ import annotations

from etf_pipeline.risk.covariance import CovarianceParameters, covariances, ledoit_wolf
from etf_pipeline.risk.volatility import GarchParameters, VolatilityParameters, garch_fits, volatilities

__all__ = [
    "CovarianceParameters",
    "GarchParameters",
    "VolatilityParameters",
    "covariances",
    "garch_fits",
    "ledoit_wolf",
    "volatilities",
]
