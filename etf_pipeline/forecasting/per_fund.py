"""One model per fund on its own history, as the action plan has it: for comparison with the panel on the same windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from etf_pipeline.panel import Floats

Learner = Callable[[npt.NDArray[Any], Floats, npt.NDArray[Any]], Floats]
"""``learner(X, y, rows)``: forecasts of `rows` by a model fitted on X and y."""


def per_fund(
    learner: Learner,
    known: tuple[npt.NDArray[Any], Floats, npt.NDArray[np.intp]],
    rows: npt.NDArray[Any],
    funds: npt.NDArray[np.intp],
    otherwise: Floats,
    min_rows: int,
) -> Floats:
    """Fit each fund's own rows and forecast its others.

    Parameters
    ----------
    learner : callable
        Fits and forecasts.
    known : tuple of ndarray
        Features, labels and funds of the training rows.
    rows, funds : ndarray of shape (n_rows, n_features) and (n_rows,)
        What to forecast, and whose it is.
    otherwise : ndarray of shape (n_rows,)
        Forecasts of funds with under `min_rows` training rows. [fraction per horizon]

    Returns
    -------
    ndarray of shape (n_rows,)
    """
    X, y, owners = known
    out = otherwise.copy()
    for fund in np.unique(funds):
        own, asked = owners == fund, funds == fund
        if own.sum() >= min_rows:
            out[asked] = learner(X[own], y[own], rows[asked])
    return out
