"""A small market with known structure for the portfolio room, and random problems."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from etf_pipeline.costs import CostParameters, liquidity
from etf_pipeline.portfolio import Problem

CLASSES = (  # asset class, funds of it, annual volatility, loadings on the world, rates and real-asset factors
    ("equity", 14, 0.18, (0.16, 0.0, 0.0)),
    ("bond", 8, 0.05, (0.0, 0.045, 0.0)),
    ("credit", 4, 0.08, (0.05, 0.04, 0.0)),
    ("commodity", 5, 0.22, (0.03, 0.0, 0.15)),
    ("real_estate", 3, 0.21, (0.15, 0.04, 0.02)),
)


@dataclass(frozen=True)
class Market:
    """Tables of a simulated market, in the order that `build_portfolios` takes them."""

    scores: pd.DataFrame
    forecasts: pd.DataFrame
    volatilities: pd.DataFrame
    covariances: pd.DataFrame
    liquidity: pd.DataFrame
    returns: pd.DataFrame
    macro: pd.DataFrame
    reference: pd.DataFrame

    def tables(self) -> tuple[pd.DataFrame, ...]:
        """All of them."""
        return tuple(vars(self).values())


def make_market(years: float = 3.0, seed: int = 0, skill: float = 0.05, crisis: bool = False) -> Market:
    """Funds on three factors with volatility that clusters, a twin pair (T00, T01), one fund that ends and one that starts late.

    `skill` is the correlation of the 21-session forecasts with what follows.
    """
    rng = np.random.default_rng(seed)
    n_sessions = int(252 * years) + 300
    sessions = pd.bdate_range("2010-01-04", periods=n_sessions)
    loadings = np.array([np.array(b) * rng.uniform(0.7, 1.3) for _, count, _, b in CLASSES for _ in range(count)])
    total = np.array([v * rng.uniform(0.7, 1.3) for _, count, v, _ in CLASSES for _ in range(count)])
    own = np.sqrt(np.maximum(total**2 - (loadings**2).sum(axis=1), (0.25 * total) ** 2))
    n = len(total)
    level = _clustering(rng, n_sessions, crisis)
    factors = rng.standard_t(5, (n_sessions, 3)) * np.sqrt(3 / 5) * level[:, None]
    noise = rng.standard_t(5, (n_sessions, n)) * np.sqrt(3 / 5) * level[:, None]
    daily = (factors @ loadings.T + noise * own) / np.sqrt(252) + 0.3 * total / 252 + 0.015 / 252
    daily[:, 1] = daily[:, 0] + rng.normal(0, 2e-4, n_sessions)  # two funds of one index
    tickers = np.array([f"T{i:02d}" for i in range(n)])
    alive = np.ones((n_sessions, n), dtype=bool)
    alive[n_sessions - 150 :, 5] = False
    alive[:200, 6] = False
    return _tables(rng, sessions, tickers, daily, alive, level, skill)


def _clustering(rng: np.random.Generator, n_sessions: int, crisis: bool) -> np.ndarray:
    log_level = np.zeros(n_sessions)
    for t in range(1, n_sessions):
        log_level[t] = 0.98 * log_level[t - 1] + 0.06 * rng.normal()
    if crisis:
        log_level[n_sessions // 2 : n_sessions // 2 + 60] += 1.3
    return np.exp(log_level)


def _tables(rng, sessions, tickers, daily, alive, level, skill) -> Market:
    n_sessions, n = daily.shape
    t, i = np.nonzero(alive)
    key = {"session": sessions[t], "ticker": tickers[i]}
    first = t == alive.argmax(axis=0)[i]
    gap = rng.normal(0, 0.3, daily.shape) * daily
    growth = np.cumprod(np.where(alive, 1 + daily, 1.0), axis=0)
    returns = pd.DataFrame(
        {
            **key,
            "total_return": np.where(first, np.nan, daily[t, i]),
            "open_return": np.where(first, np.nan, gap[t, i]),
            "index_close": growth[t, i],
            "index_open": (growth / (1 + daily) * (1 + gap))[t, i],
            "gap_days": 1,
        }
    )
    base = np.exp(rng.normal(18, 1.3, n))
    traded = base * np.exp(rng.normal(0, 0.4, daily.shape))
    prices = pd.DataFrame({**key, "traded_value": traded[t, i]})
    sigma = pd.DataFrame(np.where(alive, daily, np.nan)).ewm(alpha=0.06, min_periods=60).std().to_numpy() * np.sqrt(252)
    volatilities = pd.DataFrame({**key, "volatility": sigma[t, i]})
    member = np.cumsum(alive, axis=0) >= 252
    membership = pd.DataFrame({**key, "member": member[t, i]})
    liquid = liquidity(prices, returns, volatilities, membership, CostParameters())
    ahead = np.full(daily.shape, np.nan)
    ahead[:-21] = np.array([np.prod(1 + daily[s + 1 : s + 22], axis=0) - 1 for s in range(n_sessions - 21)])
    ahead = np.where(np.isnan(ahead), np.nanmean(ahead, axis=0), ahead)
    slow = pd.DataFrame(rng.normal(size=daily.shape)).ewm(span=42).mean().to_numpy()
    spread = ahead.std(axis=0)
    forecast = ahead.mean(axis=0) + spread * (skill * (ahead - ahead.mean(axis=0)) / spread + skill * slow / slow.std())
    ends = np.flatnonzero(pd.Series(sessions).dt.to_period("M").diff(-1).apply(lambda d: getattr(d, "n", 0)) != 0)
    rebalances = [s for s in ends if s >= 300]
    scores = pd.DataFrame({**key, "score": (forecast / sigma)[t, i]}).dropna()
    scores = scores[scores["session"] >= sessions[295]]
    forecasts = pd.DataFrame({**key, "horizon": 21, "expected_return": forecast[t, i]})
    macro = pd.DataFrame({"session": sessions, "series": "TBILL13W", "value": 1.0 + 0.5 * np.sin(np.arange(n_sessions) / 200)})
    reference = pd.DataFrame({"ticker": tickers})
    covariances = pd.concat([_covariance(sessions, tickers, daily, alive, s) for s in rebalances], ignore_index=True)
    return Market(scores, forecasts, volatilities, covariances, liquid, returns, macro, reference)


def _covariance(sessions, tickers, daily, alive, s) -> pd.DataFrame:
    from sklearn.covariance import LedoitWolf

    window = slice(s - 251, s + 1)
    whole = np.flatnonzero(alive[window].all(axis=0))
    matrix = LedoitWolf().fit(daily[window][:, whole]).covariance_ * 252
    i, j = np.triu_indices(len(whole))
    return pd.DataFrame(
        {
            "session": sessions[s],
            "ticker_1": tickers[whole[i]],
            "ticker_2": tickers[whole[j]],
            "covariance": matrix[i, j],
        }
    )


def make_problem(n: int, seed: int, held: int = 0, costs: bool = True, **limits: float) -> Problem:
    """A random problem: five factors, expected returns around equal Sharpe ratios, some funds already held."""
    rng = np.random.default_rng(seed)
    loadings, own = rng.normal(0.08, 0.06, (n, 5)), rng.uniform(0.02, 0.1, n)
    covariance = loadings @ loadings.T + np.diag(own**2)
    expected = 0.02 + 0.3 * np.sqrt(np.diag(covariance)) + rng.normal(0, 0.02, n)
    previous = np.zeros(n)
    if held:
        previous[rng.choice(n, held, replace=False)] = 1 / held
    linear = rng.uniform(3e-4, 1e-3, n) * 12 * costs
    impact = rng.uniform(0.002, 0.02, n) * costs
    return Problem(
        tuple(f"T{i:02d}" for i in range(n)),
        expected,
        covariance,
        previous,
        0.02,
        linear,
        impact,
        **({"var_limit": np.inf} | limits),
    )
