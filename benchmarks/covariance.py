"""Covariance kernels beside scikit-learn, pandas and the machine's own matrix product, on one thread.

Run as ``python -m benchmarks covariance``. Accuracy first: the largest difference from the peer over its largest entry. The bound
of a covariance is one general product of the same shapes (BLAS ``gemm``): the symmetric product does half of that work, so that
there is room for centring and scaling.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn import covariance as peer
from threadpoolctl import threadpool_limits

from etf_pipeline.risk.covariance import ledoit_wolf, oas, pairwise_covariance, sample_covariance

GATE = 1e-12
PAIRWISE_GATE = 1e-9
"""The peer's running sums keep fewer digits."""

BOUND = 1.2
"""Most time of a complete covariance over that of one general product."""


def returns_of(n_sessions: int, n_assets: int, seed: int) -> np.ndarray:
    """Returns of one common factor and own noise."""
    rng = np.random.default_rng(seed)
    own = rng.standard_normal((n_sessions, n_assets)) * rng.uniform(0.2, 2, n_assets)
    return 0.01 * (own + rng.standard_normal((n_sessions, 1)))


def run(n_assets: int = 3000, n_sessions: int = 1260, n_pairwise: int = 600, seed: int = 1) -> list[dict[str, Any]]:
    """Rows: sample covariance against the product bound and scikit-learn, shrunk ones, and pairwise with missing history."""
    complete, short = returns_of(n_sessions, n_assets, seed), returns_of(n_sessions, n_pairwise, seed + 1)
    late = np.arange(n_sessions)[:, None] < np.random.default_rng(seed).integers(0, n_sessions // 2, n_pairwise)
    short[late] = np.nan
    size = f"{n_assets} funds, {n_sessions} sessions"
    with threadpool_limits(1):
        rows = [bound(complete, size)]
        for name, ours, theirs in (
            ("Sample covariance", sample_covariance, peer.empirical_covariance),
            ("Ledoit-Wolf", lambda x: ledoit_wolf(x)[0], lambda x: peer.ledoit_wolf(x)[0]),
            ("OAS", lambda x: oas(x)[0], lambda x: peer.oas(x)[0]),
        ):
            rows.append(compare(name, ours, theirs, complete, GATE, size, "peer is scikit-learn"))
        rows.append(
            compare(
                "Pairwise covariance, missing history",
                lambda x: pairwise_covariance(x)[0],
                pandas_pairwise,
                short,
                PAIRWISE_GATE,
                f"{n_pairwise} funds, {n_sessions} sessions",
                "peer is pandas",
            )
        )
    return rows


def bound(x: np.ndarray, size: str) -> dict[str, Any]:
    """A covariance's time over that of one general product of the same shapes; the gate is the design's bound."""
    other = x.copy()
    ours, made = timed(sample_covariance, x)
    product, _ = timed(lambda y: other.T @ y, x)
    assert np.isfinite(made).all()
    return {
        "name": "Sample covariance, against a general product",
        "ours_s": ours,
        "peer_s": product,
        "ratio": product / ours,
        "accuracy": ours / product,
        "gate": BOUND,
        "n": size,
        "note": "wall seconds, one thread, best of three; accuracy is our time over that of BLAS gemm on the same shapes",
    }


def compare(
    name: str,
    ours: Callable[[np.ndarray], np.ndarray],
    theirs: Callable[[np.ndarray], np.ndarray],
    x: np.ndarray,
    gate: float,
    size: str,
    note: str,
) -> dict[str, Any]:
    """Time both on the same returns."""
    ours_s, one = timed(ours, x)
    peer_s, other = timed(theirs, x)
    return {
        "name": name,
        "ours_s": ours_s,
        "peer_s": peer_s,
        "ratio": peer_s / ours_s,
        "accuracy": float(np.abs(one - other).max() / np.abs(other).max()),
        "gate": gate,
        "n": size,
        "note": f"wall seconds, one thread, best of three; {note}",
    }


def pandas_pairwise(x: np.ndarray) -> np.ndarray:
    """The peer's pairwise covariance, brought to ddof 0."""
    known = np.isfinite(x).astype(np.float64)
    common = known.T @ known
    return pd.DataFrame(x).cov().to_numpy() * (common - 1) / common


def timed(function: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> tuple[float, np.ndarray]:
    """Best of three runs, and the answer."""
    best, made = np.inf, x
    for _ in range(3):
        begin = time.perf_counter()
        made = function(x)
        best = min(best, time.perf_counter() - begin)
    return best, made
