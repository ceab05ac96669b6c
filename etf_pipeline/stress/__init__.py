"""Stress room: what today's portfolios would lose.

`SCENARIOS` are dated, sourced windows of the past and shocks to factors. A window is replayed with the current weights, fund by
fund, with a stated proxy where a fund did not exist; where history does not hold it, its shocks act through loadings and
durations, and drag other factors along as they do in crises. `SIMULATIONS` and a t copula draw losses and say how exact their
tails are. `reverse_stress` asks the other way: which move is the likeliest to lose so much? `run_stress` does all of it for every
strategy, with people's own scenarios (`check_scenario`); `var_backtests` holds daily risk forecasts against what came.
"""

from __future__ import annotations

from etf_pipeline.stress.copula import Copula
from etf_pipeline.stress.factor_shock import FactorShock, apply_shocks
from etf_pipeline.stress.factors import FactorMarket
from etf_pipeline.stress.loadings import Loadings
from etf_pipeline.stress.monte_carlo import SIMULATIONS, tail_loss
from etf_pipeline.stress.parameters import StressParameters
from etf_pipeline.stress.replay import replay
from etf_pipeline.stress.reverse import reverse_stress
from etf_pipeline.stress.scenarios import SCENARIOS, Scenario
from etf_pipeline.stress.shocks import FACTORS, Shock
from etf_pipeline.stress.tester import FactorInputs, Stressed, StressTester, run_stress
from etf_pipeline.stress.user_scenarios import check_scenario, scenario_rows, scenarios_of
from etf_pipeline.stress.var_backtest import VarBacktestParameters, var_backtests

__all__ = [
    "FACTORS",
    "SCENARIOS",
    "SIMULATIONS",
    "Copula",
    "FactorInputs",
    "FactorMarket",
    "FactorShock",
    "Loadings",
    "Scenario",
    "Shock",
    "StressParameters",
    "StressTester",
    "Stressed",
    "VarBacktestParameters",
    "apply_shocks",
    "check_scenario",
    "replay",
    "reverse_stress",
    "run_stress",
    "scenario_rows",
    "scenarios_of",
    "tail_loss",
    "var_backtests",
]
