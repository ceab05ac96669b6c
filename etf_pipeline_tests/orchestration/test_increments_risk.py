"""Nights of the risk room equal making everything, to the bit: months' ends, a year's end, and a fund that has closed."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from test_increments import night_of, only_since, until

from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.providers import RawMarket
from etf_pipeline.providers.simulated import SimulatedMarket
from etf_pipeline.recipes import RECIPES
from etf_pipeline.warehouse import Warehouse

STEPS = [
    "garch_fits", "volatility_outcomes", "volatility_weights", "volatilities", "volatility_evaluation", "covariances",
    "covariance_stability", "covariance_tests", "factor_exposures", "style_drift", "betas", "conditional_betas",
    "multi_factor_betas", "beta_stability",
]  # fmt: skip
"""Recipes of the room but those that need weights, in order."""
NIGHTS = ["2022-12-28", "2022-12-30", "2023-01-03", "2023-01-04"]
"""An ordinary night, a year's end, and the nights after it."""


def risk_night(store: TableStore, run_id: str, market: RawMarket) -> dict[str, str]:
    """A night of the rooms before, then of risk; how each step was done."""
    night_of(store, f"{run_id} market", market)
    store.open_run(run_id, {})
    how = {}
    for name in STEPS:
        outcome = store.materialise(RECIPES[name], run_id)
        how[name] = "reused" if outcome.reused else "extended" if outcome.since else "whole"
    store.warehouse.finish_run(run_id, succeeded=True)
    return how


@pytest.fixture(scope="module")
def market() -> RawMarket:
    """A market in which one fund closes before the nights."""
    whole = SimulatedMarket.for_profile("demo").fetch()
    prices = whole.prices
    closed = (prices["ticker"] == sorted(set(prices["ticker"]) - {"SPY"})[0]) & (prices["session"] > "2020-06-30")
    return replace(whole, prices=prices[~closed])


def test_a_night_of_risk_extends_and_equals_making_everything(market, tmp_path):
    nightly, at_once = TableStore(Warehouse(tmp_path / "nightly")), TableStore(Warehouse(tmp_path / "at once"))
    hows = []
    for i, night in enumerate(NIGHTS):
        brought = until(market, night)
        brought = only_since(brought, pd.Timestamp(NIGHTS[i - 1]) - pd.Timedelta(days=7)) if i else brought
        hows.append(risk_night(nightly, f"night {i}", brought))
    risk_night(at_once, "all", until(market, NIGHTS[-1]))
    outputs = [name for step in STEPS for name in RECIPES[step].outputs]
    hashes = [{name: store.warehouse.content_hash("risk", name) for name in outputs} for store in (nightly, at_once)]
    assert [name for name in outputs if hashes[0][name] != hashes[1][name]] == []
    year_end, last = hows[1], hows[-1]
    assert year_end["garch_fits"] == "extended"
    extended = ["volatilities", "betas", "factor_exposures", "covariances", "style_drift"]
    assert {name: last[name] for name in extended} == dict.fromkeys(extended, "extended")
