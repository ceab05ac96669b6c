"""The cost of a trade: by hand, as properties, and beside cvxportfolio."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etf_pipeline.conventions import BPS
from etf_pipeline.costs import (
    COST_PRESETS,
    IMPACT_MODELS,
    CostParameters,
    TransactionCostModel,
    cost_preset,
    half_spread,
    itemised_cost,
    plan_clipped_impact,
    square_root_impact,
    trade_cost,
)
from etf_pipeline.errors import DataError, SettingsError

approx = pytest.approx
MODEL = TransactionCostModel(CostParameters())
orders = st.floats(-1e9, 1e9).filter(lambda x: x == 0 or abs(x) > 1e-3)
spreads = st.floats(0, 0.01)
slopes = st.floats(0, 1e-3)


def total(order: float, spread: float = 2.5 * BPS, volatility: float = 0.01, value: float = 1e8, model=MODEL) -> float:
    return float(model.estimate(pd.Series({"SPY": order}), spread, volatility, value)["total"].iloc[0])


def test_a_million_in_a_fund_that_trades_a_hundred_pays_what_the_formula_says():
    # 2.5 bp of spread is 250; 1 % times sqrt(1/100) is 10 bp or 1,000; half a bp of commission is 50
    row = MODEL.estimate(pd.Series({"SPY": 1e6}), 2.5 * BPS, 0.01, 1e8).loc["SPY"]
    assert row.to_dict() == approx({"spread": 250.0, "impact": 1000.0, "commission": 50.0, "fx": 0.0, "total": 1300.0})


def test_quadrupling_an_order_costs_eight_times_the_impact():
    one, four = (MODEL.estimate(pd.Series({"SPY": q}), 0.0, 0.01, 1e8)["impact"].iloc[0] for q in (1e6, 4e6))
    assert four == approx(8 * one)


@settings(deadline=None)
@given(a=orders, b=orders, share=st.floats(0, 1), spread=spreads, volatility=st.floats(0, 0.1))
def test_the_cost_is_convex_in_the_order(a, b, share, spread, volatility):
    between = total(share * a + (1 - share) * b, spread, volatility)
    chord = share * total(a, spread, volatility) + (1 - share) * total(b, spread, volatility)
    assert between <= chord + 1e-12 * max(abs(chord), 1.0)


@pytest.mark.parametrize("name", IMPACT_MODELS)
@settings(deadline=None)
@given(order=orders, factor=st.floats(1, 100))
def test_a_larger_order_never_costs_less_and_selling_costs_what_buying_does(name, order, factor):
    model = TransactionCostModel(CostParameters(impact_model=name))
    assert total(factor * order, model=model) >= total(order, model=model) >= 0
    assert total(-order, model=model) == total(order, model=model)


@pytest.mark.parametrize("name", IMPACT_MODELS)
def test_no_trade_costs_exactly_nothing_even_in_a_fund_nobody_trades(name):
    model = TransactionCostModel(CostParameters(impact_model=name))
    assert (model.estimate(pd.Series({"DEAD": 0.0}), np.nan, np.nan, np.nan) == 0).all(axis=None)


@pytest.mark.parametrize("name", IMPACT_MODELS)
@settings(max_examples=50, deadline=None)
@given(data=st.lists(st.tuples(orders, spreads, slopes), min_size=1, max_size=20))
def test_the_kernel_of_the_backtest_equals_the_frame_to_a_rounding(name, data):
    terms = TransactionCostModel(CostParameters(impact_model=name)).terms
    q, h, s = (np.array(x) for x in zip(*data, strict=True))
    items = np.column_stack(itemised_cost(q, h, s, terms))
    kernel = np.array([trade_cost(*row, terms) for row in data])
    np.testing.assert_allclose(kernel, items, rtol=1e-12, atol=0)


def test_an_unknown_input_makes_the_kernel_s_cost_unknown_not_zero():
    assert np.isnan(trade_cost(1.0, np.nan, 1e-6, MODEL.terms)[0])
    assert np.isnan(trade_cost(1.0, 1e-4, np.nan, MODEL.terms)[1])
    assert trade_cost(0.0, np.nan, np.nan, MODEL.terms) == (0.0, 0.0, 0.0)


def test_foreign_exchange_is_charged_only_where_currencies_differ():
    order = pd.Series({"SPY": 1e6, "VAS.AX": -2e6})
    costs = MODEL.estimate(order, 2.5 * BPS, 0.01, 1e8, foreign=pd.Series({"SPY": False, "VAS.AX": True}))
    assert costs["fx"].tolist() == approx([0.0, 200.0])  # one basis point of two million
    np.testing.assert_allclose(costs["total"], costs[["spread", "impact", "commission", "fx"]].sum(axis=1), rtol=1e-15)


portfolios = st.lists(
    st.tuples(st.floats(-0.5, 0.5), spreads, st.floats(1e-4, 0.1), st.floats(1e5, 1e10), st.booleans()), min_size=1, max_size=12
)


@pytest.mark.parametrize("name", ["square_root", "plan_volatility"])
@settings(max_examples=50, deadline=None)
@given(data=portfolios, nav=st.floats(1e4, 1e9))
def test_optimiser_kernel_and_model_charge_a_portfolio_the_same(name, data, nav):
    model = TransactionCostModel(CostParameters(impact_model=name))
    d, spread, volatility, value, foreign = (np.array(x) for x in zip(*data, strict=True))
    slope = model.slope(volatility, value)
    linear, power = model.coefficients(spread, slope, nav, foreign)
    optimiser = nav * (linear @ np.abs(d) + power @ np.abs(d) ** 1.5)
    frame = model.estimate(*(pd.Series(x) for x in (nav * d, spread, volatility, value)), foreign=pd.Series(foreign))
    kernel = sum(sum(trade_cost(nav * x, h, s, model.terms)) for x, h, s in zip(d, spread, slope, strict=True))
    kernel += float(np.sum(model.parameters.fx_rate * nav * np.abs(d[foreign])))
    assert optimiser == approx(frame["total"].sum(), rel=1e-12, abs=1e-280)
    assert kernel == approx(frame["total"].sum(), rel=1e-12, abs=1e-280)


@settings(deadline=None)
@given(order=orders.filter(lambda x: x != 0), factor=st.floats(0.01, 100))
def test_scaled_costs_are_those_of_the_scaled_orders(order, factor):
    args = 4 * BPS, 0.012, 3e7, True
    found = MODEL.scaled(MODEL.estimate(pd.Series({"A": order}), *args), factor)
    expected = MODEL.estimate(pd.Series({"A": factor * order}), *args)
    np.testing.assert_allclose(found.to_numpy(), expected[list(found)].to_numpy(), rtol=1e-12)


def test_a_bounded_impact_is_not_scaled():
    model = TransactionCostModel(COST_PRESETS["plan_clipped"])
    with pytest.raises(SettingsError, match="Estimate the larger orders anew"):
        model.scaled(model.estimate(pd.Series({"A": 1e6}), 1e-4, 0.01, 1e8), 2.0)
    with pytest.raises(DataError, match="positive factor; found 0"):
        MODEL.scaled(MODEL.estimate(pd.Series({"A": 1e6}), 1e-4, 0.01, 1e8), 0.0)


def test_presets_are_found_by_name_and_the_free_one_charges_nothing():
    free = cost_preset("free")
    charged = TransactionCostModel(free).estimate(
        pd.Series({"A": 1e6}), half_spread(np.array([0.5]), base_spread=0.0)[0], 0.01, 1e8
    )
    assert charged["total"].iloc[0] == 0.0
    with pytest.raises(SettingsError, match=r"square_root, plan_clipped, .* found 'cheap'"):
        cost_preset("cheap")
    with pytest.raises(SettingsError, match="not negative"):
        CostParameters(commission_rate=-1e-4)


@settings(deadline=None)
@given(d=st.floats(-1, 1), nav=st.floats(1e4, 1e9))
def test_the_optimiser_s_coefficients_price_a_trade_as_the_estimate_does(d, nav):
    slope = MODEL.slope(np.array([0.012]), np.array([3e7]))
    linear, power = MODEL.coefficients(np.array([4 * BPS]), slope, nav)
    assert nav * float(linear[0] * abs(d) + power[0] * abs(d) ** 1.5) == approx(
        total(nav * d, 4 * BPS, 0.012, 3e7), rel=1e-12, abs=1e-290
    )


def test_equals_cvxportfolio_on_the_same_inputs():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import cvxpy as cp
        from cvxportfolio.costs import TransactionCost
    rng = np.random.default_rng(3)
    n, nav = 12, 25e6
    spread, volatility, volume = rng.uniform(1e-4, 1e-3, n), rng.uniform(0.003, 0.03, n), rng.uniform(1e6, 1e9, n)
    trades = rng.normal(0, 0.1, n) * (rng.random(n) > 0.2)
    peer = TransactionCost(a=0.0, b=1.0, volume_hat=pd.Series(volume), sigma=pd.Series(volatility))
    universe = pd.Index([*range(n), "cash"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer.initialize_estimator(universe=universe)
    # the peer's own formula, fed with our numbers in place of its forecasters
    peer._first_term_multiplier.value = spread
    for estimator, value in ((peer.b, 1.0), (peer.sigma, volatility), (peer.market_volumes, volume), (peer.a, spread)):
        estimator._current_value = value
    peer.values_in_time(current_portfolio_value=nav)
    z = cp.Variable(n + 1)
    expression = peer.compile_to_cvxpy(z)
    z.value = np.append(trades, -trades.sum())
    model = TransactionCostModel(CostParameters(commission_rate=0.0))
    ours = model.estimate(pd.Series(nav * trades), *(pd.Series(x) for x in (spread, volatility, volume)))
    assert ours["total"].sum() / nav == approx(float(expression.value), rel=1e-10)


def test_the_plan_s_two_formulas_differ_by_the_daily_volatility():
    clipped, scaled = (
        TransactionCostModel(CostParameters(impact_model=name, commission_rate=0.0))
        for name in ("plan_clipped", "plan_volatility")
    )
    # an order of 0.01 % of a session: 0.1 * sqrt(1e-4) is 10 bp; times a volatility of 1 % it is 0.1 bp
    assert total(1e4, 0.0, 0.01, 1e8, clipped) == approx(1e4 * 10 * BPS)
    assert total(1e4, 0.0, 0.01, 1e8, scaled) == approx(1e4 * 0.1 * BPS)


def test_the_plan_s_cap_binds_from_a_quarter_percent_of_a_session_and_its_floor_below_four_parts_in_a_million():
    def impact(order: float) -> float:
        return float(plan_clipped_impact(pd.Series({"A": order}), pd.Series({"A": 25e6})).iloc[0])

    assert impact(62_500) == approx(50 * BPS) == impact(6_250_000)
    assert impact(10) == approx(2 * BPS)
    assert impact(0) == 0


def test_the_half_spread_runs_from_the_base_to_its_multiple_and_stays_unknown_where_the_rank_is():
    assert half_spread(np.array([0.0, 1.0])).tolist() == approx([2.5 * BPS, 10 * BPS])
    assert np.isnan(half_spread(np.array([np.nan]))).all()


def test_an_order_without_traded_value_is_refused_by_name():
    with pytest.raises(DataError, match=r"\['DEAD'\] have none"):
        MODEL.estimate(pd.Series({"DEAD": 1.0, "SPY": 1.0}), 1e-4, 0.01, pd.Series({"DEAD": 0.0, "SPY": 1e6}))
    with pytest.raises(DataError, match="DEAD"):
        square_root_impact(*(pd.Series({"DEAD": x}) for x in (1.0, 0.01, np.nan)))
    with pytest.raises(DataError, match=r"half_spread and daily_volatility.*\['NEW'\]"):
        MODEL.estimate(pd.Series({"NEW": 1.0}), np.nan, 0.01, 1e6)


def test_an_unknown_impact_law_is_named_with_the_known_ones():
    with pytest.raises(SettingsError, match="square_root, plan_clipped, plan_volatility; found 'linear'"):
        TransactionCostModel(CostParameters(impact_model="linear"))
