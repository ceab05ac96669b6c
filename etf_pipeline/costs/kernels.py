"""The cost formula of `model` for one trade, to be called inside a numba loop."""

from __future__ import annotations

import numpy as np
from numba import njit

from etf_pipeline.costs.model import CostTerms


@njit(cache=True)
def trade_cost(order_value: float, half_spread: float, slope: float, terms: CostTerms) -> tuple[float, float, float]:
    """Spread, impact and commission of one order, in currency: `model.itemised_cost` on scalars.

    Parameters
    ----------
    order_value : float
        Signed value to trade. [currency]
    half_spread : float
        Half of the bid-ask spread. [fraction]
    slope : float
        As `TransactionCostModel.slope`. [1/sqrt(currency)]
    terms : CostTerms
        As `TransactionCostModel.terms`.

    Returns
    -------
    tuple of three floats
        Zero if nothing trades, unknown where its input is. [currency]
    """
    if order_value == 0.0:
        return 0.0, 0.0, 0.0
    size = abs(order_value)
    impact = slope * np.sqrt(size)
    if impact < terms.impact_floor:
        impact = terms.impact_floor
    elif impact > terms.impact_cap:
        impact = terms.impact_cap
    return half_spread * size, impact * size, terms.commission_rate * size
