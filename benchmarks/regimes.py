"""The hidden Markov model beside `statsmodels`: maximum likelihood of two normal states, and the filter, on one thread.

Run as ``python -m benchmarks regimes``. Accuracy first: our log-likelihood may fall short of the peer's by no more than the gate
on any sample; filtered with one set of parameters, probabilities are equal.
"""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline.regimes import HiddenMarkov, filtered, fit

REFERENCE = Path(__file__).resolve().parents[2] / "shared" / "data" / "etf_daily.parquet"
GATE, FILTER_GATE = 1e-4, 1e-8


def simulated(n_samples: int, n: int, seed: int) -> list[np.ndarray]:
    """Returns in percent of two-state chains with parameters spread as those of stock indices."""
    rng = np.random.default_rng(seed)
    out = []
    for _ in range(n_samples):
        stays, deviations = rng.uniform([0.97, 0.93], [0.99, 0.98]), rng.uniform([0.5, 1.5], [0.9, 2.5])
        moves, states = rng.random(n), np.zeros(n, dtype=int)
        for t in range(1, n):
            states[t] = states[t - 1] if moves[t] < stays[states[t - 1]] else 1 - states[t - 1]
        out.append(np.array([0.06, -0.1])[states] + deviations[states] * rng.standard_normal(n))
    return out


def reference(tickers: tuple[str, ...] = ("SPY", "QQQ", "IWM", "EFA", "EEM", "VNQ", "XLF", "XLE")) -> list[np.ndarray]:
    """Returns in percent of broad funds of the reference data; none where the data are absent."""
    if not REFERENCE.exists():
        return []
    bars = pd.read_parquet(REFERENCE, columns=["ticker", "date", "adjclose"]).sort_values(["ticker", "date"])
    closes = dict(tuple(bars[bars["ticker"].isin(tickers)].groupby("ticker")["adjclose"]))
    return [(100.0 * closes[ticker].pct_change().dropna()).to_numpy() for ticker in tickers if ticker in closes]


def run(n_samples: int = 10, n_sessions: int = 2500, seed: int = 1) -> list[dict[str, Any]]:
    """Rows: simulated chains, broad funds of the reference data, and the filter alone."""
    rows = [compare("Hidden Markov fits, simulated", simulated(n_samples, n_sessions, seed))]
    real = reference()
    if real:
        rows.append(compare("Hidden Markov fits, reference funds", real))
    return [*rows, compare_filters("Hidden Markov filter", real or simulated(n_samples, n_sessions, seed))]


def compare(name: str, samples: list[np.ndarray]) -> dict[str, Any]:
    """Fit every sample with both engines."""
    fit(samples[0], student=False)  # compiled, or read from numba's cache
    begin = time.process_time()
    ours = [fit(x, student=False) for x in samples]
    ours_s = time.process_time() - begin
    peer_model(samples[0])  # imported
    begin = time.process_time()
    peers = [peer_fit(x) for x in samples]
    peer_s = time.process_time() - begin
    short = np.array([p - o.log_likelihood for o, p in zip(ours, peers, strict=True)])
    return {
        "name": name,
        "ours_s": ours_s,
        "peer_s": peer_s,
        "ratio": peer_s / ours_s,
        "accuracy": float(max(short.max(), 0.0)),
        "gate": GATE,
        "n": f"{len(samples)} series, {sum(map(len, samples)) // len(samples)} sessions on average",
        "note": f"CPU seconds, one thread, both with standard errors; accuracy is the most log-likelihood that ours lacks; ours "
        f"is higher by more than the gate on {int((short < -GATE).sum())} series",
    }


def compare_filters(name: str, samples: list[np.ndarray]) -> dict[str, Any]:
    """Filter every sample with both engines and our parameters."""
    models = [fit(x, student=False) for x in samples]
    begin = time.process_time()
    ours = [filtered(x, model) for x, model in zip(samples, models, strict=True)]
    ours_s = time.process_time() - begin
    built = [peer_model(x) for x in samples]
    begin = time.process_time()
    peers = [peer.filter(of_peer(model)) for peer, model in zip(built, models, strict=True)]
    peer_s = time.process_time() - begin
    gaps = [np.abs(p.filtered_marginal_probabilities - o).max() for o, p in zip(ours, peers, strict=True)]
    return {
        "name": name,
        "ours_s": ours_s,
        "peer_s": peer_s,
        "ratio": peer_s / ours_s,
        "accuracy": float(max(gaps)),
        "gate": FILTER_GATE,
        "n": f"{len(samples)} series, {sum(map(len, samples)) // len(samples)} sessions on average",
        "note": "CPU seconds, one thread; accuracy is the largest difference of a probability",
    }


def peer_model(returns: np.ndarray) -> Any:
    """The peer's model: two states with their own mean and variance."""
    from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression

    return MarkovRegression(returns, k_regimes=2, switching_variance=True)


def of_peer(model: HiddenMarkov) -> np.ndarray:
    """Our parameters in the peer's order."""
    return np.array([model.transition[0, 0], model.transition[1, 0], *model.means, *model.deviations**2])


def peer_fit(returns: np.ndarray) -> float:
    """Log-likelihood of the peer's fit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(peer_model(returns).fit(disp=False).llf)
