"""Loadings of funds on the tradable factors: measured betas, drawn towards what the class and duration of a fund suggest.

A bond fund's prior speaks the language of its trade: its return is minus duration times the change of yields, and minus spread
duration times the change of spreads. A fund that is too young to have betas stands on its prior alone, and is told as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline.panel import Floats
from etf_pipeline.stress.factors import FactorMarket

SPREAD_RATIOS: Mapping[str, float] = MappingProxyType(
    {
        "government": 0.0,
        "inflation_linked": 0.0,
        "municipal": 0.15,
        "investment_grade": 0.3,
        "unplaced_bond": 0.3,
        "emerging_bond": 0.8,
        "high_yield": 1.0,
    }
)
"""Move of a bond class's spread per move of the high-yield spread: spreads move in proportion to their levels [1]_, and these are
the ratios of usual levels (index spreads of about 1.2, 3.2 and 4 %).

.. [1] A. Ben Dor, L. Dynkin, J. Hyman, P. Houweling, E. van Leeuwen, O. Penninga, "DTS (Duration Times Spread)," Journal of
   Portfolio Management 33 (2), 77-100, 2007. doi:10.3905/jpm.2007.674795
"""

PRIOR_SHARE, PRIOR_LEAST = 0.5, 0.1
"""Deviation of a duration prior: half of it, since a bucket is wide, and at least a tenth of the factor's."""

MINIMUM_FUNDS = 5
"""Funds of a class without which it has no mean of its own."""

BETA, CLASS = "beta", "class"


@dataclass(frozen=True)
class Loadings:
    """What funds load on.

    Attributes
    ----------
    tickers : Index of shape (n_assets,)
    factors : tuple of str
        Tradable factors in the model.
    values, errors : ndarray of shape (n_assets, n_factors)
        Loading and its standard error. [return per return]
    basis : tuple of str
        Per fund `beta`, or `class` where only its class and duration tell.
    session : Timestamp or None
        Month's end of the betas; None where there are none.
    """

    tickers: pd.Index[Any]
    factors: tuple[str, ...]
    values: Floats
    errors: Floats
    basis: tuple[str, ...]
    session: pd.Timestamp | None

    @classmethod
    def of(
        cls,
        tickers: pd.Index[Any],
        session: pd.Timestamp,
        betas: pd.DataFrame,
        profile: pd.DataFrame,
        reference: pd.DataFrame,
        market: FactorMarket,
    ) -> Loadings | None:
        """Loadings as of a session.

        Parameters
        ----------
        tickers : Index
            Funds that are wanted.
        session : Timestamp
            The decision; betas and profiles of the last month's end up to it count.
        betas, profile, reference : DataFrame
            `multi_factor_betas`, `fund_profile` and `dim_etf`.
        market : FactorMarket

        Returns
        -------
        Loadings or None
            None where no betas are known by then.

        Notes
        -----
        Each loading is the mean of estimate and prior, weighed by precision. The prior of a class is the mean of its funds'
        betas, with the variance that they show beyond their errors; that of a bond fund to rates and credit is its duration
        over that of the factor, and its spread duration likewise. A geared fund's betas stay: its class says nothing about it.
        """
        now = _latest(betas, session)
        if now is None:
            return None
        factors = tuple(name for name in market.loaded if name in set(now["factor"]))
        everyone = pd.Index(sorted(set(now["ticker"]) | set(tickers)))
        beta, error = (_table(now, name, everyone, factors) for name in ("beta", "error"))
        facts = _facts(_latest(profile, session), reference, everyone)
        prior, spread = _prior(beta, error, facts, factors, market)
        known = np.isfinite(beta)
        stays = known & (facts["is_geared"].to_numpy(dtype=bool)[:, None] | (error <= 0.0))
        value, deviation = _weighed(beta, error, prior, spread, known, stays)
        at = everyone.get_indexer(tickers)
        basis = tuple(BETA if known[i].any() else CLASS for i in at)
        return cls(tickers, factors, value[at], deviation[at], basis, now["session"].iloc[0])


def _weighed(beta: Floats, error: Floats, prior: Floats, spread: Floats, known: Any, stays: Any) -> tuple[Floats, Floats]:
    """Posterior mean and deviation of normal estimate and prior."""
    precise = np.where(known, 1.0 / np.maximum(np.nan_to_num(error), 1e-9) ** 2, 0.0)
    loose = 1.0 / spread**2
    value = (precise * np.nan_to_num(beta) + loose * prior) / (precise + loose)
    return np.where(stays, beta, value), np.where(stays, error, 1.0 / np.sqrt(precise + loose))


def _latest(frame: pd.DataFrame, session: pd.Timestamp) -> pd.DataFrame | None:
    rows = frame.loc[frame["session"] <= session]
    return rows.loc[rows["session"] == rows["session"].max()] if len(rows) else None


def _table(rows: pd.DataFrame, column: str, tickers: pd.Index[Any], factors: tuple[str, ...]) -> Floats:
    out = np.full((len(tickers), len(factors)), np.nan)
    kept = rows.loc[rows["factor"].isin(factors)]
    j = pd.Index(factors).get_indexer(pd.Index(kept["factor"]))
    out[tickers.get_indexer(pd.Index(kept["ticker"])), j] = kept[column].to_numpy(dtype=np.float64)
    return out


def _facts(profile: pd.DataFrame | None, reference: pd.DataFrame, tickers: pd.Index[Any]) -> pd.DataFrame:
    """`asset_class`, `sub_class`, `duration`, `is_geared` by ticker; the reference fills what the profile does not know yet."""
    told = reference.set_index("ticker").reindex(tickers)
    out = pd.DataFrame(
        {
            "asset_class": told["asset_class"].fillna("unknown"),
            "sub_class": "unknown",
            "duration": np.nan,
            "is_geared": told["is_geared"].fillna(False).astype(bool),
        },
        index=tickers,
    )
    if profile is not None:
        rows = profile.set_index("ticker")[["asset_class", "sub_class", "duration"]].reindex(tickers)
        for name in rows:
            out[name] = rows[name].where(rows[name].notna(), out[name])
    return out


def _prior(
    beta: Floats, error: Floats, facts: pd.DataFrame, factors: tuple[str, ...], market: FactorMarket
) -> tuple[Floats, Floats]:
    """Prior mean and deviation per fund and factor."""
    classes = facts["asset_class"].to_numpy()
    plain = ~facts["is_geared"].to_numpy(dtype=bool)
    mean, spread = np.zeros_like(beta), np.ones_like(beta)
    for name in np.unique(classes):
        mine = classes == name
        for j in range(len(factors)):
            sample = mine & plain & np.isfinite(beta[:, j])
            pool = sample if sample.sum() >= MINIMUM_FUNDS else plain & np.isfinite(beta[:, j])
            mean[mine, j], spread[mine, j] = _moments(beta[pool, j], error[pool, j])
    duration = facts["duration"].to_numpy(dtype=np.float64)
    ratio = facts["sub_class"].map(SPREAD_RATIOS).to_numpy(dtype=np.float64)
    for name, told, unit in (("rates", duration, market.duration), ("credit", duration * ratio, market.spread_duration)):
        if name in factors and unit > 0.0:
            j, known = factors.index(name), np.isfinite(told)
            mean[known, j] = told[known] / unit
            spread[known, j] = np.maximum(PRIOR_SHARE * mean[known, j], PRIOR_LEAST)
    return mean, spread


def _moments(beta: Floats, error: Floats) -> tuple[float, float]:
    """Mean of a class, and the deviation of true loadings in it."""
    if len(beta) < 2:
        return (float(beta.mean()) if len(beta) else 0.0), 1.0
    return float(beta.mean()), float(np.sqrt(max(beta.var(ddof=1) - np.mean(error**2), PRIOR_LEAST**2)))
