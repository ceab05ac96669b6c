"""Costs room: what does trading each fund cost?

One function answers for the optimiser, the backtest, execution and post-trade analysis: half-spread and commission in
proportion to the value traded, and market impact that grows with its power 3/2; foreign exchange where
currencies differ. `spread` guesses the half-spread from
point-in-time liquidity, `impact` holds the impact laws, `model` adds everything up, `kernels` says the same inside a numba
loop, and `liquidity` makes the table of inputs per fund and session. `spread_estimators` reads spreads out of daily bars, and
says how small a one it could have seen; `spread_estimates` puts them beside the spread that is charged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etf_pipeline.costs.impact import IMPACT_MODELS, ImpactModel, impact_slope, plan_clipped_impact, square_root_impact
from etf_pipeline.costs.liquidity import liquidity
from etf_pipeline.costs.model import CostTerms, TransactionCostModel, itemised_cost
from etf_pipeline.costs.parameters import COST_PRESETS, CostParameters, SpreadParameters, cost_preset
from etf_pipeline.costs.spread import half_spread
from etf_pipeline.costs.spread_estimates import spread_estimates
from etf_pipeline.costs.spread_estimators import SPREAD_ESTIMATORS, SpreadEstimate, abdi_ranaldo, corwin_schultz, edge

if TYPE_CHECKING:
    from etf_pipeline.costs.kernels import trade_cost

__all__ = [
    "COST_PRESETS",
    "IMPACT_MODELS",
    "SPREAD_ESTIMATORS",
    "CostParameters",
    "CostTerms",
    "ImpactModel",
    "SpreadEstimate",
    "SpreadParameters",
    "TransactionCostModel",
    "abdi_ranaldo",
    "corwin_schultz",
    "cost_preset",
    "edge",
    "half_spread",
    "impact_slope",
    "itemised_cost",
    "liquidity",
    "plan_clipped_impact",
    "spread_estimates",
    "square_root_impact",
    "trade_cost",
]


def __getattr__(name: str) -> Any:
    # numba costs half a second to import: only the backtest's loop pays it
    if name == "trade_cost":
        from etf_pipeline.costs.kernels import trade_cost

        return trade_cost
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
