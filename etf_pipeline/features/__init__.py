"""Features room: predictors per fund and session, each known at the close.

A feature is a causal function on wide arrays ``(n_sessions, n_assets)``. Windows count a fund's own bars: a session without a
bar is skipped, and the feature is unknown there. What other rooms own (beta, regime, macro) is never computed here, and
cross-sectional ranks belong to the room that needs them, since only it knows among whom to rank.
"""

from __future__ import annotations

from etf_pipeline.features.build import FeatureParameters, compute
from etf_pipeline.features.inputs import FeatureInputs
from etf_pipeline.features.registry import FEATURES, Feature

__all__ = ["FEATURES", "Feature", "FeatureInputs", "FeatureParameters", "compute"]
