"""Black-Litterman: what the market must believe, blended with forecasts or views by their uncertainty.

The prior is what makes the market portfolio optimal, ``risk_aversion * S w_market``, known to within ``TAU * S``. Views
``P r = q`` with error variances ``Omega`` move it to::

    prior + tau S P' (P tau S P' + Omega)^-1 (q - P prior)

so that a forecast of one fund also moves those that correlate with it. The market is `Problem.benchmark`, equal weights
without one; the views are `Problem.views`, else the expected return of every fund; ``Omega`` is the diagonal of
``P tau S P'`` unless given [2]_: the market and the views are then believed alike.

References
----------
.. [1] F. Black and R. Litterman, "Global portfolio optimization," Financial Analysts J. 48(5), 1992. doi:10.2469/faj.v48.n5.28
.. [2] G. He and R. Litterman, "The intuition behind Black-Litterman model portfolios," 1999. doi:10.2139/ssrn.334304
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np

from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats
from etf_pipeline.portfolio.max_sharpe import max_sharpe
from etf_pipeline.portfolio.problem import Problem, Solution, Views

TAU = 0.05
"""Uncertainty of the prior mean, as a share of the covariance: that of a mean over twenty years [2]_. [ratio]"""


class Posterior(NamedTuple):
    """Expected excess returns after the views, and the covariance of their error. [fraction per year], [squared]"""

    excess: Floats
    error: Floats


def black_litterman(problem: Problem) -> Solution:
    """Weights of the largest net Sharpe ratio under the posterior expected returns.

    Raises
    ------
    DataError
        If the views do not fit the funds.
    Infeasible, EstimationError
        As `max_sharpe`.

    Notes
    -----
    Risk is measured with `problem.covariance`, so that the VaR limit means the same for every strategy; the error of the mean
    would add about 5 % to the variance of every fund.
    """
    excess = posterior(problem).excess
    return max_sharpe(dataclasses.replace(problem, expected_return=excess + problem.risk_free))


def posterior(problem: Problem) -> Posterior:
    """Expected excess returns of the market, moved by the views.

    Parameters
    ----------
    problem : Problem
        Covariance, `benchmark`, `views`, `risk_aversion`, and `expected_return` where there are no views.

    Returns
    -------
    Posterior
        Of every fund, viewed or not.

    Raises
    ------
    DataError
        If the views do not fit the funds, or an uncertainty is not positive.
    """
    spread = TAU * problem.covariance
    prior = implied_excess(problem)
    views = problem.views or Views(np.eye(problem.n), problem.excess)
    P, q = views.combinations, views.returns
    if P.shape != (len(q), problem.n):
        raise DataError(f"views need combinations of shape ({len(q)}, {problem.n}); found {P.shape}.")
    omega = np.diag(P @ spread @ P.T) if views.uncertainty is None else views.uncertainty
    if not (len(omega) == len(q) and (omega > 0).all()):
        raise DataError(f"each of {len(q)} views needs a positive uncertainty; found {omega}.")
    gain = np.linalg.solve(P @ spread @ P.T + np.diag(omega), P @ spread).T
    return Posterior(prior + gain @ (q - P @ prior), spread - gain @ P @ spread)


def implied_excess(problem: Problem) -> Floats:
    """Excess returns under which the market portfolio is optimal. [fraction per year]"""
    if problem.benchmark is not None or problem.benchmark_covariance is not None:
        return problem.risk_aversion * problem.to_benchmark()[0]
    return np.asarray(problem.risk_aversion * problem.covariance.mean(axis=1), dtype=np.float64)
