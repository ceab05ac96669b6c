"""Beta: how far each fund moves when its market, or one of a few tradable factors, does, and whether that is one number.

`table` gives the daily rolling, exponentially weighted and shrunk betas, `conditional` tests whether beta rises with fear,
`factors` holds each fund against several factors at once, `stability` tests whether the line has moved. `pairing` puts funds and
market on one grid of sessions first.
"""

from __future__ import annotations

from etf_pipeline.risk.beta.conditional import ConditionalBetaParameters, conditional_betas
from etf_pipeline.risk.beta.factors import MultiFactorParameters, multi_factor_betas
from etf_pipeline.risk.beta.stability import BetaStabilityParameters, beta_stability
from etf_pipeline.risk.beta.table import BetaParameters, betas

__all__ = [
    "BetaParameters",
    "BetaStabilityParameters",
    "ConditionalBetaParameters",
    "MultiFactorParameters",
    "beta_stability",
    "betas",
    "conditional_betas",
    "multi_factor_betas",
]
