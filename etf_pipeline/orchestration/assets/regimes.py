"""Regimes room: which state is the market in?"""

import pandas as pd

from etf_pipeline.recipes import makes
from etf_pipeline.regimes import RegimeParameters, detect


@makes("regimes")
def regimes(fct_returns: pd.DataFrame, fct_macro: pd.DataFrame, parameters: RegimeParameters) -> pd.DataFrame:
    """Bull, bear or sideways by VIX and the 200-session mean, with warm-up, hysteresis and dwell."""
    return detect(fct_returns, fct_macro, parameters)
