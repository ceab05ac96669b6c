"""Volatility of one fund at a time: GARCH, EWMA and realised, annual, as known at each close.

`garch_fits` refits parameters once a year; `volatilities` filters them daily into forecasts and says of each row which
model stands behind it.
"""

from __future__ import annotations

from etf_pipeline.risk.volatility.forecast import VolatilityParameters, volatilities
from etf_pipeline.risk.volatility.garch import GarchParameters, garch_fits

__all__ = ["GarchParameters", "VolatilityParameters", "garch_fits", "volatilities"]
