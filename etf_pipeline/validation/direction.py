"""Right about the sign: hit rates, and whether they say more than that markets rise more often than they fall.

A forecaster who always says "up" is right in about 65 % of months. Pesaran and Timmermann compare the hit rate with the one that
independence of forecast and outcome would give; their test of 1992 takes rows for independent, that of 2009 does not.

Arrays are wide, ``(n_sessions, n_assets)`` (one series may be passed as ``(n_sessions,)``); NaN is unknown, and an exact zero on
either side is no call.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats
from etf_pipeline.validation.significance import MeanTest, clustered_mean


@dataclass(frozen=True)
class DirectionTest:
    """Dependence between the signs of forecasts and outcomes.

    Attributes
    ----------
    hit_rate, expected : float
        Share of right signs, and the share that independence gives. [fraction]
    statistic, p_value : float
        Standard normal (1992) or chi-square with one degree of freedom (dynamic); one-sided for "better than independence"
        in the first, two-sided in the second.
    n : int
        Rows.
    """

    hit_rate: float
    expected: float
    statistic: float
    p_value: float
    n: int


def hits(forecast: Floats, outcome: Floats) -> Floats:
    """1 where the forecast had the right sign, 0 where it had the wrong one, NaN where there was no call.

    Parameters
    ----------
    forecast, outcome : ndarray of shape (n_sessions,) or (n_sessions, n_assets)

    Returns
    -------
    ndarray of shape (n_sessions, n_assets)
        For `mean_by_regime`.

    Examples
    --------
    >>> hits(np.array([[1.0, -1.0, 0.0]]), np.array([[2.0, 2.0, 2.0]])).tolist()
    [[1.0, 0.0, nan]]
    """
    up, rose, called = _signs(forecast, outcome)
    return np.where(called, (up == rose) * 1.0, np.nan)


def hit_rate(forecast: Floats, outcome: Floats, horizon: int) -> MeanTest:
    """Share of right signs with its HAC error, sessions as clusters. `p_positive` tests against one half: see the module's head.

    Parameters
    ----------
    forecast, outcome : ndarray of shape (n_sessions, n_assets)
    horizon : int
        Sessions over which labels overlap.
    """
    up, rose, called = _signs(forecast, outcome)
    right = np.where(called, (up == rose) - 0.5, 0.0)
    test = clustered_mean(right.sum(axis=1), called.sum(axis=1).astype(np.float64), horizon)
    return replace(test, mean=test.mean + 0.5, ci_low=test.ci_low + 0.5, ci_high=test.ci_high + 0.5)


def pesaran_timmermann(forecast: Floats, outcome: Floats) -> DirectionTest:
    """The test of 1992, which takes rows for independent: right for one fund and labels that do not overlap.

    Parameters
    ----------
    forecast, outcome : ndarray of shape (n_sessions,) or (n_sessions, n_assets)

    Notes
    -----
    ``S = (P - P*) / sqrt(var(P) - var(P*))`` with ``P* = p_x p_y + (1 - p_x)(1 - p_y)`` [1]_. Unknown where one side never
    changes its sign.

    References
    ----------
    .. [1] M. H. Pesaran, A. Timmermann, "A simple nonparametric test of predictive performance," J. Business & Economic
       Statistics 10 (4), 1992. doi:10.1080/07350015.1992.10509922

    Examples
    --------
    >>> calls = np.array([1.0, 1, 1, 1, -1, -1, -1, -1])
    >>> test = pesaran_timmermann(calls, calls * np.array([1, 1, 1, -1, 1, 1, 1, -1]))
    >>> test.hit_rate, test.expected, round(test.statistic, 4)
    (0.75, 0.5, 1.5119)
    """
    up, rose, called = _signs(forecast, outcome)
    n = int(called.sum())
    if n < 2:
        raise DataError(f"pesaran_timmermann needs at least two calls with a known outcome; found {n}.")
    x, y = float(up[called].mean()), float(rose[called].mean())
    hit, expected = float((up == rose)[called].mean()), x * y + (1 - x) * (1 - y)
    spread = (2 * y - 1) ** 2 * x * (1 - x) + (2 * x - 1) ** 2 * y * (1 - y) + 4 * x * y * (1 - x) * (1 - y) / n
    variance = (expected * (1 - expected) - spread) / n
    if not variance > 1e-15:
        return DirectionTest(hit, expected, math.nan, math.nan, n)
    statistic = (hit - expected) / math.sqrt(variance)
    return DirectionTest(hit, expected, statistic, 0.5 * math.erfc(statistic / math.sqrt(2)), n)


def robust_pesaran_timmermann(forecast: Floats, outcome: Floats, horizon: int) -> MeanTest:
    """Hit rate in excess of independence, robust to serial correlation and to funds that move together: the test to decide on.

    Parameters
    ----------
    forecast, outcome : ndarray of shape (n_sessions, n_assets)
    horizon : int
        Sessions over which labels overlap.

    Returns
    -------
    MeanTest
        Its mean is ``P - P*`` [fraction]; `p_positive` is one-sided for skill. Unknown where no fund's signs vary.

    Notes
    -----
    ``P - P* = 2 cov(1{f > 0}, 1{y > 0})``, so that the test is one of a covariance: zero slope in the regression of one sign on
    the other, the form to which the multicategory test of [1]_ comes down for two categories. Serial correlation enters through
    the long-run variance of the products (as in [2]_) with fixed-b critical values. Signs are taken from each fund's own
    frequencies: knowing that bonds rise more often than uranium miners is no timing.

    References
    ----------
    .. [1] M. H. Pesaran, A. Timmermann, "Testing dependence among serially correlated multicategory variables," JASA 104 (485),
       2009. doi:10.1198/jasa.2009.0113
    .. [2] O. Blaskowitz, H. Herwartz, "Testing the value of directional forecasts in the presence of serial correlation," Int.
       J. Forecasting 30 (1), 2014. doi:10.1016/j.ijforecast.2013.06.001
    """
    up, rose, called = _signs(forecast, outcome)
    calls = np.maximum(called.sum(axis=0), 1)
    products = 2.0 * np.where(called, up - up.sum(axis=0) / calls, 0.0) * np.where(called, rose - rose.sum(axis=0) / calls, 0.0)
    return clustered_mean(products.sum(axis=1), called.sum(axis=1).astype(np.float64), horizon)


def dynamic_pesaran_timmermann(forecast: Floats, outcome: Floats, lags: int = 1) -> DirectionTest:
    """The dynamically augmented form of 2009 for one series: dependence left once both signs' own past is taken out.

    Parameters
    ----------
    forecast, outcome : ndarray of shape (n_sessions,)
        Without gaps.
    lags : int
        Past signs of both series in the regression. Overlapping labels have moving-average errors, which no few lags remove:
        use `robust_pesaran_timmermann` for them.

    Notes
    -----
    ``T r^2``, with r the partial correlation of the two signs given a constant and the lags: the trace statistic of the reduced
    rank regression for two categories, chi-square with one degree of freedom.
    """
    up, rose, called = _signs(np.ravel(forecast), np.ravel(outcome))
    up, rose = up[:, 0], rose[:, 0]
    if not called.all() or len(up) <= 4 * lags + 4:
        raise DataError(f"dynamic_pesaran_timmermann needs a series without gaps, longer than {4 * lags + 4}; found {len(up)}.")
    past = [series[lags - k : len(up) - k] for k in range(1, lags + 1) for series in (up, rose)]
    known: Floats = np.column_stack([np.ones(len(up) - lags), *past])
    x, y = _without(up[lags:], known), _without(rose[lags:], known)
    hit, share = float((up == rose).mean()), float(up.mean() * rose.mean())
    expected = 2 * share + 1 - float(up.mean() + rose.mean())
    scale = float((x @ x) * (y @ y))
    if not scale > 1e-20:
        return DirectionTest(hit, expected, math.nan, math.nan, len(x))
    statistic = len(x) * float(x @ y) ** 2 / scale
    return DirectionTest(hit, expected, statistic, math.erfc(math.sqrt(statistic / 2)), len(x))


def _without(series: Floats, known: Floats) -> Floats:
    """What is left of a series once a regression on what was known is taken out."""
    return np.asarray(series - known @ np.linalg.lstsq(known, series, rcond=None)[0])


def _signs(forecast: Floats, outcome: Floats) -> tuple[Floats, Floats, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
    f, y = np.asarray(forecast, dtype=np.float64), np.asarray(outcome, dtype=np.float64)
    if f.shape != y.shape or f.ndim not in (1, 2):
        raise DataError(f"directions need forecasts and outcomes of one wide shape; found {f.shape} and {y.shape}.")
    f, y = f.reshape(len(f), -1), y.reshape(len(y), -1)
    called = ~(np.isnan(f) | np.isnan(y)) & (f != 0) & (y != 0)
    return np.where(called, f > 0, 0.0), np.where(called, y > 0, 0.0), called
