"""Every estimator from month to month: how well conditioned, how steady, and what the next month said.

Each month's end all estimators see the same funds and returns. A row is complete when the month after it is over, and known
from then on.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.errors import EstimationError
from etf_pipeline.panel import Floats
from etf_pipeline.risk.covariance.estimators import estimator
from etf_pipeline.risk.covariance.history import History, Positions
from etf_pipeline.risk.covariance.minimum_variance import long_only_minimum_variance, minimum_variance
from etf_pipeline.risk.covariance.parameters import CovarianceParameters, StabilityParameters
from etf_pipeline.risk.covariance.sample import Estimate, Sample, scales


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues of an estimate's correlation matrix in figures.

    Attributes
    ----------
    condition_number : float
        Largest over smallest. [ratio]
    effective_rank : float
        Exponential of the entropy of their shares [1]_: how many sources of risk there seem to be. [count]
    first_share : float
        Largest over their sum. [fraction]
    leading : ndarray of shape (n_assets, n_leading)
        Eigenvectors of the largest.
    funds : ndarray of shape (n_assets,)
        What the rows stand for.

    References
    ----------
    .. [1] O. Roy and M. Vetterli, "The effective rank: a measure of effective dimensionality," EUSIPCO 2007.
    """

    condition_number: float
    effective_rank: float
    first_share: float
    leading: Floats
    funds: Positions


@dataclass(frozen=True)
class Outcome:
    """What the next month said about an estimate.

    Attributes
    ----------
    expected_volatility : float
        Of the portfolio of least variance, by the estimate itself. [fraction per year]
    min_variance_volatility : float
        The same portfolio's volatility in the next month. [fraction per year]
    gross_exposure : float
        Sum of its absolute weights. [ratio]
    balanced_volatility : float
        Volatility in the next month of the long-only portfolio of least variance of funds that are first geared to equal
        volatility over the sample, in units of the sample's volatility of one of them. Of funds as they are, nine tenths would
        be bills. [ratio]
    log_likelihood : float
        Of the next month's returns, normal with mean zero, per session and fund. [nats]
    """

    expected_volatility: float
    min_variance_volatility: float
    gross_exposure: float
    balanced_volatility: float
    log_likelihood: float


OUTCOMES = tuple(field.name for field in fields(Outcome))

COLUMNS = [
    "session",
    "estimator",
    "realised_session",
    "available_at",
    "n_assets",
    "n_sessions",
    "shrinkage",
    "repaired",
    "condition_number",
    "effective_rank",
    "first_share",
    "first_share_change",
    "leading_angle",
    *OUTCOMES,
]


def covariance_stability(
    returns: pd.DataFrame,
    membership: pd.DataFrame,
    sessions: pd.DatetimeIndex,
    parameters: StabilityParameters | None = None,
    *,
    volatilities: pd.DataFrame | None = None,
    factors: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Condition, steadiness and out-of-sample record of every estimator at each month's end.

    Parameters
    ----------
    returns, membership, volatilities, factors : DataFrame
        `fct_returns`, `universe_membership`, `volatilities`, `raw_factors`, as in `covariances`.
    sessions : DatetimeIndex of shape (n_months,)
        Months' ends. The last one has no outcome yet and no rows.
    parameters : StabilityParameters, optional
        Defaults where omitted.

    Returns
    -------
    DataFrame of shape (n_rows, 19)
        One row per session and estimator; an estimator that lacks what it needs (factors not released, no volatilities) has
        none.

    Notes
    -----
    Funds are the most traded members with complete returns in the sample, the same for all estimators. A fund that ends in the
    next month is sold at its last price: its later returns count as zero for portfolios, and it is left out of the likelihood.
    The angle is the largest between the leading subspaces of two months in a row, on the funds of both.
    """
    parameters = parameters or StabilityParameters()
    history = History.of(returns, membership, parameters.exchange, volatilities, factors)
    rows = history.positions(sessions)
    chosen = CovarianceParameters(
        window=parameters.window,
        exchange=parameters.exchange,
        ewma_decay=parameters.ewma_decay,
        min_factor_sessions=parameters.min_factor_sessions,
    )
    before: dict[str, Spectrum] = {}
    made: list[tuple[object, ...]] = []
    for row, following in itertools.pairwise(int(r) for r in rows):
        funds = _complete(history, row, parameters)
        if len(funds) < 2:
            continue
        sample, outcome = history.sample(row, parameters.window, funds), history.returns[row + 1 : following + 1, funds]
        estimates = {name: _tried(name, sample, chosen) for name in parameters.estimators}
        found = {name: e for name, e in estimates.items() if e is not None}
        now = {name: spectrum(e.covariance, funds, parameters.leading) for name, e in found.items()}
        when = history.sessions[following], pd.Timestamp(history.closes[following], tz="UTC")
        for name, estimate in found.items():
            record = len(funds), estimate.n_sessions, estimate.shrinkage, estimate.repaired
            judgement = judged(estimate.covariance, sample.returns, outcome)
            steps = _steps(now[name], before.get(name))
            made.append((history.sessions[row], name, *when, *record, *steps, *(getattr(judgement, c) for c in OUTCOMES)))
        before = now
    return pd.DataFrame(made, columns=COLUMNS).astype({"available_at": "datetime64[ns, UTC]"})


def spectrum(covariance: Floats, funds: Positions, leading: int) -> Spectrum:
    """Figures of the eigenvalues of a covariance's correlation matrix, for `funds` on some axis of all funds.

    Examples
    --------
    >>> found = spectrum(np.diag([1.0, 4.0]), np.arange(2), 1)
    >>> found.condition_number, round(found.effective_rank, 6), found.first_share
    (1.0, 2.0, 0.5)
    """
    scale = np.sqrt(np.diag(covariance))
    values, vectors = np.linalg.eigh(covariance / np.outer(scale, scale))
    shares = np.clip(values, 0.0, None) / values.sum()
    entropy = -float(np.sum(shares * np.log(np.where(shares > 0, shares, 1.0))))
    condition = float(values[-1] / values[0]) if values[0] > 0 else np.inf
    return Spectrum(condition, float(np.exp(entropy)), float(shares[-1]), vectors[:, -leading:], funds)


def subspace_angle(one: Spectrum, other: Spectrum) -> float:
    """Largest principal angle between two leading subspaces, on the funds of both; NaN where these are too few. [radians]"""
    _, i, j = np.intersect1d(one.funds, other.funds, return_indices=True)
    if len(i) <= max(one.leading.shape[1], other.leading.shape[1]):
        return np.nan
    a, b = np.linalg.qr(one.leading[i])[0], np.linalg.qr(other.leading[j])[0]
    cosines = np.linalg.svd(a.T @ b, compute_uv=False)
    return float(np.arccos(np.clip(cosines.min(), -1.0, 1.0)))


def judged(covariance: Floats, past: Floats, outcome: Floats) -> Outcome:
    """What a month said about an estimate made before it.

    Parameters
    ----------
    covariance : ndarray of shape (n_assets, n_assets)
        [fraction squared per session]
    past, outcome : ndarray of shape (n_sessions, n_assets)
        Returns of the sample and of the month, the latter NaN where a fund had none. [fraction]

    Returns
    -------
    Outcome
    """
    held = np.where(np.isfinite(outcome), outcome, 0.0)
    scale = scales(past)
    free = minimum_variance(covariance)
    balanced = long_only_minimum_variance(covariance / np.outer(scale, scale))
    year = np.sqrt(SESSIONS_PER_YEAR)
    return Outcome(
        expected_volatility=float(np.sqrt(free @ covariance @ free)) * year,
        min_variance_volatility=_spread(held @ free) * year,
        gross_exposure=float(np.abs(free).sum()),
        balanced_volatility=_spread(held @ (balanced / scale)),
        log_likelihood=_log_likelihood(covariance, outcome),
    )


def _spread(returns: Floats) -> float:
    return float(returns.std(ddof=1)) if len(returns) > 1 else np.nan


def _log_likelihood(covariance: Floats, outcome: Floats) -> float:
    known = np.isfinite(outcome).all(axis=0)
    if not known.any() or not len(outcome):
        return np.nan
    matrix, values = covariance[np.ix_(known, known)], outcome[:, known]
    log_determinant = float(np.linalg.slogdet(matrix)[1])
    squares = float(np.sum(values.T * np.linalg.solve(matrix, values.T))) / len(values)
    return -0.5 * (math.log(2.0 * math.pi) + (log_determinant + squares) / len(matrix))


def _complete(history: History, row: int, parameters: StabilityParameters) -> Positions:
    if row + 1 < parameters.window:
        return np.empty(0, dtype=np.intp)
    members = np.flatnonzero(history.members[row])
    sample = history.returns[row + 1 - parameters.window : row + 1, members]
    moving = np.isfinite(sample).all(axis=0) & (sample.std(axis=0) > 0)  # without variance there is no correlation
    return history.most_traded(row, members[moving], parameters.max_funds)


def _tried(name: str, sample: Sample, parameters: CovarianceParameters) -> Estimate | None:
    make = estimator(name)
    try:
        return make(sample, parameters)
    except EstimationError:  # says which table it lacks; without it there is nothing to compare
        return None


def _steps(now: Spectrum, before: Spectrum | None) -> tuple[float, ...]:
    change, angle = (now.first_share - before.first_share, subspace_angle(now, before)) if before else (np.nan, np.nan)
    return now.condition_number, now.effective_rank, now.first_share, change, angle
