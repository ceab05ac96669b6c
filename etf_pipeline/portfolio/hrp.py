"""Hierarchical risk parity: a tree of correlations, along which money is split by variance.

No covariance is inverted: funds are ordered by a hierarchical clustering, and each branch is split between its halves in
inverse proportion to their variances under inverse-variance weights [1]_. Bounds enter at each split: a half gets no less
than its floors and no more than its caps add up to, as in the peers that the tests compare with.

References
----------
.. [1] M. Lopez de Prado, "Building diversified portfolios that outperform out of sample," J. Portfolio Management 42(4), 2016.
   doi:10.3905/jpm.2016.42.4.059
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from etf_pipeline.panel import Floats
from etf_pipeline.portfolio.certificate import describe
from etf_pipeline.portfolio.constraints import check_bounds, name_counts, percent
from etf_pipeline.portfolio.diagnosis import require_limits
from etf_pipeline.portfolio.limits import check_limits
from etf_pipeline.portfolio.problem import Problem, Solution


def hierarchical_risk_parity(problem: Problem) -> Solution:
    """Weights of hierarchical risk parity within the bounds.

    Parameters
    ----------
    problem : Problem
        Covariance and limits; every fund is held, as far as the smallest weight leaves room. Expected returns and costs
        play no part.

    Raises
    ------
    Infeasible
        ``bounds``, ``too_few_candidates``, or the limit that is broken: there is nothing left to choose.
    """
    check_limits(problem)
    check_bounds(problem)
    inside = _largest(problem)
    weights = np.zeros(problem.n)
    covariance = problem.covariance[np.ix_(inside, inside)]
    weights[inside] = tree_weights(covariance, lower=problem.lower, upper=problem.upper, total=problem.invested)
    require_limits(problem, weights, "the tree")
    active = describe(problem, weights)
    if len(inside) < problem.n:
        active = f"{active}; too many for {percent(problem.lower)} each: {problem.n - len(inside)} left out"
    return Solution(weights, "tree", "optimal", active)


def tree_weights(covariance: Floats, *, lower: float = 0.0, upper: float = 1.0, total: float = 1.0) -> Floats:
    """Weights by recursive bisection.

    Parameters
    ----------
    covariance : ndarray of shape (n_assets, n_assets)
        With positive variances; it need not be invertible.
    lower, upper : float
        Bounds on every weight; ``n_assets * lower <= total <= n_assets * upper``. [fraction]
    total : float, default 1
        Sum of the weights. [fraction]

    Returns
    -------
    ndarray of shape (n_assets,)
        [fraction]

    Examples
    --------
    Two funds share in inverse proportion to their variances.

    >>> tree_weights(np.diag([0.01, 0.04])).round(12).tolist()
    [0.8, 0.2]
    """
    weights = np.full(len(covariance), total)
    branches = [leaf_order(covariance)]
    while branches:
        branch = branches.pop()
        if len(branch) < 2:
            continue
        first, second = branch[: len(branch) // 2], branch[len(branch) // 2 :]
        whole = weights[branch[0]]
        share = whole * _share_of_first(covariance, first, second)
        least, most = max(lower * len(first), whole - upper * len(second)), min(upper * len(first), whole - lower * len(second))
        weights[first] = min(max(share, least), most)
        weights[second] = whole - weights[first[0]]
        branches += [first, second]
    return np.asarray(np.clip(weights, lower, upper), dtype=np.float64)  # rounding of the last subtraction


def leaf_order(covariance: Floats) -> npt.NDArray[np.intp]:
    """Funds in the order of the tree: single linkage of ``sqrt((1 - correlation) / 2)``, leaves ordered optimally."""
    from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
    from scipy.spatial.distance import squareform

    if len(covariance) < 3:
        return np.arange(len(covariance))
    sigma = np.sqrt(np.diag(covariance))
    correlation = np.clip(covariance / np.outer(sigma, sigma), -1.0, 1.0)
    distance = np.sqrt(np.clip((1.0 - correlation) / 2.0, 0.0, 1.0))
    np.fill_diagonal(distance, 0.0)
    condensed = squareform(distance, checks=False)
    return np.asarray(leaves_list(optimal_leaf_ordering(linkage(condensed, "single"), condensed)), dtype=np.intp)


def _share_of_first(covariance: Floats, first: npt.NDArray[np.intp], second: npt.NDArray[np.intp]) -> float:
    one, two = (_branch_variance(covariance, half) for half in (first, second))
    return two / (one + two)


def _branch_variance(covariance: Floats, members: npt.NDArray[np.intp]) -> float:
    """Variance of a branch under inverse-variance weights."""
    part = covariance[np.ix_(members, members)]
    inverse = 1.0 / np.diag(part)
    weights = inverse / inverse.sum()
    return float(weights @ part @ weights)


def _largest(problem: Problem) -> npt.NDArray[np.intp]:
    """Positions of the funds that fit at the smallest weight: those that the tree without bounds holds most of."""
    _, most = name_counts(problem.lower, problem.upper, problem.invested)
    if problem.n <= most:
        return np.arange(problem.n)
    return np.sort(np.argsort(-tree_weights(problem.covariance), kind="stable")[:most])
