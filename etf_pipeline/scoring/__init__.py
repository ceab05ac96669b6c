"""Scoring room: one rank per fund from forecast, momentum, risk, liquidity and cost, with weights that follow the regime.

A score ranks; it is no forecast. Its parts add up to it, so that every rank can be read off its row.
"""

from __future__ import annotations

from etf_pipeline.scoring.composite import AdaptiveScoringSystem, ScoreParameters, composite
from etf_pipeline.scoring.weights import REGIME_WEIGHTS

__all__ = ["REGIME_WEIGHTS", "AdaptiveScoringSystem", "ScoreParameters", "composite"]
