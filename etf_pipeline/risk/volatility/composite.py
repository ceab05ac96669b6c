"""Combining the estimators' variances, each weighted by how little it has lost so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.errors import SettingsError
from etf_pipeline.panel import Floats
from etf_pipeline.risk.volatility.estimators import COMBINED

WIDEST = 16.0
"""Factor of the median of all at which an estimator's variance is winsorised before they are combined: one that has met an absurd
return may not carry the others with it, and a crash in which volatility rises fourfold passes. [ratio]"""


@dataclass(frozen=True)
class CompositeParameters:
    """How past losses become weights.

    Attributes
    ----------
    powers : tuple of float
        Powers of the inverse mean loss that a weight may be proportional to; 0 gives equal weights. At each month's end the one
        counts whose composites have lost least so far.
    min_months : int
        Months of outcomes before which weights are equal.
    cap : float
        Factor by which an outcome may differ from its forecast before the loss is winsorised there.
    """

    powers: tuple[float, ...] = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
    min_months: int = 12
    cap: float = 16.0

    def __post_init__(self) -> None:
        """Refuse a choice among nothing, and weights that favour what lost more."""
        if not self.powers or min(self.powers) < 0.0 or self.min_months < 1 or not self.cap > 1.0:
            raise SettingsError(
                "volatility_weights needs powers of at least 0, min_months of at least 1 and a cap above 1; "
                f"found {self.powers}, {self.min_months} and {self.cap}. Change them."
            )


def qlike(realised: Floats, forecast: Floats, cap: float = np.inf) -> Floats:
    """Loss of a variance forecast, ``x / h - log(x / h) - 1`` [1]_: zero where it was right.

    Parameters
    ----------
    realised, forecast : ndarray
        Variances in one unit; unknown, and with it the loss, where either is zero.
    cap : float
        Bound on the ratio and its inverse.

    References
    ----------
    .. [1] A. Patton, "Volatility forecast comparison using imperfect volatility proxies," Journal of Econometrics 160, 2011.
       doi:10.1016/j.jeconom.2010.03.034

    Examples
    --------
    >>> qlike(np.array([1.0, 2.0, 0.0]), np.array([1.0, 1.0, 1.0])).round(6).tolist()
    [0.0, 0.306853, nan]
    """
    usable = (realised > 0.0) & (forecast > 0.0)
    ratio = np.clip(np.where(usable, realised, np.nan) / np.where(usable, forecast, np.nan), 1.0 / cap, cap)
    return np.asarray(ratio - np.log(ratio) - 1.0)


def losses(outcomes: pd.DataFrame, cap: float) -> pd.DataFrame:
    """QLIKE of each estimator at each outcome that all of them had forecast. Index: the rows of `outcomes`."""
    realised = outcomes["realised_variance"].to_numpy(dtype=np.float64)
    made = {name: qlike(realised, outcomes[name].to_numpy(dtype=np.float64) ** 2, cap) for name in COMBINED}
    return pd.DataFrame(made, index=outcomes.index).dropna()


def volatility_weights(outcomes: pd.DataFrame, parameters: CompositeParameters | None = None) -> pd.DataFrame:
    """Weights of the estimators at each month end, from all outcomes known by then.

    Parameters
    ----------
    outcomes : DataFrame of shape (n_rows, 10)
        `volatility_outcomes`.

    Returns
    -------
    DataFrame of shape (n_months * 6, 7)
        `volatility_weights`: one row per month end and estimator.

    Notes
    -----
    ``w_k ~ qlike_k^(-power)`` with `qlike_k` the mean over months so far of the mean loss over funds: a month counts once,
    however many funds it had. Only outcomes are pooled that every estimator had a forecast for. A weight counts from the session
    after its own on, when every exchange's outcome in it is known. Pooled over all asset classes: QLIKE has no unit, so bonds
    and equities count alike.

    The power is chosen as the weights are, from the past alone: each of `powers` would have made composites of its own, with the
    weights that counted at each outcome's origin, and the one whose composites lost least up to a month is that month's (the
    smaller one of equals). No figure of a later month enters, and what the composite loses is evidence.
    """
    parameters = parameters or CompositeParameters()
    loss = losses(outcomes, parameters.cap)
    usable = outcomes.loc[loss.index]
    by_month = loss.groupby(usable["session"], sort=True)
    month, n = by_month.mean(), by_month.size()
    mean = _means_so_far(month.to_numpy())
    candidates = [_weights(mean, power, parameters.min_months) for power in parameters.powers]
    chosen = _chosen([_monthly_losses(usable, month.index, weights, parameters.cap) for weights in candidates])
    weights = np.stack(candidates)[chosen, np.arange(len(month))]
    out = pd.DataFrame({"session": np.repeat(month.index, len(COMBINED)), "estimator": np.tile(COMBINED, len(month))})
    return out.assign(
        weight=weights.ravel(),
        power=np.repeat(np.array(parameters.powers)[chosen], len(COMBINED)),
        n=np.repeat(n.to_numpy(), len(COMBINED)),
        qlike_month=month.to_numpy().ravel(),
        qlike=mean.ravel(),
    )


def _means_so_far(values: Floats) -> Floats:
    """Mean of each row and all before it: a running sum, one row more each month."""
    return np.asarray(np.cumsum(values, axis=0) / np.arange(1.0, len(values) + 1.0)[:, None])


def _weights(mean: Floats, power: float, min_months: int) -> Floats:
    """Weights by inverse mean losses, relative to the least of them, so that no power overflows."""
    floored = np.maximum(mean, 1e-12)
    raw = (floored / floored.min(axis=1, keepdims=True)) ** -power
    raw[: min_months - 1] = 1.0
    return np.asarray(raw / raw.sum(axis=1, keepdims=True))


def _monthly_losses(usable: pd.DataFrame, months: pd.Index[Any], weights: Floats, cap: float) -> Floats:
    """Each month's mean loss over funds of the composite with the weights that counted at the outcomes' origins."""
    realised = usable["realised_variance"].to_numpy(dtype=np.float64)
    made = _combined(usable[list(COMBINED)].to_numpy(dtype=np.float64), _counting(months, usable["origin"]), weights)
    by_month = pd.Series(qlike(realised, made, cap)).groupby(usable["session"].to_numpy(), sort=True)
    return np.asarray(by_month.mean(), dtype=np.float64)


def _chosen(monthly: list[Floats]) -> npt.NDArray[np.intp]:
    """Which candidate had lost least on average by each month."""
    return np.asarray(np.argmin(_means_so_far(np.column_stack(monthly)), axis=1))


def composite(rows: pd.DataFrame, weights: pd.DataFrame) -> Floats:
    """Volatility of the combined variances.

    Parameters
    ----------
    rows : DataFrame of shape (n_rows, ...)
        Columns `session` and the estimators. [fraction per year]
    weights : DataFrame
        `volatility_weights`: a row uses the newest of an earlier session than its own, equal ones before the first.

    Returns
    -------
    ndarray of shape (n_rows,)
        ``sqrt(sum(w_k v_k) / sum(w_k))`` over the known estimators; unknown where none is. [fraction per year]

    Notes
    -----
    Variances are combined, not volatilities: only they are unbiased for the same thing. Each is winsorised at `WIDEST` times the
    median of the row's known ones and its inverse. The weights of a session hold outcomes of every exchange; at the close of
    the first to close, those of the others are not known yet.
    """
    table = weights.pivot(index="session", columns="estimator", values="weight").sort_index()
    values = table.reindex(columns=list(COMBINED)).to_numpy(dtype=np.float64)
    made = _combined(rows[list(COMBINED)].to_numpy(dtype=np.float64), _counting(table.index, rows["session"]), values)
    return np.sqrt(made)


def _counting(months: pd.Index[Any], sessions: pd.Series[pd.Timestamp]) -> npt.NDArray[np.intp]:
    """How many months' weights were known before each session: the last of them counts."""
    return np.searchsorted(months.to_numpy(), sessions.to_numpy(), side="left")


def _combined(volatilities: Floats, counting: npt.NDArray[np.intp], weights: Floats) -> Floats:
    """Combined variance of each row with the last of its first `counting` rows of weights; equal ones where there is none."""
    variances = volatilities**2
    known = ~np.isnan(variances)
    middle = _row_medians(variances, known)
    clipped = np.clip(variances, middle / WIDEST, middle * WIDEST)
    table = np.vstack([np.ones(len(COMBINED)), weights])
    weight = np.where(known, table[counting], 0.0)
    total, sum_of_weights = np.zeros(len(variances)), np.zeros(len(variances))
    for k in range(len(COMBINED)):
        total += weight[:, k] * np.where(known[:, k], clipped[:, k], 0.0)
        sum_of_weights += weight[:, k]
    positive = sum_of_weights > 0.0
    return np.where(positive, total / np.where(positive, sum_of_weights, 1.0), np.nan)


def _row_medians(values: Floats, known: np.ndarray) -> Floats:
    """Median of each row's known values. Shape (n_rows, 1)."""
    ordered, n = np.sort(values, axis=1), known.sum(axis=1)  # unknown ones come last
    rows = np.arange(len(values))
    low, high = ordered[rows, np.maximum(n - 1, 0) // 2], ordered[rows, np.minimum(n // 2, values.shape[1] - 1)]
    return np.asarray(0.5 * (low + high))[:, None]
