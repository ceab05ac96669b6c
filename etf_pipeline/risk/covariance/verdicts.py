"""Is an estimator better than the sample covariance, out of sample? Paired, month by month, corrected for how many were tried."""

from __future__ import annotations

import numpy as np
import pandas as pd

from etf_pipeline.panel import Floats
from etf_pipeline.regression import ols
from etf_pipeline.validation import fixed_b_critical_value, fixed_b_p_value, holm

REFERENCE = "sample"
"""What every other estimator is compared with."""

MEASURES = {"min_variance_volatility": "lower", "balanced_volatility": "lower", "log_likelihood": "higher"}
"""Outcomes that are tested, and which way is better."""

LAGS = 12
"""Months of dependence that errors allow for: volatility comes in spells."""

FEWEST = 36
"""Months below which nothing is tested: three times the lags."""

LEVEL = 0.05
"""Chance of one false verdict or more in the whole table."""

COLUMNS = [
    "estimator",
    "measure",
    "n",
    "mean",
    "ci_low",
    "ci_high",
    "difference",
    "difference_low",
    "difference_high",
    "t",
    "p",
    "p_holm",
    "verdict",
]


def covariance_tests(stability: pd.DataFrame) -> pd.DataFrame:
    """Mean of each outcome per estimator, and its paired difference from the sample covariance.

    Parameters
    ----------
    stability : DataFrame
        Table `covariance_stability`.

    Returns
    -------
    DataFrame of shape (n_estimators * n_measures, 13)
        Volatilities are averaged and compared in logarithms: `mean` is geometric, `difference` the mean logarithm of the ratio.
        Unknown where fewer than 36 months are known.

    Notes
    -----
    Errors are Newey and West's with 12 lags. That is a large share of few months, and a normal law would claim too much: p-values
    and intervals are those of the statistic's own limit at that share, fixed-b [2]_. The difference of the logarithms of two
    realised variances is the statistic of [1]_; months whose outcome is unknown for one of the two are left out for both.
    Verdicts stand after Holm's correction for every test of the table. On two equal estimators whose months' differences have an
    autocorrelation of 0.3, a single test at 5 % claims a difference 5 % of the time on 200 months and 6 % on 48 (2,000
    simulations each; 7 and 14 % by the normal law).

    References
    ----------
    .. [1] O. Ledoit and M. Wolf, "Robust performance hypothesis testing with the variance," Wilmott Magazine, September 2011.
    .. [2] N. Kiefer and T. Vogelsang, "A new asymptotic theory for heteroskedasticity-autocorrelation robust tests," Econometric
       Theory 21 (6), 2005. doi:10.1017/S0266466605050565
    """
    wide = {m: stability.pivot(index="session", columns="estimator", values=m).sort_index() for m in MEASURES}
    rows = [_row(wide[measure], name, measure) for name in stability["estimator"].unique() for measure in MEASURES]
    frame = pd.DataFrame(rows, columns=COLUMNS[:11])
    frame["p_holm"] = holm(frame["p"].to_numpy(dtype=np.float64))
    frame["verdict"] = [_verdict(*row) for row in frame[["estimator", "measure", "difference", "p_holm"]].itertuples(index=False)]
    return frame[COLUMNS]


def _row(wide: pd.DataFrame, name: str, measure: str) -> tuple[object, ...]:
    values = wide[name].to_numpy(dtype=np.float64)
    reference = wide[REFERENCE].to_numpy(dtype=np.float64) if REFERENCE in wide else np.full(len(wide), np.nan)
    logs = MEASURES[measure] == "lower"
    if logs:
        values, reference = (np.log(np.where(x > 0, x, np.nan)) for x in (values, reference))
    mean, error, n = _mean(values)
    difference, gap, months = _mean(values - reference) if name != REFERENCE else (np.nan, np.nan, 0)
    level = mean + np.array([0.0, -1.0, 1.0]) * _width(n) * error
    shown = np.exp(level) if logs else level
    t = difference / gap if gap > 0 else np.nan
    p = 2.0 * fixed_b_p_value(abs(t), _share(months))
    reach = _width(months) * gap
    return name, measure, n, *shown.tolist(), difference, difference - reach, difference + reach, t, p


def _mean(values: Floats) -> tuple[float, float, int]:
    """Mean, its standard error under dependence, and how many values are known."""
    known = values[np.isfinite(values)]
    if len(known) < FEWEST:
        return np.nan, np.nan, len(known)
    fit = ols(known, np.ones((len(known), 1)), lags=LAGS, correct=True)
    return float(fit.coefficients[0]), float(fit.errors[0]), len(known)


def _share(months: int) -> float:
    """Bandwidth of the kernel over the months, as far as the tables of its law reach."""
    return min((LAGS + 1) / max(months, 1), 1.0)


def _width(months: int) -> float:
    """Errors on either side of a 95 % interval."""
    return fixed_b_critical_value(_share(months))


def _verdict(name: str, measure: str, difference: float, p_holm: float) -> str:
    if name == REFERENCE:
        return "reference"
    if not np.isfinite(p_holm):
        return "insufficient"
    if p_holm >= LEVEL:
        return "no_difference"
    return "better" if (difference < 0) == (MEASURES[measure] == "lower") else "worse"
