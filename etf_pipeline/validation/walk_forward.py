"""Walk-forward windows and inner folds, purged by the end of each label.

::

    session      0 ............ 755 | 756 ......... 1007 | 1008 ....
    window 0     train, purged      | forecasts          |
    window 1     train, purged                           | forecasts

Boundaries count from the first session: sessions that arrive later lengthen the last window or open a new one, and move none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.errors import DataError, SettingsError

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class WalkForwardParameters:
    """How history is cut.

    Attributes
    ----------
    first_train : int
        Sessions before the first forecast. [sessions]
    step : int
        Length of a test window. [sessions]
    max_train : int
        Longest training span: windows roll once history exceeds it; 0 lets them expand. [sessions]
    label_sessions : int
        Sessions from a forecast to the end of its label. [sessions]
    embargo : int
        Sessions left out besides, between the end of a training label and the test. [sessions]
    """

    first_train: int = 756
    step: int = 252
    max_train: int = 0
    label_sessions: int = 22
    embargo: int = 5


@dataclass(frozen=True)
class Window:
    """One walk-forward window; positions refer to the sessions it was cut from.

    Attributes
    ----------
    number : int
        From 0.
    train_start, train_stop : int
        Training sessions are ``[train_start, train_stop)``; each one's label ended before the test began.
    test_start, test_stop : int
        Forecast sessions are ``[test_start, test_stop)``.
    """

    number: int
    train_start: int
    train_stop: int
    test_start: int
    test_stop: int


@dataclass(frozen=True)
class Fold:
    """One inner fold: positions to fit on and positions to judge on."""

    train: Positions
    test: Positions


def walk_forward(sessions: pd.DatetimeIndex, parameters: WalkForwardParameters | None = None) -> list[Window]:
    """Cut sessions into windows that each train on the past alone.

    Parameters
    ----------
    sessions : DatetimeIndex of shape (n_sessions,)
        Sorted and unique.

    Returns
    -------
    list of Window
        In order; the last may be shorter. The last training label of each ends more than `embargo` sessions before the test.

    Raises
    ------
    DataError
        If no session is left to forecast.
    SettingsError
        If the first training span is empty once purged.

    Examples
    --------
    >>> days = pd.date_range("2020-01-01", periods=30)
    >>> for window in walk_forward(days, WalkForwardParameters(10, 10, label_sessions=3, embargo=1)):
    ...     print(window)
    Window(number=0, train_start=0, train_stop=6, test_start=10, test_stop=20)
    Window(number=1, train_start=0, train_stop=16, test_start=20, test_stop=30)
    """
    p = parameters or WalkForwardParameters()
    if not (sessions.is_monotonic_increasing and sessions.is_unique):
        raise DataError("walk_forward needs sorted, unique sessions; these are not. Pass a panel's `sessions`.")
    lost = p.label_sessions + p.embargo
    if p.first_train <= lost or p.step < 1:
        raise SettingsError(
            f"walk_forward needs first_train above label_sessions + embargo = {lost} and a positive step; "
            f"found {p.first_train} and {p.step}."
        )
    if len(sessions) <= p.first_train:
        raise DataError(
            f"walk_forward needs more than first_train = {p.first_train} sessions; found {len(sessions)}. "
            "Load a longer history or shorten first_train."
        )
    windows = []
    for number, start in enumerate(range(p.first_train, len(sessions), p.step)):
        stop = start - lost
        first = max(0, stop - p.max_train) if p.max_train else 0
        windows.append(Window(number, first, stop, start, min(start + p.step, len(sessions))))
    return windows


def purged_folds(positions: Positions, n_folds: int, label_sessions: int, embargo: int) -> list[Fold]:
    """Contiguous folds of training positions; each is judged by a model that saw no label overlapping it.

    Parameters
    ----------
    positions : ndarray of shape (n,)
        Sorted session positions, possibly thinned.
    label_sessions : int
        A label of session s spans ``[s, s + label_sessions]``. [sessions]
    embargo : int
        Further sessions left out after the fold's last label. [sessions]

    Notes
    -----
    A session s is dropped from training where its span meets the fold's,
    ``s + label_sessions >= first`` and ``s <= last + label_sessions + embargo`` [1]_.

    References
    ----------
    .. [1] M. Lopez de Prado, Advances in Financial Machine Learning, Wiley 2018, chapter 7.

    Examples
    --------
    >>> [fold.train.tolist() for fold in purged_folds(np.arange(9), 3, 1, 0)]
    [[4, 5, 6, 7, 8], [0, 1, 7, 8], [0, 1, 2, 3, 4]]
    """
    folds = []
    for test in np.array_split(np.asarray(positions, dtype=np.int64), n_folds):
        if not len(test):
            raise DataError(f"purged_folds needs at least {n_folds} sessions; found {len(positions)}.")
        before = positions + label_sessions < test[0]
        after = positions > test[-1] + label_sessions + embargo
        train = positions[before | after]
        if not len(train):
            raise DataError(
                f"purged_folds leaves no session to fit the fold {test[0]}..{test[-1]} on: {len(positions)} sessions are too few "
                f"for labels of {label_sessions}. Lengthen the training span."
            )
        folds.append(Fold(train, test))
    return folds


def nested(window: Window, n_folds: int, label_sessions: int, embargo: int, *, min_train: int = 252) -> Iterator[Fold]:
    """Inner walk-forward folds for choosing settings, all inside one window's training span.

    Parameters
    ----------
    window : Window
        Its training span is already purged, so that no inner label reaches its test.
    n_folds : int
        Contiguous, near-equal test folds after the first `min_train` sessions.
    label_sessions, embargo : int
        As in `walk_forward`. [sessions]
    min_train : int
        Sessions before the first inner test, purged ones included. [sessions]

    Yields
    ------
    Fold
        Expanding: each is judged by a model of its own past alone, as the outer window is.

    Raises
    ------
    DataError
        If the training span is too short for the folds.

    Examples
    --------
    >>> for fold in nested(Window(0, 0, 12, 15, 20), 2, label_sessions=2, embargo=1, min_train=6):
    ...     print(fold.train, fold.test)
    [0 1 2] [6 7 8]
    [0 1 2 3 4 5] [ 9 10 11]
    """
    lost = label_sessions + embargo
    length = window.train_stop - window.train_start
    if min_train <= lost or length < min_train + n_folds:
        raise DataError(
            f"nested needs min_train above label_sessions + embargo = {lost} and {n_folds} sessions after it; window "
            f"{window.number} trains on {length} sessions with min_train = {min_train}. Lengthen first_train or use fewer folds."
        )
    for test in np.array_split(np.arange(window.train_start + min_train, window.train_stop), n_folds):
        yield Fold(np.arange(window.train_start, test[0] - lost), test)
