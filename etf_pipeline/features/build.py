"""The features table: every entry of the registry at every bar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from etf_pipeline.features.inputs import gather
from etf_pipeline.features.registry import FEATURES


@dataclass(frozen=True)
class FeatureParameters:
    """What to compute.

    Attributes
    ----------
    only_members : bool
        Whether a fund's features are unknown while it is no member. They are then cheaper to store and say less.
    """

    only_members: bool = False


def compute(
    prices: pd.DataFrame,
    returns: pd.DataFrame,
    membership: pd.DataFrame,
    parameters: FeatureParameters | None = None,
) -> pd.DataFrame:
    """All features of every fund at each of its bars.

    Parameters
    ----------
    prices, returns, membership : DataFrame
        `fct_prices`, `fct_returns` and `universe_membership`, with the same rows.

    Returns
    -------
    DataFrame
        `features`, sorted by ticker and session; infinite values of absurd input are unknown.
    """
    parameters = parameters or FeatureParameters()
    panel, inputs = gather(prices, returns, membership)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # absurd input gives NaN below
        arrays = {name: feature.function(inputs) for name, feature in FEATURES.items()}
    frame = panel.long(**{name: np.where(np.isfinite(values), values, np.nan) for name, values in arrays.items()})
    if parameters.only_members:
        members = membership.sort_values(["ticker", "session"], kind="stable")["member"].to_numpy(dtype=bool)
        frame.loc[~members, list(FEATURES)] = np.nan
    return frame
