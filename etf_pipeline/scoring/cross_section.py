"""Figures within each group of a long array: z-scores, ranks and sums of millions of rows without a loop over sessions.

Sums go through `np.bincount`, which adds row by row. A group's figure depends on its own rows and their order alone, so that a
night that computes one session gets the bits that computing all of history gives; a sum along an axis would not promise that.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt

from etf_pipeline.panel import Floats

Places = npt.NDArray[np.intp]


def sums(values: Floats, groups: Places, n_groups: int) -> Floats:
    """Sum of each group over rows that are known. Shape (n_groups,)."""
    return cast(Floats, np.bincount(groups, weights=np.where(np.isnan(values), 0.0, values), minlength=n_groups))


def means(values: Floats, groups: Places, n_groups: int) -> Floats:
    """Mean of each group over rows that are known; unknown where there is none. Shape (n_groups,)."""
    count = counts(values, groups, n_groups)
    return np.where(count > 0, sums(values, groups, n_groups) / np.maximum(count, 1.0), np.nan)


def counts(values: Floats, groups: Places, n_groups: int) -> Floats:
    """Known rows of each group. Shape (n_groups,)."""
    return sums(np.where(np.isnan(values), np.nan, 1.0), groups, n_groups)


def standardised(values: Floats, groups: Places, n_groups: int, winsor: float) -> Floats:
    """Z-score within each group (ddof 0), clipped; 0 where all are equal, unknown where the value is.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        Infinite values are unknown.
    groups : ndarray of shape (n_rows,)
        Group of each row, from 0.
    winsor : float
        Largest absolute z-score.

    Notes
    -----
    Deviations are divided by the largest of their group before they are squared: neither huge nor tiny units overflow.

    Examples
    --------
    >>> standardised(np.array([1.0, 3.0, 7.0]), np.array([0, 0, 1]), 2, 3.0).tolist()
    [-1.0, 1.0, 0.0]
    """
    known = np.where(np.isfinite(values), values, np.nan)
    centred = known - means(known, groups, n_groups)[groups]
    reach, size = _largest(centred, groups, n_groups), _largest(known, groups, n_groups)
    differ = reach > 1e-12 * size  # what remains below is rounding of equal values
    unit = centred / np.where(differ, reach, np.inf)[groups]
    deviation = np.sqrt(means(unit**2, groups, n_groups))
    return np.clip(unit / np.where(differ, deviation, 1.0)[groups], -winsor, winsor)


def descending_ranks(values: Floats, groups: Places) -> npt.NDArray[np.int64]:
    """Rank within each group from 1, the largest; of equal values the earlier row ranks first.

    Examples
    --------
    >>> descending_ranks(np.array([0.1, 0.5, 0.1, 9.0]), np.array([0, 0, 0, 1])).tolist()
    [2, 1, 3, 1]
    """
    order = _order(-values, groups)
    ranks = np.empty(len(values), dtype=np.int64)
    ranks[order] = np.arange(len(values)) - _starts(groups[order]) + 1
    return ranks


def mean_ranks(values: Floats, groups: Places) -> Floats:
    """Rank within each group from 1, the smallest; equal values share their mean rank. Values must be known.

    Examples
    --------
    >>> mean_ranks(np.array([5.0, 7.0, 5.0]), np.array([0, 0, 0])).tolist()
    [1.5, 3.0, 1.5]
    """
    order = _order(values, groups)
    n = len(values)
    inside = groups[order]
    new = np.ones(n, dtype=bool)
    new[1:] = (values[order][1:] != values[order][:-1]) | (inside[1:] != inside[:-1])
    first = np.flatnonzero(new)
    after = np.append(first[1:], n)
    tie = np.cumsum(new) - 1
    ranks = np.empty(n)
    ranks[order] = ((first + after - 1) / 2.0)[tie] - _starts(inside) + 1.0
    return ranks


def _largest(values: Floats, groups: Places, n_groups: int) -> Floats:
    out = np.zeros(n_groups)
    np.fmax.at(out, groups, np.abs(values))
    return out


def _order(values: Floats, groups: Places) -> Places:
    """Rows by group, within it by value, equal ones as they come. Two stable sorts; the second counts digits and is quick."""
    order = np.argsort(values, kind="stable")
    few = groups.size > 0 and groups.max() < 2**15
    inside = groups[order].astype(np.int16 if few else np.intp)
    return order[np.argsort(inside, kind="stable")]


def _starts(ordered: Places) -> Places:
    """Position at which the group of each row begins, rows in order of group."""
    new = np.ones(len(ordered), dtype=bool)
    new[1:] = ordered[1:] != ordered[:-1]
    return cast(Places, np.flatnonzero(new)[np.cumsum(new) - 1])
