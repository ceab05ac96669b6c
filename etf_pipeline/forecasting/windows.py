"""Fitting one model in one walk-forward window, or finding that it was fitted before on the very same numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from etf_pipeline.errors import EstimationError
from etf_pipeline.forecasting.design import Cells, Design, established_classes
from etf_pipeline.forecasting.models import make_model
from etf_pipeline.forecasting.parameters import ForecastParameters
from etf_pipeline.panel import Floats
from etf_pipeline.validation import Window, purged_folds

VERSION = "1"
"""Raised whenever the code below would give other numbers for the same arrays: it is part of every key."""


class WindowCache(Protocol):
    """Where fitted windows are kept: tables by kind and by the hash of everything they are a function of."""

    def get(self, kind: str, key: str) -> pa.Table | None:
        """The table, or None."""

    def put(self, kind: str, key: str, table: pa.Table) -> None:
        """Keep a table."""


@dataclass(frozen=True)
class WindowFit:
    """What one model said in one window.

    Attributes
    ----------
    window : Window
        Positions on the design's sessions.
    train, test : tuple of ndarray
        (session, fund) positions of the training rows and of the forecasts.
    in_sample, out_of_fold : ndarray of shape (n_train,)
        Forecasts of the training rows: by the model itself, and by fold models that saw no label overlapping theirs.
    forecast : ndarray of shape (n_test,)
        Out-of-sample forecasts.
    """

    window: Window
    train: Cells
    test: Cells
    in_sample: Floats
    out_of_fold: Floats
    forecast: Floats


def fit_window(
    name: str, window: Window, design: Design, parameters: ForecastParameters, cache: WindowCache | None = None
) -> WindowFit:
    """Fit on the window's purged past and forecast its members.

    Raises
    ------
    EstimationError
        If the training span has too few rows.

    Notes
    -----
    Fold models grow a third of the trees: fewer trees add variance, not bias, and bias is what the folds are for.
    """
    sessions = np.arange(window.train_start, window.train_stop)
    sessions = sessions[sessions % parameters.train_every == 0]
    train = _cells(sessions, design.member & ~np.isnan(design.label))
    test = _cells(np.arange(window.test_start, window.test_stop), design.member)
    if len(train[0]) < 2 * parameters.inner_folds:
        raise EstimationError(
            f"'{name}' needs training rows in window {window.number}, {design.sessions[window.train_start].date()} to "
            f"{design.sessions[window.train_stop - 1].date()}; found {len(train[0])}. Lengthen first_train."
        )
    known = established_classes(design.classes, train[1], parameters.min_class_funds)
    X, y, X_test = design.rows(train, known), design.label[train], design.rows(test, known)

    def fitted() -> Floats:
        return _predictions(name, parameters, parameters.trees, (X, y), np.concatenate([X, X_test]))

    def folded() -> Floats:
        out = np.empty(len(y))
        for fold in purged_folds(np.unique(train[0]), parameters.inner_folds, parameters.label_sessions, parameters.embargo):
            fit, judge = np.isin(train[0], fold.train), np.isin(train[0], fold.test)
            out[judge] = _predictions(name, parameters, max(parameters.trees // 3, 1), (X[fit], y[fit]), X[judge])
        return out

    recipe = _recipe(name, parameters)
    predictions = _cached(cache, "forecast_fit", _key(recipe, X, y, X_test), fitted)
    out_of_fold = _cached(cache, "forecast_folds", _key(recipe, X, y, train[0]), folded)
    return WindowFit(window, train, test, predictions[: len(y)], out_of_fold, predictions[len(y) :])


def _cells(sessions: npt.NDArray[Any], allowed: npt.NDArray[np.bool_]) -> Cells:
    rows, funds = np.nonzero(allowed[sessions])
    return sessions[rows], funds


def _predictions(
    name: str, parameters: ForecastParameters, trees: int, known: tuple[npt.NDArray[Any], Floats], rows: npt.NDArray[Any]
) -> Floats:
    """Fit on known rows, predict others; one thread for whatever sums in an order that threads could change."""
    from threadpoolctl import threadpool_limits

    if not len(rows):
        return np.empty(0)
    with threadpool_limits(1, user_api="blas"):
        model: Any = make_model(name, parameters, trees)
        model.fit(*known)
        if hasattr(model, "n_jobs"):
            model.n_jobs = 1
        return np.asarray(model.predict(rows), dtype=np.float64)


def _cached(cache: WindowCache | None, kind: str, key: str, compute: Callable[[], Floats]) -> Floats:
    found = cache.get(kind, key) if cache is not None else None
    if found is not None:
        return np.asarray(found["prediction"].to_numpy(), dtype=np.float64)
    predictions = compute()
    if cache is not None:
        cache.put(kind, key, pa.table({"prediction": predictions}))
    return predictions


def _recipe(name: str, parameters: ForecastParameters) -> str:
    """Everything but data that a window's predictions depend on."""
    import sklearn

    p = parameters
    settings = (p.horizon, p.embargo, p.inner_folds, p.trees, p.min_leaf, p.sample, p.split_features, p.ridge_penalty, p.seed)
    return repr((VERSION, sklearn.__version__, np.__version__, name, settings))


def _key(recipe: str, *arrays: npt.NDArray[Any]) -> str:
    digest = hashlib.sha256(recipe.encode())
    for array in arrays:
        digest.update(repr((array.dtype.str, array.shape)).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
