"""What a trade costs: spread, impact and commission, by one formula for everybody who asks.

::

    cost = half_spread * |Q|  +  clip(slope * sqrt(|Q|), floor, cap) * |Q|  +  commission_rate * |Q|

An ETF's expense ratio is already in its price and is not charged again.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.costs.impact import impact_model, impact_slope, require_daily_value
from etf_pipeline.costs.parameters import CostParameters
from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats


class CostTerms(NamedTuple):
    """What the cost formula needs beside a fund's own half-spread and slope; numba takes it as it is."""

    commission_rate: float
    impact_floor: float
    impact_cap: float


def itemised_cost(order_value: Floats, half_spread: Floats, slope: Floats, terms: CostTerms) -> tuple[Floats, Floats, Floats]:
    """Spread, impact and commission of each order, in currency.

    Parameters
    ----------
    order_value : ndarray
        Signed value to trade. [currency]
    half_spread : ndarray of the same shape
        Half of the bid-ask spread. [fraction]
    slope : ndarray of the same shape
        As `TransactionCostModel.slope`. [1/sqrt(currency)]
    terms : CostTerms
        As `TransactionCostModel.terms`.

    Returns
    -------
    tuple of three ndarray
        Each zero where nothing trades, and unknown where its input is. [currency]
    """
    size = np.abs(np.asarray(order_value, dtype=np.float64))
    trades = size != 0
    impact = np.clip(slope * np.sqrt(size), terms.impact_floor, terms.impact_cap)
    return (
        np.where(trades, half_spread * size, 0.0),
        np.where(trades, impact * size, 0.0),
        np.where(trades, terms.commission_rate * size, 0.0),
    )


class TransactionCostModel:
    """Itemised cost of trades, and the coefficients of the same cost for an optimiser.

    Parameters
    ----------
    parameters : CostParameters
        Impact law, commission and spread.

    Raises
    ------
    SettingsError
        If the impact law is unknown.

    Examples
    --------
    >>> order = pd.Series({"SPY": -1e6})
    >>> costs = TransactionCostModel(CostParameters(commission_rate=0.0)).estimate(order, 0.00025, 0.01, 1e8)
    >>> costs.loc["SPY"].round(6).to_dict()
    {'spread': 250.0, 'impact': 1000.0, 'commission': 0.0, 'total': 1250.0}
    """

    def __init__(self, parameters: CostParameters) -> None:
        self.parameters = parameters
        self.impact = impact_model(parameters.impact_model)
        self.terms = CostTerms(parameters.commission_rate, self.impact.floor, self.impact.cap)

    def slope(self, daily_volatility: Floats, daily_value: Floats) -> Floats:
        """Impact per unit traded over the root of the order. [1/sqrt(currency)]"""
        return impact_slope(daily_volatility, daily_value, model=self.impact, coefficient=self.parameters.impact_coefficient)

    def estimate(
        self,
        order_value: pd.Series[Any],
        half_spread: pd.Series[Any] | float,
        daily_volatility: pd.Series[Any] | float,
        daily_value: pd.Series[Any] | float,
    ) -> pd.DataFrame:
        """Cost of each order, item by item.

        Parameters
        ----------
        order_value : Series of shape (n_orders,)
            Signed value to trade; buys are positive. [currency]
        half_spread, daily_volatility : Series of shape (n_orders,), or one number
            Half of the bid-ask spread, and volatility of a session, on the same index. [fraction]
        daily_value : Series of shape (n_orders,), or one number
            Mean traded value per session. [currency]

        Returns
        -------
        DataFrame of shape (n_orders, 4)
            `spread`, `impact`, `commission` and their sum `total`; zero where nothing trades. [currency]

        Raises
        ------
        DataError
            If an order has no positive `daily_value`, or no known half-spread or volatility.
        """
        index = order_value.index
        spread, volatility, value = (_on(index, x) for x in (half_spread, daily_volatility, daily_value))
        require_daily_value("TransactionCostModel.estimate", order_value, value)
        slope = self.slope(volatility.to_numpy(), value.to_numpy())
        items = itemised_cost(order_value.to_numpy(dtype=np.float64), spread.to_numpy(), slope, self.terms)
        frame = pd.DataFrame(dict(zip(("spread", "impact", "commission"), items, strict=True)), index=index)
        frame["total"] = frame["spread"] + frame["impact"] + frame["commission"]
        if frame["total"].isna().any():
            raise DataError(
                f"TransactionCostModel.estimate needs half_spread and daily_volatility of every order; "
                f"{list(index[frame['total'].isna()])} lack one. See `liquidity` in their sessions."
            )
        return frame

    def coefficients(self, half_spread: Floats, slope: Floats, portfolio_value: float) -> tuple[Floats, Floats]:
        """The cost of trading weights ``d``, as a fraction of the portfolio: ``linear @ |d| + power @ |d|**1.5``.

        The plan's floor and cap are left out: with them the cost would not be convex.

        Parameters
        ----------
        half_spread, slope : ndarray of shape (n_assets,)
            Per fund. [fraction], [1/sqrt(currency)]
        portfolio_value : float
            Net asset value. [currency]

        Returns
        -------
        linear, power : ndarray of shape (n_assets,)
            [fraction of the portfolio, per weight and per weight to the power 3/2]
        """
        return half_spread + self.parameters.commission_rate, slope * float(np.sqrt(portfolio_value))

    def fraction(self, order_value: float, half_spread: Floats, daily_volatility: Floats, daily_value: Floats) -> Floats:
        """Total cost of one order size in many funds, per unit traded; unknown where an input is. [fraction]"""
        slope = self.slope(daily_volatility, daily_value)
        orders = np.full(np.shape(half_spread), float(order_value))
        items = itemised_cost(orders, half_spread, slope, self.terms)
        return np.asarray(sum(items) / order_value, dtype=np.float64)


def daily(annual_volatility: Floats) -> Floats:
    """Volatility of a session from an annual one."""
    return np.asarray(annual_volatility / np.sqrt(SESSIONS_PER_YEAR), dtype=np.float64)


def _on(index: pd.Index[Any], values: pd.Series[Any] | float) -> pd.Series[Any]:
    if isinstance(values, pd.Series):
        return values.reindex(index).astype(float)
    return pd.Series(float(values), index=index)
