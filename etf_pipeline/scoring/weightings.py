"""By what the weights follow the market: its state, the probability of stress, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.panel import Floats
from etf_pipeline.scoring.weights import SHARES


@dataclass(frozen=True)
class States:
    """What was known of the market at each session's close.

    Attributes
    ----------
    regime : ndarray of shape (n_sessions,)
        The rule's regime; `unknown` where it says none.
    days_in_state : ndarray of shape (n_sessions,)
        Sessions since it began, NaN where unknown. [sessions]
    stressed : ndarray of shape (n_sessions,)
        Filtered probability of the stressed state, NaN where unknown. [fraction]
    """

    regime: npt.NDArray[Any]
    days_in_state: Floats
    stressed: Floats

    @classmethod
    def of(cls, sessions: pd.DatetimeIndex, regimes: pd.DataFrame, probabilities: pd.DataFrame | None = None) -> States:
        """States of these sessions from the tables `regimes` and, where there is one, `regime_probabilities`."""
        n = len(sessions)
        told = regimes.set_index("session").reindex(sessions)
        stressed = probabilities.set_index("session")["stressed"].reindex(sessions) if probabilities is not None else None
        return cls(
            told["regime"].fillna("unknown").to_numpy(dtype=object), _numbers(told.get("days_in_state"), n), _numbers(stressed, n)
        )


def _numbers(values: pd.Series[Any] | None, n: int) -> Floats:
    """The values as floats; unknown where there is no such column."""
    return np.full(n, np.nan) if values is None else np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))


Table = Mapping[str, Floats]
Weighting = Callable[[States, Table], Floats]
"""``weighting(states, table) -> weights of shape (n_sessions, n_parts)``."""


def by_regime(states: States, table: Table) -> Floats:
    """The row of each session's regime."""
    names = list(table)
    return np.stack([table[name] for name in names])[[names.index(regime) for regime in states.regime]]


def blended(states: States, table: Table) -> Floats:
    """``(1 - p) * bull + p * bear`` by the probability of stress; `sideways` where that is unknown.

    A threshold turns a small change of the market into a large change of weights; a probability moves them in proportion.
    """
    p = states.stressed[:, None]
    return np.where(np.isnan(p), table["sideways"], (1.0 - p) * table["bull"] + p * table["bear"])


def fixed(states: States, table: Table) -> Floats:
    """The row of `sideways`, whatever the market does."""
    return np.tile(table["sideways"], (len(states.regime), 1))


def equal(states: States, table: Table) -> Floats:
    """The same share for every z-score; multipliers act as in `sideways`."""
    row = np.concatenate([np.full(len(SHARES), 1.0 / len(SHARES)), table["sideways"][len(SHARES) :]])
    return np.tile(row, (len(states.regime), 1))


WEIGHTINGS: Mapping[str, Weighting] = MappingProxyType({"regime": by_regime, "blend": blended, "fixed": fixed, "equal": equal})
"""Weightings by name."""
