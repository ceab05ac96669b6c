"""The simulated market that the portfolio tests share."""

from __future__ import annotations

import pytest
from portfolio_market import Market, make_market


@pytest.fixture(scope="session")
def market() -> Market:
    """Three years of rebalances."""
    return make_market()
