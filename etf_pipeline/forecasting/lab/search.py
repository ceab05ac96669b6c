"""Hyper-parameters by successive halving inside each training span, and whether that paid outside it.

Configurations are drawn at random [1]_ and judged on inner walk-forward folds. The first round learns from few of the training
sessions, which overlap so much that they say nearly what all say; the best third goes on to the next, with twice as many [2]_.
The default always goes on, so that the search answers to it.

Written here, in about a hundred lines, because a search library brings what does not fit: optuna's samplers adapt to earlier
trials, so that a killed search resumes elsewhere and parallel ones differ, and its studies want a database of their own;
scikit-learn's `HalvingRandomSearchCV` takes folds but cannot thin sessions whole, nor keep each evaluation under the hash of what
it saw. Here an evaluation is a piece of the cache: a killed search goes on where it was, and equal data are never judged twice.

References
----------
.. [1] J. Bergstra, Y. Bengio, "Random search for hyper-parameter optimization," J. Machine Learning Research 13, 2012.
.. [2] K. Jamieson, A. Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization," AISTATS 2016.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from etf_pipeline.errors import SettingsError
from etf_pipeline.forecasting.design import Design
from etf_pipeline.forecasting.lab.parameters import SearchParameters
from etf_pipeline.forecasting.lab.pieces import PROGRESS, cells_of, content, fit_and_forecast, kept, key_of, thinned
from etf_pipeline.forecasting.windows import WindowCache
from etf_pipeline.validation import Fold, Window, nested, trial_id

Configuration = dict[str, float]
"""Fields of `ForecastParameters` that a configuration changes."""

SPACES: dict[str, dict[str, tuple[str, float, float]]] = {
    "ridge": {"ridge_penalty": ("log", 1e-2, 300.0)},
    "random_forest": {
        "min_leaf": ("log_whole", 50, 1500),
        "sample": ("uniform", 0.1, 0.7),
        "split_features": ("uniform", 0.1, 0.8),
    },
    "lightgbm_rf": {
        "min_leaf": ("log_whole", 50, 1500),
        "sample": ("uniform", 0.1, 0.7),
        "split_features": ("uniform", 0.1, 0.8),
        "leaves": ("log_whole", 8, 128),
    },
    "gradient_boosting": {
        "min_leaf": ("log_whole", 50, 1500),
        "split_features": ("uniform", 0.1, 0.8),
        "boosting_rate": ("log", 0.01, 0.2),
        "boosting_leaves": ("log_whole", 3, 32),
    },
}
"""What is searched per model: how a value is drawn, and between which bounds."""

METRIC = "inner_score"
"""What a trial is judged by: 1 less squared error over that of forecasting zero, on the inner folds."""


@dataclass(frozen=True)
class Evaluation:
    """A configuration as one round judged it.

    Attributes
    ----------
    number : int
        Place among the configurations; 0 is the default.
    rung : int
        Round, from 0.
    score : float
        1 less squared error over that of zero. [fraction]
    n : int
        Forecasts judged.
    """

    number: int
    rung: int
    score: float
    n: int


@dataclass(frozen=True)
class Found:
    """What a search in one training span found.

    Attributes
    ----------
    window : int
        Window whose span was searched.
    chosen : int
        Place of the best configuration of the last round.
    evaluations : tuple of Evaluation
        Every evaluation, in order.
    """

    window: int
    chosen: int
    evaluations: tuple[Evaluation, ...]

    def last(self, number: int) -> Evaluation:
        """The last evaluation of a configuration: the one that learned from most."""
        return [e for e in self.evaluations if e.number == number][-1]


def draw_configurations(model: str, p: SearchParameters) -> list[Configuration]:
    """The default's values, then random ones: the same in every window, so that a configuration is one trial.

    Raises
    ------
    SettingsError
        If nothing is known to search for the model.
    """
    if model not in SPACES:
        raise SettingsError(
            f"the search knows what to vary of {', '.join(SPACES)}; found '{model}'. "
            "Add a line to `forecasting.lab.search.SPACES`."
        )
    default = p.forecast()
    out: list[Configuration] = [{name: getattr(default, name) for name in SPACES[model]}]
    rng = np.random.default_rng([p.seed, *model.encode()])
    for _ in range(p.configurations):
        out.append({name: _draw(how, low, high, rng) for name, (how, low, high) in SPACES[model].items()})
    return out


def _draw(how: str, low: float, high: float, rng: np.random.Generator) -> float:
    if how == "uniform":
        return round(float(rng.uniform(low, high)), 4)
    value = math.exp(rng.uniform(math.log(low), math.log(high)))
    return round(value) if how == "log_whole" else float(f"{value:.4g}")


def named(model: str, configuration: Mapping[str, float], p: SearchParameters) -> dict[str, Any]:
    """A configuration as the trial ledger keeps it: with what it shares with the others of its search."""
    shared = {"horizon": p.horizon, "train_every": p.train_every}
    return {**configuration, **shared, **({} if model == "ridge" else {"trees": p.trees})}


def id_of(model: str, configuration: Mapping[str, float], p: SearchParameters) -> str:
    """Name of the trial."""
    return trial_id("search", model, named(model, configuration, p))


def search_window(model: str, window: Window, design: Design, p: SearchParameters, cache: WindowCache | None = None) -> Found:
    """Search one training span; nothing of the window's test, nor of any later session, is read.

    Notes
    -----
    Survivors of a round: the best `keep` of its configurations, and the default. Ties go to the configuration drawn first.
    """
    configurations = draw_configurations(model, p)
    folds = inner_folds(window, p)
    span = thinned(np.arange(window.train_start, window.train_stop), p.train_every)
    seen = content(design, cells_of(span, design, ended=True), labels=True)
    alive, evaluations = list(range(len(configurations))), []
    for rung in range(p.rungs):
        judged = []
        for number in alive:
            key = key_of(
                model,
                configurations[number],
                rung,
                p.rungs,
                p.forecast(),
                window.train_start,
                window.train_stop,
                p.inner_folds,
                p.inner_train,
                seen,
            )
            judged.append(_evaluated(model, number, rung, configurations[number], folds, design, p, key, cache))
            PROGRESS.info(
                "search, %s: window %d, round %d of %d, configuration %d of %d",
                *(model, window.number, rung + 1, p.rungs, len(judged), len(alive)),
            )
        evaluations += judged
        ranked = sorted(judged, key=lambda e: (-e.score, e.number))
        alive = sorted({0, *(e.number for e in ranked[: max(1, math.ceil(p.keep * len(ranked)))])})
    return Found(window.number, ranked[0].number, tuple(evaluations))


def inner_folds(window: Window, p: SearchParameters) -> list[Fold]:
    """Expanding inner folds, purged by the end of each label and embargoed, all inside the window's training span."""
    return list(nested(window, p.inner_folds, p.forecast().label_sessions, p.embargo, min_train=p.inner_train))


def _evaluated(
    model: str,
    number: int,
    rung: int,
    configuration: Configuration,
    folds: list[Fold],
    design: Design,
    p: SearchParameters,
    key: str,
    cache: WindowCache | None,
) -> Evaluation:
    def compute() -> pa.Table:
        lost, zero, n = 0.0, 0.0, 0
        for fold in folds:
            forecast, label = _judge(model, configuration, 2 ** (p.rungs - 1 - rung), fold, design, p)
            lost, zero, n = lost + float(np.sum((forecast - label) ** 2)), zero + float(np.sum(label**2)), n + len(label)
        return pa.table({"lost": [lost], "zero": [zero], "n": [n]})

    piece = kept(cache, "lab_search", key, compute)
    lost, zero, n = (piece[name][0].as_py() for name in ("lost", "zero", "n"))
    return Evaluation(number, rung, 1.0 - lost / zero if zero > 0 else math.nan, int(n))


def _judge(
    model: str, configuration: Configuration, thin: int, fold: Fold, design: Design, p: SearchParameters
) -> tuple[Any, Any]:
    """Forecasts and labels of a fold by a model that learned from every `thin`-th of the usual sessions.

    A leaf of so many rows is a share of the training rows: it shrinks with them.
    """
    changed = dict(configuration)
    if "min_leaf" in changed:
        changed["min_leaf"] = max(round(changed["min_leaf"] / thin), 5)
    train = cells_of(thinned(fold.train, p.train_every * thin), design, ended=True)
    test = cells_of(thinned(fold.test, p.train_every), design, ended=True)
    return fit_and_forecast(model, p.forecast(**changed), design, train, test), design.label[test]
