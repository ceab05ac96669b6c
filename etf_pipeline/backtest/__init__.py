"""Backtest room: what the weights would have earned, to the cent, and what one may conclude from it.

`run_backtest` folds decided weights over prices into a daily ledger per strategy, before and after costs, whose identity
(net asset value = cash + receivables + shares times price) is computed twice and compared every session. `arrays`, `book`,
`funding`, `orders` and `fold` are the arithmetic on arrays; `market` and `plans` turn tables into arrays, `ledger` and
`drawdowns` turn the result into tables, `study` and `performance` measure them. `survivorship` folds the same rules over all
funds and over those that lasted, and `endings` says what became of the others. `capacity` reprices the trades at other portfolio
values and finds the costs that would eat the edge, `by_regime` splits the results by market state.
"""

from __future__ import annotations

from etf_pipeline.backtest.by_regime import RegimePerformanceParameters, performance_by_regime
from etf_pipeline.backtest.capacity import CapacityParameters, capacity
from etf_pipeline.backtest.engine import Backtester, BacktestResult, run_backtest
from etf_pipeline.backtest.parameters import BacktestParameters, SurvivorshipParameters
from etf_pipeline.backtest.study import performance
from etf_pipeline.backtest.survivorship import survivorship

__all__ = [
    "BacktestParameters",
    "BacktestResult",
    "Backtester",
    "CapacityParameters",
    "RegimePerformanceParameters",
    "SurvivorshipParameters",
    "capacity",
    "performance",
    "performance_by_regime",
    "run_backtest",
    "survivorship",
]
