"""Forecasting room: walk-forward forecasts, their bias measured out of fold, and the ensemble."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Instant, Table, column, table


@table(room="forecasting", key=("model", "ticker", "session"), causality="causal", chunk="session")
class MemberForecasts(Table):
    """Each model's out-of-sample forecast of the total return from the next fill, before and after bias correction."""

    session: pl.Date = column("Session at whose close the forecast is made", unit="date")
    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    model: pl.String = column("Model, as in `forecasting.MODELS`", unit="identifier")
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

    model: pl.String = column("Model", unit="identifier")
    window: pl.Int64 = column("Window number, from 0", unit="count", ge=0)
    train_start: pl.Date = column("First training session", unit="date")
    train_end: pl.Date = column("Last training session after the purge", unit="date")
    test_start: pl.Date = column("First forecast session", unit="date")
    test_end: pl.Date = column("Last forecast session", unit="date")
    n_train: pl.Int64 = column("Training rows (every 5th session)", unit="count", gt=0)
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
    hit_rate: pl.Float64 = column("Share of forecasts with the right sign", unit="fraction", nullable=True)


@table(room="forecasting", key=("model", "asset_class"), causality="summary")
class ForecastBias(Table):
    """Forecast bias in and out of fold, its error under overlap, and what correction did on identical rows."""

    model: pl.String = column("Model, or `ensemble`", unit="identifier")
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
    mse_raw: pl.Float64 = column("Mean squared error before correction", unit="fraction squared")
    mse_corrected: pl.Float64 = column("Mean squared error after correction", unit="fraction squared")
    dm_p_value: pl.Float64 = column(
        "One-sided Diebold-Mariano p that the correction lowers squared error", unit="probability", nullable=True
    )
    dm_p_adjusted: pl.Float64 = column(
        "The same p after Holm's correction for all rows of this table", unit="probability", nullable=True
    )
    verdict: pl.String = column("improved, no_difference or worse, at 5 % over all rows together", unit="category")
