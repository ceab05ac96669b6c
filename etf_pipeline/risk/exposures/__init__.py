"""Exposures: which priced factors explain each fund, has that changed, and what does a portfolio therefore hold?

`sample` lines funds up with the factors that were published by each month's end, `kernels` fits all of them with
Newey-West errors, `regions` says which region's factors a fund should be held against, `fits` makes the tables of
loadings, `drift` tests whether the last year differs from the years before, `portfolios` adds funds up to portfolios.
"""

from __future__ import annotations

from etf_pipeline.risk.exposures.drift import style_drift
from etf_pipeline.risk.exposures.fits import factor_exposures
from etf_pipeline.risk.exposures.parameters import DriftParameters, ExposureParameters, PortfolioExposureParameters
from etf_pipeline.risk.exposures.portfolios import portfolio_exposures
from etf_pipeline.risk.exposures.sample import FACTORS

__all__ = [
    "FACTORS",
    "DriftParameters",
    "ExposureParameters",
    "PortfolioExposureParameters",
    "factor_exposures",
    "portfolio_exposures",
    "style_drift",
]
