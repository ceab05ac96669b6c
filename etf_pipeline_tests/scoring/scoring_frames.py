"""Small tables for tests of scores."""

from __future__ import annotations

import numpy as np
import pandas as pd

KEY = ["ticker", "session"]
DAYS = pd.bdate_range("2022-01-03", periods=8)
REGIME = ["unknown", "bull", "bull", "sideways", "bear", "bear", "bull", "bull"]


def tables(n: int = 12, seed: int = 0) -> dict[str, pd.DataFrame]:
    """Arguments of `composite`, every part drawn at random."""
    rng = np.random.default_rng(seed)
    key = pd.MultiIndex.from_product([[f"F{k:02d}" for k in range(n)], DAYS], names=KEY).to_frame(index=False)
    rows = len(key)
    return {
        "forecasts": key.assign(expected_return=rng.normal(0.01, 0.02, rows), horizon=21),
        "features": key.assign(momentum_12_1=rng.normal(0.1, 0.3, rows)),
        "volatilities": key.assign(volatility=rng.uniform(0.05, 0.4, rows)),
        "liquidity": key.assign(daily_value=np.exp(rng.normal(17, 2, rows)), reference_cost=rng.uniform(1e-4, 2e-3, rows)),
        "regimes": pd.DataFrame({"session": DAYS, "regime": REGIME, "days_in_state": [1, 1, 2, 1, 1, 2, 1, 2]}),
        "membership": key.assign(member=rng.random(rows) > 0.2),
        "macro": key.assign(
            macro_multiplier=rng.uniform(0.5, 1.5, rows),
            geo_multiplier=np.where(rng.random(rows) < 0.2, np.nan, rng.uniform(0.5, 1.5, rows)),
            macro_as_of=key["session"] - pd.Timedelta(days=40),
            geo_as_of=(key["session"] - pd.Timedelta(days=35)).where(rng.random(rows) > 0.1),
            vintage=np.where(rng.random(rows) < 0.5, "latest", "first"),
        ),
        "probabilities": pd.DataFrame({"session": DAYS[1:], "stressed": [0.0, 0.1, 0.5, 0.9, 1.0, 0.3, np.nan]}),
    }


def everyone(n: int = 12, seed: int = 0) -> dict[str, pd.DataFrame]:
    """The same where every fund is a member throughout."""
    given = tables(n, seed)
    given["membership"]["member"] = True
    return given
