"""Market impact: how far an order moves the price against itself.

Every law here is ``slope * sqrt(|order|)`` per unit traded, hence a cost of power 3/2, which is convex. The laws differ in
the slope, and the action plan's clipped one in bounds that are applied where a cost is reported or charged, never inside the
convex optimisation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline.conventions import BPS
from etf_pipeline.errors import DataError, SettingsError
from etf_pipeline.panel import Floats

PLAN_COEFFICIENT = 0.1
"""The action plan's coefficient, in both of its formulas."""


@dataclass(frozen=True)
class ImpactModel:
    """One law of market impact.

    Attributes
    ----------
    scales_with_volatility : bool
        Whether the impact is in daily volatilities (else in fractions of the price).
    coefficient : float or None
        Its fixed coefficient; None takes `CostParameters.impact_coefficient`.
    floor, cap : float
        Bounds on the impact of any trade. [fraction]
    """

    scales_with_volatility: bool
    coefficient: float | None = None
    floor: float = 0.0
    cap: float = np.inf


IMPACT_MODELS: dict[str, ImpactModel] = {
    "square_root": ImpactModel(scales_with_volatility=True),
    "plan_clipped": ImpactModel(scales_with_volatility=False, coefficient=PLAN_COEFFICIENT, floor=2 * BPS, cap=50 * BPS),
    "plan_volatility": ImpactModel(scales_with_volatility=True, coefficient=PLAN_COEFFICIENT),
}
"""The impact laws by name. The plan's two differ by the daily volatility, a factor of about 100."""


def impact_model(name: str) -> ImpactModel:
    """The law of that name.

    Raises
    ------
    SettingsError
        If there is none.
    """
    if name not in IMPACT_MODELS:
        raise SettingsError(f"impact_model must be one of {', '.join(IMPACT_MODELS)}; found '{name}'.")
    return IMPACT_MODELS[name]


def impact_slope(daily_volatility: Floats, daily_value: Floats, *, model: ImpactModel, coefficient: float = 1.0) -> Floats:
    """Impact per unit traded over the root of the order: ``impact = slope * sqrt(|order_value|)``.

    Parameters
    ----------
    daily_volatility : ndarray
        Volatility of a session. [fraction]
    daily_value : ndarray of the same shape
        Mean traded value per session. [currency]
    model : ImpactModel
        The law.
    coefficient : float, default 1
        Y, where the law does not fix it. [ratio]

    Returns
    -------
    ndarray
        Unknown where the volatility (if the law uses it) is, or where nothing trades. [1/sqrt(currency)]
    """
    value = np.asarray(daily_value, dtype=np.float64)
    root = np.sqrt(np.where(value > 0, value, np.nan))
    scale = coefficient if model.coefficient is None else model.coefficient
    return scale * np.asarray(daily_volatility, dtype=np.float64) / root if model.scales_with_volatility else scale / root


def square_root_impact(
    order_value: pd.Series[Any], daily_volatility: pd.Series[Any], daily_value: pd.Series[Any], *, coefficient: float = 1.0
) -> pd.Series[Any]:
    """Impact of the square-root law, as a fraction of the value traded.

    Parameters
    ----------
    order_value : Series of shape (n_assets,)
        Signed value to trade; buys are positive. [currency]
    daily_volatility, daily_value : Series of shape (n_assets,)
        Volatility [fraction] and mean traded value [currency] of a session, on the same index.
    coefficient : float, default 1
        Y: impact of an order as large as a session. [daily volatilities]

    Returns
    -------
    Series of shape (n_assets,)
        ``coefficient * daily_volatility * sqrt(|order_value| / daily_value)``; zero where nothing trades. [fraction]

    Raises
    ------
    DataError
        If an asset with an order has no positive `daily_value`.

    References
    ----------
    .. [1] B. Toth et al., "Anomalous price impact and the critical nature of liquidity in financial markets,"
       Phys. Rev. X 1, 021006, 2011. doi:10.1103/PhysRevX.1.021006
    .. [2] R. Almgren et al., "Direct estimation of equity market impact," Risk 18(7), 2005.

    Examples
    --------
    >>> order, volatility, value = pd.Series({"SPY": 1e6}), pd.Series({"SPY": 0.01}), pd.Series({"SPY": 1e8})
    >>> (square_root_impact(order, volatility, value) / BPS).round(6).to_dict()
    {'SPY': 10.0}
    """
    require_daily_value("square_root_impact", order_value, daily_value)
    impact = coefficient * daily_volatility * (order_value.abs() / daily_value) ** 0.5
    return impact.where(order_value != 0, 0.0)


def plan_clipped_impact(
    order_value: pd.Series[Any],
    daily_value: pd.Series[Any],
    *,
    coefficient: float = PLAN_COEFFICIENT,
    floor: float = 2 * BPS,
    cap: float = 50 * BPS,
) -> pd.Series[Any]:
    """Impact of the action plan's clipped formula, as a fraction of the value traded.

    Parameters
    ----------
    order_value : Series of shape (n_assets,)
        Signed value to trade; buys are positive. [currency]
    daily_value : Series of shape (n_assets,)
        Mean traded value per session, on the same index. [currency]
    coefficient, floor, cap : float, default 0.1, 2 bps and 50 bps
        Impact of an order as large as a session, and bounds on any trade. [fraction]

    Returns
    -------
    Series of shape (n_assets,)
        Impact, never negative; exactly zero where nothing trades. [fraction]

    Raises
    ------
    DataError
        If an asset with an order has no positive `daily_value`.

    Notes
    -----
    ``coefficient * sqrt(|order_value| / daily_value)``, clipped. With the defaults the cap binds once an order exceeds
    0.25 % of a session's value.

    Examples
    --------
    >>> order, session = pd.Series({"VAS.AX": 10_000.0}), pd.Series({"VAS.AX": 25e6})
    >>> (plan_clipped_impact(order, session) / BPS).round(6).to_dict()
    {'VAS.AX': 20.0}
    """
    require_daily_value("plan_clipped_impact", order_value, daily_value)
    impact = coefficient * (order_value.abs() / daily_value) ** 0.5
    return impact.clip(floor, cap).where(order_value != 0, 0.0)


def require_daily_value(what: str, order_value: pd.Series[Any], daily_value: pd.Series[Any]) -> None:
    """Refuse an order in a fund that does not trade."""
    unpriced = list(order_value.index[(order_value != 0) & ~(daily_value > 0)])
    if unpriced:
        raise DataError(
            f"{what} needs a positive daily_value for every order; {unpriced} have none. Screen them out in `universe` first."
        )
