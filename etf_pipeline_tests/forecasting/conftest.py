"""A small panel whose truth is known: one feature predicts, the other does not; one fund dies, one lists late."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from etf_pipeline import calendars
from etf_pipeline.forecasting import ForecastParameters

N_FUNDS = 14
CLASSES = ["equity"] * 8 + ["bond"] * 4 + ["commodity"] * 2

QUICK = ForecastParameters(
    models=("random_forest", "lightgbm_rf", "ridge"),
    horizon=5,
    first_train=120,
    step=60,
    embargo=2,
    train_every=2,
    estimate_every=10,
    min_realised=50,
    trees=6,
    min_leaf=25,
    n_jobs=1,
)


def simulate(signal: float, seed: int = 3, n: int = 420) -> dict[str, pd.DataFrame]:
    """Arguments of `walk_forward_forecasts`; daily returns have mean `signal` times a persistent feature."""
    rng = np.random.default_rng(seed)
    days = calendars.sessions("XNYS", "2015-01-02", "2018-12-31")[:n]
    clue = rng.standard_normal((n, N_FUNDS))
    for t in range(1, n):
        clue[t] = 0.95 * clue[t - 1] + np.sqrt(1 - 0.95**2) * clue[t]
    shocks = 0.006 * rng.standard_normal((n, 1)) + 0.008 * rng.standard_normal((n, N_FUNDS))
    returns = shocks + signal * np.vstack([np.zeros((1, N_FUNDS)), clue[:-1]])
    close = np.cumprod(1 + returns, axis=0)
    open_ = np.vstack([np.ones((1, N_FUNDS)), close[:-1]]) * (1 + 0.2 * shocks)
    bar = np.ones((n, N_FUNDS), dtype=bool)
    bar[300:, 3] = False
    bar[:200, 5] = False
    rows, funds = np.nonzero(bar)
    key = pd.DataFrame({"session": days[rows], "ticker": np.array([f"F{k:02d}" for k in range(N_FUNDS)], dtype=object)[funds]})
    noise = rng.standard_normal((n, N_FUNDS))
    noise[rng.random((n, N_FUNDS)) < 0.1] = np.nan
    member = (rows >= 10) & (np.cumsum(bar, axis=0)[rows, funds] > 10)
    return {
        "features": key.assign(clue=clue[rows, funds], noise=noise[rows, funds]),
        "returns": key.assign(index_open=open_[rows, funds], index_close=close[rows, funds]),
        "membership": key.assign(member=member, reason=np.where(member, "member", "not_seasoned")),
        "reference": pd.DataFrame({"ticker": [f"F{k:02d}" for k in range(N_FUNDS)], "asset_class": CLASSES}),
    }


@pytest.fixture(scope="session")
def quick() -> ForecastParameters:
    return QUICK


@pytest.fixture(scope="session")
def predictable() -> dict[str, pd.DataFrame]:
    return simulate(0.0015)


@pytest.fixture(scope="session")
def unpredictable() -> dict[str, pd.DataFrame]:
    return simulate(0.0)
