"""What a fund is, by its words: asset class, sub-class and duration bucket.

.. [1] Morningstar, "Morningstar Category Definitions," US, fixed income: short 1 to 3.5 years, intermediate 3.5 to 6, long above.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from etf_pipeline.macro.geography import DOMESTIC, EMERGING, FRONTIER

ASSET_CLASSES = ["equity", "bond", "commodity", "real_estate", "currency", "alternative", "unknown"]

BUCKETS: Mapping[str, float] = MappingProxyType({"ultrashort": 0.5, "short": 2.25, "intermediate": 4.75, "long": 10.0})
"""Duration that each bucket stands for: the middle of its range [1]_; long is open, 10 is a convention. [years]"""

_CLASS_WORDS = (
    ("bond", "bond|treasury|treasuries|municipal|aggregate|fixed income|tips|corporate|loan|floating rate|convertible|t-bill"),
    ("real_estate", "real estate|reit|reits|property"),
    ("currency", "single currency|dollar fund|currency shares|currencyshares"),
    ("alternative", "managed futures|long/short|bitcoin|ether|merger arbitrage|hedge fund|volatility|vix"),
    ("commodity", "commodity|commodities|gold|silver|platinum|oil fund|natural gas|agriculture fund|copper fund"),
    ("equity", "stock|equity|shares|equities|s&p|nasdaq|russell|dividend|msci|growth|value|sector|momentum|index fund"),
)
_NOT_COMMODITY = re.compile("miner|producer|services|steel")
_SUB_WORDS = {
    "bond": (
        ("inflation_linked", "inflation|tips"),
        ("emerging_bond", "emerging"),
        ("high_yield", "high yield|convertible|bank loan|preferred"),
        ("municipal", "muni"),
        ("government", "government|treasury|treasuries|t-bill|ultrashort"),
        ("investment_grade", "."),
    ),
    "commodity": (("precious_metal", "gold|silver|platinum|palladium|precious"), ("other_commodity", ".")),
    "equity": (
        ("precious_metal_shares", "precious metals|gold miners"),
        ("domestic_sector", "clean energy|solar"),
        ("energy_shares", "energy|(?<![a-z])oil(?![a-z])"),
    ),
}
_SMALL = re.compile("small|mid-cap|mid cap")
_STYLE = re.compile("large|s&p 500|nasdaq|derivative income|equity australia|total (?:stock|us) market|buybacks")
_BUCKET_WORDS = (
    ("ultrashort", "ultrashort|t-bill|treasury bills|floating rate|bank loan"),
    ("short", r"short|convertible|0-5 year|1-3 year|1-5 year"),
    ("intermediate", r"intermediate|interm|3-7 year|core bond"),
    ("long", r"long|20\+|25\+|emerging"),
)

SUB_CLASSES = [
    "domestic_large",
    "domestic_small",
    "domestic_sector",
    "developed_equity",
    "emerging_equity",
    "global_equity",
    "precious_metal_shares",
    "energy_shares",
    "unplaced_equity",
    "government",
    "inflation_linked",
    "investment_grade",
    "municipal",
    "high_yield",
    "emerging_bond",
    "unplaced_bond",
    "precious_metal",
    "other_commodity",
    "real_estate",
    "home_currency",
    "foreign_currency",
    "alternative",
    "inverse",
    "unknown",
]
"""Every sub-class; `unplaced_...` where only returns told the asset class."""


def class_by_words(text: str) -> str:
    """Asset class that a fund's name and category speak of; `unknown` where they do not.

    Examples
    --------
    >>> class_by_words("iShares 20+ Year Treasury Bond ETF"), class_by_words("Gold Miners Fund"), class_by_words("QRAFT AI")
    ('bond', 'equity', 'unknown')
    """
    text = text.lower()
    for name, words in _CLASS_WORDS:
        if re.search(rf"(?<![a-z])(?:{words})(?![a-z])", text) and not (name == "commodity" and _NOT_COMMODITY.search(text)):
            return name
    return "equity" if _NOT_COMMODITY.search(text) else "unknown"


def sub_class(asset_class: str, text: str, market: str, geared: bool) -> str:
    """Sub-class of a fund with words.

    Parameters
    ----------
    asset_class : str
        One of `ASSET_CLASSES`.
    text : str
        Category and name.
    market : str
        As `geography.locate` gives it.
    geared : bool
        Whether the fund multiplies or inverts: only then do words like "short" mean the opposite of its market.

    Examples
    --------
    >>> sub_class("equity", "Large Blend", "domestic", False), sub_class("bond", "Long Government", "domestic", False)
    ('domestic_large', 'government')
    >>> sub_class("equity", "Trading--Inverse Equity ProShares Short S&P500", "domestic", True)
    'inverse'
    """
    text = text.lower()
    if geared and re.search(r"inverse|bear|-[123]x|(?<![a-z])short(?![a-z-])", text):
        return "inverse"
    if asset_class == "equity":
        return _equity(text, market)
    if asset_class == "currency":
        return "home_currency" if market == DOMESTIC else "foreign_currency"
    if asset_class == "bond" and market in (EMERGING, FRONTIER):
        return "emerging_bond"
    words = _SUB_WORDS.get(asset_class)
    return asset_class if words is None else next(name for name, pattern in words if re.search(pattern, text))


def duration_bucket(asset_class: str, text: str, geared: bool = False) -> str | None:
    """Duration bucket of a bond fund by its words, `intermediate` where they say nothing; None for other funds.

    Of a fund that multiplies or inverts, "short" and "ultrashort" tell the side, and no duration.

    Examples
    --------
    >>> [duration_bucket("bond", text) for text in ("Short-Term Bond", "High Yield Bond")]
    ['short', 'intermediate']
    """
    if asset_class != "bond":
        return None
    text = text.lower()
    words = [(name, pattern) for name, pattern in _BUCKET_WORDS if not (geared and name in ("ultrashort", "short"))]
    return next((name for name, pattern in words if re.search(pattern, text)), "intermediate")


def _equity(text: str, market: str) -> str:
    for name, pattern in _SUB_WORDS["equity"]:
        if re.search(pattern, text):
            return name
    if market in (EMERGING, FRONTIER):
        return "emerging_equity"
    if market != DOMESTIC:
        return f"{market}_equity" if market in ("developed", "global") else "unplaced_equity"
    return "domestic_small" if _SMALL.search(text) else "domestic_large" if _STYLE.search(text) else "domestic_sector"
