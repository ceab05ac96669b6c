"""Features room: predictors per fund and session, each known at the close, and whether their distribution has moved.

A feature is a causal function of a fund's own bars: a session without a bar is skipped, and the feature is unknown there. What
other rooms own (beta, regime, macro) is never computed here, and cross-sectional ranks belong to the room that needs them, since
only it knows among whom to rank.
"""

from __future__ import annotations

from etf_pipeline.features.bars import Bars
from etf_pipeline.features.build import FeatureParameters, compute
from etf_pipeline.features.drift import DriftParameters, drift
from etf_pipeline.features.feature import Feature
from etf_pipeline.features.market import market_returns
from etf_pipeline.features.registry import FEATURES, LOOKBACK, evaluate

__all__ = [
    "FEATURES",
    "LOOKBACK",
    "Bars",
    "DriftParameters",
    "Feature",
    "FeatureParameters",
    "compute",
    "drift",
    "evaluate",
    "market_returns",
]
