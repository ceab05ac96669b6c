"""Regimes room: which market state each session was in, as far as its own close could tell."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Table, column, table

REGIMES = ["bull", "bear", "sideways", "unknown"]


@table(room="regimes", key=("session",), causality="causal")
class Regimes(Table):
    """The plan's rule on VIX and the market's 200-session mean, with warm-up, hysteresis, dwell and confirmation."""

    session: pl.Date = column("Exchange session", unit="date")
    regime: pl.String = column("State", unit="category", isin=REGIMES)
    candidate: pl.String = column("State that the rule alone would give", unit="category", isin=REGIMES)
    reason: pl.String = column("Which condition decided", unit="text")
    days_in_state: pl.Int64 = column("Sessions since the state began", unit="sessions", ge=1)
    vix: pl.Float64 = column("VIX close", unit="index points", nullable=True)
    distance_200: pl.Float64 = column(
        "Market total-return index over its 200-session mean, less 1", unit="fraction", nullable=True
    )
    index_close: pl.Float64 = column("Market total-return index", unit="index, 1 at inception", nullable=True)


@table(room="regimes", key=("session",), causality="causal")
class RegimeProbabilities(Table):
    """Filtered probabilities of a hidden Markov model on the market's returns: what was known at each close, never smoothed."""

    session: pl.Date = column("Exchange session", unit="date")
    index_close: pl.Float64 = column("Market total-return index", unit="index, 1 at inception", nullable=True)
    market_return: pl.Float64 = column(
        "Return that the filter saw; unknown ones move it by the transition alone", unit="fraction", nullable=True
    )
    stressed: pl.Float64 = column(
        "Probability of the state with the larger variance, given returns up to this close; unknown before the first fit",
        unit="fraction",
        nullable=True,
        ge=0,
        le=1,
    )
    stressed_21: pl.Float64 = column("The same, 21 sessions ahead", unit="fraction", nullable=True, ge=0, le=1)
    fit_session: pl.Date = column("Last session that the parameters have seen", unit="date", nullable=True)


@table(room="regimes", key=("fit_session", "state"), causality="causal", allow_empty=True)
class RegimeFits(Table):
    """States of the hidden Markov model as each year's last session knew them, the most volatile last."""

    fit_session: pl.Date = column("Last session that the fit has seen; it serves the sessions after", unit="date")
    state: pl.Int64 = column("State, in order of volatility from 1", unit="count", ge=1)
    mean: pl.Float64 = column("Mean return in the state, times 252", unit="fraction per year")
    volatility: pl.Float64 = column("Annual volatility in the state", unit="fraction per year", gt=0)
    stay: pl.Float64 = column("Probability that the next session is in the same state", unit="fraction", ge=0, le=1)
    expected_duration: pl.Float64 = column("Expected length of a visit", unit="sessions", ge=1)
    share: pl.Float64 = column("Long-run share of the sessions", unit="fraction", ge=0, le=1)
    mean_error: pl.Float64 = column("Standard error of `mean`", unit="fraction per year", nullable=True, ge=0)
    volatility_error: pl.Float64 = column("Standard error of `volatility`", unit="fraction per year", nullable=True, ge=0)
    stay_error: pl.Float64 = column("Standard error of `stay`", unit="fraction", nullable=True, ge=0)
    degrees_of_freedom: pl.Float64 = column(
        "Of the t law that the states share; unknown under the normal law", unit="count", nullable=True, gt=2
    )
    log_likelihood: pl.Float64 = column("Of returns in percent", unit="nats")
    n: pl.Int64 = column("Returns seen", unit="count", ge=0)
