"""The fold's arrays as tables: the daily ledger, positions and trades."""

from __future__ import annotations

import numpy as np
import pandas as pd

from etf_pipeline.backtest.arrays import COLUMNS, KINDS, Fold
from etf_pipeline.backtest.market import Axes
from etf_pipeline.errors import DataError

LEDGER_COLUMNS = [
    "session", "strategy", "cost_basis", "nav", "cash", "receivables", "holdings_value", "daily_return", "dividends", "interest",
    "costs", "traded_value", "turnover", "flow", "identity_error",
]  # fmt: skip


def ledger_table(fold: Fold, axes: Axes, strategy: str, cost_basis: str) -> pd.DataFrame:
    """`backtest_ledger` of one strategy: one row per session, the first of which holds the initial cash.

    Notes
    -----
    ``identity_error`` compares the net asset value rolled forward from the first session (by price changes, dividends,
    interest, costs and flows) with cash + receivables + shares times close. The column ``nav`` is the latter.

    ``daily_return`` is time-weighted: where money comes or goes, growth up to that moment times growth after it.

    Raises
    ------
    DataError
        If withdrawals left nothing.
    """
    frame = pd.DataFrame(fold.days, columns=list(COLUMNS))
    _refuse_emptying(frame, axes, strategy)
    previous = frame["nav"].shift(1, fill_value=frame["nav"].iloc[0])
    before, flow = frame["before_flow"].to_numpy(), frame["flow"].to_numpy()
    paid = flow != 0.0
    upto = np.where(paid, before, frame["nav"]) / previous
    after = np.where(paid, frame["nav"] / np.where(paid, before + flow, 1.0), 1.0)
    frame["daily_return"] = upto * after - 1.0
    frame["turnover"] = 0.5 * frame["traded_value"] / frame["nav"]
    frame["identity_error"] = (frame["rolled_nav"] - frame["nav"]) / frame["nav"]
    return frame.assign(session=axes.sessions, strategy=strategy, cost_basis=cost_basis)[LEDGER_COLUMNS]


def _refuse_emptying(days: pd.DataFrame, axes: Axes, strategy: str) -> None:
    """Nothing left has no return, whatever prices do to it later in the session."""
    left = np.minimum(days["nav"], days["before_flow"] + days["flow"])
    emptied = ((days["flow"] < 0.0) & (left <= 0.0)).to_numpy()
    if emptied.any():
        when = axes.sessions[int(np.argmax(emptied))].date()
        raise DataError(
            f"{strategy} has nothing left after the withdrawal of {when}. Correct the flows, or end the ledger there."
        )


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
