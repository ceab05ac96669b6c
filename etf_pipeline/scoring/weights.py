"""How much each part counts in each regime. A judgement, not an estimate: nothing here was fitted to a backtest.

In a bull market trend counts more; in a bear market risk and the ease of getting out count more, and momentum less, since it
crashes when markets turn (K. Daniel, T. Moskowitz, "Momentum crashes," J. Financial Economics 122 (2), 2016.
doi:10.1016/j.jfineco.2015.12.002). Each row sums to one; `unknown` is `sideways`.

========  ========  ========  ====  =========  ====
regime    forecast  momentum  risk  liquidity  cost
========  ========  ========  ====  =========  ====
bull      0.40      0.30      0.10  0.10       0.10
sideways  0.40      0.20      0.20  0.10       0.10
bear      0.35      0.10      0.30  0.15       0.10
unknown   0.40      0.20      0.20  0.10       0.10
========  ========  ========  ====  =========  ====
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PARTS = ("forecast", "momentum", "risk", "liquidity", "cost")
"""The parts of a score; risk and cost count against a fund."""

_ROWS: dict[str, tuple[float, ...]] = {
    "bull": (0.40, 0.30, 0.10, 0.10, 0.10),
    "sideways": (0.40, 0.20, 0.20, 0.10, 0.10),
    "bear": (0.35, 0.10, 0.30, 0.15, 0.10),
    "unknown": (0.40, 0.20, 0.20, 0.10, 0.10),
}

REGIME_WEIGHTS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {regime: MappingProxyType(dict(zip(PARTS, row, strict=True))) for regime, row in _ROWS.items()}
)
"""Weight of each part by regime."""
