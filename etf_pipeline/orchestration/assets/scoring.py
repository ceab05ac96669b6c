"""Scoring room: which funds rank first, and is adapting the weights worth anything?"""

import pandas as pd

from etf_pipeline.recipes import Increment, makes
from etf_pipeline.scoring.composite import composite  # not by the room's name: a score's code version leaves its judges out
from etf_pipeline.scoring.parameters import RecordParameters, ScoreParameters, ScoringComparisonParameters

READS = {
    "forecasts": ("session", "ticker", "horizon", "expected_return"),
    "features": ("session", "ticker", "momentum_12_1"),
    "volatilities": ("session", "ticker", "volatility"),
    "liquidity": ("session", "ticker", "daily_value", "reference_cost"),
    "universe_membership": ("session", "ticker", "member"),
    "macro_adjustments": ("session", "ticker", "macro_multiplier", "geo_multiplier", "macro_as_of", "geo_as_of", "vintage"),
    "realised_errors": ("session", "ticker", "realised_return", "available_at"),
}

UNREAD = ("traded_ticker", "name", "category", "family", "currency", "exchange", "inception", "expense_ratio", "is_geared")
"""Facts of a fund whose change moves no score: only its asset class is read."""

DATED = {"regimes": "session", "regime_probabilities": "session"}

FORTNIGHT = 10
"""More sessions than an exchange ever rests. [sessions]"""


@makes("scores", reads=READS, increment=Increment(dated=DATED))
def scores(
    forecasts: pd.DataFrame,
    features: pd.DataFrame,
    volatilities: pd.DataFrame,
    liquidity: pd.DataFrame,
    regimes: pd.DataFrame,
    regime_probabilities: pd.DataFrame,
    macro_adjustments: pd.DataFrame,
    universe_membership: pd.DataFrame,
    parameters: ScoreParameters,
) -> pd.DataFrame:
    """Composite of forecast, momentum, risk, liquidity, cost and macro state, weighted as the market is; its parts add up."""
    tables = (forecasts, features, volatilities, liquidity, regimes, universe_membership)
    return composite(*tables, parameters, macro=macro_adjustments, probabilities=regime_probabilities)


@makes(
    "scoring_record",
    reads=READS,
    increment=Increment(
        lookback=lambda p: p.turnover_sessions + FORTNIGHT,
        dated=DATED,
        ignored={"dim_etf": UNREAD},
    ),
)
def scoring_record(
    forecasts: pd.DataFrame,
    features: pd.DataFrame,
    volatilities: pd.DataFrame,
    liquidity: pd.DataFrame,
    regimes: pd.DataFrame,
    regime_probabilities: pd.DataFrame,
    macro_adjustments: pd.DataFrame,
    universe_membership: pd.DataFrame,
    realised_errors: pd.DataFrame,
    dim_etf: pd.DataFrame,
    parameters: RecordParameters,
) -> pd.DataFrame:
    """What the scores of each session were worth under every weighting, from the next open on."""
    from etf_pipeline.scoring.record import scoring_record as record

    tables = (forecasts, features, volatilities, liquidity, regimes, universe_membership, realised_errors, dim_etf)
    return record(*tables, parameters, macro=macro_adjustments, probabilities=regime_probabilities)


@makes("scoring_comparison")
def scoring_comparison(scoring_record: pd.DataFrame, parameters: ScoringComparisonParameters) -> pd.DataFrame:
    """Adaptive against fixed and equal weights, errors robust to overlap, corrected for every difference looked at."""
    from etf_pipeline.scoring.comparison import compare_weightings

    return compare_weightings(scoring_record, parameters)
