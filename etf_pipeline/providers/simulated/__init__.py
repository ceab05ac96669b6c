"""The embedded market: a seeded simulation over real exchange sessions, with a known truth to judge every estimate by.

A factor model (`factors`) with dated crises (`history`) drives indices (`indices`) that funds track (`funds`, `world`). Their
total returns become bars, distributions and splits (`listings`, `actions`), and macro series follow the same factors (`macro`).
`SimulatedMarket.fetch` delivers the raw tables, always labelled as simulated; `SimulatedMarket.truth` tells what nobody sees.
"""

from etf_pipeline.providers.simulated.market import PROFILES, SimulatedMarket
from etf_pipeline.providers.simulated.truth import MarketTruth, Predictability

__all__ = ["PROFILES", "MarketTruth", "Predictability", "SimulatedMarket"]
