"""Many regressions at once: each column of returns on one shock, both in their own standard deviations, with HAC errors.

One at a time `regression.ols` gives the same numbers; a universe of thousands needs them a thousand times faster.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from etf_pipeline.panel import Floats

Counts = npt.NDArray[np.int64]


def standardised_slopes(targets: Floats, shock: Floats, *, scaled: bool = True) -> tuple[Floats, Floats, Counts]:
    """Slope of each standardised target on the standardised shock.

    Parameters
    ----------
    targets : ndarray of shape (n_months, n_targets)
        Returns; unknown ones are left out of their own regression.
    shock : ndarray of shape (n_months,)
        Shock of the same months.
    scaled : bool, default True
        Whether targets are scaled to a deviation of one; a mean of targets that already were is not.

    Returns
    -------
    slopes, errors : ndarray of shape (n_targets,)
        Standard deviations of the target per standard deviation of the shock: their correlation. Unknown where fewer than three
        months are known or one of the two never moves, and no further from zero than one: a mean of targets that were scaled over
        spans of their own can move more than each of them. Errors are Newey and West's with ``n / (n - 2)`` and
        ``floor(4 (n / 100)^(2/9))`` lags, given the two scales.
    counts : ndarray of shape (n_targets,)
        Months known.
    """
    known = np.isfinite(targets) & np.isfinite(shock)[:, None]
    n = known.sum(axis=0)
    y = _standardised(targets, known, n) * (1.0 if scaled else _deviations(targets, known, n))
    x = _standardised(np.broadcast_to(shock[:, None], targets.shape), known, n)
    with np.errstate(invalid="ignore", divide="ignore"):
        slopes = (x * y).sum(axis=0) / n
        variance = _long_run(x * (y - slopes * x), n) / (n * (n - 2.0))
    valid = (n > 2) & np.isfinite(slopes)
    return np.where(valid, np.clip(slopes, -1.0, 1.0), np.nan), np.where(valid, np.sqrt(np.maximum(variance, 0.0)), np.nan), n


def _standardised(values: Floats, known: npt.NDArray[np.bool_], n: Counts) -> Floats:
    """Mean zero and deviation one (ddof 0) of the known values of each column; zero elsewhere, unknown where nothing moves."""
    with np.errstate(invalid="ignore", divide="ignore"):
        filled = np.where(known, values, 0.0)
        centred = np.where(known, filled - filled.sum(axis=0) / n, 0.0)
        scale = _deviations(values, known, n)
        moves = scale > 1e-12 * np.abs(filled).max(axis=0, initial=0.0)
        return np.where(moves, centred / scale, np.nan)


def _deviations(values: Floats, known: npt.NDArray[np.bool_], n: Counts) -> Floats:
    """Standard deviation (ddof 0) of the known values of each column."""
    with np.errstate(invalid="ignore", divide="ignore"):
        filled = np.where(known, values, 0.0)
        centred = np.where(known, filled - filled.sum(axis=0) / n, 0.0)
        return np.asarray(np.sqrt((centred * centred).sum(axis=0) / n), dtype=np.float64)


def _long_run(scores: Floats, n: Counts) -> Floats:
    """Bartlett sum of the scores' autocovariances, with each column's own number of lags."""
    lags = np.floor(4.0 * (np.maximum(n, 1) / 100.0) ** (2.0 / 9.0))
    total = (scores * scores).sum(axis=0)
    for lag in range(1, min(int(lags.max(initial=0.0)), len(scores) - 1) + 1):
        weight = np.maximum(1.0 - lag / (lags + 1.0), 0.0)
        total = total + 2.0 * weight * (scores[lag:] * scores[:-lag]).sum(axis=0)
    return np.asarray(total, dtype=np.float64)
