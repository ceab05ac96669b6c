"""Rolling six-factor exposures of many funds beside a loop of statsmodels fits with HAC errors.

Run as ``python -m benchmarks exposures``. Accuracy first: the largest relative difference of any loading or standard error,
scaled by its standard error, on every fit that the peer was given.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from etf_pipeline.risk.exposures import FACTORS
from etf_pipeline.risk.exposures.kernels import fit_windows

GATE = 1e-10
WINDOW, LAGS = 252, 4


def run(n_funds: int = 500, n_sessions: int = 2520, n_peer: int = 600, seed: int = 1) -> list[dict[str, Any]]:
    """One row: month-end fits of all funds, and the peer's on some of them, its time extrapolated to all."""
    factors, returns = market(n_funds, n_sessions, seed)
    ends = np.arange(WINDOW - 1, n_sessions, 21)
    pairs = np.array([(fund, moment) for moment in range(len(ends)) for fund in range(n_funds)])
    fit(factors, returns, ends, pairs[:1])  # compiled, or read from numba's cache
    begin = time.process_time()
    _, coefficients, covariances, _ = fit(factors, returns, ends, pairs)
    ours_s = time.process_time() - begin
    chosen = np.random.default_rng(seed).choice(len(pairs), n_peer, replace=False)
    peer_fit(factors, returns, ends, pairs[chosen[0]])  # imported
    begin = time.process_time()
    peers = [peer_fit(factors, returns, ends, pairs[i]) for i in chosen]
    peer_s = (time.process_time() - begin) * len(pairs) / n_peer
    beta, error = np.array([p[0] for p in peers]), np.array([p[1] for p in peers])
    own = np.sqrt(np.diagonal(covariances[chosen], axis1=1, axis2=2))
    accuracy = max(np.abs((coefficients[chosen] - beta) / error).max(), np.abs(own / error - 1).max())
    return [
        {
            "name": "Six-factor exposures with HAC errors",
            "ours_s": ours_s,
            "peer_s": peer_s,
            "ratio": peer_s / ours_s,
            "accuracy": float(accuracy),
            "gate": GATE,
            "n": f"{len(pairs)} fits: {n_funds} funds, {len(ends)} month-ends, {WINDOW} sessions",
            "note": f"CPU seconds, one thread; the peer's time extrapolated from {n_peer} fits; differences in standard errors",
        }
    ]


def market(n_funds: int, n_sessions: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Factor returns with the risk-free rate last, and returns of funds that ride on them."""
    rng = np.random.default_rng(seed)
    k = len(FACTORS)
    factors = np.column_stack([0.005 * rng.standard_t(5, (n_sessions, k)), np.full(n_sessions, 1e-4)])
    noise = 0.004 * rng.standard_t(5, (n_sessions, n_funds))
    return factors, factors[:, :k] @ rng.normal(0.0, 0.4, (k, n_funds)) + 1e-4 + noise


def fit(factors: np.ndarray, returns: np.ndarray, ends: np.ndarray, pairs: np.ndarray) -> tuple[np.ndarray, ...]:
    """Ours: the funds' rows one after the other."""
    n, funds = returns.shape
    places = np.tile(np.arange(n), funds)
    edges = np.arange(funds + 1) * n
    now, known = np.zeros(len(ends), np.int64), np.zeros(n, np.int64)
    rows = np.ascontiguousarray(returns.T).ravel()
    return fit_windows(rows, places, edges, ends, pairs, factors, known, now, WINDOW, WINDOW - 1, LAGS)


def peer_fit(factors: np.ndarray, returns: np.ndarray, ends: np.ndarray, pair: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The peer's coefficients and standard errors."""
    import statsmodels.api as sm

    fund, moment = pair
    stop = ends[moment] + 1
    start = max(stop - WINDOW, 1)  # a fund's first row has no close before it
    x = np.column_stack([np.ones(stop - start), factors[start:stop, :-1]])
    y = returns[start:stop, fund] - factors[start:stop, -1]
    result = sm.OLS(y, x).fit(cov_type="HAC", cov_kwds={"maxlags": LAGS, "use_correction": True})
    return result.params, result.bse
