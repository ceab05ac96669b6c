"""Does a value at risk hold? How often it was passed, whether in clusters, and how deep losses went beyond it.

Losses, VaR and ES are positive, one per session, known before the session they speak of.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from etf_pipeline.conventions import VAR_LEVEL
from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats

Hits = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class VarTest:
    """A test of a risk forecast.

    Attributes
    ----------
    statistic, p_value : float
        Chi-square statistic for the likelihood ratios, Z for the expected shortfall; unknown where nothing can be said.
    n, violations : int
        Sessions judged; those whose loss passed the VaR.
    expected : float
        Violations that the level promises.
    """

    statistic: float
    p_value: float
    n: int
    violations: int
    expected: float


@dataclass(frozen=True)
class ShortfallParameters:
    """How the shortfall test draws losses of the claimed model.

    Attributes
    ----------
    degrees_of_freedom : float
        Of the standardised losses' Student t; 0 is the normal law.
    simulations : int
        Draws of a whole record.
    seed : int
        Equal seeds give equal p values.
    """

    degrees_of_freedom: float = 0.0
    simulations: int = 5000
    seed: int = 20


def violations(loss: Floats, var: Floats) -> Hits:
    """Sessions whose loss passed the VaR; sessions that do not know both are left out.

    Examples
    --------
    >>> violations(np.array([0.01, 0.03, np.nan]), np.array([0.02, 0.02, 0.02])).tolist()
    [False, True]
    """
    loss, var = np.asarray(loss, dtype=np.float64), np.asarray(var, dtype=np.float64)
    known = ~(np.isnan(loss) | np.isnan(var))
    return np.asarray(loss[known] > var[known])


def kupiec(hits: Hits, level: float = VAR_LEVEL) -> VarTest:
    """Unconditional coverage: is the share of violations the promised ``1 - level``?

    Notes
    -----
    Likelihood ratio of the observed against the promised share, chi-square with one degree of freedom [1]_.

    References
    ----------
    .. [1] P. Kupiec, "Techniques for verifying the accuracy of risk measurement models," J. Derivatives 3 (2), 1995.
       doi:10.3905/jod.1995.407942

    Examples
    --------
    >>> round(kupiec(np.arange(250) < 20).statistic, 4)
    4.0395
    """
    hits = _checked(hits, level)
    n, x, p = len(hits), int(hits.sum()), 1 - level
    statistic = 2 * (_log_likelihood(n - x, x, x / n) - _log_likelihood(n - x, x, p))
    return VarTest(statistic, _chi_square(statistic, 1), n, x, n * p)


def christoffersen_independence(hits: Hits, level: float = VAR_LEVEL) -> VarTest:
    """Do violations follow one another? First-order Markov chain against independence.

    Notes
    -----
    Chi-square with one degree of freedom [1]_. Without any violation, or nothing else, transitions cannot be told apart: unknown.
    With some 50 violations the true size at 5 % is 8 %; a chain of first order misses slower clusters.

    References
    ----------
    .. [1] P. Christoffersen, "Evaluating interval forecasts," Int. Economic Review 39 (4), 1998. doi:10.2307/2527341
    """
    hits = _checked(hits, level)
    x, p = int(hits.sum()), 1 - level
    if x in (0, len(hits)) or len(hits) < 3:
        return VarTest(math.nan, math.nan, len(hits), x, len(hits) * p)
    before, after = hits[:-1], hits[1:]
    calm, again = int((~before & ~after).sum()), int((before & after).sum())
    rise, fall = int((~before & after).sum()), int((before & ~after).sum())
    free = _log_likelihood(calm, rise, _share(rise, calm)) + _log_likelihood(fall, again, _share(again, fall))
    tied = _log_likelihood(calm + fall, rise + again, _share(rise + again, calm + fall))
    statistic = max(0.0, 2 * (free - tied))
    return VarTest(statistic, _chi_square(statistic, 1), len(hits), x, len(hits) * p)


def christoffersen_coverage(hits: Hits, level: float = VAR_LEVEL) -> VarTest:
    """Conditional coverage: the promised share and independence together, chi-square with two degrees of freedom.

    Notes
    -----
    Sum of `kupiec` and `christoffersen_independence`; unknown where the latter is.
    """
    share, chain = kupiec(hits, level), christoffersen_independence(hits, level)
    statistic = share.statistic + chain.statistic
    return VarTest(statistic, _chi_square(statistic, 2), share.n, share.violations, share.expected)


def acerbi_szekely(
    loss: Floats, var: Floats, shortfall: Floats, level: float = VAR_LEVEL, parameters: ShortfallParameters | None = None
) -> VarTest:
    """Expected shortfall: are losses beyond the VaR as frequent and as deep as claimed?

    Parameters
    ----------
    loss, var, shortfall : ndarray of shape (n_sessions,)
        Loss, its VaR and its expected shortfall, positive; sessions that do not know all three are left out. [fraction]

    Returns
    -------
    VarTest
        Z is 0 in expectation if the claim holds, negative if risk is understated; one-sided p value.

    Notes
    -----
    The second test of [1]_, ``Z = 1 - sum(loss 1{loss > VaR}) / (n (1 - level) ES)``. Its law under the claim is simulated from
    independent standardised losses (`parameters`), which is exact where VaR and ES are multiples of a volatility forecast.

    References
    ----------
    .. [1] C. Acerbi, B. Szekely, "Backtesting expected shortfall," Risk, December 2014.
    """
    p = parameters or ShortfallParameters()
    values = np.column_stack([np.asarray(v, dtype=np.float64) for v in (loss, var, shortfall)])
    values = values[~np.isnan(values).any(axis=1)]
    if not len(values) or not (values[:, 2] > 0).all() or not 0 < level < 1:
        raise DataError(f"acerbi_szekely needs known losses and a positive shortfall; found {len(values)} such sessions.")
    hits, tail = values[:, 0] > values[:, 1], 1 - level
    statistic = 1 - float(np.sum(values[hits, 0] / values[hits, 2])) / (len(values) * tail)
    drawn = _simulated_z(len(values), level, p)
    p_value = (int(np.sum(drawn <= statistic)) + 1) / (p.simulations + 1)
    return VarTest(statistic, p_value, len(values), int(hits.sum()), len(values) * tail)


def standard_tail(level: float, degrees_of_freedom: float = 0.0) -> tuple[float, float]:
    """VaR and expected shortfall of a standard normal or Student-t loss.

    Notes
    -----
    Normal: ``phi(z) / (1 - level)``. Student: ``t_pdf(q) (nu + q^2) / ((nu - 1)(1 - level))``.

    Examples
    --------
    >>> tuple(round(x, 4) for x in standard_tail(0.975))
    (1.96, 2.3378)
    """
    from scipy.stats import norm, t

    nu = degrees_of_freedom
    if nu == 0:
        q = float(norm.ppf(level))
        return q, float(norm.pdf(q)) / (1 - level)
    if nu <= 1:
        raise DataError(f"standard_tail needs more than one degree of freedom for a finite shortfall; found {nu}.")
    q = float(t.ppf(level, nu))
    return q, float(t.pdf(q, nu)) * (nu + q * q) / ((nu - 1) * (1 - level))


def _simulated_z(n: int, level: float, p: ShortfallParameters) -> Floats:
    """Only losses beyond the VaR matter: their number is binomial and their size drawn from the tail alone."""
    from scipy.stats import norm, t

    rng = np.random.default_rng(p.seed)
    law: Any = norm if p.degrees_of_freedom == 0 else t(p.degrees_of_freedom)
    _, shortfall = standard_tail(level, p.degrees_of_freedom)
    counts = rng.binomial(n, 1 - level, p.simulations)
    deep = law.isf((1 - level) * (1 - rng.random(int(counts.sum()))))
    sums = np.concatenate([[0.0], np.cumsum(deep)])
    ends = np.cumsum(counts)
    return np.asarray(1 - (sums[ends] - sums[ends - counts]) / (n * (1 - level) * shortfall))


def _log_likelihood(misses: int, hits: int, p: float) -> float:
    return (misses * math.log1p(-p) if misses else 0.0) + (hits * math.log(p) if hits else 0.0)


def _share(hits: int, misses: int) -> float:
    return hits / (hits + misses) if hits + misses else 0.0


def _chi_square(statistic: float, degrees: int) -> float:
    from scipy.stats import chi2

    return float(chi2.sf(statistic, degrees))


def _checked(hits: Hits, level: float) -> Hits:
    if not len(hits) or not 0 < level < 1:
        raise DataError(f"a VaR test needs at least one session and a level inside (0, 1); found {len(hits)} and {level}.")
    return np.asarray(hits, dtype=np.bool_)
