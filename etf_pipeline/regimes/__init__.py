"""Regimes room: which state the market was in at each close - bull, bear, sideways, or unknown.

`rule` holds the thresholds on VIX and on the market's distance from its 200-session mean; `detection` walks through the
sessions with hysteresis and a minimum dwell, so that a label, once given, never changes and does not flicker.
"""

from __future__ import annotations

from etf_pipeline.regimes.detection import detect
from etf_pipeline.regimes.rule import RegimeParameters

__all__ = ["RegimeParameters", "detect"]
