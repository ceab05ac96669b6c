"""Loadings of every fund at every month's end on the factors that were published by then."""

from __future__ import annotations

import numpy as np
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
    pairs = lined.alive(parameters.max_absence)
    fitted = {region: _fit(lined, region, pairs, parameters) for region in lined.regions}
    some = np.any([counts > 0 for counts, *_ in fitted.values()], axis=0)
    pairs, fitted = pairs[some], {region: tuple(part[some] for part in parts) for region, parts in fitted.items()}
    wanted = wanted_regions(etfs, parameters).reindex(lined.tickers).to_numpy(dtype=object)[pairs[:, 0]]
    chosen = choose(wanted, {region: parts[3][:, 0] for region, parts in fitted.items()}, parameters)
    counts, coefficients, covariances, quality = _of_region(fitted, chosen["region"].to_numpy(dtype=object))
    errors = np.sqrt(np.diagonal(covariances, axis1=1, axis2=2))
    ends = _of_region(
        {region: (lined.ends(region, parameters.max_lag)[pairs[:, 1]],) for region in fitted},
        chosen["region"].to_numpy(dtype=object),
    )[0]
    keys = {"session": lined.moments[pairs[:, 1]], "ticker": lined.tickers.to_numpy()[pairs[:, 0]]}
    fits = (
        pd.DataFrame(keys)
        .join(chosen)
        .assign(
            is_weak=~(quality[:, 0] >= parameters.weak),
            alpha=coefficients[:, 0] * SESSIONS_PER_YEAR,
            alpha_error=errors[:, 0] * SESSIONS_PER_YEAR,
            r_squared=quality[:, 0],
            residual_volatility=annual_volatility(1.0) * np.sqrt(quality[:, 1]),
            n=counts,
            factor_session=lined.days[ends],
            lag=lined.days.searchsorted(keys["session"], side="right") - 1 - ends,
        )
    )
    return _long(keys, coefficients[:, 1:], errors[:, 1:]), fits[FITS]


def _fit(lined: Sample, region: str, pairs: Ints, parameters: ExposureParameters) -> tuple[Ints, Floats, Floats, Floats]:
    from etf_pipeline.risk.exposures.kernels import fit_windows

    ends, chosen = lined.ends(region, parameters.max_lag), lined.regions[region]
    return fit_windows(
        lined.returns, lined.places, lined.funds, ends, pairs, chosen.values, chosen.available, lined.instants,
        parameters.window, parameters.min_observations, parameters.lags,
    )  # fmt: skip


def _of_region(parts: dict[str, tuple[Floats, ...]], region: Floats) -> tuple[Floats, ...]:
    """Each fit's entries from the region that it uses."""
    first = next(iter(parts.values()))
    out = tuple(part.copy() for part in first)
    for name, found in parts.items():
        mine = region == name
        for target, part in zip(out, found, strict=True):
            target[mine] = part[mine]
    return out


def _long(keys: dict[str, object], loadings: Floats, errors: Floats) -> pd.DataFrame:
    k = len(FACTORS)
    frame = pd.DataFrame(keys)
    frame = frame.loc[frame.index.repeat(k)].reset_index(drop=True)
    with np.errstate(divide="ignore", invalid="ignore"):  # a fund that the factors explain without rest has no error
        t = np.where(errors > 0.0, loadings / errors, np.nan)
    return frame.assign(
        factor=np.tile(np.array(FACTORS, dtype=object), len(loadings)),
        loading=loadings.ravel(),
        error=errors.ravel(),
        t=t.ravel(),
    )[EXPOSURES]
