"""Risk room: volatilities that are forecasts, and covariances, as known at each close."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Table, column, table


@table(room="risk", key=("ticker", "fit_session"), causality="causal", available="session_close")
class GarchFits(Table):
    """Yearly GARCH(1,1) fits with Student-t errors: parameters, likelihood, or the reason for falling back."""

    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    fit_session: pl.Date = column("Last session of the fitting sample", unit="date")
    n: pl.Int64 = column("Returns in the sample", unit="count", ge=0)
    mu: pl.Float64 = column("Mean", unit="percent per session", nullable=True)
    omega: pl.Float64 = column("Constant of the variance", unit="percent squared", nullable=True)
    alpha: pl.Float64 = column("Weight of the last squared error", unit="ratio", nullable=True)
    beta: pl.Float64 = column("Weight of the last variance", unit="ratio", nullable=True)
    nu: pl.Float64 = column("Degrees of freedom of the t errors", unit="count", nullable=True)
    backcast: pl.Float64 = column("Starting variance, from the sample's first 75 returns", unit="percent squared", nullable=True)
    log_likelihood: pl.Float64 = column("At the optimum", unit="nats", nullable=True)
    status: pl.String = column("`converged`, or why the EWMA stands in", unit="category")


@table(room="risk", key=("ticker", "session"), causality="causal", chunk="session")
class Volatilities(Table):
    """Annual volatility forecasts per fund and session."""

    session: pl.Date = column("Exchange session", unit="date")
    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    garch_21: pl.Float64 = column(
        "Root of 252 times the mean forecast variance of the next 21 sessions",
        unit="fraction per year",
        nullable=True,
        gt=0,
    )
    ewma: pl.Float64 = column("Exponentially weighted, lambda 0.94", unit="fraction per year", nullable=True, ge=0)
    realised_30: pl.Float64 = column("Standard deviation of 30 returns", unit="fraction per year", nullable=True, ge=0)
    realised_90: pl.Float64 = column("Standard deviation of 90 returns", unit="fraction per year", nullable=True, ge=0)
    realised_252: pl.Float64 = column("Standard deviation of 252 returns", unit="fraction per year", nullable=True, ge=0)
    volatility: pl.Float64 = column(
        "The forecast that later rooms use: GARCH, or EWMA where flagged", unit="fraction per year", nullable=True, ge=0
    )
    source: pl.String = column("`garch`, or `ewma:` with the reason, or `unknown`", unit="category")


@table(room="risk", key=("session", "ticker_1", "ticker_2"), causality="causal", chunk="session")
class Covariances(Table):
    """Ledoit-Wolf covariance of the universe's members at each rebalance session, upper triangle with diagonal."""

    session: pl.Date = column("Rebalance session", unit="date")
    ticker_1: pl.String = column("First ticker, never after the second", unit="identifier")
    ticker_2: pl.String = column("Second ticker", unit="identifier")
    covariance: pl.Float64 = column("Annual covariance of simple total returns", unit="fraction squared per year")


@table(room="risk", key=("session",), causality="causal")
class CovarianceHealth(Table):
    """How each covariance was estimated and whether it is fit to optimise on."""

    session: pl.Date = column("Rebalance session", unit="date")
    n_assets: pl.Int64 = column("Funds", unit="count", gt=0)
    n_sessions: pl.Int64 = column("Sessions in the sample", unit="count", gt=0)
    shrinkage: pl.Float64 = column("Ledoit-Wolf intensity", unit="fraction", ge=0, le=1)
    condition_number: pl.Float64 = column("Largest over smallest eigenvalue", unit="ratio", ge=1)
    excluded: pl.Int64 = column("Members left out for a history shorter than the sample", unit="count", ge=0)
