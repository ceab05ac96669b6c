"""Numbers, dates and names as people read them. Unknown is a dash, and no rounded zero carries a sign."""

from __future__ import annotations

import math
import re
from typing import Any

import pandas as pd

from etf_pipeline.conventions import BPS, PERCENT

UNKNOWN = "–"
SPACE = "\u202f"
"""Narrow space that does not break: between a number and its unit."""
NBSP = "\u00a0"
"""Space that does not break: inside a date."""

PROPER = {
    "sharpe": "Sharpe",
    "carlo": "Carlo",
    "spy": "SPY",
    "aum": "AUM",
    "vix": "VIX",
    "hrp": "HRP",
    "cvar": "CVaR",
    "var": "VaR",
    "ewma": "EWMA",
    "garch": "GARCH",
    "oas": "OAS",
    "ledoit": "Ledoit",
    "wolf": "Wolf",
    "fama": "Fama",
    "french": "French",
    "covid": "COVID",
}
"""Words of identifiers that are names or abbreviations."""

MIX = re.compile(r"\b(\d+) (\d+)\b")
"""Two numbers in a row: the parts of a mix."""

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: Any, digits: int = 2, *, signed: bool = False) -> str:
    """A number with thousands separators and a true minus sign.

    Examples
    --------
    >>> number(-1234.567, 1), number(-0.001), number(float("nan"))
    ('−1,234.6', '0.00', '–')
    """
    if _unknown(value):
        return UNKNOWN
    text = f"{abs(float(value)):,.{digits}f}"
    if not any(c in "123456789" for c in text):
        return text
    return ("−" if value < 0 else "+" if signed else "") + text


def percent(value: Any, digits: int = 1, *, signed: bool = False) -> str:
    """A fraction in percent.

    Examples
    --------
    >>> percent(0.0712).replace(SPACE, " ")
    '7.1 %'
    """
    return UNKNOWN if _unknown(value) else number(value / PERCENT, digits, signed=signed) + SPACE + "%"


def basis_points(value: Any, digits: int = 1, *, signed: bool = False) -> str:
    """A fraction in basis points."""
    return UNKNOWN if _unknown(value) else number(value / BPS, digits, signed=signed) + SPACE + "bp"


def count(value: Any) -> str:
    """A whole number with thousands separators."""
    return number(value, 0)


def tick(value: float) -> str:
    """A round number on an axis, without needless digits."""
    return f"{value:.10g}".replace("-", "−")


def percent_tick(value: float) -> str:
    """A round fraction on an axis, in percent.

    Examples
    --------
    >>> percent_tick(-0.05).replace(SPACE, " ")
    '−5 %'
    """
    return tick(value / PERCENT) + SPACE + "%"


def short_money(value: float) -> str:
    """An amount for an axis.

    Examples
    --------
    >>> [short_money(v).replace(SPACE, " ") for v in (950.0, 20_000.0, 1_500_000.0)]
    ['950', '20 k', '1.5 M']
    """
    for size, suffix in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{SPACE}{suffix}"
    return f"{value:g}"


def probability(value: Any) -> str:
    """A p-value: three digits, or that it is smaller."""
    if _unknown(value):
        return UNKNOWN
    return "<" + SPACE + "0.001" if value < 0.001 else f"{value:.3f}"


def squared(value: Any) -> str:
    """A mean squared error, in units of one percent squared."""
    return UNKNOWN if _unknown(value) else number(value / PERCENT**2, 2)


def day(value: Any) -> str:
    """A date without ambiguity, on one line.

    Examples
    --------
    >>> day(pd.Timestamp("2024-06-05")).replace(NBSP, " ")
    '5 Jun 2024'
    """
    return UNKNOWN if pd.isna(value) else f"{value.day}{NBSP}{value:%b}{NBSP}{value:%Y}"


def words(name: Any) -> str:
    """An identifier as words: a ticker stays as it is.

    Examples
    --------
    >>> words("max_sharpe"), words("balanced_60_40"), words("SPY"), words(None)
    ('Max Sharpe', 'Balanced 60/40', 'SPY', '–')
    """
    if _unknown(name):
        return UNKNOWN
    said = " ".join(PROPER.get(word, word) for word in str(name).split("_") if word)
    said = MIX.sub(r"\1/\2", said)
    return said[:1].upper() + said[1:]


def text(value: Any) -> str:
    """Text as it stands, or a dash."""
    return UNKNOWN if _unknown(value) else str(value)


def tiny(value: Any) -> str:
    """A very small number by its power of ten.

    Examples
    --------
    >>> tiny(3.2e-09).replace(NBSP, " ")
    '3 × 10⁻⁹'
    """
    if _unknown(value) or value == 0:
        return UNKNOWN if _unknown(value) else "0"
    digit, power = f"{value:.0e}".split("e")
    return f"{digit}{NBSP}×{NBSP}10{str(int(power)).translate(RAISED)}"


def flag(value: Any) -> str:
    """Yes or no."""
    return UNKNOWN if _unknown(value) else "yes" if value else "no"


def shorten(value: str, length: int) -> str:
    """Text of at most `length` characters, cut with an ellipsis."""
    return value if len(value) <= length else value[: length - 1].rstrip() + "…"


def _unknown(value: Any) -> bool:
    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and not math.isfinite(value))
