"""The portfolios that show what a covariance is worth: of least variance, with short positions and without."""

from __future__ import annotations

import numpy as np

from etf_pipeline.errors import EstimationError
from etf_pipeline.panel import Floats

TOLERANCE = 1e-10
"""What a fund left out may lack of being worth no more than those held, of one."""

PATIENCE = 3
"""Exchanges of whole blocks without progress before single ones."""

STEPS = 20
"""Exchanges per fund before giving up."""


def minimum_variance(covariance: Floats) -> Floats:
    """Fully invested portfolio of least variance, short positions allowed.

    Parameters
    ----------
    covariance : ndarray of shape (n_assets, n_assets)
        Positive definite.

    Returns
    -------
    ndarray of shape (n_assets,)
        ``S^-1 1 / (1' S^-1 1)``. [fraction]

    Examples
    --------
    >>> minimum_variance(np.diag([0.01, 0.04])).round(6).tolist()
    [0.8, 0.2]
    """
    raw = np.linalg.solve(covariance, np.ones(len(covariance)))
    return np.asarray(raw / raw.sum(), dtype=np.float64)


def long_only_minimum_variance(covariance: Floats) -> Floats:
    """Fully invested portfolio of least variance without short positions.

    Parameters
    ----------
    covariance : ndarray of shape (n_assets, n_assets)
        Positive definite.

    Returns
    -------
    ndarray of shape (n_assets,)
        Exact zeros for funds that are not held. [fraction]

    Raises
    ------
    EstimationError
        If the active set does not settle, which a definite matrix does not allow.

    Notes
    -----
    ``min x'Sx / 2 - 1'x, x >= 0`` has the same direction as the portfolio. Its conditions are a linear complementarity problem,
    solved by block principal pivoting [1]_: all funds on the wrong side change sides at once; where that stops helping, only the
    last one does, which always ends. A handful of linear systems, where entering one fund at a time takes twenty.

    References
    ----------
    .. [1] L. F. Portugal, J. J. Júdice, L. N. Vicente, "A comparison of block pivoting and interior-point algorithms for linear
       least squares problems with nonnegative variables," Mathematics of Computation 63, 1994.

    Examples
    --------
    >>> long_only_minimum_variance(np.array([[0.01, 0.019], [0.019, 0.04]])).tolist()
    [1.0, 0.0]
    """
    n = len(covariance)
    held = np.ones(n, dtype=bool)
    fewest, patience = n + 1, PATIENCE
    for _ in range(STEPS * n):
        at = np.flatnonzero(held)
        x, shortfall = np.zeros(n), np.ones(n)
        if len(at):
            block = covariance[at]
            x[at] = np.linalg.solve(block[:, at], shortfall[at])
            shortfall = 1.0 - x[at] @ block
        wrong = np.flatnonzero(np.where(held, x < 0, shortfall > TOLERANCE))
        if not len(wrong):
            return np.asarray(x / x.sum(), dtype=np.float64)
        if len(wrong) < fewest:
            fewest, patience = len(wrong), PATIENCE
        elif patience:
            patience -= 1
        else:
            wrong = wrong[-1:]
        held[wrong] = ~held[wrong]
    raise EstimationError(
        f"the long-only portfolio of least variance of {n} funds did not settle; is the covariance definite? Repair it first."
    )
