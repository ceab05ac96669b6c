"""Limits that are checked before anything is solved, each with a name, and the rule for near-duplicate funds."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from etf_pipeline.conventions import SESSIONS_PER_YEAR, VAR_MULTIPLE
from etf_pipeline.errors import Infeasible
from etf_pipeline.panel import Floats
from etf_pipeline.portfolio.problem import Problem, Views

ROUNDING = 1e-9
"""Slack of a comparison between sums of weights."""


def check_bounds(problem: Problem) -> None:
    """Refuse weights that cannot add up.

    Raises
    ------
    Infeasible
        ``bounds`` if the bounds contradict each other, ``too_few_candidates`` if every fund at its cap is not enough.
    """
    lower, upper, invested = problem.lower, problem.upper, problem.invested
    if not (0.0 <= lower <= upper and upper > 0.0 and 0.0 < invested <= 1.0 + ROUNDING):
        raise Infeasible(
            f"bounds need 0 <= lower <= upper and 0 < invested <= 1; found lower {lower:.4g}, upper {upper:.4g}, "
            f"invested {invested:.4g}. Correct PortfolioParameters.",
            reason="bounds",
        )
    fewest, most = name_counts(lower, upper, invested)
    if fewest > most:
        raise Infeasible(
            f"no number of funds of {percent(lower)} to {percent(upper)} adds up to {percent(invested)}: at least {fewest} are "
            f"needed, at most {most} fit. Widen the bounds.",
            reason="bounds",
        )
    if problem.n < fewest:
        raise Infeasible(
            f"{percent(invested)} invested needs at least {fewest} funds at {percent(upper)} each; there are "
            f"{problem.n} candidates. Raise n_candidates or upper, or accept cash.",
            reason="too_few_candidates",
        )


def name_counts(lower: float, upper: float, invested: float) -> tuple[int, int]:
    """Fewest and most funds that can be held: 7 and 50 for 2-15 % fully invested."""
    fewest = math.ceil(invested / upper - ROUNDING)
    return fewest, math.floor(invested / lower + ROUNDING) if lower > 0 else np.iinfo(np.int64).max


def var_refusal(problem: Problem, volatility: float, found: str = "minimum is") -> Infeasible:
    """The refusal of a value-at-risk limit that `volatility`, the smallest attainable one, breaks."""
    how = "fully invested" if problem.invested >= 1.0 - ROUNDING else f"{percent(problem.invested)} invested"
    return Infeasible(
        f"VaR {percent(problem.var_limit)} cannot be met {how}: {found} {percent(daily_var(volatility))}. "
        f"Hold cash, or raise var_limit.",
        reason="var_limit",
    )


def percent(fraction: float) -> str:
    """A fraction in words.

    Examples
    --------
    >>> percent(0.02), percent(0.0271)
    ('2 %', '2.71 %')
    """
    return f"{fraction * 100:.3g} %"


def daily_var(volatility: float) -> float:
    """One-day 95 % value at risk of an annual volatility, zero-mean Gaussian, positive. [fraction]

    Examples
    --------
    >>> round(daily_var(0.20), 4)
    0.0207
    """
    return float(VAR_MULTIPLE * volatility / math.sqrt(SESSIONS_PER_YEAR))


def clusters(correlation: Floats, threshold: float) -> npt.NDArray[np.intp]:
    """Label of each fund's exposure: funds linked by correlations above `threshold` share one.

    Parameters
    ----------
    correlation : ndarray of shape (n_assets, n_assets)
        Unknown where two funds have too little history in common: no link.
    threshold : float
        Correlation above which two funds are near-duplicates.

    Returns
    -------
    ndarray of shape (n_assets,)
        The smallest position in the fund's cluster.

    Examples
    --------
    >>> clusters(np.array([[1.0, 0.2, 0.999], [0.2, 1.0, 0.3], [0.999, 0.3, 1.0]]), 0.995).tolist()
    [0, 1, 0]
    """
    linked = correlation > threshold
    n = len(linked)
    label = np.arange(n)
    for _ in range(n):  # labels sink to the smallest reachable position
        sunk = np.where(linked, label[None, :], n).min(axis=1, initial=n)
        sunk = np.minimum(sunk, label)
        if (sunk == label).all():
            break
        label = sunk
    return label.astype(np.intp)


def one_per_cluster(problem: Problem, threshold: float) -> npt.NDArray[np.intp]:
    """Positions of the funds to choose from: one per exposure, so that near-duplicates share one cap.

    The incumbent stays unless another gains more, over its weight, than selling one and buying the other costs (the costs
    already carry the horizon and the hurdle). Without an incumbent the best return after the cost of buying wins.

    Notes
    -----
    Near-duplicates are recognised by realised correlations where the problem brings them: shrinkage towards equal variances
    takes a pair of bond funds far below one.
    """
    label = clusters(correlations(problem), threshold)
    chosen = [_representative(problem, np.flatnonzero(label == k)) for k in np.unique(label)]
    return np.sort(np.array(chosen, dtype=np.intp))


def correlations(problem: Problem) -> Floats:
    """The problem's realised correlations, else those of its covariance."""
    if problem.correlation is not None:
        return problem.correlation
    sigma = np.sqrt(np.diag(problem.covariance))
    return np.asarray(problem.covariance / np.outer(sigma, sigma), dtype=np.float64)


def _representative(problem: Problem, members: npt.NDArray[np.intp]) -> int:
    held = problem.previous[members]
    if held.max() <= 0:
        value = problem.expected_return[members] - problem.linear_cost[members]
        return int(members[np.argmax(value)])
    incumbent = int(members[np.argmax(held)])
    weight = problem.previous[incumbent]
    gain = (problem.expected_return[members] - problem.expected_return[incumbent]) * weight
    cost = (problem.linear_cost[members] + problem.linear_cost[incumbent]) * weight
    cost = cost + (problem.impact_cost[members] + problem.impact_cost[incumbent]) * weight**1.5
    cost[members == incumbent] = 0.0
    return int(members[np.argmax(gain - cost)])


def restrict(problem: Problem, positions: npt.NDArray[np.intp]) -> Problem:
    """The same problem among fewer funds; holdings in the others are sold whatever is chosen.

    What is sold counts in turnover and cost, and a benchmark keeps the funds that are left out. Views on them are dropped.
    """
    away = problem.previous.copy()
    away[positions] = 0.0
    known = problem.benchmark is not None or problem.benchmark_covariance is not None
    covariance, variance = problem.to_benchmark()
    return dataclasses.replace(
        problem,
        tickers=tuple(problem.tickers[i] for i in positions),
        expected_return=problem.expected_return[positions],
        covariance=problem.covariance[np.ix_(positions, positions)],
        previous=problem.previous[positions],
        linear_cost=problem.linear_cost[positions],
        impact_cost=problem.impact_cost[positions],
        correlation=None if problem.correlation is None else problem.correlation[np.ix_(positions, positions)],
        groups=tuple(dataclasses.replace(g, members=g.members[positions]) for g in problem.groups),
        benchmark=_part(problem.benchmark, positions),
        scenarios=_part(problem.scenarios, positions),
        budgets=_part(problem.budgets, positions),
        views=_views_on(problem.views, positions),
        sold=problem.sold + float(away.sum()),
        sold_cost=problem.sold_cost + float(problem.linear_cost @ away + problem.impact_cost @ away**1.5),
        benchmark_covariance=covariance[positions] if known else None,
        benchmark_variance=variance if known else None,
    )


def _part(values: Floats | None, positions: npt.NDArray[np.intp]) -> Floats | None:
    return None if values is None else values[..., positions]


def _views_on(views: Views | None, positions: npt.NDArray[np.intp]) -> Views | None:
    if views is None:
        return None
    elsewhere = views.combinations.copy()
    elsewhere[:, positions] = 0.0
    kept = ~elsewhere.any(axis=1)
    uncertainty = None if views.uncertainty is None else views.uncertainty[kept]
    return Views(views.combinations[np.ix_(kept, positions)], views.returns[kept], uncertainty)
