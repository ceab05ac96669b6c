"""The whole hidden history of one seed: factors, indices, and what every fund earned on each exchange.

Everything is drawn here once, from a seed and in a fixed order; the tables that a provider delivers, and the truth that tests
read, are both taken from the result.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.calendars import sessions
from etf_pipeline.conventions import PERCENT, SESSIONS_PER_YEAR
from etf_pipeline.panel import Floats
from etf_pipeline.providers.simulated import factors, history, indices
from etf_pipeline.providers.simulated.funds import FUNDS, INDICES, FundSpec

EXCHANGES = ("XNYS", "XASX")
TRACKING = 0.0015
"""Annual volatility of a fund around its index. [fraction per year]"""
STREAMS = {name: i for i, name in enumerate(("factors", "australia", "XNYS", "XASX", "bars", "aum", "bills", "macro"))}


@dataclass(frozen=True)
class Exchange:
    """One exchange's hidden history: sessions, factors as met there, and its funds' returns.

    Attributes
    ----------
    sessions : DatetimeIndex of shape (n,)
    funds : tuple of FundSpec, length m
    factor_names : tuple of str, length k
    factors : ndarray of shape (n, k)
        Simple factor returns of each session.
    loadings : ndarray of shape (m, k)
        Of the funds, leverage included.
    bill : ndarray of shape (n,)
        Bill return of each session, known at the close before. [fraction per session]
    returns : ndarray of shape (n, m)
        Total returns after costs, whether listed or not. [fraction per session]
    planted : ndarray of shape (n, m)
        Part of the expected return that past returns reveal. [fraction per session]
    sigma : ndarray of shape (n, m)
        Conditional standard deviation of each session, known at the close before. [fraction per session]
    aud : ndarray of shape (n,)
        USD per AUD at the latest New York close. [USD]
    """

    sessions: pd.DatetimeIndex
    funds: tuple[FundSpec, ...]
    factor_names: tuple[str, ...]
    factors: Floats
    loadings: Floats
    bill: Floats
    returns: Floats
    planted: Floats
    sigma: Floats
    aud: Floats


@dataclass(frozen=True)
class World:
    """Everything that was drawn from one seed."""

    seed: int
    paths: factors.FactorPaths
    bill_yield: Floats
    ten_year: Floats
    aud: Floats
    exchanges: dict[str, Exchange]


def stream(seed: int, name: str) -> np.random.Generator:
    """The generator of one part of the market, so that a change in one part leaves the others as they were."""
    return np.random.default_rng([seed, STREAMS[name]])


@functools.lru_cache(maxsize=2)
def simulate_world(seed: int) -> World:
    """Draw the market of a seed; remembered, because every table is taken from it."""
    days = sessions("XNYS", history.FIRST, history.LAST)
    paths = factors.simulate_factors(days, stream(seed, "factors"))
    bills = _bill_yield(days, stream(seed, "bills"))
    ten_year = history.anchored("DGS10", days[:1])[0] - np.cumsum(paths.returns[:, factors.US_FACTORS.index("RATES")]) / PERCENT
    aud = history.anchored("AUDUSD", days[:1])[0] * np.cumprod(1 + paths.returns[:, factors.US_FACTORS.index("AUD")])
    covered = _variance_of(paths)
    new_york = _exchange("XNYS", seed, days, paths.returns, factors.US_FACTORS, bills, ten_year, aud, covered, paths)
    sydney = _sydney(seed, days, paths, bills, ten_year, aud, covered)
    return World(seed, paths, bills, ten_year, aud, {"XNYS": new_york, "XASX": sydney})


def bill_return(discount: Floats, days: pd.DatetimeIndex) -> Floats:
    """Return of each session from the bill's discount of the session before, act/360; zero in the first. [fraction]"""
    gap = np.diff(days.to_numpy().astype("datetime64[D]").astype(float))
    rate = discount[:-1] * PERCENT / (1 - discount[:-1] * PERCENT * 91 / 360)
    return np.concatenate([[0.0], rate * gap / 360])


def _sydney(
    seed: int, days: pd.DatetimeIndex, paths: factors.FactorPaths, bills: Floats, ten_year: Floats, aud: Floats, covered: Any
) -> Exchange:
    local = sessions("XASX", history.FIRST, history.LAST)
    met, joins = factors.to_australia(paths, local, stream(seed, "australia"))
    latest = np.maximum(np.searchsorted(joins, np.arange(len(local)), side="right") - 1, 0)

    def variance_there(loadings: Floats) -> Floats:
        there = factors.gather(covered(loadings[:, :-1]), joins, len(local))
        return there + (loadings[:, -1] * factors.AUSTRALIAN_VOLATILITY) ** 2 / SESSIONS_PER_YEAR

    names = (*factors.US_FACTORS, factors.AUSTRALIA)
    return _exchange("XASX", seed, local, met, names, bills[latest], ten_year[latest], aud[latest], variance_there, paths, latest)


def _exchange(
    code: str,
    seed: int,
    days: pd.DatetimeIndex,
    met: Floats,
    names: tuple[str, ...],
    bills: Floats,
    ten_year: Floats,
    aud: Floats,
    variance: Any,
    paths: factors.FactorPaths,
    latest: npt.NDArray[np.intp] | None = None,
) -> Exchange:
    funds = tuple(f for f in FUNDS if f.exchange == code)
    tracked = list(dict.fromkeys(f.index for f in funds))
    loadings = _loadings(tracked, names)
    market = np.sqrt(paths.variance[:-1] * SESSIONS_PER_YEAR) / factors.REFERENCE_VOLATILITY
    stress = np.sqrt(market if latest is None else market[latest])
    bill = bill_return(bills, days)
    noise = indices.daily(np.array([INDICES[i].noise for i in tracked]))
    systematic = bill[:, None] + _carry(tracked, names, bills, ten_year) + np.einsum("tk,mk->tm", met, loadings)
    rng = stream(seed, code)
    drawn = indices.simulate_indices(systematic, noise, stress, rng)
    which = np.array([tracked.index(f.index) for f in funds])
    multiple = np.array([f.leverage for f in funds])
    around = indices.daily(np.array(TRACKING)) * rng.standard_normal((len(days), len(funds)))
    cost = np.array([f.expense_ratio for f in funds]) / SESSIONS_PER_YEAR
    returns = bill[:, None] + multiple * (drawn.returns[:, which] - bill[:, None]) - cost + around
    squared = variance(loadings) + drawn.noise_sigma**2
    sigma = np.sqrt(multiple**2 * squared[:, which] + TRACKING**2 / SESSIONS_PER_YEAR)
    mine = loadings[which] * multiple[:, None]
    return Exchange(days, funds, names, met, mine, bill, returns, drawn.planted[:, which] * multiple, sigma, aud)


def _loadings(tracked: list[str], names: tuple[str, ...]) -> Floats:
    return np.array([[INDICES[i].loadings.get(f, 0.0) for f in names] for i in tracked])


def _carry(tracked: list[str], names: tuple[str, ...], bills: Floats, ten_year: Floats) -> Floats:
    """Drift beyond bill and factors: an index's own, and for bonds the slope of the curve that their duration earns."""
    slope = np.concatenate([[0.0], (ten_year - bills)[:-1]]) * PERCENT
    duration = np.array([INDICES[i].loadings.get("RATES", 0.0) * (INDICES[i].asset_class == "bond") for i in tracked])
    own = np.array([INDICES[i].drift for i in tracked])
    return (own + slope[:, None] * np.minimum(duration / 8, 1.0)) / SESSIONS_PER_YEAR


def _variance_of(paths: factors.FactorPaths) -> Any:
    """The function from loadings (m, k) to the variance (n, m) that the factors give them in each session."""
    turned = factors.is_late(paths.sessions)[:, None]
    roots = [np.linalg.cholesky(factors.correlation(late)) for late in (False, True)]

    def variance(loadings: Floats) -> Floats:
        scaled = loadings[None, :, :] * paths.sigma[:, None, :]
        early, late = (np.square(np.einsum("tmf,fk->tmk", scaled, root)).sum(axis=2) for root in roots)
        return cast(Floats, early * (1 - turned) + late * turned)

    return variance


def _bill_yield(days: pd.DatetimeIndex, rng: np.random.Generator) -> Floats:
    """13-week bill discount in percent: through its anchors, with small moves, a little below zero now and then."""
    noise, last = np.empty(len(days)), 0.0
    for t, e in enumerate(rng.standard_normal(len(days))):
        last = 0.97 * last + 0.012 * e
        noise[t] = last
    return np.round(np.maximum(history.anchored("TBILL13W", days) + noise, -0.05), 3)
