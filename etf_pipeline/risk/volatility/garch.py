"""GARCH(1,1) per fund: parameters refitted at each year's last session, forecasts filtered with them in between."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.conventions import PERCENT, SESSIONS_PER_YEAR
from etf_pipeline.errors import SettingsError
from etf_pipeline.kernel_cache import compile_elsewhere
from etf_pipeline.panel import Floats

CONVERGED = "converged"
PARAMETERS = ["mu", "omega", "alpha", "beta", "nu"]
VARIANCE = ["mu", "omega", "alpha", "beta", "gamma"]
"""Parameters that the variance is filtered with."""
ERRORS = ("t", "normal")
TOO_SHORT = -1
STATUS = {
    TOO_SHORT: "ewma: {n} of {p.min_sessions} sessions",
    0: CONVERGED,
    1: "ewma: the returns have no finite positive variance",
    2: "ewma: no optimum within {p.max_steps} steps",
    3: "ewma: omega at its lower bound, the variance has no level",
    4: "ewma: nu at its lower bound, too many equal returns",
    5: "ewma: alpha is zero, the variance does not listen",
}
"""What becomes of the verdicts of `garch_optimiser`."""


@dataclass(frozen=True)
class GarchParameters:
    """When and how the GARCH is fitted.

    Attributes
    ----------
    min_sessions : int
        Returns that a first fit needs; below, the EWMA stands in. [sessions]
    exchange : str
        Market identifier code of the calendar whose year ends are the fit sessions.
    max_steps : int
        Evaluations of the scores allowed from each start of the optimiser.
    tolerance : float
        Log-likelihood that the last step may still promise. [nats]
    errors : str
        Distribution of the shocks: `t` (Student's, unit variance) or `normal`.
    asymmetric : bool
        Whether falls have a response of their own (GJR).
    """

    min_sessions: int = 500
    exchange: str = "XNYS"
    max_steps: int = 200
    tolerance: float = 1e-6
    errors: str = "t"
    asymmetric: bool = False

    def __post_init__(self) -> None:
        if self.errors not in ERRORS:
            raise SettingsError(f"garch needs errors out of {ERRORS}; found {self.errors!r}. Set one of them.")

    @property
    def model(self) -> str:
        """Name of the model, as the table gives it."""
        return f"{'gjr' if self.asymmetric else 'garch'}(1,1)-{self.errors}"


def garch_fits(
    returns: pd.DataFrame, parameters: GarchParameters | None = None, before: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Fit every fund at each year's last session, on all its returns so far.

    Parameters
    ----------
    returns : DataFrame of shape (n_rows, ...)
        `fct_returns`: columns `session`, `ticker`, `total_return` [fraction].
    parameters : GarchParameters, optional
        Defaults where omitted.
    before : DataFrame, optional
        Fits that stand: only later sessions are fitted.

    Returns
    -------
    DataFrame of shape (n_fits, 15)
        `garch_fits`: parameters in percent units, or a `status` that says why the EWMA stands in. A fund without a row since
        the last fit session gets none.

    Notes
    -----
    ``r_t = mu + e_t``, ``h_t = omega + alpha e_{t-1}^2 + beta h_{t-1}`` [1]_ with unit-variance Student-t shocks [2]_, by
    maximum likelihood; where asked, with normal shocks, or with ``gamma e_{t-1}^2`` besides after a fall [3]_. The calendar
    announces a year's last session, so the set of fits never changes later; a year that the data have not finished has none.
    Scale and backcast come from the fitting sample alone. `variance` is the forecast for the session after the sample: the
    daily filter goes on from there, and needs no earlier return.

    The engine is the house's own (`garch_optimiser`): in all 1,912 yearly samples of 132 real funds its log-likelihood was
    within 2e-6 of a search from more starts to a finer tolerance.

    References
    ----------
    .. [1] T. Bollerslev, "Generalized autoregressive conditional heteroskedasticity," Journal of Econometrics 31, 1986.
       doi:10.1016/0304-4076(86)90063-1
    .. [2] T. Bollerslev, "A conditionally heteroskedastic time series model for speculative prices and rates of return,"
       Review of Economics and Statistics 69, 1987. doi:10.2307/1925546
    .. [3] L. Glosten, R. Jagannathan and D. Runkle, "On the relation between the expected value and the volatility of the
       nominal excess return on stocks," Journal of Finance 48, 1993. doi:10.1111/j.1540-6261.1993.tb05128.x
    """
    parameters = parameters or GarchParameters()
    rows = returns[["ticker", "session", "total_return"]].sort_values(["ticker", "session"], kind="stable")
    percent = rows["total_return"].to_numpy(dtype=np.float64) / PERCENT
    samples = _samples(rows, ~np.isnan(percent), fit_sessions(returns["session"], parameters.exchange))
    if before is not None and len(before):
        samples = samples[samples["fit_session"] > before["fit_session"].max()].reset_index(drop=True)
    return _fitted(percent[~np.isnan(percent)], samples, parameters)


def fit_sessions(sessions: pd.Series[Any], exchange: str) -> pd.DatetimeIndex:
    """Last sessions of the exchange's years, as far as the data have reached them.

    Examples
    --------
    >>> days = pd.Series(pd.to_datetime(["2021-12-30", "2021-12-31", "2022-01-03", "2022-12-29"]))
    >>> list(fit_sessions(days, "XNYS").strftime("%Y-%m-%d"))
    ['2021-12-31']
    """
    present = pd.DatetimeIndex(sessions.unique())
    if not len(present):
        return present
    scheduled = calendars.sessions(exchange, present.min(), present.max() + pd.offsets.YearEnd(0))
    last = pd.Series(scheduled, index=scheduled.year).groupby(level=0).max()
    return pd.DatetimeIndex(last[last.isin(present)])


def horizon_volatilities(percent: Floats, segments: pd.DataFrame, horizons: tuple[int, ...]) -> Floats:
    """Annual volatility forecasts of the rows that a fit governs.

    Parameters
    ----------
    percent : ndarray of shape (n_rows,)
        Returns by fund and session; unknown ones leave the variance as it is. [percent]
    segments : DataFrame of shape (n_segments, ...)
        Columns `first`, `after`, `stop` (rows that the fit governs; those before `after` are in its sample), `variance` (forecast
        at the sample's end), and the parameters. [percent units]
    horizons : tuple of int
        Sessions ahead. [sessions]

    Returns
    -------
    ndarray of shape (n_horizons, n_rows)
        ``sqrt(252 * mean(h_{t+1}, ..., h_{t+horizon})) / 100``; unknown where no segment reaches. [fraction per year]

    Notes
    -----
    The root is taken of the *variance forecast*, averaged over the horizon; a fitted sigma is not a forecast.
    """
    from etf_pipeline.risk.volatility.garch_filter import forecast_segments

    first, after, stop = (segments[name].to_numpy(dtype=np.int64) for name in ("first", "after", "stop"))
    theta = segments[VARIANCE].fillna({"gamma": 0.0}).to_numpy(dtype=np.float64)
    variance = segments["variance"].to_numpy(dtype=np.float64)
    mean = forecast_segments(percent, first, after, stop, theta, variance, np.array(horizons, dtype=np.int64))
    return np.asarray(np.sqrt(mean) * (np.sqrt(SESSIONS_PER_YEAR) * PERCENT))  # the root first: an absurd return may not overflow


def _samples(rows: pd.DataFrame, known: npt.NDArray[np.bool_], at: pd.DatetimeIndex) -> pd.DataFrame:
    """One row per fund and fit session with something new: `ticker`, `fit_session`; first and end of its known returns."""
    codes, tickers = pd.factorize(rows["ticker"])
    starts = np.searchsorted(codes, np.arange(len(tickers) + 1))
    days = rows["session"].to_numpy()
    counts = np.array([np.searchsorted(days[a:b], at.to_numpy(), side="right") for a, b in pairwise(starts)], dtype=np.int64)
    counts = counts.reshape(len(tickers), len(at))
    fund, fit = np.nonzero(np.diff(counts, axis=1, prepend=0) > 0)
    before = np.append(0, np.cumsum(known))
    frame = pd.DataFrame({"ticker": np.asarray(tickers, dtype=object)[fund], "fit_session": at[fit]})
    return frame.assign(start=before[starts[fund]], stop=before[starts[fund] + counts[fund, fit]])


def _fitted(percent: Floats, samples: pd.DataFrame, parameters: GarchParameters) -> pd.DataFrame:
    compile_elsewhere("etf_pipeline.risk.volatility.garch_optimiser", "compile_kernels")
    from etf_pipeline.risk.volatility.garch_filter import last_variances
    from etf_pipeline.risk.volatility.garch_optimiser import fit_samples

    start, stop = (samples[name].to_numpy(dtype=np.int64) for name in ("start", "stop"))
    enough = stop - start >= parameters.min_sessions
    numbers, verdicts = np.full((len(samples), 8), np.nan), np.full(len(samples), TOO_SHORT)
    numbers[enough], verdicts[enough] = fit_samples(
        percent,
        start[enough],
        stop[enough],
        parameters.max_steps,
        parameters.tolerance,
        parameters.errors == "normal",
        parameters.asymmetric,
    )
    numbers[verdicts != 0] = np.nan
    frame = samples[["ticker", "fit_session"]].assign(n=stop - start, model=parameters.model)
    frame[[*PARAMETERS, "gamma", "backcast", "log_likelihood"]] = numbers
    frame["gamma"] = frame["gamma"] - frame["alpha"] if parameters.asymmetric else np.nan
    frame["nu"] = frame["nu"].where(np.isfinite(frame["nu"]))
    frame["persistence"] = frame["alpha"] + frame["beta"] + 0.5 * frame["gamma"].fillna(0.0)
    theta = frame[VARIANCE].fillna({"gamma": 0.0}).to_numpy(dtype=np.float64)
    frame["variance"] = last_variances(percent, start, stop, theta, frame["backcast"].to_numpy(dtype=np.float64))
    status = [STATUS[verdict].format(n=n, p=parameters) for n, verdict in zip(stop - start, verdicts, strict=True)]
    return frame.assign(status=status)
