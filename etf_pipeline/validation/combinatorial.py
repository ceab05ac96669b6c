"""Combinatorial purged cross-validation: every choice of test folds once, and the backtest paths that they add up to.

::

    folds          0     1     2     3        choose 2 of 4: 6 splits, 3 paths
    split (0, 1)   test  test  train train    path 0 takes each fold from the first split that tests it,
    split (0, 2)   test  train test  train    path 1 from the second, ...

One history tells one walk-forward path; here each session is judged ``C(n, k) k / n`` times by models that never saw it, so
that a Sharpe ratio comes with a distribution [1]_. Training may lie after the test: it is a stress test of a model, not a
track record.

References
----------
.. [1] M. Lopez de Prado, Advances in Financial Machine Learning, Wiley 2018, chapter 12.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from etf_pipeline.errors import DataError, SettingsError
from etf_pipeline.validation.walk_forward import Positions

MOST_SPLITS = 10_000
"""More fits than this are a mistake in the settings, not a validation."""


@dataclass(frozen=True)
class CombinatorialParameters:
    """How history is cut.

    Attributes
    ----------
    n_folds : int
        Contiguous folds; the last takes the remainder.
    n_test_folds : int
        Folds tested at once.
    label_sessions : int
        Sessions from a forecast to the end of its label. [sessions]
    embargo : int
        Sessions left out besides, after a tested block's last label. [sessions]
    """

    n_folds: int = 10
    n_test_folds: int = 2
    label_sessions: int = 22
    embargo: int = 5

    @property
    def n_splits(self) -> int:
        """Ways to choose the test folds."""
        return math.comb(self.n_folds, self.n_test_folds)

    @property
    def n_paths(self) -> int:
        """Backtest paths: ``C(n, k) k / n``.

        Examples
        --------
        >>> CombinatorialParameters(6, 2).n_paths, CombinatorialParameters(10, 8).n_paths
        (5, 36)
        """
        return self.n_splits * self.n_test_folds // self.n_folds


@dataclass(frozen=True)
class CombinatorialSplit:
    """One choice of test folds.

    Attributes
    ----------
    train : ndarray
        Positions to fit on.
    tests : tuple of ndarray
        Positions of each tested fold, in order.
    folds, paths : tuple of int
        Number of each tested fold, and the path that it belongs to.
    """

    train: Positions
    tests: tuple[Positions, ...]
    folds: tuple[int, ...]
    paths: tuple[int, ...]


def combinatorial_purged(positions: Positions, parameters: CombinatorialParameters | None = None) -> list[CombinatorialSplit]:
    """Train and test positions of every choice of test folds.

    Parameters
    ----------
    positions : ndarray of shape (n,)
        Sorted session positions, possibly thinned.

    Returns
    -------
    list of CombinatorialSplit
        In lexical order of the test folds.

    Raises
    ------
    SettingsError
        If the folds make no sense.
    DataError
        If a split has nothing left to fit on.

    Notes
    -----
    A label of session s spans ``[s, s + label_sessions]``. A session is trained on unless it or its label meets the span
    ``[first - label_sessions, last + label_sessions + embargo]`` of a tested block; neighbouring test folds are one block.

    Examples
    --------
    >>> for split in combinatorial_purged(np.arange(12), CombinatorialParameters(3, 2, label_sessions=1, embargo=0)):
    ...     print(split.train, split.folds, split.paths)
    [ 9 10 11] (0, 1) (0, 0)
    [5 6] (0, 2) (1, 0)
    [0 1 2] (1, 2) (1, 1)
    """
    p = parameters or CombinatorialParameters()
    _check(p, len(positions))
    positions = np.asarray(positions, dtype=np.int64)
    size = len(positions) // p.n_folds
    fold_of = np.minimum(np.arange(len(positions)) // size, p.n_folds - 1)
    used = [0] * p.n_folds
    splits = []
    for chosen in itertools.combinations(range(p.n_folds), p.n_test_folds):
        train = positions[_left_to_train(positions, np.isin(fold_of, chosen), p)]
        if not len(train):
            raise DataError(
                f"combinatorial_purged leaves nothing to fit while folds {chosen} are tested: folds of {size} positions are too "
                f"short for labels of {p.label_sessions} and an embargo of {p.embargo}. Use fewer folds or a longer history."
            )
        tests = tuple(positions[fold_of == fold] for fold in chosen)
        splits.append(CombinatorialSplit(train, tests, chosen, tuple(used[fold] for fold in chosen)))
        for fold in chosen:
            used[fold] += 1
    return splits


def backtest_paths(
    splits: Sequence[CombinatorialSplit], outcomes: Sequence[Sequence[npt.NDArray[np.float64]]], positions: Positions
) -> npt.NDArray[np.float64]:
    """Put what each split said of its test folds together into whole paths.

    Parameters
    ----------
    splits : sequence of CombinatorialSplit
        As `combinatorial_purged` gives them.
    outcomes : sequence of sequence of ndarray
        Per split and tested fold, one value (or row of values) per position.
    positions : ndarray of shape (n,)
        What the splits were cut from.

    Returns
    -------
    ndarray of shape (n_paths, n) or (n_paths, n, ...)
        Each path judges every position once.
    """
    n_paths = 1 + max(path for split in splits for path in split.paths)
    out = np.full((n_paths, len(positions), *np.shape(outcomes[0][0])[1:]), np.nan)
    for split, told in zip(splits, outcomes, strict=True):
        for test, path, values in zip(split.tests, split.paths, told, strict=True):
            out[path, np.searchsorted(positions, test)] = values
    return out


def _left_to_train(positions: Positions, tested: npt.NDArray[np.bool_], p: CombinatorialParameters) -> npt.NDArray[np.bool_]:
    edges = np.diff(np.concatenate([[False], tested, [False]]).astype(np.int8))
    keep = ~tested
    for first, stop in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
        low = positions[first] - p.label_sessions
        high = positions[stop - 1] + p.label_sessions + p.embargo
        keep &= (positions < low) | (positions > high)
    return keep


def _check(p: CombinatorialParameters, n: int) -> None:
    if not 1 <= p.n_test_folds < p.n_folds or p.label_sessions < 0 or p.embargo < 0 or p.n_splits > MOST_SPLITS:
        raise SettingsError(
            f"combinatorial_purged needs 1 <= n_test_folds < n_folds, at most {MOST_SPLITS} splits and no "
            f"negative span; found {p}."
        )
    if n < p.n_folds:
        raise DataError(f"combinatorial_purged needs at least {p.n_folds} positions, one per fold; found {n}.")
