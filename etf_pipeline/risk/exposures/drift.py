"""Style drift: do the loadings of the last year differ from those of the years before, by chance and by weight?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.panel import Floats
from etf_pipeline.risk.exposures.parameters import HOME, DriftParameters
from etf_pipeline.risk.exposures.sample import FACTORS, Ints, Sample, sample
from etf_pipeline.validation import holm

DRIFT = [
    "session", "ticker", "statistic", "p", "p_holm", "n_tests", "distance", "alarm", "moved_factor", "loading_before",
    "loading_now", "r_squared_before", "r_squared_now", "reason",
]  # fmt: skip


def style_drift(
    returns: pd.DataFrame,
    factors: pd.DataFrame,
    etfs: pd.DataFrame,
    sessions: pd.DataFrame,
    parameters: DriftParameters | None = None,
    before: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Test of every fund's newest loadings against those of the non-overlapping sample before, at each month's end.

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
    DataFrame of shape (n_rows, 14)
        One row per `session` and `ticker` with both samples: Wald `statistic`, `p`, `p_holm` over the funds tested at that
        session, `distance` [fraction per year], `alarm`, the factor whose loading moved most and its loadings, and the reason.

    Raises
    ------
    DataError
        If a fund has no exchange in `etfs`.

    Notes
    -----
    ``W = d' (V1 + V2)^-1 d / 6`` for the difference d of two independent Newey-West fits is held against an F distribution
    whose second degrees of freedom are those of the shorter sample, less what the kernel takes [1]_. `distance` is
    ``sqrt(252 d' S d)`` with the second moments S of the factors over both samples: the tracking error that the move makes. A
    broad fund's loadings are known so well that moves without any weight are certain; so an alarm asks for both. Funds
    that share factors do not explain are not tested. Between month-ends tests share most of their data: a false alarm,
    once raised, stays for months, and its chance is that of any session.

    References
    ----------
    .. [1] N. Kiefer, T. Vogelsang, "A new asymptotic theory for heteroskedasticity-autocorrelation robust tests," Econometric
       Theory 21 (6), 2005. doi:10.1017/S0266466605050565
    """
    parameters = parameters or DriftParameters()
    after = before["session"].max() if before is not None and len(before) else None
    lined = sample(returns, factors, etfs, sessions, after)
    if lined is None or HOME not in lined.regions:
        return pd.DataFrame(columns=DRIFT)
    pairs = lined.alive(parameters.max_absence)
    ends = lined.ends(HOME, parameters.max_lag)
    now = _fit(lined, pairs, ends, parameters.window, parameters.min_observations, parameters)
    old = _fit(lined, pairs, ends - parameters.window, parameters.earlier, parameters.min_earlier, parameters)
    both = (now.n > 0) & (old.n > 0)
    pairs, now, old = pairs[both], now.where(both), old.where(both)
    statistic, p = wald(now.loadings - old.loadings, now.covariances + old.covariances, now.n)
    tested = (np.fmax(now.r_squared, old.r_squared) >= parameters.weak) & np.isfinite(statistic)
    frame = pd.DataFrame({"session": lined.moments[pairs[:, 1]], "ticker": lined.tickers.to_numpy()[pairs[:, 0]]})
    frame["statistic"], frame["p"] = np.where(tested, statistic, np.nan), np.where(tested, p, np.nan)
    frame["p_holm"] = frame.groupby("session")["p"].transform(lambda one: holm(one.to_numpy()))
    frame["n_tests"] = frame.groupby("session")["p"].transform("count").astype(np.int64)
    frame["distance"] = distances(now.loadings - old.loadings, pairs[:, 1], _moments(lined, ends, parameters))
    frame["alarm"] = (frame["p_holm"] < parameters.size) & (frame["distance"] >= parameters.min_distance)
    return _told(frame, now, old, tested, parameters)[DRIFT]


def wald(difference: Floats, covariance: Floats, n: Ints) -> tuple[Floats, Floats]:
    """Wald statistic over the number of factors, and its p-value.

    Parameters
    ----------
    difference : ndarray of shape (n_tests, k)
    covariance : ndarray of shape (n_tests, k, k)
    n : ndarray of shape (n_tests,)
        Observations of the shorter sample.

    Returns
    -------
    statistic, p : ndarray of shape (n_tests,)
        NaN where the covariance is singular.
    """
    from scipy import stats

    k = difference.shape[1]
    scale = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    good = (scale > 0.0).all(axis=1)
    statistic = np.full(len(difference), np.nan)
    unit = np.where(scale > 0.0, scale, 1.0)
    correlation = covariance / (unit[:, :, None] * unit[:, None, :])
    good &= np.linalg.cond(correlation) < 1e10 if len(correlation) else good
    z = difference / unit
    solved = np.linalg.solve(correlation[good], z[good][:, :, None])[:, :, 0]
    statistic[good] = np.sum(z[good] * solved, axis=1) / k
    return statistic, stats.f.sf(statistic, k, freedom(n))


def freedom(n: Ints) -> Floats:
    """Second degrees of freedom of a Wald test on Newey-West errors: ``3 n / (2 (lags + 1)) - 6``, at least 5.

    The kernel's variance has ``3 n / (2 b)`` equivalent degrees of freedom for a bandwidth b of the Bartlett kernel; a test of
    k restrictions leaves k - 1 fewer (Hotelling), here for six factors and the intercept.
    """
    lags = np.floor(4.0 * (n / 100.0) ** (2.0 / 9.0))
    return np.maximum(1.5 * n / (lags + 1.0) - 6.0, 5.0)


def distances(difference: Floats, moment: Ints, second_moments: Floats) -> Floats:
    """Annual tracking error between factor portfolios that differ by `difference`; shape (n_tests,). [fraction per year]"""
    of_day = np.array([d @ second_moments[m] @ d for d, m in zip(difference, moment, strict=True)])
    return np.sqrt(SESSIONS_PER_YEAR * np.maximum(of_day, 0.0)) if len(of_day) else np.empty(0)


@dataclass(frozen=True)
class _Fits:
    n: Ints
    loadings: Floats
    covariances: Floats
    r_squared: Floats

    def where(self, chosen: Floats) -> _Fits:
        return _Fits(self.n[chosen], self.loadings[chosen], self.covariances[chosen], self.r_squared[chosen])


def _fit(lined: Sample, pairs: Ints, ends: Ints, window: int, minimum: int, parameters: DriftParameters) -> _Fits:
    from etf_pipeline.risk.exposures.kernels import fit_windows

    home = lined.regions[HOME]
    counts, coefficients, covariances, quality = fit_windows(
        lined.returns, lined.places, lined.funds, np.maximum(ends, -1), pairs, home.values, home.available, lined.instants,
        window, minimum, parameters.lags,
    )  # fmt: skip
    return _Fits(counts, coefficients[:, 1:], covariances[:, 1:, 1:], quality[:, 0])


def _moments(lined: Sample, ends: Ints, parameters: DriftParameters) -> Floats:
    """Second moments of the factors over both samples, by moment."""
    home, k = lined.regions[HOME], len(FACTORS)
    out = np.full((len(ends), k, k), np.nan)
    for i, (end, now) in enumerate(zip(ends, lined.instants, strict=True)):
        if end >= 0:
            part = slice(max(end + 1 - parameters.window - parameters.earlier, 0), end + 1)
            rows = home.values[part, :k][home.available[part] <= now]
            out[i] = np.einsum("ti,tj->ij", rows, rows) / len(rows)
    return out


def _told(frame: pd.DataFrame, now: _Fits, old: _Fits, tested: Floats, parameters: DriftParameters) -> pd.DataFrame:
    """The factor that moved most, by its own error, and the verdict in words."""
    errors = np.sqrt(np.diagonal(now.covariances + old.covariances, axis1=1, axis2=2))
    moved = np.argmax(np.abs(now.loadings - old.loadings) / np.where(errors > 0.0, errors, np.inf), axis=1)
    each = np.arange(len(moved))
    frame = frame.assign(
        moved_factor=np.array(FACTORS, dtype=object)[moved],
        loading_before=old.loadings[each, moved],
        loading_now=now.loadings[each, moved],
        r_squared_before=old.r_squared,
        r_squared_now=now.r_squared,
    )
    sure = (frame["p_holm"] < parameters.size).to_numpy()
    words = [
        f"{name} {a:+.2f} -> {b:+.2f}"
        for name, a, b in zip(frame["moved_factor"], frame["loading_before"], frame["loading_now"], strict=True)
    ]
    verdict = np.select(
        [~tested, frame["alarm"].to_numpy(), sure],
        ["not tested: share factors explain too little", "drift: ", "certain, but too small to matter: "],
        "no drift",
    )
    frame["reason"] = [v + w if v.endswith(": ") else v for v, w in zip(verdict, words, strict=True)]
    return frame
