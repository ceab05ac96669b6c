"""Macro room: what do rates, credit, prices, labour, policy and geopolitics say about each fund?"""

import pandas as pd

from etf_pipeline.macro import AdjustmentParameters, MacroParameters, MonthParameters, ProfileParameters
from etf_pipeline.macro import ReplayParameters as Replay
from etf_pipeline.macro import SensitivityParameters as Sensitivity
from etf_pipeline.macro import fund_months as months_of
from etf_pipeline.macro import fund_profile as profile_of
from etf_pipeline.macro import macro_adjustments as adjust
from etf_pipeline.macro import macro_record as record
from etf_pipeline.macro import macro_replays as replay
from etf_pipeline.macro import macro_sensitivities as estimate
from etf_pipeline.macro import macro_skill as judge
from etf_pipeline.macro import macro_state as read_state
from etf_pipeline.macro.replays import SPAN, longest_event
from etf_pipeline.recipes import Increment, makes

MEMBERS = ("session", "ticker", "member")
QUARTER = 45
"""More sessions than from one month's end to the next but one."""
MONTH = 31
"""Longest month. [calendar days]"""


def _months(count: int) -> int:
    """Calendar days that hold so many months' ends, and some more."""
    return (count + 2) * MONTH


@makes("macro_state", increment=Increment(lookback=QUARTER, dated={"stg_macro": "available_at"}))
def macro_state(fct_macro: pd.DataFrame, stg_macro: pd.DataFrame, parameters: MacroParameters) -> pd.DataFrame:
    """Z-score of each macro dimension against its own released past, its shock, and the dates that it rests on."""
    return read_state(fct_macro, stg_macro, parameters)


@makes(
    "fund_months",
    reads={"fct_returns": ("session", "ticker", "index_close"), "dim_etf": ("ticker", "exchange")},
    increment=Increment(lookback=QUARTER),
)
def fund_months(
    fct_returns: pd.DataFrame, fct_macro: pd.DataFrame, dim_etf: pd.DataFrame, parameters: MonthParameters
) -> pd.DataFrame:
    """Return of each fund over each calendar month, over cash."""
    return months_of(fct_returns, fct_macro, dim_etf, parameters)


@makes("fund_profile", increment=Increment(spans={"fund_months": lambda parameters: _months(parameters.window)}))
def fund_profile(dim_etf: pd.DataFrame, fund_months: pd.DataFrame, parameters: ProfileParameters) -> pd.DataFrame:
    """Asset class, place and duration of each fund by reference, else by name, else by its returns."""
    return profile_of(dim_etf, fund_months, parameters)


@makes(
    "macro_sensitivities",
    increment=Increment(
        spans={name: lambda parameters: _months(parameters.window) for name in ("fund_months", "macro_state")}
        | {"fund_profile": lambda parameters: _months(1)}
    ),
)
def macro_sensitivities(
    fund_months: pd.DataFrame, macro_state: pd.DataFrame, fund_profile: pd.DataFrame, parameters: Sensitivity
) -> pd.DataFrame:
    """How much sub-classes and funds answer to each dimension, at each year's end: prior and regression, by precision."""
    return estimate(fund_months, macro_state, fund_profile, parameters)


@makes(
    "macro_adjustments",
    reads={"universe_membership": MEMBERS, "dim_etf": ("ticker", "exchange")},
    increment=Increment(
        spans={
            "macro_state": lambda parameters: MONTH,
            "fund_profile": lambda parameters: _months(2),
            "macro_sensitivities": lambda parameters: _months(13),
        }
    ),
)
def macro_adjustments(
    universe_membership: pd.DataFrame,
    macro_state: pd.DataFrame,
    macro_sensitivities: pd.DataFrame,
    fund_profile: pd.DataFrame,
    dim_etf: pd.DataFrame,
    parameters: AdjustmentParameters,
) -> pd.DataFrame:
    """Bounded macro and geopolitical multipliers of every member, with the reason and the dates that they rest on."""
    return adjust(universe_membership, macro_state, macro_sensitivities, fund_profile, dim_etf, parameters)


JUDGED = {
    "macro_adjustments": ("session", "ticker", "macro_multiplier", "geo_multiplier", "vintage"),
    "fct_returns": ("session", "ticker", "index_close", "index_open"),
}


def _far(parameters: Replay) -> int:
    """Calendar days from the first session of an event to its last return, and some more."""
    return longest_event() + (SPAN * parameters.horizon) + MONTH


@makes(
    "macro_replays",
    reads={"fct_returns": JUDGED["fct_returns"]},
    increment=Increment(dated={"macro_replays": "settled"}, spans={"macro_adjustments": _far, "fct_returns": _far}),
)
def macro_replays(macro_adjustments: pd.DataFrame, fct_returns: pd.DataFrame, parameters: Replay) -> pd.DataFrame:
    """Adjustments of each fund through the crises of 2020 and 2022, and the returns that followed."""
    return replay(macro_adjustments, fct_returns, parameters)


@makes(
    "macro_record",
    reads=JUDGED,
    increment=Increment(dated={"macro_record": "settled"}, spans={"macro_adjustments": _far, "fct_returns": _far}),
)
def macro_record(macro_adjustments: pd.DataFrame, fct_returns: pd.DataFrame, parameters: Replay) -> pd.DataFrame:
    """Rank correlation between adjustments and the returns that followed, session by session."""
    return record(macro_adjustments, fct_returns, parameters)


@makes("macro_skill")
def macro_skill(macro_record: pd.DataFrame, parameters: Replay) -> pd.DataFrame:
    """Mean rank correlation between adjustments and the returns that followed, with its error and a verdict."""
    return judge(macro_record, parameters)
