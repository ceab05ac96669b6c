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
    forecast: Floats,
    horizon: Floats,
    volatility: Floats,
    risk_free: float,
    *,
    shrinkage: float,
    prior_sharpe: float,
    information_coefficient: float,
    max_view: float,
) -> Floats:
    """Annual expected returns: equal Sharpe ratios, and beyond them no more than forecasts of known skill can say.

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
    shrinkage, prior_sharpe, information_coefficient, max_view : float
        As `PortfolioParameters`.

    Returns
    -------
    ndarray of shape (n_assets,)
        ``prior + view``, where ``prior = risk_free + prior_sharpe * volatility`` and
        ``view = (1 - shrinkage) * (forecast * 252 / horizon - prior)``, within
        ``+-max_view * information_coefficient * volatility * sqrt(252 / horizon)``. [fraction per year]

    Notes
    -----
    Max Sharpe multiplies errors in expected returns [1]_. With equal Sharpe ratios as the prior the optimum without news is
    the most diversified portfolio [2]_, not a corner.

    A forecast that correlates by IC with what it forecasts is worth ``IC * volatility * score``, its score having a standard
    deviation of one [3]_: over a horizon the honest forecast of a volatile fund is wide in return and narrow in Sharpe ratio.
    A model that says ten times as much has mistaken a fund's past for knowledge, and max Sharpe would believe it first. The
    bound acts on each fund alone, and with the defaults about half of all forecasts of ETFs reach it: then funds are worth the
    same Sharpe ratio and diversification decides between them, while the forecasts still choose the candidates, by score. No
    forecast of such skill outweighs the prior, so that forecasts alone do not send a portfolio to cash; a larger `max_view`
    lets them.

    Examples
    --------
    A fund of 60 % volatility that is forecast to earn 6.6 % in 21 sessions, 79 % a year, is believed to earn 33 %.

    >>> believed = {"shrinkage": 0.5, "prior_sharpe": 0.3, "information_coefficient": 0.05, "max_view": 1.0}
    >>> expected_returns(np.array([0.066]), np.array([21.0]), np.array([0.6]), 0.05, **believed).round(4).tolist()
    [0.3339]

    References
    ----------
    .. [1] R. O. Michaud, "The Markowitz optimization enigma," Financial Analysts J. 45(1), 1989.
    .. [2] Y. Choueifaty and Y. Coignard, "Toward maximum diversification," J. Portfolio Management 35(1), 2008.
    .. [3] R. C. Grinold, "Alpha is volatility times IC times score," J. Portfolio Management 20(4), 1994.
    """
    prior = risk_free + prior_sharpe * volatility
    view = (1.0 - shrinkage) * (forecast * SESSIONS_PER_YEAR / horizon - prior)
    widest = max_view * information_coefficient * volatility * np.sqrt(SESSIONS_PER_YEAR / horizon)
    return np.where(np.isnan(view), prior, prior + np.clip(view, -widest, widest))


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
