"""Effects of single periods made to add up over many.

.. [1] D. Carino, "Combining attribution effects over time," Journal of Performance Measurement 3 (4), 1999.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from etf_pipeline.panel import Floats

NEAR = 1e-8
"""Active returns below this take the limit of Carino's coefficient: the quotient of two small differences is rounding."""


def carino(portfolio: Floats, benchmark: Floats) -> Floats:
    """Carino's coefficient: ``(ln(1 + portfolio) - ln(1 + benchmark)) / (portfolio - benchmark)``.

    Parameters
    ----------
    portfolio, benchmark : ndarray
        Returns of the same periods, above -1. [fraction]

    Returns
    -------
    ndarray
        Positive; ``1 / (1 + return)`` in the limit of equal returns.

    Examples
    --------
    >>> carino(np.array([0.10, 0.05]), np.array([0.05, 0.05])).round(6).tolist()
    [0.9304, 0.952381]
    """
    difference = np.asarray(portfolio - benchmark, dtype=np.float64)
    near = np.abs(difference) < NEAR
    ratio = np.log1p(difference / (1.0 + benchmark)) / np.where(near, 1.0, difference)
    # ln(1 + x) / x with x = difference / (1 + benchmark), to second order
    x = difference / (1.0 + benchmark)
    return cast(Floats, np.where(near, (1.0 - x / 2.0) / (1.0 + benchmark), ratio))


def has_logarithm(portfolio: Floats, benchmark: Floats) -> bool:
    """Whether neither lost everything in one of the periods: nothing links beyond that.

    Examples
    --------
    >>> has_logarithm(np.array([0.1, -0.5]), np.array([0.0, 0.0])), has_logarithm(np.array([-1.0]), np.array([0.0]))
    (True, False)
    """
    return bool((portfolio > -1.0).all() and (benchmark > -1.0).all())


def linked(effects: Floats, portfolio: Floats, benchmark: Floats) -> tuple[Floats, float]:
    """Effects of periods as effects of the whole span.

    Parameters
    ----------
    effects : ndarray of shape (n_periods, n_effects)
        Each period's effects sum to its active return. [fraction]
    portfolio, benchmark : ndarray of shape (n_periods,)
        Above -1 (`has_logarithm`). [fraction]

    Returns
    -------
    effects : ndarray of shape (n_effects,)
        They sum to the span's compounded active return. [fraction]
    link : float
        The span's own coefficient: spans link to longer ones as periods do.

    Notes
    -----
    ``sum_t effects_t * k_t / K`` with the coefficients of the period and of the span [1]_. The logarithms of growth add up, so
    the sum over everything is ``(ln growth - ln benchmark growth) / K``, the active return, without a residual.
    """
    whole = np.array([np.prod(1.0 + portfolio) - 1.0]), np.array([np.prod(1.0 + benchmark) - 1.0])
    link = float(carino(*whole)[0])
    return carino(portfolio, benchmark) @ effects / link, link
