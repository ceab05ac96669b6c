"""Ensemble weights: inverse out-of-fold squared error, on the simplex, half-way to equal."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from etf_pipeline.forecasting.bias import SessionSums
from etf_pipeline.panel import Floats


def inverse_error_weights(errors: Floats, shrinkage: float = 0.5) -> Floats:
    """Weights that sum to one, larger for the model that lost less.

    Parameters
    ----------
    errors : ndarray of shape (n_models,)
        Mean squared errors out of fold.
    shrinkage : float, default 0.5
        Share of the equal weights: estimated weights rarely beat equal ones [1]_. [fraction]

    References
    ----------
    .. [1] J. Bates, C. Granger, "The combination of forecasts," Operational Research Quarterly 20 (4), 1969.
       doi:10.1057/jors.1969.103

    Examples
    --------
    >>> inverse_error_weights(np.array([1.0, 3.0])).tolist()
    [0.625, 0.375]
    """
    equal = np.full(len(errors), 1.0 / len(errors))
    if not (np.isfinite(errors).all() and (errors > 0).all()):
        return equal
    inverse = (1.0 / errors) / (1.0 / errors).sum()
    return np.asarray(shrinkage * equal + (1 - shrinkage) * inverse)


def ensemble_weights(
    corrected: list[Floats],
    label: Floats,
    starts: npt.NDArray[np.int64],
    warm_up: list[Floats],
    *,
    label_sessions: int,
    min_realised: int,
    shrinkage: float,
) -> Floats:
    """Weight of each model at each session, from errors realised by its block's start.

    Parameters
    ----------
    corrected : list of ndarray, each of shape (n_sessions, n_assets)
        Every model's corrected forecasts.
    warm_up : list of ndarray of shape (n_models,), one per block
        Inner-fold mean squared errors, used until `min_realised` sessions have realised.

    Returns
    -------
    ndarray of shape (n_sessions, n_models)
    """
    sums = [SessionSums.of(forecast, label) for forecast in corrected]
    lost = np.cumsum([s.squared_error for s in sums], axis=1)
    rows, sessions = np.cumsum(sums[0].n), np.cumsum(sums[0].n > 0)
    out = np.empty((len(label), len(corrected)))
    for k, start in enumerate(starts):
        last = int(start) - label_sessions
        realised = last >= 0 and sessions[last] >= min_realised
        errors = lost[:, last] / rows[last] if realised else warm_up[k]
        out[start : starts[k + 1] if k + 1 < len(starts) else None] = inverse_error_weights(errors, shrinkage)
    return out
