"""The feature panel beside pandas' rolling windows on the same numbers.

Run as ``python -m benchmarks.features``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline.features import FEATURES, FeatureInputs

NAMES = ("momentum_126", "volatility_21", "volatility_ratio", "downside_63", "skewness_126", "drawdown_252", "rsi_14")
NAMES = (*NAMES, "distance_200", "volume_trend", "correlation_126")
"""Features that pandas has a rolling window for."""


def market(n_sessions: int, n_assets: int, seed: int) -> FeatureInputs:
    """Independent heavy-tailed returns, all funds listed throughout: pandas' windows and ours then mean the same."""
    rng = np.random.default_rng(seed)
    returns = 0.01 * rng.standard_t(5, (n_sessions, n_assets))
    index = np.cumprod(1 + returns, axis=0)
    days = pd.bdate_range("2005-01-03", periods=n_sessions)
    return FeatureInputs(
        total_return=returns,
        index=index,
        close=index,
        traded_value=np.exp(rng.normal(15, 1, returns.shape)),
        dividend=np.zeros(returns.shape),
        split_ratio=np.ones(returns.shape),
        market=np.repeat(returns.mean(axis=1)[:, None], n_assets, axis=1),
        months=np.asarray(days.year * 12 + days.month - 1, dtype=np.int64),
    )


def in_pandas(x: FeatureInputs) -> dict[str, np.ndarray]:
    """The same features by ``DataFrame.rolling``."""
    r, index, value = pd.DataFrame(x.total_return), pd.DataFrame(x.index), pd.DataFrame(x.traded_value)
    year = np.sqrt(252)
    up, down = r.clip(lower=0).rolling(14).mean(), (-r.clip(upper=0)).rolling(14).mean()
    frames = {
        "momentum_126": index / index.shift(126) - 1,
        "volatility_21": r.rolling(21).std() * year,
        "volatility_ratio": r.rolling(21).std() / r.rolling(126).std(),
        "downside_63": (r.clip(upper=0) ** 2).rolling(63).mean() ** 0.5 * year,
        "skewness_126": r.rolling(126).skew(),
        "drawdown_252": 1 - index / index.rolling(252).max(),
        "rsi_14": 100 * up / (up + down),
        "distance_200": index / index.rolling(200).mean() - 1,
        "volume_trend": value.rolling(21).mean() / value.rolling(63).mean() - 1,
        "correlation_126": r.rolling(126).corr(pd.DataFrame(x.market)),
    }
    return {name: frame.to_numpy() for name, frame in frames.items()}


def in_pandas_by_fund(x: FeatureInputs) -> dict[str, np.ndarray]:
    """The same features on the long table, one ``groupby`` per window: how they are mostly written."""
    n, assets = x.total_return.shape
    long = pd.DataFrame({"fund": np.repeat(np.arange(assets), n)})
    for name in ("total_return", "index", "traded_value", "market"):
        long[name] = getattr(x, name).T.ravel()
    funds = [group.reset_index(drop=True) for _, group in long.groupby("fund")]
    parts = [in_pandas(_one_fund(fund)) for fund in funds]
    return {name: np.column_stack([part[name] for part in parts]) for name in NAMES}


def _one_fund(fund: pd.DataFrame) -> FeatureInputs:
    columns = {name: fund[name].to_numpy()[:, None] for name in ("total_return", "index", "traded_value", "market")}
    unused = np.ones((len(fund), 1))
    return FeatureInputs(close=unused, dividend=unused, split_ratio=unused, months=np.zeros(len(fund), np.int64), **columns)


def run(n_sessions: int = 4900, n_assets: int = 132, seed: int = 1) -> list[dict[str, Any]]:
    """Two rows: pandas on the wide table and fund by fund; seconds, ratio, and the largest difference."""
    x = market(n_sessions, n_assets, seed)
    ours = {name: FEATURES[name].function for name in NAMES}
    for function in ours.values():
        function(x)  # compiled, or read from numba's cache
    ours_s, mine = _timed(lambda: {name: function(x) for name, function in ours.items()})
    rows = []
    for peer, compute in (("on the wide table", in_pandas), ("fund by fund", in_pandas_by_fund)):
        peer_s, theirs = _timed(lambda compute=compute: compute(x))
        rows.append(
            {
                "name": f"feature panel against pandas rolling {peer}",
                "ours_s": ours_s,
                "peer_s": peer_s,
                "ratio": peer_s / ours_s,
                "accuracy": max(_difference(mine[name], theirs[name]) for name in NAMES),
                "gate": 1e-8,
                "n": f"{n_sessions} x {n_assets} x {len(NAMES)}",
                "note": "best of three, one thread each; accuracy is the largest difference relative to max(1, |value|)",
            }
        )
    return rows


def _timed(call: Callable[[], dict[str, np.ndarray]]) -> tuple[float, dict[str, np.ndarray]]:
    best, out = np.inf, {}
    for _ in range(3):
        start = time.perf_counter()
        out = call()
        best = min(best, time.perf_counter() - start)
    return best, out


def _difference(a: np.ndarray, b: np.ndarray) -> float:
    if not np.array_equal(np.isnan(a), np.isnan(b)):
        return np.inf
    return float(np.nanmax(np.abs(a - b) / np.maximum(1, np.abs(b))))


if __name__ == "__main__":
    for row in run():
        print(row)
