"""Portfolio room: target weights per strategy and rebalance, and how each was found."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Table, column, table


@table(room="portfolio", key=("strategy", "session", "ticker"), causality="causal", chunk="session")
class TargetWeights(Table):
    """Weights decided at the close of each rebalance session; with CASH they sum to one."""

    session: pl.Date = column("Rebalance session: decided at its close, filled at the next open", unit="date")
    strategy: pl.String = column("Strategy, or mandate", unit="identifier")
    ticker: pl.String = column("Ticker, or CASH", unit="identifier")
    weight: pl.Float64 = column(
        "Fraction of net asset value: zero, or 2 % to 15 % for a fund that is traded", unit="fraction", ge=0, le=1
    )
    previous_weight: pl.Float64 = column("Weight held just before, drifted to this close", unit="fraction", ge=0)
    expected_return: pl.Float64 = column("Annual expected total return used", unit="fraction per year", nullable=True)
    volatility: pl.Float64 = column("Annual volatility used", unit="fraction per year", nullable=True)
    cost: pl.Float64 = column("One-off cost of the trade", unit="fraction of net asset value", ge=0)
    risk_contribution: pl.Float64 = column("Share of the portfolio's variance", unit="fraction", nullable=True)


@table(room="portfolio", key=("strategy", "session"), causality="causal")
class OptimizerSolutions(Table):
    """One row per solved portfolio, taken or not: status, certificate, what binds, and the ex-ante figures."""

    session: pl.Date = column("Rebalance session", unit="date")
    strategy: pl.String = column("Strategy", unit="identifier")
    engine: pl.String = column("clarabel, ccd, riskfolio or none", unit="identifier")
    status: pl.String = column("`optimal`, or the fall-back that was taken", unit="category")
    reason: pl.String = column("What binds or why the fall-back: var_limit, no_excess_return ...", unit="text")
    shadow_prices: pl.String = column("What a little more of each active limit is worth, dearest first", unit="text")
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


@table(room="portfolio", key=("strategy", "session"), causality="causal")
class RebalanceDecisions(Table):
    """Whether a better portfolio was worth its price: every figure of every decision, taken or not."""

    session: pl.Date = column("Decided at this session's close", unit="date")
    strategy: pl.String = column("Strategy, or mandate", unit="identifier")
    schedule: pl.String = column("What asked: month_end, week_end, threshold, joined by +", unit="category")
    verdict: pl.String = column(
        "`first`; `trade`; `forced` by a limit, a fund that left or holdings that are no candidates; `hold_band`: no weight far enough from its target; "
        "`hold_cost`: the gain is not worth the cost; `hold_fallback`: nothing could be solved",
        unit="category",
        isin=["first", "trade", "forced", "hold_band", "hold_cost", "hold_fallback"],
    )
    traded: pl.Boolean = column("Whether the target was taken", unit="flag")
    breach: pl.String = column("Limits that the holdings broke, funds that left or lost their rank; empty if none", unit="text")
    ruled: pl.Boolean = column("Whether the rule applies", unit="flag")
    measure: pl.String = column(
        "How a gain is counted: by the strategy's objective", unit="category", isin=["sharpe", "utility", "variance", "none"]
    )
    target_excess: pl.Float64 = column("Expected return of the target beyond cash", unit="fraction per year")
    target_volatility: pl.Float64 = column("Volatility of the target", unit="fraction per year", ge=0)
    held_excess: pl.Float64 = column(
        "Expected return beyond cash of the holdings; those that are no candidates count as spread over the others",
        unit="fraction per year",
    )
    held_volatility: pl.Float64 = column("Volatility of the same", unit="fraction per year", ge=0)
    risk_aversion: pl.Float64 = column("Price of variance in a utility", unit="ratio")
    horizon: pl.Int64 = column("Over which a gain counts", unit="sessions", ge=1)
    gain: pl.Float64 = column(
        "Expected gain of the target over the holdings in that time, before costs; unknown without an objective",
        unit="fraction per horizon",
        nullable=True,
    )
    cost: pl.Float64 = column("One-off cost of going there", unit="fraction of net asset value", ge=0)
    cost_hurdle: pl.Float64 = column("Times the cost that a gain must reach", unit="ratio", ge=0)
    hurdle: pl.Float64 = column("What the gain was held against: cost times `cost_hurdle`", unit="fraction", ge=0)
    largest_trade: pl.Float64 = column("Largest distance of a weight from its target", unit="fraction", ge=0)
    no_trade_band: pl.Float64 = column("Distance within which nothing trades", unit="fraction", ge=0)
    largest_drift: pl.Float64 = column("Largest distance of a weight from what was last decided", unit="fraction", ge=0)
    outside_weight: pl.Float64 = column("Held in funds that are no candidates", unit="fraction", ge=0)
    candidate_tolerance: pl.Float64 = column("How much of that the rule bears", unit="fraction", ge=0)
    turnover: pl.Float64 = column("Half the sum of absolute trades made", unit="fraction", ge=0)
    turnover_saved: pl.Float64 = column("The same of trades not made", unit="fraction", ge=0)
    cost_saved: pl.Float64 = column("Cost of trades not made", unit="fraction of net asset value", ge=0)
    portfolio_value: pl.Float64 = column("Net asset value that costs are computed for", unit="base currency", gt=0)
    base_currency: pl.String = column("Base currency", unit="ISO 4217")
    fx_rate: pl.Float64 = column("Currency of the funds for one unit of base currency", unit="ratio", gt=0)


@table(room="portfolio", key=("strategy", "session", "step_number"), causality="causal")
class OptimizerAttempts(Table):
    """Every step of the fall-back chain that was tried, in order; the accepted one is the answer."""

    session: pl.Date = column("Rebalance session", unit="date")
    strategy: pl.String = column("Strategy, or mandate", unit="identifier")
    step_number: pl.Int64 = column("Place in the chain, from 1", unit="count", ge=1)
    step: pl.String = column("`optimal` for the problem as posed, or the fall-back", unit="category")
    outcome: pl.String = column("What came of it", unit="category", isin=["accepted", "infeasible", "failed"])
    reason: pl.String = column("Which limit cannot be met and by how much, or what binds", unit="text")
