"""Quality room: what is wrong with the input, which rows are refused and why.

`inspect` holds every bar and corporate action against the rules of `RULES`: an error refuses it (it goes to `quarantine` with the
first rule that it broke), a warning lists it, and where several sources have a bar one speaks. Settings may refuse more, or less.
Nothing is repaired, nothing is lost, and no later row ever changes a verdict.
"""

from etf_pipeline.quality.inspection import Inspection, accepted_bars, inspect
from etf_pipeline.quality.news import MEMORY, contested
from etf_pipeline.quality.parameters import QualityParameters
from etf_pipeline.quality.rules import RULES, Rule, refuses, severity

__all__ = [
    "MEMORY",
    "RULES",
    "Inspection",
    "QualityParameters",
    "Rule",
    "accepted_bars",
    "contested",
    "inspect",
    "refuses",
    "severity",
]
