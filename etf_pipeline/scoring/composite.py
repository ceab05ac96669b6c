"""The composite score: z-scores among a session's members, weighted by its regime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd

from etf_pipeline.errors import DataError
from etf_pipeline.scoring.weights import PARTS, REGIME_WEIGHTS

KEY = ["ticker", "session"]


@dataclass(frozen=True)
class ScoreParameters:
    """How parts become a score.

    Attributes
    ----------
    winsor : float
        Largest absolute z-score: one extreme fund must not decide alone. [z-score]
    adaptive : bool
        Whether weights follow the regime; otherwise those of `sideways` hold always.
    """

    winsor: float = 3.0
    adaptive: bool = True


class AdaptiveScoringSystem:
    """Scores with weights that adapt to the regime.

    Parameters
    ----------
    parameters : ScoreParameters, optional
    """

    def __init__(self, parameters: ScoreParameters | None = None) -> None:
        self.parameters = parameters or ScoreParameters()

    def score(
        self,
        forecasts: pd.DataFrame,
        features: pd.DataFrame,
        volatilities: pd.DataFrame,
        liquidity: pd.DataFrame,
        regimes: pd.DataFrame,
        membership: pd.DataFrame,
    ) -> pd.DataFrame:
        """As `composite`, with this system's parameters."""
        return composite(forecasts, features, volatilities, liquidity, regimes, membership, self.parameters)


def composite(
    forecasts: pd.DataFrame,
    features: pd.DataFrame,
    volatilities: pd.DataFrame,
    liquidity: pd.DataFrame,
    regimes: pd.DataFrame,
    membership: pd.DataFrame,
    parameters: ScoreParameters | None = None,
) -> pd.DataFrame:
    """Score and rank every member that has a forecast.

    Parameters
    ----------
    forecasts, features, volatilities, liquidity, regimes, membership : DataFrame
        The tables of these names, of which `expected_return`, `momentum_12_1`, `volatility`, `daily_value` and
        `reference_cost`, `regime` and `member` are read.

    Returns
    -------
    DataFrame
        `scores`, sorted by ticker and session. Rank 1 is best; ties go by ticker.

    Raises
    ------
    DataError
        If no member has a forecast.

    Notes
    -----
    ``score = w_f z(forecast) + w_m z(momentum) - w_r z(volatility) + w_l z(log value) - w_c z(cost)``, each z among the
    session's scored members and clipped to +-`winsor`. An unknown part stands at the members' mean and contributes 0: the
    fund is neither rewarded nor punished for what nobody knows. Liquidity and cost are nearly one thing seen twice; their
    weights are small for that reason.
    """
    parameters = parameters or ScoreParameters()
    rows = _inputs(forecasts, features, volatilities, liquidity, membership)
    if rows.empty:
        raise DataError("composite needs members with a forecast; found none. Materialise `forecasts` for members' sessions.")
    regime = rows["session"].map(regimes.set_index("session")["regime"]).fillna("unknown")
    used = regime if parameters.adaptive else pd.Series("sideways", index=rows.index)
    out = rows[["session", "ticker"]].assign(regime=used)
    score = np.zeros(len(rows))
    for part in PARTS:
        weight = used.map({name: weights[part] for name, weights in REGIME_WEIGHTS.items()}).to_numpy(dtype=np.float64)
        sign = -1.0 if part in ("risk", "cost") else 1.0
        contribution = sign * weight * standardised(rows[part], rows["session"], parameters.winsor).fillna(0.0).to_numpy()
        out[f"{part}_part"] = contribution
        score = score + contribution
    out["score"] = score
    out["rank"] = _ranks(out)
    order = ["session", "ticker", "regime", "score", "rank", *(f"{part}_part" for part in PARTS)]
    return out[order].sort_values(KEY, kind="stable").reset_index(drop=True)


def standardised(values: pd.Series[Any], session: pd.Series[Any], winsor: float) -> pd.Series[Any]:
    """Z-score within each session (ddof 0), clipped; 0 where all are equal, unknown where the value is.

    Examples
    --------
    >>> standardised(pd.Series([1.0, 3.0, 7.0]), pd.Series([1, 1, 2]), 3.0).tolist()
    [-1.0, 1.0, 0.0]
    """
    groups = values.groupby(session)
    centred = values - groups.transform("mean")
    scale = np.sqrt((centred**2).groupby(session).transform("mean"))
    rounding = 1e-12 * values.abs().groupby(session).transform("max")
    z = (centred / scale.where(scale > rounding)).where(scale > rounding, centred * 0.0)
    return cast("pd.Series[Any]", z.clip(-winsor, winsor))


def _inputs(
    forecasts: pd.DataFrame, features: pd.DataFrame, volatilities: pd.DataFrame, liquidity: pd.DataFrame, membership: pd.DataFrame
) -> pd.DataFrame:
    """One row per member with a forecast, one column per part."""
    members = membership.loc[membership["member"].astype(bool), KEY]
    rows = members.merge(forecasts[[*KEY, "expected_return"]].dropna(), on=KEY)
    rows = rows.merge(features[[*KEY, "momentum_12_1"]], on=KEY, how="left")
    rows = rows.merge(volatilities[[*KEY, "volatility"]], on=KEY, how="left")
    rows = rows.merge(liquidity[[*KEY, "daily_value", "reference_cost"]], on=KEY, how="left")
    rows["daily_value"] = np.log(rows["daily_value"].where(rows["daily_value"] > 0))
    names = {"expected_return": "forecast", "momentum_12_1": "momentum", "volatility": "risk"}
    return rows.rename(columns={**names, "daily_value": "liquidity", "reference_cost": "cost"})


def _ranks(scored: pd.DataFrame) -> pd.Series[Any]:
    order = scored.sort_values(["session", "score", "ticker"], ascending=[True, False, True], kind="stable")
    ranks = order.groupby("session").cumcount().to_numpy(dtype=np.int64) + 1
    return pd.Series(ranks, index=order.index).reindex(scored.index)
