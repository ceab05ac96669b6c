"""Whether a better portfolio is worth its price: gain over the holding horizon against a multiple of the cost.

A target is compared with what is held, both before costs, in the terms of the strategy's own objective:

``sharpe``
    The gain in Sharpe ratio at the target's volatility, ``(S* - S) * vol*``: what it adds to the return at equal risk [1]_.
``utility``
    The gain in ``excess - risk_aversion / 2 * variance``.
``variance``
    ``risk_aversion / 2`` times the variance that goes away.
``none``
    A strategy without an objective, such as a ranking: no gain is known and only the no-trade band can stop a trade.

Both sides are chosen from one set of funds. A holding that is no candidate any more (it lost its rank, its score or its cost)
may not be held by any target, and a portfolio of such funds would beat every target for ever: it would never change. So what
is held is counted as `admissible` holdings, those funds sold and the rest scaled up; an optimal target cannot do worse than these
but for the costs of reaching them. Beyond `candidate_tolerance` the holdings are no alternative at all, and the target is taken.

Where what is held is itself among the choices, a max-Sharpe target always passes: costs are inside its objective with the same
hurdle, and ``(S* - S) * vol* >= hurdle`` is the condition for it to beat standing still. The rule decides where standing still
is not among the choices: a holding outside its bounds by drift, one that lost its rank, one near-duplicate for another.

References
----------
.. [1] F. Modigliani and L. Modigliani, "Risk-adjusted performance," J. Portfolio Management 23(2), 1997.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.panel import Floats
from etf_pipeline.portfolio.limits import broken_limits
from etf_pipeline.portfolio.parameters import PortfolioParameters
from etf_pipeline.portfolio.problem import Problem

MEASURES = {
    "max_sharpe": "sharpe",
    "black_litterman": "sharpe",
    "mean_variance": "utility",
    "min_variance": "variance",
    "cvar": "variance",
}
"""What each objective counts as a gain; strategies that are not here have none."""

VERDICTS = ("first", "trade", "forced", "hold_band", "hold_cost", "hold_fallback")
"""What may be decided. The three that begin with `hold` change nothing."""

ROUNDING = 1e-9
"""Slack of a comparison between weights."""

SHOWN = 5
"""Funds that a breach names: the heaviest."""


@dataclass(frozen=True)
class Outlook:
    """What a portfolio is expected to do: excess return over cash and volatility. [fraction per year]"""

    excess: float
    volatility: float

    @classmethod
    def of(cls, weights: Floats, excess: Floats, covariance: Floats) -> Outlook:
        """Of fund weights; the rest is cash, which has neither."""
        return cls(float(weights @ excess), math.sqrt(max(float(weights @ covariance @ weights), 0.0)))

    @property
    def sharpe(self) -> float:
        """Zero for a portfolio of cash. [ratio]"""
        return self.excess / self.volatility if self.volatility > 0.0 else 0.0


@dataclass(frozen=True)
class Decision:
    """One decision and every figure that it rests on; named and with units as in table `rebalance_decisions`."""

    measure: str
    target: Outlook
    held: Outlook
    gain: float
    cost: float
    hurdle: float
    largest_trade: float
    outside_weight: float
    breach: str
    verdict: str

    @property
    def trades(self) -> bool:
        """Whether the target is taken."""
        return not self.verdict.startswith("hold")


def yearly_gain(measure: str, target: Outlook, held: Outlook, risk_aversion: float) -> float:
    """What the target adds, in return per year; unknown without an objective. [fraction per year]

    Examples
    --------
    Sharpe ratios 0.5 and 0.4, at the target's 10 %.

    >>> round(yearly_gain("sharpe", Outlook(0.05, 0.10), Outlook(0.06, 0.15), 4.0), 6)
    0.01
    """
    if measure == "sharpe":
        at = target.volatility if target.volatility > 0.0 else held.volatility
        return (target.sharpe - held.sharpe) * at
    saved = risk_aversion / 2.0 * (held.volatility**2 - target.volatility**2)
    if measure == "utility":
        return target.excess - held.excess + saved
    return saved if measure == "variance" else math.nan


def outside(held: Floats, chosen: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Positions of the holdings that are not among the candidates at positions `chosen`."""
    return np.setdiff1d(np.flatnonzero(held > 0.0), chosen)


def admissible(held: Floats, chosen: npt.NDArray[np.intp]) -> Floats:
    """The holdings as they could be kept: those that are no candidates sold, the others scaled up by the proceeds.

    Where none is a candidate they come back as they are: there is nothing to compare with.

    Examples
    --------
    The third fund is none; what it weighs goes to the others, cash stays.

    >>> admissible(np.array([0.3, 0.2, 0.4]), np.array([0, 1])).round(9).tolist()
    [0.54, 0.36, 0.0]
    """
    kept = held.copy()
    kept[outside(held, chosen)] = 0.0
    total = float(kept.sum())
    return np.asarray(kept * (float(held.sum()) / total)) if total > 0.0 else held


def lost(held: Floats, chosen: npt.NDArray[np.intp], tickers: pd.Index[Any], *, tolerance: float, worst_rank: int) -> list[str]:
    """The breach by holdings that are no candidates, in words; none while they weigh no more than `tolerance`.

    Parameters
    ----------
    held : ndarray of shape (n_assets,)
        Drifted weights.
    chosen : ndarray of shape (n_candidates,)
        Positions of the candidates.
    tickers : Index of shape (n_assets,)
    tolerance : float
        What such holdings may weigh. [fraction]
    worst_rank : int
        The worst that keeps a holding.
    """
    away = outside(held, chosen)
    weight = float(held[away].sum())
    if weight <= tolerance + ROUNDING:
        return []
    heaviest = away[np.argsort(-held[away], kind="stable")]
    named = ", ".join(str(tickers[i]) for i in heaviest[:SHOWN]) + (" ..." if len(away) > SHOWN else "")
    return [f"not_candidates: {weight:.1%} in funds that rank below {worst_rank}, or lack a score or a cost ({named})"]


def breaches(held: Floats, problem: Problem, at: npt.NDArray[np.intp], tolerance: float) -> list[str]:
    """Which limits the present holdings break, in words.

    Parameters
    ----------
    held : ndarray of shape (n_assets,)
        Drifted weights on the axis of all tickers.
    problem : Problem
        Limits among the funds at positions `at`, all holdings that are left included.
    at : ndarray of shape (n,)
        Positions.
    tolerance : float
        How far drift may carry a weight above its cap. [fraction]
    """
    inside = held[at]
    above = np.flatnonzero(inside > problem.upper + tolerance + ROUNDING)
    found = [f"{problem.tickers[i]} {inside[i]:.1%} > {problem.upper + tolerance:.1%}" for i in above]
    standing = dataclasses.replace(problem, turnover_limit=math.inf)
    empty = [group for group in problem.groups if group.lower > 0.0 and not group.members.any()]
    found += [f"{group.name} >= {group.lower:.1%}: none held" for group in empty]
    standing = dataclasses.replace(standing, groups=tuple(group for group in problem.groups if group.members.any()))
    found += [f"{limit}: {limit.shown(limit.measure(standing, inside))}" for limit in broken_limits(standing, inside)]
    return found


def decide(
    strategy: str,
    target: Outlook,
    held: Outlook,
    *,
    cost: float,
    largest_trade: float,
    outside_weight: float,
    breach: str,
    status: str,
    first: bool,
    ruled: bool,
    parameters: PortfolioParameters,
) -> Decision:
    """Take the target or stay.

    Parameters
    ----------
    strategy : str
        A key of `optimizer.OPTIMIZERS`.
    target, held : Outlook
        Before costs, both of funds that are candidates (`admissible`).
    cost : float
        Of going from one to the other, once. [fraction of net asset value]
    largest_trade : float
        Largest change of a weight. [fraction]
    outside_weight : float
        Held in funds that are no candidates. [fraction]
    breach : str
        As `breaches` and `lost` give it: a breach is mended whatever it costs.
    status : str
        Of the solution: ``hold`` keeps what is held.
    first : bool
        Whether nothing was decided before.
    ruled : bool
        Whether the rule applies.
    parameters : PortfolioParameters
        Horizon, hurdle and band.
    """
    measure = MEASURES.get(strategy, "none")
    gain = yearly_gain(measure, target, held, parameters.risk_aversion) * parameters.horizon / SESSIONS_PER_YEAR
    hurdle = parameters.cost_hurdle * cost
    if first:
        verdict = "first"
    elif status == "hold" and largest_trade <= ROUNDING:
        verdict = "hold_fallback"
    elif breach:
        verdict = "forced"
    elif ruled and largest_trade <= parameters.no_trade_band:
        verdict = "hold_band"
    elif ruled and gain <= hurdle:  # an unknown gain is below nothing
        verdict = "hold_cost"
    else:
        verdict = "trade"
    return Decision(measure, target, held, gain, cost, hurdle, largest_trade, outside_weight, breach, verdict)
