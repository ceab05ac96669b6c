"""Volatilities of now times correlations of the long sample, where each return counts in units of what was expected of it."""

from __future__ import annotations

import numpy as np

from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.panel import Floats
from etf_pipeline.risk.covariance.sample import scales
from etf_pipeline.risk.covariance.shrinkage import scaled_ledoit_wolf


def vol_times_correlation(returns: Floats, volatilities: Floats) -> tuple[Floats, float]:
    """Current volatility forecasts around the shrunk correlation of returns in units of the forecast before.

    Parameters
    ----------
    returns : ndarray of shape (n_sessions, n_assets)
        Complete. [fraction]
    volatilities : ndarray of shape (n_sessions, n_assets)
        Forecast at each close; the fund's own volatility in the sample where unknown or zero. [fraction per year]

    Returns
    -------
    covariance : ndarray of shape (n_assets, n_assets)
        ``D R D`` with the newest forecasts in D. [fraction squared per session]
    shrinkage : float
        Ledoit-Wolf intensity of R. [fraction]

    Notes
    -----
    The first two steps of dynamic conditional correlation [1]_: returns over the volatility forecast at the close before are
    alike in size, so that a crisis does not decide the correlations by itself. R is then held at its average over the window.

    References
    ----------
    .. [1] R. Engle, "Dynamic conditional correlation," J. Business & Economic Statistics 20(3), 2002.
       doi:10.1198/073500102288618487
    """
    own = scales(returns)
    daily = volatilities / np.sqrt(SESSIONS_PER_YEAR)
    daily = np.where(daily > 0, daily, own)
    expected = np.vstack([daily[:1], daily[:-1]])  # the first return has no forecast in the sample; that at its own close is used
    shrunk, shrinkage = scaled_ledoit_wolf(returns / expected)
    width = np.sqrt(np.diag(shrunk))
    scale = daily[-1] / np.where(width > 0, width, 1.0)
    return shrunk * np.outer(scale, scale), shrinkage
