"""Many tests at once: what is left of each p-value after one has looked at all of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def holm(p_values: Floats) -> Floats:
    """P-values corrected for having looked at all of them.

    Parameters
    ----------
    p_values : ndarray of shape (n_tests,)
        Unknown ones stay unknown and do not count as looked at. [probability]

    Returns
    -------
    ndarray of shape (n_tests,)
        The chance of any false claim is at most the level that these are held against, however the tests depend. [probability]

    Notes
    -----
    The k-th smallest of m is multiplied by m - k + 1, then made non-decreasing and cut at one [1]_.

    References
    ----------
    .. [1] S. Holm, "A simple sequentially rejective multiple test procedure," Scandinavian J. Statistics 6 (2), 1979.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03])).round(6).tolist()
    [0.03, 0.06, 0.06]
    """
    adjusted = np.full(len(p_values), np.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1.0)
    return adjusted


def benjamini_yekutieli(p_values: Floats) -> Floats:
    """P-values corrected so that, of all claims made, the expected share of false ones is at most the level.

    Parameters
    ----------
    p_values : ndarray of shape (n_tests,)
        Unknown ones stay unknown and do not count as looked at. [probability]

    Returns
    -------
    ndarray of shape (n_tests,)
        Valid however the tests depend. Milder than `holm` where many claims are true, and it answers another question: a list of
        claims of which some are wrong, against a list with no wrong claim. [probability]

    Notes
    -----
    The k-th smallest of m is multiplied by ``m / k * (1 + 1/2 + ... + 1/m)``, then made non-decreasing from above [1]_.

    References
    ----------
    .. [1] Y. Benjamini, D. Yekutieli, "The control of the false discovery rate in multiple testing under dependency," Annals of
       Statistics 29 (4), 2001. doi:10.1214/aos/1013699998

    Examples
    --------
    >>> benjamini_yekutieli(np.array([0.001, 0.02, 0.8])).round(6).tolist()
    [0.0055, 0.055, 1.0]
    """
    adjusted = np.full(len(p_values), np.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    place = np.arange(1, len(order) + 1)
    factors = len(order) / place * np.sum(1.0 / place)
    adjusted[order] = np.minimum(np.minimum.accumulate((p_values[order] * factors)[::-1])[::-1], 1.0)
    return adjusted
