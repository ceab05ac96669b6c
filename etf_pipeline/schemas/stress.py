"""Stress room: what today's portfolios would lose."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Table, column, table

STRESS_KINDS = ["replay", "monte_carlo"]


@table(room="stress", key=("strategy", "scenario"), causality="summary")
class StressResults(Table):
    """Profit and loss of the current weights in historical windows and Monte Carlo scenarios."""

    strategy: pl.String = column("Strategy", unit="identifier")
    scenario: pl.String = column("As in `stress.SCENARIOS`, or the simulation's name", unit="identifier")
    kind: pl.String = column("How it was computed", unit="category", isin=STRESS_KINDS)
    title: pl.String = column("In words", unit="text")
    start: pl.Date = column("First session of the window; unknown for a simulation", unit="date", nullable=True)
    end: pl.Date = column("Last session", unit="date", nullable=True)
    horizon: pl.Int64 = column("Sessions", unit="sessions", gt=0)
    profit: pl.Float64 = column(
        "Buy-and-hold return of the weights; for a simulation minus the CVaR", unit="fraction of net asset value"
    )
    max_drawdown: pl.Float64 = column("Largest fall on the way, positive", unit="fraction", nullable=True, ge=0)
    var: pl.Float64 = column("95 % value at risk of the simulation, positive", unit="fraction", nullable=True)
    cvar: pl.Float64 = column("95 % expected shortfall of the simulation, positive", unit="fraction", nullable=True)
    standard_error: pl.Float64 = column("Simulation error of the CVaR", unit="fraction", nullable=True)
    coverage: pl.Float64 = column(
        "Weight whose fund has its own history in the window; the rest moves by proxy",
        unit="fraction",
        ge=0,
        le=1.000001,
    )
    source: pl.String = column("Where the dates or the model come from", unit="text")


@table(room="stress", key=("strategy", "scenario", "ticker"), causality="summary")
class StressContributions(Table):
    """Each fund's part of a replayed scenario's profit or loss."""

    strategy: pl.String = column("Strategy", unit="identifier")
    scenario: pl.String = column("Scenario", unit="identifier")
    ticker: pl.String = column("Ticker", unit="identifier")
    weight: pl.Float64 = column("Current weight", unit="fraction")
    asset_return: pl.Float64 = column("Return of the fund, or of its proxy", unit="fraction")
    contribution: pl.Float64 = column(
        "Weight times return; contributions add up to the profit", unit="fraction of net asset value"
    )
    basis: pl.String = column("`own`, `beta_proxy` or `cash`", unit="category")
