"""Answers that are found again: equal to the bit, only what is new is solved, and nothing false is ever found."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from portfolio_market import Market, make_market, make_problem

from etf_pipeline.portfolio import Built, PortfolioOptimizer, PortfolioParameters, build_portfolios
from etf_pipeline.portfolio.solved import Solver, answers, digest, page

SHORT = make_market(years=0.6, seed=1)
PARAMETERS = PortfolioParameters(strategies=("max_sharpe", "max_sharpe_no_rule", "min_variance", "risk_parity", "equal_weight"))


class Kept:
    """A cache in memory that counts."""

    def __init__(self) -> None:
        self.pages: dict[tuple[str, str], pa.Table] = {}
        self.puts = 0

    def get(self, kind: str, key: str) -> pa.Table | None:
        return self.pages.get((kind, key))

    def put(self, kind: str, key: str, table: pa.Table) -> None:
        self.pages[kind, key] = table
        self.puts += 1


@pytest.fixture
def solves(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Strategies of the problems that were really solved, benchmarks left out."""
    noted: list[str] = []
    solve = PortfolioOptimizer.solve

    def noting(self: PortfolioOptimizer, strategy: str, problem: Any) -> Any:
        if strategy != "equal_weight":
            noted.append(strategy)
        return solve(self, strategy, problem)

    monkeypatch.setattr(PortfolioOptimizer, "solve", noting)
    return noted


def same(one: Built, two: Built) -> None:
    for left, right in zip(one, two, strict=True):
        pd.testing.assert_frame_equal(left, right, check_exact=True)


def until(market: Market, day: pd.Timestamp) -> Market:
    return Market(**{k: t[t["session"] <= day] if "session" in t else t for k, t in vars(market).items()})


def test_with_and_without_the_cache_the_tables_are_equal_to_the_bit_and_nothing_is_solved_twice(solves):
    cache = Kept()
    plain = build_portfolios(*SHORT.tables(), PARAMETERS)
    solves.clear()
    same(plain, build_portfolios(*SHORT.tables(), PARAMETERS, cache=cache))
    assert len(solves) > 20
    pages = cache.puts
    solves.clear()
    same(plain, build_portfolios(*SHORT.tables(), PARAMETERS, cache=cache))
    assert solves == []
    assert cache.puts == pages  # nothing new, nothing written


def test_a_night_solves_that_night_alone(solves):
    cache, last = Kept(), SHORT.covariances["session"].max()
    build_portfolios(*until(SHORT, last - pd.Timedelta(days=1)).tables(), PARAMETERS, cache=cache)
    solves.clear()
    night = build_portfolios(*SHORT.tables(), PARAMETERS, cache=cache)
    assert 0 < len(solves) <= 4
    same(night, build_portfolios(*SHORT.tables(), PARAMETERS))


def test_a_changed_past_is_solved_anew_and_its_page_replaced(solves):
    cache = Kept()
    build_portfolios(*SHORT.tables(), PARAMETERS, cache=cache)
    sessions = np.sort(SHORT.covariances["session"].unique())
    changed = SHORT.volatilities["volatility"].where(
        SHORT.volatilities["session"] != sessions[3], 1.5 * SHORT.volatilities["volatility"]
    )
    other = dataclasses.replace(SHORT, volatilities=SHORT.volatilities.assign(volatility=changed))
    solves.clear()
    found = build_portfolios(*other.tables(), PARAMETERS, cache=cache)
    assert solves
    same(found, build_portfolios(*other.tables(), PARAMETERS))
    solves.clear()
    same(found, build_portfolios(*other.tables(), PARAMETERS, cache=cache))
    assert solves == []


@pytest.mark.parametrize(
    "change", [{"var_limit": 0.01}, {"twin_correlation": 0.9}, {"fallbacks": ("hold",)}, {"risk_aversion": 8.0}, {"upper": 0.2}]
)
def test_other_settings_find_nothing_of_these(change, solves):
    cache = Kept()
    chosen = dataclasses.replace(PARAMETERS, strategies=("min_variance",))
    build_portfolios(*SHORT.tables(), chosen, cache=cache)
    other = dataclasses.replace(chosen, **change)
    solves.clear()
    found = build_portfolios(*SHORT.tables(), other, cache=cache)
    assert solves
    same(found, build_portfolios(*SHORT.tables(), other))


def test_two_portfolios_that_ask_the_same_are_answered_once(solves):
    build_portfolios(*until(SHORT, SHORT.covariances["session"].min()).tables(), PARAMETERS)
    assert solves == ["max_sharpe", "min_variance", "risk_parity"]


def test_a_solution_comes_back_from_its_page_as_it_was():
    solver = Solver("mine", "max_sharpe", PortfolioOptimizer(PARAMETERS))
    problem = make_problem(15, 3, held=7, var_limit=0.004)
    found = solver.solve(problem, 2020)
    assert found.attempts[0].outcome == "infeasible"
    again = answers(page({"key": found}))["key"]
    np.testing.assert_array_equal(again.weights, found.weights)
    for name in ("engine", "status", "reason", "shadow_prices", "attempts"):
        assert getattr(again, name) == getattr(found, name)
    np.testing.assert_array_equal(again.kkt_residual, found.kkt_residual)


def test_every_number_of_a_problem_is_part_of_its_digest():
    problem = make_problem(10, 0)
    known = {digest(problem)}
    for name in (f.name for f in dataclasses.fields(problem)):
        value = getattr(problem, name)
        if isinstance(value, float):
            known.add(digest(dataclasses.replace(problem, **{name: np.nextafter(value, 2.0 * abs(value) + 1.0)})))
        elif isinstance(value, np.ndarray):
            moved = value.copy()
            moved.flat[-1] = np.nextafter(moved.flat[-1], 9.0)
            known.add(digest(dataclasses.replace(problem, **{name: moved})))
    fields = [f for f in dataclasses.fields(problem) if isinstance(getattr(problem, f.name), float | np.ndarray)]
    finite = [f for f in fields if not np.isinf(getattr(problem, f.name)).any()]
    assert len(known) == 1 + len(finite)
