"""Marts room, beyond SQL: what did each fund return?"""

import pandas as pd

from etf_pipeline.recipes import Increment, makes
from etf_pipeline.returns import total_returns


@makes("fct_returns", increment=Increment(lookback=1))
def returns(fct_prices: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Total return per session and the forward index that grows from it, dividends and splits on their ex-dates."""
    return total_returns(fct_prices, before)
