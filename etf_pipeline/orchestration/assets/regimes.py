"""Regimes room: which state is the market in?"""

import pandas as pd

from etf_pipeline.recipes import Increment, makes
from etf_pipeline.regimes import HiddenMarkovParameters, RegimeParameters, detect, probabilities

INDEX = {"fct_returns": ("session", "ticker", "index_close")}


@makes("regimes", reads=INDEX, increment=Increment(dated={"regimes": "session"}))
def regimes(
    fct_returns: pd.DataFrame, fct_macro: pd.DataFrame, before: pd.DataFrame, parameters: RegimeParameters
) -> pd.DataFrame:
    """Bull, bear or sideways by VIX and the 200-session mean, with warm-up, hysteresis, dwell and confirmation."""
    return detect(fct_returns, fct_macro, parameters, before)


@makes(
    "regime_probabilities",
    "regime_fits",
    reads=INDEX,
    increment=Increment(dated={"regime_probabilities": "session", "regime_fits": "fit_session"}),
)
def regime_probabilities(
    fct_returns: pd.DataFrame, before: pd.DataFrame, parameters: HiddenMarkovParameters
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Filtered probability that the market is in its stressed state, by a hidden Markov model refitted each year."""
    return probabilities(fct_returns, parameters, before)
