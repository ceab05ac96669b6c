"""Backtest room: what the weights would have earned, to the cent, and what one may conclude from it."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Instant, Table, column, table
from etf_pipeline.schemas.regimes import REGIMES

COST_BASES = ["gross", "net"]
SCREENS = ["strict", "all_listed"]
VERDICTS = ["biased", "no_difference", "too_few_endings", "too_short"]
EXITS = ["liquidation", "merger", "rename", "delisting", "sold", "held", "never_held"]


@table(room="backtest", key=("strategy", "cost_basis", "session"), causality="causal", chunk="session")
class BacktestLedger(Table):
    """Daily ledger per strategy: nav = cash + receivables + holdings, checked every session."""

    session: pl.Date = column("Exchange session", unit="date")
    strategy: pl.String = column("Strategy or benchmark", unit="identifier")
    cost_basis: pl.String = column("`gross` without costs, `net` with them", unit="category", isin=COST_BASES)
    nav: pl.Float64 = column("Net asset value at the close", unit="base currency", gt=0)
    cash: pl.Float64 = column("Cash at the close", unit="base currency")
    receivables: pl.Float64 = column("Dividends and liquidations not yet paid", unit="base currency", ge=0)
    holdings_value: pl.Float64 = column("Shares times close", unit="base currency", ge=0)
    daily_return: pl.Float64 = column(
        "Time-weighted: nav over the previous nav, less 1; where money came or went, growth up to then times growth after",
        unit="fraction",
    )
    dividends: pl.Float64 = column("Accrued on this ex-date", unit="base currency", ge=0)
    interest: pl.Float64 = column("Cash yield of the session", unit="base currency")
    costs: pl.Float64 = column("Spread, impact and commission paid", unit="base currency", ge=0)
    traded_value: pl.Float64 = column("Sum of absolute trades", unit="base currency", ge=0)
    turnover: pl.Float64 = column("Half of traded value over nav", unit="fraction", ge=0)
    flow: pl.Float64 = column("Money that came from outside (positive) or went", unit="base currency")
    identity_error: pl.Float64 = column(
        "(nav - cash - receivables - holdings) over nav, nav rolled forward on its own", unit="fraction"
    )


@table(room="backtest", key=("strategy", "session", "ticker"), causality="causal", chunk="session")
class BacktestPositions(Table):
    """Net positions at the close of each session in which something changed hands: fills and forced exits."""

    session: pl.Date = column("Exchange session", unit="date")
    strategy: pl.String = column("Strategy or benchmark", unit="identifier")
    ticker: pl.String = column("Ticker", unit="identifier")
    shares: pl.Float64 = column("Shares, in the source's share basis", unit="shares")
    price: pl.Float64 = column("Close", unit="listing currency", gt=0)
    value: pl.Float64 = column("Shares times close", unit="base currency")
    weight: pl.Float64 = column("Value over net asset value", unit="fraction")


@table(room="backtest", key=("strategy", "session", "ticker", "kind"), causality="causal", chunk="session")
class BacktestTrades(Table):
    """Every net trade with its itemised cost, and every forced exit."""

    session: pl.Date = column("Fill session", unit="date")
    strategy: pl.String = column("Strategy or benchmark", unit="identifier")
    ticker: pl.String = column("Ticker", unit="identifier")
    kind: pl.String = column("rebalance, flow, delisting, liquidation, merger or rename", unit="category")
    shares: pl.Float64 = column("Bought (positive) or sold", unit="shares")
    price: pl.Float64 = column("Fill price before costs", unit="listing currency")
    value: pl.Float64 = column("Shares times price", unit="base currency")
    spread_cost: pl.Float64 = column("Half-spread", unit="base currency", ge=0)
    impact_cost: pl.Float64 = column("Market impact", unit="base currency", ge=0)
    commission: pl.Float64 = column("Commission", unit="base currency", ge=0)


@table(room="backtest", key=("strategy", "cost_basis", "measure"), causality="summary")
class Performance(Table):
    """Measures of each strategy with a block-bootstrap interval, before and after costs."""

    strategy: pl.String = column("Strategy or benchmark", unit="identifier")
    cost_basis: pl.String = column("`gross` or `net`", unit="category", isin=COST_BASES)
    measure: pl.String = column(
        "As in `measures.MEASURES`, and: turnover, cost_drag, money_weighted_return, cagr_minus_index, bootstrap_block, "
        "sharpe_minus_<reference> with its p-value sharpe_minus_<reference>_p",
        unit="identifier",
    )
    value: pl.Float64 = column("Point estimate", unit="see `unit`", nullable=True)
    ci_low: pl.Float64 = column("Lower end of the 95 % interval", unit="see `unit`", nullable=True)
    ci_high: pl.Float64 = column("Upper end of the 95 % interval", unit="see `unit`", nullable=True)
    unit: pl.String = column("Unit of the measure", unit="text")
    start: pl.Date = column("First session", unit="date")
    end: pl.Date = column("Last session", unit="date")
    n_sessions: pl.Int64 = column("Sessions", unit="count", gt=0)


@table(room="backtest", key=("strategy", "cost_basis", "regime", "measure"), causality="summary")
class PerformanceByRegime(Table):
    """Measures within the sessions of each market state, the state being that of the close before."""

    strategy: pl.String = column("Strategy or benchmark", unit="identifier")
    cost_basis: pl.String = column("`gross` or `net`", unit="category", isin=COST_BASES)
    regime: pl.String = column("State known before the session", unit="category", isin=REGIMES)
    measure: pl.String = column("mean_return, active_return, volatility, sharpe or max_drawdown", unit="identifier")
    value: pl.Float64 = column("Point estimate over the state's sessions, strung together", unit="see `unit`", nullable=True)
    ci_low: pl.Float64 = column("Lower end of the 95 % interval", unit="see `unit`", nullable=True)
    ci_high: pl.Float64 = column("Upper end of the 95 % interval", unit="see `unit`", nullable=True)
    unit: pl.String = column("Unit of the measure", unit="text")
    n_sessions: pl.Int64 = column("Sessions in the state", unit="count", gt=0)
    share: pl.Float64 = column("Of all sessions compared", unit="fraction", gt=0, le=1)


@table(room="backtest", key=("strategy", "portfolio_value"), causality="summary")
class Capacity(Table):
    """What is left after costs of a portfolio kept at each value, by the square-root law; trades are those of the ledger."""

    strategy: pl.String = column("Strategy or benchmark", unit="identifier")
    portfolio_value: pl.Float64 = column("Net asset value at every trade", unit="base currency", gt=0)
    free_cagr: pl.Float64 = column("Compound annual growth without costs", unit="fraction per year", nullable=True)
    cagr: pl.Float64 = column(
        "Compound annual growth; unknown where a session's costs take everything", unit="fraction per year", nullable=True
    )
    sharpe: pl.Float64 = column("Sharpe ratio", unit="ratio, annual", nullable=True)
    cost: pl.Float64 = column("Spread, impact and commission", unit="fraction of value per year", ge=0)
    impact: pl.Float64 = column("Impact alone", unit="fraction of value per year", ge=0)
    cost_share: pl.Float64 = column("Growth lost to costs over `free_cagr`", unit="fraction", nullable=True)
    excess_cagr: pl.Float64 = column(
        "Growth less that of the first benchmark at the same value", unit="fraction per year", nullable=True
    )
    participation_50: pl.Float64 = column(
        "Order over a session's traded value: half of the value traded is below", unit="fraction", nullable=True, ge=0
    )
    participation_95: pl.Float64 = column("95 % of the value traded is below", unit="fraction", nullable=True, ge=0)
    participation_max: pl.Float64 = column("Largest", unit="fraction", nullable=True, ge=0)
    is_extrapolated: pl.Boolean = column("`participation_95` is beyond a tenth of a session: the law is a guess", unit="flag")


@table(room="backtest", key=("strategy", "benchmark"), causality="summary", allow_empty=True)
class BreakEven(Table):
    """How many times the modelled costs a strategy could pay before it is no better than a benchmark."""

    strategy: pl.String = column("Strategy", unit="identifier")
    benchmark: pl.String = column("Another strategy after its own costs, or CASH", unit="identifier")
    free_excess: pl.Float64 = column("Annual growth without costs less the benchmark's", unit="fraction per year", nullable=True)
    net_excess: pl.Float64 = column("Annual growth after costs less the benchmark's", unit="fraction per year", nullable=True)
    multiple: pl.Float64 = column(
        "Break-even costs over modelled ones; unknown where it is behind even without costs",
        unit="ratio",
        nullable=True,
        ge=0,
    )
    cost_charged: pl.Float64 = column("Modelled costs", unit="fraction of value traded", nullable=True, ge=0)
    cost_break_even: pl.Float64 = column("Break-even costs", unit="fraction of value traded", nullable=True, ge=0)


@table(room="backtest", key=("strategy", "peak"), causality="realised", available="available_at", allow_empty=True)
class Drawdowns(Table):
    """Falls of net asset value of at least 2 %, after costs; open ones are flagged."""

    strategy: pl.String = column("Strategy or benchmark", unit="identifier")
    peak: pl.Date = column("Last session at the high", unit="date")
    trough: pl.Date = column("Session of the low", unit="date")
    recovery: pl.Date = column("First session back at the high; unknown while open", unit="date", nullable=True)
    depth: pl.Float64 = column("Fall from peak to trough, positive", unit="fraction", gt=0, lt=1)
    sessions_down: pl.Int64 = column("Peak to trough", unit="sessions", ge=1)
    sessions_under: pl.Int64 = column("Peak to recovery, or to the last session while open", unit="sessions", ge=1)
    is_open: pl.Boolean = column("Not yet recovered", unit="flag")
    available_at: Instant = column(
        "When it was complete: the recovery's close, or the last session's while open", unit="UTC instant"
    )


@table(room="backtest", key=("screens", "rule", "asset_class", "measure"), causality="summary", allow_empty=True)
class Survivorship(Table):
    """What a study on today's funds would have shown beyond the truth: survivors less all funds, monthly rules, after costs."""

    screens: pl.String = column("`strict`: members; `all_listed`: every seasoned plain fund", unit="category", isin=SCREENS)
    rule: pl.String = column("`equal_weight`, or the funds of the highest `momentum`", unit="identifier")
    asset_class: pl.String = column("`all`, or the class within which the rule chose", unit="category")
    measure: pl.String = column("cagr, sharpe or max_drawdown", unit="identifier")
    full: pl.Float64 = column("With every fund that could be chosen at its date", unit="see `unit`", nullable=True)
    survivors: pl.Float64 = column("With those that are still listed at the end of the data", unit="see `unit`", nullable=True)
    gap: pl.Float64 = column("Survivors less full", unit="see `unit`", nullable=True)
    ci_low: pl.Float64 = column(
        "Lower end of the 95 % interval of the gap, paired sessions resampled", unit="see `unit`", nullable=True
    )
    ci_high: pl.Float64 = column("Upper end of the 95 % interval of the gap", unit="see `unit`", nullable=True)
    unit: pl.String = column("Unit of the measure", unit="text")
    n_funds: pl.Int64 = column("Funds that could be chosen at some date", unit="count", ge=1)
    n_survivors: pl.Int64 = column("Those still listed at the end", unit="count", ge=1)
    n_ended: pl.Int64 = column("Those that ended inside the window", unit="count", ge=0)
    start: pl.Date = column("First session", unit="date")
    end: pl.Date = column("Last session", unit="date")
    verdict: pl.String = column(
        "`too_few_endings` to estimate a bias (fewer than 30), else `biased` if the interval leaves out zero",
        unit="category",
        isin=VERDICTS,
    )


@table(room="backtest", key=("screens", "rule", "ticker"), causality="summary", allow_empty=True)
class SurvivorshipEndings(Table):
    """Each fund that could be chosen and did not last, and how the portfolio of all funds left it."""

    screens: pl.String = column("As in `survivorship`", unit="category", isin=SCREENS)
    rule: pl.String = column("As in `survivorship`", unit="identifier")
    ticker: pl.String = column("Permanent name of the fund", unit="identifier")
    asset_class: pl.String = column("Broad class", unit="category")
    last_session: pl.Date = column("Its last bar", unit="date")
    months: pl.Int64 = column("Decisions that chose it", unit="count", ge=0)
    fate: pl.String = column(
        "How the last share went: a forced exit, `sold` before, `held` where it still waits, or `never_held`",
        unit="category",
        isin=EXITS,
    )
    held_to_end: pl.Boolean = column("Held in its last session", unit="flag")
    exit_session: pl.Date = column("When the last share went", unit="date", nullable=True)
    exit_price: pl.Float64 = column("At what price per share", unit="listing currency", nullable=True)
    exit_weight: pl.Float64 = column("Its value over the net asset value of the session before", unit="fraction", nullable=True)
