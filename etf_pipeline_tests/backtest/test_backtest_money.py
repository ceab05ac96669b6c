"""What a ledger begins with, and money that is told in another currency: the ledger pays what the optimiser was charged."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from backtest_world import PLAIN, actions_frame
from test_backtest_orders_and_flows import two_funds

from etf_pipeline.backtest import Backtester, BacktestParameters
from etf_pipeline.portfolio import ledger_money

DAYS = pd.bdate_range("2024-01-01", periods=10)


def decisions() -> pd.DataFrame:
    frame = pd.DataFrame({"strategy": ["a", "a", "b"], "session": DAYS[[1, 5, 3]], "base_currency": ["AUD", "AUD", "USD"]})
    return frame.assign(portfolio_value=[2e7, 9.0, 1e6], fx_rate=[0.7, 0.9, 1.0])


def test_ledgers_begin_with_the_value_of_the_first_decision_and_flows_are_converted_on_their_day() -> None:
    macro = pd.DataFrame({"session": DAYS, "series": "AUDUSD", "value": np.linspace(0.5, 0.95, 10)})
    flows = pd.DataFrame({"strategy": ["a", "a", "b", "b"], "date": DAYS[[1, 4, 2, 6]], "amount": [5.0, 100.0, 7.0, -8.0]})
    money = ledger_money(decisions(), flows, macro, "USD")
    assert money.values == pytest.approx({"a": 1.4e7, "b": 1e6})
    assert money.flows["amount"].tolist() == pytest.approx([70.0, -8.0])  # those up to the first decision are part of its value
    assert money.flows["strategy"].tolist() == ["a", "b"]
    empty = ledger_money(decisions(), flows.iloc[:0], macro.iloc[:0], "USD")
    assert empty.flows.empty


def test_a_ledger_that_begins_with_sixteen_times_the_money_pays_four_times_the_impact_per_unit() -> None:
    made = two_funds()
    weights = pd.DataFrame(made.weights, columns=["session", "ticker", "weight"])
    weights = weights.assign(session=made.sessions[weights["session"]], strategy="s")
    liquidity = made.prices()[["session", "ticker"]].assign(half_spread=2e-4, daily_volatility=0.01, daily_value=1e9)
    backtester = Backtester(BacktestParameters(**{**PLAIN, "impact_coefficient": 1.0}))
    per_unit = {}
    for value in (1e6, 16e6):
        kept = backtester.kept(weights, made.prices(), actions_frame([]), liquidity, made.macro(), None, {"s": value})
        assert kept.ledger["nav"].iloc[0] == value
        per_unit[value] = kept.trades["impact_cost"].sum() / kept.trades["value"].abs().sum()
    assert per_unit[1e6] == pytest.approx(0.01 * np.sqrt(5e5 / 1e9), rel=1e-3)
    assert per_unit[16e6] / per_unit[1e6] == pytest.approx(4.0, rel=1e-3)
