"""From stored ledgers to what is measured: the window that all strategies share, and one track of each within it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from etf_pipeline import panel
from etf_pipeline.backtest.parameters import BacktestParameters
from etf_pipeline.backtest.performance import Study, Track, Window, performance_table
from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.errors import DataError
from etf_pipeline.measures import session_risk_free
from etf_pipeline.measures.money_weighted import money_weighted_return
from etf_pipeline.panel import Floats


def performance(
    ledger: pd.DataFrame, returns: pd.DataFrame, macro: pd.DataFrame, parameters: BacktestParameters | None = None
) -> pd.DataFrame:
    """Every measure of every strategy, before and after costs.

    Parameters
    ----------
    ledger : DataFrame
        `backtest_ledger`.
    returns : DataFrame
        `fct_returns`: the total-return indices that the benchmarks' ledgers are held against.
    macro : DataFrame
        `fct_macro`, for the bill.
    parameters : BacktestParameters, optional
        Those that the ledger was kept with.

    Returns
    -------
    DataFrame
        `performance`.

    Raises
    ------
    DataError
        If the strategies share fewer than two sessions, or the bill is unknown in some.
    """
    p = parameters or BacktestParameters()
    tracks = {
        (str(name), str(basis)): rows.sort_values("session", ignore_index=True)
        for (name, basis), rows in ledger.groupby(["strategy", "cost_basis"], observed=True, sort=False)
    }
    sessions = pd.DatetimeIndex(np.sort(ledger["session"].unique()))
    first = _first_shared(tracks, sessions)
    bill = np.ascontiguousarray(session_risk_free(macro, sessions, p.bill_series)[first:])
    window = Window(sessions[first:], bill, _index_growth(returns, sessions, first, p))
    measured = {key: _track(key, rows, first, p) for key, rows in tracks.items()}
    return performance_table(Study(measured, window, p))


def _first_shared(tracks: dict[tuple[str, str], pd.DataFrame], sessions: pd.DatetimeIndex) -> int:
    """Row of the session in which the last strategy was first invested, so that all share those from there on."""
    n = len(sessions)
    first = 1
    for rows in tracks.values():
        traded = rows.loc[rows["traded_value"] > 0.0, "session"]
        if len(traded):  # who never trades is in cash, whatever the window
            first = max(first, int(sessions.searchsorted(traded.iloc[0])))
    if n - first < 2:
        raise DataError(
            f"performance needs 2 sessions from every strategy's first fill on; prices end on {sessions[-1].date()}, "
            f"{n - first} after the last of them. Load later prices or start earlier."
        )
    return first


def _index_growth(returns: pd.DataFrame, sessions: pd.DatetimeIndex, first: int, p: BacktestParameters) -> dict[str, float]:
    """Growth of each benchmark fund's total-return index over the window, from the first fill where that lies in it."""
    tickers = pd.Index(p.benchmark_funds)
    close = panel.wide(returns, "index_close", sessions, tickers)
    begin = close[first - 1]
    if first == 1:  # benchmarks are bought in row 1
        begin = close[1] if p.fill == "close" else panel.wide(returns, "index_open", sessions, tickers)[1]
    return {str(ticker): float(value) for ticker, value in zip(tickers, close[-1] / begin, strict=True)}


def _track(key: tuple[str, str], rows: pd.DataFrame, first: int, p: BacktestParameters) -> Track:
    inside, before = rows.iloc[first:], float(rows["nav"].iloc[first - 1])
    daily, turnover = (np.ascontiguousarray(inside[name].to_numpy(dtype=np.float64)) for name in ("daily_return", "turnover"))
    flow, nav = (inside[name].to_numpy(dtype=np.float64) for name in ("flow", "nav"))
    return Track(*key, daily, turnover, _money_weighted(before, flow, nav, p.fill))


def _money_weighted(before: float, flow: Floats, nav: Floats, fill: str) -> float:
    """What the value `before` a window and the money that came and went in it earned; unknown where none did.

    Money comes at the fill: at the open it has the whole session before it, at the close nothing of it.
    """
    when = np.flatnonzero(flow != 0.0)
    if not len(when):
        return np.nan
    left = np.append(len(nav), len(nav) - when - (fill == "close")) / SESSIONS_PER_YEAR
    return money_weighted_return(np.append(before, flow[when]), left, float(nav[-1]))
