"""Simulated returns with known GARCH truth, and frames in the shape of the marts."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline import calendars

SESSIONS = calendars.sessions("XNYS", "2015-01-02", "2019-12-31")


def garch_returns(
    n: int,
    *,
    mu: float = 0.04,
    omega: float = 0.02,
    alpha: float = 0.08,
    beta: float = 0.9,
    nu: float = 6.0,
    gamma: float = 0.0,
    seed: int = 0,
) -> np.ndarray:
    """Returns in percent of a GARCH(1,1) or GJR with unit-variance t shocks, after a burn-in of 500 sessions."""
    rng = np.random.default_rng(seed)
    shocks = rng.standard_t(nu, n + 500) * np.sqrt((nu - 2) / nu)
    h, out = omega / (1 - alpha - beta - gamma / 2), np.empty(n + 500)
    for t, z in enumerate(shocks):
        e = np.sqrt(h) * z
        out[t] = mu + e
        h = omega + (alpha + gamma * (e < 0)) * e**2 + beta * h
    return out[500:]


def arch_fit(returns: np.ndarray, errors: str = "t", asymmetric: bool = False) -> Any:
    """The peer's fit of the same model."""
    from arch import arch_model

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its optimiser's own complaints
        model = arch_model(returns, mean="Constant", vol="GARCH", p=1, o=int(asymmetric), q=1, dist=errors, rescale=False)
        return model.fit(disp="off", show_warning=False)


def returns_frame(columns: dict[str, np.ndarray], sessions: pd.DatetimeIndex = SESSIONS) -> pd.DataFrame:
    """`fct_returns`-like rows; each fund's returns [fraction] end at the last session, its first bar has none."""
    frames = [
        pd.DataFrame(
            {
                "session": sessions[len(sessions) - len(values) :],
                "ticker": ticker,
                "total_return": np.concatenate([[np.nan], values[1:]]),
            }
        )
        for ticker, values in columns.items()
    ]
    return pd.concat(frames, ignore_index=True).sort_values(["session", "ticker"], ignore_index=True)


def three_funds() -> pd.DataFrame:
    """Five years of AAA, three of BBB, fourteen months of CCC."""
    n = len(SESSIONS)
    return returns_frame(
        {
            "AAA": garch_returns(n, seed=1) / 100,
            "BBB": garch_returns(756, omega=0.1, alpha=0.15, beta=0.75, seed=2) / 100,
            "CCC": garch_returns(300, seed=3) / 100,
        }
    )


def regimes_frame(sessions: pd.DatetimeIndex = SESSIONS) -> pd.DataFrame:
    """`regimes`-like rows: unknown at first, then spells of 40 sessions each."""
    names = np.array(["bull", "sideways", "bear", "bull", "bear"])
    regime = names[np.arange(len(sessions)) // 40 % len(names)].astype(object)
    regime[:20] = "unknown"
    return pd.DataFrame({"session": sessions, "regime": regime})


def no_weights() -> pd.DataFrame:
    """`volatility_weights` before the first month's end."""
    return pd.DataFrame({"session": pd.DatetimeIndex([]), "estimator": [], "weight": []})
