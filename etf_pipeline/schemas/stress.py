"""Stress room: what today's portfolios would lose."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Table, column, table

STRESS_KINDS = ["replay", "factor_shock", "monte_carlo"]
STRESS_BASES = ["own", "beta_proxy", "cash", "factor_loading", "class_loading"]
FACTOR_BASES = ["given", "propagated", "still", "realised"]
VAR_VERDICTS = ["holds", "too_many", "too_few", "clustered", "too_shallow", "insufficient"]


@table(room="stress", key=("strategy", "scenario"), causality="summary")
class StressResults(Table):
    """Profit and loss of the current weights in historical windows, factor shocks and Monte Carlo scenarios."""

    strategy: pl.String = column("Strategy", unit="identifier")
    scenario: pl.String = column("As in `stress.SCENARIOS` or `raw_scenarios`, or the simulation's name", unit="identifier")
    kind: pl.String = column("How it was computed", unit="category", isin=STRESS_KINDS)
    title: pl.String = column("In words", unit="text")
    start: pl.Date = column("First session of the window; unknown where there is none", unit="date", nullable=True)
    end: pl.Date = column("Last session", unit="date", nullable=True)
    horizon: pl.Int64 = column("Sessions", unit="sessions", gt=0)
    profit: pl.Float64 = column(
        "Buy-and-hold return of the weights; for a simulation minus the CVaR", unit="fraction of net asset value"
    )
    low: pl.Float64 = column(
        "Lower end of its 95 % interval: for errors of betas and what they leave over; of a simulation for the draws",
        unit="fraction of net asset value",
        nullable=True,
    )
    high: pl.Float64 = column("Upper end of its 95 % interval", unit="fraction of net asset value", nullable=True)
    max_drawdown: pl.Float64 = column("Largest fall on the way, positive", unit="fraction", nullable=True, ge=0)
    var: pl.Float64 = column("95 % value at risk of the simulation, positive", unit="fraction", nullable=True)
    var_error: pl.Float64 = column("Its simulation error", unit="fraction", nullable=True, ge=0)
    cvar: pl.Float64 = column("95 % expected shortfall of the simulation, positive", unit="fraction", nullable=True)
    standard_error: pl.Float64 = column("Simulation error of the CVaR", unit="fraction", nullable=True)
    drawdown_median: pl.Float64 = column("Median largest fall of the paths", unit="fraction", nullable=True, ge=0, le=1)
    drawdown_95: pl.Float64 = column("95 % quantile of the largest falls", unit="fraction", nullable=True, ge=0, le=1)
    drawdown_error: pl.Float64 = column("Its simulation error", unit="fraction", nullable=True, ge=0)
    coverage: pl.Float64 = column(
        "Weight whose fund has its own history in the window, or its own betas; the rest moves by proxy",
        unit="fraction",
        ge=0,
        le=1.000001,
    )
    source: pl.String = column("Where the dates, sizes or the model come from", unit="text")


@table(room="stress", key=("strategy", "scenario", "ticker"), causality="summary")
class StressContributions(Table):
    """Each fund's part of the profit or loss in a replay or factor shock."""

    strategy: pl.String = column("Strategy", unit="identifier")
    scenario: pl.String = column("Scenario", unit="identifier")
    ticker: pl.String = column("Ticker", unit="identifier")
    weight: pl.Float64 = column("Current weight", unit="fraction")
    asset_return: pl.Float64 = column("Return of the fund, or of its proxy", unit="fraction")
    contribution: pl.Float64 = column(
        "Weight times return; contributions add up to the profit", unit="fraction of net asset value"
    )
    basis: pl.String = column(
        "Whose history: its `own`, a proxy's by beta; whose loadings: its own betas or those of its class and duration",
        unit="category",
        isin=STRESS_BASES,
    )


@table(room="stress", key=("strategy", "scenario", "factor"), causality="summary", allow_empty=True)
class StressFactors(Table):
    """Each factor's part of the profit or loss, with the move that was given, propagated or realised."""

    strategy: pl.String = column("Strategy", unit="identifier")
    scenario: pl.String = column("Scenario", unit="identifier")
    factor: pl.String = column("As in `stress.FACTORS`; `specific`: what they do not explain", unit="identifier")
    unit: pl.String = column("Unit of the shock: fraction of a price, bp of a yield or spread, index points", unit="text")
    shock: pl.Float64 = column("Move of the factor; unknown for `specific`", unit="see `unit`", nullable=True)
    basis: pl.String = column(
        "`given` by the scenario; `propagated`: expected given those; `still`: held; `realised` in the window",
        unit="category",
        isin=FACTOR_BASES,
    )
    factor_return: pl.Float64 = column(
        "Return of the tradable factor; unknown for what acts only through what it says about others",
        unit="fraction",
        nullable=True,
    )
    exposure: pl.Float64 = column("Loading of the portfolio on that return", unit="ratio", nullable=True)
    contribution: pl.Float64 = column(
        "Exposure times return; contributions add up to the profit", unit="fraction of net asset value"
    )


@table(room="stress", key=("strategy", "loss", "factor"), causality="summary", allow_empty=True)
class ReverseStress(Table):
    """The likeliest move of the factors, over a stated horizon, that loses a given share of each portfolio."""

    strategy: pl.String = column("Strategy", unit="identifier")
    loss: pl.Float64 = column("Loss", unit="fraction of net asset value", gt=0, lt=1)
    factor: pl.String = column("Loaded factor; `specific`: what they do not explain", unit="identifier")
    unit: pl.String = column("Unit of the shock", unit="text")
    shock: pl.Float64 = column("Move of the factor", unit="see `unit`")
    shock_sd: pl.Float64 = column("The same in its own standard deviations over the horizon", unit="ratio")
    contribution: pl.Float64 = column("Profit from it; the parts add up to minus the loss", unit="fraction of net asset value")
    distance: pl.Float64 = column("Mahalanobis distance of the whole move", unit="ratio", ge=0)
    probability: pl.Float64 = column(
        "Chance of such a loss over the horizon: Student-t law, stressed covariance", unit="probability", ge=0, le=1
    )
    horizon: pl.Int64 = column("Over which it is lost", unit="sessions", gt=0)


@table(room="stress", key=("strategy", "model", "level"), causality="summary", allow_empty=True)
class VarBacktests(Table):
    """Daily forecasts of each strategy's value at risk and expected shortfall, as known at the close before, held against returns."""

    strategy: pl.String = column("Strategy or benchmark", unit="identifier")
    model: pl.String = column("Model, see `stress.var_backtest.forecasts`", unit="category")
    level: pl.Float64 = column("Level of the value at risk", unit="probability", gt=0.5, lt=1)
    start: pl.Date = column("First session judged", unit="date")
    end: pl.Date = column("Last session judged", unit="date")
    n: pl.Int64 = column("Sessions judged", unit="count", gt=0)
    exceptions: pl.Int64 = column("Sessions whose loss passed the value at risk", unit="count", ge=0)
    expected: pl.Float64 = column("Exceptions that the level promises", unit="count", gt=0)
    rate: pl.Float64 = column("Share of exceptions", unit="fraction", ge=0, le=1)
    mean_var: pl.Float64 = column("Mean value at risk of a session", unit="fraction", gt=0)
    kupiec_p: pl.Float64 = column("P of the promised share", unit="probability", nullable=True, ge=0, le=1)
    independence_p: pl.Float64 = column(
        "P of exceptions that do not follow one another", unit="probability", nullable=True, ge=0, le=1
    )
    christoffersen_p: pl.Float64 = column("P of both together", unit="probability", nullable=True, ge=0, le=1)
    shortfall_z: pl.Float64 = column("Acerbi and Szekely's Z; negative: deeper losses than claimed", unit="ratio", nullable=True)
    shortfall_p: pl.Float64 = column("One-sided p of losses as deep as claimed", unit="probability", nullable=True, ge=0, le=1)
    p_holm: pl.Float64 = column(
        "Smallest of Kupiec's, independence's and the shortfall's p, corrected for all tests of the strategy",
        unit="probability",
        nullable=True,
        ge=0,
        le=1,
    )
    verdict: pl.String = column("What stands after correction", unit="category", isin=VAR_VERDICTS)
    mean_score: pl.Float64 = column(
        "Joint score of value at risk and shortfall; the lower the better", unit="score", nullable=True
    )
