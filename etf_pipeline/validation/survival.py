"""Kaplan-Meier: how many are still waiting after k sessions, when some were last seen still waiting."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats


@dataclass(frozen=True)
class SurvivalCurve:
    """Share still waiting, at every duration at which somebody stopped waiting.

    Attributes
    ----------
    time : ndarray of shape (n_times,)
        Ascending. [sessions]
    survival : ndarray of shape (n_times,)
        Share still waiting after it. [fraction]
    at_risk, events : ndarray of shape (n_times,)
        Seen waiting until then; of these, those who stopped. [count]
    standard_error : ndarray of shape (n_times,)
        Greenwood's, which takes trades for independent: too small under overlap. [fraction]
    """

    time: Floats
    survival: Floats
    at_risk: npt.NDArray[np.int64]
    events: npt.NDArray[np.int64]
    standard_error: Floats

    @property
    def median(self) -> float:
        """First duration by which half have stopped waiting; NaN if the curve never falls that far."""
        below = np.flatnonzero(self.survival <= 0.5 + 1e-12)
        return float(self.time[below[0]]) if len(below) else math.nan

    def at(self, duration: float) -> float:
        """Share still waiting after `duration` sessions."""
        place = int(np.searchsorted(self.time, duration, side="right"))
        return float(self.survival[place - 1]) if place else 1.0


def kaplan_meier(durations: Floats, events: npt.NDArray[np.bool_]) -> SurvivalCurve:
    """Product-limit estimate of the survival function.

    Parameters
    ----------
    durations : ndarray of shape (n,)
        Time until the event, or until last seen. [sessions]
    events : ndarray of shape (n,)
        Whether the event was seen; one censored at t was still at risk at t.

    Notes
    -----
    ``S(t) = prod_{t_i <= t} (1 - d_i / n_i)`` with Greenwood's variance ``S^2 sum d_i / (n_i (n_i - d_i))`` [1]_.

    References
    ----------
    .. [1] E. L. Kaplan, P. Meier, "Nonparametric estimation from incomplete observations," JASA 53 (282), 1958.
       doi:10.1080/01621459.1958.10501452

    Examples
    --------
    Of five, one stops after 1 session, two after 3, one is last seen at 2 and one at 4.

    >>> curve = kaplan_meier(np.array([1.0, 2, 3, 3, 4]), np.array([True, False, True, True, False]))
    >>> curve.time.tolist(), curve.survival.round(4).tolist(), curve.at_risk.tolist()
    ([1.0, 3.0], [0.8, 0.2667], [5, 3])
    """
    durations, events = np.asarray(durations, dtype=np.float64), np.asarray(events, dtype=np.bool_)
    if not len(durations) or np.isnan(durations).any() or durations.shape != events.shape:
        raise DataError(
            f"kaplan_meier needs known durations with an event flag each; found {durations.shape} and {events.shape}."
        )
    values, place = np.unique(durations, return_inverse=True)
    seen, ended = np.bincount(place), np.bincount(place[events], minlength=len(values))
    waiting = len(durations) - np.cumsum(seen) + seen
    time, stopped, at_risk = values[ended > 0], ended[ended > 0], waiting[ended > 0]
    survival = np.cumprod(1.0 - stopped / at_risk, dtype=np.float64)
    left = at_risk - stopped
    terms = np.divide(stopped, at_risk * left, out=np.zeros(len(time)), where=left > 0)
    error = np.where(left > 0, survival * np.sqrt(np.cumsum(terms)), np.nan)
    return SurvivalCurve(time, survival, at_risk.astype(np.int64), stopped.astype(np.int64), error)
