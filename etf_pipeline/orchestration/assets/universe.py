"""Universe room: which funds existed and qualified that session?"""

import pandas as pd

from etf_pipeline.recipes import Increment, makes
from etf_pipeline.universe import (
    DetectionParameters,
    LifecycleParameters,
    ScreenParameters,
    detect_actions,
    membership,
)
from etf_pipeline.universe import lifecycle as lives


@makes("lifecycle", reads={"fct_prices": ("session", "ticker", "exchange")})
def lifecycle(
    fct_prices: pd.DataFrame,
    stg_actions: pd.DataFrame,
    stg_reference: pd.DataFrame,
    raw_lifecycle: pd.DataFrame,
    raw_ticker_history: pd.DataFrame,
    raw_sessions: pd.DataFrame,
    parameters: LifecycleParameters,
) -> pd.DataFrame:
    """What was known of each fund's life, and since when."""
    return lives(fct_prices, stg_actions, stg_reference, raw_lifecycle, raw_ticker_history, raw_sessions, parameters)


@makes(
    "universe_membership",
    increment=Increment(
        lookback=lambda parameters: max(parameters.window, parameters.stale_sessions) + 1,
        dated={"lifecycle": "known_from"},
        spans={"stg_aum": lambda parameters: parameters.max_aum_age},
        ignored={"dim_etf": ("name", "category", "family", "traded_ticker", "expense_ratio", "asset_class")},
    ),
)
def universe_membership(
    fct_prices: pd.DataFrame,
    stg_aum: pd.DataFrame,
    dim_etf: pd.DataFrame,
    lifecycle: pd.DataFrame,
    fct_macro: pd.DataFrame,
    parameters: ScreenParameters,
    before: pd.DataFrame,
) -> pd.DataFrame:
    """Screens on what was known at the close, with the first one that failed."""
    return membership(fct_prices, stg_aum, dim_etf, lifecycle, fct_macro, parameters, before)


@makes("detected_actions")
def detected_actions(
    stg_prices: pd.DataFrame, stg_actions: pd.DataFrame, raw_sessions: pd.DataFrame, parameters: DetectionParameters
) -> pd.DataFrame:
    """Splits that prices and volume show but no action tells, and the other way round: proposals for a person."""
    return detect_actions(stg_prices, stg_actions, raw_sessions, parameters)
