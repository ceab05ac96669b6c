"""Settings of the costs room."""

from __future__ import annotations

from dataclasses import dataclass

from etf_pipeline.conventions import BPS


@dataclass(frozen=True)
class CostParameters:
    """How trades are priced.

    Attributes
    ----------
    base_spread : float
        Full bid-ask spread of the most liquid member: the action plan's 5 bp for a liquid ETF. [fraction]
    least_liquid_multiple : float
        Spread of the least liquid member over `base_spread`; in between the multiple is linear in the Amihud rank. [ratio]
    impact_model : str
        ``square_root`` (default), or one of the action plan's formulas, ``plan_clipped`` and ``plan_volatility``.
    impact_coefficient : float
        Y of the square-root law: the impact, in daily volatilities, of an order as large as a session. About 1 in
        the literature; refit it from fills. The plan's formulas carry their own 0.1. [ratio]
    commission_rate : float
        Broker's commission: about a third of a cent per share at a price of 70. [fraction of value traded]
    window : int
        Sessions of the mean traded value and of the Amihud measure. [sessions]
    reference_order : float
        Order behind `reference_cost`. [listing currency]
    """

    base_spread: float = 5 * BPS
    least_liquid_multiple: float = 4.0
    impact_model: str = "square_root"
    impact_coefficient: float = 1.0
    commission_rate: float = 0.5 * BPS
    window: int = 20
    reference_order: float = 100_000.0
