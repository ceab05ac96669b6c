"""Quality room: what is wrong with the input, which rows are refused and why.

`inspect` holds every bar against the rules of `RULES`: an error refuses the bar (it goes to `quarantine` with the first rule
that it broke), a warning lists it. Nothing is repaired, nothing is lost, and no later row ever changes a verdict.
"""

from etf_pipeline.quality.inspection import Inspection, accepted_bars, inspect
from etf_pipeline.quality.parameters import QualityParameters
from etf_pipeline.quality.rules import RULES, Rule

__all__ = ["RULES", "Inspection", "QualityParameters", "Rule", "accepted_bars", "inspect"]
