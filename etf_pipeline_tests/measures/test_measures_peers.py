"""Every measure equals an established library's on the definitions that they share."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from etf_pipeline.measures import MEASURES, block_length, measure
from etf_pipeline.panel import Floats

pytest.importorskip("quantstats")
pytest.importorskip("empyrical")

ROOT = np.sqrt(252)


def series(seed: int = 7, n: int = 1500) -> tuple[pd.Series, pd.Series, pd.Series]:
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2015-01-01", periods=n)
    market = 0.01 * rng.standard_t(4, n)
    bill = np.full(n, 8e-5) + 2e-5 * rng.random(n)
    return pd.Series(3e-4 + 0.8 * market + 0.004 * rng.normal(size=n), days), pd.Series(bill, days), pd.Series(market, days)


def ours(name: str, r: pd.Series, bill: pd.Series | None = None, market: pd.Series | None = None) -> float:
    def array(s: pd.Series | None) -> Floats | float:
        return 0.0 if s is None else s.to_numpy()

    return measure(name, r.to_numpy(), array(bill), array(market))


def peers(r: pd.Series, bill: pd.Series, market: pd.Series) -> dict[str, tuple[float, float]]:
    import empyrical as e
    import quantstats.stats as q

    steady = pd.Series(8e-5, r.index)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            "total_return e": (ours("total_return", r), e.cum_returns_final(r)),
            "total_return q": (ours("total_return", r), q.comp(r)),
            "cagr e": (ours("cagr", r), e.cagr(r)),
            "cagr q": (ours("cagr", r), q.cagr(r, periods=252)),
            "volatility e": (ours("volatility", r), e.annual_volatility(r)),
            "volatility q": (ours("volatility", r), q.volatility(r, periods=252)),
            "sharpe e": (ours("sharpe", r, bill), e.sharpe_ratio(r, risk_free=bill)),
            "sharpe q": (ours("sharpe", r), q.sharpe(r)),
            "sortino e": (ours("sortino", r, bill), e.sortino_ratio(r, required_return=bill)),
            "sortino q": (ours("sortino", r), q.sortino(r)),
            "calmar e": (ours("calmar", r), e.calmar_ratio(r)),
            "calmar q": (ours("calmar", r), q.calmar(r)),
            "max_drawdown e": (ours("max_drawdown", r), -e.max_drawdown(r)),
            "max_drawdown q": (ours("max_drawdown", r), -q.max_drawdown(r)),
            "win_rate q": (ours("win_rate", r), q.win_rate(r)),
            "tracking_error e": (ours("tracking_error", r, None, market), e.annual_volatility(r - market)),
            "information_ratio e": (ours("information_ratio", r, None, market), e.excess_sharpe(r, market) * ROOT),
            "information_ratio q": (ours("information_ratio", r, None, market), q.information_ratio(r, market) * ROOT),
            "var_95 e": (ours("var_95", r), -e.value_at_risk(r)),
            "cvar_95 e": (ours("cvar_95", r), -e.conditional_value_at_risk(r)),
            "cvar_95 q": (ours("cvar_95", r), -q.cvar(r, method="historical")),
            "var_95_gaussian q": (ours("var_95_gaussian", r), -q.var(r)),
            "cvar_95_gaussian q": (ours("cvar_95_gaussian", r), -q.cvar(r)),
            # the peer's slope leaves the bill out; a constant one does not move ours
            "beta e": (ours("beta", r, steady, market), e.beta(r, market, 8e-5)),
            "beta q": (ours("beta", r, None, market), q.greeks(r, market)["beta"]),
            # empyrical compounds the intercept of a session
            "alpha e": ((1 + ours("alpha", r, steady, market) / 252) ** 252 - 1, e.alpha(r, market, 8e-5)),
            "alpha q": (ours("alpha", r, None, market), q.greeks(r, market)["alpha"]),
            "r_squared q": (ours("r_squared", r, None, market), q.r_squared(r, market)),
            "up_capture e": (ours("up_capture", r, None, market), e.up_capture(r, market)),
            "down_capture e": (ours("down_capture", r, None, market), e.down_capture(r, market)),
            "batting_average e": (ours("batting_average", r, None, market), e.batting_average(r, market)["batting average"]),
            "ulcer_index q": (ours("ulcer_index", r), q.ulcer_index(r)),
            "downside_risk e": (ours("downside_risk", r, bill), e.downside_risk(r, required_return=bill)),
            "omega e": (ours("omega", r), e.omega_ratio(r)),
            "omega q": (ours("omega", r), q.omega(r)),
            "tail_ratio e": (ours("tail_ratio", r), e.tail_ratio(r)),
            "tail_ratio q": (ours("tail_ratio", r), q.tail_ratio(r)),
            "stability e": (ours("stability", r), e.stability_of_timeseries(r)),
            "best_session q": (ours("best_session", r), q.best(r)),
            "worst_session q": (ours("worst_session", r), q.worst(r)),
            "skewness q": (ours("skewness", r), q.skew(r)),
            "kurtosis q": (ours("kurtosis", r), q.kurtosis(r)),
        }


def test_every_measure_equals_empyrical_and_quantstats_to_ten_digits():
    for seed in range(5):
        found = peers(*series(seed, 800 + 101 * seed))
        assert {name.split()[0] for name in found} == set(MEASURES)
        for name, (mine, theirs) in found.items():
            assert mine == pytest.approx(float(theirs), rel=1e-10), name


def test_figures_of_mtum_are_those_of_the_methods_page():
    datasets = pytest.importorskip("skfolio.datasets")
    prices = datasets.load_factors_dataset()["MTUM"]
    r = (prices / prices.shift(1) - 1.0).dropna()
    expected = {"cagr": 0.118197461148, "sharpe": 0.654519396191, "sortino": 0.909109995436, "max_drawdown": 0.340818256704}
    for name, value in expected.items():
        assert ours(name, r) == pytest.approx(value, abs=1e-10), name


@pytest.mark.parametrize("persistence", [0.0, 0.2, 0.5, 0.9, -0.4])
def test_block_length_equals_arch(persistence: float):
    from arch.bootstrap import optimal_block_length

    for seed in range(4):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=900)
        for t in range(1, len(x)):
            x[t] += persistence * x[t - 1]
        theirs = max(1.0, float(optimal_block_length(x)["stationary"].iloc[0]))
        assert block_length(x) == pytest.approx(theirs, rel=1e-9)
