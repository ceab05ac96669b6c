"""How much each part counts in each regime. A judgement, not an estimate: nothing here was fitted to a backtest.

In a bull market trend counts more; in a bear market risk and the ease of getting out count more, and momentum less, since it
crashes when markets turn (K. Daniel, T. Moskowitz, "Momentum crashes," J. Financial Economics 122 (2), 2016.
doi:10.1016/j.jfineco.2015.12.002). The five shares of a row sum to one; `unknown` is `sideways`. The weights of the two
multipliers are exponents: at 1 a multiplier acts in full, at 0 not at all.

========  ========  ========  ====  =========  ====  =====  ====
regime    forecast  momentum  risk  liquidity  cost  macro  geo
========  ========  ========  ====  =========  ====  =====  ====
bull      0.40      0.30      0.10  0.10       0.10  1.00   1.00
sideways  0.40      0.20      0.20  0.10       0.10  1.00   1.00
bear      0.35      0.10      0.30  0.15       0.10  1.00   1.00
unknown   0.40      0.20      0.20  0.10       0.10  1.00   1.00
========  ========  ========  ====  =========  ====  =====  ====
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from etf_pipeline.errors import SettingsError
from etf_pipeline.panel import Floats

SHARES = ("forecast", "momentum", "risk", "liquidity", "cost")
"""Parts that are z-scores; risk and cost count against a fund."""

MULTIPLIERS = ("macro", "geo")
"""Parts that are logarithms of multipliers."""

PARTS = (*SHARES, *MULTIPLIERS)
"""The parts of a score, in the order in which they are added."""

_ROWS: dict[str, tuple[float, ...]] = {
    "bull": (0.40, 0.30, 0.10, 0.10, 0.10, 1.0, 1.0),
    "sideways": (0.40, 0.20, 0.20, 0.10, 0.10, 1.0, 1.0),
    "bear": (0.35, 0.10, 0.30, 0.15, 0.10, 1.0, 1.0),
    "unknown": (0.40, 0.20, 0.20, 0.10, 0.10, 1.0, 1.0),
}

REGIME_WEIGHTS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {regime: MappingProxyType(dict(zip(PARTS, row, strict=True))) for regime, row in _ROWS.items()}
)
"""Weight of each part by regime."""

WORD = re.compile(r"\s*([a-z]+)\s*:\s*([a-z]+)\s*=\s*(\S+)\s*")


def weight_table(own: Sequence[str] = ()) -> dict[str, Floats]:
    """Weights by regime, in the order of `PARTS`: the judged ones, with a user's own in their place.

    Parameters
    ----------
    own : sequence of str
        ``regime:part=weight``. What is not named stays; `unknown` follows `sideways` unless it is named itself.

    Returns
    -------
    dict of str to ndarray of shape (n_parts,)

    Raises
    ------
    SettingsError
        If a word cannot be read, names no regime or part, is given twice, is negative, or the shares of a regime do not
        sum to one.

    Examples
    --------
    >>> weight_table(["bear:forecast=0.25", "bear:risk=0.40"])["bear"].tolist()
    [0.25, 0.1, 0.4, 0.15, 0.1, 1.0, 1.0]
    """
    given = [_read(word) for word in own]
    places = [place for place, _ in given]
    twice = sorted({f"{regime}:{part}" for regime, part in places if places.count((regime, part)) > 1})
    if twice:
        raise SettingsError(f"weights need each part of a regime once; {', '.join(twice)} came twice. Keep one of them.")
    made = {regime: dict(row) for regime, row in REGIME_WEIGHTS.items()}
    for (regime, part), weight in given:
        made[regime][part] = weight
    if not any(regime == "unknown" for regime, _ in places):
        made["unknown"] = dict(made["sideways"])
    for regime, row in made.items():
        _sums_to_one(regime, row)
    return {regime: np.array([row[part] for part in PARTS]) for regime, row in made.items()}


def _read(word: str) -> tuple[tuple[str, str], float]:
    """Regime, part and weight of one word."""
    found = WORD.fullmatch(word)
    if found is None:
        raise SettingsError(f"a weight needs the form 'regime:part=weight'; found '{word}'. Write for example 'bear:risk=0.4'.")
    regime, part, number = found.groups()
    if regime not in REGIME_WEIGHTS or part not in PARTS:
        raise SettingsError(f"weights need a regime of {', '.join(_ROWS)} and a part of {', '.join(PARTS)}; found '{word}'.")
    try:
        weight = float(number)
    except ValueError:
        weight = math.nan
    if not 0.0 <= weight < math.inf:
        raise SettingsError(f"a weight needs a number of at least 0; found '{word}'. Risk and cost count against by themselves.")
    return (regime, part), weight


def _sums_to_one(regime: str, row: Mapping[str, float]) -> None:
    total = math.fsum(row[part] for part in SHARES)
    if abs(total - 1.0) > 1e-9:
        shares = ", ".join(f"{part} {row[part]:g}" for part in SHARES)
        raise SettingsError(
            f"the shares of regime '{regime}' need to sum to one; found {total:g} ({shares}). Change the others with it."
        )
