"""Backtest room: what the weights would have earned, to the cent, and what one may conclude from it."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Instant, Table, column, table

COST_BASES = ["gross", "net"]


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
    daily_return: pl.Float64 = column("nav over the previous nav, less 1", unit="fraction")
    dividends: pl.Float64 = column("Accrued on this ex-date", unit="base currency", ge=0)
    interest: pl.Float64 = column("Cash yield of the session", unit="base currency")
    costs: pl.Float64 = column("Spread, impact and commission paid", unit="base currency", ge=0)
    traded_value: pl.Float64 = column("Sum of absolute trades", unit="base currency", ge=0)
    turnover: pl.Float64 = column("Half of traded value over nav", unit="fraction", ge=0)
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
    kind: pl.String = column("rebalance, delisting, liquidation, merger or rename", unit="category")
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
    measure: pl.String = column("As in `measures.MEASURES`", unit="identifier")
    value: pl.Float64 = column("Point estimate", unit="see `unit`", nullable=True)
    ci_low: pl.Float64 = column("Lower end of the 95 % interval", unit="see `unit`", nullable=True)
    ci_high: pl.Float64 = column("Upper end of the 95 % interval", unit="see `unit`", nullable=True)
    unit: pl.String = column("Unit of the measure", unit="text")
    start: pl.Date = column("First session", unit="date")
    end: pl.Date = column("Last session", unit="date")
    n_sessions: pl.Int64 = column("Sessions", unit="count", gt=0)


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
