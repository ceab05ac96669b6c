"""The figures of one forecaster, over all its windows and by the regime that was known when each forecast was made.

Every interval counts the overlap of labels and that funds of a session move together. Under 30 effective observations a figure
is `insufficient`: its value is shown, its interval is not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.forecasting.design import Design
from etf_pipeline.panel import Floats, wide
from etf_pipeline.validation import (
    clustered_mean,
    hits,
    mean_by_regime,
    on_total_return,
    quantile_long_short,
    rank_correlations,
    ratio_test,
    sharpe_by_regime,
    sign_timed,
    time_to_profit,
    time_to_profit_by_regime,
    trade_drawdowns,
)
from etf_pipeline.validation.prediction_returns import MINIMUM_EFFECTIVE

ALL = "all"
States = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Prices:
    """What a trade meets on its way, on the design's axes and one total-return scale.

    Attributes
    ----------
    fill, close, low, high : ndarray of shape (n_sessions, n_assets)
    """

    fill: Floats
    close: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, returns: pd.DataFrame, bars: pd.DataFrame, design: Design) -> Prices:
        """From `fct_returns` and `fct_prices`."""
        axes = (design.sessions, pd.Index(design.tickers))
        fill, index = (wide(returns, name, *axes) for name in ("index_open", "index_close"))
        low, high, close = (wide(bars, name, *axes) for name in ("low", "high", "close"))
        return cls(fill, index, on_total_return(low, close, index), on_total_return(high, close, index))


@dataclass(frozen=True)
class Judged:
    """A forecaster's record, as every metric reads it.

    Attributes
    ----------
    forecast, label : ndarray of shape (n_sessions, n_assets)
        [fraction per horizon]
    prices : Prices
    horizon : int
        [sessions]
    quantile : float
        Share of funds on each side of the long-short spread.
    """

    forecast: Floats
    label: Floats
    prices: Prices
    horizon: int
    quantile: float

    @property
    def side(self) -> Floats:
        """1 long, -1 short, 0 without a forecast."""
        return np.where(np.isnan(self.forecast), 0.0, np.sign(self.forecast))


def states_of(regimes: pd.DataFrame, sessions: pd.DatetimeIndex) -> States:
    """State of each session, as known at its close; sessions without one are `unknown`."""
    known = regimes.set_index("session")["regime"].reindex(sessions)
    return known.fillna("unknown").to_numpy(dtype=object)


def metric_rows(judged: Judged, states: States) -> pd.DataFrame:
    """Every metric, in all and by regime.

    Returns
    -------
    DataFrame
        Columns regime, metric, value, ci_low, ci_high, n, n_effective, status.
    """
    begun = np.flatnonzero((~np.isnan(judged.forecast)).any(axis=1))
    first = int(begun[0]) if len(begun) else len(judged.forecast)
    cut = _since(judged, first)
    everything = np.full(len(cut.label), ALL, dtype=object)
    frames = []
    for name, metric in METRICS.items():
        for regime in (everything, states[first:]):
            frames.append(metric(cut, regime).rename_axis("regime").reset_index().assign(metric=name))
    columns = ["regime", "metric", "value", "ci_low", "ci_high", "n", "n_effective", "status"]
    return pd.concat([frame.reindex(columns=columns) for frame in frames if len(frame)], ignore_index=True)


def _since(judged: Judged, first: int) -> Judged:
    p = judged.prices
    prices = Prices(p.fill[first:], p.close[first:], p.low[first:], p.high[first:])
    return Judged(judged.forecast[first:], judged.label[first:], prices, judged.horizon, judged.quantile)


def _hit_rate(j: Judged, states: States) -> pd.DataFrame:
    return _named(mean_by_regime(hits(j.forecast, j.label), states, j.horizon), "mean")


def _mean_ic(j: Judged, states: States) -> pd.DataFrame:
    return _named(mean_by_regime(rank_correlations(j.forecast, j.label), states, j.horizon), "mean")


def _icir(j: Judged, states: States) -> pd.DataFrame:
    ic = rank_correlations(j.forecast, j.label)

    def one(inside: npt.NDArray[np.bool_]) -> tuple[float, ...]:
        test = ratio_test(np.where(inside, ic, np.nan), j.horizon)
        return test.ratio, test.ci_low, test.ci_high, test.n, test.n_effective

    return _by_state(states, one)


def _long_short(j: Judged, states: States) -> pd.DataFrame:
    return _named(sharpe_by_regime(quantile_long_short(j.forecast, j.label, j.quantile), states, j.horizon), "sharpe")


def _timed(j: Judged, states: States) -> pd.DataFrame:
    return _named(sharpe_by_regime(sign_timed(j.forecast, j.label), states, j.horizon), "sharpe")


def _mse_ratio(j: Judged, states: States) -> pd.DataFrame:
    known = ~(np.isnan(j.forecast) | np.isnan(j.label))
    lost = np.where(known, (j.forecast - j.label) ** 2, 0.0).sum(axis=1)
    zero = np.where(known, j.label**2, 0.0).sum(axis=1)

    def one(inside: npt.NDArray[np.bool_]) -> tuple[float, ...]:
        if not (zero * inside).any():
            return math.nan, math.nan, math.nan, 0, 0.0
        test = clustered_mean(lost * inside, zero * inside, j.horizon)  # the ratio of the sums, with its error
        return test.mean, test.ci_low, test.ci_high, int(known[inside].sum()), test.n_effective

    return _by_state(states, one)


def _drawdown(j: Judged, states: States) -> pd.DataFrame:
    p = j.prices
    falls = trade_drawdowns(p.fill, p.close, j.horizon, low=p.low, high=p.high, side=j.side)
    return _named(mean_by_regime(falls, states, j.horizon), "mean")


def _wait(j: Judged, states: States) -> pd.DataFrame:
    return _named(_times(j, states), "median")


def _profitable(j: Judged, states: States) -> pd.DataFrame:
    return _named(_times(j, states), "profitable")


def _times(j: Judged, states: States) -> pd.DataFrame:
    waits = time_to_profit(j.prices.fill, j.prices.close, j.horizon, side=j.side)
    return time_to_profit_by_regime(waits, states, j.horizon)


METRICS: dict[str, Callable[[Judged, States], pd.DataFrame]] = {
    "hit_rate": _hit_rate,
    "mean_ic": _mean_ic,
    "icir": _icir,
    "sharpe_long_short": _long_short,
    "sharpe_sign_timed": _timed,
    "mse_ratio_to_zero": _mse_ratio,
    "trade_drawdown": _drawdown,
    "sessions_to_profit": _wait,
    "profitable_share": _profitable,
}
"""Share of right signs; mean rank correlation and its ratio to its deviation per session; annual Sharpe ratios before costs of
the quantile spread and of each fund held in its forecast's direction; squared error over that of zero; mean fall of a trade on
its way; median sessions until a close shows a profit (Kaplan-Meier), and the share that sees one within the horizon."""


def _named(table: pd.DataFrame, figure: str) -> pd.DataFrame:
    return table.rename(columns={figure: "value"})


def _by_state(states: States, one: Callable[[npt.NDArray[np.bool_]], tuple[float, ...]]) -> pd.DataFrame:
    names = sorted(set(states.tolist()))
    rows: dict[str, Any] = {str(name): one(np.asarray(states == name)) for name in names}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["value", "ci_low", "ci_high", "n", "n_effective"])
    enough = table["n_effective"] >= MINIMUM_EFFECTIVE
    table[["ci_low", "ci_high"]] = table[["ci_low", "ci_high"]].where(enough)
    return table.assign(status=np.where(enough, "ok", "insufficient"), n=table["n"].astype("int64"))
