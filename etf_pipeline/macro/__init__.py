"""Macro room: the state of rates, credit, prices, labour, policy and geopolitics as released, and what it says about each fund.

`macro_state` says how far each dimension stands from its own past. `fund_profile` says what a fund is, `fund_months` what it
earned; `macro_sensitivities` weighs the plan's priors against what funds did when the state moved. `macro_adjustments` puts both
together as two bounded multipliers, and `macro_replays` and `macro_skill` ask whether they were of any use. No skill is a valid
answer.
"""

from __future__ import annotations

from etf_pipeline.macro.adjustments import AdjustmentParameters, macro_adjustments, multiplier
from etf_pipeline.macro.dimensions import DIMENSIONS, GEOPOLITICS, MACRO, Dimension, Input
from etf_pipeline.macro.months import MonthParameters, fund_months
from etf_pipeline.macro.profile import ProfileParameters, fund_profile
from etf_pipeline.macro.replays import EVENTS, Event, ReplayParameters, macro_replays
from etf_pipeline.macro.sensitivities import SensitivityParameters, macro_sensitivities
from etf_pipeline.macro.skill import macro_record, macro_skill
from etf_pipeline.macro.state import MacroParameters, macro_state

__all__ = [
    "DIMENSIONS",
    "EVENTS",
    "GEOPOLITICS",
    "MACRO",
    "AdjustmentParameters",
    "Dimension",
    "Event",
    "Input",
    "MacroParameters",
    "MonthParameters",
    "ProfileParameters",
    "ReplayParameters",
    "SensitivityParameters",
    "fund_months",
    "fund_profile",
    "macro_adjustments",
    "macro_record",
    "macro_replays",
    "macro_sensitivities",
    "macro_skill",
    "macro_state",
    "multiplier",
]
