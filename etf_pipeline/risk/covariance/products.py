"""Cross-products of thousands of funds: one symmetric product where all is known, three masked ones where it is not."""

from __future__ import annotations

import numpy as np

from etf_pipeline.panel import Floats


def sample_covariance(returns: Floats) -> Floats:
    """Covariance of complete returns.

    Parameters
    ----------
    returns : ndarray of shape (n_sessions, n_assets)
        Complete. [fraction]

    Returns
    -------
    ndarray of shape (n_assets, n_assets)
        ``X'X / n`` of the centred returns (ddof 0), as scikit-learn's ``empirical_covariance``. [fraction squared per session]

    Notes
    -----
    numpy hands a matrix times its own transpose to BLAS ``syrk``, half the work of a general product.

    Examples
    --------
    >>> sample_covariance(np.array([[0.01, 0.02], [-0.01, -0.02]])).round(6).tolist()
    [[0.0001, 0.0002], [0.0002, 0.0004]]
    """
    centred = returns - returns.mean(axis=0)
    product: Floats = centred.T @ centred
    product /= len(returns)
    return product


def pairwise_covariance(returns: Floats) -> tuple[Floats, Floats]:
    """Covariance of each pair over the sessions that both know.

    Parameters
    ----------
    returns : ndarray of shape (n_sessions, n_assets)
        NaN where unknown. [fraction]

    Returns
    -------
    covariance : ndarray of shape (n_assets, n_assets)
        With ddof 0, means over the common sessions; NaN for pairs without one. In general not definite: see `nearest_psd`.
        [fraction squared per session]
    common : ndarray of shape (n_assets, n_assets)
        Sessions that both know. [count]

    Notes
    -----
    With zeros for what is unknown and M the mask: ``(X'X - (X'M)(M'X) / n) / n`` with ``n = M'M``, element by element. Returns
    are centred by each fund's own mean first, so that the difference loses no digits.
    """
    known = np.isfinite(returns)
    mask = known.astype(np.float64)
    count = mask.sum(axis=0)
    total = np.where(known, returns, 0.0).sum(axis=0)
    mean = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
    x = np.where(known, returns - mean, 0.0)
    common = mask.T @ mask
    sums = x.T @ mask  # (i, j): sum of i over the sessions that j knows too
    out = x.T @ x
    with np.errstate(divide="ignore", invalid="ignore"):
        sums *= sums.T.copy()
        sums /= common
        out -= sums
        out /= common
    return out, common
