"""Regimes room: which state the market was in at each close - by a rule that people can follow, and by a hidden Markov model.

`rule` holds the thresholds on VIX and on the market's distance from its 200-session mean; `detection` walks through the
sessions with hysteresis, dwell and confirmation, so that a label, once given, never changes and does not flicker. `hidden_markov`
estimates states from returns alone (`kernels` does the work); `probabilities` refits them once a year and filters in between, so
that no probability knows what came after.
"""

from __future__ import annotations

from etf_pipeline.regimes.detection import detect
from etf_pipeline.regimes.hidden_markov import HiddenMarkov, ahead, filtered, fit
from etf_pipeline.regimes.probabilities import HiddenMarkovParameters, probabilities
from etf_pipeline.regimes.rule import RegimeParameters

__all__ = [
    "HiddenMarkov",
    "HiddenMarkovParameters",
    "RegimeParameters",
    "ahead",
    "detect",
    "filtered",
    "fit",
    "probabilities",
]
