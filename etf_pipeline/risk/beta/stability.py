"""Is a fund's beta one number? CUSUM of recursive residuals and the largest break test, on the years up to each session."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.errors import SettingsError
from etf_pipeline.panel import Floats
from etf_pipeline.risk.beta.null_laws import cusum_critical, cusum_p, sup_wald_critical, sup_wald_p
from etf_pipeline.risk.beta.pairing import BILL, Grid, Integers, grids, market_funds
from etf_pipeline.validation.multiplicity import holm

CUSUM, SUP_F = "cusum", "sup_f"
STABLE, UNSTABLE, INSUFFICIENT = "stable", "unstable", "insufficient"

COLUMNS = (
    "session",
    "ticker",
    "test",
    "statistic",
    "critical_value",
    "p",
    "p_holm",
    "break_session",
    "beta_before",
    "beta_after",
    "n",
    "verdict",
)


@dataclass(frozen=True)
class BetaStabilityParameters:
    """When and on what stability is tested.

    Attributes
    ----------
    window : int
        Sessions looked back on. [sessions]
    min_sessions : int
        Known ones without which nothing is claimed. [sessions]
    months : tuple of int
        Months at whose last session the funds are tested.
    trim : float
        Share of the sample that a break leaves on either side. [fraction]
    size : float
        Level of each test, for the verdict after Holm's correction for all funds of the session. [probability]
    markets : tuple of str
        ``EXCHANGE=TICKER``: market fund of an exchange, other than that of `conventions.HOME_MARKETS`.
    bill_series : str
        Series that is taken off returns in US dollars; empty to take off nothing.
    """

    window: int = 1260
    min_sessions: int = 504
    months: tuple[int, ...] = (3, 6, 9, 12)
    trim: float = 0.15
    size: float = 0.05
    markets: tuple[str, ...] = ()
    bill_series: str = BILL

    def __post_init__(self) -> None:
        """Refuse stretches that cannot hold a line."""
        if not (0.0 < self.trim < 0.5 and self.trim * self.min_sessions >= 4 and self.min_sessions <= self.window):
            raise SettingsError(
                f"beta_stability needs 0 < trim < 0.5, four sessions on either side at least and min_sessions <= window; found "
                f"trim {self.trim}, min_sessions {self.min_sessions}, window {self.window}."
            )

    @property
    def lookback(self) -> int:
        """Sessions before a row that it may depend on."""
        return self.window + 2


def beta_stability(
    returns: pd.DataFrame,
    funds: pd.DataFrame,
    macro: pd.DataFrame,
    calendar: pd.DataFrame,
    parameters: BetaStabilityParameters | None = None,
) -> pd.DataFrame:
    """Two tests per fund and session of whether its line on the market has moved.

    Parameters
    ----------
    returns, funds, macro, calendar : DataFrame
        `fct_returns`, `dim_etf`, `fct_macro` and `raw_sessions`.
    parameters : BetaStabilityParameters, optional
        Defaults where omitted.

    Returns
    -------
    DataFrame of shape (n_rows, 12)
        `beta_stability`: two rows per fund that traded at the last session of each of the named months.

    Notes
    -----
    `cusum` adds up recursive residuals (`break_tests.cusum`), with the p-value of its authors. It watches the level: a slope that
    moves leaves it at its size where the market's mean is near zero, as with daily returns. `sup_f` is the largest
    heteroskedasticity-robust Wald statistic of a shift in the slope (`break_tests.sup_wald`), with the exact p-value of its limit
    (`null_laws.sup_wald_p`). Its `break_session` is where the new slope begins; the estimate of a break's date is rough for
    small breaks, and a slope that wanders is told as one break too.

    The verdict on a fund's beta is that of `sup_f`. Either is `unstable` only where Holm's p over the funds of the session stays
    below `size`.
    """
    p = parameters or BetaStabilityParameters()
    parts = [
        _of_grid(grid, grid.ends(calendar, p.months), p)
        for grid in grids(returns, funds, macro, market_funds(p.markets), p.bill_series)
        if grid.market_fund
    ]
    return _judged(pd.concat(parts, ignore_index=True), p.size) if parts else pd.DataFrame(columns=list(COLUMNS))


def _of_grid(grid: Grid, ends: Integers, p: BetaStabilityParameters) -> pd.DataFrame:
    from etf_pipeline.risk.beta.break_tests import trailing_tests

    found = trailing_tests(grid.excess, grid.market, grid.traded, ends, p.window, p.min_sessions, p.trim)
    fund, end = np.nonzero(grid.traded[:, ends])
    n, *numbers = found[fund, end].T
    itself = grid.tickers[fund] == grid.market_fund  # nothing but rounding is left to test
    cusum, reached, sup_f, first, before, after = (np.where(itself, np.nan, values) for values in numbers)
    rows = pd.DataFrame({"session": grid.sessions[ends][end], "ticker": grid.tickers[fund], "n": n.astype(np.int64)})
    level = rows.assign(test=CUSUM, statistic=cusum, critical_value=cusum_critical(p.size), p=cusum_p(cusum))
    slope = rows.assign(
        test=SUP_F, statistic=sup_f, critical_value=sup_wald_critical(p.size, p.trim), p=sup_wald_p(sup_f, p.trim)
    )
    level = level.assign(break_session=_days(grid, reached), beta_before=np.nan, beta_after=np.nan)
    slope = slope.assign(break_session=_days(grid, first), beta_before=before, beta_after=after)
    return pd.concat([level, slope], ignore_index=True)


def _days(grid: Grid, places: Floats) -> npt.NDArray[np.datetime64]:
    """Sessions at places on the grid; NaT where unknown."""
    known = np.isfinite(places)
    days = grid.sessions.to_numpy()[np.where(known, places, 0).astype(np.intp)]
    return np.where(known, days, np.datetime64("NaT"))


def _judged(table: pd.DataFrame, size: float) -> pd.DataFrame:
    """Add Holm's p among the funds of each session and test, and the verdict."""
    p = table["p"].to_numpy(dtype=np.float64)
    corrected = np.full(len(table), np.nan)
    for places in table.groupby(["session", "test"]).indices.values():
        corrected[places] = holm(p[places])
    with np.errstate(invalid="ignore"):
        verdict = np.select([np.isnan(corrected), corrected < size], [INSUFFICIENT, UNSTABLE], STABLE)
    return table.assign(p_holm=corrected, verdict=verdict)[list(COLUMNS)]
