"""Shocks: by how much a factor moves, and in which unit.

A factor is what people name when they speak of a shock: shares, a yield, a spread, a price, the VIX. `FACTORS` says in which
units each may be written and what it counts in inside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from etf_pipeline.conventions import PERCENT
from etf_pipeline.errors import SettingsError

FRACTION, BASIS_POINTS, POINTS = "fraction", "bp", "points"

UNITS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        FRACTION: {"fraction": 1.0, "percent": PERCENT, "%": PERCENT},
        BASIS_POINTS: {"bp": 1.0, "bps": 1.0, "percentage_points": 100.0},
        POINTS: {"points": 1.0},
    }
)
"""Units that a shock may be written in, by the unit that is counted in, and how many of the latter each is."""


@dataclass(frozen=True)
class Factor:
    """What may be shocked.

    Attributes
    ----------
    title : str
        In words.
    unit : str
        Unit that it counts in: `fraction` of its price, `bp` of a yield or spread, index `points`.
    smallest, largest : float
        Shocks outside of these are slips of the pen. [unit]
    """

    title: str
    unit: str
    smallest: float
    largest: float


FACTORS: Mapping[str, Factor] = MappingProxyType(
    {
        "equity": Factor("return of the home share market", FRACTION, -0.95, 2.0),
        "rates": Factor("change of the ten-year Treasury yield", BASIS_POINTS, -1500.0, 1500.0),
        "credit": Factor("change of the high-yield option-adjusted spread", BASIS_POINTS, -2500.0, 2500.0),
        "commodity": Factor("return of a broad commodity fund", FRACTION, -0.95, 3.0),
        "gold": Factor("return of gold", FRACTION, -0.95, 3.0),
        "oil": Factor("return of an oil fund", FRACTION, -0.99, 5.0),
        "dollar": Factor("return of the dollar against other currencies", FRACTION, -0.6, 1.0),
        "vix": Factor("change of the VIX", POINTS, -80.0, 120.0),
    }
)
"""Factors by name."""


@dataclass(frozen=True)
class Shock:
    """One factor's move.

    Attributes
    ----------
    factor : str
        A key of `FACTORS`.
    size : float
        In the factor's own unit; see `Shock.told` for others.
    """

    factor: str
    size: float

    @classmethod
    def told(cls, factor: str, size: float, unit: str, where: str = "a shock") -> Shock:
        """A shock as people write it.

        Raises
        ------
        SettingsError
            If the factor is unknown, the unit is none of its own, or the size is beyond reason.

        Examples
        --------
        >>> Shock.told("equity", -20, "percent")
        Shock(factor='equity', size=-0.2)
        >>> Shock.told("rates", 2, "percentage_points").size
        200.0
        """
        if factor not in FACTORS:
            raise SettingsError(f"{where}: factor is one of {', '.join(FACTORS)}; found '{factor}'.")
        known = FACTORS[factor]
        if unit not in UNITS[known.unit]:
            raise SettingsError(f"{where}, {factor}: unit is one of {', '.join(UNITS[known.unit])}; found '{unit}'.")
        found = size * UNITS[known.unit][unit]
        if not known.smallest <= found <= known.largest:
            raise SettingsError(
                f"{where}, {factor}: {known.title} between {known.smallest:g} and {known.largest:g} {known.unit}; "
                f"found {size:g} {unit}. Is it the right unit?"
            )
        return cls(factor, found)
