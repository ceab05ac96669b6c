"""Attribution room: where a strategy's return over its benchmark came from, in effects that add up."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Instant, Table, column, table

EFFECTS = ["allocation", "selection", "interaction", "trading", "costs", "flows", "residual"]


@table(
    room="attribution",
    key=("strategy", "benchmark", "month", "line", "effect"),
    causality="realised",
    available="available_at",
    allow_empty=True,
)
class Attribution(Table):
    """Brinson-Fachler effects of each month after costs, linked so that they add up to the compounded active return."""

    strategy: pl.String = column("Strategy", unit="identifier")
    benchmark: pl.String = column("What it is compared with, a strategy of `backtest_ledger`", unit="identifier")
    month: pl.Date = column("First day of the month", unit="date")
    line: pl.String = column("Asset class, `cash`, or `all` for effects that have no class", unit="category")
    effect: pl.String = column("What the line earned by", unit="category", isin=EFFECTS)
    value: pl.Float64 = column("Linked effect; a month's effects sum to its active return", unit="fraction")
    portfolio_return: pl.Float64 = column("Compounded over the month, net of costs", unit="fraction")
    benchmark_return: pl.Float64 = column("Compounded over the month, net of costs", unit="fraction")
    link: pl.Float64 = column(
        "Carino's coefficient of the month: log relative growth over active return; links months to longer spans",
        unit="ratio",
        gt=0,
    )
    available_at: Instant = column("Close of the month's last scheduled session", unit="UTC instant")


@table(
    room="attribution",
    key=("strategy", "benchmark", "month", "factor"),
    causality="realised",
    available="available_at",
    allow_empty=True,
)
class FactorAttribution(Table):
    """What factor exposures explain of each month's return over the benchmark, by loadings estimated before the month."""

    strategy: pl.String = column("Strategy", unit="identifier")
    benchmark: pl.String = column("A strategy of `backtest_ledger`, or `bill` for the risk-free rate", unit="identifier")
    month: pl.Date = column("First day of the month", unit="date")
    factor: pl.String = column("MKT_RF, SMB, HML, RMW, CMA, MOM, or `specific` for what they leave", unit="identifier")
    value: pl.Float64 = column("Linked contribution; a month's contributions sum to its active return", unit="fraction")
    error: pl.Float64 = column(
        "Standard error of the contribution from that of the loading; unknown for `specific`",
        unit="fraction",
        nullable=True,
        ge=0,
    )
    loading: pl.Float64 = column("Active loading, of the 252 sessions before the month", unit="ratio", nullable=True)
    loading_error: pl.Float64 = column("Its HAC standard error", unit="ratio", nullable=True, ge=0)
    portfolio_return: pl.Float64 = column("Compounded over the month, net of costs", unit="fraction")
    benchmark_return: pl.Float64 = column("Compounded over the month", unit="fraction")
    link: pl.Float64 = column("As in `attribution`", unit="ratio", gt=0)
    available_at: Instant = column("When the factor library held the whole month", unit="UTC instant")
