"""The daily beta table: rolling, exponentially weighted and shrunk, each fund against the market of its exchange."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.errors import SettingsError
from etf_pipeline.panel import Floats
from etf_pipeline.risk.beta.pairing import BILL, Grid, grids, market_funds
from etf_pipeline.risk.beta.shrinkage import vasicek

Flags = npt.NDArray[np.bool_]

HALF_LIVES = 8
"""Where exponential weights are cut off: beyond lies 0.4 % of their sum."""

ESTIMATES = (
    "beta",
    "beta_error",
    "beta_error_robust",
    "r_squared",
    "residual_volatility",
    "n",
    "beta_ewma",
    "beta_vasicek",
)


@dataclass(frozen=True)
class BetaParameters:
    """How the daily betas are estimated.

    Attributes
    ----------
    window : int
        Sessions of the rolling regression. [sessions]
    min_sessions : int
        Known pairs of returns without which a beta is unknown. [sessions]
    half_life : int
        Sessions after which an observation of the exponentially weighted beta counts half. [sessions]
    min_members : int
        Known betas of members without which a session has no prior to shrink to.
    markets : tuple of str
        ``EXCHANGE=TICKER``: market fund of an exchange, other than that of `conventions.HOME_MARKETS`.
    bill_series : str
        Series of `fct_macro` that is taken off returns in US dollars; empty to take off nothing.
    """

    window: int = 252
    min_sessions: int = 126
    half_life: int = 63
    min_members: int = 5
    markets: tuple[str, ...] = ()
    bill_series: str = BILL

    def __post_init__(self) -> None:
        """Refuse a regression without residuals."""
        if not 3 <= self.min_sessions <= self.window or self.half_life < 1:
            raise SettingsError(
                f"betas needs 3 <= min_sessions <= window and a half_life of at least 1; found min_sessions {self.min_sessions}, "
                f"window {self.window}, half_life {self.half_life}."
            )

    @property
    def lookback(self) -> int:
        """Sessions before a row that it may depend on."""
        return max(self.window, HALF_LIVES * self.half_life) + 2


def betas(
    returns: pd.DataFrame,
    funds: pd.DataFrame,
    macro: pd.DataFrame,
    membership: pd.DataFrame,
    parameters: BetaParameters | None = None,
) -> pd.DataFrame:
    """Beta of every fund and session to the market fund of its exchange.

    Parameters
    ----------
    returns, funds, macro, membership : DataFrame
        `fct_returns`, `dim_etf`, `fct_macro` and `universe_membership`.
    parameters : BetaParameters, optional
        Defaults where omitted.

    Returns
    -------
    DataFrame of shape (n_rows, 10)
        `betas`, one row per row of `returns`.

    Notes
    -----
    ``beta = cov(r, m) / var(m)`` over the last `window` sessions of the exchange in which fund and market are known, with one
    ddof on both sides, the newest session included. Excess returns are those of `pairing.grids`. The error of least squares
    supposes residuals of one variance; the robust one (White) does not, and is what the shrinkage weighs with. Exponential
    weights have the half-life `half_life` and are cut off after eight of them. The prior of the shrunk beta is made of the
    session's members of the same market that are not geared. A geared fund's beta is made by its mandate and is no draw from
    theirs: it stays as estimated.
    """
    parameters = parameters or BetaParameters()
    rows = returns[["session", "ticker"]].reset_index(drop=True)
    member = _members(rows, membership)
    geared = rows["ticker"].isin(funds.loc[funds["is_geared"].eq(True), "ticker"]).to_numpy()
    made = {name: np.full(len(rows), np.nan) for name in ESTIMATES}
    made["n"][:] = 0.0
    for grid in grids(returns, funds, macro, market_funds(parameters.markets), parameters.bill_series):
        if grid.market_fund:
            for name, values in _estimates(grid, member[grid.rows], geared[grid.rows], parameters).items():
                made[name][grid.rows] = values
    return rows.assign(**made | {"n": made["n"].astype(np.int64)})


def _estimates(grid: Grid, member: Flags, geared: Flags, parameters: BetaParameters) -> dict[str, Floats]:
    from etf_pipeline.risk.beta.rolling import COLUMNS, regress, weighted_beta

    p = parameters
    fits = regress(grid.excess, grid.market, p.window, p.min_sessions)[grid.fund, :, grid.position].T
    found = dict(zip(COLUMNS, fits, strict=True))
    weighted = weighted_beta(grid.excess, grid.market, HALF_LIVES * p.half_life, 0.5 ** (1.0 / p.half_life), p.min_sessions)
    found["beta_ewma"] = weighted[grid.fund, grid.position]
    found["residual_volatility"] = np.sqrt(SESSIONS_PER_YEAR * found.pop("residual_variance"))
    beta, error = found["beta"], found["beta_error_robust"]
    shrunk = vasicek(beta, error, member & ~geared, grid.position, min_members=p.min_members)
    found["beta_vasicek"] = np.where(geared, beta, shrunk)
    return found


def _members(rows: pd.DataFrame, membership: pd.DataFrame) -> Flags:
    """Which rows are members of the universe at their session."""
    told = membership[["session", "ticker"]].reset_index(drop=True)
    if told.equals(rows):
        return membership["member"].to_numpy(dtype=bool)
    joined = rows.merge(membership[["session", "ticker", "member"]], on=["session", "ticker"], how="left")
    return joined["member"].eq(True).to_numpy(dtype=bool)
