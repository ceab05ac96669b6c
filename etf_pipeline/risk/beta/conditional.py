"""Does beta change with fear? A slope that depends on yesterday's VIX percentile, tested and not assumed.

"In a crisis every beta goes to one" is a hypothesis. Here each fund's beta may move with the percentile of VIX among everything
known by the close before, and the table says whether the data object to its standing still.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd

from etf_pipeline.errors import DataError, SettingsError
from etf_pipeline.panel import Floats
from etf_pipeline.risk.beta.pairing import BILL, Grid, grids, market_funds
from etf_pipeline.validation.multiplicity import holm

CALM, MIDDLE, STRESSED = 0.1, 0.5, 0.9
"""Percentiles of VIX at which beta is told, and the one around which the interaction turns."""

HIGHER, LOWER, NO_DIFFERENCE, INSUFFICIENT = "higher_in_stress", "lower_in_stress", "no_difference", "insufficient"

EXACT = 1e-9
"""An error below this is rounding: the fund is the market itself, and there is nothing to test."""

COLUMNS = (
    "session",
    "ticker",
    "beta_calm",
    "beta_stressed",
    "interaction",
    "hac_error",
    "t",
    "p",
    "p_holm",
    "n",
    "verdict",
)


@dataclass(frozen=True)
class ConditionalBetaParameters:
    """When and on what the conditional betas are estimated.

    Attributes
    ----------
    window : int
        Sessions looked back on. [sessions]
    min_sessions : int
        Known ones without which nothing is claimed. [sessions]
    months : tuple of int
        Months at whose last session the funds are tested.
    vix_series : str
        Series of `fct_macro` whose percentile conditions.
    min_history : int
        Values of it before which a percentile is unknown. [sessions]
    size : float
        Level of the test after Holm's correction for all funds of the session. [probability]
    markets : tuple of str
        ``EXCHANGE=TICKER``: market fund of an exchange, other than that of `conventions.HOME_MARKETS`.
    bill_series : str
        Series that is taken off returns in US dollars; empty to take off nothing.
    """

    window: int = 1260
    min_sessions: int = 504
    months: tuple[int, ...] = (3, 6, 9, 12)
    vix_series: str = "VIX"
    min_history: int = 252
    size: float = 0.05
    markets: tuple[str, ...] = ()
    bill_series: str = BILL

    def __post_init__(self) -> None:
        """Refuse a regression without residuals."""
        if not 5 <= self.min_sessions <= self.window:
            raise SettingsError(
                f"conditional_betas needs 5 <= min_sessions <= window; found {self.min_sessions} and {self.window}."
            )

    @property
    def lookback(self) -> int:
        """Sessions before a row that it may depend on, the macro series apart."""
        return self.window + 2


def conditional_betas(
    returns: pd.DataFrame,
    funds: pd.DataFrame,
    macro: pd.DataFrame,
    calendar: pd.DataFrame,
    parameters: ConditionalBetaParameters | None = None,
) -> pd.DataFrame:
    """Beta of every fund in calm and stressed markets, with a test of the difference.

    Parameters
    ----------
    returns, funds, macro, calendar : DataFrame
        `fct_returns`, `dim_etf`, `fct_macro` and `raw_sessions`.
    parameters : ConditionalBetaParameters, optional
        Defaults where omitted.

    Returns
    -------
    DataFrame of shape (n_funds * n_ends, 11)
        `conditional_betas`: funds that traded at the last session of each of the named months.

    Raises
    ------
    DataError
        If the macro table does not hold the volatility series.

    Notes
    -----
    ``r_t = a + b m_t + d q + c q m_t + e_t`` with ``q = p_{t-1} - 0.5`` and p the share of VIX values known by the close of t-1
    that are below the newest of them (ties count half). Beta at percentile p is ``b + c (p - 0.5)``. The test is of c = 0 with
    Newey-West errors and the normal distribution [1]_; Holm's correction is over the funds of the session.

    References
    ----------
    .. [1] W. Ferson, R. Schadt, "Measuring fund strategy and performance in changing economic conditions," J. Finance 51 (2),
       1996. doi:10.1111/j.1540-6261.1996.tb02690.x (betas linear in lagged public information)
    """
    p = parameters or ConditionalBetaParameters()
    percentile = lagged_percentile(macro, p.vix_series, p.min_history)
    parts = [
        _of_grid(grid, percentile, grid.ends(calendar, p.months), p)
        for grid in grids(returns, funds, macro, market_funds(p.markets), p.bill_series)
        if grid.market_fund
    ]
    if not parts:
        return pd.DataFrame(columns=list(COLUMNS))
    return _judged(pd.concat(parts, ignore_index=True), p.size)[list(COLUMNS)]


def lagged_percentile(macro: pd.DataFrame, series: str, min_history: int) -> pd.Series[float]:
    """Percentile of a series among all its values known so far, at each session of the macro table.

    Examples
    --------
    >>> days = pd.date_range("2024-01-01", periods=3)
    >>> macro = pd.DataFrame({"session": days, "series": "VIX", "value": [10.0, 30.0, 20.0]})
    >>> lagged_percentile(macro, "VIX", 1).tolist()
    [0.5, 0.75, 0.5]
    """
    rows = macro[(macro["series"] == series) & macro["value"].notna()].sort_values("session", kind="stable")
    if rows.empty:
        raise DataError(
            f"conditional_betas needs series '{series}' in fct_macro; found {sorted(macro['series'].unique())}. "
            "Set `vix_series`, or fetch it."
        )
    values = rows["value"].astype(np.float64).set_axis(pd.DatetimeIndex(rows["session"]))
    rank = values.expanding(min_history).rank(method="average")
    return cast("pd.Series[float]", (rank - 0.5) / np.arange(1, len(values) + 1))


def _of_grid(grid: Grid, percentile: pd.Series[float], ends: np.ndarray, p: ConditionalBetaParameters) -> pd.DataFrame:
    from etf_pipeline.risk.beta.least_squares import trailing_fits

    fits = trailing_fits(grid.excess, _regressors(grid, percentile), grid.traded, ends, p.window, p.min_sessions)
    fund, end = np.nonzero(grid.traded[:, ends])
    found = fits[fund, end]
    middle, slope, error = found[:, 1], found[:, 3], np.sqrt(np.maximum(found[:, 4 + 15], 0.0))
    return pd.DataFrame(
        {
            "session": grid.sessions[ends][end],
            "ticker": grid.tickers[fund],
            "beta_calm": middle + slope * (CALM - MIDDLE),
            "beta_stressed": middle + slope * (STRESSED - MIDDLE),
            "interaction": slope,
            "hac_error": error,
            "n": found[:, -1].astype(np.int64),
        }
    )


def _regressors(grid: Grid, percentile: pd.Series[float]) -> Floats:
    """One, market, and both with the centred percentile of the session before."""
    before = np.full(len(grid.sessions), np.nan)
    before[1:] = percentile.reindex(grid.sessions).to_numpy(dtype=np.float64)[:-1]
    q = before - MIDDLE
    return np.column_stack([np.ones(len(q)), grid.market, q, q * grid.market])


def _judged(table: pd.DataFrame, size: float) -> pd.DataFrame:
    """Add t, p, Holm's p among the funds of each session, and the verdict."""
    slope, error = (table[name].to_numpy(dtype=np.float64) for name in ("interaction", "hac_error"))
    t = np.divide(slope, error, out=np.full(len(table), np.nan), where=error > EXACT)
    p = np.array([math.erfc(abs(value) / math.sqrt(2.0)) for value in t])
    corrected = np.full(len(table), np.nan)
    for places in table.groupby("session").indices.values():
        corrected[places] = holm(p[places])
    with np.errstate(invalid="ignore"):
        stands = corrected < size
    verdict = np.select([np.isnan(t), stands & (t > 0), stands], [INSUFFICIENT, HIGHER, LOWER], NO_DIFFERENCE)
    return table.assign(t=t, p=p, p_holm=corrected, verdict=verdict)
