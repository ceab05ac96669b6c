"""Pieces of the lab that are kept: fits on given rows, each under the hash of everything that it is a function of."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from etf_pipeline.forecasting.design import Cells, Design, build_design, established_classes
from etf_pipeline.forecasting.models import Estimator, make_model
from etf_pipeline.forecasting.parameters import ForecastParameters
from etf_pipeline.forecasting.windows import WindowCache
from etf_pipeline.panel import Floats

Array = npt.NDArray[Any]

PROGRESS = logging.getLogger("etf_pipeline.progress")
"""One line per piece, for whoever watches: `etf run` prints them."""


def designs(frames: tuple[pd.DataFrame, ...], horizons: tuple[int, ...], parameters: ForecastParameters) -> dict[int, Design]:
    """The panel of each horizon; features that do not depend on it are held once.

    Parameters
    ----------
    frames : tuple of DataFrame
        `features`, `fct_returns`, `universe_membership` and `dim_etf`.
    """
    features, returns, membership, reference = frames
    made: dict[int, Design] = {}
    for horizon in horizons:
        design = build_design(features, returns, membership, reference, replace(parameters, horizon=horizon))
        shared = next((d.features for d in made.values() if np.array_equal(d.features, design.features)), design.features)
        made[horizon] = replace(design, features=shared)
    return made


def cells_of(sessions: Array, design: Design, *, ended: bool) -> Cells:
    """(session, fund) positions of the members at given sessions; with `ended`, those whose label is known."""
    allowed = design.member[sessions]
    rows, funds = np.nonzero(allowed & ~np.isnan(design.label[sessions]) if ended else allowed)
    return sessions[rows], funds


def thinned(sessions: Array, every: int) -> Array:
    """Sessions whose position is a multiple, so that the choice does not depend on where a span begins."""
    return np.asarray(sessions[sessions % every == 0])


def fitted(name: str, parameters: ForecastParameters, design: Design, train: Cells) -> tuple[Estimator, frozenset[str]]:
    """A model fitted on given rows, and the asset classes that its columns tell apart; it predicts on one thread."""
    from threadpoolctl import threadpool_limits

    known = established_classes(design.classes, train[1], parameters.min_class_funds)
    with threadpool_limits(1, user_api="blas"):
        model: Any = make_model(name, parameters, parameters.trees)
        model.fit(design.rows(train, known), design.label[train])
    if hasattr(model, "n_jobs"):
        model.n_jobs = 1
    return model, known


def fit_and_forecast(name: str, parameters: ForecastParameters, design: Design, train: Cells, test: Cells) -> Floats:
    """Forecasts of some rows by a model fitted on others."""
    if not len(test[0]):
        return np.empty(0)
    model, known = fitted(name, parameters, design, train)
    return np.asarray(model.predict(design.rows(test, known)), dtype=np.float64)


def content(design: Design, cells: Cells, *, labels: bool) -> str:
    """Hash of features, and of labels where they matter, at given positions.

    Sessions count by their place, since spans and folds do, funds by name and class: another fund elsewhere changes nothing.
    """
    sessions, funds = cells
    names, place = np.unique(funds, return_inverse=True)
    digest = hashlib.sha256("\n".join([*design.tickers[names], *design.classes[names]]).encode())
    for array in (sessions, place, design.features[cells], design.label[cells] if labels else np.empty(0)):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def key_of(*parts: object) -> str:
    """Hash of what a piece depends on; numbers of threads are no part of it.

    Notes
    -----
    Versions of packages and code come from the recipe's own version, under which the cache keeps everything.
    """
    plain = [replace(p, n_jobs=0) if isinstance(p, ForecastParameters) else p for p in parts]
    return hashlib.sha256(repr(plain).encode()).hexdigest()


def kept(cache: WindowCache | None, kind: str, key: str, compute: Callable[[], pa.Table]) -> pa.Table:
    """The piece from the cache, or computed and put there."""
    found = cache.get(kind, key) if cache is not None else None
    if found is not None:
        return found
    made = compute()
    if cache is not None:
        cache.put(kind, key, made)
    return made
