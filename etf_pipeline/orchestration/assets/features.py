"""Features room: what predicts, and does it still look as it did?"""

import pandas as pd

from etf_pipeline.features import LOOKBACK, DriftParameters, FeatureParameters, compute, drift
from etf_pipeline.features import market_returns as market
from etf_pipeline.recipes import Increment, makes

MEMBERS = ("session", "ticker", "member")

FORTNIGHT = 10
"""More sessions than an exchange ever rests: the session before is among them. [sessions]"""


@makes(
    "market_returns",
    reads={"fct_prices": ("session", "ticker", "exchange"), "universe_membership": MEMBERS},
    increment=Increment(lookback=FORTNIGHT, dated={"market_returns": "session"}),
)
def market_returns(fct_prices: pd.DataFrame, fct_returns: pd.DataFrame, universe_membership: pd.DataFrame) -> pd.DataFrame:
    """Equal-weighted return of each exchange's members of the session before."""
    return market(fct_prices, fct_returns, universe_membership)


@makes(
    "features",
    reads={"universe_membership": MEMBERS},
    increment=Increment(lookback=LOOKBACK, dated={"market_returns": "session"}),
)
def features(
    fct_prices: pd.DataFrame,
    fct_returns: pd.DataFrame,
    universe_membership: pd.DataFrame,
    market_returns: pd.DataFrame,
    parameters: FeatureParameters,
) -> pd.DataFrame:
    """Causal predictors of every fund and session."""
    return compute(fct_prices, fct_returns, universe_membership, market_returns, parameters)


@makes("feature_drift", reads={"universe_membership": MEMBERS})
def feature_drift(features: pd.DataFrame, universe_membership: pd.DataFrame, parameters: DriftParameters) -> pd.DataFrame:
    """Each month's members beside all earlier years: stability index, Kolmogorov-Smirnov distance, missing share, moments."""
    return drift(features, universe_membership, parameters)
