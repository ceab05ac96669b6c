"""What the money earned: closed forms, the equation itself, and what has no answer."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etf_pipeline.errors import DataError
from etf_pipeline.measures.money_weighted import money_weighted_return


def test_one_deposit_earns_the_compound_rate() -> None:
    assert money_weighted_return(np.array([100.0]), np.array([3.0]), 133.1) == pytest.approx(0.10, abs=1e-13)


def test_two_deposits_are_the_root_of_a_quadratic() -> None:
    # 100 x^2 + 50 x = 180 with x = 1 + r
    x = (-50 + math.sqrt(50**2 + 4 * 100 * 180)) / 200
    assert money_weighted_return(np.array([100.0, 50.0]), np.array([2.0, 1.0]), 180.0) == pytest.approx(x - 1, abs=1e-13)


@given(
    flows=st.lists(st.floats(1.0, 1e6), min_size=1, max_size=10),
    rate=st.floats(-0.6, 1.5),
    seed=st.integers(0, 1000),
)
@settings(max_examples=80, deadline=None)
def test_the_rate_that_made_the_value_is_found(flows: list[float], rate: float, seed: int) -> None:
    years = np.random.default_rng(seed).uniform(0.1, 15, len(flows))
    value = float(np.array(flows) @ (1 + rate) ** years)
    assert money_weighted_return(np.array(flows), years, value) == pytest.approx(rate, abs=1e-9)


def test_it_is_the_root_that_scipy_finds_with_withdrawals() -> None:
    from scipy.optimize import brentq

    flows, years = np.array([1000.0, 300.0, -200.0, 150.0]), np.array([5.0, 3.5, 2.0, 0.5])
    root = brentq(lambda r: flows @ (1 + r) ** years - 1600.0, -0.9, 2.0, xtol=1e-15)
    assert money_weighted_return(flows, years, 1600.0) == pytest.approx(root, abs=1e-12)


def test_a_value_that_no_rate_reaches_has_none() -> None:
    assert math.isnan(money_weighted_return(np.array([100.0]), np.array([1.0]), -5.0))


def test_nothing_paid_in_is_refused() -> None:
    with pytest.raises(DataError, match="one deposit"):
        money_weighted_return(np.array([-1.0]), np.array([1.0]), 5.0)


def test_long_spans_without_an_answer_do_not_overflow() -> None:
    # a deposit on the last day is more than what is left, and growth of the first cannot help
    assert math.isnan(money_weighted_return(np.array([100.0, 1000.0]), np.array([20.0, 0.0]), 500.0))
    assert math.isnan(money_weighted_return(np.array([100.0]), np.array([40.0]), -5.0))


def test_a_wild_session_still_has_its_rate() -> None:
    found = money_weighted_return(np.array([100.0]), np.array([1 / 252]), 130.0)
    assert found == pytest.approx(1.3**252, rel=1e-9)
