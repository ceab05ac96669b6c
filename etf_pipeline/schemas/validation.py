"""Validation room: what was tried, what is significant, and how much of the best is luck."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Instant, Table, column, table

TRIAL_KINDS = ["forecast_model", "backtest_strategy", "search", "manual"]
DECISIONS = ["significant", "not_significant", "insufficient", "not_decided"]
VERDICTS = ["edge", "unproven", "no_edge", "benchmark"]


@table(room="validation", key=("table_name", "configuration", "step"), causality="summary")
class Configurations(Table):
    """The settings of every step that records were ever made with: what makes one trial another."""

    table_name: pl.String = column("Table whose making is described", unit="identifier")
    configuration: pl.String = column("Hash of all its steps and their settings", unit="identifier", str_matches="^[0-9a-f]{16}$")
    step: pl.String = column("Step that the table rests on", unit="identifier")
    settings: pl.String = column("Settings of the step, keys sorted", unit="JSON")
    code_version: pl.String = column("Code of the step when the configuration was last used", unit="identifier")
    first_seen: Instant = column("Start of the run that first used it", unit="UTC instant")
    first_run: pl.String = column("That run", unit="identifier")
    is_current: pl.Boolean = column("Made the table as it is now", unit="flag")


@table(room="validation", key=("trial_id",), causality="summary", allow_empty=True)
class TrialLedger(Table):
    """Every configuration ever tried, with its newest figures: the number by which a best result is deflated."""

    trial_id: pl.String = column("Hash of kind, name and configuration", unit="identifier", str_matches="^[0-9a-f]{16}$")
    kind: pl.String = column("What was tried", unit="category", isin=TRIAL_KINDS)
    name: pl.String = column("Model, strategy or search", unit="identifier")
    configuration: pl.String = column("Its settings, keys sorted", unit="JSON")
    data_version: pl.String = column("Data that the figures rest on", unit="identifier")
    code_version: pl.String = column("Code that made them", unit="identifier")
    first_seen: Instant = column("When it was first tried", unit="UTC instant")
    first_run: pl.String = column("Run that first tried it", unit="identifier")
    sharpe: pl.Float64 = column("Sharpe ratio over the bill, per session", unit="ratio", nullable=True)
    sharpe_annual: pl.Float64 = column("The same times sqrt(252)", unit="ratio, annual", nullable=True)
    n_obs: pl.Int64 = column("Returns it rests on", unit="sessions", ge=0)
    skewness: pl.Float64 = column("Standardised third moment of the returns", unit="ratio", nullable=True)
    kurtosis: pl.Float64 = column("Standardised fourth moment, 3 for a normal law", unit="ratio", nullable=True)
    metric: pl.String = column("What it was judged by", unit="identifier")
    value: pl.Float64 = column("Value of that metric", unit="as the metric", nullable=True)
    same_as: pl.String = column(
        "Trial that had the same record, to the bit, on the same data when this one was first seen: not counted again",
        unit="identifier",
        nullable=True,
    )


@table(room="validation", key=("test", "subject", "horizon"), causality="summary")
class SignificanceTests(Table):
    """Every test that was looked at, corrected for all of them together, and what it decides."""

    test: pl.String = column("Test", unit="identifier")
    subject: pl.String = column("Model, strategy or ensemble that it judges", unit="identifier")
    horizon: pl.Int64 = column("Sessions over which labels overlap", unit="sessions", gt=0)
    estimate: pl.Float64 = column("What is tested against zero", unit="as the test", nullable=True)
    statistic: pl.Float64 = column("Its statistic", unit="as the test", nullable=True)
    p_value: pl.Float64 = column("P value before correction", unit="probability", nullable=True, ge=0, le=1)
    p_adjusted: pl.Float64 = column(
        "The same after Holm's correction over the tests of this table that are valid and sufficient",
        unit="probability",
        nullable=True,
        ge=0,
        le=1,
    )
    p_false_discovery: pl.Float64 = column(
        "The same after Benjamini and Yekutieli's, which bounds the share of false claims",
        unit="probability",
        nullable=True,
        ge=0,
        le=1,
    )
    n: pl.Int64 = column("Observations", unit="count", ge=0)
    n_effective: pl.Float64 = column("Independent observations they are worth", unit="count", nullable=True)
    decision: pl.String = column("At 5 % over all rows together", unit="category", isin=DECISIONS)
    valid: pl.Boolean = column("Whether the data meet the test's assumptions", unit="flag")
    note: pl.String = column("What a reader should know", unit="text")


@table(room="validation", key=("strategy",), causality="summary")
class Overfitting(Table):
    """How much of each strategy's Sharpe ratio survives the number of things that were tried."""

    strategy: pl.String = column("Strategy", unit="identifier")
    sharpe: pl.Float64 = column("Net Sharpe ratio over the bill, per session", unit="ratio", nullable=True)
    n_obs: pl.Int64 = column("Returns it rests on", unit="sessions", ge=0)
    psr: pl.Float64 = column("Probability that the true ratio is above zero", unit="probability", nullable=True, ge=0, le=1)
    dsr: pl.Float64 = column("Probability that it is above `sr0`", unit="probability", nullable=True, ge=0, le=1)
    sr0: pl.Float64 = column(
        "Best ratio expected of so many trials without skill, per session", unit="ratio", nullable=True, ge=0
    )
    n_trials: pl.Int64 = column("Trials that it is deflated by: those of the ledger; 1 for a benchmark", unit="count", ge=1)
    min_track_record: pl.Float64 = column(
        "Sessions that such a record needs to be above zero with 95 %; unknown if it is not above", unit="sessions", nullable=True
    )
    pbo: pl.Float64 = column(
        "Probability of backtest overfitting of the choice among all", unit="probability", nullable=True, ge=0, le=1
    )
    spa_p: pl.Float64 = column(
        "Hansen's consistent p that none of all beats the benchmark", unit="probability", nullable=True, ge=0, le=1
    )
    in_mcs: pl.Boolean = column("Cannot be told from the best (model confidence set); false for a benchmark", unit="flag")
    verdict: pl.String = column("What these say together; a benchmark is not judged", unit="category", isin=VERDICTS)
