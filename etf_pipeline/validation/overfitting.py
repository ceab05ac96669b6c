"""Does the best backtest stay good? Combinatorially symmetric cross-validation of a choice among strategies.

Sessions are cut into blocks; half of them choose the best strategy, the other half judge it, in every combination. If choosing
tells anything, the chosen one ranks high where it was not chosen; overfitting is the share of choices that rank in the lower
half.

References
----------
.. [1] D. Bailey, J. Borwein, M. Lopez de Prado, Q. Zhu, "The probability of backtest overfitting," J. Computational Finance
   20 (4), 2017. doi:10.21314/JCF.2016.322
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from etf_pipeline.errors import DataError, SettingsError
from etf_pipeline.panel import Floats

CHUNK = 1 << 21
"""Figures (combinations times strategies) held at once."""


@dataclass(frozen=True)
class Overfitting:
    """What choosing the best was worth.

    Attributes
    ----------
    probability : float
        Share of combinations whose chosen strategy ranks in the lower half out of sample.
    logits : ndarray of shape (n_combinations,)
        ``log(w / (1 - w))`` of its relative rank w; not above zero means the lower half.
    in_sample, out_of_sample : ndarray of shape (n_combinations,)
        Its Sharpe ratio per session, in both halves.
    slope, intercept : float
        Of out-of-sample on in-sample: a slope below zero says that a better record promises a worse future.
    loss_probability : float
        Share of combinations whose chosen strategy loses out of sample.
    """

    probability: float
    logits: Floats
    in_sample: Floats
    out_of_sample: Floats
    slope: float
    intercept: float
    loss_probability: float


def backtest_overfitting(returns: Floats, n_blocks: int = 16) -> Overfitting:
    """Probability of backtest overfitting of choosing by Sharpe ratio.

    Parameters
    ----------
    returns : ndarray of shape (n_sessions, n_strategies)
        Returns over the bill of *every* configuration tried, on common sessions without gaps. [fraction]
    n_blocks : int
        Even; 16 make 12,870 combinations. Sessions that do not fill a block are dropped from the beginning.

    Raises
    ------
    DataError
        If there are under two strategies, two sessions a block, or a return is unknown.
    SettingsError
        If the number of blocks is odd.

    Notes
    -----
    Block sums of returns and squares are enough for the Sharpe ratio of any union of blocks, so that all combinations are two
    matrix products. A strategy's rank among N is its place over N + 1, ties in the middle; strategies without dispersion have a
    ratio of zero. Without any skill the figure is not one half but above it: what one half gained, the other lacks [1]_.
    """
    x = _checked(np.asarray(returns, dtype=np.float64), n_blocks)
    size = len(x) // n_blocks
    blocks = x[len(x) - size * n_blocks :].reshape(n_blocks, size, -1)
    # centring by the whole sample's mean changes no ratio of spread and keeps the sums of squares exact
    centre = x.mean(axis=0)
    sums, squares = (blocks - centre).sum(axis=1), ((blocks - centre) ** 2).sum(axis=1)
    combinations = np.array(list(itertools.combinations(range(n_blocks), n_blocks // 2)))
    chosen = np.zeros((len(combinations), n_blocks))
    np.put_along_axis(chosen, combinations, 1.0, axis=1)
    half = size * n_blocks // 2
    step = max(1, CHUNK // x.shape[1])
    parts = [
        _judge(_sharpe(rows, sums, squares, centre, half), _sharpe(1 - rows, sums, squares, centre, half))
        for rows in (chosen[i : i + step] for i in range(0, len(chosen), step))
    ]
    inside, outside, rank = (np.concatenate(values) for values in zip(*parts, strict=True))
    return _summed_up(inside, outside, rank)


def _judge(inside: Floats, outside: Floats) -> tuple[Floats, Floats, Floats]:
    """Of each combination: the best strategy's ratio inside and outside, and its relative rank outside."""
    best, rows = inside.argmax(axis=1), np.arange(len(inside))
    value = outside[rows, best]
    below, equal = (outside < value[:, None]).sum(axis=1), (outside == value[:, None]).sum(axis=1)
    return inside[rows, best], value, (below + 0.5 * (equal + 1)) / (outside.shape[1] + 1)


def _summed_up(inside: Floats, outside: Floats, rank: Floats) -> Overfitting:
    logits = np.log(rank / (1 - rank))
    centred = inside - inside.mean()
    spread = float(centred @ centred)
    slope = float(centred @ outside) / spread if spread > 0 else np.nan
    return Overfitting(
        float(np.mean(logits <= 0)),
        logits,
        inside,
        outside,
        slope,
        float(outside.mean() - slope * inside.mean()),
        float(np.mean(outside < 0)),
    )


def _sharpe(rows: Floats, sums: Floats, squares: Floats, centre: Floats, n: int) -> Floats:
    mean = rows @ sums / n
    variance = np.maximum(rows @ squares / n - mean**2, 0.0) * (n / (n - 1))
    flat = variance <= 1e-24
    return np.where(flat, 0.0, (mean + centre) / np.sqrt(np.where(flat, 1.0, variance)))


def _checked(x: Floats, n_blocks: int) -> Floats:
    if n_blocks < 2 or n_blocks % 2 or n_blocks > 20:
        raise SettingsError(f"backtest_overfitting needs an even number of blocks from 2 to 20; found {n_blocks}.")
    if x.ndim != 2 or x.shape[1] < 2 or len(x) < 2 * n_blocks or not np.isfinite(x).all():
        raise DataError(
            f"backtest_overfitting needs known returns of at least 2 strategies over {2 * n_blocks} common sessions; found shape "
            f"{x.shape} with {int((~np.isfinite(x)).sum())} unknown. Cut the strategies to common sessions."
        )
    return x
