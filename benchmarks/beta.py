"""Rolling betas beside statsmodels' RollingOLS: 500 funds over 15 years; slopes, errors and R squared first, then the time.

Run as ``python -m benchmarks.beta``.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from etf_pipeline.panel import Floats
from etf_pipeline.risk.beta.rolling import COLUMNS, regress

N_SESSIONS, N_FUNDS, WINDOW = 3780, 500, 252
PEER_FUNDS = 25
"""Funds that the peer is timed on; its time is that per fund, times `N_FUNDS`."""
GATE = 1e-10
"""Largest difference, relative to the value for errors, to max(1, |value|) for slopes and R squared, which may be near zero."""


def run(seed: int = 1) -> list[dict[str, Any]]:
    """Two rows: errors of least squares, and White's."""
    rng = np.random.default_rng(seed)
    market = 0.01 * rng.standard_t(5, N_SESSIONS) + 3e-4
    funds = rng.uniform(-1.0, 2.0, (N_FUNDS, 1)) * market + 0.01 * rng.standard_t(5, (N_FUNDS, N_SESSIONS))
    regress(funds[:1, :300], market[:300], WINDOW, WINDOW)  # compiled, or read from numba's cache
    ours_s, ours = min((_timed(regress, funds, market, WINDOW, WINDOW) for _ in range(3)), key=lambda pair: pair[0])
    return [
        _compare("nonrobust", "beta_error", 1.0, funds, market, ours, ours_s),
        _compare("HC0", "beta_error_robust", np.sqrt(WINDOW / (WINDOW - 2)), funds, market, ours, ours_s),
    ]


def _compare(kind: str, error: str, factor: float, funds: Floats, market: Floats, ours: Floats, ours_s: float) -> dict[str, Any]:
    peer_s, fits = _timed(_peer, funds[:PEER_FUNDS], market, kind)
    known = slice(WINDOW - 1, None)
    accuracy = max(_difference(fit, ours[f], error, factor, known) for f, fit in enumerate(fits))
    peer_s *= N_FUNDS / PEER_FUNDS
    return {
        "name": f"rolling beta vs statsmodels RollingOLS, {kind}",
        "ours_s": ours_s,
        "peer_s": peer_s,
        "ratio": peer_s / ours_s,
        "accuracy": accuracy,
        "gate": GATE,
        "n": N_SESSIONS * N_FUNDS,
        "note": f"{N_FUNDS} funds, {N_SESSIONS} sessions, window {WINDOW}; processor seconds of one thread; ours gives both "
        f"errors at once, the peer is timed on {PEER_FUNDS} funds",
    }


def _difference(theirs: tuple[Floats, Floats, Floats], ours: Floats, error: str, factor: float, known: slice) -> float:
    slope, spread, share = (values[known] for values in theirs)
    mine = {name: ours[COLUMNS.index(name), known] for name in ("beta", error, "r_squared")}
    return max(
        float(np.max(np.abs(mine["beta"] - slope) / np.maximum(1.0, np.abs(slope)))),
        float(np.max(np.abs(mine[error] / (factor * spread) - 1.0))),
        float(np.max(np.abs(mine["r_squared"] - share))),
    )


def _peer(funds: Floats, market: Floats, kind: str) -> list[tuple[Floats, Floats, Floats]]:
    from statsmodels.regression.rolling import RollingOLS

    x = np.column_stack([np.ones(len(market)), market])
    fits = [RollingOLS(fund, x, window=WINDOW).fit(cov_type=kind) for fund in funds]
    return [(fit.params[:, 1], fit.bse[:, 1], fit.rsquared) for fit in fits]


def _timed(call: Any, *arguments: Any) -> tuple[float, Any]:
    start = time.process_time()
    out = call(*arguments)
    return time.process_time() - start, out


if __name__ == "__main__":
    for row in run():
        print(row)
