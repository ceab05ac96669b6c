"""Features room: predictors per fund and session, each known at the close, their market and their drift."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Table, column, table

DRIFT_VERDICTS = ("stable", "watch", "shift", "unknown")


@table(room="features", key=("exchange", "session"), causality="causal")
class MarketReturns(Table):
    """Equal-weighted return of each exchange's members: the market that features hold a fund against."""

    session: pl.Date = column("Exchange session", unit="date")
    exchange: pl.String = column("Exchange calendar", unit="ISO 10383")
    market_return: pl.Float64 = column(
        "Mean total return of the funds that were members one session of the exchange before; unknown without one",
        unit="fraction",
        nullable=True,
    )
    members: pl.Int64 = column("Funds in the mean", unit="count", ge=0)


@table(room="features", key=("ticker", "session"), causality="causal", chunk="session")
class Features(Table):
    """Raw predictors of each fund that has a bar; unknown until their lookback is filled."""

    session: pl.Date = column("Exchange session", unit="date")
    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    momentum_12_1: pl.Float64 = column("Total return from 252 to 21 sessions ago", unit="fraction", nullable=True)
    momentum_12_7: pl.Float64 = column("Total return from 252 to 126 sessions ago", unit="fraction", nullable=True)
    momentum_126: pl.Float64 = column("Total return over 126 sessions", unit="fraction", nullable=True)
    momentum_63: pl.Float64 = column("Total return over 63 sessions", unit="fraction", nullable=True)
    momentum_21: pl.Float64 = column("Total return over 21 sessions", unit="fraction", nullable=True)
    reversal_5: pl.Float64 = column("Minus the total return over 5 sessions", unit="fraction", nullable=True)
    reversal_1: pl.Float64 = column("Minus the total return of the session", unit="fraction", nullable=True)
    volatility_21: pl.Float64 = column("Annual volatility of 21 session returns", unit="fraction per year", nullable=True, ge=0)
    volatility_63: pl.Float64 = column("Annual volatility of 63 session returns", unit="fraction per year", nullable=True, ge=0)
    volatility_ratio: pl.Float64 = column("21-session volatility over 126-session volatility", unit="ratio", nullable=True, ge=0)
    downside_63: pl.Float64 = column(
        "Annual root mean square of negative returns, 63 sessions", unit="fraction per year", nullable=True, ge=0
    )
    skewness_126: pl.Float64 = column("Sample skewness of 126 returns", unit="ratio", nullable=True)
    kurtosis_126: pl.Float64 = column("Sample excess kurtosis of 126 returns", unit="ratio", nullable=True)
    max_return_21: pl.Float64 = column("Largest session return of 21", unit="fraction", nullable=True)
    sharpe_252: pl.Float64 = column("Mean over standard deviation of 252 returns, annual", unit="ratio", nullable=True)
    variance_ratio_126: pl.Float64 = column(
        "Variance of 5-session sums over 5 times that of returns, 126 sessions", unit="ratio", nullable=True, ge=0
    )
    autocorrelation_126: pl.Float64 = column(
        "Correlation of 126 returns with those one session earlier", unit="correlation", nullable=True, ge=-1.1, le=1.1
    )
    rsi_14: pl.Float64 = column(
        "Cutler's relative strength index, 14 sessions", unit="0 to 100", nullable=True, ge=-1e-9, le=100.000001
    )
    distance_200: pl.Float64 = column("Total-return index over its 200-session mean, less 1", unit="fraction", nullable=True)
    crossover_50_200: pl.Float64 = column(
        "50-session over 200-session mean of the total-return index, less 1", unit="fraction", nullable=True
    )
    bollinger_20: pl.Float64 = column(
        "Total-return index less its 20-session mean, in its standard deviations", unit="standard deviations", nullable=True
    )
    trend_r2_126: pl.Float64 = column(
        "R2 of the log total-return index on time, 126 sessions, with the sign of the slope",
        unit="fraction",
        nullable=True,
        ge=-1.000001,
        le=1.000001,
    )
    drawdown_252: pl.Float64 = column(
        "Fall from the 252-session high of the total-return index, positive", unit="fraction", nullable=True, ge=0, le=1
    )
    underwater_252: pl.Float64 = column(
        "Sessions since the 252-session high of the total-return index, over 252", unit="fraction", nullable=True, ge=0, lt=1
    )
    correlation_126: pl.Float64 = column(
        "Correlation with the equal-weighted market of members, 126 sessions", unit="correlation", nullable=True, ge=-1, le=1
    )
    idiosyncratic_volatility_126: pl.Float64 = column(
        "Annual volatility of what the market does not explain, 126 sessions", unit="fraction per year", nullable=True, ge=0
    )
    residual_momentum: pl.Float64 = column(
        "Return of 252 to 21 sessions ago beyond beta times the market's, over its volatility", unit="ratio", nullable=True
    )
    volume_trend: pl.Float64 = column("21-session over 63-session mean traded value, less 1", unit="fraction", nullable=True)
    volume_shock: pl.Float64 = column("Traded value over its 63-session mean, less 1", unit="fraction", nullable=True)
    amihud_21: pl.Float64 = column("Log of mean |return| per million traded, 21 sessions", unit="log 1/million", nullable=True)
    idle_63: pl.Float64 = column(
        "Share of 63 sessions without a trade or a change of price", unit="fraction", nullable=True, ge=0, le=1
    )
    range_volatility_21: pl.Float64 = column(
        "Annual volatility from 21 sessions' ranges of high over low", unit="fraction per year", nullable=True, ge=0
    )
    overnight_63: pl.Float64 = column("Sum of 63 returns from close to open", unit="fraction", nullable=True)
    intraday_63: pl.Float64 = column("Sum of 63 returns from open to close", unit="fraction", nullable=True)
    seasonality: pl.Float64 = column(
        "Mean total return of the same calendar month in the last 5 years", unit="fraction per month", nullable=True
    )
    dividend_yield: pl.Float64 = column("Dividends of 252 sessions over the close", unit="fraction per year", nullable=True)


@table(room="features", key=("feature", "session"), causality="causal", allow_empty=True)
class FeatureDrift(Table):
    """Each feature's members of a month beside those of all earlier years; a row stands once the month is whole."""

    session: pl.Date = column("First session after the month: by then it was whole", unit="date")
    feature: pl.String = column("Column of `features`", unit="identifier")
    month: pl.Date = column("First day of the month that is judged", unit="date")
    funds: pl.Int64 = column("Members at their last bar of the month", unit="count", ge=0)
    missing: pl.Float64 = column("Share of them whose feature is unknown", unit="fraction", nullable=True, ge=0, le=1)
    mean: pl.Float64 = column("Mean of the known values", unit="unit of the feature", nullable=True)
    sd: pl.Float64 = column("Standard deviation of the known values", unit="unit of the feature", nullable=True, ge=0)
    reference_mean: pl.Float64 = column("Mean over all earlier years", unit="unit of the feature", nullable=True)
    reference_sd: pl.Float64 = column(
        "Standard deviation over all earlier years", unit="unit of the feature", nullable=True, ge=0
    )
    effective_funds: pl.Float64 = column(
        "Independent values that the month is worth, since funds move together", unit="count", nullable=True, ge=1
    )
    psi: pl.Float64 = column("Population stability index over the reference's deciles", unit="nats", nullable=True, ge=0)
    psi_by_chance: pl.Float64 = column(
        "Index to be expected without any change, at the effective sizes", unit="nats", nullable=True, ge=0
    )
    ks: pl.Float64 = column("Kolmogorov-Smirnov distance from the reference", unit="fraction", nullable=True, ge=0, le=1)
    ks_p: pl.Float64 = column("Its p-value at the effective sizes", unit="probability", nullable=True, ge=0, le=1)
    verdict: pl.String = column(
        "`shift`: index above 0.25 and p below 0.01. `watch`: above 0.1 and below 0.05. `unknown`: too short a reference",
        unit="category",
        isin=DRIFT_VERDICTS,
    )
