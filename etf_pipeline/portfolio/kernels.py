"""Cyclic coordinate descent for risk budgeting, with bounds."""

from __future__ import annotations

import numpy as np
from numba import njit

from etf_pipeline.panel import Floats

SWEEPS = 5000
"""Sweeps after which the descent gives up; a few dozen are usual."""


@njit(cache=True)
def descend(
    covariance: Floats,
    budgets: Floats,
    price: float,
    shift: float,
    lower: float,
    upper: float,
    x: Floats,
    tolerance: float,
) -> int:
    """Minimise ``x' S x / 2 + shift * sum(x) - price * sum(budgets * log x)`` over ``lower <= x <= upper``, in place.

    Each coordinate's own problem is a quadratic equation; its positive root, clipped, is exact, and because the objective is
    convex and separable in the bounds the sweeps converge to the optimum.

    Returns
    -------
    int
        Sweeps used, or -1 if the largest relative change never fell to `tolerance`.
    """
    n = len(budgets)
    for sweep in range(SWEEPS):
        change = 0.0
        for i in range(n):
            others = 0.0
            for j in range(n):  # summed afresh: a running product would drift
                others += covariance[i, j] * x[j]
            own = covariance[i, i]
            others += shift - own * x[i]
            root = np.sqrt(others * others + 4.0 * own * price * budgets[i])
            # of the two forms of the positive root, the one that adds numbers of one sign
            new = 2.0 * price * budgets[i] / (others + root) if others > 0 else (root - others) / (2.0 * own)
            new = min(max(new, lower), upper)
            change = max(change, abs(new - x[i]) / new)
            x[i] = new
        if change <= tolerance:
            return sweep + 1
    return -1
