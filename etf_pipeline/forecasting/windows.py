"""Fitting one model in one walk-forward window, or finding that it was fitted before on the very same numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from etf_pipeline.errors import EstimationError, SettingsError
from etf_pipeline.forecasting.baselines import BASELINES
from etf_pipeline.forecasting.design import Cells, Design, established_classes
from etf_pipeline.forecasting.models import code_of, make_model
from etf_pipeline.forecasting.parameters import ForecastParameters
from etf_pipeline.forecasting.per_fund import Learner, per_fund
from etf_pipeline.panel import Floats
from etf_pipeline.validation import Window, purged_folds

VERSION = "2"
"""Raised whenever the code below would give other numbers for the same arrays: it is part of every key."""

SCHEMES = ("pooled", "per_fund")
"""How funds share models."""

OUTSIDE = (
    *("models", "baselines", "features", "exchange", "fund_effect", "prior_labels", "first_train", "step", "max_train"),
    *("train_every", "estimate_every", "min_realised", "min_class_funds", "shrink_weights", "n_jobs"),
)
"""Settings that act on a window through its arrays alone, or not at all: they are no part of its key."""


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
    name: str,
    window: Window,
    design: Design,
    parameters: ForecastParameters,
    cache: WindowCache | None = None,
    funds: npt.NDArray[np.intp] | None = None,
) -> WindowFit:
    """Fit on the window's purged past and forecast its members.

    Parameters
    ----------
    name : str
        A model, or a name in `BASELINES`, which is looked up and not fitted.
    cache : WindowCache, optional
        Where the same fit may be found.
    funds : ndarray of shape (n,), optional
        Positions of the funds to learn from and to forecast; all where nothing is said.

    Raises
    ------
    EstimationError
        If the training span has too few rows.
    SettingsError
        If there is no such model or scheme.

    Notes
    -----
    Fold models grow a third of the trees: fewer trees add variance, not bias, and bias is what the folds are for.
    """
    train, test = _cells_of(name, window, design, parameters, funds)
    if name in BASELINES:
        said = BASELINES[name](design)
        return WindowFit(window, train, test, said[train], said[train], said[test])
    if parameters.scheme not in SCHEMES:
        raise SettingsError(f"forecasting knows the schemes {', '.join(SCHEMES)}; found '{parameters.scheme}'. Choose one.")
    known = established_classes(design.classes, train[1], parameters.min_class_funds)
    X, y, X_test = design.rows(train, known), design.label[train], design.rows(test, known)
    both: Cells = (np.concatenate([train[0], test[0]]), np.concatenate([train[1], test[1]]))

    def predicted(trees: int, fit: Any, rows: npt.NDArray[Any], at: Cells) -> Floats:
        learner = _learner(name, parameters, trees)
        if parameters.scheme == "pooled":
            return learner(X[fit], y[fit], rows)
        return per_fund(learner, (X[fit], y[fit], train[1][fit]), rows, at[1], design.fund_mean[at], parameters.min_fund_rows)

    def fitted() -> Floats:
        return predicted(parameters.trees, slice(None), np.concatenate([X, X_test]), both)

    def folded() -> Floats:
        out = np.empty(len(y))
        for fold in purged_folds(np.unique(train[0]), parameters.inner_folds, parameters.label_sessions, parameters.embargo):
            fit, judge = np.isin(train[0], fold.train), np.isin(train[0], fold.test)
            out[judge] = predicted(max(parameters.trees // 3, 1), fit, X[judge], (train[0][judge], train[1][judge]))
        return out

    def own(at: Cells) -> tuple[npt.NDArray[Any], ...]:
        return () if parameters.scheme == "pooled" else (at[1], design.fund_mean[at])

    recipe = _recipe(name, parameters)
    predictions = _cached(cache, "forecast_fit", _key(recipe, X, y, X_test, *own(both)), fitted)
    out_of_fold = _cached(cache, "forecast_folds", _key(recipe, X, y, train[0], *own(train)), folded)
    return WindowFit(window, train, test, predictions[: len(y)], out_of_fold, predictions[len(y) :])


def _cells_of(
    name: str, window: Window, design: Design, parameters: ForecastParameters, funds: npt.NDArray[np.intp] | None
) -> tuple[Cells, Cells]:
    """Training rows, every so-many-th session, and rows to forecast."""
    chosen = design.member
    if funds is not None:
        chosen = chosen & np.isin(np.arange(len(design.tickers)), funds)
    sessions = np.arange(window.train_start, window.train_stop)
    train = _cells(sessions[sessions % parameters.train_every == 0], chosen & ~np.isnan(design.label))
    if len(train[0]) < 2 * parameters.inner_folds:
        raise EstimationError(
            f"'{name}' needs training rows in window {window.number}, {design.sessions[window.train_start].date()} to "
            f"{design.sessions[window.train_stop - 1].date()}; found {len(train[0])}. Lengthen first_train."
        )
    return train, _cells(np.arange(window.test_start, window.test_stop), chosen)


def _cells(sessions: npt.NDArray[Any], allowed: npt.NDArray[np.bool_]) -> Cells:
    rows, funds = np.nonzero(allowed[sessions])
    return sessions[rows], funds


def _learner(name: str, parameters: ForecastParameters, trees: int) -> Learner:
    """Fits on known rows and predicts others; one thread for whatever sums in an order that threads could change."""

    def learner(X: npt.NDArray[Any], y: Floats, rows: npt.NDArray[Any]) -> Floats:
        from threadpoolctl import threadpool_limits

        if not len(rows):
            return np.empty(0)
        with threadpool_limits(1):
            model: Any = make_model(name, parameters, trees)
            model.fit(X, y)
            if hasattr(model, "n_jobs"):
                model.n_jobs = 1
            return np.asarray(model.predict(rows), dtype=np.float64)

    return learner


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
    settings = {f.name: getattr(parameters, f.name) for f in fields(parameters) if f.name not in OUTSIDE}
    return repr((VERSION, code_of(name), name, settings))


def _key(recipe: str, *arrays: npt.NDArray[Any]) -> str:
    digest = hashlib.sha256(recipe.encode())
    for array in arrays:
        digest.update(repr((array.dtype.str, array.shape)).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
