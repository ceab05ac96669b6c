"""One palette for every chart: the pictures in the Dagster UI and the report in light and dark."""

from __future__ import annotations

from typing import Final

INK: Final = "#1d2733"
MUTED: Final = "#5d6b7a"
GRID: Final = "#e3e7ec"
PAPER: Final = "#ffffff"

SERIES: Final = (
    "#1f6fb4",
    "#d97706",
    "#0f8b7d",
    "#b4324a",
    "#7353ba",
    "#5b8c2a",
    "#c0508f",
    "#3f97c9",
    "#a67c1a",
    "#3b5b92",
    "#d96f5d",
    "#4aa87f",
)
"""Lines and bars on white, in this order; neighbours differ in lightness too, for readers who do not see red and green."""

SERIES_DARK: Final = (
    "#6db3f2",
    "#f5a94a",
    "#4fd1bf",
    "#f08296",
    "#b69cf0",
    "#a4d46b",
    "#f19bcb",
    "#8ccdf0",
    "#dcb65a",
    "#93b0e6",
    "#f5a597",
    "#84dab4",
)
"""The same order on a dark page."""

REST: Final = "#c3cad3"
"""Everything that has no colour of its own: other funds, cash, the unknown."""

REGIME: Final = {"bull": "#cfe9d9", "bear": "#f6cfd0", "sideways": "#e9ebee", "unknown": "#ffffff"}
SEVERITY: Final = {"info": "#9db4cc", "warning": "#e0a030", "error": "#b4324a"}


def colour(place: int) -> str:
    """The series colour of a place; the palette starts again after its end."""
    return SERIES[place % len(SERIES)]
