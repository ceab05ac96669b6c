"""Monte Carlo at portfolio level: 100,000 scenarios of 500 funds, with the tail's closed form as the gate.

Run as ``python -m benchmarks stress``. Normal and t returns need one number per scenario, as a fixed combination of them is of
their own kind; the peer draws every fund with numpy and SciPy, as one would without that. The t copula draws every fund: its peer
searches each marginal law with ``np.interp``. CPU seconds, one thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from etf_pipeline.stress import Copula, tail_loss
from etf_pipeline.stress.monte_carlo import Source, gaussian, outcomes, student_t

NU, LEVEL = 5.0, 0.95
LIMITS = {"gaussian": 3.0, "student_t": 3.0, "copula": 10.0}
"""CPU seconds that 100,000 scenarios of 500 funds may take."""


def market(n_funds: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Factor covariance of daily returns with ten factors, and equal weights."""
    rng = np.random.default_rng(seed)
    loadings = rng.normal(0.0, 0.004, (n_funds, 10)) + np.r_[0.008, np.zeros(9)]
    return loadings @ loadings.T + np.diag(rng.uniform(0.002, 0.01, n_funds) ** 2), np.full(n_funds, 1.0 / n_funds)


def closed_form(volatility: float, law: str) -> float:
    """Expected shortfall of a normal or Student-t return."""
    if law == "gaussian":
        return volatility * stats.norm.pdf(stats.norm.ppf(LEVEL)) / (1 - LEVEL)
    q = stats.t.ppf(LEVEL, NU)
    return volatility * np.sqrt((NU - 2) / NU) * stats.t.pdf(q, NU) / (1 - LEVEL) * (NU + q * q) / (NU - 1)


def run(n: int = 100_000, n_funds: int = 500, seed: int = 1, paths: int = 10_000) -> list[dict[str, Any]]:
    """Rows: the two laws in portfolio form, the copula, and paths of a year."""
    covariance, weights = market(n_funds, seed)
    volatility = float(np.sqrt(weights @ covariance @ weights))
    source = Source(volatility, np.zeros(1), NU, 21.0, 0.94)
    laws: dict[str, Callable[..., Any]] = {"gaussian": gaussian, "student_t": student_t}
    rows = []
    for name, law in laws.items():
        ours, drawn = clocked(lambda law=law: law(source, n, 1, np.random.default_rng(seed))[0])
        peer, by_fund = clocked(lambda name=name: every_fund(covariance, weights, n, name, seed))
        rows.append(row(f"{name}, {n} x {n_funds}", ours, peer, gate(drawn, volatility, name), gate(by_fund, volatility, name)))
        rows[-1]["within_limit"] = ours < LIMITS[name]
    deviation = np.sqrt(np.diag(covariance))
    copula = Copula.of(np.full((1, n_funds), np.nan), deviation, covariance / np.outer(deviation, deviation), NU)
    ours, drawn = clocked(lambda: copula.portfolios(weights[:, None], n, 1, np.random.default_rng(seed))[0, 0])
    peer, searched = clocked(lambda: searched_copula(copula, weights, n, seed))
    rows.append(row(f"t copula, {n} x {n_funds}", ours, peer, gate(drawn, volatility, "t"), gate(searched, volatility, "t")))
    rows[-1]["within_limit"] = ours < LIMITS["copula"]
    year, found = clocked(lambda: outcomes(student_t(source, paths, 252, np.random.default_rng(seed)), (252,))[252])
    rows.append({"name": f"t paths of 252 sessions, {paths}", "ours_s": year, "drawdown_95": float(np.quantile(found[1], 0.95))})
    return rows


def clocked(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of a piece of work, and what it gives."""
    begin = time.process_time()
    found = work()
    return time.process_time() - begin, found


def gate(drawn: np.ndarray, volatility: float, law: str) -> float:
    """Distance of the simulated expected shortfall from its closed form, in simulation errors: to be below 4."""
    tail = tail_loss(drawn)
    return abs(tail.cvar - closed_form(volatility, law)) / tail.standard_error


def every_fund(covariance: np.ndarray, weights: np.ndarray, n: int, law: str, seed: int) -> np.ndarray:
    """Portfolio returns by drawing every fund."""
    rng = np.random.default_rng(seed)
    if law == "gaussian":
        return rng.multivariate_normal(np.zeros(len(weights)), covariance, n, method="cholesky") @ weights
    shape = covariance * (NU - 2) / NU
    return np.asarray(stats.multivariate_t.rvs(np.zeros(len(weights)), shape, NU, n, random_state=rng) @ weights)


def searched_copula(copula: Copula, weights: np.ndarray, n: int, seed: int, chunk: int = 5000) -> np.ndarray:
    """The copula, each marginal law searched."""
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(n // chunk):
        values = copula.root @ rng.standard_normal((len(weights), chunk)) * np.sqrt(NU / rng.chisquare(NU, chunk))
        parts.append(weights @ np.array([np.interp(v, copula.knots, q) for v, q in zip(values, copula.quantiles, strict=True)]))
    return np.concatenate(parts)


def row(name: str, ours: float, peer: float, ours_gate: float, peer_gate: float) -> dict[str, Any]:
    """One line of the report."""
    accurate = max(ours_gate, peer_gate) < 4.0
    return {"name": name, "ours_s": ours, "peer_s": peer, "ratio": peer / ours, "errors_off": ours_gate, "gate": accurate}
