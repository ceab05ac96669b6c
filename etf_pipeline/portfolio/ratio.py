"""The largest Sharpe ratio where its own cone programme stalls: a search for the price of variance.

Charnes and Cooper's scaling divides by the net excess return. Where limits leave hardly any of it, as a tight value at risk does,
the scaled programme is too badly conditioned to be solved. The same weights are the best of a mean-variance utility, a programme
without scaling, whose risk aversion is ``net excess / variance`` at those weights [1]_, or higher where the limit on value at
risk binds: its multiplier is a price of variance too. That one number is searched, and the limit needs no cone.

References
----------
.. [1] W. Dinkelbach, "On nonlinear fractional programming," Management Science 13(7), 1967. doi:10.1287/mnsc.13.7.492
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from etf_pipeline.errors import EstimationError
from etf_pipeline.panel import Floats
from etf_pipeline.portfolio import cone
from etf_pipeline.portfolio.problem import Problem

HIGHEST = 1e8
"""Price of variance, over the first one, at which only the smallest variance is left. [ratio]"""

WIDER = 4.0
"""Factor by which the price is raised until it is high enough."""

SETTLED = 1e-12
"""Width of the bracket of the price's logarithm at which the search ends; Newton steps follow."""


def optimum(problem: Problem, *, lower: float, objective: cone.Objective, tolerance: float = cone.TOLERANCE) -> Floats | None:
    """As `cone.optimum`; a Sharpe ratio whose programme stalls is searched by its price of variance.

    Raises
    ------
    EstimationError
        If both ways fail.
    """
    try:
        return cone.optimum(problem, lower=lower, objective=objective, tolerance=tolerance)
    except EstimationError:
        if objective != "sharpe":
            raise
        return by_price_of_variance(problem, lower=lower, tolerance=tolerance)


def by_price_of_variance(problem: Problem, *, lower: float, tolerance: float = cone.TOLERANCE) -> Floats | None:
    """Weights of the largest net Sharpe ratio, or None where no weights within the limits earn more than cash.

    Parameters
    ----------
    problem, lower, tolerance
        As `cone.optimum` takes them.

    Raises
    ------
    EstimationError
        If the solver fails.

    Notes
    -----
    At a price of zero the weights earn most: if that is nothing, no weights earn anything. A price is high enough if it is no
    less than the one that comes out and value at risk is within its limit; a higher one takes less risk, so that the smallest
    one that is high enough is found by halving.
    """
    from scipy.optimize import brentq

    search = _Search(problem, lower, tolerance)
    weights = search.best(0.0)
    if weights is None or problem.net_excess(weights) <= 0.0:
        return None
    first = low = high = problem.net_excess(weights) / problem.volatility(weights) ** 2
    while search.short(np.log(high)) > 0.0:
        low, high = high, high * WIDER
        if high > HIGHEST * first:  # not even the smallest variance is within the limit
            return None
    price = high if low == high else np.exp(brentq(search.short, np.log(low), np.log(high), xtol=SETTLED))
    weights = search.best(float(price))
    return weights if weights is not None and problem.net_excess(weights) > 0.0 else None


@dataclass(frozen=True)
class _Search:
    """Utilities of one problem over prices of variance, without the limit on value at risk."""

    problem: Problem
    lower: float
    tolerance: float

    def best(self, price: float) -> Floats | None:
        """Weights of the largest utility."""
        posed = dataclasses.replace(self.problem, risk_aversion=price, var_limit=np.inf)
        return cone.optimum(posed, lower=self.lower, objective="utility", tolerance=self.tolerance)

    def short(self, log_price: float) -> float:
        """How far the price is from high enough, as a logarithm: positive below, negative above."""
        weights = self.best(float(np.exp(log_price)))
        if weights is None:
            raise EstimationError(
                "a utility has weights at one price of variance and none at another; see the scale of the inputs."
            )
        net, volatility = self.problem.net_excess(weights), self.problem.volatility(weights)
        risky = float(np.log(volatility) - np.log(self.problem.volatility_limit))
        return risky if net <= 0.0 else max(float(np.log(net / volatility**2)) - log_price, risky)
