"""Do regressions on returns derived by hand find the planted loadings, as often as their intervals say?

Every draw is a new simulated market: its raw prices, splits and dividends give the total returns, the true factors explain
them, and the interval of each loading either covers the planted one or does not.

Run as ``python -m etf_pipeline_tests.prove.beta_coverage_study``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.providers import RawMarket
from etf_pipeline.providers.simulated import SimulatedMarket

Floats = npt.NDArray[np.float64]

Z = 1.959964
"""Two-sided 95 % of a normal distribution."""
EXCHANGE = "XNYS"
CLAIM = "95 % HAC intervals of market and factor loadings cover the planted ones in 90 to 98 % of funds and draws"


def holds(result: dict[str, Any]) -> bool:
    """Whether the claim stands."""
    return all(0.90 <= result[name] <= 0.98 for name in ("coverage_market", "coverage_factors"))


def total_returns(raw: RawMarket) -> pd.DataFrame:
    """Split times (close plus dividend) over the close before, less 1; one column per fund."""
    close, amounts = raw.prices.pivot(index="session", columns="ticker", values="close"), {}
    for kind, nothing in (("split", 1.0), ("dividend", 0.0)):
        rows = raw.actions[raw.actions["kind"] == kind]
        table = rows.pivot(index="ex_date", columns="ticker", values="value")
        amounts[kind] = table.reindex(index=close.index, columns=close.columns).fillna(nothing)
    return amounts["split"] * (close + amounts["dividend"]) / close.shift() - 1


def newey_west(x: Floats, residual: Floats) -> Floats:
    """Covariance of least-squares slopes under heteroskedasticity and autocorrelation, Bartlett weights [1]_.

    References
    ----------
    .. [1] W. Newey and K. West, "A simple, positive semi-definite, heteroskedasticity and autocorrelation consistent
       covariance matrix," Econometrica 55(3), 1987; lags 4 (n/100)^(2/9) as in their Rev. Econ. Stud. 61(4), 1994.
    """
    n, k = x.shape
    lags = int(4 * (n / 100) ** (2 / 9))
    scores = x * residual[:, None]
    middle = scores.T @ scores
    for lag in range(1, lags + 1):
        cross = scores[lag:].T @ scores[:-lag]
        middle += (1 - lag / (lags + 1)) * (cross + cross.T)
    inverse = np.linalg.inv(x.T @ x)
    return np.asarray(inverse @ middle @ inverse * n / (n - k), dtype=np.float64)


def errors_of(excess: pd.Series, factors: pd.DataFrame, planted: pd.Series) -> tuple[Floats, Floats]:
    """(estimate less planted loading, standard error) of one fund, one entry per factor."""
    y = excess.dropna()
    x = np.column_stack([np.ones(len(y)), factors.loc[y.index].to_numpy()])
    slopes = np.linalg.lstsq(x, y.to_numpy(), rcond=None)[0]
    spread = np.sqrt(np.diag(newey_west(x, y.to_numpy() - x @ slopes)))
    return slopes[1:] - planted.to_numpy(), spread[1:]


def one_market(seed: int) -> tuple[Floats, Floats]:
    """Errors and standard errors of every fund (rows) and factor (columns) of one market."""
    market = SimulatedMarket("demo", seed=seed)
    truth = market.truth()
    factors = truth.factors[EXCHANGE]
    names = [name for name in factors.columns if name != "RF"]
    excess = total_returns(market.fetch()).sub(factors["RF"], axis=0)
    found = [errors_of(excess[ticker], factors[names], truth.loadings.loc[ticker, names]) for ticker in excess.columns]
    error, spread = zip(*found, strict=True)
    return np.array(error), np.array(spread)


def study(draws: int = 100, seed: int = 1000) -> dict[str, Any]:
    """Cover of the intervals over `draws` markets of the seeds from `seed` on.

    Returns
    -------
    dict
        `coverage_market` and `coverage_factors` (0.90 to 0.98 is right; funds of one market share its factors, so `draws` times
        12 intervals stand for a few hundred independent ones), their binomial standard error over draws, `worst_factor` and
        its cover, `mean_error_market` in loadings.
    """
    parts = [one_market(seed + i) for i in range(draws)]
    error, spread = (np.stack(x) for x in zip(*parts, strict=True))
    covered = np.abs(error) <= Z * spread
    by_factor = covered.mean(axis=(0, 1))
    market = covered[:, :, 0].mean(axis=1)
    names = list(SimulatedMarket("demo", seed=seed).truth().factors[EXCHANGE].columns)
    return {
        "draws": draws,
        "seed": seed,
        "funds": error.shape[1],
        "coverage_market": float(market.mean()),
        "coverage_market_se": float(market.std(ddof=1) / math.sqrt(draws)),
        "coverage_factors": float(covered[:, :, 1:].mean()),
        "worst_factor": names[int(by_factor.argmin())],
        "coverage_worst": float(by_factor.min()),
        "mean_error_market": float(error[:, :, 0].mean()),
    }


if __name__ == "__main__":
    print(study())
