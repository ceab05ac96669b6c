"""How far chance moves a measure: the stationary block bootstrap, with the block length that the data ask for.

Returns are dependent (their size above all), so single sessions must not be drawn one by one. Blocks of random, geometric
length keep the dependence within a block and the resampled series stationary [1]_.

References
----------
.. [1] D. N. Politis and J. P. Romano, "The stationary bootstrap," JASA 89, 1303-1313, 1994. doi:10.1080/01621459.1994.10476870
.. [2] D. N. Politis and H. White, "Automatic block-length selection for the dependent bootstrap," Econometric Reviews 23,
   53-70, 2004; corrected by A. Patton, D. N. Politis and H. White, ibid. 28, 372-375, 2009. doi:10.1080/07474930802459016
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats

MINIMUM = 10
"""Fewer sessions than this say nothing about chance."""

CHUNK = 1 << 19
"""Resampled values held at once: 4 MB, so that a chunk stays in the cache."""


def block_length(values: Floats) -> float:
    """Mean block length of the stationary bootstrap that minimises the error of a mean's variance.

    Parameters
    ----------
    values : ndarray of shape (n_sessions,)
        A stationary series without gaps.

    Returns
    -------
    float
        Between 1 and ``ceil(min(3 sqrt(n), n / 3))``. [sessions]

    Raises
    ------
    DataError
        If there are fewer than 10 values or one is unknown.

    Notes
    -----
    Politis and White [2]_: autocovariances weighted by a flat-top window whose width is twice the lag from which
    ``max(5, log10 n)`` autocorrelations in a row stay within ``2 sqrt(log10(n) / n)``; then
    ``(2 G^2 / D)^(1/3) n^(1/3)`` with ``D = 2 g(0)^2``.
    """
    x = _checked(values)
    n = len(x)
    x = x - x.mean()
    run = max(5, int(np.log10(n)))
    widest = min(int(np.ceil(np.sqrt(n))) + run, n - 1)
    covariance = np.array([x[lag:] @ x[: n - lag] for lag in range(widest + 1)]) / n
    if covariance[0] == 0.0:
        return 1.0
    width = min(2 * _first_quiet_lag(x, run, widest), widest)
    lags = np.arange(-width, width + 1)
    window = np.minimum(1.0, 2.0 * (1.0 - np.abs(lags) / width))
    weighted = window * covariance[np.abs(lags)]
    slope, spectrum = float(np.sum(weighted * np.abs(lags))), float(np.sum(weighted))
    longest = float(np.ceil(min(3.0 * np.sqrt(n), n / 3.0)))
    if spectrum == 0.0:
        return longest
    return float(np.clip((slope * slope / (spectrum * spectrum) * n) ** (1.0 / 3.0), 1.0, longest))


def common_block_length(series: Sequence[Floats]) -> float:
    """Longest block that any of the series, or its square, asks for.

    A mean needs the blocks of the returns, a volatility or a drawdown those of the squared returns: the longer serves both.
    """
    return max(block_length(x) for values in series for x in (values, (values - values.mean()) ** 2))


def stationary_indices(n: int, length: float, resamples: int, seed: int) -> npt.NDArray[np.int32]:
    """Positions of the resampled sessions: blocks of geometric length around the circle.

    Parameters
    ----------
    n : int
        Sessions in the sample, and in each resample.
    length : float
        Mean block length, at least 1. [sessions]
    resamples : int
        How many.
    seed : int
        Equal seeds give equal draws.

    Returns
    -------
    ndarray of shape (resamples, n)
        Positions from 0 to ``n - 1``.

    Examples
    --------
    >>> stationary_indices(5, 2.0, 1, seed=3).shape
    (1, 5)
    """
    rng = np.random.default_rng(seed)
    starts = rng.random((resamples, n)) < 1.0 / length
    starts[:, 0] = True
    drawn = rng.integers(0, n, (resamples, n), dtype=np.int32)
    place = np.arange(n, dtype=np.int32)
    # a session belongs to the block that began last; within it the positions walk on, past the end to the beginning
    begin = np.maximum.accumulate(np.where(starts, place, np.int32(0)), axis=1)
    indices: npt.NDArray[np.int32] = (np.take_along_axis(drawn, begin, axis=1) + (place - begin)) % n
    return indices


def resample(
    functions: Sequence[Callable[[Floats, Floats, Floats], Floats]],
    returns: Floats,
    risk_free: Floats,
    benchmark: Floats,
    indices: npt.NDArray[np.int32],
) -> Floats:
    """Each measure on every resample; the three series are drawn together, so their dependence stays.

    Returns
    -------
    ndarray of shape (n_measures, n_resamples)
    """
    step = max(1, CHUNK // max(1, indices.shape[1]))
    out = np.empty((len(functions), len(indices)))
    for first in range(0, len(indices), step):
        rows = indices[first : first + step]
        drawn = returns[rows], risk_free[rows], benchmark[rows]
        for k, function in enumerate(functions):
            out[k, first : first + step] = function(*drawn)
    return out


def percentile_interval(draws: Floats, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Ends of the central interval of the resampled values, along the last axis; NaN where a resample has no value."""
    tail = 0.5 * (1.0 - confidence)
    low, high = np.quantile(draws, [tail, 1.0 - tail], axis=-1)
    return low, high


def _checked(values: Any) -> Floats:
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or len(x) < MINIMUM or not np.isfinite(x).all():
        found = f"shape {x.shape} with {int((~np.isfinite(x)).sum())} unknown"
        raise DataError(f"block_length needs one series of at least {MINIMUM} known values; found {found}. Take a longer window.")
    return x


def _first_quiet_lag(x: Floats, run: int, widest: int) -> int:
    """First lag of the first `run` small autocorrelations in a row (as in the authors' own code), or the widest window's."""
    bound = 2.0 * np.sqrt(np.log10(len(x)) / len(x))
    quiet = np.array([_lag_correlation(x, lag) < bound for lag in range(1, widest)])
    for first in range(len(quiet) - run + 1):
        if quiet[first : first + run].all():
            return first + 1
    return widest


def _lag_correlation(x: Floats, lag: int) -> float:
    late, early = x[lag:], x[:-lag]
    scale = np.sqrt((late @ late) * (early @ early))
    return float(abs(late @ early) / scale) if scale > 0 else 0.0
