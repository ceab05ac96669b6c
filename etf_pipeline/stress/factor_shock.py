"""Factor shocks: what shocks, and what they drag along, do to a portfolio, fund by fund and factor by factor, and how surely.

The profit is linear in the returns of the tradable factors, ``w' B f``: funds' parts and factors' parts add up to it. There is no
floor under it: a linear model that loses more than everything says that it is asked too much.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from etf_pipeline.conventions import CASH
from etf_pipeline.panel import Floats
from etf_pipeline.regression import ols
from etf_pipeline.stress.factors import FactorMarket, legs, tradable_returns
from etf_pipeline.stress.history import History
from etf_pipeline.stress.loadings import BETA, Loadings
from etf_pipeline.stress.parameters import StressParameters
from etf_pipeline.stress.replay import CASH_BASIS
from etf_pipeline.stress.shocks import FACTORS, Shock

SPECIFIC = "specific"
"""What factors do not explain."""

GIVEN, PROPAGATED, STILL, REALISED = "given", "propagated", "still", "realised"
INTERVAL = 1.959963984540054
"""Standard normal quantile of a two-sided 95 % interval."""


@dataclass(frozen=True)
class Confidence:
    """How uncertain a portfolio's response to factors is.

    Attributes
    ----------
    covariance : ndarray of shape (n_factors, n_factors)
        Of the portfolio's loadings, by Newey and West.
    residual : float
        Deviation of a session that factors leave over. [fraction]
    """

    covariance: Floats
    residual: float

    @classmethod
    def of(
        cls, weights: dict[str, float], history: History, factors: tuple[str, ...], parameters: StressParameters
    ) -> Confidence:
        """From the line of the weights' own latest returns on the factors; unknown where too few sessions know all.

        The line of the whole portfolio, not of its funds: their errors hang together.
        """
        y = history.weighted(weights, parameters.fit_window)
        x = tradable_returns(history, parameters, factors)[-len(y) :]
        known = np.isfinite(y) & np.isfinite(x).all(axis=1)
        k = len(factors)
        if known.sum() < max(parameters.beta_minimum, 2 * k + 2):
            return cls(np.full((k, k), np.nan), float("nan"))
        if not np.any(y[known]):
            return cls(np.zeros((k, k)), 0.0)
        fit = ols(y[known], np.column_stack([np.ones(int(known.sum())), x[known]]), correct=True)
        return cls(fit.covariance[1:, 1:], float(np.sqrt(fit.residuals @ fit.residuals / (fit.n - k - 1))))


@dataclass(frozen=True)
class FactorShock:
    """A portfolio under shocks.

    Attributes
    ----------
    funds : DataFrame of shape (n_held, 5)
        `ticker`, `weight`, `asset_return`, `contribution`, `basis`.
    factors : DataFrame of shape (n_names, 7)
        `factor`, `unit`, `shock`, `basis`, `factor_return`, `exposure`, `contribution`.
    error : float
        Deviation of the result: of the loadings, of what the shocks leave open in the other factors, of what factors leave over
        in `horizon` sessions. [fraction]
    """

    funds: pd.DataFrame
    factors: pd.DataFrame
    error: float

    @property
    def profit(self) -> float:
        """Sum of the funds' parts. [fraction]"""
        return float(self.funds["contribution"].sum())

    @property
    def coverage(self) -> float:
        """Weight of cash and of the funds with measured betas."""
        return float(self.funds.loc[self.funds["basis"] != "class_loading", "weight"].sum())


def apply_shocks(
    weights: dict[str, float],
    shocks: tuple[Shock, ...],
    horizon: int,
    loadings: Loadings,
    market: FactorMarket,
    confidence: Confidence,
    *,
    alone: bool = False,
) -> FactorShock:
    """A portfolio under shocks.

    Parameters
    ----------
    weights : dict of str to float
        Fraction of net asset value per ticker, CASH included.
    shocks : tuple of Shock
        What is given; the rest is propagated.
    horizon : int
        Sessions that it takes: what stays open grows with it. [sessions]
    loadings : Loadings
        Of the held funds at least.
    market : FactorMarket
    confidence : Confidence
    alone : bool, default False
        Whether the other factors stand still.

    Returns
    -------
    FactorShock

    Notes
    -----
    The variance of the result is ``f' V f + b' J C J' b h + s^2 h``: V of the portfolio's loadings, C what the shocks leave open
    in the other factors per session, J from factors to tradable returns, s what factors leave over.
    """
    move, open_moves = market.propagate(shocks, alone)
    at = [market.loaded.index(name) for name in loadings.factors]
    f, slopes = market.returns(move)[at], market.slopes(move)[at]
    funds = _funds(weights, loadings, f)
    exposure = portfolio_loadings(weights, loadings)
    spread = slopes @ open_moves @ slopes.T * horizon
    variance = f @ confidence.covariance @ f + exposure @ spread @ exposure + confidence.residual**2 * horizon
    told = {shock.factor for shock in shocks}
    rows = []
    for i, name in enumerate(market.names):
        j = loadings.factors.index(name) if name in loadings.factors else None
        rows.append(
            {
                "factor": name,
                "unit": FACTORS[name].unit,
                "shock": move[i],
                "basis": GIVEN if name in told else STILL if alone else PROPAGATED,
                "factor_return": np.nan if j is None else f[j],
                "exposure": np.nan if j is None else exposure[j],
                "contribution": 0.0 if j is None else exposure[j] * f[j],
            }
        )
    return FactorShock(funds, pd.DataFrame(rows), float(np.sqrt(variance)))


def portfolio_loadings(weights: dict[str, float], loadings: Loadings) -> Floats:
    """Loadings of a portfolio, of shape (n_factors,)."""
    return np.asarray(_held(weights, loadings) @ loadings.values, dtype=np.float64)


def _held(weights: dict[str, float], loadings: Loadings) -> Floats:
    return np.array([weights.get(str(ticker), 0.0) for ticker in loadings.tickers])


def _funds(weights: dict[str, float], loadings: Loadings, f: Floats) -> pd.DataFrame:
    place = {str(ticker): i for i, ticker in enumerate(loadings.tickers)}
    moved = np.array([0.0 if ticker == CASH else float(loadings.values[place[ticker]] @ f) for ticker in weights])
    held = np.array(list(weights.values()), dtype=np.float64)
    basis = [CASH_BASIS if ticker == CASH else _basis(loadings.basis[place[ticker]]) for ticker in weights]
    return pd.DataFrame(
        {"ticker": list(weights), "weight": held, "asset_return": moved, "contribution": held * moved, "basis": basis}
    )


def _basis(name: str) -> str:
    return "factor_loading" if name == BETA else "class_loading"


def explain_replay(
    profit: float,
    weights: dict[str, float],
    window: tuple[int, int] | None,
    history: History,
    loadings: Loadings,
    p: StressParameters,
) -> pd.DataFrame:
    """What today's loadings on the factors' returns in a window say of a replayed profit; the rest is `specific`.

    Returns
    -------
    DataFrame
        Columns as of `FactorShock.factors`; no rows where a factor's fund has no bar on both ends.
    """
    columns = ["factor", "unit", "shock", "basis", "factor_return", "exposure", "contribution"]
    if window is None:
        return pd.DataFrame(columns=columns)
    first, last = window
    with np.errstate(invalid="ignore"):
        moved = history.index[last] / history.index[first] - 1.0
    f = _window_returns(moved, history, loadings.factors, p)
    if not np.isfinite(f).all():
        return pd.DataFrame(columns=columns)
    exposure = portfolio_loadings(weights, loadings)
    parts = exposure * f
    rows = [(name, "fraction", f[j], REALISED, f[j], exposure[j], parts[j]) for j, name in enumerate(loadings.factors)]
    rows.append((SPECIFIC, "fraction", np.nan, REALISED, np.nan, np.nan, profit - float(parts.sum())))
    return pd.DataFrame(rows, columns=columns)


def _window_returns(moved: Floats, history: History, names: tuple[str, ...], p: StressParameters) -> Floats:
    pairs = legs(p)
    out = [moved[history.column(pairs[n][0])] - (moved[history.column(pairs[n][1])] if pairs[n][1] else 0.0) for n in names]
    return np.array(out)
