"""Half-spread: what a market order pays to the other side of the book, guessed from point-in-time liquidity."""

from __future__ import annotations

import numpy as np

from etf_pipeline.conventions import BPS
from etf_pipeline.panel import Floats


def half_spread(amihud_rank: Floats, *, base_spread: float = 5 * BPS, least_liquid_multiple: float = 4.0) -> Floats:
    """Half of the bid-ask spread from a fund's liquidity rank.

    Parameters
    ----------
    amihud_rank : ndarray
        0 for the session's most liquid member, 1 for its least liquid. [fraction]
    base_spread : float, default 5 bp
        Full spread at rank 0. [fraction]
    least_liquid_multiple : float, default 4
        Full spread at rank 1 over `base_spread`. [ratio]

    Returns
    -------
    ndarray
        ``base_spread / 2 * (1 + (least_liquid_multiple - 1) * rank)``; unknown where the rank is. [fraction]

    Notes
    -----
    Daily bars hold no quotes. Estimators from high and low prices (Corwin and Schultz 2012, Abdi and Ranaldo 2017) are
    noisier than an ETF's spread is wide, so the level is an assumption and only the order comes from data [1]_.

    References
    ----------
    .. [1] Y. Amihud, "Illiquidity and stock returns: cross-section and time-series effects," J. Financial Markets 5(1),
       2002. doi:10.1016/S1386-4181(01)00024-6

    Examples
    --------
    >>> (half_spread(np.array([0.0, 0.5, 1.0])) / BPS).round(6).tolist()
    [2.5, 6.25, 10.0]
    """
    return base_spread / 2.0 * (1.0 + (least_liquid_multiple - 1.0) * np.asarray(amihud_rank, dtype=np.float64))
