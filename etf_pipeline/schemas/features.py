"""Features room: predictors per fund and session, each known at the close."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Table, column, table


@table(room="features", key=("ticker", "session"), causality="causal", chunk="session")
class Features(Table):
    """Raw predictors of each fund that has a bar; unknown until their lookback is filled."""

    session: pl.Date = column("Exchange session", unit="date")
    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    momentum_12_1: pl.Float64 = column("Total return from 252 to 21 sessions ago", unit="fraction", nullable=True)
    momentum_126: pl.Float64 = column("Total return over 126 sessions", unit="fraction", nullable=True)
    momentum_63: pl.Float64 = column("Total return over 63 sessions", unit="fraction", nullable=True)
    momentum_21: pl.Float64 = column("Total return over 21 sessions", unit="fraction", nullable=True)
    reversal_5: pl.Float64 = column("Minus the total return over 5 sessions", unit="fraction", nullable=True)
    volatility_21: pl.Float64 = column("Annual volatility of 21 session returns", unit="fraction per year", nullable=True)
    volatility_ratio: pl.Float64 = column("21-session volatility over 126-session volatility", unit="ratio", nullable=True)
    downside_63: pl.Float64 = column(
        "Annual root mean square of negative returns, 63 sessions", unit="fraction per year", nullable=True
    )
    skewness_126: pl.Float64 = column("Sample skewness of 126 returns", unit="ratio", nullable=True)
    drawdown_252: pl.Float64 = column(
        "Fall from the 252-session high of the total-return index, positive", unit="fraction", nullable=True, ge=0
    )
    rsi_14: pl.Float64 = column(
        "Cutler's relative strength index, 14 sessions", unit="0 to 100", nullable=True, ge=-1e-9, le=100.000001
    )
    distance_200: pl.Float64 = column("Total-return index over its 200-session mean, less 1", unit="fraction", nullable=True)
    volume_trend: pl.Float64 = column("21-session over 63-session mean traded value, less 1", unit="fraction", nullable=True)
    amihud_21: pl.Float64 = column("Log of mean |return| per million traded, 21 sessions", unit="log 1/million", nullable=True)
    correlation_126: pl.Float64 = column(
        "Correlation with the equal-weighted market of members, 126 sessions", unit="correlation", nullable=True
    )
    residual_momentum: pl.Float64 = column(
        "Return of 252 to 21 sessions ago beyond beta times the market's, over its volatility",
        unit="ratio",
        nullable=True,
    )
    seasonality: pl.Float64 = column(
        "Mean total return of the same calendar month in earlier years", unit="fraction per month", nullable=True
    )
    dividend_yield: pl.Float64 = column("Dividends of 252 sessions over the close", unit="fraction per year", nullable=True)
