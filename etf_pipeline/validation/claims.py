"""Every question that is asked of a forecaster, in one list: the claims that `significance_tests` is made of.

Tests whose assumptions overlapping labels break stand in the list too, marked invalid, so that a reader sees how far they
would have led.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from etf_pipeline.panel import Floats
from etf_pipeline.validation.comparison import observation_t_test
from etf_pipeline.validation.direction import hit_rate, pesaran_timmermann, robust_pesaran_timmermann
from etf_pipeline.validation.prediction_returns import prediction_sharpe, quantile_long_short, rank_correlations, sign_timed
from etf_pipeline.validation.ratios import RatioTest, ratio_test
from etf_pipeline.validation.significance import MeanTest, diebold_mariano

ACROSS = "across asset classes: knowing which class did better passes it"
"""Why a ranking of all funds is no proof where classes are known."""


@dataclass(frozen=True)
class Claim:
    """One test as it came out.

    Attributes
    ----------
    test, subject : str
        Which test, and of what: a model, a strategy, the ensemble.
    horizon : int
        Sessions over which labels overlap. [sessions]
    estimate, statistic, p_value : float
        What is tested, in its own unit; its statistic; the p value before correction.
    n : int
        Observations.
    n_effective : float
        Independent ones they are worth.
    valid : bool
        False for a test shown for comparison whose assumptions the data break.
    note : str
        What a reader should know.
    """

    test: str
    subject: str
    horizon: int
    estimate: float
    statistic: float
    p_value: float
    n: int
    n_effective: float
    valid: bool = True
    note: str = ""


def forecast_claims(
    subject: str,
    forecast: Floats,
    outcome: Floats,
    horizon: int,
    *,
    before: Floats | None = None,
    quantile: float = 0.2,
    classes: npt.NDArray[np.int64] | None = None,
) -> list[Claim]:
    """What a forecaster claims, each with its one-sided p value for skill.

    Parameters
    ----------
    subject : str
        Name of the model or ensemble.
    forecast, outcome : ndarray of shape (n_sessions, n_assets)
        Out-of-sample forecasts and what came of them, NaN where unknown. [fraction per horizon]
    horizon : int
        Sessions over which labels overlap.
    before : ndarray of shape (n_sessions, n_assets), optional
        Forecasts before bias correction: adds the Diebold-Mariano test that the correction lowers squared error, on cells that
        know both.
    quantile : float
        Share of funds on each side of the long-short spread.
    classes : ndarray of shape (n_assets,), optional
        Asset class of each fund as a number: adds ``ic_within_class``, and marks ``ic`` and ``long_short`` invalid.

    Returns
    -------
    list of Claim
        ``ic``, ``long_short``, ``timing``, ``direction``, with `before` also ``bias_correction``; then, invalid, ``icir``,
        ``timed_return`` and ``hit_rate``, ``direction_1992`` and ``observation_t``.

    Notes
    -----
    ``ic`` and ``icir`` ask the same question of the same series (their p values agree), so that ``icir`` is marked invalid to
    keep it out of the correction for many tests; its statistic is the ratio over its own error. ``timing`` is what going with the
    forecast's sign earns beyond holding everything: ``timed_return`` alone, like ``hit_rate``, is passed by any forecast that is
    always positive in a rising market. A sample in which shares beat bonds gives every forecaster that knows no more than this a
    rank correlation across all funds: skill is what remains among funds of one class.
    """
    ic = rank_correlations(forecast, outcome)
    plain = classes is None
    spread = prediction_sharpe(quantile_long_short(forecast, outcome, quantile), horizon)
    timing = prediction_sharpe(sign_timed(forecast, outcome) - sign_timed(np.abs(forecast) + 1.0, outcome), horizon)
    direction = robust_pesaran_timmermann(forecast, outcome, horizon)
    called = int(np.sum(~np.isnan(forecast * outcome)))
    claims = [
        _of_correlations("ic", subject, horizon, ic, "" if plain else ACROSS, valid=plain),
        _of_ratio(
            *("long_short", subject, horizon, spread, spread.ratio),
            "annual Sharpe ratio before costs" if plain else ACROSS,
            plain,
        ),
        _of_ratio("timing", subject, horizon, timing, timing.ratio, "annual Sharpe ratio beyond holding all, before costs"),
        _of_mean("direction", subject, horizon, direction, called, "hit rate in excess of independence"),
    ]
    if classes is not None:
        own = [_within(values, forecast * outcome, classes) for values in (forecast, outcome)]
        claims.append(_of_correlations("ic_within_class", subject, horizon, rank_correlations(own[0], own[1])))
    if before is not None:
        claims.append(_correction(subject, before, forecast, outcome, horizon))
    return claims + _for_comparison(subject, ic, forecast, outcome, horizon)


def _within(values: Floats, known: Floats, classes: npt.NDArray[np.int64]) -> Floats:
    """Values less the mean of their session and class over cells that are known on both sides; unknown where a class has one."""
    out = np.full(values.shape, np.nan)
    for one in np.unique(classes):
        columns = np.flatnonzero(classes == one)
        cells = np.where(np.isnan(known[:, columns]), np.nan, values[:, columns])
        count = np.sum(~np.isnan(cells), axis=1, keepdims=True)
        mean = np.nansum(cells, axis=1, keepdims=True) / np.maximum(count, 1)
        out[:, columns] = np.where(count > 1, cells - mean, np.nan)
    return out


def _correction(subject: str, before: Floats, after: Floats, outcome: Floats, horizon: int) -> Claim:
    known = ~np.isnan(before * after * outcome)
    losses = [np.where(known, (f - outcome) ** 2, 0.0).sum(axis=1) for f in (before, after)]
    test = diebold_mariano(losses[0], losses[1], horizon, counts=known.sum(axis=1).astype(np.float64))
    return _of_mean("bias_correction", subject, horizon, test, int(known.sum()), "squared error before less after correction")


def _for_comparison(subject: str, ic: Floats, forecast: Floats, outcome: Floats, horizon: int) -> list[Claim]:
    ratio, hit = ratio_test(ic, horizon), hit_rate(forecast, outcome, horizon)
    direction, rows = pesaran_timmermann(forecast, outcome), observation_t_test(np.sign(forecast) * outcome)
    one_sided = rows.p_value / 2 if rows.t >= 0 else 1 - rows.p_value / 2
    excess = direction.hit_rate - direction.expected
    timed = prediction_sharpe(sign_timed(forecast, outcome), horizon)
    return [
        _of_ratio("icir", subject, horizon, ratio, ratio.ratio, "per session; the question of `ic` again", valid=False),
        _of_ratio("timed_return", subject, horizon, timed, timed.ratio, "a rising market passes it", valid=False),
        _of_mean("hit_rate", subject, horizon, hit, direction.n, "against one half, which rising markets pass", valid=False),
        Claim(
            *("direction_1992", subject, horizon, excess, direction.statistic, direction.p_value, direction.n),
            n_effective=float(direction.n),
            valid=False,
            note="takes rows for independent",
        ),
        Claim(
            *("observation_t", subject, horizon, rows.mean, rows.t, one_sided, rows.n),
            n_effective=float(rows.n),
            valid=False,
            note="the action plan's test: takes rows for independent",
        ),
    ]


def _of_mean(test: str, subject: str, horizon: int, result: MeanTest, n: int, note: str = "", valid: bool = True) -> Claim:
    return Claim(test, subject, horizon, result.mean, result.t, result.p_positive, n, result.n_effective, valid, note)


def _of_correlations(test: str, subject: str, horizon: int, ic: Floats, note: str = "", valid: bool = True) -> Claim:
    mean = float(np.nanmean(ic)) if np.any(~np.isnan(ic)) else np.nan
    return _of_ratio(test, subject, horizon, ratio_test(ic, horizon), mean, note, valid)


def _of_ratio(
    test: str, subject: str, horizon: int, result: RatioTest, estimate: float, note: str = "", valid: bool = True
) -> Claim:
    return Claim(test, subject, horizon, estimate, result.t, result.p_positive, result.n, result.n_effective, valid, note)
