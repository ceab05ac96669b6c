"""Style drift: do the loadings of the last year differ from those of the years before, by more than chance and habit?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.panel import Floats
from etf_pipeline.risk.exposures.parameters import HOME, DriftParameters
from etf_pipeline.risk.exposures.sample import FACTORS, Ints, Sample, sample
from etf_pipeline.validation import holm

DRIFT = [
    "session", "ticker", "statistic", "habit", "p", "p_holm", "n_tests", "distance", "alarm", "moved_factor",
    "loading_before", "loading_now", "r_squared_before", "r_squared_now", "reason",
]  # fmt: skip
Flags = npt.NDArray[np.bool_]
SINGULAR = 1e-12
"""Determinant of a correlation matrix up to which it counts as singular."""


def style_drift(
    returns: pd.DataFrame,
    factors: pd.DataFrame,
    etfs: pd.DataFrame,
    sessions: pd.DataFrame,
    parameters: DriftParameters | None = None,
    before: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Test of every fund's newest loadings against those of the windows before, at each month's end.

    Parameters
    ----------
    returns, factors, etfs, sessions : DataFrame
        `fct_returns`, `raw_factors`, `dim_etf`, `raw_sessions`.
    parameters : DriftParameters, optional
        Defaults where omitted.
    before : DataFrame, optional
        Own rows of earlier sessions: only later ones are made.

    Returns
    -------
    DataFrame of shape (n_rows, 15)
        One row per `session` and `ticker` with enough windows: Wald `statistic`, `habit`, `p`, `p_holm` over the funds tested
        at that session, `distance` [fraction per year], `alarm`, the factor whose loading moved most, and the reason.

    Raises
    ------
    DataError
        If a fund has no exchange in `etfs`.

    Notes
    -----
    Windows do not overlap, so that their Newey-West fits are nearly independent. With b and V the loadings and their
    covariance of the last window, and b0 and V0 the precision-weighted mean of the earlier ones,
    ``W = (b - b0)' (V + V0)^-1 (b - b0) / 6``.

    No fund's loadings stand still: on real funds a test of W alone rejects in half of all cases. So W is divided by the
    fund's `habit`: how much more than chance its loadings moved among the earlier windows, ``Q / (6 (J - 1))`` with Cochran's
    Q of J windows [1]_, half-way to the median fund of the session if that is more, and never below one. ``W / habit`` is held
    against an F distribution whose second degrees of freedom are those of a Newey-West variance. Where loadings are constant
    the habit is near one and the test keeps its size; where they wander, the alarm asks for more than the usual.

    `distance` is ``sqrt(252 d' S d)`` with the second moments S of the factors over all windows: the tracking error that the
    move makes. A broad fund's loadings are known so well that weightless moves are certain; an alarm asks for both. Funds
    that share factors do not explain are not tested. From month to month windows share most of their data: the stated
    chance of a false alarm is that of one session, and an alarm, once raised, stays for months.

    References
    ----------
    .. [1] W. Cochran, "The combination of estimates from different experiments," Biometrics 10 (1), 1954. doi:10.2307/3001666
    """
    parameters = parameters or DriftParameters()
    after = before["session"].max() if before is not None and len(before) else None
    lined = sample(returns, factors, etfs, sessions, after)
    if lined is None or HOME not in lined.regions:
        return pd.DataFrame(columns=DRIFT)
    pairs, ends = lined.pairs(parameters.max_absence), lined.ends(HOME, parameters.max_lag)
    now, old = _fits(lined, pairs, ends, parameters)
    both = (now.n > 0) & ((old.n > 0).sum(axis=0) >= parameters.min_windows)
    pairs, now, old = pairs[both], now.of(both), old.of(both)
    moved = movement(now, old)
    tested = (np.fmax(now.r_squared, old.best()) >= parameters.weak) & np.isfinite(moved.statistic)
    frame = pd.DataFrame({"session": lined.moments[pairs[:, 1]], "ticker": lined.tickers.to_numpy()[pairs[:, 0]]})
    frame["habit"] = _habits(moved.dispersion, tested, pairs[:, 1])
    frame["statistic"] = np.where(tested, moved.statistic, np.nan)
    frame["p"] = p_values(frame["statistic"].to_numpy() / frame["habit"].to_numpy(), now.n, parameters.lags)
    frame["p_holm"] = frame.groupby("session")["p"].transform(lambda one: holm(one.to_numpy()))
    frame["n_tests"] = frame.groupby("session")["p"].transform("count").astype(np.int64)
    frame["distance"] = distances(moved.difference, pairs[:, 1], _second_moments(lined, ends, parameters))
    frame["alarm"] = (frame["p_holm"] < parameters.size) & (frame["distance"] >= parameters.min_distance)
    return _told(frame, moved, now, old, parameters)[DRIFT]


@dataclass(frozen=True)
class Fits:
    """Fits of many funds on one window, or (with a first axis more) on several.

    Attributes
    ----------
    n : ndarray of shape (..., n_fits)
        Observations, 0 where there is no fit.
    loadings : ndarray of shape (..., n_fits, k)
    covariances : ndarray of shape (..., n_fits, k, k)
    r_squared : ndarray of shape (..., n_fits)
    """

    n: Ints
    loadings: Floats
    covariances: Floats
    r_squared: Floats

    def of(self, chosen: Flags) -> Fits:
        """The fits of some funds."""
        return Fits(
            self.n[..., chosen],
            self.loadings[..., chosen, :],
            self.covariances[..., chosen, :, :],
            self.r_squared[..., chosen],
        )

    def best(self) -> Floats:
        """Largest share explained in any window."""
        return np.asarray(np.nan_to_num(self.r_squared, nan=-np.inf).max(axis=0), dtype=np.float64)


@dataclass(frozen=True)
class Movement:
    """From the earlier windows to the last.

    Attributes
    ----------
    before, difference, errors : ndarray of shape (n_fits, k)
        Mean of the earlier loadings, what the last window differs by, and its standard errors.
    statistic, dispersion : ndarray of shape (n_fits,)
        Wald statistic over k, and Cochran's Q of the earlier windows over its degrees of freedom. Both are one by chance.
    """

    before: Floats
    difference: Floats
    errors: Floats
    statistic: Floats
    dispersion: Floats


def movement(now: Fits, old: Fits) -> Movement:
    """Hold the last window against the precision-weighted mean of the earlier ones, and those against each other.

    Parameters
    ----------
    now : Fits
        Of the last window.
    old : Fits
        Of the earlier windows; windows without a fit do not count.
    """
    k = now.loadings.shape[1]
    there = old.n > 0
    precision = np.where(there[..., None, None], _inverse(old.covariances), 0.0)
    loadings = np.where(there[..., None], old.loadings, 0.0)
    mean_covariance = _inverse(precision.sum(axis=0))
    before = _times(mean_covariance, _times(precision, loadings).sum(axis=0))
    apart = np.where(there[..., None], loadings - before, 0.0)
    q = np.sum(apart * _times(precision, apart), axis=(0, 2))
    difference, covariance = now.loadings - before, now.covariances + mean_covariance
    statistic = np.sum(difference * _times(_inverse(covariance), difference), axis=1) / k
    errors = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    return Movement(before, difference, errors, statistic, q / (k * (there.sum(axis=0) - 1)))


def p_values(statistic: Floats, n: Ints, lags: int = -1) -> Floats:
    """Chance of a Wald statistic over k, or a larger one, where nothing has changed; NaN where it is unknown."""
    from scipy import stats

    return np.asarray(stats.f.sf(statistic, len(FACTORS), freedom(n, lags)), dtype=np.float64)


def freedom(n: Ints, lags: int = -1) -> Floats:
    """Second degrees of freedom of a Wald test on Newey-West errors of windows of `n` observations; `lags` as in the parameters.

    The kernel's variance has ``3 n / (2 b)`` equivalent degrees of freedom for a bandwidth b of Bartlett's kernel [1]_; a test of
    six loadings at once leaves five fewer.

    References
    ----------
    .. [1] M. Priestley, "Spectral Analysis and Time Series," Academic Press, 1981, table 6.1.
    """
    used = np.full(n.shape, float(lags)) if lags >= 0 else np.floor(4.0 * (n / 100.0) ** (2.0 / 9.0))
    return np.asarray(np.maximum(1.5 * n / (used + 1.0) - 5.0, 5.0), dtype=np.float64)


def distances(difference: Floats, moment: Ints, second_moments: Floats) -> Floats:
    """Annual tracking error between factor portfolios that differ by `difference`; shape (n_tests,). [fraction per year]"""
    variance = np.sum(difference * _times(second_moments[moment], difference), axis=1)
    return np.asarray(np.sqrt(SESSIONS_PER_YEAR * np.maximum(variance, 0.0)), dtype=np.float64)


def _times(matrix: Floats, vector: Floats) -> Floats:
    """Matrix times vector along leading axes, summed in a fixed order."""
    return np.asarray(np.sum(matrix * vector[..., None, :], axis=-1), dtype=np.float64)


def _inverse(matrix: Floats) -> Floats:
    """Inverses of symmetric matrices, scaled to a unit diagonal first; NaN where there is none."""
    one = np.eye(matrix.shape[-1])
    scale = np.sqrt(np.diagonal(matrix, axis1=-2, axis2=-1))
    known = np.asarray(np.isfinite(matrix).all(axis=(-2, -1)) & (scale > 0.0).all(axis=-1))
    good: Flags = known[..., None, None]
    unit = np.where(good[..., 0], scale, 1.0)
    outer = unit[..., :, None] * unit[..., None, :]
    whole = np.where(good, matrix / outer, one)
    good = good & (np.linalg.det(whole)[..., None, None] > SINGULAR)
    return np.where(good, np.linalg.inv(np.where(good, whole, one)) / outer, np.nan)


def _fits(lined: Sample, pairs: Ints, ends: Ints, parameters: DriftParameters) -> tuple[Fits, Fits]:
    """The last window, and the earlier ones along the first axis."""
    found = [_fit(lined, pairs, ends - i * parameters.window, parameters) for i in range(parameters.earlier + 1)]
    stacked = (np.stack([getattr(one, name) for one in found[1:]]) for name in ("n", "loadings", "covariances", "r_squared"))
    return found[0], Fits(*stacked)


def _fit(lined: Sample, pairs: Ints, ends: Ints, parameters: DriftParameters) -> Fits:
    from etf_pipeline.risk.exposures.kernels import fit_windows

    home = lined.regions[HOME]
    counts, coefficients, covariances, quality = fit_windows(
        lined.returns, lined.places, lined.funds, np.maximum(ends, -1), pairs, home.values, home.available, lined.instants,
        parameters.window, parameters.min_observations, parameters.lags,
    )  # fmt: skip
    return Fits(counts, coefficients[:, 1:], covariances[:, 1:, 1:], quality[:, 0])


def _habits(dispersion: Floats, tested: Flags, moment: Ints) -> Floats:
    """Each fund's dispersion, or half-way to the median of the session's tested funds if that is more, at least one."""
    own = pd.Series(np.where(tested, dispersion, np.nan))
    middle = own.groupby(moment).transform("median")
    mine, usual = own.to_numpy(dtype=np.float64), middle.to_numpy(dtype=np.float64)
    return np.asarray(np.maximum(np.maximum(mine, 0.5 * (mine + usual)), 1.0), dtype=np.float64)


def _second_moments(lined: Sample, ends: Ints, parameters: DriftParameters) -> Floats:
    """Second moments of the factors over all windows, by moment."""
    home, k = lined.regions[HOME], len(FACTORS)
    reach = parameters.window * (parameters.earlier + 1)
    out = np.full((len(ends), k, k), np.nan)
    for i, (end, now) in enumerate(zip(ends, lined.instants, strict=True)):
        part = slice(max(end + 1 - reach, 0), max(end + 1, 0))
        rows = home.values[part, :k][home.available[part] <= now]
        if len(rows):
            out[i] = np.einsum("ti,tj->ij", rows, rows) / len(rows)
    return out


def _told(frame: pd.DataFrame, moved: Movement, now: Fits, old: Fits, parameters: DriftParameters) -> pd.DataFrame:
    """The factor that moved most, by its own error, and the verdict in words."""
    errors = np.where(moved.errors > 0.0, moved.errors, np.inf)
    factor = np.argmax(np.nan_to_num(np.abs(moved.difference) / errors), axis=1)
    each = np.arange(len(factor))
    frame = frame.assign(
        moved_factor=np.array(FACTORS, dtype=object)[factor],
        loading_before=moved.before[each, factor],
        loading_now=now.loadings[each, factor],
        r_squared_before=old.best(),
        r_squared_now=now.r_squared,
    )
    verdict = np.full(len(frame), "no drift", dtype=object)
    verdict[(frame["p_holm"] < parameters.size).to_numpy()] = "certain, but too small to matter: "
    verdict[frame["alarm"].to_numpy()] = "drift: "
    verdict[frame["p"].isna().to_numpy()] = "not tested: share factors explain too little"
    columns = ("moved_factor", "loading_before", "loading_now")
    words = [f"{name} {a:+.2f} -> {b:+.2f}" for name, a, b in zip(*(frame[c] for c in columns), strict=True)]
    return frame.assign(reason=[v + w if v.endswith(": ") else v for v, w in zip(verdict, words, strict=True)])
