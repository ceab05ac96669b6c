"""Reverse stress: which move of the factors, the likeliest of all, loses a given share of the portfolio?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats


@dataclass(frozen=True)
class ReverseStress:
    """The likeliest move that loses so much.

    Attributes
    ----------
    shock : ndarray of shape (n_factors,)
        Move of each factor. [fraction]
    distance : float
        Its Mahalanobis distance: how many standard deviations of the portfolio the loss is.
    probability : float
        Chance of a loss as large over the horizon, under the Student-t law with the covariance's variance.
    """

    shock: Floats
    distance: float
    probability: float


def reverse_stress(exposure: Floats, covariance: Floats, loss: float, degrees_of_freedom: float) -> ReverseStress:
    """Smallest move by Mahalanobis distance with which a linear portfolio loses `loss`.

    Parameters
    ----------
    exposure : ndarray of shape (n_factors,)
        Profit per return of each factor.
    covariance : ndarray of shape (n_factors, n_factors)
        Of the factors over the horizon. [fraction squared]
    loss : float
        Positive. [fraction]
    degrees_of_freedom : float
        Of the Student-t law; more than 2.

    Raises
    ------
    DataError
        If the portfolio does not move with the factors at all.

    Notes
    -----
    ``min f' S^-1 f`` subject to ``b' f = -x`` has the solution ``f = -x S b / (b' S b)`` at the distance
    ``x / sqrt(b' S b)`` [1]_. Under any elliptical law it is the mean move given the loss, too.

    References
    ----------
    .. [1] P. Glasserman, C. Kang and W. Kang, "Stress scenario selection by empirical likelihood," Quantitative Finance 15 (1),
       25-41, 2015. doi:10.1080/14697688.2014.926019

    Examples
    --------
    >>> found = reverse_stress(np.array([0.5, 0.5]), np.diag([0.04, 0.01]), 0.1, 5.0)
    >>> found.shock.round(4).tolist(), round(found.distance, 4)
    ([-0.16, -0.04], 0.8944)
    """
    from scipy.stats import t

    pull = covariance @ exposure
    variance = float(exposure @ pull)
    if not variance > 0.0:
        raise DataError("reverse_stress needs a portfolio that moves with its factors; its variance is zero. Is it all cash?")
    distance = loss / np.sqrt(variance)
    nu = degrees_of_freedom
    probability = float(t.sf(distance * np.sqrt(nu / (nu - 2.0)), nu))
    return ReverseStress(-loss * pull / variance, float(distance), probability)
