"""What a trade costs: spread, impact, commission and foreign exchange, by one formula for everybody who asks.

::

    cost = half_spread * |Q|  +  clip(slope * sqrt(|Q|), floor, cap) * |Q|  +  commission_rate * |Q|  +  fx_rate * |Q|

The last item is charged where a fund is priced in another currency than the portfolio. A ledger of the backtest holds one
currency and refuses any other fund, so that its kernel has no such item. An ETF's expense ratio is already in its price and is
not charged again.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.costs.impact import impact_model, impact_slope, require_daily_value
from etf_pipeline.costs.parameters import CostParameters
from etf_pipeline.errors import DataError, SettingsError
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
    {'spread': 250.0, 'impact': 1000.0, 'commission': 0.0, 'fx': 0.0, 'total': 1250.0}
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
        foreign: pd.Series[Any] | bool = False,
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
        foreign : Series of shape (n_orders,), or one flag, default False
            Whether the fund is priced in another currency than the portfolio; all values are in the portfolio's.

        Returns
        -------
        DataFrame of shape (n_orders, 5)
            `spread`, `impact`, `commission`, `fx` and their sum `total`; zero where nothing trades. [currency]

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
        frame["fx"] = self._fx_rate(_on(index, foreign).to_numpy()) * order_value.abs().to_numpy(dtype=np.float64)
        frame["total"] = frame["spread"] + frame["impact"] + frame["commission"] + frame["fx"]
        if frame["total"].isna().any():
            raise DataError(
                f"TransactionCostModel.estimate needs half_spread and daily_volatility of every order; "
                f"{list(index[frame['total'].isna()])} lack one. See `liquidity` in their sessions."
            )
        return frame

    def scaled(self, costs: pd.DataFrame, factor: float) -> pd.DataFrame:
        """Costs of the same trades in a portfolio `factor` times as large.

        Parameters
        ----------
        costs : DataFrame
            As `estimate` gives them; unchanged.
        factor : float
            Size of the other portfolio over this one, whose weights it shares.

        Returns
        -------
        DataFrame of the same shape
            Spread, commission and foreign exchange grow in proportion, impact with the power 3/2: per unit of portfolio value
            the impact grows with ``sqrt(factor)``. [currency]

        Raises
        ------
        SettingsError
            If the impact law has a floor or cap: a bounded impact does not say what it would be at another size.
        DataError
            If the factor is not positive.

        Examples
        --------
        >>> model = TransactionCostModel(CostParameters())
        >>> order = pd.Series({"SPY": 1e6})
        >>> costs = model.estimate(order, 0.00025, 0.01, 1e8)
        >>> model.scaled(costs, 4.0).loc["SPY"].round(6).to_dict()
        {'spread': 1000.0, 'impact': 8000.0, 'commission': 200.0, 'fx': 0.0, 'total': 9200.0}
        """
        if not factor > 0.0:
            raise DataError(f"TransactionCostModel.scaled needs a positive factor; found {factor}.")
        if self.impact.floor > 0.0 or np.isfinite(self.impact.cap):
            raise SettingsError(
                f"impact of '{self.parameters.impact_model}' is bounded and cannot be scaled. Estimate the larger orders anew."
            )
        out = costs[["spread", "impact", "commission", "fx"]] * factor
        out["impact"] = out["impact"] * float(np.sqrt(factor))
        out["total"] = out["spread"] + out["impact"] + out["commission"] + out["fx"]
        return out

    def coefficients(
        self, half_spread: Floats, slope: Floats, portfolio_value: float, foreign: Floats | bool = False
    ) -> tuple[Floats, Floats]:
        """The cost of trading weights ``d``, as a fraction of the portfolio: ``linear @ |d| + power @ |d|**1.5``.

        The plan's floor and cap are left out: with them the cost would not be convex.

        Parameters
        ----------
        half_spread, slope : ndarray of shape (n_assets,)
            Per fund. [fraction], [1/sqrt(currency)]
        portfolio_value : float
            Net asset value. [currency]
        foreign : ndarray of shape (n_assets,) of flags, or one flag, default False
            Whether each fund is priced in another currency than the portfolio.

        Returns
        -------
        linear, power : ndarray of shape (n_assets,)
            [fraction of the portfolio, per weight and per weight to the power 3/2]
        """
        linear = half_spread + self.parameters.commission_rate + self._fx_rate(np.asarray(foreign))
        return np.asarray(linear, dtype=np.float64), slope * float(np.sqrt(portfolio_value))

    def fraction(self, order_value: float, half_spread: Floats, daily_volatility: Floats, daily_value: Floats) -> Floats:
        """Total cost of one order size in many funds, per unit traded; unknown where an input is. [fraction]"""
        slope = self.slope(daily_volatility, daily_value)
        orders = np.full(np.shape(half_spread), float(order_value))
        items = itemised_cost(orders, half_spread, slope, self.terms)
        return np.asarray(sum(items) / order_value, dtype=np.float64)

    def _fx_rate(self, foreign: Any) -> Floats:
        return self.parameters.fx_rate * np.asarray(foreign, dtype=np.float64)


def daily(annual_volatility: Floats) -> Floats:
    """Volatility of a session from an annual one."""
    return np.asarray(annual_volatility / np.sqrt(SESSIONS_PER_YEAR), dtype=np.float64)


def _on(index: pd.Index[Any], values: pd.Series[Any] | float) -> pd.Series[Any]:
    if isinstance(values, pd.Series):
        return values.reindex(index).astype(float)
    return pd.Series(float(values), index=index)
