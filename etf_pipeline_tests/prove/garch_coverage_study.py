"""Do the intervals of GARCH parameters cover the planted ones as often as they say?

Run as ``python -m etf_pipeline_tests.prove.garch_coverage_study``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from etf_pipeline.risk.volatility.garch_likelihood import scores
from etf_pipeline.risk.volatility.garch_optimiser import CONVERGED, fit

Floats = npt.NDArray[np.float64]

Z = 1.959964
"""Two-sided 95 % of a normal distribution."""
TRUTH = {"mu": 0.04, "omega": 0.02, "alpha": 0.08, "beta": 0.9, "1 / nu": 1 / 6}
CLAIM = "95 % intervals of GARCH(1,1)-t parameters by the expected information cover the planted ones in 90 to 98 % of draws"


def holds(result: dict[str, Any]) -> bool:
    """Whether the claim stands for every parameter."""
    return all(0.90 <= cover <= 0.98 for cover in result["coverage"].values())


def returns(n: int, rng: np.random.Generator) -> Floats:
    """Returns in percent of the planted model, after a burn-in of 500 sessions."""
    mu, omega, alpha, beta, eta = TRUTH.values()
    shocks = rng.standard_t(1 / eta, n + 500) * np.sqrt(1 - 2 * eta)
    h, out = omega / (1 - alpha - beta), np.empty(n + 500)
    for t, z in enumerate(shocks):
        out[t] = mu + np.sqrt(h) * z
        h = omega + alpha * h * z**2 + beta * h
    return out[500:]


def covered(x: Floats) -> Floats | None:
    """Which of the five intervals hold the planted value; None where the fit has no interior optimum."""
    theta, backcast, _, verdict = fit(x, 200, 1e-6, False, False)
    if verdict != CONVERGED:
        return None
    information = np.empty((6, 6))
    scores(x, theta, backcast, False, np.empty(6), information)
    errors = np.sqrt(np.diag(np.linalg.inv(information[:5, :5])))
    found = np.array([*theta[:4], 1 / theta[4]])
    return np.asarray(np.abs(found - list(TRUTH.values())) <= Z * errors, dtype=np.float64)


def study(draws: int = 1000, seed: int = 22, n: int = 4000) -> dict[str, Any]:
    """Cover of the five intervals over `draws` samples of `n` sessions.

    Returns
    -------
    dict
        `coverage` by parameter, its binomial standard error at 95 %, and the share of draws without an interior optimum.
    """
    rng = np.random.default_rng(seed)
    found = [covered(returns(n, rng)) for _ in range(draws)]
    inside = np.array([row for row in found if row is not None])
    return {
        "draws": draws,
        "seed": seed,
        "sessions": n,
        "coverage": dict(zip(TRUTH, inside.mean(axis=0).round(4).tolist(), strict=True)),
        "standard_error": float(np.sqrt(0.95 * 0.05 / draws)),
        "without_optimum": 1.0 - len(inside) / draws,
    }


if __name__ == "__main__":
    print(study())
