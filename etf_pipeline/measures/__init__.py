"""Measures: one definition of every figure that sums up a return series, and how far chance moves it.

`MEASURES` names each with its definition, degrees of freedom, annualiser and unit; `measure` computes one,
`bootstrap` gives the interval around it, `sharpe_difference` tests one Sharpe ratio against another, `risk_free` is what cash
earned. The backtest, validation and monitoring all read their figures from here, so that no two pages of a report can disagree
on a Sharpe ratio.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.errors import DataError
from etf_pipeline.measures import against_benchmark as b
from etf_pipeline.measures import definitions as d
from etf_pipeline.measures.bootstrap import (
    block_length,
    common_block_length,
    percentile_interval,
    resample,
    stationary_indices,
)
from etf_pipeline.measures.risk_free import daily_bill_yield, session_risk_free
from etf_pipeline.measures.sharpe_difference import SharpeDifference, sharpe_difference
from etf_pipeline.panel import Floats


@dataclass(frozen=True)
class Measure:
    """A figure that sums up one return series.

    Attributes
    ----------
    definition : str
        In words.
    ddof : int or None
        Degrees of freedom taken off in a standard deviation; None where there is none.
    annualiser : float
        Factor (or, for growth, sessions per year) that makes it annual; 1 where it is not annual.
    unit : str
        Unit of the value.
    function : callable
        ``function(returns, risk_free, benchmark)`` along the last axis.
    """

    definition: str
    ddof: int | None
    annualiser: float
    unit: str
    function: Callable[[Floats, Floats, Floats], Floats]


_YEAR, _ROOT = float(SESSIONS_PER_YEAR), d.ROOT_YEAR

MEASURES: dict[str, Measure] = {
    "total_return": Measure("Compounded return of the window", None, 1.0, "fraction", d.total_return),
    "cagr": Measure("Compound annual growth", None, _YEAR, "fraction per year", d.cagr),
    "volatility": Measure("Standard deviation of session returns", 1, _ROOT, "fraction per year", d.volatility),
    "sharpe": Measure("Mean over deviation, in excess of the bill", 1, _ROOT, "ratio, annual", d.sharpe),
    "sortino": Measure("Mean over downside deviation, in excess of the bill", 0, _ROOT, "ratio, annual", d.sortino),
    "calmar": Measure("Compound annual growth over the largest drawdown", None, _YEAR, "ratio", d.calmar),
    "max_drawdown": Measure("Largest fall from a high, positive", None, 1.0, "fraction", d.max_drawdown),
    "ulcer_index": Measure("Root mean square drawdown", 1, 1.0, "fraction", d.ulcer_index),
    "downside_risk": Measure("Root mean square shortfall below the bill", 0, _ROOT, "fraction per year", d.downside_risk),
    "omega": Measure("Gains over the bill divided by losses below it", None, 1.0, "ratio", d.omega),
    "tail_ratio": Measure("95 % quantile over 5 % quantile, in size", None, 1.0, "ratio", d.tail_ratio),
    "stability": Measure("R-squared of log wealth on time", None, 1.0, "fraction", d.stability),
    "best_session": Measure("Largest session return", None, 1.0, "fraction", d.best_session),
    "worst_session": Measure("Smallest session return", None, 1.0, "fraction", d.worst_session),
    "win_rate": Measure("Sessions that gained over sessions that moved", None, 1.0, "fraction", d.win_rate),
    "tracking_error": Measure("Deviation from the benchmark", 1, _ROOT, "fraction per year", d.tracking_error),
    "information_ratio": Measure("Mean over deviation, less the benchmark", 1, _ROOT, "ratio, annual", d.information_ratio),
    "beta": Measure("Slope on the benchmark, both in excess of the bill", None, 1.0, "ratio", b.beta),
    "alpha": Measure("Mean excess return that beta leaves", None, _YEAR, "fraction per year", b.alpha),
    "r_squared": Measure("Squared correlation with the benchmark", None, 1.0, "fraction", b.r_squared),
    "up_capture": Measure("Growth over the benchmark's where that gained", None, _YEAR, "ratio", b.up_capture),
    "down_capture": Measure("Growth over the benchmark's where that lost", None, _YEAR, "ratio", b.down_capture),
    "batting_average": Measure("Sessions that beat the benchmark", None, 1.0, "fraction", b.batting_average),
    "var_95": Measure("One-session 95 % value at risk, historical", None, 1.0, "fraction", d.var_95),
    "cvar_95": Measure("One-session 95 % expected shortfall, historical", None, 1.0, "fraction", d.cvar_95),
    "var_95_gaussian": Measure("One-session 95 % value at risk, normal law", 1, 1.0, "fraction", d.var_95_gaussian),
    "cvar_95_gaussian": Measure("One-session 95 % expected shortfall, normal law", 1, 1.0, "fraction", d.cvar_95_gaussian),
    "skewness": Measure("Third standardised moment, bias-corrected", None, 1.0, "ratio", d.skewness),
    "kurtosis": Measure("Excess fourth standardised moment, bias-corrected", None, 1.0, "ratio", d.kurtosis),
}


def measure(name: str, returns: Floats, risk_free: Floats | float = 0.0, benchmark: Floats | float = np.nan) -> float:
    """One measure of one return series.

    Parameters
    ----------
    name : str
        As in `MEASURES`.
    returns : ndarray of shape (n_sessions,)
        Simple returns. [fraction]
    risk_free, benchmark : ndarray of shape (n_sessions,) or float
        What cash and the benchmark earned in the same sessions. [fraction]

    Returns
    -------
    float
        NaN where the series does not define it (an unknown return, no dispersion, no benchmark).

    Raises
    ------
    DataError
        If the name is unknown or there are fewer than two returns.

    Examples
    --------
    >>> import numpy as np
    >>> round(measure("max_drawdown", np.array([0.10, -0.50, 0.20])), 12)
    0.5
    """
    if name not in MEASURES:
        raise DataError(f"measure knows {', '.join(MEASURES)}; asked for '{name}'. Add it to `measures.MEASURES` first.")
    x = np.asarray(returns, dtype=np.float64)
    if x.ndim != 1 or len(x) < 2:
        raise DataError(f"measure '{name}' needs one series of at least 2 returns; found shape {x.shape}. Take a longer window.")
    if len(x) < 4 and name in ("skewness", "kurtosis"):
        return float("nan")
    like = (np.broadcast_to(np.asarray(v, dtype=np.float64), x.shape) for v in (risk_free, benchmark))
    return float(MEASURES[name].function(x, *like))


__all__ = [
    "MEASURES",
    "Measure",
    "SharpeDifference",
    "block_length",
    "common_block_length",
    "daily_bill_yield",
    "measure",
    "percentile_interval",
    "resample",
    "session_risk_free",
    "sharpe_difference",
    "stationary_indices",
]
