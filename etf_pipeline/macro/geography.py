"""Where a fund's money is: words of categories and names, and the country, currency and market they stand for.

The table is code and not a file, so that a changed line recomputes exactly what rests on it. Public facts:

.. [1] MSCI, "MSCI Market Classification," announcement of June 2024. msci.com/market-classification
.. [2] ISO 3166-1 (countries) and ISO 4217 (currencies).
.. [3] Morningstar, "Morningstar Category Classifications," US, April 2024: what a category's funds hold.
.. [4] FTSE Russell, "FTSE Equity Country Classification," March 2024, where MSCI lists no such market.

Classifications are those of 2024 throughout; a market's earlier class is not known here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

DOMESTIC, DEVELOPED, EMERGING, FRONTIER, GLOBAL = "domestic", "developed", "emerging", "frontier", "global"
MARKETS = [DOMESTIC, DEVELOPED, EMERGING, FRONTIER, GLOBAL, "unknown"]
MANY = "many"
"""Country or currency of a fund that spreads over several."""


@dataclass(frozen=True)
class Place:
    """What a word says.

    Attributes
    ----------
    words : str
        Words of a category or name, divided by ``|``.
    country : str
        ISO 3166-1 alpha-2 code, or `MANY`.
    currency : str
        ISO 4217 code of what the fund holds, or `MANY`.
    market : str
        One of `MARKETS`; a country that is the exchange's own is `domestic`.
    source : str
        Where it stands, by number in the module's list.
    """

    words: str
    country: str
    currency: str
    market: str
    source: str


PLACES: tuple[Place, ...] = (
    Place("china|hong kong|csi 300", "CN", "CNY", EMERGING, "[1] [2]"),
    Place("india|nifty", "IN", "INR", EMERGING, "[1] [2]"),
    Place("brazil", "BR", "BRL", EMERGING, "[1] [2]"),
    Place("mexico", "MX", "MXN", EMERGING, "[1] [2]"),
    Place("south africa", "ZA", "ZAR", EMERGING, "[1] [2]"),
    Place("south korea|korea", "KR", "KRW", EMERGING, "[1] [2]"),
    Place("taiwan", "TW", "TWD", EMERGING, "[1] [2]"),
    Place("turkey|turkiye", "TR", "TRY", EMERGING, "[1] [2]"),
    Place("egypt", "EG", "EGP", EMERGING, "[1] [2]"),
    Place("indonesia", "ID", "IDR", EMERGING, "[1] [2]"),
    Place("saudi arabia", "SA", "SAR", EMERGING, "[1] [2]"),
    Place("poland", "PL", "PLN", EMERGING, "[1] [2]"),
    Place("russia|ruble|rouble", "RU", "RUB", EMERGING, "[2]; emerging until MSCI removed it in March 2022"),
    Place("vietnam", "VN", "VND", FRONTIER, "[1] [2]"),
    Place("pakistan", "PK", "PKR", FRONTIER, "[1] [2]"),
    Place("frontier", MANY, MANY, FRONTIER, "[1]"),
    Place("latin america", MANY, MANY, EMERGING, "[1] [3]"),
    Place("emerging|diversified emerging mkts|brics?|pacific/asia ex-japan", MANY, MANY, EMERGING, "[1] [3]"),
    Place("africa", MANY, MANY, FRONTIER, "[1]; broad funds also hold South Africa and Egypt"),
    Place("japan|nikkei|topix|yen", "JP", "JPY", DEVELOPED, "[1] [2]"),
    Place("australia|australian|asx", "AU", "AUD", DEVELOPED, "[1] [2]"),
    Place("canada|canadian", "CA", "CAD", DEVELOPED, "[1] [2]"),
    Place("united kingdom|british pound|ftse 100", "GB", "GBP", DEVELOPED, "[1] [2]"),
    Place("switzerland|swiss", "CH", "CHF", DEVELOPED, "[1] [2]"),
    Place("germany", "DE", "EUR", DEVELOPED, "[1] [2]"),
    Place("france", "FR", "EUR", DEVELOPED, "[1] [2]"),
    Place("italy", "IT", "EUR", DEVELOPED, "[1] [2]"),
    Place("spain", "ES", "EUR", DEVELOPED, "[1] [2]"),
    Place("euro|eurozone|emu", MANY, "EUR", DEVELOPED, "[1] [2]"),
    Place("europe", MANY, MANY, DEVELOPED, "[1] [3]"),
    Place("singapore", "SG", "SGD", DEVELOPED, "[1] [2]"),
    Place("israel", "IL", "ILS", DEVELOPED, "[1] [2]"),
    Place("global ex-us|property abroad|global(?! x(?![a-z]))|world|acwi", MANY, MANY, GLOBAL, "[3]"),
    Place("foreign|developed markets|developed ex us|eafe|ex us|ex-us|ex u.s.|international", MANY, MANY, DEVELOPED, "[3]"),
    Place("north america|s&p|nasdaq|russell|dow jones|u.s.|us dollar|us", "US", "USD", DEVELOPED, "[1] [2]"),
)
"""Read from the top: the narrower word first."""

HOMES: dict[str, tuple[str, str]] = {
    "XNYS": ("US", "USD"),
    "XNAS": ("US", "USD"),
    "XASX": ("AU", "AUD"),
    "XETR": ("DE", "EUR"),
    "XHKG": ("HK", "HKD"),
    "XLON": ("GB", "GBP"),
    "XTKS": ("JP", "JPY"),
    "XTSE": ("CA", "CAD"),
}
"""Country and currency of each exchange [2]: where a fund is that says nothing else."""

HOLDS_DOLLARS = ("emerging markets bond", "emerging markets usd")
"""Bonds of foreign issuers in US dollars: exposed to the country, not to its currency [3]."""

_PATTERNS = [(re.compile(rf"(?<![a-z])(?:{p.words})(?![a-z])"), p) for p in PLACES]


def locate(category: str, name: str, exchange: str) -> tuple[str, str, str]:
    """Country, currency and market of a fund by its words; its exchange's where they say nothing.

    Parameters
    ----------
    category, name : str
        As the source gives them; the category counts first. Empty where unknown.
    exchange : str
        Where the fund is listed.

    Returns
    -------
    tuple of str
        Country, currency exposure, and market as one of `MARKETS`.

    Examples
    --------
    >>> locate("India Equity", "iShares MSCI India ETF", "XNYS")
    ('IN', 'INR', 'emerging')
    >>> locate("Large Blend", "SPDR S&P 500 ETF Trust", "XNYS")
    ('US', 'USD', 'domestic')
    >>> locate("Japan Stock", "WisdomTree Japan Hedged Equity Fund", "XNYS")
    ('JP', 'USD', 'developed')
    """
    category, name = category.lower(), name.lower()
    home = HOMES.get(exchange, ("unknown", "unknown"))
    place = next((p for text in (category, name) for pattern, p in _PATTERNS if pattern.search(text)), None)
    if place is None:
        return *home, DOMESTIC if category or name else "unknown"
    dollars = any(words in f"{category} {name}" for words in HOLDS_DOLLARS)
    currency = home[1] if "hedged" in name else "USD" if dollars else place.currency
    return place.country, currency, DOMESTIC if place.country == home[0] else place.market
