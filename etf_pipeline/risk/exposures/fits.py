"""Loadings of every fund at every month's end on the factors that were published by then."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.conventions import SESSIONS_PER_YEAR, annual_volatility
from etf_pipeline.panel import Floats
from etf_pipeline.risk.exposures.parameters import ExposureParameters
from etf_pipeline.risk.exposures.regions import choose, wanted_regions
from etf_pipeline.risk.exposures.sample import FACTORS, Ints, Sample, sample

EXPOSURES = ["session", "ticker", "factor", "loading", "error", "t"]
FITS = [
    "session", "ticker", "region", "match", "reason", "is_weak", "alpha", "alpha_error", "r_squared", "residual_volatility",
    "n", "factor_session", "lag",
]  # fmt: skip


def factor_exposures(
    returns: pd.DataFrame,
    factors: pd.DataFrame,
    etfs: pd.DataFrame,
    sessions: pd.DataFrame,
    parameters: ExposureParameters | None = None,
    before: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Six-factor loadings [1]_ [2]_ of every fund at the main exchange's month-ends, with Newey-West errors.

    Parameters
    ----------
    returns, factors, etfs, sessions : DataFrame
        `fct_returns`, `raw_factors`, `dim_etf`, `raw_sessions`.
    parameters : ExposureParameters, optional
        Defaults where omitted.
    before : DataFrame, optional
        Own rows of earlier sessions: only later ones are made.

    Returns
    -------
    factor_exposures : DataFrame of shape (n_fits * n_factors, 6)
        `session`, `ticker`, `factor`, `loading` [ratio], its `error` and `t`.
    factor_fits : DataFrame of shape (n_fits, 13)
        One row per `session` and `ticker`: factor set and why, `alpha` [fraction per year], share explained, residual
        volatility [fraction per year], observations, the newest factor session used and how far it lies back.

    Raises
    ------
    DataError
        If a fund has no exchange in `etfs`.

    Notes
    -----
    ``r - RF = alpha + sum of loading * factor + e`` over `window` factor sessions, all in decimals. The sample ends where the
    factors do that had been published by the session's close: the library follows weeks after each month. A fund's return
    is held against the factors from its close before to its own, so that Sydney meets New York one session later. Errors are
    those of statsmodels' ``cov_type="HAC"`` with ``use_correction=True``.

    References
    ----------
    .. [1] E. Fama, K. French, "A five-factor asset pricing model," J. Financial Economics 116 (1), 2015.
       doi:10.1016/j.jfineco.2014.10.010
    .. [2] M. Carhart, "On persistence in mutual fund performance," J. Finance 52 (1), 1997.
       doi:10.1111/j.1540-6261.1997.tb03808.x
    """
    parameters = parameters or ExposureParameters()
    after = before["session"].max() if before is not None and len(before) else None
    lined = sample(returns, factors, etfs, sessions, after)
    if lined is None or not lined.regions:
        return pd.DataFrame(columns=EXPOSURES), pd.DataFrame(columns=FITS)
    pairs = lined.pairs(parameters.max_absence)
    fitted = {region: _fit(lined, region, pairs, parameters) for region in lined.regions}
    some = np.any([one.n > 0 for one in fitted.values()], axis=0)
    pairs, fitted = pairs[some], {region: one.of(some) for region, one in fitted.items()}
    wanted = wanted_regions(etfs, parameters).reindex(lined.tickers).to_numpy(dtype=object)[pairs[:, 0]]
    chosen = choose(wanted, {region: one.r_squared for region, one in fitted.items()}, parameters)
    best = _of_region(fitted, chosen["region"].to_numpy(dtype=object))
    keys = pd.DataFrame({"session": lined.moments[pairs[:, 1]], "ticker": lined.tickers.to_numpy()[pairs[:, 0]]})
    return _long(keys, best), _fit_table(keys.join(chosen), best, lined, parameters)


@dataclass(frozen=True)
class _Fits:
    """Fits of some pairs: observations (0 where none), coefficients and errors with the intercept first, last factor session."""

    n: Ints
    coefficients: Floats
    errors: Floats
    r_squared: Floats
    variance: Floats
    end: Ints

    def of(self, chosen: npt.NDArray[np.bool_]) -> _Fits:
        return _Fits(*(getattr(self, field.name)[chosen] for field in fields(self)))


def _fit(lined: Sample, region: str, pairs: Ints, parameters: ExposureParameters) -> _Fits:
    from etf_pipeline.risk.exposures.kernels import fit_windows

    ends, chosen = lined.ends(region, parameters.max_lag), lined.regions[region]
    n, coefficients, covariances, quality = fit_windows(
        lined.returns, lined.places, lined.funds, ends, pairs, chosen.values, chosen.available, lined.instants,
        parameters.window, parameters.min_observations, parameters.lags,
    )  # fmt: skip
    errors = np.sqrt(np.diagonal(covariances, axis1=1, axis2=2))
    return _Fits(n, coefficients, errors, quality[:, 0], quality[:, 1], ends[pairs[:, 1]])


def _of_region(fitted: dict[str, _Fits], region: npt.NDArray[np.object_]) -> _Fits:
    """Each pair's fit on the region that it uses."""
    found = {}
    for field in fields(_Fits):
        parts = [getattr(one, field.name) for one in fitted.values()]
        mine = [(region == name).reshape((-1,) + (1,) * (parts[0].ndim - 1)) for name in fitted]
        found[field.name] = np.select([np.broadcast_to(flag, parts[0].shape) for flag in mine], parts)
    return _Fits(**found)


def _fit_table(table: pd.DataFrame, fits: _Fits, lined: Sample, parameters: ExposureParameters) -> pd.DataFrame:
    newest = lined.days.searchsorted(pd.DatetimeIndex(table["session"]), side="right") - 1
    return table.assign(
        is_weak=~(fits.r_squared >= parameters.weak),
        alpha=fits.coefficients[:, 0] * SESSIONS_PER_YEAR,
        alpha_error=fits.errors[:, 0] * SESSIONS_PER_YEAR,
        r_squared=fits.r_squared,
        residual_volatility=annual_volatility(1.0) * np.sqrt(fits.variance),
        n=fits.n,
        factor_session=lined.days[fits.end],
        lag=newest - fits.end,
    )[FITS]


def _long(keys: pd.DataFrame, fits: _Fits) -> pd.DataFrame:
    k = len(FACTORS)
    loadings, errors = fits.coefficients[:, 1:].ravel(), fits.errors[:, 1:].ravel()
    with np.errstate(divide="ignore", invalid="ignore"):  # a fund that the factors explain without rest has no error
        t = np.where(errors > 0.0, loadings / errors, np.nan)
    frame = keys.loc[keys.index.repeat(k)].reset_index(drop=True)
    factor = np.tile(np.array(FACTORS, dtype=object), len(keys))
    return frame.assign(factor=factor, loading=loadings, error=errors, t=t)[EXPOSURES]
