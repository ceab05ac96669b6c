"""Portfolio room: target weights per strategy and rebalance, and how each was found."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Table, column, table


@table(room="portfolio", key=("strategy", "session", "ticker"), causality="causal", chunk="session")
class TargetWeights(Table):
    """Weights decided at the close of each rebalance session; with CASH they sum to one."""

    session: pl.Date = column("Rebalance session: decided at its close, filled at the next open", unit="date")
    strategy: pl.String = column("max_sharpe, risk_parity or equal_weight", unit="identifier")
    ticker: pl.String = column("Ticker, or CASH", unit="identifier")
    weight: pl.Float64 = column("Fraction of net asset value: zero, or 2 % to 15 % for a fund", unit="fraction", ge=0, le=1)
    previous_weight: pl.Float64 = column("Weight held just before, drifted to this close", unit="fraction", ge=0)
    expected_return: pl.Float64 = column("Annual expected total return used", unit="fraction per year", nullable=True)
    volatility: pl.Float64 = column("Annual volatility used", unit="fraction per year", nullable=True)
    cost: pl.Float64 = column("One-off cost of the trade", unit="fraction of net asset value", ge=0)
    risk_contribution: pl.Float64 = column("Share of the portfolio's variance", unit="fraction", nullable=True)


@table(room="portfolio", key=("strategy", "session"), causality="causal")
class OptimizerSolutions(Table):
    """One row per solved portfolio: status, certificate, what binds, and the ex-ante figures."""

    session: pl.Date = column("Rebalance session", unit="date")
    strategy: pl.String = column("Strategy", unit="identifier")
    engine: pl.String = column("clarabel, ccd, riskfolio or none", unit="identifier")
    status: pl.String = column("`optimal`, or the fall-back that was taken", unit="category")
    reason: pl.String = column("What binds or why the fall-back: var_limit, no_excess_return ...", unit="text")
    kkt_residual: pl.Float64 = column("Largest violation of the optimality conditions, relative", unit="ratio", nullable=True)
    n_candidates: pl.Int64 = column("Funds to choose from", unit="count", ge=0)
    n_held: pl.Int64 = column("Funds held", unit="count", ge=0)
    cash: pl.Float64 = column("Weight of cash", unit="fraction", ge=0, le=1)
    expected_return: pl.Float64 = column("Annual", unit="fraction per year", nullable=True)
    volatility: pl.Float64 = column("Annual, ex ante", unit="fraction per year", nullable=True, ge=0)
    sharpe: pl.Float64 = column("Annual, in excess of the bill, ex ante", unit="ratio", nullable=True)
    var_1d: pl.Float64 = column("One-day 95 % value at risk, zero-mean Gaussian, positive", unit="fraction", nullable=True, ge=0)
    cvar_1d: pl.Float64 = column(
        "One-day 95 % expected shortfall, zero-mean Gaussian, positive", unit="fraction", nullable=True, ge=0
    )
    effective_names: pl.Float64 = column(
        "Inverse sum of squared fund weights, fund weights rescaled to one", unit="count", nullable=True
    )
    turnover: pl.Float64 = column("Half the sum of absolute trades", unit="fraction", ge=0)
    cost: pl.Float64 = column("One-off cost of the trades", unit="fraction of net asset value", ge=0)
