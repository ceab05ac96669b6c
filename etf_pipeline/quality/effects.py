"""What corporate actions do to the bars, and which of two sources' actions counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline.panel import Floats
from etf_pipeline.quality.bars import Bars, Flags, Ints, days_of
from etf_pipeline.quality.parameters import QualityParameters

SAME_AMOUNT = 0.02
"""Amounts of two sources this close together are one dividend, or one ratio, rounded differently. [fraction]"""


@dataclass(frozen=True)
class Effects:
    """Splits and dividends by the row at which they take effect: the first from the ex-date on at whose close they were known.

    Attributes
    ----------
    events : DataFrame of shape (n_actions, n_columns)
        Rows of `stg_actions`, sorted by ticker, ex-date, kind and source, with the plain index.
    row : ndarray of shape (n_actions,)
        Row of each action, or -1 where it has none yet.
    repeats : ndarray of shape (n_actions,)
        Action of another source that each repeats, or -1.
    at : ndarray of shape (n_effects,)
        Rows with a split or a dividend, ascending.
    split, dividend : ndarray of shape (n_effects,)
        New shares per old, and cash per share.
    place : ndarray of shape (n_actions,)
        Number of the effect that an action belongs to, or -1.
    """

    events: pd.DataFrame
    row: Ints
    repeats: Ints
    at: Ints
    split: Floats
    dividend: Floats
    place: Ints

    @classmethod
    def of(cls, bars: Bars, actions: pd.DataFrame, parameters: QualityParameters) -> Effects:
        """Place every action and leave repeats out of what takes effect."""
        events = actions.sort_values(["ticker", "ex_date", "kind", "source"], kind="stable").reset_index(drop=True)
        row = bars.effect_rows(events)
        repeats = _repeats(events, row, parameters)
        kind, value = events["kind"].to_numpy(dtype=object), events["value"].to_numpy(dtype=np.float64)
        splits, paid = kind == "split", kind == "dividend"
        counts = (row >= 0) & (repeats < 0) & (value > 0) & (splits | paid)
        at = np.unique(row[counts])
        place = np.where(counts, np.searchsorted(at, row), -1)
        split, dividend = np.ones(len(at)), np.zeros(len(at))
        np.multiply.at(split, place[counts & splits], value[counts & splits])
        np.add.at(dividend, place[counts & paid], value[counts & paid])
        return cls(events, row, repeats, at, split, dividend, place)

    @property
    def kind(self) -> Any:
        """What each action does."""
        return self.events["kind"].to_numpy(dtype=object)

    @property
    def value(self) -> Floats:
        """Ratio or amount of each action."""
        return self.events["value"].to_numpy(dtype=np.float64)


def source_ranks(names: Any, order: tuple[str, ...]) -> Ints:
    """Place of each source in an order of name beginnings; those that none matches come last."""
    places = [next((k for k, prefix in enumerate(order) if str(name).startswith(prefix)), len(order)) for name in names]
    return np.array(places, dtype=np.int64)


def _repeats(events: pd.DataFrame, row: Ints, parameters: QualityParameters) -> Ints:
    """For each action that another source gave before (known at an earlier row, or preferred at the same): that action, else -1.

    The same day repeats whatever the amount; a nearby day only with the same amount.
    """
    out = np.full(len(events), -1, dtype=np.int64)
    close = _near_another(events, row, parameters.repeat_days)
    if not close.any():
        return out
    day, value = days_of(events["ex_date"]), events["value"].to_numpy(dtype=np.float64)
    source = events["source"].to_numpy(dtype=object)
    ranks = source_ranks(source, parameters.source_order)
    groups = events[close].groupby(["ticker", "kind"], sort=False).indices
    rows = np.flatnonzero(close)
    for members in groups.values():
        mine = rows[members]
        kept: list[int] = []
        for i in mine[np.lexsort((np.arange(len(mine)), ranks[mine], row[mine]))].tolist():
            same = [k for k in kept if source[k] != source[i] and _same(day, value, i, k, parameters.repeat_days)]
            if same:
                out[i] = min(same, key=lambda k: abs(int(day[k] - day[i])))
            else:
                kept.append(i)
    return out


def _near_another(events: pd.DataFrame, row: Ints, days: int) -> Flags:
    """Actions that take effect and lie close to one of the same kind: the few worth comparing."""
    ordered = events.assign(_day=days_of(events["ex_date"]), _i=np.arange(len(events)))[row >= 0]
    ordered = ordered.sort_values(["ticker", "kind", "_day"], kind="stable")
    same = (ordered["ticker"] == ordered["ticker"].shift()) & (ordered["kind"] == ordered["kind"].shift())
    near = same & (ordered["_day"].diff() <= days)
    flags = np.zeros(len(events), dtype=bool)
    flags[ordered["_i"].to_numpy()[(near | near.shift(-1, fill_value=False)).to_numpy()]] = True
    return flags


def _same(day: Ints, value: Floats, i: int, k: int, days: int) -> bool:
    if day[i] == day[k]:
        return True
    return bool(abs(day[i] - day[k]) <= days and abs(value[i] - value[k]) <= SAME_AMOUNT * max(value[i], value[k]))
