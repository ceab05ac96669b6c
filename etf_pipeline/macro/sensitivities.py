"""How much each sub-class and fund answers to each dimension: a prior, what regression says, and both weighed by precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.conventions import home_market
from etf_pipeline.macro.classes import SUB_CLASSES
from etf_pipeline.macro.dimensions import DIMENSIONS
from etf_pipeline.macro.hac import standardised_slopes
from etf_pipeline.macro.priors import prior
from etf_pipeline.panel import Floats

COLUMNS = ["session", "subject", "kind", "dimension", "prior", "estimate", "error", "weight", "shrunk", "n"]
CLASS, FUND = "class", "fund"
Columns = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class SensitivityParameters:
    """How sensitivities are estimated and how far the prior is trusted.

    Attributes
    ----------
    exchange : str
        Main exchange, whose years end the samples and whose currency returns are counted in.
    window : int
        Months of the newest past that are read. [months]
    min_months : int
        With fewer, the prior stands. [months]
    prior_sd : float
        Standard deviation of a sub-class's true sensitivity about the plan's prior: a judgement. [correlation]
    min_spread : float
        Smallest standard deviation of funds about their sub-class: estimated spread is noisy, and none at all would say that
        funds cannot differ. [correlation]
    """

    exchange: str = "XNYS"
    window: int = 120
    min_months: int = 24
    prior_sd: float = 0.15
    min_spread: float = 0.03

    @property
    def home(self) -> str:
        """Currency of the main exchange."""
        return home_market(self.exchange).currency


def macro_sensitivities(
    months: pd.DataFrame, state: pd.DataFrame, profile: pd.DataFrame, parameters: SensitivityParameters | None = None
) -> pd.DataFrame:
    """Sensitivities at the last session of each year, from months known by then.

    Parameters
    ----------
    months, state, profile : DataFrame
        `fund_months`, `macro_state` and `fund_profile`.
    parameters : SensitivityParameters, optional
        Defaults where omitted.

    Returns
    -------
    DataFrame
        `macro_sensitivities`: every sub-class, and every fund that traded in the year's last month. Empty before a year has
        ended.

    Notes
    -----
    1. Month by month, excess returns stand beside the shock of the month (`macro_state.shock` at its last session).
    2. The estimate is the slope between both in standard deviations (`hac.standardised_slopes`). A sub-class's is that of
       the mean of its funds' standardised returns, left in their unit: the mean of their slopes. Scaled anew it would be the
       correlation of a portfolio, from which chance has been spread away, and no fund's.
    3. A sub-class shrinks to the plan's prior: ``weight = s^2 / (s^2 + error^2)`` with ``s = prior_sd``.
    4. A fund shrinks to its sub-class (moved by its duration bucket as the prior is), with the spread of funds about their
       sub-classes, ``s^2 = mean((estimate - sub-class)^2 - error^2)`` over all funds of the dimension: empirical Bayes
       [1]_.

    References
    ----------
    .. [1] B. Efron, C. Morris, "Data analysis using Stein's estimator and its generalizations," JASA 70 (350), 1975.
       doi:10.1080/01621459.1975.10479864
    """
    p = parameters or SensitivityParameters()
    days = pd.DatetimeIndex(np.sort(state["session"].unique()))
    ends = calendars.month_ends(days, p.exchange)
    shocks = _shocks(state, ends)
    frames = [_at(day, months, shocks, profile, p) for day in ends[ends.month == 12]]
    return pd.concat([f for f in frames if len(f)], ignore_index=True) if frames else pd.DataFrame(columns=COLUMNS)


def _shocks(state: pd.DataFrame, ends: pd.DatetimeIndex) -> pd.DataFrame:
    rows = state[state["session"].isin(ends)]
    return rows.pivot(index="session", columns="dimension", values="shock").reindex(columns=list(DIMENSIONS))


def _at(
    day: pd.Timestamp, months: pd.DataFrame, shocks: pd.DataFrame, profile: pd.DataFrame, p: SensitivityParameters
) -> pd.DataFrame:
    """Every sensitivity at one year's end."""
    past = shocks.loc[:day].tail(p.window)
    labels = pd.DatetimeIndex(past.index).to_period("M")
    rows = months[(months["session"] <= day) & (months["session"] >= labels[0].start_time)]
    returns = rows.assign(month=rows["session"].dt.to_period("M")).pivot(index="month", columns="ticker", values="excess_return")
    now = profile[(profile["session"] <= day) & (profile["session"] >= day.to_period("M").start_time)].set_index("ticker")
    now = now.sort_index()
    y = returns.reindex(index=labels, columns=now.index).to_numpy(dtype=np.float64)
    groups = now["sub_class"].astype(str).tolist()
    buckets = [None if pd.isna(b) else str(b) for b in now["duration_bucket"]]
    of_class = _class_returns(y, np.array(groups, dtype=object))
    blocks = []
    for dimension in DIMENSIONS:
        shock = past[dimension].to_numpy(dtype=np.float64)
        classes = _of_classes(of_class, shock, dimension, p)
        blocks += [classes, _of_funds(y, shock, _centres(classes, groups, buckets, (dimension, p.home)), p)]
    subjects = [*SUB_CLASSES, *now.index]
    table = {
        "session": day,
        "subject": subjects * len(DIMENSIONS),
        "kind": ([CLASS] * len(SUB_CLASSES) + [FUND] * len(now)) * len(DIMENSIONS),
        "dimension": np.repeat(list(DIMENSIONS), len(subjects)),
    }
    return pd.DataFrame(table | {name: np.concatenate([block[name] for block in blocks]) for name in COLUMNS[4:]})[COLUMNS]


def _class_returns(y: Floats, groups: npt.NDArray[Any]) -> Floats:
    """Mean of the standardised returns of each sub-class's funds, unknown where it has none. Shape (n_months, n_classes)."""
    known = np.isfinite(y)
    n = known.sum(axis=0)
    filled = np.where(known, y, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        centred = np.where(known, filled - filled.sum(axis=0) / n, 0.0)
        scaled = np.where(known & (n >= 12), centred / np.sqrt((centred * centred).sum(axis=0) / n), np.nan)
    out = np.full((len(y), len(SUB_CLASSES)), np.nan)
    for j, name in enumerate(SUB_CLASSES):
        own = scaled[:, groups == name]
        there = np.isfinite(own)
        total = np.where(there, own, 0.0).sum(axis=1)
        out[:, j] = np.where(there.any(axis=1), total / np.maximum(there.sum(axis=1), 1), np.nan)
    return out


def _of_classes(of_class: Floats, shock: Floats, dimension: str, p: SensitivityParameters) -> Columns:
    priors = np.array([prior(name, None, dimension, p.home) for name in SUB_CLASSES])
    told = np.where(np.array(SUB_CLASSES) == "unknown", np.nan, of_class)  # what has nothing in common teaches nothing
    return _weighed(_estimates(told, shock, p.min_months, scaled=False), priors, p.prior_sd**2)


def _centres(classes: Columns, groups: Sequence[str], buckets: Sequence[str | None], what: tuple[str, str]) -> Floats:
    """Where each fund's estimate shrinks to: its own prior, moved as its sub-class was moved from its prior."""
    learned = dict(zip(SUB_CLASSES, classes["shrunk"] - classes["prior"], strict=True))
    centre = [prior(g, b, *what) + learned[g] for g, b in zip(groups, buckets, strict=True)]
    return np.clip(np.array(centre, dtype=np.float64), -1.0, 1.0)


def _of_funds(y: Floats, shock: Floats, centres: Floats, p: SensitivityParameters) -> Columns:
    found = _estimates(y, shock, p.min_months)
    gaps = (found["estimate"] - centres) ** 2 - found["error"] ** 2
    known = np.isfinite(gaps)
    spread = max(float(gaps[known].mean()) if known.any() else 0.0, p.min_spread**2)
    return _weighed(found, centres, spread)


def _estimates(targets: Floats, shock: Floats, min_months: int, *, scaled: bool = True) -> Columns:
    """Slope, its error and months; unknown with too few."""
    estimate, error, n = standardised_slopes(targets, shock, scaled=scaled)
    enough = (n >= min_months) & np.isfinite(estimate) & np.isfinite(error)
    return {"estimate": np.where(enough, estimate, np.nan), "error": np.where(enough, error, np.nan), "n": n}


def _weighed(found: Columns, priors: Floats, spread: float) -> Columns:
    """Prior and estimate, and their mean by precision; the prior where there is no estimate."""
    known = np.isfinite(found["estimate"])
    weight = np.where(known, spread / (spread + np.nan_to_num(found["error"]) ** 2), 0.0)
    shrunk = priors + weight * (np.where(known, found["estimate"], priors) - priors)
    return found | {"prior": priors, "weight": weight, "shrunk": shrunk}
