"""Is one Sharpe ratio higher than another? Robust errors and a studentised block bootstrap [1]_.

The classical test (Jobson and Korkie, corrected by Memmel [2]_) supposes normal returns without memory. Fat tails, and returns or
squares that remember, make it claim too much.

.. [1] O. Ledoit, M. Wolf, "Robust performance hypothesis testing with the Sharpe ratio," J. Empirical Finance 15 (5), 2008.
   doi:10.1016/j.jempfin.2008.03.002
.. [2] C. Memmel, "Performance hypothesis testing with the Sharpe ratio," Finance Letters 1, 2003.
.. [3] D. W. K. Andrews, J. C. Monahan, "An improved heteroskedasticity and autocorrelation consistent covariance matrix
   estimator," Econometrica 60 (4), 1992. doi:10.2307/2951574
.. [4] F. Goetze, H. R. Kuensch, "Second-order correctness of the blockwise bootstrap for stationary observations," Annals of
   Statistics 24 (5), 1996. doi:10.1214/aos/1069362303
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.errors import DataError
from etf_pipeline.measures.bootstrap import CHUNK, block_length
from etf_pipeline.panel import Floats

Kernel = Literal["quadratic_spectral", "parzen"]

MINIMUM = 20
"""Fewer sessions than this cannot carry eight second moments. [sessions]"""

RATES: dict[str, float] = {"quadratic_spectral": 1.3221, "parzen": 2.6614}
"""Constants of the automatic bandwidth: times ``(alpha(2) n)^(1/5)`` (D. W. K. Andrews, Econometrica 59 (3), 1991)."""

LARGEST = 0.97
"""Bound of the prewhitening's singular values [3]_, so that recolouring does not explode."""


@dataclass(frozen=True)
class SharpeDifference:
    """How two Sharpe ratios differ.

    Attributes
    ----------
    difference : float
        First less second, each as `MEASURES["sharpe"]` gives it. [ratio, annual]
    standard_error : float
        By the delta method on the long-run covariance of first and second moments. [ratio, annual]
    p_value : float
        Two-sided, from the normal law. NaN where the difference cannot vary.
    bootstrap_p_value : float
        Two-sided, from the studentised bootstrap: the one to decide on. NaN likewise.
    low, high : float
        Ends of the symmetric studentised bootstrap interval. [ratio, annual]
    block : int
        Sessions of a block.
    n : int
        Sessions.
    """

    difference: float
    standard_error: float
    p_value: float
    bootstrap_p_value: float
    low: float
    high: float
    block: int
    n: int


def sharpe_difference(
    first: Floats,
    second: Floats,
    risk_free: Floats | float = 0.0,
    *,
    seed: int,
    resamples: int = 4999,
    block: int | None = None,
    confidence: float = 0.95,
    kernel: Kernel = "quadratic_spectral",
    prewhiten: bool = True,
) -> SharpeDifference:
    """Test whether two strategies have the same Sharpe ratio, over the same sessions.

    Parameters
    ----------
    first, second : ndarray of shape (n_sessions,)
        Simple returns of the strategies. [fraction]
    risk_free : ndarray of shape (n_sessions,) or float, default 0
        What cash earned. [fraction]
    seed : int
        Equal seeds give equal answers.
    resamples : int, default 4999
        Bootstrap samples.
    block : int, optional
        Length of a block; where omitted, what the difference's own influence on each session asks for
        (`measures.block_length`), at most a tenth of the sessions. [sessions]
    confidence : float, default 0.95
        Of the interval.
    kernel : {"quadratic_spectral", "parzen"}
        Weights of the autocovariances.
    prewhiten : bool, default True
        Whether a first-order vector autoregression takes out memory before the kernel, and puts it back after [3]_.

    Returns
    -------
    SharpeDifference

    Raises
    ------
    DataError
        If the series differ in length, hold an unknown value, are shorter than 20 sessions or four blocks, or one never moves.

    Notes
    -----
    With means ``a, b`` and second moments ``c, d``, the difference is ``a / sqrt(c - a^2) - b / sqrt(d - b^2)``; its error is
    ``sqrt(g' Psi g / n)`` for the gradient ``g`` and the long-run covariance ``Psi`` of the four.

    Resamples draw circular blocks of the pair of series. Each is studentised by its own error, from the covariance of its blocks
    [4]_. With ``t = |difference| / error`` and ``t* = |difference* - difference| / error*``, the p-value is
    ``(1 + #(t* >= t)) / (1 + resamples)``, and the interval reaches the quantile of ``t*`` times the error on either side.

    On 800 histories of 500 sessions in which both ratios are equal, a level of 5 % rejected 4 % of normal series without memory,
    4 % with a first-order memory of 0.2, and 5 % with that, fat tails and GARCH; the classical test rejected 4, 10 and 11 %.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> market = rng.normal(0.0004, 0.01, 1000)
    >>> found = sharpe_difference(market, market + rng.normal(0, 0.002, 1000), seed=1, resamples=999)
    >>> found.low < found.difference < found.high, found.bootstrap_p_value > 0.05
    (True, True)
    """
    pair = _excess(first, second, risk_free)
    n = len(pair)
    powers = np.column_stack([pair, pair * pair])
    moments = powers.mean(axis=0)
    influence = (powers - moments) @ _gradient(moments)
    length = block if block is not None else min(math.ceil(block_length(influence)), n // 10)
    if not 1 <= length <= n // 4:
        raise DataError(
            f"sharpe_difference needs blocks of 1 to {n // 4} sessions, four in {n} or more; asked for {length}. Shorten them."
        )
    difference = float(_difference(moments))
    psi = long_run_covariance(powers - moments, kernel=kernel, prewhiten=prewhiten)
    error = float(_errors(moments, psi, n))
    annual = math.sqrt(SESSIONS_PER_YEAR * (n - 1) / n)  # moments divide by n, a measure's deviation by n - 1
    if np.abs(influence).max() < 1e-9:  # one series is a multiple of the other
        nan = float("nan")
        return SharpeDifference(
            annual * difference, annual * error, nan, nan, annual * difference, annual * difference, length, n
        )
    draws = _studentised(powers, difference, length, resamples, seed)
    statistic = abs(difference) / error
    reach = annual * error * float(np.quantile(draws, confidence, method="higher"))
    return SharpeDifference(
        annual * difference,
        annual * error,
        math.erfc(statistic / math.sqrt(2.0)),
        (1.0 + float((draws >= statistic).sum())) / (1.0 + resamples),
        annual * difference - reach,
        annual * difference + reach,
        length,
        n,
    )


def long_run_covariance(
    values: Floats, *, kernel: Kernel = "quadratic_spectral", prewhiten: bool = True, bandwidth: float | None = None
) -> Floats:
    """Covariance of the mean of dependent values, times their number.

    Parameters
    ----------
    values : ndarray of shape (n, k)
        With mean zero.
    kernel, prewhiten
        As in `sharpe_difference`.
    bandwidth : float, optional
        Of the kernel; by first-order autoregressions of each column where omitted [3]_. [sessions]

    Returns
    -------
    ndarray of shape (k, k)
        Positive semi-definite.
    """
    n, k = values.shape
    if not prewhiten:
        return np.asarray(_kernel_sum(values, kernel, bandwidth) * (n / (n - k)), dtype=np.float64)
    past = np.linalg.lstsq(values[:-1], values[1:], rcond=None)[0].T
    left, sizes, right = np.linalg.svd(past)
    memory = (left * np.minimum(sizes, LARGEST)) @ right
    recolour = np.linalg.inv(np.eye(k) - memory)
    white = values[1:] - values[:-1] @ memory.T
    covariance = recolour @ _kernel_sum(white, kernel, bandwidth) @ recolour.T * (n / (n - k))
    return np.asarray(covariance, dtype=np.float64)


def _excess(first: Floats, second: Floats, risk_free: Floats | float) -> Floats:
    one, other = (np.asarray(x, dtype=np.float64) for x in (first, second))
    if one.shape != other.shape or one.ndim != 1 or len(one) < MINIMUM:
        raise DataError(
            f"sharpe_difference needs two series of the same {MINIMUM} sessions or more; found shapes {one.shape} and "
            f"{other.shape}. Join them by session."
        )
    pair = np.column_stack([one, other]) - np.broadcast_to(np.asarray(risk_free, dtype=np.float64), one.shape)[:, None]
    if not np.isfinite(pair).all():
        raise DataError(f"sharpe_difference needs known returns; {int((~np.isfinite(pair)).sum())} are not. Drop those sessions.")
    if (pair.max(axis=0) == pair.min(axis=0)).any():
        raise DataError("sharpe_difference needs returns that vary; one series is constant and has no Sharpe ratio.")
    return np.asarray(pair / pair.std(axis=0), dtype=np.float64)  # a ratio has no scale, and so leverage does not move its error


def _difference(moments: Floats) -> Floats:
    """Difference of the ratios per session, from two means and two second moments along the last axis."""
    a, b, c, d = np.moveaxis(moments, -1, 0)
    return np.asarray(a / np.sqrt(c - a * a) - b / np.sqrt(d - b * b), dtype=np.float64)


def _gradient(moments: Floats) -> Floats:
    """Of the difference with respect to the moments, along the last axis."""
    a, b, c, d = np.moveaxis(moments, -1, 0)
    one, other = (c - a * a) ** 1.5, (d - b * b) ** 1.5
    parts = [c / one, -d / other, -a / (2.0 * one), b / (2.0 * other)]
    return np.asarray(np.stack(parts, axis=-1), dtype=np.float64)


def _errors(moments: Floats, psi: Floats, n: int) -> Floats:
    """Standard errors by the delta method, along leading axes."""
    gradient = _gradient(moments)
    variance = np.einsum("...i,...ij,...j->...", gradient, psi, gradient)
    return np.asarray(np.sqrt(np.maximum(variance, 0.0) / n), dtype=np.float64)


def _kernel_sum(values: Floats, kernel: Kernel, bandwidth: float | None) -> Floats:
    n = len(values)
    width = _bandwidth(values, kernel) if bandwidth is None else bandwidth
    total = values.T @ values / n
    if width <= 0.0:
        return total
    last = n - 1 if kernel == "quadratic_spectral" else min(n - 1, int(width))
    lags = np.arange(1, last + 1)
    weights = _weights(lags / width, kernel)
    for lag, weight in zip(lags, weights, strict=True):
        if abs(weight) > 1e-10:
            cross = values[lag:].T @ values[:-lag] / n
            total = total + weight * (cross + cross.T)
    return total


def _weights(x: Floats, kernel: Kernel) -> Floats:
    if kernel == "parzen":
        return np.where(x <= 0.5, 1.0 - 6.0 * x**2 * (1.0 - x), 2.0 * np.maximum(1.0 - x, 0.0) ** 3)
    z = 6.0 * np.pi * x / 5.0
    return np.asarray(25.0 / (12.0 * np.pi**2 * x**2) * (np.sin(z) / z - np.cos(z)), dtype=np.float64)


def _bandwidth(values: Floats, kernel: Kernel) -> float:
    """Automatic bandwidth from a first-order autoregression of each column, equally weighted."""
    past, now = values[:-1], values[1:]
    scale = np.sum(past * past, axis=0)
    moves = scale > 0.0
    rho = np.clip(np.sum(past * now, axis=0)[moves] / scale[moves], -LARGEST, LARGEST)
    sigma4 = np.mean((now[:, moves] - rho * past[:, moves]) ** 2, axis=0) ** 2
    sigma4 = sigma4 / sigma4.max() if len(sigma4) and sigma4.max() > 0.0 else sigma4  # the ratio has no unit
    below = float(np.sum(sigma4 / (1.0 - rho) ** 4))
    alpha = float(np.sum(4.0 * rho**2 * sigma4 / (1.0 - rho) ** 8)) / below if below > 0.0 else 0.0
    return RATES[kernel] * float((alpha * len(values)) ** 0.2)


def _studentised(powers: Floats, difference: float, length: int, resamples: int, seed: int) -> Floats:
    """Absolute studentised differences of circular block resamples, centred at the sample's."""
    n = len(powers)
    wrapped = np.concatenate([powers, powers[: length - 1]])
    blocks = np.lib.stride_tricks.sliding_window_view(wrapped, length, axis=0).mean(axis=-1)
    count = n // length
    starts = np.random.default_rng(seed).integers(0, n, (resamples, count))
    out = np.empty(resamples)
    step = max(1, CHUNK // (4 * count))
    for first in range(0, resamples, step):
        drawn = blocks[starts[first : first + step]]
        moments = drawn.mean(axis=1)
        scores = drawn - moments[:, None, :]
        psi = length * np.einsum("rbi,rbj->rij", scores, scores) / count
        with np.errstate(divide="ignore", invalid="ignore"):
            out[first : first + step] = np.abs(_difference(moments) - difference) / _errors(moments, psi, count * length)
    return np.where(np.isnan(out), np.inf, out)
