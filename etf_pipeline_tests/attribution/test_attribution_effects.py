"""Effects by hand, effects that add up whatever the portfolios are, and factor contributions beside skfolio's."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etf_pipeline import calendars
from etf_pipeline.attribution import FactorParameters, brinson_fachler, carino, factor_contributions, linked
from etf_pipeline.attribution.brinson import linked_by_month
from etf_pipeline.attribution.factors import explained
from etf_pipeline.errors import SettingsError
from etf_pipeline.regression import ols
from etf_pipeline.schemas import TABLES

SEEDS = st.integers(min_value=0, max_value=2**32 - 1)


def portfolio(rng: np.random.Generator, n: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights that sum to one, some of them zero, and contributions."""
    weights = rng.random((n, classes)) * (rng.random((n, classes)) < 0.7)
    weights[:, -1] = 1.0 - weights[:, :-1].sum(axis=1)
    return weights, weights * rng.normal(0, 0.02, (n, classes))


def test_effects_of_two_classes_by_hand() -> None:
    w, v = np.array([[0.7, 0.3]]), np.array([[0.4, 0.6]])
    allocation, selection, interaction = brinson_fachler(w, w * [[0.05, -0.01]], v, v * [[0.03, 0.01]])
    benchmark = 0.4 * 0.03 + 0.6 * 0.01
    np.testing.assert_allclose(allocation, [[0.3 * (0.03 - benchmark), -0.3 * (0.01 - benchmark)]], atol=1e-15)
    np.testing.assert_allclose(selection, [[0.4 * 0.02, 0.6 * -0.02]], atol=1e-15)
    np.testing.assert_allclose(interaction, [[0.3 * 0.02, -0.3 * -0.02]], atol=1e-15)


def test_a_class_that_the_benchmark_lacks_is_all_allocation() -> None:
    w, v = np.array([[0.5, 0.5]]), np.array([[1.0, 0.0]])
    allocation, selection, interaction = brinson_fachler(w, w * [[0.02, 0.08]], v, v * [[0.02, 0.0]])
    assert allocation[0, 1] == pytest.approx(0.5 * (0.08 - 0.02))
    assert selection[0, 1] == 0.0
    assert interaction[0, 1] == 0.0


@pytest.mark.parametrize("noise", [1e-16, -3e-17])
def test_a_weight_that_is_rounding_tells_no_return(noise: float) -> None:
    # the benchmark's last class is rounding of zero: what the portfolio earns there by holding it is allocation, not interaction
    w, v = np.array([[0.8, 0.2]]), np.array([[1.0, noise]])
    allocation, selection, interaction = brinson_fachler(w, w * [[0.01, 0.001]], v, np.array([[0.01, 0.0]]))
    np.testing.assert_allclose(allocation, [[0.0, 0.2 * (0.001 - 0.01)]], atol=1e-15)
    np.testing.assert_allclose(selection + interaction, 0.0, atol=1e-15)
    # and a stray contribution is neither lost nor blown up
    parts = brinson_fachler(w, w * [[0.01, 0.001]], v, np.array([[0.01, 2e-6]]))
    assert sum(part.sum() for part in parts) == pytest.approx(0.8 * 0.01 + 0.2 * 0.001 - 0.01 - 2e-6, abs=1e-15)
    assert max(np.abs(part).max() for part in parts) < 0.01


def test_a_month_in_which_one_side_lost_everything_has_no_effects() -> None:
    days = calendars.sessions("XNYS", "2024-01-02", "2024-03-28")
    labels = pd.DataFrame({"line": ["all"], "effect": ["trading"]})
    own = np.full(len(days), 0.001)
    own[25] = -1.5  # in February
    found = linked_by_month(days, own[:, None], own, np.zeros(len(days)), labels, "XNYS")
    assert found["month"].dt.month.tolist() == [1, 3]
    assert found["value"].tolist() == pytest.approx(found["portfolio_return"].tolist())


@given(seed=SEEDS, n=st.integers(1, 40), classes=st.integers(2, 6))
@settings(max_examples=60, deadline=None)
def test_effects_add_up_for_one_period_and_for_many(seed: int, n: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    (w, own), (v, other) = portfolio(rng, n, classes), portfolio(rng, n, classes)
    parts = brinson_fachler(w, own, v, other)
    r, b = own.sum(axis=1), other.sum(axis=1)
    np.testing.assert_allclose(sum(p.sum(axis=1) for p in parts), r - b, atol=1e-14)
    whole, _ = linked(np.column_stack(parts), r, b)
    assert abs(whole.sum() - (np.prod(1 + r) - np.prod(1 + b))) < 1e-12


@given(seed=SEEDS)
@settings(max_examples=30, deadline=None)
def test_the_order_of_classes_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    (w, own), (v, other) = portfolio(rng, 5, 4), portfolio(rng, 5, 4)
    order = rng.permutation(4)
    for here, there in zip(
        brinson_fachler(w, own, v, other), brinson_fachler(w[:, order], own[:, order], v[:, order], other[:, order]), strict=True
    ):
        np.testing.assert_allclose(here[:, order], there, atol=1e-15)


@given(seed=SEEDS, cut=st.integers(1, 29))
@settings(max_examples=30, deadline=None)
def test_linking_in_two_steps_is_linking_at_once(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    effects, b = rng.normal(0, 0.01, (30, 3)), rng.normal(0, 0.01, 30)
    r = b + effects.sum(axis=1)
    at_once, link = linked(effects, r, b)
    parts = [linked(effects[s], r[s], b[s]) for s in (slice(None, cut), slice(cut, None))]
    np.testing.assert_allclose(sum(e * k for e, k in parts) / link, at_once, atol=1e-14)


def test_the_coefficient_is_continuous_where_the_returns_meet() -> None:
    b = np.array([0.02, -0.3, 0.5])
    for step in (1e-6, 1e-7, 1.01e-8, 0.99e-8, 1e-10, 0.0):
        np.testing.assert_allclose(carino(b + step, b), 1 / (1 + b), rtol=2 * step / 0.7 + 1e-12)


def test_contributions_of_factors_are_those_of_skfolio() -> None:
    from skfolio.attribution import realized_factor_attribution

    rng = np.random.default_rng(7)
    factors, loadings = rng.normal(0, 0.01, (60, 3)), np.array([1.1, -0.3, 0.2])
    active = factors @ loadings + rng.normal(0, 0.002, 60)
    ours = explained(active, factors, loadings)
    peer = realized_factor_attribution(
        asset_names=["portfolio"], factor_names=["a", "b", "c"], weights=np.ones(1), factor_returns=factors,
        portfolio_returns=active, exposures=loadings[None, :], idio_returns=ours[:, -1:], annualization_factor=1.0,
    )  # fmt: skip
    np.testing.assert_allclose(ours[:, :3].mean(axis=0), peer.factors.mu_contrib, atol=1e-12)
    assert ours[:, 3].mean() == pytest.approx(peer.idio.mu_contrib, abs=1e-12)


def factor_world(n: int = 500, seed: int = 3) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """A ledger of one strategy with known loadings, the factor library, and the strategy's own noise."""
    rng = np.random.default_rng(seed)
    names, loadings = FactorParameters().factors, np.array([0.9, 0.2, -0.1, 0.0, 0.3, 0.1])
    days = calendars.sessions("XNYS", "2021-01-04", "2023-12-29")[:n]
    factors, noise = rng.normal(2e-4, 0.008, (n, 6)), rng.normal(0, 0.001, n)
    library = pd.DataFrame(factors, index=days, columns=list(names)).assign(RF=1e-4)
    rows = library.rename_axis("session").reset_index().melt("session", var_name="factor", value_name="value")
    rows["available_at"] = (rows["session"] + pd.offsets.MonthEnd(0) + pd.Timedelta(days=35)).dt.tz_localize("UTC")
    ledger = pd.DataFrame(
        {"session": days, "strategy": "s", "cost_basis": "net", "daily_return": 1e-4 + factors @ loadings + noise}
    )
    return ledger, rows, loadings


def test_planted_loadings_come_back_and_contributions_add_up() -> None:
    ledger, library, loadings = factor_world()
    made = factor_contributions(ledger, library, FactorParameters())
    TABLES["factor_attribution"].check(TABLES["factor_attribution"].to_arrow(made))
    sums = made.groupby("month").agg(v=("value", "sum"), r=("portfolio_return", "first"), b=("benchmark_return", "first"))
    assert (sums["v"] - (sums["r"] - sums["b"])).abs().max() < 1e-12
    found = made[made["factor"] != "specific"].pivot(index="month", columns="factor", values="loading")[
        list(FactorParameters().factors)
    ]
    assert np.abs(found.to_numpy() - loadings).max() < 0.05


def test_loadings_are_those_of_a_regression_over_the_window_before_the_month() -> None:
    ledger, library, _ = factor_world()
    made = factor_contributions(ledger, library, FactorParameters())
    month = made["month"].iloc[-1]
    wide = library.pivot(index="session", columns="factor", values="value")
    days = pd.DatetimeIndex(ledger["session"])
    start = int(days.searchsorted(month))
    window = slice(start - 252, start)
    active = (ledger["daily_return"].to_numpy() - wide["RF"].to_numpy())[window]
    fit = ols(active, np.column_stack([np.ones(252), wide[list(FactorParameters().factors)].to_numpy()[window]]))
    row = made[(made["month"] == month) & (made["factor"] == "MOM")].iloc[0]
    assert row["loading"] == pytest.approx(fit.coefficients[6], rel=1e-12)
    assert row["loading_error"] == pytest.approx(fit.errors[6], rel=1e-12)


def test_a_month_whose_factors_are_not_all_published_is_not_attributed() -> None:
    ledger, library, _ = factor_world()
    last = library["session"].max()
    made = factor_contributions(ledger, library[library["session"] != last], FactorParameters())
    assert made["month"].max() < last.to_period("M").start_time


def test_a_window_too_short_for_its_factors_is_refused() -> None:
    with pytest.raises(SettingsError, match="window"):
        FactorParameters(window=10)
