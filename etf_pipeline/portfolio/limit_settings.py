"""Limits as people write them, ``asset_class:bond>=0.10`` and ``SPY=0.6``, and as the optimiser reads them."""

from __future__ import annotations

import dataclasses
import re
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.errors import SettingsError
from etf_pipeline.portfolio.limits import issuer_limits
from etf_pipeline.portfolio.problem import GroupLimit

COLUMNS = ("asset_class", "category", "family", "currency", "exchange")
"""Columns of `dim_etf` that may form groups."""

PATTERN = re.compile(r"\s*(\w+)\s*:\s*(.+?)\s*(<=|>=)\s*([0-9.eE+-]+)\s*")


class GroupSetting(NamedTuple):
    """Bounds on the funds whose `column` says `label`. [fraction]"""

    column: str
    label: str
    lower: float
    upper: float

    @property
    def name(self) -> str:
        """What refusals call it."""
        return f"{self.column}:{self.label}"


def group_settings(texts: tuple[str, ...]) -> tuple[GroupSetting, ...]:
    """Parse group limits; those on the same label become one, of which the tightest floor and cap count.

    Raises
    ------
    SettingsError
        If a text cannot be read, a column forms no groups, a bound is no fraction, or bounds contradict each other.

    Examples
    --------
    >>> group_settings(("asset_class:bond>=0.1", "asset_class:bond<=0.5"))
    (GroupSetting(column='asset_class', label='bond', lower=0.1, upper=0.5),)
    """
    found: dict[tuple[str, str], GroupSetting] = {}
    for text in texts:
        column, label, sign, bound = _parsed(text)
        before = found.get((column, label), GroupSetting(column, label, 0.0, 1.0))
        if sign == ">=":
            found[column, label] = before._replace(lower=max(before.lower, bound))
        else:
            found[column, label] = before._replace(upper=min(before.upper, bound))
    for setting in found.values():
        if setting.lower > setting.upper:
            raise SettingsError(
                f"group_limits contradict each other: {setting.name} >= {setting.lower:g} and <= {setting.upper:g}."
            )
    for column in COLUMNS:
        floors = sum(s.lower for s in found.values() if s.column == column)
        if floors > 1.0 + 1e-12:
            raise SettingsError(f"group_limits contradict each other: the floors on {column} add up to {floors:g}, more than 1.")
    return tuple(found.values())


def _parsed(text: str) -> tuple[str, str, str, float]:
    match = PATTERN.fullmatch(text)
    if match is None:
        raise SettingsError(f"group_limits are written like asset_class:bond>=0.10; found '{text}'.")
    column, label, sign, written = match.groups()
    if column not in COLUMNS:
        raise SettingsError(f"group_limits '{text}': groups are formed by {', '.join(COLUMNS)}, not by '{column}'.")
    try:
        bound = float(written)
    except ValueError as error:
        raise SettingsError(f"group_limits '{text}': '{written}' is no number.") from error
    if not 0.0 <= bound <= 1.0:
        raise SettingsError(f"group_limits '{text}': the bound is a fraction between 0 and 1. Write 0.10 for 10 %.")
    return column, label, sign, bound


def benchmark_weights(texts: tuple[str, ...]) -> dict[str, float]:
    """Parse a benchmark; weights need not reach one, the rest is cash.

    Raises
    ------
    SettingsError
        If a text cannot be read, a ticker repeats, or the weights are negative or exceed one.

    Examples
    --------
    >>> benchmark_weights(("SPY=0.6", "AGG=0.4"))
    {'SPY': 0.6, 'AGG': 0.4}
    """
    weights: dict[str, float] = {}
    for text in texts:
        ticker, _, written = text.partition("=")
        try:
            weight = float(written)
        except ValueError as error:
            raise SettingsError(f"benchmark is written like SPY=0.6; found '{text}'.") from error
        if ticker.strip() in weights or not 0.0 < weight <= 1.0:
            raise SettingsError(f"benchmark needs each ticker once with a fraction between 0 and 1; found '{text}'.")
        weights[ticker.strip()] = weight
    if sum(weights.values()) > 1.0 + 1e-9:
        raise SettingsError(f"benchmark weights add up to {sum(weights.values()):g}; at most 1 is invested.")
    return weights


def masks(
    reference: pd.DataFrame, tickers: pd.Index[Any], settings: tuple[GroupSetting, ...], issuer: float
) -> tuple[GroupLimit, ...]:
    """Group and issuer limits on the axis of all tickers.

    Parameters
    ----------
    reference : DataFrame
        Table `dim_etf`.
    tickers : Index of shape (n_assets,)
    settings : tuple of GroupSetting
    issuer : float
        Cap of each issuer; 1 for none. [fraction]

    Raises
    ------
    SettingsError
        If no fund carries a label.
    """
    facts = reference.set_index("ticker").reindex(tickers)
    found = []
    for setting in settings:
        members = (facts[setting.column] == setting.label).to_numpy(dtype=bool)
        if not members.any():
            known = ", ".join(sorted(facts[setting.column].dropna().unique())[:12])
            raise SettingsError(f"group_limits: no fund has {setting.name}; {setting.column} knows {known}.")
        word = "group" if setting.column == "asset_class" else setting.column
        found.append(GroupLimit(f"{word} {setting.label}", members, setting.lower, setting.upper))
    return (*found, *(issuer_limits(facts["family"].fillna(""), issuer) if issuer < 1.0 else ()))


def among(limits: tuple[GroupLimit, ...], chosen: npt.NDArray[np.intp]) -> tuple[GroupLimit, ...]:
    """The limits among some of the funds; caps without a fund are left out, floors stay to be refused by name."""
    inside = (dataclasses.replace(limit, members=limit.members[chosen]) for limit in limits)
    return tuple(limit for limit in inside if limit.lower > 0.0 or limit.members.any())
