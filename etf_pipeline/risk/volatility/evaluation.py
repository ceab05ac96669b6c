"""Which volatility forecasts are better than a year's standard deviation: judged on every fund, and on all together."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from etf_pipeline.panel import Floats
from etf_pipeline.regression import Fit, long_run, newey_west_lags, ols
from etf_pipeline.risk.volatility.composite import composite, qlike
from etf_pipeline.risk.volatility.estimators import COMBINED
from etf_pipeline.validation import holm

BENCHMARK = "realised_252"
ALL = "all"
STEPS = 2
"""Monthly steps that a target of 21 sessions may reach over: the horizon of the small-sample correction."""
BETTER, WORSE, NO_DIFFERENCE, TOO_FEW = "better", "worse", "no_difference", "too_few"


@dataclass(frozen=True)
class EvaluationParameters:
    """When a verdict is given.

    Attributes
    ----------
    min_outcomes : int
        Outcomes that a fund needs to be judged. [count]
    size : float
        Chance that anything without a difference is called better or worse: among all funds and estimators, and among the
        estimators on all funds together. [probability]
    """

    min_outcomes: int = 36
    size: float = 0.05


def volatility_evaluation(
    outcomes: pd.DataFrame, weights: pd.DataFrame, parameters: EvaluationParameters | None = None
) -> pd.DataFrame:
    """QLIKE, Mincer-Zarnowitz and Diebold-Mariano of each estimator on each fund, and on all funds (`all`).

    Parameters
    ----------
    outcomes, weights : DataFrame
        `volatility_outcomes` and `volatility_weights`.

    Returns
    -------
    DataFrame of shape (n_funds * 7 + 7, 16)
        `volatility_evaluation`.

    Notes
    -----
    Loss is QLIKE. The benchmark is the standard deviation of 252 returns; each difference ``d = loss(benchmark) - loss`` is taken
    where both were known. Its mean is tested [1]_ with Newey and West's errors (at least the lags by which targets overlap), the
    small-sample factor for a horizon of two monthly steps [2]_, and Student's t with ``n - 1`` degrees. Verdicts rest on Holm's
    correction over every fund and estimator; those on all funds together, over the estimators. ``realised = a + b forecast``
    [3]_ is fitted to variances; ``a = 0, b = 1`` is tested jointly (Wald, as F).

    On all funds together the mean difference of each session is one observation, so that what moves all funds at once counts
    once; the Mincer-Zarnowitz line is fitted to variances over the fund's mean forecast, with errors clustered by session under
    the same kernel.

    References
    ----------
    .. [1] F. Diebold and R. Mariano, "Comparing predictive accuracy," Journal of Business & Economic Statistics 13, 1995.
       doi:10.1080/07350015.1995.10524599
    .. [2] D. Harvey, S. Leybourne and P. Newbold, "Testing the equality of prediction mean squared errors," International
       Journal of Forecasting 13, 1997. doi:10.1016/S0169-2070(96)00719-4
    .. [3] J. Mincer and V. Zarnowitz, "The evaluation of economic forecasts," in Economic Forecasts and Expectations, NBER, 1969.
    """
    parameters = parameters or EvaluationParameters()
    at_origin = outcomes.assign(session=outcomes["origin"])
    panel = outcomes.assign(composite=composite(at_origin, weights))
    panel = panel.sort_values(["ticker", "session"], kind="stable").reset_index(drop=True)
    parts = [_judged(panel, name, parameters) for name in (*COMBINED, "composite")]
    return _with_verdicts(pd.concat(parts, ignore_index=True), parameters)


def _judged(panel: pd.DataFrame, name: str, parameters: EvaluationParameters) -> pd.DataFrame:
    """Figures of every fund, and of `all`, under one estimator."""
    x = panel["realised_variance"].to_numpy(dtype=np.float64)
    forecast, bench = (panel[column].to_numpy(dtype=np.float64) ** 2 for column in (name, BENCHMARK))
    loss, other = qlike(x, forecast), qlike(x, bench)
    known = ~np.isnan(loss) & ~np.isnan(other)
    rows = panel.loc[known, ["session", "ticker"]].assign(
        x=x[known], f=forecast[known], loss=loss[known], d=other[known] - loss[known]
    )
    made: list[dict[str, object]] = [
        {"ticker": ticker, **_figures(fund, parameters)} for ticker, fund in rows.groupby("ticker", sort=True)
    ]
    made.append({**_pooled(rows, parameters)})
    return pd.DataFrame.from_records(made, columns=["ticker", *FIGURES]).assign(estimator=name)


def _with_verdicts(table: pd.DataFrame, parameters: EvaluationParameters) -> pd.DataFrame:
    """Add Holm's p-values, of the funds' tests together and of the tests on all funds together, and what stands after them."""
    p = table["dm_p"].to_numpy(dtype=np.float64)
    pooled = (table["ticker"] == ALL).to_numpy()
    adjusted = np.full(len(p), np.nan)
    adjusted[pooled], adjusted[~pooled] = holm(p[pooled]), holm(p[~pooled])
    verdict = np.where(adjusted < parameters.size, np.where(table["dm"] > 0.0, BETTER, WORSE), NO_DIFFERENCE)
    verdict = np.where(np.isnan(adjusted) & (table["n"] < parameters.min_outcomes), TOO_FEW, verdict)
    return table.assign(dm_p_adjusted=adjusted, verdict=verdict)


FIGURES = ("n", "qlike", "qlike_difference", "dm", "dm_p", "mz_intercept", "mz_slope", "mz_slope_se", "mz_r2", "mz_p")


def _figures(fund: pd.DataFrame, parameters: EvaluationParameters) -> dict[str, float]:
    n = len(fund)
    known = {"n": n, "qlike": float(fund["loss"].mean()), "qlike_difference": float(fund["d"].mean())}
    if n < parameters.min_outcomes:
        return {**dict.fromkeys(FIGURES, math.nan), **known}
    x, f = fund["x"].to_numpy(), fund["f"].to_numpy()
    line: dict[str, float] = {}
    if np.ptp(f) > 1e-9 * f.max():
        scale = f.mean()
        fit = ols(x / scale, np.column_stack([np.ones(n), f / scale]), lags=_lags(n), correct=True)
        line = _line(fit, scale)
    statistic, p = diebold_mariano(fund["d"].to_numpy())
    return {**dict.fromkeys(FIGURES, math.nan), **known, "dm": statistic, "dm_p": p, **line}


def diebold_mariano(difference: Floats) -> tuple[float, float]:
    """Statistic and two-sided p-value of a mean loss difference of zero, corrected for small samples.

    Parameters
    ----------
    difference : ndarray of shape (n,)
        Loss of the benchmark less that of the forecast, in order of time.

    Returns
    -------
    tuple of float
        Positive where the forecast lost less; unknown where the difference never moves.
    """
    from scipy import stats

    n = len(difference)
    if not np.ptp(difference) > 0.0:
        return math.nan, math.nan
    t = float(ols(difference, np.ones((n, 1)), lags=_lags(n)).t[0])
    statistic = t * math.sqrt((n + 1 - 2 * STEPS + STEPS * (STEPS - 1) / n) / n)
    return statistic, float(2.0 * stats.t.sf(abs(statistic), n - 1))


def _lags(n: int) -> int:
    return max(STEPS - 1, newey_west_lags(n))


def _line(fit: Fit, scale: float) -> dict[str, float]:
    """The Mincer-Zarnowitz figures of a regression on variances divided by `scale`."""
    from scipy import stats

    off = fit.coefficients - np.array([0.0, 1.0])
    wald = float(off @ np.linalg.solve(fit.covariance, off))
    return {
        "mz_intercept": float(fit.coefficients[0]) * scale,
        "mz_slope": float(fit.coefficients[1]),
        "mz_slope_se": float(fit.errors[1]),
        "mz_r2": fit.r_squared,
        "mz_p": float(stats.f.sf(wald / 2.0, 2, fit.n - 2)),
    }


def _pooled(rows: pd.DataFrame, parameters: EvaluationParameters) -> dict[str, float | str]:
    by_session = rows.groupby("session", sort=True)
    mean = by_session[["loss", "d"]].mean()
    out: dict[str, float | str] = {"ticker": ALL, **dict.fromkeys(FIGURES, math.nan), "n": len(rows)}
    out |= {"qlike": float(mean["loss"].mean()), "qlike_difference": float(mean["d"].mean())}
    if len(mean) < parameters.min_outcomes:
        return out
    statistic, p = diebold_mariano(mean["d"].to_numpy())
    return {**out, "dm": statistic, "dm_p": p, **_pooled_line(rows)}


def _pooled_line(rows: pd.DataFrame) -> dict[str, float]:
    """Mincer-Zarnowitz over all funds, in units of each fund's mean forecast; scores summed by session."""
    scale = rows.groupby("ticker")["f"].transform("mean").to_numpy()
    x, f = rows["x"].to_numpy() / scale, rows["f"].to_numpy() / scale
    design = np.column_stack([np.ones(len(f)), f])
    fit = ols(x, design, lags=0)
    inverse = np.linalg.inv(design.T @ design)
    scores = pd.DataFrame(design * fit.residuals[:, None]).groupby(rows["session"].to_numpy(), sort=True).sum().to_numpy()
    lags = _lags(len(scores))
    clustered = Fit(fit.coefficients, inverse @ long_run(scores, lags) @ inverse, fit.residuals, fit.r_squared, len(scores), lags)
    return _line(clustered, 1.0)
