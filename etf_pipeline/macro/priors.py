"""What a sub-class should answer to a shock before any return is seen: the plan's multiples, with signs.

A sensitivity is in standard deviations of a fund's monthly return per standard deviation of a dimension's shock: the correlation
that its returns are expected to have, so that bonds and shares are comparable. `UNIT` is a weak one, and each number below a
multiple of it. The plan has bonds at 1.5 times rates, emerging markets at 1.3 to 2.0 times geopolitics and currency, domestic
large companies at 0.8 times. Signs follow what the dimensions mean (`dimensions.DIMENSIONS`): a positive one gains when yields
rise, the curve steepens, spreads widen, inflation rises, labour weakens, conditions tighten, policy tightens, the dollar rises
or geopolitical risk rises.

These are judgements and not estimates: regression moves them as far as its errors allow (`sensitivities`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from etf_pipeline.macro.classes import BUCKETS

UNIT = 0.2
"""Sensitivity of a multiple of one."""

_ORDER = ("rates", "curve", "credit", "inflation", "labour", "conditions", "policy", "dollar", "geopolitics")
_SHARES = (0.0, 0.0, -1.0, -0.5, -0.5, -1.0, -0.5, -0.5, -1.0)


def _times(multiple: float, row: tuple[float, ...] = _SHARES) -> tuple[float, ...]:
    return tuple(multiple * value for value in row)


_ROWS: dict[str, tuple[float, ...]] = {
    "domestic_large": _times(0.8),
    "domestic_small": _SHARES,
    "domestic_sector": _SHARES,
    "developed_equity": (0.0, 0.0, -1.0, -0.5, -0.5, -1.0, -0.5, -1.0, -1.0),
    "emerging_equity": (0.0, 0.0, -1.0, -0.5, -0.5, -1.0, -0.5, -2.0, -1.3),
    "global_equity": (0.0, 0.0, -1.0, -0.5, -0.5, -1.0, -0.5, -0.8, -1.0),
    "precious_metal_shares": (-0.5, 0.0, -0.5, 0.5, 0.0, -0.5, -0.5, -1.3, 0.5),
    "energy_shares": (0.5, 0.0, -1.0, 0.8, -0.5, -1.0, -0.5, -0.8, 0.0),
    "unplaced_equity": _SHARES,
    "government": (-1.5, 0.0, 0.5, -1.0, 0.5, 0.3, -1.0, 0.0, 0.5),
    "inflation_linked": (-1.5, 0.0, -0.3, 0.5, 0.0, -0.3, -1.0, -0.3, 0.0),
    "investment_grade": (-1.5, 0.0, -0.5, -0.8, 0.0, -0.5, -1.0, -0.3, 0.0),
    "municipal": (-1.5, 0.0, -0.5, -0.8, 0.0, -0.5, -1.0, 0.0, 0.0),
    "high_yield": (-0.3, 0.0, -1.5, -0.3, -0.5, -1.0, -0.5, -0.5, -0.8),
    "emerging_bond": (-1.0, 0.0, -1.3, -0.5, -0.3, -1.0, -0.8, -1.3, -1.3),
    "unplaced_bond": (-1.5, 0.0, -0.5, -0.5, 0.0, -0.5, -1.0, -0.3, 0.0),
    "precious_metal": (-0.8, 0.0, 0.0, 0.8, 0.0, 0.0, -0.5, -1.3, 1.0),
    "other_commodity": (0.3, 0.0, -0.5, 1.0, -0.5, -0.5, 0.0, -1.0, 0.5),
    "real_estate": (-0.8, 0.0, -1.0, -0.3, -0.5, -1.0, -0.8, -0.3, -0.5),
    "home_currency": (0.3, 0.0, 0.3, 0.0, 0.0, 0.3, 0.3, 1.5, 0.3),
    "foreign_currency": (0.0, 0.0, -0.3, 0.0, 0.0, -0.3, 0.0, -1.5, -0.3),
    "alternative": _times(0.5),
    "inverse": _times(-1.0),
    "unknown": _times(0.0),
}

PRIORS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {name: MappingProxyType({d: UNIT * v for d, v in zip(_ORDER, row, strict=True)}) for name, row in _ROWS.items()}
)
"""Prior sensitivity of each sub-class to each dimension."""

RATE_SENSITIVE = ("rates", "policy")
"""Dimensions whose prior grows with a bond fund's duration."""


RESERVE = "USD"
"""Currency in which the priors count returns: whose rise the dimension `dollar` is."""


def prior(sub_class: str, bucket: str | None, dimension: str, home: str = RESERVE) -> float:
    """Prior sensitivity of a fund.

    Parameters
    ----------
    sub_class : str
        One of `classes.SUB_CLASSES`.
    bucket : str or None
        Duration bucket of a bond fund: its answer to rates is that of its sub-class times duration over the intermediate one,
        at most 4/3 of it, since a correlation is bounded where a loss is not. An inverse fund with one is short government bonds.
    dimension : str
        One of `dimensions.DIMENSIONS`.
    home : str
        Currency of the main exchange. A dollar that rises takes from foreign funds what they are worth in dollars, and adds to
        what they are worth elsewhere: where returns are counted in another currency nothing is presumed, and regression tells.

    Examples
    --------
    >>> round(prior("government", "intermediate", "rates"), 6), round(prior("government", "long", "rates"), 6)
    (-0.3, -0.4)
    >>> round(prior("emerging_equity", None, "geopolitics") / prior("domestic_sector", None, "geopolitics"), 6)
    1.3
    >>> prior("emerging_equity", None, "dollar"), prior("emerging_equity", None, "dollar", "AUD")
    (-0.4, 0.0)
    """
    if dimension == "dollar" and home != RESERVE:
        return 0.0
    if sub_class == "inverse" and bucket is not None:
        return -prior("government", bucket, dimension, home)
    value = PRIORS[sub_class][dimension]
    if bucket is None or dimension not in RATE_SENSITIVE:
        return value
    return value * min(BUCKETS[bucket] / BUCKETS["intermediate"], 4.0 / 3.0)
