"""Backtest room: what would it have earned?"""

import pandas as pd

from etf_pipeline.backtest import (
    BacktestParameters,
    CapacityParameters,
    RegimePerformanceParameters,
    SurvivorshipParameters,
)
from etf_pipeline.recipes import makes


@makes("backtest_ledger", "backtest_positions", "backtest_trades", "drawdowns")
def backtest(
    target_weights: pd.DataFrame,
    fct_prices: pd.DataFrame,
    fct_actions: pd.DataFrame,
    liquidity: pd.DataFrame,
    fct_macro: pd.DataFrame,
    raw_flows: pd.DataFrame,
    rebalance_decisions: pd.DataFrame,
    parameters: BacktestParameters,
) -> tuple[pd.DataFrame, ...]:
    """Fills at the next open, dividends accrued and paid, costs itemised, forced exits; beside equal weight and the market."""
    from etf_pipeline.backtest import Backtester
    from etf_pipeline.portfolio import ledger_money, traded_weights

    orders = traded_weights(target_weights, rebalance_decisions)
    counted = rebalance_decisions[rebalance_decisions["session"] >= pd.Timestamp(parameters.start or "1900-01-01")]
    money = ledger_money(counted, raw_flows, fct_macro, parameters.base_currency)
    made = Backtester(parameters).kept(orders, fct_prices, fct_actions, liquidity, fct_macro, money.flows, money.values)
    return made.ledger, made.positions, made.trades, made.drawdowns


@makes(
    "performance",
    reads={
        "fct_returns": ("session", "ticker", "index_close", "index_open"),
        "fct_macro": ("session", "series", "value"),
    },
)
def performance(
    backtest_ledger: pd.DataFrame, fct_returns: pd.DataFrame, fct_macro: pd.DataFrame, parameters: BacktestParameters
) -> pd.DataFrame:
    """Every measure of every strategy with its interval; differences of Sharpe ratios by the test of Ledoit and Wolf."""
    from etf_pipeline.backtest import performance as measured

    return measured(backtest_ledger, fct_returns, fct_macro, parameters)


@makes("survivorship", "survivorship_endings")
def survivorship(
    universe_membership: pd.DataFrame,
    features: pd.DataFrame,
    fct_prices: pd.DataFrame,
    fct_actions: pd.DataFrame,
    liquidity: pd.DataFrame,
    fct_macro: pd.DataFrame,
    dim_etf: pd.DataFrame,
    parameters: SurvivorshipParameters,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All funds against those that lasted, by the same rules and ledger: what a study on today's funds would add."""
    from etf_pipeline.backtest import survivorship as study

    return study(universe_membership, features, fct_prices, fct_actions, liquidity, fct_macro, dim_etf, parameters)


@makes(
    "capacity",
    "break_even",
    reads={"liquidity": ("session", "ticker", "daily_value"), "fct_macro": ("session", "series", "value")},
)
def capacity(
    backtest_ledger: pd.DataFrame,
    backtest_trades: pd.DataFrame,
    liquidity: pd.DataFrame,
    performance: pd.DataFrame,
    fct_macro: pd.DataFrame,
    parameters: CapacityParameters,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Net growth over portfolio values by the square-root law, and how wrong costs may be before the edge is gone."""
    from etf_pipeline.backtest import capacity as study

    return study(backtest_ledger, backtest_trades, liquidity, performance, fct_macro, parameters)


@makes("performance_by_regime", reads={"fct_macro": ("session", "series", "value"), "regimes": ("session", "regime")})
def performance_by_regime(
    backtest_ledger: pd.DataFrame,
    performance: pd.DataFrame,
    regimes: pd.DataFrame,
    fct_macro: pd.DataFrame,
    parameters: RegimePerformanceParameters,
) -> pd.DataFrame:
    """Return, risk and drawdown within each market state as it was known at the close before, with intervals."""
    from etf_pipeline.backtest import performance_by_regime as study

    return study(backtest_ledger, performance, regimes, fct_macro, parameters)
