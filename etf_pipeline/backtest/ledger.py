"""The fold's arrays as tables: the daily ledger, positions and trades."""

from __future__ import annotations

import numpy as np
import pandas as pd

from etf_pipeline.backtest.arrays import COLUMNS, KINDS, Fold
from etf_pipeline.backtest.market import Axes

LEDGER_COLUMNS = [
    "session", "strategy", "cost_basis", "nav", "cash", "receivables", "holdings_value", "daily_return", "dividends", "interest",
    "costs", "traded_value", "turnover", "identity_error",
]  # fmt: skip


def ledger_table(fold: Fold, axes: Axes, strategy: str, cost_basis: str) -> pd.DataFrame:
    """`backtest_ledger` of one strategy: one row per session, the first of which holds the initial cash.

    Notes
    -----
    ``identity_error`` compares the net asset value rolled forward from the first session (by price changes, dividends,
    interest and costs) with cash + receivables + shares times close. The column ``nav`` is the latter.
    """
    frame = pd.DataFrame(fold.days, columns=list(COLUMNS))
    previous = frame["nav"].shift(1, fill_value=frame["nav"].iloc[0])
    frame["daily_return"] = frame["nav"] / previous - 1.0
    frame["turnover"] = 0.5 * frame["traded_value"] / frame["nav"]
    frame["identity_error"] = (frame["rolled_nav"] - frame["nav"]) / frame["nav"]
    return frame.assign(session=axes.sessions, strategy=strategy, cost_basis=cost_basis)[LEDGER_COLUMNS]


def positions_table(fold: Fold, axes: Axes, strategy: str) -> pd.DataFrame:
    """`backtest_positions` of one strategy: what was held at the close of each session in which something changed hands."""
    row, asset = fold.position_keys.T
    shares, price = fold.positions.T
    value = shares * price
    return pd.DataFrame(
        {
            "session": axes.sessions[row],
            "strategy": strategy,
            "ticker": axes.tickers.to_numpy()[asset],
            "shares": shares,
            "price": price,
            "value": value,
            "weight": value / fold.days[row, COLUMNS.index("nav")],
        }
    )


def trades_table(fold: Fold, axes: Axes, strategy: str) -> pd.DataFrame:
    """`backtest_trades` of one strategy; two mergers into one successor on one day are one row."""
    row, asset, kind = fold.trade_keys.T
    shares, price, spread, impact, commission = fold.trades.T
    frame = pd.DataFrame(
        {
            "session": axes.sessions[row],
            "strategy": strategy,
            "ticker": axes.tickers.to_numpy()[asset],
            "kind": np.array(KINDS)[kind],
            "shares": shares,
            "price": price,
            "value": shares * price,
            "spread_cost": spread,
            "impact_cost": impact,
            "commission": commission,
        }
    )
    key = ["session", "strategy", "ticker", "kind"]
    if not frame.duplicated(key).any():
        return frame
    sums = ["shares", "value", "spread_cost", "impact_cost", "commission"]
    how = dict.fromkeys(sums, "sum") | {"price": "first"}
    return frame.groupby(key, as_index=False, sort=False).agg(how)[list(frame.columns)]
