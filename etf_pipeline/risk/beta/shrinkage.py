"""Vasicek's beta: an estimate drawn towards what the members of the universe have, the more the less certain it is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from etf_pipeline.panel import Floats


def vasicek(
    beta: Floats, error: Floats, member: npt.NDArray[np.bool_], session: npt.NDArray[np.intp], *, min_members: int = 5
) -> Floats:
    """Posterior mean of each beta under the session's own prior.

    Parameters
    ----------
    beta, error : ndarray of shape (n_rows,)
        Estimate and standard error.
    member : ndarray of bool, shape (n_rows,)
        Rows that make the prior.
    session : ndarray of int, shape (n_rows,)
        Which session a row belongs to.
    min_members : int, default 5
        Known betas of members without which a session has no prior.

    Returns
    -------
    ndarray of shape (n_rows,)
        Unknown where the estimate or the prior is.

    Notes
    -----
    ``(b / e^2 + m / s^2) / (1 / e^2 + 1 / s^2)``: m and s^2 are mean and variance (one ddof) of the members' estimates at that
    session, as published [1]_. The variance of estimates holds their noise too, so that the prior is a little wide and the
    shrinkage a little mild.

    References
    ----------
    .. [1] O. Vasicek, "A note on using cross-sectional information in Bayesian estimation of security betas,"
       J. Finance 28 (5), 1973. doi:10.1111/j.1540-6261.1973.tb01452.x

    Examples
    --------
    >>> session, member = np.zeros(3, dtype=np.intp), np.ones(3, dtype=bool)
    >>> vasicek(np.array([0.0, 1.0, 2.0]), np.array([1.0, 1.0, 0.0]), member, session, min_members=3).tolist()
    [0.5, 1.0, 2.0]
    """
    counted = member & np.isfinite(beta) & np.isfinite(error)
    groups = int(session.max(initial=-1)) + 1
    where, values = session[counted], beta[counted]
    count = np.bincount(where, minlength=groups)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.bincount(where, weights=values, minlength=groups) / count
        spread = np.bincount(where, weights=(values - mean[where]) ** 2, minlength=groups) / (count - 1)
        mean[count < max(min_members, 2)] = np.nan
        share = error**2 / (error**2 + spread[session])
        return beta + share * (mean[session] - beta)
