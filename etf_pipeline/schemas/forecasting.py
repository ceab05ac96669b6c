"""Forecasting room: walk-forward forecasts, their bias measured out of fold, and the ensemble."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Instant, Table, column, table
from etf_pipeline.schemas.validation import DECISIONS, TrialLedger

SPANS = ["expanding", "rolling"]


@table(room="forecasting", key=("model", "ticker", "session"), causality="causal", chunk="session")
class MemberForecasts(Table):
    """Each member's out-of-sample forecast of the total return from the next fill, before and after bias correction."""

    session: pl.Date = column("Session at whose close the forecast is made", unit="date")
    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    model: pl.String = column("Model, as in `forecasting.MODELS` or by its dotted name", unit="identifier")
    horizon: pl.Int64 = column("Sessions from the fill to the end of the label", unit="sessions", gt=0)
    window: pl.Int64 = column("Walk-forward window that made it", unit="count", ge=0)
    raw_forecast: pl.Float64 = column("Forecast as the model gives it", unit="fraction per horizon")
    forecast: pl.Float64 = column("Forecast after out-of-fold bias correction", unit="fraction per horizon")
    weight: pl.Float64 = column("Weight of the model in the ensemble at this session", unit="fraction", ge=0, le=1)


@table(room="forecasting", key=("ticker", "session"), causality="causal", chunk="session")
class Forecasts(Table):
    """The ensemble: one expected total return per fund and session."""

    session: pl.Date = column("Session at whose close the forecast is made", unit="date")
    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    horizon: pl.Int64 = column("Sessions from the fill to the end of the label", unit="sessions", gt=0)
    raw_forecast: pl.Float64 = column("Ensemble of the models' own forecasts", unit="fraction per horizon")
    expected_return: pl.Float64 = column("Ensemble of the corrected forecasts", unit="fraction per horizon")
    spread: pl.Float64 = column(
        "Largest less smallest model forecast: how far the models disagree", unit="fraction per horizon", ge=0
    )


@table(room="forecasting", key=("ticker", "session"), causality="realised", available="available_at", chunk="session")
class RealisedErrors(Table):
    """What came of each ensemble forecast, visible once its label has ended."""

    session: pl.Date = column("Session of the forecast", unit="date")
    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    realised_return: pl.Float64 = column("Total return from the fill over the horizon", unit="fraction per horizon")
    raw_error: pl.Float64 = column("Uncorrected forecast less realised return", unit="fraction per horizon")
    error: pl.Float64 = column("Corrected forecast less realised return", unit="fraction per horizon")
    available_at: Instant = column("Close of the label's last session", unit="UTC instant")


@table(room="forecasting", key=("model", "window"), causality="summary")
class ForecastWindows(Table):
    """Every walk-forward window: what it was trained on, and how it did on sessions it never saw."""

    model: pl.String = column("Model or baseline", unit="identifier")
    window: pl.Int64 = column("Window number, from 0", unit="count", ge=0)
    train_start: pl.Date = column("First training session", unit="date")
    train_end: pl.Date = column("Last training session after the purge", unit="date")
    test_start: pl.Date = column("First forecast session", unit="date")
    test_end: pl.Date = column("Last forecast session", unit="date")
    n_train: pl.Int64 = column("Training rows (thinned, see `train_every`)", unit="count", gt=0)
    n_test: pl.Int64 = column("Forecast rows whose label has ended", unit="count", ge=0)
    in_sample_bias: pl.Float64 = column(
        "Mean of forecast less label on the training rows: the action plan's figure", unit="fraction per horizon"
    )
    out_of_fold_bias: pl.Float64 = column(
        "Same over purged inner folds that the fold's model never saw", unit="fraction per horizon"
    )
    test_bias: pl.Float64 = column("Same over the test window", unit="fraction per horizon", nullable=True)
    mse: pl.Float64 = column("Mean squared error in the test window", unit="fraction squared", nullable=True)
    mse_zero: pl.Float64 = column("Mean squared error of forecasting zero", unit="fraction squared", nullable=True)
    information_coefficient: pl.Float64 = column(
        "Mean over sessions of the Spearman correlation across funds", unit="correlation", nullable=True
    )
    hit_rate: pl.Float64 = column("Share of forecasts with the right sign, of those that say one", unit="fraction", nullable=True)


@table(room="forecasting", key=("model", "asset_class", "horizon"), causality="summary")
class ForecastBias(Table):
    """Forecast bias in and out of fold, its error under overlap, and what correction did on identical rows."""

    model: pl.String = column("Model, baseline, or `ensemble`", unit="identifier")
    asset_class: pl.String = column("Asset class, or `all`", unit="category")
    horizon: pl.Int64 = column("Sessions", unit="sessions")
    n: pl.Int64 = column("Forecasts with an ended label", unit="count")
    n_effective: pl.Float64 = column(
        "Independent sessions they are worth: sessions over the HAC inflation", unit="count", nullable=True
    )
    in_sample_bias: pl.Float64 = column(
        "Mean of forecast less label on training rows (the action plan's formula)",
        unit="fraction per horizon",
        nullable=True,
    )
    out_of_fold_bias: pl.Float64 = column(
        "Mean of raw forecast less outcome on rows never trained on", unit="fraction per horizon"
    )
    standard_error: pl.Float64 = column(
        "HAC standard error of the out-of-fold bias, clustered by session, lag >= horizon - 1",
        unit="fraction per horizon",
        nullable=True,
    )
    ci_low: pl.Float64 = column(
        "Lower end of its 95 % interval, fixed-b critical value", unit="fraction per horizon", nullable=True
    )
    ci_high: pl.Float64 = column("Upper end of its 95 % interval", unit="fraction per horizon", nullable=True)
    corrected_bias: pl.Float64 = column("Mean of corrected forecast less outcome on the same rows", unit="fraction per horizon")
    ic_raw: pl.Float64 = column(
        "Mean over sessions of the Spearman correlation across funds, before correction", unit="correlation", nullable=True
    )
    icir_raw: pl.Float64 = column("That mean over its deviation, per session", unit="ratio", nullable=True)
    hit_rate_raw: pl.Float64 = column("Share of forecasts with the right sign, before correction", unit="fraction", nullable=True)
    pt_p_value_raw: pl.Float64 = column(
        "One-sided Pesaran-Timmermann p, robust to overlap, that signs are better than independent",
        unit="probability",
        nullable=True,
    )
    ic_corrected: pl.Float64 = column("`ic_raw` after correction", unit="correlation", nullable=True)
    icir_corrected: pl.Float64 = column("`icir_raw` after correction", unit="ratio", nullable=True)
    hit_rate_corrected: pl.Float64 = column("`hit_rate_raw` after correction", unit="fraction", nullable=True)
    pt_p_value_corrected: pl.Float64 = column("`pt_p_value_raw` after correction", unit="probability", nullable=True)
    mse_raw: pl.Float64 = column("Mean squared error before correction", unit="fraction squared")
    mse_corrected: pl.Float64 = column("Mean squared error after correction", unit="fraction squared")
    mse_gain_low: pl.Float64 = column(
        "Lower end of the 95 % interval of `mse_raw` less `mse_corrected`, stationary bootstrap",
        unit="fraction squared",
        nullable=True,
    )
    mse_gain_high: pl.Float64 = column("Upper end of that interval", unit="fraction squared", nullable=True)
    dm_p_value: pl.Float64 = column(
        "One-sided Diebold-Mariano p that the correction lowers squared error", unit="probability", nullable=True
    )
    dm_p_adjusted: pl.Float64 = column(
        "The same p after Holm's correction for all rows of this table", unit="probability", nullable=True
    )
    verdict: pl.String = column("improved, no_difference or worse, at 5 % over all rows together", unit="category")


@table(room="forecasting", key=("model", "horizon", "scheme", "span", "window"), causality="summary")
class LabWindows(Table):
    """Every window of the walk-forward lab: what each model was trained on, and how it did on sessions it never saw."""

    model: pl.String = column("Model, as in `forecasting.MODELS` or by its dotted name", unit="identifier")
    horizon: pl.Int64 = column("Sessions from the fill to the end of the label", unit="sessions", gt=0)
    scheme: pl.String = column("One model for all funds (pooled) or one for each (per_fund)", unit="category")
    span: pl.String = column("Training span: expanding, or rolling over a fixed length", unit="category", isin=SPANS)
    window: pl.Int64 = column("Window number, from 0", unit="count", ge=0)
    train_start: pl.Date = column("First training session", unit="date")
    train_end: pl.Date = column("Last training session after the purge", unit="date")
    test_start: pl.Date = column("First forecast session", unit="date")
    test_end: pl.Date = column("Last forecast session", unit="date")
    n_train: pl.Int64 = column("Training rows", unit="count", gt=0)
    n_test: pl.Int64 = column("Forecast rows whose label has ended", unit="count", ge=0)
    in_sample_bias: pl.Float64 = column("Mean of forecast less label on the training rows", unit="fraction per horizon")
    out_of_fold_bias: pl.Float64 = column("Same over purged inner folds", unit="fraction per horizon")
    test_bias: pl.Float64 = column("Same over the test window", unit="fraction per horizon", nullable=True)
    mse: pl.Float64 = column("Mean squared error in the test window", unit="fraction squared", nullable=True)
    mse_zero: pl.Float64 = column("Mean squared error of forecasting zero", unit="fraction squared", nullable=True)
    information_coefficient: pl.Float64 = column(
        "Mean over sessions of the Spearman correlation across funds", unit="correlation", nullable=True
    )
    hit_rate: pl.Float64 = column("Share of forecasts with the right sign, of those that say one", unit="fraction", nullable=True)


@table(room="forecasting", key=("model", "horizon", "scheme", "span", "regime", "metric"), causality="summary")
class LabMetrics(Table):
    """Every figure of every model of the lab over all windows, in all and by the regime known when the forecast was made."""

    model: pl.String = column("Model", unit="identifier")
    horizon: pl.Int64 = column("Sessions from the fill to the end of the label", unit="sessions", gt=0)
    scheme: pl.String = column("pooled or per_fund", unit="category")
    span: pl.String = column("Training span", unit="category", isin=SPANS)
    regime: pl.String = column("State at the forecast's close, or `all`", unit="category")
    metric: pl.String = column("Name, as in `forecasting.lab.METRICS`", unit="identifier")
    value: pl.Float64 = column("Its value", unit="as the metric", nullable=True)
    ci_low: pl.Float64 = column("Lower end of its 95 % interval under overlap", unit="as the metric", nullable=True)
    ci_high: pl.Float64 = column("Upper end", unit="as the metric", nullable=True)
    n: pl.Int64 = column("Observations", unit="count", ge=0)
    n_effective: pl.Float64 = column("Independent observations they are worth", unit="count", nullable=True)
    status: pl.String = column("insufficient below 30 effective observations", unit="category", isin=["ok", "insufficient"])


@table(room="forecasting", key=("model", "horizon", "scheme", "span", "test"), causality="summary")
class LabTests(Table):
    """Every question asked of every model of the lab, corrected for all of them together, and what it decides."""

    model: pl.String = column("Model", unit="identifier")
    horizon: pl.Int64 = column("Sessions over which labels overlap", unit="sessions", gt=0)
    scheme: pl.String = column("pooled or per_fund", unit="category")
    span: pl.String = column("Training span", unit="category", isin=SPANS)
    test: pl.String = column("Test", unit="identifier")
    estimate: pl.Float64 = column("What is tested against zero", unit="as the test", nullable=True)
    statistic: pl.Float64 = column("Its statistic", unit="as the test", nullable=True)
    p_value: pl.Float64 = column("P value before correction", unit="probability", nullable=True, ge=0, le=1)
    p_adjusted: pl.Float64 = column(
        "The same after Holm's correction over the grid", unit="probability", nullable=True, ge=0, le=1
    )
    p_false_discovery: pl.Float64 = column(
        "The same after Benjamini and Yekutieli's", unit="probability", nullable=True, ge=0, le=1
    )
    n: pl.Int64 = column("Observations", unit="count", ge=0)
    n_effective: pl.Float64 = column("Independent observations they are worth", unit="count", nullable=True)
    decision: pl.String = column("At 5 % over the whole grid", unit="category", isin=DECISIONS)
    valid: pl.Boolean = column("Whether the data meet the test's assumptions", unit="flag")
    note: pl.String = column("What a reader should know", unit="text")


@table(room="forecasting", key=("model", "horizon", "path", "metric"), causality="summary")
class LabPaths(Table):
    """Combinatorial purged cross-validation: each figure on every path through history; later data help to fit earlier tests."""

    model: pl.String = column("Model", unit="identifier")
    horizon: pl.Int64 = column("Sessions from the fill to the end of the label", unit="sessions", gt=0)
    path: pl.Int64 = column("Path number, from 0", unit="count", ge=0)
    metric: pl.String = column("Name, as in `forecasting.lab.METRICS`", unit="identifier")
    value: pl.Float64 = column("Its value on the path", unit="as the metric", nullable=True)
    n: pl.Int64 = column("Observations", unit="count", ge=0)
    n_effective: pl.Float64 = column("Independent observations they are worth", unit="count", nullable=True)


@table(room="forecasting", key=("model", "horizon", "kind", "name"), causality="summary")
class FeatureImportance(Table):
    """What forecasts lose, on sessions never trained on, when a feature (or a group of them) is shuffled among funds."""

    model: pl.String = column("Model", unit="identifier")
    horizon: pl.Int64 = column("Sessions from the fill to the end of the label", unit="sessions", gt=0)
    kind: pl.String = column("What is shuffled together", unit="category", isin=["feature", "family", "cluster"])
    name: pl.String = column("Feature, family or cluster", unit="identifier")
    members: pl.String = column("Its features", unit="text")
    ic_loss: pl.Float64 = column("Mean IC less mean IC once shuffled, mean over windows", unit="correlation", nullable=True)
    ic_error: pl.Float64 = column("Its standard error across windows", unit="correlation", nullable=True)
    ic_p_value: pl.Float64 = column(
        "One-sided p that the IC is lost, Student's t across windows", unit="probability", nullable=True, ge=0, le=1
    )
    ic_p_adjusted: pl.Float64 = column(
        "The same after Holm's correction within model and kind", unit="probability", nullable=True, ge=0, le=1
    )
    mse_gain: pl.Float64 = column("Squared error once shuffled less squared error, mean over windows", unit="fraction squared")
    mse_error: pl.Float64 = column("Its standard error across windows", unit="fraction squared", nullable=True)
    windows: pl.Int64 = column("Test windows", unit="count", gt=0)


@table(room="forecasting", key=("trial_id",), causality="summary")
class SearchTrials(TrialLedger):
    """Every configuration that a hyper-parameter search ever evaluated, as the trial ledger counts it."""


@table(room="forecasting", key=("model", "horizon", "window"), causality="summary")
class SearchWindows(Table):
    """What the search chose inside each training span, and how it then did against the default on the test window."""

    model: pl.String = column("Model", unit="identifier")
    horizon: pl.Int64 = column("Sessions from the fill to the end of the label", unit="sessions", gt=0)
    window: pl.Int64 = column("Window number, from 0", unit="count", ge=0)
    searched_in: pl.Int64 = column("Window whose training span was searched", unit="count", ge=0)
    trial_id: pl.String = column("Configuration that was chosen, as in `search_trials`", unit="identifier")
    configuration: pl.String = column("Its settings, keys sorted", unit="JSON")
    is_default: pl.Boolean = column("Whether that is the default", unit="flag")
    inner_chosen: pl.Float64 = column("Its score on the inner folds: 1 less squared error over that of zero", unit="fraction")
    inner_default: pl.Float64 = column("The default's score there", unit="fraction")
    n_test: pl.Int64 = column("Forecast rows whose label has ended", unit="count", ge=0)
    outer_chosen: pl.Float64 = column("Score of the chosen on the test window", unit="fraction", nullable=True)
    outer_default: pl.Float64 = column("The default's score there", unit="fraction", nullable=True)
    ic_chosen: pl.Float64 = column("Mean rank correlation of the chosen there", unit="correlation", nullable=True)
    ic_default: pl.Float64 = column("The default's there", unit="correlation", nullable=True)


@table(room="forecasting", key=("model", "horizon"), causality="summary")
class SearchResults(Table):
    """Nested evaluation: whether searching inside training spans paid on the test windows."""

    model: pl.String = column("Model", unit="identifier")
    horizon: pl.Int64 = column("Sessions from the fill to the end of the label", unit="sessions", gt=0)
    configurations: pl.Int64 = column("Configurations evaluated, the default included", unit="count", gt=0)
    windows: pl.Int64 = column("Test windows", unit="count", gt=0)
    inner_gain: pl.Float64 = column("Mean score of the chosen less the default's on inner folds", unit="fraction")
    outer_gain: pl.Float64 = column("The same on test windows, all rows together", unit="fraction", nullable=True)
    dm_p_value: pl.Float64 = column(
        "One-sided Diebold-Mariano p that the chosen lose less", unit="probability", nullable=True, ge=0, le=1
    )
    ic_gain: pl.Float64 = column("Mean rank correlation of the chosen less the default's", unit="correlation", nullable=True)
    ic_p_value: pl.Float64 = column("One-sided p of that gain", unit="probability", nullable=True, ge=0, le=1)
    n_effective: pl.Float64 = column("Independent sessions behind the first p", unit="count", nullable=True)
    verdict: pl.String = column(
        "Whether searching paid, at 5 % over the table",
        unit="category",
        isin=["improved", "no_difference", "worse", "insufficient"],
    )


@table(room="forecasting", key=("model", "asset_class", "horizon"), causality="summary", allow_empty=True)
class LabBias(ForecastBias):
    """Forecast bias in and out of fold, and what correction did, at the horizons that the night does not forecast."""
