"""Strategies and benchmarks as plans: from which session on what is to be held, and what trading it costs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from etf_pipeline import panel
from etf_pipeline.backtest.arrays import NO_FLOWS, Ints, Plan
from etf_pipeline.backtest.market import Axes
from etf_pipeline.backtest.parameters import BacktestParameters
from etf_pipeline.conventions import CASH
from etf_pipeline.costs import TransactionCostModel
from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats

BALANCED = "balanced_{equity:.0f}_{bond:.0f}"
"""Name of the balanced benchmark, e.g. ``balanced_60_40``."""


@dataclass(frozen=True)
class Decisions:
    """Weights decided at the close of some sessions: `frame` has columns `session`, `ticker`, `weight` without cash."""

    sessions: pd.DatetimeIndex
    frame: pd.DataFrame


def decisions_of(target_weights: pd.DataFrame, prices: pd.DataFrame, parameters: BacktestParameters) -> dict[str, Decisions]:
    """What each strategy and benchmark decides, and when, by name.

    Raises
    ------
    DataError
        If there is no decision, a benchmark has no bar in the first session, or a strategy takes a benchmark's name.
    """
    weights = target_weights.loc[target_weights["session"] >= pd.Timestamp(parameters.start or "1900-01-01")]
    if weights.empty:
        since = parameters.start or "any session"
        raise DataError(f"backtest needs target_weights from {since} on; there are none. Start earlier.")
    sessions = pd.DatetimeIndex(np.sort(weights["session"].unique()))
    out = {str(name): _decisions(rows) for name, rows in weights.groupby("strategy", sort=True)}
    listed = set(prices.loc[prices["session"] == sessions[0], "ticker"])
    for name, mix in _benchmarks(listed, sessions[0], parameters).items():
        if name in out:
            raise DataError(f"a strategy is called '{name}', as a benchmark is. Rename it in `portfolio`.")
        out[name] = _constant(mix, sessions)
    return out


@dataclass(frozen=True)
class Trading:
    """What was known of trading each fund at each close: half-spread and slope of the cost, ``(n_sessions, n_assets)``."""

    half_spread: Floats
    slope: Floats


def make_trading(liquidity: pd.DataFrame, axes: Axes, parameters: BacktestParameters, costs: TransactionCostModel) -> Trading:
    """Half-spreads and slopes on the axes.

    Parameters
    ----------
    liquidity : DataFrame
        Columns `session`, `ticker`, `half_spread`, `daily_volatility`, `daily_value`. Where a session has no row the
        last one before it stands; a fund without any pays `unknown_half_spread`.
    """
    half_spread, volatility, daily_value = (
        _last_known(panel.wide(liquidity, name, axes.sessions, axes.tickers))
        for name in ("half_spread", "daily_volatility", "daily_value")
    )
    slope = costs.slope(volatility, daily_value)
    unknown = np.isnan(half_spread) | np.isnan(slope)
    return Trading(np.where(unknown, parameters.unknown_half_spread, half_spread), np.where(unknown, 0.0, slope))


def make_plan(decisions: Decisions, trading: Trading, axes: Axes, exchange: str, flows: Floats = NO_FLOWS) -> Plan:
    """Targets at each fill, the session after the decision, with what was known of trading costs when it was decided.

    `flows` are those of `make_flows`.
    """
    rows = axes.sessions.get_indexer(decisions.sessions)
    if (rows < 0).any():
        bad = decisions.sessions[rows < 0][0].date()
        raise DataError(f"target_weights decide on {bad}, which is no session of {exchange} before the last price.")
    kept = rows + 1 < len(axes.sessions)
    targets = np.nan_to_num(panel.wide(decisions.frame, "weight", decisions.sessions[kept], axes.tickers))
    known = rows[kept]
    return Plan((known + 1).astype(np.int64), targets, trading.half_spread[known], trading.slope[known], flows)


def make_flows(flows: pd.DataFrame | None, strategy: str, axes: Axes) -> Floats:
    """Money that comes to (positive) or goes from a strategy, by session.

    Parameters
    ----------
    flows : DataFrame, optional
        Columns `strategy`, `date`, `amount` [base currency]. A flow counts in the first session on or after its date; one up
        to the ledger's first session is part of its initial cash, and does not.
    strategy : str
    axes : Axes

    Returns
    -------
    ndarray of shape (n_sessions,) or (0,)
        Empty where the strategy has none.
    """
    own = flows.loc[flows["strategy"] == strategy] if flows is not None else None
    if own is None or own.empty:
        return NO_FLOWS
    row = axes.sessions.searchsorted(pd.DatetimeIndex(own["date"]), side="left")
    inside = (row > 0) & (row < len(axes.sessions))
    amount = own["amount"].to_numpy(dtype=np.float64)
    return np.bincount(row[inside], weights=amount[inside], minlength=len(axes.sessions)).astype(np.float64)


def check_flows(flows: pd.DataFrame | None, names: Collection[str]) -> None:
    """Refuse money for a strategy that there is none of, and amounts that are no number.

    Raises
    ------
    DataError
    """
    if flows is None:
        return
    unknown = sorted(set(flows["strategy"]) - set(names))
    if unknown:
        raise DataError(f"flows name {unknown}, which no strategy is called; there are {sorted(names)}. Correct `strategy`.")
    bad = flows.loc[~np.isfinite(flows["amount"].to_numpy(dtype=np.float64)) | flows["date"].isna()]
    if len(bad):
        first = bad.iloc[0]
        raise DataError(
            f"flows need a date and a finite amount; {len(bad)} have none, first of {first['strategy']}: {first['amount']} on "
            f"{first['date']}. Correct them."
        )


def free(plan: Plan) -> Plan:
    """The same plan where trading costs nothing."""
    none = np.zeros_like(plan.targets)
    return Plan(plan.rows, plan.targets, none, none, plan.flows)


def _decisions(rows: pd.DataFrame) -> Decisions:
    short = rows.loc[(rows["ticker"] != CASH) & (rows["weight"] < 0.0)]
    if len(short):
        first = short.iloc[0]
        raise DataError(
            f"backtest holds shares and sells none short; {len(short)} target_weights are negative, first {first['ticker']} on "
            f"{first['session'].date()} at {first['weight']:.4f}. Hold an inverse fund instead, or cash."
        )
    held = rows.loc[(rows["ticker"] != CASH) & (rows["weight"] > 0.0), ["session", "ticker", "weight"]]
    return Decisions(pd.DatetimeIndex(np.sort(rows["session"].unique())), held)


def _benchmarks(listed: set[str], first: pd.Timestamp, parameters: BacktestParameters) -> dict[str, dict[str, float]]:
    funds, balanced = parameters.benchmark_funds, parameters.balanced_funds
    missing = [ticker for ticker in funds if ticker not in listed]
    if missing:
        raise DataError(
            f"benchmarks {missing} have no bar on {first.date()}, the first decision. Name others in `benchmarks` or start later."
        )
    out = {ticker: {ticker: 1.0} for ticker in funds}
    if balanced and set(balanced) <= listed:
        equity, share = parameters.balanced_equity, 100 * parameters.balanced_equity
        name = BALANCED.format(equity=share, bond=100 - share)
        out[name] = dict(zip(balanced, (equity, 1.0 - equity), strict=True))
    return out


def _constant(mix: dict[str, float], sessions: pd.DatetimeIndex) -> Decisions:
    rows = [(session, ticker, weight) for session in sessions for ticker, weight in mix.items()]
    return Decisions(sessions, pd.DataFrame(rows, columns=["session", "ticker", "weight"]))


def _last_known(values: Floats) -> Floats:
    """Each column carried forward over unknown rows."""
    place: Ints = np.where(np.isnan(values), 0, np.arange(len(values))[:, None])
    last = np.maximum.accumulate(place, axis=0)
    return np.asarray(np.take_along_axis(values, last, axis=0), dtype=np.float64)
