"""The constants and words that every room shares: one unit for rates, one annualisation, one name for cash."""

from __future__ import annotations

import math
from typing import Final

BPS: Final = 1e-4
"""One basis point as a decimal fraction: write ``5 * BPS``, never ``0.0005``."""

PERCENT: Final = 1e-2
"""One percent as a decimal fraction."""

SESSIONS_PER_YEAR: Final = 252
"""The one annualisation: ``annual = daily * sqrt(252)`` for a volatility, ``daily * 252`` for a mean."""

CASH: Final = "CASH"
"""The ticker of uninvested money; weights sum to one including it."""

BASE_CURRENCY: Final = "USD"
"""Currency of a portfolio unless its settings say otherwise."""

VAR_LEVEL: Final = 0.95
"""Confidence of the one-day value at risk."""

VAR_MULTIPLE: Final = 1.6448536269514722
"""Standard normal quantile at `VAR_LEVEL`: zero-mean Gaussian VaR is this many daily sigmas."""


def annual_volatility(daily: float) -> float:
    """Annualise a daily volatility: sigma scales with the root of time, never the root of sigma.

    Examples
    --------
    >>> round(annual_volatility(0.01), 6)
    0.158745
    """
    return daily * math.sqrt(SESSIONS_PER_YEAR)
