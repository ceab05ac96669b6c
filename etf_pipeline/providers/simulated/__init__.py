"""The embedded market: a seeded simulation over real exchange sessions, with a known truth to judge every estimate by.

A factor model (`factors`) with dated crises (`history`) drives indices (`indices`) that funds track (`funds`, `cohort`, `world`).
Their total returns become bars, distributions and splits (`listings`, `actions`) under the tickers of the day (`names`), and
macro series follow the same factors (`macro`). Short-lived funds close when they lose and stay small (`fates`, `survival`).
`SimulatedMarket.fetch` delivers the raw tables, always labelled as simulated, in one of the vendor's `editions`, with `faults` if
wanted; `SimulatedMarket.truth` tells what nobody sees. `LargeMarket` makes thousands of funds for measuring ingestion (`scale`).
"""

from etf_pipeline.providers.simulated.editions import restate_market
from etf_pipeline.providers.simulated.market import PROFILES, SimulatedMarket
from etf_pipeline.providers.simulated.scale import LargeMarket
from etf_pipeline.providers.simulated.survival import Survival
from etf_pipeline.providers.simulated.truth import MarketTruth, Predictability

__all__ = ["PROFILES", "LargeMarket", "MarketTruth", "Predictability", "SimulatedMarket", "Survival", "restate_market"]
