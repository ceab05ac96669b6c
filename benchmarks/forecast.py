"""One pooled forest beside the action plan's way, one `RandomForestRegressor(100)` per fund on its own history.

Both see the same features, windows and purging, on simulated funds whose true rank correlation is known. Ours counts its inner
folds, which measure bias; the peer, which has none, only fits and forecasts. Accuracy is the rank correlation that ours lacks
against the peer's, over identical forecasts: the gate is equal or better. Run as ``python -m benchmarks forecast``.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline.forecasting import ForecastParameters
from etf_pipeline.forecasting.design import CLASS_COLUMNS, Design, cross_sectional_rank
from etf_pipeline.forecasting.windows import fit_window
from etf_pipeline.validation import Window, rank_correlations, walk_forward

FUNDS, SESSIONS, FEATURES, SHARED, HORIZON = 60, 2400, 18, 3, 21
PEER_FUNDS, PEER_WINDOWS = 15, 2
OURS = ForecastParameters()


def simulated(own: float, seed: int) -> tuple[Design, np.ndarray]:
    """A panel, and the conditional mean that nobody can beat.

    Parameters
    ----------
    own : float
        Share of the conditional mean's variance that is a fund's own reaction, which only its own history teaches. [fraction]

    Notes
    -----
    Three of the features move the mean: two linearly, one by its square. Labels sum 21 shocks, so that neighbours overlap.
    """
    rng = np.random.default_rng(seed)
    shape = (SESSIONS, FUNDS)
    clues = rng.standard_normal((FEATURES, *shape))
    for t in range(1, SESSIONS):
        clues[:, t] = 0.97 * clues[:, t - 1] + np.sqrt(1 - 0.97**2) * clues[:, t]
    ranks = np.stack([cross_sectional_rank(clue, np.ones(shape, dtype=bool)) for clue in clues], axis=2)
    shared = 0.7 * ranks[:, :, 0] - 0.5 * ranks[:, :, 1] + 1.5 * (ranks[:, :, 2] ** 2 - 1 / 12)
    private = (ranks[:, :, :SHARED] * rng.standard_normal((FUNDS, SHARED))).sum(axis=2)
    mean = 0.012 * (np.sqrt(1 - own) * shared / shared.std() + np.sqrt(own) * private / private.std())
    shocks = rng.standard_normal((SESSIONS + HORIZON, FUNDS)) + rng.standard_normal((SESSIONS + HORIZON, 1))
    walk = np.cumsum(shocks, axis=0)
    label = mean + 0.05 * (walk[HORIZON:] - walk[:-HORIZON]) / np.sqrt(2 * HORIZON)
    features = np.concatenate([ranks, np.zeros((*shape, 1 + len(CLASS_COLUMNS)))], axis=2).astype(np.float32)
    features[:, :, -len(CLASS_COLUMNS)] = 1.0
    days = pd.bdate_range("2010-01-04", periods=SESSIONS)
    tickers = np.array([f"F{k:02d}" for k in range(FUNDS)], dtype=object)
    classes = np.full(FUNDS, CLASS_COLUMNS[0], dtype=object)
    return Design(days, tickers, classes, np.ones(shape, dtype=bool), features, label, np.zeros(shape)), mean


def run(seed: int = 11) -> list[dict[str, Any]]:
    """Rows: funds that react alike, and funds of which half the predictability is their own."""
    return [compare("Forest, funds alike", 0.0, seed), compare("Forest, half of it each fund's own", 0.5, seed)]


def compare(name: str, own: float, seed: int) -> dict[str, Any]:
    """Cost of one window for all funds, and rank correlation on the cells that both forecast."""
    design, mean = simulated(own, seed)
    windows = walk_forward(design.sessions, OURS.windows)[-PEER_WINDOWS - 1 : -1]
    funds = np.arange(0, FUNDS, FUNDS // PEER_FUNDS)
    fit_window(OURS.models[0], windows[0], design, OURS, funds=funds)  # imported
    forecast, begin = np.full(mean.shape, np.nan), time.process_time()
    for window in windows:
        fit = fit_window(OURS.models[0], window, design, OURS)
        forecast[fit.test] = fit.forecast
    ours_s = (time.process_time() - begin) / len(windows)
    begin = time.process_time()
    peers = peer(design, windows, funds)
    peer_s = (time.process_time() - begin) / len(windows) * FUNDS / len(funds)
    judged = ~np.isnan(peers)
    ours_ic, peer_ic, best = (skill(np.where(judged, f, np.nan), design.label) for f in (forecast, peers, mean))
    return {
        "name": name,
        "ours_s": ours_s,
        "peer_s": peer_s,
        "ratio": peer_s / ours_s,
        "accuracy": max(peer_ic - ours_ic, 0.0),
        "gate": 0.0,
        "n": f"{FUNDS} funds, {FEATURES} features, {len(windows)} windows",
        "note": f"CPU seconds per window; peer timed on {len(funds)} funds. Rank correlation: ours {ours_ic:.3f}, peer "
        f"{peer_ic:.3f}, the true mean {best:.3f}; ours includes inner folds and learns from every {OURS.train_every}th session",
    }


def peer(design: Design, windows: list[Window], funds: np.ndarray) -> np.ndarray:
    """Forecasts of one scikit-learn forest per fund and window, on every session of the fund's purged past."""
    from sklearn.ensemble import RandomForestRegressor

    out = np.full(design.label.shape, np.nan)
    columns = slice(0, FEATURES)  # the fund's class is constant
    for window in windows:
        train, test = slice(window.train_start, window.train_stop), slice(window.test_start, window.test_stop)
        for fund in funds:
            model = RandomForestRegressor(100, random_state=7, n_jobs=1)
            model.fit(design.features[train, fund, columns], design.label[train, fund])
            out[test, fund] = model.predict(design.features[test, fund, columns])
    return out


def skill(forecast: np.ndarray, label: np.ndarray) -> float:
    """Mean rank correlation across funds."""
    return float(np.nanmean(rank_correlations(forecast, label)))
