"""What forecasts lose when a feature is shuffled among the funds of each session, on sessions that no model was fitted on.

Measured in the training rows, importance rewards whatever a forest could memorise; measured feature by feature, two features that
say the same cover for each other [1]_. So rows are those of test windows, and families and clusters of features are shuffled
together as well. Windows are disjoint: their spread is the error.

References
----------
.. [1] L. Breiman, "Random forests," Machine Learning 45, 2001, section 10. doi:10.1023/A:1010933404324
.. [2] M. Lopez de Prado, Machine Learning for Asset Managers, Cambridge 2020, section 6.5 (clusters).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from etf_pipeline.errors import DataError
from etf_pipeline.forecasting.design import CLASS_COLUMNS, Cells, Design
from etf_pipeline.forecasting.lab.parameters import ImportanceParameters
from etf_pipeline.forecasting.lab.pieces import PROGRESS, Array, cells_of, content, designs, fitted, kept, key_of, thinned
from etf_pipeline.forecasting.windows import WindowCache
from etf_pipeline.panel import Floats
from etf_pipeline.validation import Window, holm, rank_correlations, walk_forward

UNKNOWN_SHARE, CLASS = "unknown_share", "asset_class"
"""Names of the design's columns beside the features: the share of features unknown, and the class's columns together."""


@dataclass(frozen=True)
class Group:
    """Columns that are shuffled together.

    Attributes
    ----------
    kind, name : str
        ``feature``, ``family`` or ``cluster``, and what it is called.
    members : tuple of str
        Its features.
    columns : tuple of int
        Their places in the design.
    """

    kind: str
    name: str
    members: tuple[str, ...]
    columns: tuple[int, ...]


def feature_importance(
    features: pd.DataFrame,
    returns: pd.DataFrame,
    membership: pd.DataFrame,
    reference: pd.DataFrame,
    families: Mapping[str, str],
    parameters: ImportanceParameters | None = None,
    cache: WindowCache | None = None,
) -> pd.DataFrame:
    """`feature_importance`: loss in rank correlation and gain in squared error, with their errors across windows.

    Parameters
    ----------
    families : mapping of str to str
        Family of each feature.
    """
    p = parameters or ImportanceParameters()
    design = designs((features, returns, membership, reference), (p.horizon,), p.forecast())[p.horizon]
    windows = walk_forward(design.sessions, p.forecast().windows)
    groups = groups_of(feature_columns(features, design), families, design, windows[0], p)
    frames = []
    for model in p.models:
        per_window = []
        for window in windows:
            losses = _window_losses(model, window, design, groups, p, cache)
            PROGRESS.info("importance of features, %s: window %d of %d", model, window.number + 1, len(windows))
            per_window += [losses] if losses is not None else []
        frames.append(_over_windows(model, groups, np.array(per_window), p.horizon))
    return pd.concat(frames, ignore_index=True)


def feature_columns(features: pd.DataFrame, design: Design) -> dict[str, tuple[int, ...]]:
    """Places of each feature in the design; what stands between the features and the classes is `UNKNOWN_SHARE` and what is new.

    Raises
    ------
    DataError
        If the design has not a column for every feature.
    """
    names = [str(name) for name in features.columns if name not in ("session", "ticker")]
    between = design.features.shape[2] - len(names) - len(CLASS_COLUMNS)
    if between < 1:
        raise DataError(
            f"feature_importance needs a column for each of {len(names)} features, one for unknown ones and "
            f"{len(CLASS_COLUMNS)} for classes; the design has {design.features.shape[2]}. Use all features."
        )
    columns: dict[str, tuple[int, ...]] = {name: (k,) for k, name in enumerate(names)}
    columns[UNKNOWN_SHARE] = tuple(range(len(names), len(names) + between))
    columns[CLASS] = tuple(range(len(names) + between, design.features.shape[2]))
    return columns


def groups_of(
    columns: Mapping[str, tuple[int, ...]], families: Mapping[str, str], design: Design, window: Window, p: ImportanceParameters
) -> list[Group]:
    """Every feature alone, every family, and every cluster of the first training span: known before any test began."""
    groups = [Group("feature", name, (name,), places) for name, places in columns.items()]
    by_family: dict[str, list[str]] = {}
    for name in columns:
        by_family.setdefault(families.get(name, name), []).append(name)
    sessions = thinned(np.arange(window.train_start, window.train_stop), p.train_every)
    rows = design.features[cells_of(sessions, design, ended=False)]
    named = {name: places[0] for name, places in columns.items() if name in families}
    clusters = {names[0] + (f"+{len(names) - 1}" if len(names) > 1 else ""): names for names in _clusters(named, rows, p)}
    for kind, found in (("family", by_family), ("cluster", clusters)):
        for name, names in found.items():
            groups.append(Group(kind, name, tuple(names), tuple(k for n in names for k in columns[n])))
    return groups


def _clusters(named: Mapping[str, int], rows: Array, p: ImportanceParameters) -> list[list[str]]:
    """Average linkage on 1 less absolute rank correlation; a feature that never varies stands alone."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    names = list(named)
    if len(names) < 2:
        return [names] if names else []
    ranks = pd.DataFrame(rows[:, list(named.values())]).rank().to_numpy()
    ranks = ranks - ranks.mean(axis=0)
    scale = np.sqrt((ranks**2).sum(axis=0))
    unit = np.divide(ranks, scale, out=np.zeros_like(ranks), where=scale > 0)
    distance = np.clip(1.0 - np.abs(unit.T @ unit), 0.0, 1.0)
    np.fill_diagonal(distance, 0.0)
    labels = fcluster(linkage(squareform(distance, checks=False), "average"), p.cluster_distance, "distance")
    return [[n for n, at in zip(names, labels, strict=True) if at == label] for label in dict.fromkeys(labels.tolist())]


def _window_losses(
    model: str, window: Window, design: Design, groups: list[Group], p: ImportanceParameters, cache: WindowCache | None
) -> Floats | None:
    """Per group loss of IC and gain of squared error in a window; None while none of its labels has ended."""
    train = cells_of(thinned(np.arange(window.train_start, window.train_stop), p.train_every), design, ended=True)
    test = cells_of(thinned(np.arange(window.test_start, window.test_stop), p.test_every), design, ended=True)
    if not len(test[0]):
        return None
    asked = [(group.kind, group.name, group.columns) for group in groups]
    key = key_of(
        *(model, p.forecast(), p.repeats, p.seed, window.number, asked),
        *(content(design, train, labels=True), content(design, test, labels=True)),
    )

    def compute() -> pa.Table:
        fit, known = fitted(model, p.forecast(), design, train)
        losses = shuffled_losses(fit, design.rows(test, known), design.label[test], test, groups, p, window.number)
        return pa.table({"ic": losses[:, 0], "mse": losses[:, 1]})

    piece = kept(cache, "lab_importance", key, compute)
    return np.column_stack([piece["ic"].to_numpy(), piece["mse"].to_numpy()])


def shuffled_losses(
    model: Any, rows: Array, label: Floats, cells: Cells, groups: list[Group], p: ImportanceParameters, number: int
) -> Floats:
    """Loss of IC and gain of squared error for each group, mean over the repeats.

    Notes
    -----
    One shuffle serves all groups, so that their differences are not chance; it stays within a session, where forecasts compare.
    """
    rng = np.random.default_rng([p.seed, number])
    shuffles = [_within_sessions(cells[0], rng) for _ in range(p.repeats)]
    ic, mse = _skill(model.predict(rows), label, cells)
    out = np.zeros((len(groups), 2))
    for k, group in enumerate(groups):
        for shuffle in shuffles:
            other = rows.copy()
            other[:, group.columns] = rows[shuffle][:, group.columns]
            worse_ic, worse_mse = _skill(model.predict(other), label, cells)
            out[k] += (ic - worse_ic, worse_mse - mse)
    return out / p.repeats


def _within_sessions(sessions: npt.NDArray[Any], rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """A permutation of rows that keeps each in its session; `sessions` is sorted."""
    order = np.lexsort((rng.random(len(sessions)), sessions))
    return np.asarray(order, dtype=np.intp)


def _skill(forecast: Floats, label: Floats, cells: Cells) -> tuple[float, float]:
    sessions, place = np.unique(cells[0], return_inverse=True)
    funds, column = np.unique(cells[1], return_inverse=True)
    f, y = np.full((len(sessions), len(funds)), np.nan), np.full((len(sessions), len(funds)), np.nan)
    f[place, column], y[place, column] = forecast, label
    ic = rank_correlations(f, y)
    constant = np.isnan(ic)  # all forecasts alike: they rank nothing
    return float(np.where(constant, 0.0, ic).mean()), float(np.mean((forecast - label) ** 2))


def _over_windows(model: str, groups: list[Group], losses: Floats, horizon: int) -> pd.DataFrame:
    """Means over windows with Student's error; p values are corrected within each kind of group."""
    from scipy.stats import t as student

    n = len(losses)
    mean = losses.mean(axis=0)
    error = losses.std(axis=0, ddof=1) / math.sqrt(n) if n > 1 else np.full_like(mean, np.nan)
    statistic = np.divide(mean[:, 0], error[:, 0], out=np.full(len(mean), np.nan), where=error[:, 0] > 0)
    frame = pd.DataFrame(
        {
            "model": model,
            "horizon": horizon,
            "kind": [g.kind for g in groups],
            "name": [g.name for g in groups],
            "members": [", ".join(g.members) for g in groups],
            "ic_loss": mean[:, 0],
            "ic_error": error[:, 0],
            "ic_p_value": student.sf(statistic, n - 1) if n > 1 else np.nan,
            "mse_gain": mean[:, 1],
            "mse_error": error[:, 1],
            "windows": n,
        }
    )
    frame["ic_p_adjusted"] = frame.groupby("kind")["ic_p_value"].transform(lambda p: holm(p.to_numpy(dtype=np.float64)))
    return frame
