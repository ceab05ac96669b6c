"""The features: every group with the kernel that computes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from etf_pipeline.features import comovement, holding, intraday, liquidity, moments, momentum, trend
from etf_pipeline.features.bars import Bars
from etf_pipeline.features.feature import Feature
from etf_pipeline.panel import Floats


@dataclass(frozen=True)
class Group:
    """Features that one pass over the bars computes together.

    Attributes
    ----------
    features : dict of str to Feature
        By column name, in the order of the rows that `compute` fills.
    compute : callable
        ``(bars, out) -> None`` with `out` of shape (n_features, n_bars).
    """

    features: dict[str, Feature]
    compute: Callable[[Bars, Floats], None]


GROUPS: tuple[Group, ...] = tuple(
    Group(module.FEATURES, module.compute) for module in (momentum, moments, trend, comovement, liquidity, intraday, holding)
)
"""A new feature is a line and a formula in its group's module, and a column in `schemas.features`."""

FEATURES: dict[str, Feature] = {name: feature for group in GROUPS for name, feature in group.features.items()}
"""Every feature by its column name."""

LOOKBACK = max(feature.lookback for feature in FEATURES.values())
"""Earlier bars of a fund that decide its features of a session. [sessions]"""


def matrix(bars: Bars) -> Floats:
    """Every feature at every bar, of shape (n_features, n_bars), in the order of `FEATURES`; unknown before its lookback."""
    out = np.empty((len(FEATURES), len(bars.index)))
    row = 0
    for group in GROUPS:
        group.compute(bars, out[row : row + len(group.features)])
        row += len(group.features)
    return out


def evaluate(bars: Bars) -> dict[str, Floats]:
    """Every feature at every bar, by name."""
    return dict(zip(FEATURES, matrix(bars), strict=True))
