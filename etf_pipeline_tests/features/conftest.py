"""A small market with everything that goes wrong in a history: late starts, gaps, an end, a split, idle sessions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

N_FUNDS = 6


@pytest.fixture(scope="session")
def small_market() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """(fct_prices, fct_returns, universe_membership) of six funds over three years."""
    rng = np.random.default_rng(11)
    days = pd.bdate_range("2018-01-02", periods=780)
    common = 0.008 * rng.standard_t(4, len(days))
    frames = []
    for k in range(N_FUNDS):
        keep = np.ones(len(days), dtype=bool)
        keep[: 40 * k] = False
        if k == 2:
            keep[rng.choice(np.arange(300, 700), 30, replace=False)] = False
        if k == 3:
            keep[650:] = False
        returns = common * (0.5 + 0.2 * k) + 0.006 * rng.standard_normal(len(days))
        dividend = np.where(np.arange(len(days)) % 63 == 10, 0.3, 0.0)
        volume = np.exp(rng.normal(12, 0.6, len(days))) * (rng.random(len(days)) > 0.03)
        frame = pd.DataFrame({"session": days, "ticker": f"F{k}", "r": returns, "dividend": dividend, "volume": volume})[keep]
        frame["index_close"] = np.concatenate([[1.0], np.cumprod(1 + frame["r"].to_numpy()[1:])])
        frame["split_ratio"] = np.where(np.arange(len(frame)) == 350, 2.0, 1.0) if k == 1 else 1.0
        frame["close"] = 80 * frame["index_close"] ** 0.9 / frame["split_ratio"].cumprod()
        night = 0.3 * frame["r"] + 0.002 * rng.standard_normal(len(frame))
        frame["open_return"] = night
        frame["high"] = frame["close"] * np.exp(np.abs(rng.normal(0, 0.006, len(frame))))
        frame["low"] = frame["close"] / np.exp(np.abs(rng.normal(0, 0.006, len(frame))))
        frames.append(frame)
    long = pd.concat(frames, ignore_index=True)
    order = long.groupby("ticker").cumcount()
    prices = long[["session", "ticker", "high", "low", "close", "volume", "dividend", "split_ratio"]].assign(
        traded_value=long["close"] * long["volume"], exchange="XNYS", adjustment="raw"
    )
    returns = long[["session", "ticker", "index_close"]].assign(
        total_return=long["r"].where(order > 0), open_return=long["open_return"].where(order > 0)
    )
    membership = long[["session", "ticker"]].assign(member=(order >= 60) & (long["ticker"] != "F5"))
    return prices, returns, membership
