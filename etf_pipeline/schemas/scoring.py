"""Scoring room: one rank per fund from forecast, momentum, risk, liquidity, cost and macro state, and what adapting is worth."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Instant, Table, column, table
from etf_pipeline.schemas.regimes import REGIMES

RECORDS = ["regime", "blend", "fixed", "equal", "regime_and_macro"]
VERDICTS = ["adaptive_better", "no_difference", "adaptive_worse", "insufficient", "not_judged"]


@table(room="scoring", key=("ticker", "session"), causality="causal", chunk="session")
class Scores(Table):
    """Composite score of each member with the contributions that add up to it."""

    session: pl.Date = column("Exchange session", unit="date")
    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    regime: pl.String = column("Market state by the rule", unit="category", isin=REGIMES)
    days_in_state: pl.Int64 = column("Sessions since that state began", unit="sessions", nullable=True, ge=1)
    stressed: pl.Float64 = column(
        "Filtered probability of the market's stressed state", unit="fraction", nullable=True, ge=0, le=1
    )
    score: pl.Float64 = column("Sum of the contributions", unit="z-score")
    rank: pl.Int64 = column("1 is the best of the session", unit="count", ge=1)
    forecast_part: pl.Float64 = column("Weight times z-score of the expected return", unit="z-score")
    momentum_part: pl.Float64 = column("Weight times z-score of momentum 12-1", unit="z-score")
    risk_part: pl.Float64 = column("Minus weight times z-score of volatility", unit="z-score")
    liquidity_part: pl.Float64 = column("Weight times z-score of log traded value", unit="z-score")
    cost_part: pl.Float64 = column("Minus weight times z-score of the reference cost", unit="z-score")
    macro_part: pl.Float64 = column("Weight times logarithm of the macro multiplier", unit="z-score")
    geo_part: pl.Float64 = column("Weight times logarithm of the geopolitical multiplier", unit="z-score")
    macro_multiplier: pl.Float64 = column("Acts on exp(score), 1 where unknown", unit="ratio", gt=0)
    geo_multiplier: pl.Float64 = column("Acts on exp(score), 1 where unknown", unit="ratio", gt=0)
    macro_as_of: pl.Date = column("Oldest reference period among the macro inputs", unit="date", nullable=True)
    geo_as_of: pl.Date = column("Reference period of the geopolitical input", unit="date", nullable=True)


@table(
    room="scoring",
    key=("weighting", "session"),
    causality="realised",
    available="available_at",
    allow_empty=True,
    chunk="session",
)
class ScoringRecord(Table):
    """What came of the scores of each session under every weighting, visible once the outcome is known."""

    session: pl.Date = column("Session of the scores", unit="date")
    weighting: pl.String = column("Weighting; all but the last without multipliers", unit="category", isin=RECORDS)
    regime: pl.String = column("Market state at the scores' close", unit="category", isin=REGIMES)
    horizon: pl.Int64 = column("Sessions over which the outcome runs", unit="sessions", gt=0)
    n: pl.Int64 = column("Scored funds whose outcome is known", unit="count", gt=0)
    ic: pl.Float64 = column(
        "Spearman correlation of score and outcome", unit="correlation", nullable=True, ge=-1.000001, le=1.000001
    )
    ic_within_class: pl.Float64 = column(
        "The same of both less the mean of their asset class", unit="correlation", nullable=True, ge=-1.000001, le=1.000001
    )
    top_excess: pl.Float64 = column(
        "Mean outcome of the best fifth less that of all scored funds, before costs", unit="fraction per horizon", nullable=True
    )
    turnover: pl.Float64 = column(
        "One-way, equally weighted best ten funds rebalanced once a month", unit="fraction per year", nullable=True, ge=0
    )
    claimable: pl.Boolean = column("Rests on no value that is known only in its final revision", unit="flag")
    available_at: Instant = column("Close of the outcome's last session", unit="UTC instant")


@table(room="scoring", key=("subject", "against", "measure", "regime"), causality="summary", allow_empty=True)
class ScoringComparison(Table):
    """Whether weights that adapt rank better than others did, on the same funds and sessions."""

    subject: pl.String = column("Weighting", unit="category", isin=RECORDS)
    against: pl.String = column("Weighting it is held against; `nothing` for its own figure", unit="category")
    measure: pl.String = column("Column of `scoring_record`", unit="identifier")
    regime: pl.String = column("Sessions that count: `all` or a market state", unit="category")
    estimate: pl.Float64 = column("Mean, or mean difference", unit="as the measure", nullable=True)
    standard_error: pl.Float64 = column("HAC, sessions as clusters", unit="as the measure", nullable=True)
    ci_low: pl.Float64 = column("95 % interval, fixed-b", unit="as the measure", nullable=True)
    ci_high: pl.Float64 = column("95 % interval, fixed-b", unit="as the measure", nullable=True)
    p_value: pl.Float64 = column("Two-sided, before correction", unit="probability", nullable=True, ge=0, le=1)
    n: pl.Int64 = column("Sessions", unit="count", ge=0)
    n_effective: pl.Float64 = column("Independent observations they are worth", unit="count")
    note: pl.String = column("What a reader should know", unit="text")
    p_adjusted: pl.Float64 = column(
        "After Holm's correction over every tested row of this table", unit="probability", nullable=True, ge=0, le=1
    )
    verdict: pl.String = column("At 5 % over all tested rows together", unit="category", isin=VERDICTS)
