"""Has a feature's distribution moved? Each month's cross-section beside everything known before its year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.features.bars import aligned, in_order
from etf_pipeline.features.registry import FEATURES
from etf_pipeline.panel import Floats

Months = npt.NDArray[np.datetime64]

BINS = 10
"""Deciles."""


@dataclass(frozen=True)
class DriftParameters:
    """Against what, and from when on, a month counts as moved.

    Attributes
    ----------
    watch, shift : float
        Population stability index from which on a month is watched, or counts as shifted. [nats]
    watch_p, shift_p : float
        Largest p-value of the Kolmogorov-Smirnov test that goes with either. [probability]
    min_months : int
        Months a reference needs. [months]
    min_funds : int
        Known values that a month needs. [count]

    Notes
    -----
    0.1 and 0.25 are the industry's thresholds [1]_. They say nothing of chance: ten bins of ``n`` values give
    ``9 (1 / n + 1 / m)`` without any change [2]_, so that the index alone alarms on every small month.

    References
    ----------
    .. [1] N. Siddiqi, "Credit Risk Scorecards," Wiley, 2006. ISBN 9780471754510
    .. [2] B. Yurdakul, J. Naranjo, "Statistical properties of the population stability index," J. Risk Model Validation 14 (4),
       2020. doi:10.21314/JRMV.2020.227
    """

    watch: float = 0.1
    shift: float = 0.25
    watch_p: float = 0.05
    shift_p: float = 0.01
    min_months: int = 24
    min_funds: int = 10


@dataclass(frozen=True)
class Reference:
    """A feature before some year.

    Attributes
    ----------
    values : ndarray
        Known values, sorted.
    edges : ndarray of shape (9,)
        Deciles of them.
    shares : ndarray of shape (10,)
        Share of them in each bin.
    mean, sd : float
        Their moments.
    clusters : float
        Independent values that one month is worth.
    months : float
        Independent months.
    """

    values: Floats
    edges: Floats
    shares: Floats
    mean: float
    sd: float
    clusters: float
    months: float


def drift(features: pd.DataFrame, membership: pd.DataFrame, parameters: DriftParameters | None = None) -> pd.DataFrame:
    """How each feature's members of a month lie beside those of all earlier years.

    Parameters
    ----------
    features, membership : DataFrame
        `features` and `universe_membership`, with the same rows.

    Returns
    -------
    DataFrame
        `feature_drift`, one row per feature and whole month. [nats; fraction; the feature's unit]

    Raises
    ------
    DataError
        If `membership` has other rows than `features`.

    Notes
    -----
    A month is sampled at the last bar of each fund that is a member then. It is whole once a session of a later month has come:
    that session is the row's, so that a row never changes. The reference of a year is every month before it; its edges stay
    fixed through the year.

    Funds move together, so that a month of a hundred funds is worth few independent values. How many is read off the reference:
    the variance of all its values over the variance of its monthly means, Kish's effective size of a cluster [1]_, and as many
    months as an AR(1) of those means leaves. The Kolmogorov-Smirnov p-value takes these sizes, by Stephens' approximation [2]_.

    References
    ----------
    .. [1] L. Kish, "Survey Sampling," Wiley, 1965. ISBN 0471109495
    .. [2] M. Stephens, "Use of the Kolmogorov-Smirnov, Cramer-von Mises and related statistics without extensive tables,"
       J. Royal Statistical Society B 32 (1), 1970. doi:10.1111/j.2517-6161.1970.tb00821.x
    """
    p = parameters or DriftParameters()
    sample, whole, sessions = _sample(features, membership)
    month = sample["month"].to_numpy()
    parts = [_of_feature(sample[name].to_numpy(), month, whole, p) for name in FEATURES]
    frame = pd.DataFrame([row for part in parts for row in part], columns=_JUDGED)
    keys = {"session": np.tile(sessions, len(FEATURES)), "feature": np.repeat(list(FEATURES), len(whole))}
    return frame.assign(**keys, month=np.tile(whole.astype("datetime64[ns]"), len(FEATURES)))


_JUDGED = ["funds", "missing", "mean", "sd", "reference_mean", "reference_sd"]
_JUDGED += ["effective_funds", "psi", "psi_by_chance", "ks", "ks_p", "verdict"]


def _sample(features: pd.DataFrame, membership: pd.DataFrame) -> tuple[pd.DataFrame, Months, npt.NDArray[np.datetime64]]:
    """Members at their last bar of each whole month, sorted by month; those months, and the session by which each was whole."""
    table = in_order(features)
    member = aligned(table, membership, "universe_membership")["member"].to_numpy(dtype=bool)
    month, ticker = table["session"].to_numpy().astype("datetime64[M]"), table["ticker"].to_numpy()
    last = np.append((month[1:] != month[:-1]) | (ticker[1:] != ticker[:-1]), True)[: len(table)]
    days = np.unique(table["session"].to_numpy())
    present, first = np.unique(days.astype("datetime64[M]"), return_index=True)
    sample = table[last & member].assign(month=month[last & member].astype("datetime64[ns]"))
    return sample.sort_values(["month", "ticker"], kind="stable"), present[:-1], days[first[1:]]


def _of_feature(values: Floats, month: Months, whole: Months, p: DriftParameters) -> list[tuple[object, ...]]:
    known, years = ~np.isnan(values), whole.astype("datetime64[Y]")
    rows: list[tuple[object, ...]] = []
    reference = None
    for k, start in enumerate(whole):
        if k == 0 or years[k] != years[k - 1]:
            earlier = known & (month < start)
            reference = _reference(values[earlier], month[earlier], p)
        a, b = np.searchsorted(month, [start, start + 1])
        rows.append(_of_month(values[a:b], reference, p))
    return rows


def _reference(values: Floats, month: Months, p: DriftParameters) -> Reference | None:
    present, first = np.unique(month, return_index=True)
    if len(present) < p.min_months:
        return None
    counts = np.diff(np.append(first, len(values)))
    means = np.add.reduceat(values, first) / counts
    ordered = np.sort(values)
    edges = np.quantile(ordered, np.arange(1, BINS) / BINS)
    variance, between = float(values.var(ddof=1)), float(means.var(ddof=1))
    clusters = float(np.clip(variance / between if between > 0 else np.inf, 1.0, counts.mean()))
    lagged = float(np.clip(np.corrcoef(means[1:], means[:-1])[0, 1], 0.0, 0.99)) if between > 0 else 0.0
    months = max(len(present) * (1 - lagged) / (1 + lagged), 1.0)
    return Reference(ordered, edges, _shares(ordered, edges), float(values.mean()), np.sqrt(variance), clusters, months)


def _shares(values: Floats, edges: Floats) -> Floats:
    return np.bincount(np.searchsorted(edges, values, side="left"), minlength=BINS) / len(values)


def _of_month(sample: Floats, reference: Reference | None, p: DriftParameters) -> tuple[object, ...]:
    known = np.sort(sample[~np.isnan(sample)])
    funds, nan = len(sample), np.nan
    missing = 1 - len(known) / funds if funds else nan
    mean, sd = (float(known.mean()) if len(known) else nan), (float(known.std(ddof=1)) if len(known) > 1 else nan)
    if reference is None or len(known) < p.min_funds:
        moments = (reference.mean, reference.sd) if reference else (nan, nan)
        return funds, missing, mean, sd, *moments, nan, nan, nan, nan, nan, "unknown"
    size = min(reference.clusters, float(len(known)))
    against = size * reference.months
    psi = _stability(_shares(known, reference.edges), reference.shares, len(known))
    gap = _distance(known, reference.values)
    ks_p = kolmogorov_p(gap, size * against / (size + against))
    chance = (BINS - 1) * (1 / size + 1 / against)
    verdict = _verdict(psi, ks_p, p)
    return funds, missing, mean, sd, reference.mean, reference.sd, size, psi, chance, gap, ks_p, verdict


def _stability(now: Floats, before: Floats, count: int) -> float:
    """Population stability index ``sum (now - before) log(now / before)``; an empty bin counts as half a value."""
    floor = 0.5 / count
    a, b = np.maximum(now, floor), np.maximum(before, floor)
    return float(np.sum((a - b) * np.log(a / b)))


def _distance(sample: Floats, reference: Floats) -> float:
    """Largest gap between two empirical distribution functions, both sorted."""
    steps = np.arange(len(sample) + 1) / len(sample)
    at, before = (np.searchsorted(reference, sample, side=side) / len(reference) for side in ("right", "left"))
    upper = np.searchsorted(sample, sample, side="right")
    lower = np.searchsorted(sample, sample, side="left")
    return float(max(np.abs(steps[upper] - at).max(), np.abs(steps[lower] - before).max()))


def kolmogorov_p(gap: float, size: float) -> float:
    """Chance of a gap as large between two samples of one distribution whose sizes have the harmonic sum `size`.

    Examples
    --------
    >>> round(kolmogorov_p(1.36, 1e4), 3), round(kolmogorov_p(0.0136, 1e4), 3)
    (0.0, 0.049)
    """
    root = np.sqrt(size)
    scaled = (root + 0.12 + 0.11 / root) * gap
    if scaled < 0.2:  # the series alternates without end; the chance is 1 to thirteen digits
        return 1.0
    k = np.arange(1, 101)
    return float(np.clip(2 * np.sum((-1.0) ** (k - 1) * np.exp(-2 * (k * scaled) ** 2)), 0.0, 1.0))


def _verdict(psi: float, ks_p: float, p: DriftParameters) -> str:
    if psi >= p.shift and ks_p <= p.shift_p:
        return "shift"
    return "watch" if psi >= p.watch and ks_p <= p.watch_p else "stable"
