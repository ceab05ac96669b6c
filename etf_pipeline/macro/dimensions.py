"""The dimensions of the macro state: which released series make each, how they are transformed, and what a high value means.

A dimension's state is a level, or a change over months, of its series. Its *shock* is the change of the series' base over a
month: funds react to news, so sensitivities are estimated on shocks, and applied to states.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

GEOPOLITICS = "geopolitics"
"""The dimension behind `geo_multiplier`; all others stand behind `macro_multiplier`."""

DAILY, WEEKLY, MONTHLY = 21, 35, 100
"""Age of the newest period beyond which a series counts as unknown: its length, its lag and a skipped release. [calendar days]"""


@dataclass(frozen=True)
class Input:
    """A series and its transform.

    Attributes
    ----------
    series : str
        Code in `fct_macro`.
    base : {"level", "log", "mean_log"}
        Base of state and shock: the value, its logarithm, or the logarithm of its mean over 30 days.
    growth : int
        Base is its change over so many months, 0 for itself. [months]
    change : int
        State is the change of the base over so many months, 0 for the base itself. [months]
    sign : int
        -1 where a high value of the series is a low one of the dimension.
    max_age : int
        Age of the period beyond which the series is unknown. [calendar days]
    instead : str
        Series of the same meaning that stands in where this one is unknown.
    """

    series: str
    base: str = "level"
    growth: int = 0
    change: int = 0
    sign: int = 1
    max_age: int = DAILY
    instead: str = ""


@dataclass(frozen=True)
class Dimension:
    """A composite of inputs: the mean of those of their z-scores that are known.

    Attributes
    ----------
    name : str
        Word in `macro_state.dimension`.
    inputs : tuple of Input
        The first is the one that is quoted.
    transform : str
        What the state is, in words.
    noun : str
        What people call it.
    high, low : str
        What a high and a low state mean.
    """

    name: str
    inputs: tuple[Input, ...]
    transform: str
    noun: str
    high: str
    low: str


DIMENSIONS: Mapping[str, Dimension] = MappingProxyType(
    {
        d.name: d
        for d in (
            Dimension(
                "rates",
                (Input("DGS10", change=3),),
                "change of the ten-year yield over three months",
                "ten-year yield",
                "yields have risen: weighs on long bonds",
                "yields have fallen: favours long bonds",
            ),
            Dimension(
                "curve",
                (Input("T10Y2Y"),),
                "ten-year less two-year yield",
                "yield curve",
                "curve steep: an early upswing is priced",
                "curve flat or inverted: a slowdown is priced",
            ),
            Dimension(
                "credit",
                (Input("BAMLH0A0HYM2", "log"),),
                "logarithm of the high-yield option-adjusted spread",
                "high-yield spread",
                "credit spreads wide: weighs on high yield and shares",
                "credit spreads tight: favours high yield and shares",
            ),
            Dimension(
                "inflation",
                (Input("CPIAUCSL", "log", growth=12, max_age=MONTHLY), Input("T10YIE")),
                "growth of consumer prices over a year, and ten-year break-even inflation",
                "inflation",
                "inflation high: weighs on nominal bonds, favours commodities",
                "inflation low: favours nominal bonds, weighs on commodities",
            ),
            Dimension(
                "labour",
                (
                    Input("ICSA", "log", change=12, max_age=WEEKLY),
                    Input("UNRATE", change=12, max_age=MONTHLY),
                ),
                "growth of initial claims and change of unemployment over a year",
                "slack in the labour market",
                "labour market weakening: weighs on shares, favours government bonds",
                "labour market tightening: favours shares",
            ),
            Dimension(
                "conditions",
                (Input("NFCI", max_age=WEEKLY),),
                "national financial conditions index",
                "financial conditions",
                "financial conditions tight: weighs on risky assets",
                "financial conditions loose: favours risky assets",
            ),
            Dimension(
                "policy",
                (Input("EFFR", change=12, instead="FEDFUNDS"),),
                "change of the federal funds rate over a year",
                "policy rate",
                "policy has tightened: weighs on bonds and shares",
                "policy has eased: favours bonds and shares",
            ),
            Dimension(
                "dollar",
                (Input("AUDUSD", "log", change=3, sign=-1),),
                "fall of the Australian dollar against the US dollar over three months",
                "US dollar",
                "dollar strong: weighs on emerging markets and commodities",
                "dollar weak: favours emerging markets and commodities",
            ),
            Dimension(
                GEOPOLITICS,
                (Input("GPR", "mean_log"),),
                "logarithm of the geopolitical risk index, mean of 30 days",
                "geopolitical risk",
                "geopolitical risk high: weighs on emerging markets, favours gold and government bonds",
                "geopolitical risk low: favours emerging markets",
            ),
        )
    }
)
"""By name. Positive is: yields up, curve steep, spreads wide, inflation high, labour weak, conditions tight, policy tighter,
dollar strong, risk high."""

MACRO: tuple[str, ...] = tuple(name for name in DIMENSIONS if name != GEOPOLITICS)
"""Dimensions behind `macro_multiplier`."""

FALLBACK_AGE = MONTHLY
"""Age at which a series that stands in for another counts as unknown. [calendar days]"""
