"""The feature panel beside pandas' rolling windows on the same numbers: 500 funds over 15 years.

Run as ``python -m benchmarks.features``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline.features import FEATURES, Bars, evaluate

WITHOUT_PANDAS = ("underwater_252", "seasonality")
"""Features that pandas has no window for: its ``rolling.apply`` in Python would only flatter us."""

YEAR = np.sqrt(252)
PRICES = ("total_return", "open_return", "index", "high", "low", "close", "traded_value", "dividend", "market")


def market(n_sessions: int, n_assets: int, seed: int) -> Bars:
    """Independent heavy-tailed returns, all funds listed throughout: pandas' windows and ours then mean the same."""
    rng = np.random.default_rng(seed)
    returns = 0.01 * rng.standard_t(5, (n_assets, n_sessions))
    index = np.cumprod(1 + returns, axis=1)
    days = pd.bdate_range("2005-01-03", periods=n_sessions)
    month = np.asarray(days.year * 12 + days.month - 1, dtype=np.int64)
    wide = {
        "total_return": returns,
        "open_return": 0.3 * returns + 0.004 * rng.standard_normal(returns.shape),
        "index": index,
        "high": index * np.exp(np.abs(rng.normal(0, 0.01, returns.shape))),
        "low": index / np.exp(np.abs(rng.normal(0, 0.01, returns.shape))),
        "close": index,
        "traded_value": np.exp(rng.normal(15, 1, returns.shape)),
        "dividend": np.tile(np.where(np.arange(n_sessions) % 63 == 10, 0.01, 0.0), (n_assets, 1)),
        "market": np.tile(returns.mean(axis=0), (n_assets, 1)),
    }
    flat = {name: np.ascontiguousarray(values.ravel()) for name, values in wide.items()}
    starts = np.arange(0, n_assets * n_sessions + 1, n_sessions)
    return Bars(starts=starts, split_ratio=np.ones(returns.size), months=np.tile(month, n_assets), **flat)


class Wide:
    """One frame per column, sessions by funds: ``DataFrame.rolling``."""

    name = "on the wide table"

    def __init__(self, x: Bars) -> None:
        shape = (len(x.starts) - 1, -1)
        self.frames = {name: pd.DataFrame(np.ascontiguousarray(getattr(x, name).reshape(shape).T)) for name in PRICES}
        self.time = pd.DataFrame(np.tile(np.arange(len(self.frames["index"]), dtype=float)[:, None], shape[0]))

    def roll(self, values: pd.DataFrame, window: int, statistic: str) -> pd.DataFrame:
        """A rolling statistic."""
        return getattr(values.rolling(window), statistic)()

    def lag(self, values: pd.DataFrame, sessions: int) -> pd.DataFrame:
        """Values of earlier sessions."""
        return values.shift(sessions)

    def flat(self, values: pd.DataFrame) -> np.ndarray:
        """In our order: fund by fund."""
        return values.to_numpy().T.ravel()


class Long:
    """One long table: ``groupby(ticker).rolling``, as features are mostly written."""

    name = "by groupby on the long table"

    def __init__(self, x: Bars) -> None:
        lengths = np.diff(x.starts)
        self.fund = np.repeat([f"F{k:03d}" for k in range(len(lengths))], lengths)
        self.frames = {name: pd.Series(getattr(x, name)) for name in PRICES}
        self.time = pd.Series(np.concatenate([np.arange(n, dtype=float) for n in lengths]))

    def roll(self, values: pd.Series, window: int, statistic: str) -> pd.Series:
        """A rolling statistic within each fund."""
        return getattr(values.groupby(self.fund).rolling(window), statistic)().reset_index(level=0, drop=True)

    def lag(self, values: pd.Series, sessions: int) -> pd.Series:
        """Values of earlier sessions of the fund."""
        return values.groupby(self.fund).shift(sessions)

    def flat(self, values: pd.Series) -> np.ndarray:
        """In our order: fund by fund."""
        return values.to_numpy()


def in_pandas(table: Wide | Long) -> dict[str, Any]:
    """The same features; a statistic that two of them need is computed once."""
    f, roll, lag = table.frames, table.roll, table.lag
    r, index, value, m = f["total_return"], f["index"], f["traded_value"], f["market"]
    half, month = roll(r, 126, "std"), roll(r, 21, "std")
    long_mean, band = roll(index, 200, "mean"), roll(index, 20, "std")
    year_ago, quarter_value = lag(index, 252), roll(value, 63, "mean")
    correlation = _correlation(table, r, m, 126)
    line = _correlation(table, np.log(index), table.time, 126)
    moves, yields = r.abs(), roll(f["dividend"], 252, "sum")
    days = (1 + r) / (1 + f["open_return"]) - 1
    return {
        "momentum_12_1": lag(index, 21) / year_ago - 1,
        "momentum_12_7": lag(index, 126) / year_ago - 1,
        "momentum_126": index / lag(index, 126) - 1,
        "momentum_63": index / lag(index, 63) - 1,
        "momentum_21": index / lag(index, 21) - 1,
        "reversal_5": 1 - index / lag(index, 5),
        "reversal_1": 1 - index / lag(index, 1),
        "volatility_21": month * YEAR,
        "volatility_63": roll(r, 63, "std") * YEAR,
        "volatility_ratio": month / half,
        "downside_63": roll(r.clip(upper=0) ** 2, 63, "mean") ** 0.5 * YEAR,
        "skewness_126": roll(r, 126, "skew"),
        "kurtosis_126": roll(r, 126, "kurt"),
        "max_return_21": roll(r, 21, "max"),
        "sharpe_252": roll(r, 252, "mean") / roll(r, 252, "std") * YEAR,
        "variance_ratio_126": roll(roll(r, 5, "sum"), 126, "var") / (5 * half**2),
        "autocorrelation_126": _correlation(table, r, lag(r, 1), 126),
        "rsi_14": 100 * roll(r.clip(lower=0), 14, "sum") / roll(moves, 14, "sum"),
        "distance_200": index / long_mean - 1,
        "crossover_50_200": roll(index, 50, "mean") / long_mean - 1,
        "bollinger_20": (index - roll(index, 20, "mean")) / band,
        "trend_r2_126": line * line.abs(),
        "drawdown_252": 1 - index / roll(index, 252, "max"),
        "correlation_126": correlation,
        "idiosyncratic_volatility_126": half * (1 - correlation**2) ** 0.5 * YEAR,
        "residual_momentum": _residual_momentum(table, r, m),
        "volume_trend": roll(value, 21, "mean") / quarter_value - 1,
        "volume_shock": value / quarter_value - 1,
        "amihud_21": np.log(roll(1e6 * moves / value, 21, "mean")),
        "idle_63": roll(((r == 0) | (value == 0)).astype(float), 63, "mean"),
        "range_volatility_21": (roll(np.log(f["high"] / f["low"]) ** 2, 21, "mean") / (4 * np.log(2))) ** 0.5 * YEAR,
        "overnight_63": roll(f["open_return"], 63, "sum"),
        "intraday_63": roll(days, 63, "sum"),
        "dividend_yield": yields / f["close"],
    }


def _correlation(table: Wide | Long, a: Any, b: Any, window: int) -> Any:
    mean = {name: table.roll(x, window, "mean") for name, x in (("a", a), ("b", b), ("ab", a * b))}
    spread = table.roll(a, window, "std") * table.roll(b, window, "std")
    return (mean["ab"] - mean["a"] * mean["b"]) * (window / (window - 1)) / spread


def _residual_momentum(table: Wide | Long, r: Any, m: Any) -> Any:
    n = 231
    own, beside, joint = (table.roll(x, n, "mean") for x in (r, m, r * m))
    covariance = (joint - own * beside) * (n / (n - 1))
    spread, variance = table.roll(m, n, "var"), table.roll(r, n, "var")
    beta = covariance / spread
    return table.lag(n * (own - beta * beside) / (n * (variance - beta * covariance)) ** 0.5, 21)


def run(n_sessions: int = 3780, n_assets: int = 500, seed: int = 1) -> list[dict[str, Any]]:
    """Two rows: pandas on the wide table and by groupby; seconds, ratio, and the largest difference."""
    x = market(n_sessions, n_assets, seed)
    evaluate(market(300, 2, seed))  # compiled, or read from numba's cache
    ours_s, mine = min((_timed(lambda: evaluate(x)) for _ in range(3)), key=lambda pair: pair[0])
    compared = [name for name in FEATURES if name not in WITHOUT_PANDAS]
    rows = []
    for peer in (Wide(x), Long(x)):
        peer_s, theirs = _timed(lambda peer=peer: in_pandas(peer))
        rows.append(
            {
                "name": f"feature panel against pandas rolling {peer.name}",
                "ours_s": ours_s,
                "peer_s": peer_s,
                "ratio": peer_s / ours_s,
                "accuracy": max(_difference(mine[name], peer.flat(theirs[name])) for name in compared),
                "gate": 1e-6,
                "n": f"{n_sessions} x {n_assets} x {len(compared)}",
                "note": f"processor seconds of one thread, ours best of three and for all {len(FEATURES)} features; "
                "accuracy is the largest difference relative to max(1, |value|)",
            }
        )
    return rows


def _timed(call: Callable[[], dict[str, Any]]) -> tuple[float, dict[str, Any]]:
    start = time.process_time()
    out = call()
    return time.process_time() - start, out


def _difference(a: np.ndarray, b: np.ndarray) -> float:
    if not np.array_equal(np.isnan(a), np.isnan(b)):
        return np.inf
    return float(np.nanmax(np.abs(a - b) / np.maximum(1, np.abs(b))))


if __name__ == "__main__":
    for row in run():
        print(row)
