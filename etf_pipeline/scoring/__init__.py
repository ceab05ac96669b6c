"""Scoring room: one rank per fund from forecast, momentum, risk, liquidity, cost and the macro state, with weights that adapt.

A score ranks; it is no forecast. Its parts add up to it, so that every rank can be read off its row. What adapting is worth is
not taken for granted: `scoring_record` holds every weighting against what came of it, `compare_weightings` tests the differences.
"""

from __future__ import annotations

from etf_pipeline.scoring.comparison import compare_weightings
from etf_pipeline.scoring.composite import AdaptiveScoringSystem, composite
from etf_pipeline.scoring.parameters import RecordParameters, ScoreParameters, ScoringComparisonParameters
from etf_pipeline.scoring.record import RECORDED, scoring_record
from etf_pipeline.scoring.weightings import WEIGHTINGS
from etf_pipeline.scoring.weights import REGIME_WEIGHTS, weight_table

__all__ = [
    "RECORDED",
    "REGIME_WEIGHTS",
    "WEIGHTINGS",
    "AdaptiveScoringSystem",
    "RecordParameters",
    "ScoreParameters",
    "ScoringComparisonParameters",
    "compare_weightings",
    "composite",
    "scoring_record",
    "weight_table",
]
