"""The whole hidden history of one seed: factors, indices, and what every fund earned on each exchange.

Everything is drawn here once, from a seed and in a fixed order; the tables that a provider delivers, and the truth that tests
read, are both taken from the result.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from etf_pipeline.calendars import sessions
from etf_pipeline.conventions import PERCENT, SESSIONS_PER_YEAR
from etf_pipeline.panel import Floats
from etf_pipeline.providers.simulated import factors, history, indices
from etf_pipeline.providers.simulated.cohort import SPECS, cohort_funds
from etf_pipeline.providers.simulated.funds import FUNDS, FundSpec

EXCHANGES = ("XNYS", "XASX")
TRACKING = 0.0015
"""Annual volatility of a fund around its index. [fraction per year]"""
PARTS = (
    *("factors", "australia", "XNYS", "XASX", "bars", "aum", "bills", "macro", "economy"),
    *("terms", "cohort", "cohort_bars", "cohort_aum", "fates"),
)
STREAMS = {name: i for i, name in enumerate(PARTS)}
"""Number of each part's own stream: a new part comes last, so that it leaves the others as they were."""


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
    index_returns : ndarray of shape (n, n_indices)
        Of the indices that the funds track, before costs. [fraction per session]
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
    index_returns: Floats


@dataclass(frozen=True)
class Conditions:
    """What the funds of one exchange meet, session by session: factors, levels, and how turbulent it is.

    Attributes
    ----------
    bills, ten_year : ndarray of shape (n,)
        Yields. [percent]
    stress : ndarray of shape (n,)
        Multiple of an index's own noise. [ratio]
    variance : callable
        From loadings (m, k) to the variance (n, m) that the factors give them.
    """

    sessions: pd.DatetimeIndex
    names: tuple[str, ...]
    factors: Floats
    bills: Floats
    ten_year: Floats
    aud: Floats
    stress: Floats
    variance: Callable[[Floats], Floats]


@dataclass(frozen=True)
class World:
    """Everything that was drawn from one seed: what each exchange's lasting funds did, and the short-lived of New York."""

    seed: int
    paths: factors.FactorPaths
    bill_yield: Floats
    ten_year: Floats
    aud: Floats
    exchanges: dict[str, Exchange]
    cohort: Exchange


def stream(seed: int, name: str) -> np.random.Generator:
    """The generator of one part of the market, so that a change in one part leaves the others as they were."""
    return np.random.default_rng([seed, STREAMS[name]])


@functools.lru_cache(maxsize=2)
def simulate_world(seed: int) -> World:
    """Draw the market of a seed; remembered, because every table is taken from it."""
    days = sessions("XNYS", history.FIRST, history.LAST)
    paths = factors.simulate_factors(days, stream(seed, "factors"))
    bills = _bill_yield(days, stream(seed, "bills"))
    ten_year = history.anchored("DGS10", days[:1])[0] - np.cumsum(paths.returns[:, factors.RATES]) / PERCENT
    aud = history.anchored("AUDUSD", days[:1])[0] * np.cumprod(1 + paths.returns[:, factors.US_FACTORS.index("AUD")])
    met = _met_in_new_york(paths, bills, ten_year, aud)
    new_york = _exchange(met, _of("XNYS"), stream(seed, "XNYS"))
    sydney = _sydney(seed, paths, bills, ten_year, aud)
    cohort = _exchange(met, cohort_funds(days, stream(seed, "terms")), stream(seed, "cohort"), new_york.index_returns)
    return World(seed, paths, bills, ten_year, aud, {"XNYS": new_york, "XASX": sydney}, cohort)


def bill_return(discount: Floats, days: pd.DatetimeIndex) -> Floats:
    """Return of each session from the bill's discount of the session before, act/360; zero in the first. [fraction]"""
    gap = np.diff(days.to_numpy().astype("datetime64[D]").astype(float))
    rate = discount[:-1] * PERCENT / (1 - discount[:-1] * PERCENT * 91 / 360)
    return np.concatenate([[0.0], rate * gap / 360])


def _of(code: str) -> tuple[FundSpec, ...]:
    return tuple(f for f in FUNDS if f.exchange == code)


def _met_in_new_york(paths: factors.FactorPaths, bills: Floats, ten_year: Floats, aud: Floats) -> Conditions:
    variance = functools.partial(_variance, paths)
    return Conditions(paths.sessions, factors.US_FACTORS, paths.returns, bills, ten_year, aud, _stress(paths), variance)


def _sydney(seed: int, paths: factors.FactorPaths, bills: Floats, ten_year: Floats, aud: Floats) -> Exchange:
    """Sydney trades on what New York left: every level there is the latest New York close's."""
    local = sessions("XASX", history.FIRST, history.LAST)
    returns, joins = factors.to_australia(paths, local, stream(seed, "australia"))
    latest = np.maximum(np.searchsorted(joins, np.arange(len(local)), side="right") - 1, 0)

    def variance(loadings: Floats) -> Floats:
        abroad = factors.gather(_variance(paths, loadings[:, :-1]), joins, len(local))
        return abroad + (loadings[:, -1] * factors.AUSTRALIAN_VOLATILITY) ** 2 / SESSIONS_PER_YEAR

    names = (*factors.US_FACTORS, factors.AUSTRALIA)
    levels = (bills[latest], ten_year[latest], aud[latest], _stress(paths)[latest])
    return _exchange(Conditions(local, names, returns, *levels, variance), _of("XASX"), stream(seed, "XASX"))


def _exchange(met: Conditions, funds: tuple[FundSpec, ...], rng: np.random.Generator, peers: Floats | None = None) -> Exchange:
    """Draw the indices that funds track, momentum ranked among the `peers` where given, then what the funds make of them."""
    tracked = list(dict.fromkeys(f.index for f in funds))
    loadings = np.array([[SPECS[i].loadings.get(f, 0.0) for f in met.names] for i in tracked])
    bill = bill_return(met.bills, met.sessions)[:, None]
    noise = indices.daily(np.array([SPECS[i].noise for i in tracked]))
    systematic = bill + _carry(tracked, met) + np.einsum("tk,mk->tm", met.factors, loadings)
    drawn = indices.simulate_indices(systematic, noise, met.stress, rng, peers)
    which = np.array([tracked.index(f.index) for f in funds])
    multiple = np.array([f.leverage for f in funds])
    cost = np.array([f.expense_ratio for f in funds]) / SESSIONS_PER_YEAR
    around = TRACKING / np.sqrt(SESSIONS_PER_YEAR) * rng.standard_normal((len(met.sessions), len(funds)))
    squared = (met.variance(loadings) + drawn.noise_sigma**2)[:, which]
    return Exchange(
        sessions=met.sessions,
        funds=funds,
        factor_names=met.names,
        factors=met.factors,
        loadings=loadings[which] * multiple[:, None],
        bill=bill[:, 0],
        returns=bill + multiple * (drawn.returns[:, which] - bill) - cost + around,
        planted=drawn.planted[:, which] * multiple,
        sigma=np.sqrt(multiple**2 * squared + TRACKING**2 / SESSIONS_PER_YEAR),
        aud=met.aud,
        index_returns=drawn.returns,
    )


def _stress(paths: factors.FactorPaths) -> Floats:
    """Indices' own noise grows with the root of market volatility."""
    return np.asarray(np.sqrt(np.sqrt(paths.variance[:-1] * SESSIONS_PER_YEAR) / factors.REFERENCE_VOLATILITY), dtype=np.float64)


def _carry(tracked: list[str], met: Conditions) -> Floats:
    """Drift beyond bill and factors: an index's own, and for bonds the slope of the curve that their duration earns."""
    slope = np.concatenate([[0.0], (met.ten_year - met.bills)[:-1]]) * PERCENT
    duration = np.array([SPECS[i].loadings.get("RATES", 0.0) * (SPECS[i].asset_class == "bond") for i in tracked])
    own = np.array([SPECS[i].drift for i in tracked])
    return np.asarray((own + slope[:, None] * np.minimum(duration / 8, 1.0)) / SESSIONS_PER_YEAR, dtype=np.float64)


def _variance(paths: factors.FactorPaths, loadings: Floats) -> Floats:
    """Variance (n, m) that the factors give the loadings (m, k) in each New York session."""
    turned = factors.is_late(paths.sessions)[:, None]
    scaled = loadings[None, :, :] * paths.sigma[:, None, :]
    roots = (np.linalg.cholesky(factors.correlation(late)) for late in (False, True))
    early, late = (np.square(np.einsum("tmf,fk->tmk", scaled, root)).sum(axis=2) for root in roots)
    return np.asarray(early * (1 - turned) + late * turned, dtype=np.float64)


def _bill_yield(days: pd.DatetimeIndex, rng: np.random.Generator) -> Floats:
    """13-week bill discount in percent: through its anchors, with small moves, a little below zero now and then."""
    noise, last = np.empty(len(days)), 0.0
    for t, e in enumerate(rng.standard_normal(len(days))):
        last = 0.97 * last + 0.012 * e
        noise[t] = last
    return np.asarray(np.round(np.maximum(history.anchored("TBILL13W", days) + noise, -0.05), 3), dtype=np.float64)
