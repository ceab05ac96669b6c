"""The composite score: z-scores among a session's members and multipliers by the macro state, weighted as the market is."""

from __future__ import annotations

import pandas as pd

from etf_pipeline.scoring.cross_section import descending_ranks
from etf_pipeline.scoring.parameters import ScoreParameters
from etf_pipeline.scoring.parts import AS_OF, Parts, total
from etf_pipeline.scoring.weightings import WEIGHTINGS, States
from etf_pipeline.scoring.weights import MULTIPLIERS, PARTS, weight_table


class AdaptiveScoringSystem:
    """Scores with weights that adapt to the market.

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
        macro: pd.DataFrame | None = None,
        probabilities: pd.DataFrame | None = None,
    ) -> pd.DataFrame:
        """As `composite`, with this system's parameters."""
        return composite(
            *(forecasts, features, volatilities, liquidity, regimes, membership, self.parameters),
            macro=macro,
            probabilities=probabilities,
        )


def composite(
    forecasts: pd.DataFrame,
    features: pd.DataFrame,
    volatilities: pd.DataFrame,
    liquidity: pd.DataFrame,
    regimes: pd.DataFrame,
    membership: pd.DataFrame,
    parameters: ScoreParameters | None = None,
    *,
    macro: pd.DataFrame | None = None,
    probabilities: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Score and rank every member that has a forecast.

    Parameters
    ----------
    forecasts, features, volatilities, liquidity, regimes, membership : DataFrame
        The tables of these names, of which `expected_return`, `momentum_12_1`, `volatility`, `daily_value` and
        `reference_cost`, `regime` and `days_in_state`, and `member` are read.
    macro, probabilities : DataFrame, optional
        Tables `macro_adjustments` and `regime_probabilities`. Without them multipliers are 1 and stress is unknown.

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
    ``score = w_f z(forecast) + w_m z(momentum) - w_r z(volatility) + w_l z(log value) - w_c z(cost) + w_M log(macro multiplier)
    + w_G log(geo multiplier)``, each z among the session's scored members and clipped to +-`winsor`. An unknown part contributes
    0: the fund is neither rewarded nor punished for what nobody knows. Liquidity and cost are nearly one thing seen twice; their
    weights are small for that reason.

    A multiplier above 1 speaks for a fund. Multiplied with the score it would push a negative one further down; it acts on
    ``exp(score)`` instead, which is positive and ranks the same, so that in z-space its logarithm is added.
    """
    parameters = parameters or ScoreParameters()
    parts = Parts.of(forecasts, features, volatilities, liquidity, membership, macro, parameters.winsor)
    states = States.of(parts.sessions, regimes, probabilities)
    weights = WEIGHTINGS[parameters.weighting](states, weight_table(parameters.weights))
    contributions = parts.contributions(weights)
    score = total(contributions)
    out = parts.keys().assign(
        regime=states.regime[parts.at],
        days_in_state=pd.Series(states.days_in_state[parts.at]).astype("Int64"),
        stressed=states.stressed[parts.at],
        score=score,
        rank=descending_ranks(score, parts.at),
        **{f"{part}_part": contributions[part] for part in PARTS},
    )
    for part in MULTIPLIERS:
        out[f"{part}_multiplier"] = parts.multiplier[part]
        out[AS_OF[part]] = parts.as_of[part]
    return out
