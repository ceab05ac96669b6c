"""The models, behind one protocol: anything with scikit-learn's `fit` and `predict`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Protocol, Self, cast

import numpy as np
import numpy.typing as npt

from etf_pipeline.errors import SettingsError
from etf_pipeline.forecasting.parameters import ForecastParameters

Array = npt.NDArray[Any]


class Estimator(Protocol):
    """What a model must do."""

    def fit(self, X: Array, y: Array) -> Any:
        """Learn from rows of features and their labels."""

    def predict(self, X: Array) -> Array:
        """One forecast per row."""


class StandardisedRidge:
    """Ridge regression on features standardised by the training rows alone.

    Parameters
    ----------
    penalty : float
        Penalty per training row, so that its strength does not depend on how many there are.

    Attributes
    ----------
    intercept_ : float
        Mean training label.
    coefficients_ : ndarray of shape (n_features,)
        Slopes on the raw features; zero where a feature is constant.

    Notes
    -----
    Minimises ``sum (y - intercept - z b)^2 + penalty * n * |b|^2`` over the standardised features z [1]_. The intercept is
    not penalised: the mean training error is zero by construction, which is why it says nothing about bias.

    References
    ----------
    .. [1] A. Hoerl, R. Kennard, "Ridge regression: biased estimation for nonorthogonal problems," Technometrics 12 (1), 1970.
       doi:10.1080/00401706.1970.10488634
    """

    def __init__(self, penalty: float = 0.1) -> None:
        self.penalty = penalty

    def fit(self, X: Array, y: Array) -> Self:
        """Learn slopes and intercept."""
        x = X.astype(np.float64)
        mean, scale = x.mean(axis=0), x.std(axis=0)
        z = np.divide(x - mean, scale, out=np.zeros_like(x), where=scale > 1e-12)
        gram = z.T @ z / len(y) + self.penalty * np.eye(x.shape[1])
        slopes = np.linalg.solve(gram, z.T @ (y - y.mean()) / len(y))
        self.coefficients_ = np.divide(slopes, scale, out=np.zeros_like(slopes), where=scale > 1e-12)
        self.intercept_ = float(y.mean() - mean @ self.coefficients_)
        return self

    def predict(self, X: Array) -> Array:
        """Linear forecast of each row, summed feature by feature: a row's forecast does not depend on its neighbours."""
        out = np.full(len(X), self.intercept_)
        for k, slope in enumerate(self.coefficients_):
            out += slope * X[:, k].astype(np.float64)
        return out


def random_forest(parameters: ForecastParameters, trees: int) -> Estimator:
    """Bagged regression trees with large leaves: labels are noise but for a few per cent.

    References
    ----------
    .. [1] L. Breiman, "Random forests," Machine Learning 45, 2001. doi:10.1023/A:1010933404324
    """
    from sklearn.ensemble import RandomForestRegressor

    return cast(
        Estimator,
        RandomForestRegressor(
            n_estimators=trees,
            min_samples_leaf=parameters.min_leaf,
            max_samples=parameters.sample,
            max_features=parameters.split_features,
            random_state=parameters.seed,
            n_jobs=parameters.n_jobs,
        ),
    )


def ridge(parameters: ForecastParameters, trees: int) -> Estimator:
    """Ridge regression; `trees` means nothing to it."""
    return StandardisedRidge(parameters.ridge_penalty)


MODELS: dict[str, Callable[[ForecastParameters, int], Estimator]] = {"random_forest": random_forest, "ridge": ridge}
"""Makers of an unfitted model, given the parameters and how many trees an ensemble of trees may grow."""


def make_model(name: str, parameters: ForecastParameters, trees: int) -> Estimator:
    """An unfitted model by its name in `MODELS`, or a scikit-learn regressor by its dotted name.

    Raises
    ------
    SettingsError
        If there is no such model.
    """
    if name in MODELS:
        return MODELS[name](parameters, trees)
    module, _, kind = name.rpartition(".")
    if module.split(".")[0] != "sklearn":
        raise SettingsError(
            f"forecasting knows the models {', '.join(MODELS)} and dotted names below sklearn; found '{name}'. "
            "Add a line to `forecasting.MODELS` for your own."
        )
    try:
        model = getattr(importlib.import_module(module), kind)()
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"scikit-learn has no '{name}'; write it as in sklearn.linear_model.Lasso.") from error
    if "random_state" in model.get_params():
        model.set_params(random_state=parameters.seed)
    return cast(Estimator, model)
