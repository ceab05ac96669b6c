"""A fund's asset class from its category, and its daily multiple from its name: two small tables, read from the top.

Categories are Morningstar's [1]_; what the table does not know stays `unknown`.

References
----------
.. [1] Morningstar, "The Morningstar Category Classifications (US)", 2024.
"""

from __future__ import annotations

import re

CLASS_WORDS: tuple[tuple[str, str], ...] = (
    ("commodit", "commodity"),
    ("digital asset", "alternative"),
    ("long-short", "alternative"),
    ("managed futures", "alternative"),
    ("market neutral", "alternative"),
    ("volatility", "alternative"),
    ("currency", "currency"),
    ("real estate", "real_estate"),
    ("preferred stock", "bond"),  # Morningstar files it under taxable bond
    ("bond", "bond"),
    ("government", "bond"),
    ("treasury", "bond"),
    ("muni ", "bond"),  # with the space: "Communications" is no bond
    ("bank loan", "bond"),
    ("debt", "bond"),
    ("money market", "bond"),
    ("equity", "equity"),
    ("stock", "equity"),
    ("blend", "equity"),
    ("growth", "equity"),
    ("value", "equity"),
    ("emerging mkts", "equity"),
    ("region", "equity"),
    ("sector", "equity"),
    ("derivative income", "equity"),  # covered calls on equity
    ("communications", "equity"),
    ("consumer", "equity"),
    ("financial", "equity"),
    ("health", "equity"),
    ("industrials", "equity"),
    ("infrastructure", "equity"),
    ("natural resources", "equity"),
    ("technology", "equity"),
    ("utilities", "equity"),
)
"""Part of a category (lower case) to asset class; the first match counts, so that "Emerging Markets Bond" is a bond."""

MULTIPLE_WORDS: tuple[tuple[str, float], ...] = (
    (r"\bultrapro short\b", -3.0),
    (r"\bultrashort (?!bond|term|duration|income)", -2.0),
    (r"\bultrapro\b", 3.0),
    (r"\bproshares ultra\b", 2.0),
    (r"\bproshares short\b", -1.0),
    (r"\binverse\b", -1.0),
)
"""Issuers' words for a daily multiple; ProShares: Ultra 2x, UltraPro 3x, UltraShort -2x, Short -1x."""


def asset_class(category: str | None) -> str:
    """Broad class of a category.

    Examples
    --------
    >>> asset_class("Emerging Markets Bond"), asset_class("Trading--Leveraged Commodities"), asset_class("Moderate Allocation")
    ('bond', 'commodity', 'unknown')
    """
    words = (category or "").lower()
    return next((found for part, found in CLASS_WORDS if part in words), "unknown")


def daily_multiple(name: str | None, category: str | None) -> float:
    """Daily target multiple of a fund: 1 plain, 2 leveraged, -1 inverse. [ratio]

    A number such as 3X counts first (negative beside "Bear", "Short" or "Inverse"), then the issuer's words, then the
    category: one that says leveraged or inverse without a number is taken as 2 or -1.

    Examples
    --------
    >>> daily_multiple("Direxion Daily Small Cap Bear 3X Shares", None), daily_multiple("ProShares Short S&P500", None)
    (-3.0, -1.0)
    >>> daily_multiple("Vanguard Short-Term Bond Index Fund", "Short-Term Bond")
    1.0
    """
    title, kind = (name or "").lower(), (category or "").lower()
    number = re.search(r"(?<![\d.])(-?\d(?:\.\d+)?)\s?x\b", title)
    if number:
        against = re.search(r"\b(bear|inverse|short)\b(?!-)", title) or "inverse" in kind
        value = float(number.group(1))
        return -abs(value) if against else value
    worded = next((multiple for words, multiple in MULTIPLE_WORDS if re.search(words, title)), None)
    if worded is not None:
        return worded
    if "trading--inverse" in kind:
        return -1.0
    return 2.0 if "trading--leveraged" in kind else 1.0
