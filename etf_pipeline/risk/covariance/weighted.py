"""Exponentially weighted covariance: what moved last counts most."""

from __future__ import annotations

import numpy as np

from etf_pipeline.errors import SettingsError
from etf_pipeline.panel import Floats


def ewma_covariance(returns: Floats, decay: float) -> Floats:
    """Covariance with weights that fall by a constant ratio into the past.

    Parameters
    ----------
    returns : ndarray of shape (n_sessions, n_assets)
        Complete. [fraction]
    decay : float
        Weight of a session over that of the next one; 0.97 is RiskMetrics' for monthly horizons [1]_. [ratio]

    Returns
    -------
    ndarray of shape (n_assets, n_assets)
        Weights add up to one; about the weighted mean. [fraction squared per session]

    Raises
    ------
    SettingsError
        If the decay is not in (0, 1).

    References
    ----------
    .. [1] J. P. Morgan and Reuters, *RiskMetrics - Technical Document*, 4th edition, 1996, section 5.3.
    """
    if not 0.0 < decay < 1.0:
        raise SettingsError(f"an exponentially weighted covariance needs a decay between 0 and 1; found {decay}.")
    weights = decay ** np.arange(len(returns) - 1, -1, -1.0)
    weights /= weights.sum()
    centred = (returns - weights @ returns) * np.sqrt(weights)[:, None]
    return np.asarray(centred.T @ centred, dtype=np.float64)
