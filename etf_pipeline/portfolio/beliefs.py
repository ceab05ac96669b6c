"""What is believed on a rebalance day: the bill's rate, expected returns, and a covariance with current volatilities."""

from __future__ import annotations

import numpy as np
import pandas as pd

from etf_pipeline.conventions import PERCENT, SESSIONS_PER_YEAR
from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats

BILL = "TBILL13W"
BILL_DAYS = 91
"""Days to maturity of a 13-week bill."""


def simple_rate(discount_percent: float) -> float:
    """Annual simple return of a 13-week bill from its bank discount.

    Parameters
    ----------
    discount_percent : float
        Discount on face value, act/360. [percent]

    Returns
    -------
    float
        ``(1 / (1 - d * 91/360) - 1) * 365/91``. [fraction per year]

    References
    ----------
    .. [1] M. Stigum and F. Robinson, *Money Market and Bond Calculations*, 1996, chapter 5.

    Examples
    --------
    >>> round(simple_rate(5.0), 6)
    0.051343
    """
    price = 1.0 - discount_percent * PERCENT * BILL_DAYS / 360.0
    return (1.0 / price - 1.0) * 365.0 / BILL_DAYS


def risk_free_rates(macro: pd.DataFrame, sessions: pd.DatetimeIndex) -> Floats:
    """What cash earns from each session on: the bill's rate of the session before.

    Parameters
    ----------
    macro : DataFrame
        Table `fct_macro`.
    sessions : DatetimeIndex of shape (n,)
        Rebalance sessions.

    Returns
    -------
    ndarray of shape (n,)
        [fraction per year]

    Raises
    ------
    DataError
        If no rate is known before the first session.
    """
    bill = macro.loc[(macro["series"] == BILL) & macro["value"].notna(), ["session", "value"]].sort_values("session")
    position = np.searchsorted(bill["session"].to_numpy(), sessions.to_numpy(), side="left") - 1
    if (position < 0).any():
        first = f"starts {bill['session'].iloc[0].date()}" if len(bill) else "has no rows"
        raise DataError(
            f"a Sharpe ratio at {sessions[position < 0][0].date()} needs {BILL} of an earlier session; in fct_macro it {first}. "
            f"Load the bill's rates, or start later."
        )
    return np.array([simple_rate(v) for v in bill["value"].to_numpy(dtype=np.float64)[position]])


def expected_returns(
    forecast: Floats, horizon: Floats, volatility: Floats, risk_free: float, *, shrinkage: float, prior_sharpe: float
) -> Floats:
    """Annual expected returns: forecasts pulled towards equal Sharpe ratios.

    Parameters
    ----------
    forecast : ndarray of shape (n_assets,)
        Expected total return over `horizon` sessions; unknown leaves the prior alone. [fraction per horizon]
    horizon : ndarray of shape (n_assets,)
        [sessions]
    volatility : ndarray of shape (n_assets,)
        [fraction per year]
    risk_free : float
        [fraction per year]
    shrinkage, prior_sharpe : float
        As `PortfolioParameters`.

    Returns
    -------
    ndarray of shape (n_assets,)
        ``shrinkage * (risk_free + prior_sharpe * volatility) + (1 - shrinkage) * forecast * 252 / horizon``.
        [fraction per year]

    Notes
    -----
    Max Sharpe multiplies errors in expected returns [1]_. With equal Sharpe ratios as the prior the optimum without news is
    the most diversified portfolio [2]_, not a corner.

    References
    ----------
    .. [1] R. O. Michaud, "The Markowitz optimization enigma," Financial Analysts J. 45(1), 1989.
    .. [2] Y. Choueifaty and Y. Coignard, "Toward maximum diversification," J. Portfolio Management 35(1), 2008.
    """
    prior = risk_free + prior_sharpe * volatility
    annual = forecast * SESSIONS_PER_YEAR / horizon
    return np.where(np.isnan(annual), prior, shrinkage * prior + (1.0 - shrinkage) * annual)


def current_covariance(estimate: Floats, volatility: Floats) -> Floats:
    """Correlations of the long sample under the volatilities forecast now.

    Parameters
    ----------
    estimate : ndarray of shape (n_assets, n_assets)
        Ledoit-Wolf covariance. [fraction squared per year]
    volatility : ndarray of shape (n_assets,)
        Current forecasts; the estimate's own where unknown or zero. [fraction per year]

    Returns
    -------
    ndarray of shape (n_assets, n_assets)
        ``D R D``, positive definite as the estimate is. [fraction squared per year]

    References
    ----------
    .. [1] R. Engle, "Dynamic conditional correlation," J. Business & Economic Statistics 20(3), 2002: here with R held at
       its long-run estimate, i.e. constant conditional correlation (T. Bollerslev, 1990) on shrunk correlations.
    """
    own = np.sqrt(np.diag(estimate))
    sigma = np.where(volatility > 0, volatility, own)
    scale = sigma / own
    return np.asarray(estimate * np.outer(scale, scale), dtype=np.float64)
