"""What the investor's money earned, where it came and went in between."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats

WIDEST = 60
"""Doublings of the bracket before a root is given up."""

LARGEST = 700.0
"""Largest logarithm of growth that is looked at: beyond it lies what a number can hold."""

ROUNDS = 200
"""Halvings of the bracket; the width is below rounding after about sixty."""


def money_weighted_return(flows: Floats, years: Floats, value: float) -> float:
    """Annual internal rate of return of deposits and withdrawals against a final value.

    Parameters
    ----------
    flows : ndarray of shape (n_flows,)
        Deposits are positive; the first is the beginning value. [currency]
    years : ndarray of shape (n_flows,)
        How long before the end each came. [years]
    value : float
        What is left at the end. [currency]

    Returns
    -------
    float
        Rate at which the flows grow to the value: ``sum flow_i (1 + r)^years_i = value``. NaN where none above -1 does. Where
        withdrawals so large that the sum is not monotone admit several, the one nearest to zero. [fraction per year]

    Raises
    ------
    DataError
        If the shapes differ or nothing was paid in.

    Notes
    -----
    The root is bracketed in ``log(1 + r)`` and halved, which cannot diverge. Unlike a time-weighted return it depends on when the
    money came: it says what the investor earned, and the time-weighted one how good the strategy was.

    Examples
    --------
    Money that came at the low earned more than the strategy, which only broke even.

    >>> round(money_weighted_return(np.array([100.0, 100.0]), np.array([2.0, 1.0]), 300.0), 6)
    0.302776
    """
    if flows.shape != years.shape or flows.ndim != 1 or not (flows > 0.0).any():
        raise DataError(
            f"money_weighted_return needs one deposit at least and the time of every flow; found {flows.shape} flows and "
            f"{years.shape} times. Give the beginning value as the first flow."
        )

    def gap(rate: float) -> float:
        return float(flows @ np.exp(rate * years) - value)

    bracket = _bracket(gap, LARGEST / max(float(years.max()), 1.0))
    if bracket is None:
        return float("nan")
    low, high = bracket
    rising = gap(high) > 0.0
    for _ in range(ROUNDS):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        if (gap(middle) > 0.0) == rising:
            high = middle
        else:
            low = middle
    return float(np.expm1(0.5 * (low + high)))


def _bracket(gap: Callable[[float], float], widest: float) -> tuple[float, float] | None:
    """Two log rates between which the sign changes, the nearest to zero that doubling finds, at most `widest` from it."""
    at_zero = gap(0.0)
    if at_zero == 0.0:
        return 0.0, 0.0
    inner, step = 0.0, 0.01
    for _ in range(WIDEST):
        outer = inner + step
        if outer > widest:
            return None
        for sign in (1.0, -1.0):
            if (gap(sign * outer) > 0.0) != (gap(sign * inner) > 0.0):
                return min(sign * inner, sign * outer), max(sign * inner, sign * outer)
        inner, step = outer, step * 1.5
    return None
