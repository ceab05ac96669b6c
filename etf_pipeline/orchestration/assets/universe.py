"""Universe room: which funds existed and qualified that session?"""

import pandas as pd

from etf_pipeline.recipes import makes
from etf_pipeline.universe import ScreenParameters, membership


@makes("universe_membership")
def universe_membership(
    fct_prices: pd.DataFrame, stg_aum: pd.DataFrame, dim_etf: pd.DataFrame, parameters: ScreenParameters
) -> pd.DataFrame:
    """Screens on what was known at the close, with the first one that failed."""
    return membership(fct_prices, stg_aum, dim_etf, parameters)
