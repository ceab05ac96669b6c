"""Real prices: the autumn of 2008, and twenty large stocks against SciPy and riskfolio-lib."""

from __future__ import annotations

import dataclasses
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from etf_pipeline.errors import Infeasible
from etf_pipeline.portfolio import PortfolioOptimizer, PortfolioParameters, Problem
from etf_pipeline.portfolio.constraints import daily_var
from etf_pipeline.portfolio.max_sharpe import max_sharpe
from etf_pipeline.portfolio.mean_variance import min_variance
from etf_pipeline.portfolio.optimizer import OPTIMIZERS
from etf_pipeline.providers.files.classes import asset_class

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"
EQUITY = ["SPY", "QQQ", "IWM", "DIA", "MDY", "EFA", "EEM", "EWJ", "VTV", "VUG", "IWD", "IWF", "IWN", "IWO", "IJR", "IJH"]
EQUITY += ["XLB", "XLE", "XLF", "XLI", "XLK", "XLP", "XLU", "XLV", "XLY", "VNQ", "IYR", "FXI", "EWZ"]
OTHERS = ["AGG", "BND", "LQD", "HYG", "TLT", "IEF", "SHY", "TIP", "GLD", "SLV", "DBC", "USO"]
TWINS = ("SPY", "VOO", "IVV")


def prices() -> pd.DataFrame:
    columns = ["ticker", "date", "adjclose"]
    bars = pd.read_parquet(FOLDER / "etf_daily.parquet", columns=columns)
    return bars.pivot_table(index="date", columns="ticker", values="adjclose")


def problem_at(closes: pd.DataFrame, tickers: list[str], session: str, mixed: float = 0.05, **limits: float) -> Problem:
    """Equal Sharpe ratios on the covariance of the last 63 sessions, a little of its diagonal mixed in."""
    known = closes.loc[:session, [t for t in tickers if t in closes]].iloc[-64:].dropna(axis=1)
    returns = known.pct_change().iloc[1:]
    sample = returns.cov().to_numpy() * 252
    covariance = (1.0 - mixed) * sample + mixed * np.diag(np.diag(sample))
    none = np.zeros(returns.shape[1])
    expected = 0.01 + 0.3 * np.sqrt(np.diag(covariance))
    names = tuple(returns.columns)
    return Problem(names, expected, covariance, none, 0.01, none + 0.005, none, correlation=returns.corr().to_numpy(), **limits)


needs_data = pytest.mark.skipif(not (FOLDER / "etf_daily.parquet").exists(), reason="no reference data in ../shared/data")


@pytest.mark.reference
@needs_data
def test_equities_alone_cannot_keep_the_var_limit_in_october_2008_and_all_classes_can():
    closes = prices()
    optimizer = PortfolioOptimizer(PortfolioParameters())
    alone = problem_at(closes, EQUITY, "2008-10-31")
    found = optimizer.solve("max_sharpe", alone)
    assert found.status == "cash_blend"
    assert found.attempts[0].reason.startswith("var_limit: VaR 2 % cannot be met fully invested: minimum is")
    assert daily_var(alone.volatility(found.weights)) == pytest.approx(0.02, rel=1e-5)
    assert 0.3 < found.weights.sum() < 0.9
    mixed = problem_at(closes, [*EQUITY, *OTHERS], "2008-10-31")
    accepted = optimizer.solve("max_sharpe", mixed)
    assert accepted.status == "optimal"
    assert daily_var(mixed.volatility(accepted.weights)) <= 0.02 * (1 + 1e-9)
    bonds = sum(w for t, w in zip(mixed.tickers, accepted.weights, strict=True) if t in OTHERS)
    assert bonds > 0.4
    held = PortfolioOptimizer(PortfolioParameters(fallbacks=("hold",))).solve("max_sharpe", alone)
    assert held.status == "hold"


@pytest.mark.reference
@needs_data
def test_all_equity_funds_of_october_2008_reach_2_7_percent_and_only_by_the_inverse_one_among_them():
    """Of the reference file's class, 54 trade then; SH, which is short the S&P 500, is held at its cap."""
    facts = pd.read_csv(FOLDER / "etf_reference.csv")
    names = [t for t, c in zip(facts["ticker"], facts["category"], strict=True) if asset_class(c) == "equity"]
    alone = problem_at(prices(), names, "2008-10-31", mixed=0.0)
    assert alone.n == 54
    with pytest.raises(Infeasible, match=r"VaR 2 % cannot be met fully invested: minimum is 2\.7\d %") as refusal:
        max_sharpe(alone)
    assert refusal.value.reason == "var_limit"
    assert min_variance(alone)[alone.tickers.index("SH")] == pytest.approx(0.15)
    outright = problem_at(prices(), [t for t in names if t != "SH"], "2008-10-31", mixed=0.0)
    assert daily_var(outright.volatility(min_variance(outright))) == pytest.approx(0.0428, abs=2e-4)


@pytest.mark.reference
@needs_data
def test_real_twins_do_not_flip_from_month_to_month():
    closes = prices()
    sessions = [str(d.date()) for d in closes.loc["2013":"2018"].groupby(pd.Grouper(freq="ME")).tail(1).index]
    optimizer = PortfolioOptimizer(PortfolioParameters())
    rng, previous, used = np.random.default_rng(0), {}, []
    for session in sessions:
        problem = problem_at(closes, [*EQUITY, *OTHERS, *TWINS], session)
        names = problem.tickers
        noisy = problem.expected_return + rng.normal(0, 1e-4, problem.n) + np.where(np.isin(names, TWINS), 0.05, 0.0)
        held = np.array([previous.get(t, 0.0) for t in names])
        weights = optimizer.solve("max_sharpe", dataclasses.replace(problem, expected_return=noisy, previous=held)).weights
        previous = dict(zip(names, weights, strict=True))
        used.append([t for t in TWINS if previous.get(t, 0.0) > 0])
    assert all(len(twins) <= 1 for twins in used)
    assert sum(map(len, used)) > len(sessions) / 2
    names = [twins[0] for twins in used if twins]
    assert sum(a != b for a, b in pairwise(names)) <= 1


@pytest.fixture(scope="module")
def stocks() -> Problem:
    """Twenty large stocks, 2015 to 2019, from a test peer's own data."""
    from skfolio.datasets import load_sp500_dataset

    returns = load_sp500_dataset().loc["2015":"2019"].pct_change().dropna()
    none = np.zeros(20)
    return Problem(
        tuple(returns.columns),
        returns.mean().to_numpy() * 252,
        returns.cov().to_numpy() * 252,
        none,
        0.0,
        none,
        none,
        var_limit=np.inf,
        scenarios=returns.to_numpy(),
    )


def test_twenty_stocks_equal_scipy_polished_and_riskfolio(stocks):
    from scipy.optimize import minimize

    problem = dataclasses.replace(stocks, lower=0.0)
    ours = max_sharpe(problem).weights
    start = np.clip(ours + np.random.default_rng(0).normal(0, 0.02, 20), 0, 0.15)
    for _ in range(3):  # polished: started again where it stopped
        start = minimize(
            lambda w: -problem.net_sharpe(w),
            start,
            jac=lambda w: (
                -problem.excess / problem.volatility(w)
                + problem.net_sharpe(w) / problem.volatility(w) ** 2 * (problem.covariance @ w)
            ),
            bounds=[(0, 0.15)] * 20,
            constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like},
            options={"maxiter": 1000, "ftol": 1e-16},
            method="SLSQP",
        ).x
    np.testing.assert_allclose(ours, start, atol=1e-6)
    import riskfolio

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = list(problem.tickers)
        port = riskfolio.Portfolio(returns=pd.DataFrame(problem.scenarios, columns=names))
        port.mu = pd.DataFrame(problem.expected_return[None], columns=names)
        port.cov = pd.DataFrame(problem.covariance, index=names, columns=names)
        port.upperlng, port.solvers = 0.15, ["CLARABEL"]
        theirs = port.optimization("Classic", "MV", "Sharpe", rf=0, l=0, hist=True)["weights"].to_numpy()
    np.testing.assert_allclose(ours, theirs, atol=2e-5)
    for peer in (start, theirs / theirs.sum()):
        assert problem.net_sharpe(ours) >= problem.net_sharpe(peer) - 1e-8


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_strategy_holds_twenty_real_stocks_within_the_bounds(stocks, name):
    found = PortfolioOptimizer(PortfolioParameters()).solve(name, stocks)
    w = found.weights
    assert found.status == "optimal"
    assert w.sum() == pytest.approx(1.0, abs=1e-9)
    assert ((w == 0) | ((w >= 0.02 - 1e-9) & (w <= 0.15 + 1e-9))).all()
    assert not found.kkt_residual > 1e-6
