"""The constants and words that every room shares: one unit for rates, one annualisation, one name for cash."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from etf_pipeline.errors import SettingsError

BPS: Final = 1e-4
"""One basis point as a decimal fraction: write ``5 * BPS``, never ``0.0005``."""

PERCENT: Final = 1e-2
"""One percent as a decimal fraction."""

SESSIONS_PER_YEAR: Final = 252
"""The one annualisation: ``annual = daily * sqrt(252)`` for a volatility, ``daily * 252`` for a mean."""

CASH: Final = "CASH"
"""The ticker of uninvested money; weights sum to one including it."""

VAR_LEVEL: Final = 0.95
"""Confidence of the one-day value at risk."""

VAR_MULTIPLE: Final = 1.6448536269514722
"""Standard normal quantile at `VAR_LEVEL`: zero-mean Gaussian VaR is this many daily sigmas."""


@dataclass(frozen=True)
class HomeMarket:
    """What a portfolio on an exchange is counted in and held against, unless its settings say otherwise.

    Attributes
    ----------
    currency : str
        Base currency: that of the exchange's listings. [ISO 4217]
    equity, bond : str
        Funds that stand for the exchange's shares and bonds; empty where none is named.
    proxies : tuple of str
        ``asset_class=TICKER``: fund that stands in for its class where another has no history.
    """

    currency: str
    equity: str = ""
    bond: str = ""
    proxies: tuple[str, ...] = ()


HOME_EQUITY: Final = "home_equity"
HOME_BOND: Final = "home_bond"
"""Words for the funds of the main exchange in settings that name funds."""

_US: Final = HomeMarket("USD", "SPY", "AGG", ("bond=AGG", "commodity=DBC", "real_estate=VNQ"))

HOME_MARKETS: Final = {
    "XNYS": _US,
    "XNAS": _US,
    "XASX": HomeMarket("AUD", "STW.AX", "VAF.AX", ("bond=VAF.AX", "commodity=GOLD.AX", "real_estate=VAP.AX")),
    "XETR": HomeMarket("EUR"),
    "XHKG": HomeMarket("HKD"),
    "XLON": HomeMarket("GBP"),
    "XTKS": HomeMarket("JPY"),
    "XTSE": HomeMarket("CAD"),
}
"""By exchange: the oldest broad fund of each kind that is listed there."""


def home_market(exchange: str) -> HomeMarket:
    """The home market of an exchange.

    Raises
    ------
    SettingsError
        If nobody has said what the exchange trades in.

    Examples
    --------
    >>> home_market("XASX").currency
    'AUD'
    """
    if exchange not in HOME_MARKETS:
        raise SettingsError(
            f"a portfolio on '{exchange}' needs a base currency; conventions.HOME_MARKETS knows {', '.join(HOME_MARKETS)}. "
            "Add the exchange there."
        )
    return HOME_MARKETS[exchange]


def annual_volatility(daily: float) -> float:
    """Annualise a daily volatility: sigma scales with the root of time, never the root of sigma.

    Examples
    --------
    >>> round(annual_volatility(0.01), 6)
    0.158745
    """
    return daily * math.sqrt(SESSIONS_PER_YEAR)
