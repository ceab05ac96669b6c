"""Stress room: what today's portfolios would lose.

`SCENARIOS` are dated, sourced windows of the past through which the current weights are replayed, fund by fund, with a
stated proxy where a fund did not exist; `SIMULATIONS` draw losses from four models of chance and say how exact their tails
are. `run_stress` does both for every strategy.
"""

from __future__ import annotations

from etf_pipeline.stress.monte_carlo import SIMULATIONS, tail_loss
from etf_pipeline.stress.parameters import StressParameters
from etf_pipeline.stress.replay import replay
from etf_pipeline.stress.scenarios import SCENARIOS, Scenario
from etf_pipeline.stress.tester import StressTester, run_stress

__all__ = ["SCENARIOS", "SIMULATIONS", "Scenario", "StressParameters", "StressTester", "replay", "run_stress", "tail_loss"]
