"""Factor returns of the simulated market: one volatility for all, fat tails drawn together, crises pinned to their depth.

The market's conditional variance is a dated level times a NAGARCH(1,1) [1]_, whose asymmetry makes volatility rise when the
market falls; every other factor's volatility is a power of it. Shocks are multivariate Student t with one mixing variable
per session, so that extremes come together. The VIX is the model's own 21-session variance forecast with a risk premium.

References
----------
.. [1] R. Engle and V. Ng, "Measuring and testing the impact of news on volatility," J. Finance 48(5), 1993.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.calendars import closes
from etf_pipeline.conventions import PERCENT, SESSIONS_PER_YEAR
from etf_pipeline.panel import Floats
from etf_pipeline.providers.simulated import history

Positions = npt.NDArray[np.intp]

ALPHA, BETA, THETA = 0.045, 0.82, 1.5
PERSISTENCE = ALPHA * (1 + THETA**2) + BETA
"""0.966: half of a volatility shock is gone after 20 sessions."""
DEGREES_OF_FREEDOM = 7.0
REFERENCE_VOLATILITY = 0.16
"""Annual market volatility at which every factor has its stated volatility."""
VARIANCE_PREMIUM = 1.17
"""VIX over expected volatility; implied exceeds realised on average."""
STOCK_BOND_TURN = "2022-01-01"
"""From here on stocks and bonds fall together."""


class FactorSpec(NamedTuple):
    """A factor: annual volatility, annual premium (log), and the power with which it follows market volatility."""

    volatility: float
    premium: float
    stress: float


FACTORS: dict[str, FactorSpec] = {
    "MKT": FactorSpec(REFERENCE_VOLATILITY, history.CALM_PREMIUM, 1.0),
    "SMB": FactorSpec(0.085, 0.005, 0.5),
    "HML": FactorSpec(0.100, 0.010, 0.6),
    "RMW": FactorSpec(0.065, 0.025, 0.5),
    "CMA": FactorSpec(0.060, 0.010, 0.5),
    "MOM": FactorSpec(0.125, 0.030, 0.8),
    "RATES": FactorSpec(0.0088, 0.0, 0.35),
    "CREDIT": FactorSpec(0.0150, 0.013, 1.1),
    "CMDTY": FactorSpec(0.240, 0.0, 0.5),
    "GOLD": FactorSpec(0.165, 0.0, 0.3),
    "USD": FactorSpec(0.075, 0.005, 0.4),
    "AUD": FactorSpec(0.115, 0.0, 0.6),
    "INTL": FactorSpec(0.095, -0.005, 0.5),
}
"""Priced sources of return. RATES is minus the change of the ten-year yield, so a loading on it is a duration in years; a
loading on CREDIT is a spread duration; AUD is the US dollar price of the Australian dollar; INTL is abroad over the US."""

US_FACTORS = tuple(FACTORS)
RATES = US_FACTORS.index("RATES")
ORDINARY_YIELD = 3.0
"""Ten-year yield in percent at which yields move as much as stated; low yields move less."""
AUSTRALIA = "AUS"
AUSTRALIAN_VOLATILITY = 0.115

CORRELATIONS: dict[tuple[str, str], float] = {
    ("MKT", "SMB"): 0.20, ("MKT", "RMW"): -0.30, ("MKT", "CMA"): -0.20, ("MKT", "MOM"): -0.20, ("MKT", "RATES"): -0.38,
    ("MKT", "CREDIT"): 0.60, ("MKT", "CMDTY"): 0.30, ("MKT", "USD"): -0.25, ("MKT", "AUD"): 0.50, ("MKT", "GOLD"): 0.03,
    ("SMB", "RMW"): -0.20, ("HML", "CMA"): 0.40, ("HML", "MOM"): -0.30, ("HML", "RMW"): 0.10, ("RATES", "CREDIT"): -0.25,
    ("RATES", "CMDTY"): -0.20, ("RATES", "GOLD"): 0.25, ("RATES", "USD"): -0.10, ("RATES", "AUD"): -0.10,
    ("CREDIT", "CMDTY"): 0.25, ("CREDIT", "AUD"): 0.30, ("CMDTY", "GOLD"): 0.20, ("CMDTY", "USD"): -0.20,
    ("CMDTY", "AUD"): 0.35, ("GOLD", "USD"): -0.40, ("GOLD", "AUD"): 0.30, ("USD", "AUD"): -0.65, ("USD", "INTL"): -0.35,
    ("AUD", "INTL"): 0.30,
}  # fmt: skip
LATE_STOCK_BOND = 0.15


@dataclass(frozen=True)
class FactorPaths:
    """Drawn factor returns and everything about them that an observer does not see.

    Attributes
    ----------
    sessions : DatetimeIndex of shape (n,)
        New York sessions.
    returns : ndarray of shape (n, 13)
        Simple returns in the order of `US_FACTORS`; RATES minus the yield change as a fraction. The first row is zero.
    sigma : ndarray of shape (n, 13)
        Conditional standard deviation of each session, known at the close before. [fraction per session]
    variance : ndarray of shape (n + 1,)
        Conditional variance of the market, one session further. [fraction squared per session]
    vix : ndarray of shape (n,)
        Implied volatility at each close. [index points]
    """

    sessions: pd.DatetimeIndex
    returns: Floats
    sigma: Floats
    variance: Floats
    vix: Floats


def simulate_factors(sessions: pd.DatetimeIndex, rng: np.random.Generator) -> FactorPaths:
    """Draw the factor returns of every session."""
    n = len(sessions)
    shocks = _shocks(sessions, rng)
    level = _level(sessions)
    ratio = _nagarch(shocks[:, 0])
    variance = np.append(level, level[-1]) ** 2 * ratio
    sigma = _sigma(variance[:n])
    sigma[:, RATES] *= np.clip(np.sqrt(history.anchored("DGS10", sessions) / ORDINARY_YIELD), 0.5, 1.3)
    logs = _pinned(sessions, sigma * shocks + _drift(), sigma)
    logs[0] = 0.0
    returns = np.expm1(logs)
    returns[:, RATES] = logs[:, RATES]
    return FactorPaths(sessions, returns, sigma, variance, _vix(level, ratio[1:], rng))


def correlation(late: bool) -> Floats:
    """Correlation of the factors' shocks before, or `late`: after stocks and bonds began to fall together."""
    matrix = np.eye(len(US_FACTORS))
    for (one, other), value in CORRELATIONS.items():
        i, j = US_FACTORS.index(one), US_FACTORS.index(other)
        matrix[i, j] = matrix[j, i] = LATE_STOCK_BOND if late and (one, other) == ("MKT", "RATES") else value
    return matrix


def is_late(sessions: pd.DatetimeIndex) -> Floats:
    """One from the session on at which stocks and bonds fall together."""
    return np.asarray(sessions >= pd.Timestamp(STOCK_BOND_TURN), dtype=float)


def to_australia(paths: FactorPaths, australian: pd.DatetimeIndex, rng: np.random.Generator) -> tuple[Floats, Positions]:
    """Factor returns as Sydney meets them, with the Australian market's own, and which session each New York session joins.

    Returns
    -------
    returns : ndarray of shape (n_australian, 14)
        The New York sessions that closed since the last Sydney close, compounded; zero where there was none.
    joins : ndarray of shape (n,)
        For each New York session the Sydney session that follows it; n_australian where none does.
    """
    there, here = (pd.DatetimeIndex(closes(code, days)) for code, days in (("XASX", australian), ("XNYS", paths.sessions)))
    joins = there.searchsorted(here)
    gathered = gather(np.log1p(paths.returns), joins, len(australian))
    daily = AUSTRALIAN_VOLATILITY / np.sqrt(SESSIONS_PER_YEAR)
    own = daily * rng.standard_normal(len(australian)) * _mixing(rng, (len(australian), 1))[:, 0] + 0.02 / SESSIONS_PER_YEAR
    return np.column_stack([np.expm1(gathered), own]), joins


def gather(values: Floats, joins: Positions, n: int) -> Floats:
    """Add up the rows of New York sessions within each Sydney session."""
    out = np.zeros((n + 1, values.shape[1]))
    np.add.at(out, joins, values)
    return out[:n]


def _shocks(sessions: pd.DatetimeIndex, rng: np.random.Generator) -> Floats:
    """Unit-variance Student shocks with the factors' correlation and one mixing variable per session."""
    normal = rng.standard_normal((len(sessions), len(US_FACTORS)))
    early, late = (np.linalg.cholesky(correlation(late)) for late in (False, True))
    turned = is_late(sessions)[:, None]
    mixed = np.einsum("tk,fk->tf", normal * (1 - turned), early) + np.einsum("tk,fk->tf", normal * turned, late)
    return np.asarray(mixed * _mixing(rng, (len(sessions), 1)), dtype=np.float64)


def _mixing(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Scale that turns normal shocks into Student ones of unit variance."""
    return np.sqrt((DEGREES_OF_FREEDOM - 2) / rng.chisquare(DEGREES_OF_FREEDOM, shape))


def _level(sessions: pd.DatetimeIndex) -> Floats:
    """Daily volatility level: the episodes', reached within days and left within weeks."""
    target = np.full(len(sessions), history.CALM_VOLATILITY)
    for episode in history.EPISODES:
        target[history.within(sessions, episode.start, episode.end)] = episode.volatility
    level, now = np.empty(len(sessions)), np.log(target[0])
    for t, wanted in enumerate(np.log(target)):
        now += (0.25 if wanted > now else 0.04) * (wanted - now)
        level[t] = now
    return np.asarray(np.exp(level) / np.sqrt(SESSIONS_PER_YEAR), dtype=np.float64)


def _nagarch(z: Floats) -> Floats:
    """Variance ratio of mean one that follows the shocks: entry t is known before shock t; shape (n + 1,)."""
    ratio = np.ones(len(z) + 1)
    for t, shock in enumerate(z):
        ratio[t + 1] = 1 - PERSISTENCE + ratio[t] * (BETA + ALPHA * (shock - THETA) ** 2)
    return ratio


def _sigma(variance: Floats) -> Floats:
    specs = FACTORS.values()
    relative = np.sqrt(variance * SESSIONS_PER_YEAR) / REFERENCE_VOLATILITY
    power = relative[:, None] ** np.array([s.stress for s in specs])
    return np.asarray(power * np.array([s.volatility for s in specs]) / np.sqrt(SESSIONS_PER_YEAR), dtype=np.float64)


def _drift() -> Floats:
    return np.array([s.premium for s in FACTORS.values()]) / SESSIONS_PER_YEAR


def _pinned(sessions: pd.DatetimeIndex, logs: Floats, sigma: Floats) -> Floats:
    """Shift the draws inside each pinned stretch, in proportion to their variance, so that they add up to its total.

    The shift is a bridge: it conditions the draws on a sum that nobody in the market knows.
    """
    for pin in _pins():
        column = US_FACTORS.index(pin.factor)
        rows = history.within(sessions, pin.start, pin.end)
        share = sigma[rows, column] ** 2
        logs[rows, column] += (pin.total - logs[rows, column].sum()) * share / share.sum()
    return logs


def _pins() -> list[history.Pin]:
    market = [history.Pin("MKT", e.start, e.end, e.market) for e in history.EPISODES]
    return [*market, *history.PINS, *_between("RATES", "DGS10"), *_between("AUD", "AUDUSD")]


def _between(factor: str, series: str) -> list[history.Pin]:
    """One pin for each stretch between two anchors of a series, the earlier anchor's day excluded."""
    days = pd.DatetimeIndex(history.anchor_dates(series))
    levels = history.anchored(series, days)
    moves = -np.diff(levels) * PERCENT if factor == "RATES" else np.diff(np.log(levels))
    starts, ends = (days[:-1] + pd.Timedelta(days=1)).strftime("%Y-%m-%d"), days[1:].strftime("%Y-%m-%d")
    return [history.Pin(factor, a, b, float(m)) for a, b, m in zip(starts, ends, moves, strict=True)]


def _vix(level: Floats, following: Floats, rng: np.random.Generator) -> Floats:
    """Expected volatility of the next 21 sessions at each close, times a premium, with a little noise of its own."""
    horizon = 21
    decay = (1 - PERSISTENCE**horizon) / (horizon * (1 - PERSISTENCE))
    expected = level * np.sqrt(SESSIONS_PER_YEAR * (1 + (following - 1) * decay))
    noise = np.empty(len(level))
    last = 0.0
    for t, e in enumerate(rng.standard_normal(len(level))):
        last = 0.9 * last + 0.022 * e
        noise[t] = last
    return np.round(100 * VARIANCE_PREMIUM * expected * np.exp(noise), 2)
